"""A venue whose operator is gone: a real sequencer took the trades, people leave with nobody's help."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from devnet.accounts import Actor
from devnet.actors.client import SequencerClient
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.genesis import BTC, ETH, QUORUM
from devnet.network import Devnet
from devnet.processes import POLL_INTERVAL, Process
from devnet.wallet import Wallet
from optimist.api.errors import ApiError
from optimist.derive.actions import Forced
from optimist.derive.decode import decode
from optimist.derive.typed_data import Domain
from optimist.l1.client import L1Client
from optimist.l1.codec import Abi
from optimist.l1.contracts import Contract
from optimist.l1.events import QueueItem
from tests.support.ledger import Ledger
from tests.support.running import find_url, start_sequencer
from tests.support.waiting import until

USD: Final = 10**6  # 1e-6 USD
PRICE: Final = 10**8  # 1e-8 USD
DEPOSIT: Final = 10_000 * USD
BACKSTOP: Final = 0
LONG, SHORT, HEDGER, IDLE = 1, 2, 3, 4  # accounts; SHORT ends bankrupt
PATIENCE: Final = 240.0  # s for everybody to be gone
STILLNESS: Final = 0.5  # s without a word from anybody, before L1's clock is turned
_TOKEN: Final = [
    {
        "type": "function",
        "name": "balanceOf",
        "inputs": [{"name": "owner", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
        "stateMutability": "view",
    }
]


@dataclass
class Venue:
    """A rollup with people in it."""

    network: Devnet
    directory: Path
    owners: dict[int, Actor] = field(default_factory=dict)  # by account
    traders: dict[int, Trader] = field(default_factory=dict)  # of those who ever traded
    sequencer: Process | None = None
    leavers: "list[Leaver]" = field(default_factory=list)  # whoever ever tried
    starts: int = 0
    published: int = 0

    @property
    def domain(self) -> Domain:
        deployment = self.network.deployment
        return Domain(deployment.chain_id, deployment.addresses["Vault"])

    def start_sequencer(self) -> None:
        self.starts += 1
        self.sequencer = start_sequencer(
            self.network, self.directory / "sequencer", name=f"sequencer-{self.starts}", batch_age="0.3"
        )

    def close(self) -> None:
        """End every program."""
        if self.sequencer is not None:
            self.kill_sequencer()
        for leaver in self.leavers:
            leaver.process.kill()

    def kill_sequencer(self) -> None:
        """As nobody would do it who means to come back."""
        assert self.sequencer is not None
        self.sequencer.kill()
        self.sequencer = None

    async def trade(self, client: L1Client, more: int = 0) -> None:
        """Deposits; longs and shorts in two markets; the last price leaves one of them bankrupt.

        more: further accounts, each with a position of its own in ETH.
        """
        assert self.sequencer is not None
        cast, bank = self.network.cast, self.network.get_bank()
        self.owners = {BACKSTOP: cast.backstop}
        people = [*cast.traders, cast.market_maker, cast.governor, cast.challenger, *cast.liars]
        for account, actor in enumerate(people[: IDLE + more], 1):
            self.owners[account] = actor
            assert (await bank.open_account(Wallet(client, actor), DEPOSIT))[0] == account
        await bank.top_up(Wallet(client, cast.backstop), BACKSTOP, DEPOSIT)
        async with SequencerClient(find_url(self.sequencer)) as api:
            await wait_for_deposits(api, [*self.owners])
            await self.publish(client, api, {BTC: 100_000, ETH: 4_000})
            await self.match(client, api, (LONG, SHORT), BTC, 50_000_000, 100_000)
            await self.match(client, api, (HEDGER, LONG), ETH, 300_000_000, 4_000)
            for account in range(IDLE + 1, IDLE + 1 + more):
                await self.match(client, api, (HEDGER, account), ETH, 10_000_000, 4_000)
            for btc, eth in ((108_000, 3_950), (116_000, 3_900), (124_000, 3_850), (130_000, 3_900)):
                await self.publish(client, api, {BTC: btc, ETH: eth})
            await until(api.has_posted_all, 120)

    async def come_back(self) -> None:
        """A sequencer that has been started again hears of prices, and L1 hears of it."""
        assert self.sequencer is not None
        url = find_url(self.sequencer)
        async with self.network.connect() as client, SequencerClient(url) as api:
            for _ in range(2):  # after a long silence the second confirms the first
                await self.publish(client, api, {BTC: 130_000, ETH: 3_900})
            await until(api.has_posted_all, 120)

    async def publish(self, client: L1Client, api: SequencerClient, usd: dict[int, int]) -> None:
        """A round of prices, each newer than the last."""
        header = await client.get_header("latest")
        assert header is not None
        self.published = max(self.published + 1, header.timestamp)
        oracle = Oracle(self.domain, self.network.cast.oracle, QUORUM)
        for market, price in usd.items():
            await api.submit(oracle.sign(market, price * PRICE, self.published))

    async def match(
        self, client: L1Client, api: SequencerClient, pair: tuple[int, int], market: int, size: int, usd: int
    ) -> None:
        """The first of the pair buys from the second."""
        header = await client.get_header("latest")
        assert header is not None
        answer = None
        for account in pair:
            if account not in self.traders:
                self.traders[account] = Trader(self.domain, self.owners[account], account)
            order = self.traders[account].sign_order(
                market=market,
                is_buy=account == pair[0],
                size=size,
                price=usd * PRICE,
                expiry=header.timestamp + 3_600,
                slot=market,
            )
            answer = await api.submit(order)
        assert answer is not None
        assert answer.filled == str(size), answer

    async def read_ledger(self) -> Ledger:
        """What the law says now, executed from L1 alone."""
        async with self.network.connect() as client:
            history = await self.network.read_history(client)
        return Ledger(history.get_records(len(history.batches)))

    async def count_forced(self) -> Counter[tuple[bytes, bytes]]:
        """How often each payload was forced by the same sender."""
        async with self.network.connect() as client:
            history = await self.network.read_history(client)
        items = [each.event.input for each in history.events if isinstance(each.event, QueueItem)]
        forced = [action for action in map(decode, items) if isinstance(action, Forced)]
        return Counter((each.sender, each.payload) for each in forced)

    async def read_balance(self, owner: bytes) -> int:
        """Tokens of an address, 1e-6 USD."""
        async with self.network.connect() as client:
            head = await client.get_header("latest")
            assert head is not None
            token = Contract(self.network.deployment.addresses["token"], Abi("TestToken", _TOKEN))
            balance: int = await token.read(client, head.hash, "balanceOf", owner)
            return balance


async def wait_for_deposits(api: SequencerClient, accounts: Sequence[int]) -> None:
    for account in accounts:
        while True:
            try:
                if (await api.get_account(account))["collateral"] != "0":
                    break
            except ApiError as error:
                if error.name != "UNKNOWN_ACCOUNT":
                    raise
            await asyncio.sleep(0.1)


def compute_dues(ledger: Ledger) -> dict[int, Fraction]:
    """What everybody must be paid if all markets of group 0 end at their marks, in exact fractions.

    Worth at the mark; what bankrupts owe is the fund's loss; what the fund lacks is carried by all alike.
    """
    accounts = [row for row in ledger.all_records(type(ledger.account(0))) if row >> 32 == 0]
    worth = {account: ledger.health(account)[0] for account in accounts}
    fund = ledger.fund + sum(value for value in worth.values() if value < 0)
    claims = {account: max(value, Fraction(0)) for account, value in worth.items()}
    loss = max(-fund, Fraction(0))
    share = 1 - loss / sum(claims.values(), Fraction(0))
    return {account: claim * share for account, claim in claims.items()}


class Leaver:
    """`optimist exit --follow --json` of one owner, as a process; what it has said last."""

    def __init__(self, venue: Venue, account: int, *options: str) -> None:
        self.account = account
        self._arguments = [
            *(sys.executable, "-m", "optimist", "exit", "--follow", "--json", "--dev"),
            *("--l1-rpc", venue.network.anvil.url, "--l1-tag", "latest", "--l1-poll", "0.3"),
            *("--deployment", str(venue.network.deployment_file)),
            *("--datadir", str(venue.directory / f"exit-{account}")),
            *("--account", str(account), "--log.format", "json"),
            *options,
        ]
        self._environment = {**os.environ, "OPTIMIST_KEY_SECRET": venue.owners[account].hex_secret}
        self._directory = venue.directory
        self._starts = 0
        self.process = self._start()
        venue.leavers.append(self)

    def _start(self) -> Process:
        self._starts += 1
        log = self._directory / f"exit-{self.account}-{self._starts}.log"
        return Process(f"exit-{self.account}", self._arguments, log, self._environment)

    def restart(self) -> None:
        """kill -9, and begin again from the same directory."""
        self.process.kill()
        self.process = self._start()

    @property
    def is_sealed(self) -> bool:
        """Whether its withdrawal is in a batch, as far as it has said."""
        plan = self.read_plan()
        steps = plan["steps"] if plan else []
        return any(step["row"] for step in steps) and all(step["step"] != "seal" for step in steps)

    @property
    def is_gone(self) -> bool:
        return self.process.exit_code is not None

    def read_plans(self) -> list[dict[str, Any]]:
        """Every plan that it has printed since its last start."""
        lines = self.process.read_log().splitlines(keepends=True)
        said = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
        return [each for each in said if "steps" in each]

    def read_plan(self) -> dict[str, Any] | None:
        """The newest of them."""
        plans = self.read_plans()
        return plans[-1] if plans else None


def turn_clock(network: Devnet, leavers: Sequence[Leaver]) -> bool:
    """Let L1's time jump to the first moment that anybody waits for; False while somebody has work to do."""
    plans = [leaver.read_plan() for leaver in leavers if not leaver.is_gone]
    steps = [step for plan in plans if plan for step in plan["steps"]]
    if None in plans or any(step["isDue"] for step in steps):
        return False
    now = network.anvil.get_time()
    moments = [step["at"] for step in steps if step["at"] is not None and step["at"] > now]
    if moments:
        network.anvil.warp_to(min(moments))
    return bool(moments)


def lead(network: Devnet, leavers: Sequence[Leaver], until: Callable[[], bool]) -> None:
    """Turn L1's clock whenever nobody has anything to do, until something is so; it is asked all the time."""
    deadline = time.monotonic() + PATIENCE
    heard, still_since = -1, time.monotonic()
    while not until():
        assert time.monotonic() < deadline, "\n".join(
            str(leaver.process.failure("not out")) for leaver in leavers if not leaver.is_gone
        )
        time.sleep(POLL_INTERVAL * 5)
        said = sum(leaver.process.log.stat().st_size for leaver in leavers)
        if said != heard:
            heard, still_since = said, time.monotonic()
        elif time.monotonic() > still_since + STILLNESS and turn_clock(network, leavers):
            still_since = time.monotonic()


def wait_until(condition: Callable[[], bool]) -> None:
    """Time goes by as it does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(POLL_INTERVAL * 5)


def lead_out(network: Devnet, leavers: Sequence[Leaver]) -> None:
    """The same, until everybody is out."""
    lead(network, leavers, lambda: all(leaver.is_gone for leaver in leavers))
    for leaver in leavers:
        assert leaver.process.exit_code == 0, leaver.process.failure("did not get out")

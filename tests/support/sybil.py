"""One honest player with one bond against a crowd of Sybils: what it costs, and how long it takes.

`python -m tests.support.sybil --sybils 100` plays on a real anvil, with the real contracts, the player that
`challenger run` starts and the law's own machine. Blocks come every 12 s, as on Ethereum; where nobody can do
anything, L1's clock jumps. Each crowd is compared with one Sybil that plays alike. Prints a table, writes
`build/sybil.json`, and ends with 1 when one of the claims in `docs/SYBIL.md` does not hold.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from challenger.chain.reading import Game, read_game
from challenger.game.clock import compute_deadline
from challenger.player import DEFAULT_LIMIT, Conduct
from challenger.settings import get_parameters
from challenger.strategy.strategy import Plan, Proposal
from challenger.trace.law import LawProvider
from devnet.network import Devnet
from optimist.base.merkle import ZERO
from optimist.base.presets import MAINNET, MINIMAL, Preset
from optimist.derive.commitments import compute_assertion_id, compute_leaf
from optimist.l1.client import L1Client
from optimist.l1.events import Claimed, Confirmed, CreditPaid, Event, Staked
from optimist.l1.fees import FeePolicy
from optimist.l1.sender import SendPolicy
from optimist.l1.types import to_hex
from optimist.node.node import Node
from optimist.ops.logs import configure_logs
from tests.support.operator import make_node
from tests.support.ringside import GWEI, Town, WatchedPlayer, build_town, make_player
from tests.support.swarm import Lies, Manner, Swarm, make_swarm

ETHER: Final = 10**18
SLOT: Final = 12  # s between two blocks
BLOCK_GAS: Final = 36_000_000
GAS_PRICE: Final = 30 * GWEI  # of the report
GAS_CEILING: Final = 150_000_000
POLL: Final = 0.05  # s
PATIENCE: Final = 600.0  # s without a new block
NARROW: Final = 16  # acts at the same time: what any node keeps of one key
REPORT: Final = Path("build") / "sybil.json"

# The clocks of mainnet over the smallest law: a week is no longer than ten minutes where L1's clock jumps.
CLOCKS: Final[Preset] = replace(
    MINIMAL,
    challenge_period=MAINNET.challenge_period,
    grace=MAINNET.grace,
    min_period=MAINNET.min_period,
    bond=MAINNET.bond,
)


SCENARIOS: Final = (
    (Manner.LAST, Lies.APART),
    (Manner.LAST, Lies.SAME),
    (Manner.FROZEN, Lies.APART),
    (Manner.MUTE, Lies.SAME),
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """How many Sybils come, and what they do."""

    sybils: int
    manner: Manner
    lies: Lies
    limit: int = DEFAULT_LIMIT  # acts of the honest player that are on their way at the same time

    @property
    def name(self) -> str:
        """For people."""
        pace = f", {self.limit} acts at a time" if self.limit != DEFAULT_LIMIT else ""
        return f"{self.sybils} x {self.manner.value}, {self.lies.value}{pace}"


@dataclass(slots=True)
class Result:
    """What L1 and the clock on the wall say about one scenario."""

    scenario: str
    sybils: int
    limit: int
    delay: int = 0  # s from the birth of the true node to its confirmation
    blocks: int = 0
    honest_gas: int = 0
    honest_gas_by_function: dict[str, int] = field(default_factory=dict)
    honest_transactions: int = 0
    honest_reverted: int = 0
    honest_eth: float = 0.0  # gas at 30 gwei
    honest_capital_eth: float = 0.0  # bonds laid down
    honest_income_eth: float = 0.0  # bounties and refunds that were paid out
    sybil_gas: int = 0
    sybil_loss_eth: float = 0.0  # bonds and gas at 30 gwei
    loss_to_cost: float = 0.0  # what the adversary lost for each ETH of honest gas
    longest_answer: float = 0.0  # s of real time from a block to the last act that answers it
    longest_look: float = 0.0  # s of real time of one look with its plan
    wall: float = 0.0  # s


class TimedPlayer(WatchedPlayer):
    """The honest player, who says when it has done all that it can, and how long its looks take."""

    longest_look = 0.0
    _began = 0.0  # when the look of this round began
    _settled = 0.0  # when the look of the last round began, if that round started nothing new
    _tried: frozenset[str] = frozenset()  # what this round has started
    _tried_before: frozenset[str] = frozenset()

    @property
    def address(self) -> bytes:
        """Its key's."""
        return self._responder.address

    async def look(self) -> Plan:
        # An act that L1 refuses is tried again in every round: only what is new means that it still works.
        self._settled = self._began if self._tried <= self._tried_before else 0.0
        self._tried_before, self._tried = self._tried, frozenset()
        self._began = time.monotonic()
        plan = await super().look()
        self.longest_look = max(self.longest_look, time.monotonic() - self._began)
        return plan

    def _begin(self, allowed: Sequence[Proposal]) -> None:
        before = self._responder.running
        super()._begin(allowed)
        self._tried |= self._responder.running - before

    async def has_answered(self, since: float, places: int) -> bool:
        """Whether a round that was begun after `since` found nothing new, and L1's pool holds all acts, or as
        many as the sender has places for.
        """
        if self._settled < since or self._responder.sent != min(self.pending, places):
            return False
        address = to_hex(self.address)
        calls = [("eth_getTransactionCount", (address, tag)) for tag in ("latest", "pending")]
        mined, sent = (int(answer, 16) for answer in await self._client.batch(calls))
        return sent - mined == self._responder.sent


class Ring:
    """One game: the honest player, the swarm, and L1's clock."""

    def __init__(
        self,
        network: Devnet,
        client: L1Client,
        town: Town,
        honest: TimedPlayer,
        swarm: Swarm,
        observer: Node,
        places: int,
    ) -> None:
        """`places`: transactions that the honest player's sender has on their way at the same time."""
        self.network = network
        self.places = places
        self.client = client
        self.town = town
        self.honest = honest
        self.swarm = swarm
        self.observer = observer
        self.parameters = get_parameters(network.deployment.preset)
        root = observer.ledger.get_end_root(town.to)
        assert root is not None
        self.truth = compute_assertion_id(town.parent, compute_leaf(root, town.to, ZERO))
        self.longest_answer = 0.0

    async def play(self) -> Game:
        """Until the truth is confirmed and the honest player has nothing left to do."""
        while True:
            game = await self.read()
            is_over = game.state.rounds[self.town.parent].confirmed != ZERO
            await self.swarm.act(game, self.now, SLOT)
            started = time.monotonic()
            await self.wait_until_answered()
            self.longest_answer = max(self.longest_answer, time.monotonic() - started)
            pending = await self.count_waiting()
            if not pending and is_over:
                return game
            self.mine(SLOT if pending else self.compute_pause(game))

    async def read(self) -> Game:
        """The game as of the newest block."""
        await self.observer.catch_up()
        return read_game(
            self.observer.events,
            arity=self.parameters.arity,
            genesis_time=0,
            count_inputs=self.observer.ledger.get_input_count,
        )

    @property
    def now(self) -> int:
        """Second of the newest block."""
        return self.observer.timestamp

    def mine(self, seconds: int) -> None:
        """The next block, `seconds` later."""
        self.network.anvil.call("evm_setNextBlockTimestamp", hex(self.now + seconds))
        self.network.anvil.call("evm_mine")

    def compute_pause(self, game: Game) -> int:
        """Seconds to the next block when nobody has sent anything: up to two slots before a deadline."""
        state, period = game.state, self.parameters.challenge_period
        deadlines = [node.born + period for node in state.nodes.values() if node.parent != ZERO]
        deadlines += [compute_deadline(m.last, m.clocks[m.turn]) for m in state.matches.values()]
        asked = state.rounds[self.town.parent]
        deadlines += [asked.decided_at + self.parameters.grace]
        left = min(deadline for deadline in deadlines if deadline > self.now) - self.now
        return SLOT * max(1, left // SLOT - 2)

    def judge(self, game: Game) -> None:
        """Right result: the truth stands, every Sybil's bond is lost, ours is not."""
        state = game.state
        assert state.rounds[self.town.parent].confirmed == self.truth, "a lie was confirmed"
        assert all(state.stakers[sybil.signer.address].out for sybil in self.swarm.sybils)
        ours = state.stakers[self.honest.address]
        assert not ours.out

    async def count_waiting(self) -> int:
        """Transactions in L1's pool."""
        status = await self.client.call("txpool_status")
        return int(status["pending"], 16) + int(status["queued"], 16)

    async def wait_until_answered(self) -> None:
        """Until the honest player has looked at the newest block and everything it wants is in the pool."""
        since = time.monotonic()
        while not await self.honest.has_answered(since, self.places):
            assert time.monotonic() < since + PATIENCE, "the honest player does not come to an end"
            await asyncio.sleep(POLL)


async def play_scenario(network: Devnet, scenario: Scenario) -> Result:
    """One scenario on a devnet that holds a town; L1 is as before afterwards."""
    started = time.monotonic()
    async with network.connect() as client, AsyncExitStack() as stack:
        town = await build_town(network, client, more=scenario.sybils if scenario.lies is Lies.APART else 0)
        observer, mine = make_node(network, client), make_node(network, client)
        await observer.catch_up()
        parameters = get_parameters(network.deployment.preset)
        since = len(observer.events)
        first_block = network.anvil.get_block_number()
        swarm = make_swarm(network, client, town, observer, scenario.sybils, scenario.manner, scenario.lies)
        network.anvil.increase_time(network.deployment.preset.min_period)
        network.anvil.call("evm_setAutomine", False)
        policy = SendPolicy(
            fees=FeePolicy(cap=500 * GWEI, min_tip=GWEI),
            poll=scenario.sybils / 50,  # s: a hundred watched ten times a second would starve us
            resubmission_timeout=PATIENCE,
            max_pending=scenario.limit * 5 // 4,  # as the settings of `challenger run` have it
        )
        provider = LawProvider(parameters, mine.ledger, network.law)
        honest = make_player(
            network,
            client,
            mine,
            network.cast.challenger,
            provider,
            stack,
            policy=policy,
            kind=TimedPlayer,
            conduct=Conduct(limit=scenario.limit),
        )
        assert isinstance(honest, TimedPlayer)
        ring = Ring(network, client, town, honest, swarm, observer, policy.max_pending)
        playing = asyncio.create_task(honest.play(max(POLL, scenario.sybils / 200)))
        try:
            game = await ring.play()
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            network.anvil.call("evm_setAutomine", True)
        result = Result(scenario.name, scenario.sybils, scenario.limit)
        ring.judge(game)
        _read_events(result, ring, [each.event for each in observer.events[since:]])
        await _read_gas(result, ring, first_block)
        result.longest_answer = round(ring.longest_answer, 2)
        result.longest_look = round(honest.longest_look, 2)
        result.wall = round(time.monotonic() - started, 1)
        return result


def _read_events(result: Result, ring: Ring, events: Sequence[Event]) -> None:
    """When the truth was confirmed, and who gained what."""
    honest, sybils = ring.honest.address, {sybil.signer.address for sybil in ring.swarm.sybils}
    born = next(e.time for e in events if isinstance(e, Claimed) and e.node == ring.truth)
    result.delay = next(e.time for e in events if isinstance(e, Confirmed) and e.node == ring.truth) - born
    bonds = Counter({honest: 0})
    for event in events:
        if isinstance(event, Staked):
            bonds[event.staker] += event.bond
    result.honest_capital_eth = bonds[honest] / ETHER
    result.sybil_loss_eth = sum(bonds[each] for each in sybils) / ETHER
    paid = [e.amount for e in events if isinstance(e, CreditPaid) and e.owner == honest]
    result.honest_income_eth = sum(paid) / ETHER


async def _read_gas(result: Result, ring: Ring, first_block: int) -> None:
    """Gas of every transaction of both sides, from L1's receipts."""
    anvil, names = ring.network.anvil, get_function_names(ring.network)
    last, costs, honest = anvil.get_block_number(), Counter[str](), to_hex(ring.honest.address)
    sybils = {to_hex(sybil.signer.address) for sybil in ring.swarm.sybils}
    for number in range(first_block + 1, last + 1):
        transactions = anvil.call("eth_getBlockByNumber", hex(number), True)["transactions"]
        receipts = anvil.call("eth_getBlockReceipts", hex(number)) if transactions else []
        for sent, receipt in zip(transactions, receipts, strict=True):
            gas = int(receipt["gasUsed"], 16)
            if sent["from"] == honest:
                costs[names.get(sent["input"][2:10], "other")] += gas
                result.honest_transactions += 1
                result.honest_reverted += receipt["status"] != "0x1"
            elif sent["from"] in sybils:
                assert receipt["status"] == "0x1", f"a Sybil's {names[sent['input'][2:10]]} failed"
                result.sybil_gas += gas
    result.blocks = last - first_block
    result.honest_gas, result.honest_gas_by_function = costs.total(), dict(costs.most_common())
    result.honest_eth = result.honest_gas * GAS_PRICE / ETHER
    result.sybil_loss_eth += result.sybil_gas * GAS_PRICE / ETHER
    result.loss_to_cost = round(result.sybil_loss_eth / result.honest_eth, 2)


def get_function_names(network: Devnet) -> dict[str, str]:
    """Functions of Rollup and Dispute by the hexadecimal digits of their selectors."""
    return {
        selector.hex(): entry.name
        for contract in ("Rollup", "Dispute")
        for selector, entry in network.get_contract(contract).abi.selectors.items()
    }


def find_broken_claims(alone: Result, crowd: Result) -> list[str]:
    """What we say about a crowd, where the measurement says otherwise. `alone`: one Sybil of that manner."""
    broken = []
    if abs(crowd.delay - alone.delay) > SLOT:
        broken.append(f"confirmed after {crowd.delay} s, with one Sybil after {alone.delay} s")
    if crowd.honest_gas > GAS_CEILING:
        broken.append(f"{crowd.honest_gas:,} gas of the honest player")
    if crowd.honest_capital_eth != CLOCKS.bond / ETHER:
        broken.append(f"{crowd.honest_capital_eth} ETH of honest capital")
    return [f"{crowd.scenario}: {each}" for each in broken]


def play_all(count: int, note: Callable[[Result], None] = lambda _: None) -> tuple[list[Result], list[str]]:
    """Every manner with one Sybil and with `count`, each on an L1 of its own; results and broken claims.

    `note` is told of each result when it is there.
    """
    results: list[Result] = []
    broken: list[str] = []

    def measure(scenario: Scenario) -> Result:
        results.append(play_alone(scenario))
        note(results[-1])
        return results[-1]

    for manner, lies in SCENARIOS:
        alone, crowd = (measure(Scenario(number, manner, lies)) for number in (1, count))
        broken += find_broken_claims(alone, crowd)
    measure(Scenario(count, *SCENARIOS[0], limit=NARROW))  # behind a node that keeps no more of one key
    return results, broken


def play_alone(scenario: Scenario) -> Result:
    """One scenario on a new devnet."""
    with Devnet.start(preset=CLOCKS) as network:
        network.anvil.call("evm_setBlockGasLimit", hex(BLOCK_GAS))
        return asyncio.run(play_scenario(network, scenario))


def format_table(results: Sequence[Result]) -> str:
    """For people, in Markdown."""
    lines = [
        "| Sybils | confirmed after | honest gas | at 30 gwei | capital | paid back | they lose | per ETH |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.scenario} | {each.delay:,} s | {each.honest_gas:,} | {each.honest_eth:.3f} ETH | "
        f"{each.honest_capital_eth:g} ETH | {each.honest_income_eth:.3f} ETH | "
        f"{each.sybil_loss_eth:.2f} ETH | {each.loss_to_cost:.1f} ETH |"
        for each in results
    ]
    return "\n".join(lines)


def _say(result: Result) -> None:
    print(
        f"{result.scenario}: confirmed after {result.delay:,} s ({result.wall} s)",
        file=sys.stderr,
        flush=True,
    )


def main() -> int:
    """Exit code 0 when every claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sybils", type=int, default=100, help="how many come at once (default 100)")
    arguments = parser.parse_args()
    configure_logs("error", "console")
    results, broken = play_all(arguments.sybils, _say)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(each) for each in results], indent=2) + "\n")
    print(format_table(results))
    slowest = max(results, key=lambda each: each.longest_answer)
    print(
        f"\nlongest answer {slowest.longest_answer} s of real time, in a slot of {SLOT} s; report: {REPORT}"
    )
    for claim in broken:
        print(f"does not hold: {claim}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

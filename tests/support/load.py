"""Load on a sequencer: traders that sign in pairs, connections that send frames and time the answers."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from devnet.accounts import Actor
from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.api.schema import to_body
from optimist.base.keccak import keccak
from optimist.base.signature import address_of
from optimist.derive.actions import SignedOrder
from optimist.derive.typed_data import Domain, Order
from optimist.l1.client import L1Client

USD: Final = 10**6
PRICE: Final = 10**8
MARKET: Final = 0
INDEX: Final = 100_000  # USD: where everybody trades
LOT: Final = 10_000
MONEY: Final = 1_000_000 * USD  # of each account
PAIRS_IN_FRAME: Final = 32  # orders in a frame: twice that


@dataclass
class Pair:
    """Two accounts that trade with each other, to and fro, and so never run out of margin."""

    domain: Domain
    number: int
    accounts: tuple[int, int]
    secrets: tuple[bytes, bytes]
    nonce: int = 0
    trades: list[tuple[SignedOrder, SignedOrder]] = field(default_factory=list)

    def sign(self, trades: int) -> list[tuple[SignedOrder, SignedOrder]]:
        """Makers and takers of some trades, in the order in which they are to happen."""
        return [self._sign_trade() for _ in range(trades)]

    def _sign_trade(self) -> tuple[SignedOrder, SignedOrder]:
        self.nonce += 1
        maker, taker = (self._sign(side, is_buy=(self.nonce % 2 == 0) != bool(side)) for side in (0, 1))
        return maker, taker

    def _sign(self, side: int, *, is_buy: bool) -> SignedOrder:
        order = Order(
            account=self.accounts[side],
            market=MARKET,
            is_buy=is_buy,
            size=LOT,
            price=INDEX * PRICE,
            max_fee_ppm=1_000,
            slot=0,
            nonce=self.nonce,
            expiry=(1 << 40) - 1,
        )
        return SignedOrder(order, order.sign(self.domain, self.secrets[side]))


async def open_pairs(network: Devnet, client: L1Client, count: int) -> list[Pair]:
    """Pairs of new accounts with money on deposit."""
    deployment = network.deployment
    domain = Domain(deployment.chain_id, deployment.addresses["Vault"])
    pairs = []
    for number in range(count):
        secrets = tuple(keccak(f"load {number} {side}".encode()) for side in (0, 1))
        accounts = []
        for secret in secrets:
            actor = Actor(f"load-{number}", secret, address_of(secret))
            network.anvil.set_balance(actor.hex_address, 10**18)
            account, _ = await network.get_bank().open_account(Wallet(client, actor), MONEY)
            accounts.append(account)
        pairs.append(Pair(domain, number, (accounts[0], accounts[1]), (secrets[0], secrets[1])))
    return pairs


def make_frame(number: int, trades: Sequence[tuple[SignedOrder, SignedOrder]]) -> bytes:
    """A message of the stream."""
    actions = [to_body(order) for pair in trades for order in pair]
    return json.dumps({"op": "submit", "id": number, "actions": actions}).encode()


@dataclass
class Timings:
    """Seconds from sending a frame until its acknowledgement."""

    seconds: list[float] = field(default_factory=list)

    def get(self, percent: int) -> float:
        """A percentile, in milliseconds."""
        cuts = statistics.quantiles(self.seconds, n=100, method="inclusive")
        return cuts[percent - 1] * 1_000

    def __str__(self) -> str:
        return f"p50 {self.get(50):,.1f} ms, p99 {self.get(99):,.1f} ms"


class Connection:
    """A WebSocket of one client, with an address of its own behind the proxy that we play."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def open(cls, session: aiohttp.ClientSession, url: str, number: int) -> AsyncIterator["Connection"]:
        """Connect; `number` makes the address."""
        headers = {"X-Forwarded-For": f"10.0.{number >> 8}.{number & 255}"}
        async with session.ws_connect(f"{url}/v1/stream", headers=headers, max_msg_size=0) as socket:
            connection = cls(socket)
            try:
                yield connection
            finally:
                connection._reading.cancel()

    async def submit(self, number: int, frame: bytes, timings: Timings) -> dict[str, Any]:
        """Send a frame and wait for its acknowledgement."""
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        begun = time.perf_counter()
        await self.socket.send_str(frame.decode())
        answer = await future
        timings.seconds.append(time.perf_counter() - begun)
        return answer

    async def _read(self) -> None:
        async for message in self.socket:
            answer = json.loads(message.data)
            if "id" in answer:
                self._answers.pop(answer["id"]).set_result(answer)


def count_fills(answer: dict[str, Any]) -> int:
    """Trades of a frame. Raises AssertionError where one was refused: then the load is no load."""
    assert "results" in answer, answer
    filled = 0
    for result in answer["results"]:
        assert "error" not in result, result
        assert result["code"] == 0, result
        filled += result["filled"] == str(LOT)
    return filled

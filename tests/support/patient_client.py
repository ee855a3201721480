"""A client that keeps its own log and never gives up: what is not answered is sent again, byte for byte.

    python -m tests.support.patient_client <plan.json>

One line of JSON before an action is sent, one for every outcome. It trades until it gets SIGTERM, finishes
what is on its way and ends with code 0. The log is what the sequencer is held against later; nothing of the
sequencer's own is needed to read it.
"""

import asyncio
import json
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, TextIO

import aiohttp

from devnet.accounts import get_cast
from devnet.actors.client import SequencerClient
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.genesis import QUORUM
from optimist.api.errors import ApiError
from optimist.api.schema import ParsedAction
from optimist.derive.account_actions import Cancel, CancelRequest
from optimist.derive.actions import SignedOrder
from optimist.derive.typed_data import Domain

PRICE = 10**8
USD = 10**6
LOT = 10_000  # of the BTC market
SLOTS = 4  # of the preset "minimal"
TRY_AGAIN = frozenset({"OVERLOADED", "NOT_READY", "JOURNAL_FULL", "BEHIND_L1"})
PAUSE = 0.05  # seconds before a request is repeated


@dataclass(frozen=True)
class Plan:
    """What the client is told. `pace`: mean seconds between two actions of one trader."""

    url: str
    log: str
    chain_id: int
    vault: str
    traders: int
    seed: int
    pace: float


class Diary:
    """The client's own log."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._count = 0

    def begin(self, kind: str, **fields: Any) -> int:
        """An action is about to be sent; its number."""
        self._count += 1
        self.write(n=self._count, event="send", kind=kind, **fields)
        return self._count

    def write(self, **line: Any) -> None:
        """One line, handed to the kernel at once: this process is never killed."""
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


class PatientClient:
    """Some traders and an oracle, each sending one action after the other."""

    def __init__(self, plan: Plan, diary: Diary) -> None:
        self._plan = plan
        self._diary = diary
        self._cast = get_cast()
        self._domain = Domain(plan.chain_id, bytes.fromhex(plan.vault))
        self._random = Random(plan.seed)
        self._usd = 100_000
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Trade until `stop`."""
        async with SequencerClient(self._plan.url, timeout=20.0) as api:
            await self._publish_once(api, int(time.time()))
            traders = [
                self._trade(api, Trader(self._domain, self._cast.traders[index], index + 1))
                for index in range(self._plan.traders)
            ]
            await asyncio.gather(self._publish(api), *traders)

    def stop(self) -> None:
        """Send nothing new."""
        self._stopping.set()

    async def _publish(self, api: SequencerClient) -> None:
        last = int(time.time())
        while not self._stopping.is_set():
            await asyncio.sleep(0.3)
            now = int(time.time())
            if now > last:
                last = now
                self._usd += self._random.randint(-20, 20)
                await self._publish_once(api, now)

    async def _publish_once(self, api: SequencerClient, second: int) -> None:
        oracle = Oracle(self._domain, self._cast.oracle, QUORUM)
        await self._insist(api, "price", oracle.sign(0, self._usd * PRICE, second))

    async def _trade(self, api: SequencerClient, trader: Trader) -> None:
        placed: list[SignedOrder] = []
        while not self._stopping.is_set():
            await asyncio.sleep(self._random.expovariate(1 / self._plan.pace))
            dice = self._random.random()
            if dice < 0.04 and placed:
                order = self._random.choice(placed).order
                request = CancelRequest(trader.account, order.slot, order.nonce + 1)
                action: ParsedAction = Cancel(request, request.sign(self._domain, trader.actor.secret))
                await self._insist(api, "cancel", action, account=trader.account)
            elif dice < 0.06:
                await self._insist(api, "withdrawal", trader.sign_withdrawal(USD), account=trader.account)
            else:
                signed = trader.sign_order(
                    market=0,
                    is_buy=self._random.random() < 0.5,
                    size=self._random.randint(1, 4) * LOT,
                    price=(self._usd + self._random.randint(-12, 12)) * PRICE,
                    expiry=int(time.time()) + 7_200,
                    slot=self._random.randrange(SLOTS),
                )
                placed = [*placed[-20:], signed]
                await self._insist(
                    api, "order", signed, order_id="0x" + signed.order.digest(self._domain).hex(),
                    account=trader.account, size=signed.order.size, slot=signed.order.slot,
                    nonce=signed.order.nonce,
                )  # fmt: skip

    async def _insist(self, api: SequencerClient, kind: str, action: ParsedAction, **fields: Any) -> None:
        """Send until there is an answer that settles it."""
        number = self._diary.begin(kind, **fields)
        while True:
            try:
                answer = await api.submit(action)
            except ApiError as error:
                settled = error.name not in TRY_AGAIN
                self._diary.write(n=number, event="refused" if settled else "turned away", name=error.name)
                if settled:
                    return
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._diary.write(n=number, event="no answer", why=type(error).__name__)
            else:
                confirmation = asdict_of(answer.confirmation)
                self._diary.write(
                    n=number, event="answer", inputs=answer.inputs, filled=int(answer.filled),
                    resting=int(answer.resting), confirmation=confirmation,
                )  # fmt: skip
                return
            await asyncio.sleep(PAUSE)


def asdict_of(confirmation: Any) -> dict[str, Any]:
    """Number, history and signature of a soft confirmation."""
    return {name: getattr(confirmation, name) for name in ("number", "history", "signature")}


def write_plan(path: Path, plan: Plan) -> None:
    """For the command line."""
    path.write_text(json.dumps(asdict(plan)))


async def trade_until_told(plan: Plan, file: TextIO) -> None:
    """Run a plan until SIGTERM."""
    client = PatientClient(plan, Diary(file))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, client.stop)
    await client.run()


def main(path: Path) -> None:
    """Run the plan in a file."""
    plan = Plan(**json.loads(path.read_text()))
    with Path(plan.log).open("a") as file:
        asyncio.run(trade_until_told(plan, file))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

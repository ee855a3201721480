"""An engine of the sequencer on the real law, three deposits in L1's queue, and what it journaled."""

from collections.abc import Sequence
from typing import Any, Final

from optimist.derive.account_actions import AccountAction
from optimist.derive.actions import Deposit
from optimist.provable import State
from optimist.sequencer.builder import Builder, Head
from optimist.sequencer.engine import Engine, Outcome
from optimist.sequencer.entries import Entry, encode_record
from optimist.stf.law import get_law
from tests.support.world import BTC, PRICE, START, USD, World, address

ONE: Final = 10**8  # size of one BTC
DEPOSITS: Final = tuple(
    Deposit(account, address(f"trader {account}"), 100_000 * USD).encode() for account in (1, 2, 3)
)
GENESIS_ACCUMULATOR: Final = bytes(32)


class Bench:
    """Batch 2 is open and holds the deposits; the price is 100,000 USD."""

    def __init__(self) -> None:
        self.world = World()  # signs for everybody
        self.engine = self.fresh_engine()
        self.journal: list[bytes] = []
        self.seen: list[object] = []  # a fingerprint for every record of the journal
        self.keep([self.engine.open(START, DEPOSITS)])
        self.price(100_000)

    def fresh_head(self) -> Head:
        """The head after batch 1."""
        state = State()
        assert not state.apply(get_law("minimal"), self.world.init.encode()).rejected
        return Head(state, batch=1, accumulator=GENESIS_ACCUMULATOR, last=START, queue_next=0)

    def fresh_engine(self) -> Engine:
        """An engine that has sequenced nothing yet."""
        return Engine(Builder(get_law("minimal"), self.fresh_head()), self.world.domain)

    def keep(self, entries: Sequence[Entry]) -> None:
        """Journal what one action did."""
        self.journal.append(encode_record(entries))
        self.seen.append(fingerprint(self.engine))

    def price(self, usd: int) -> None:
        """One second later, a new price."""
        self.world.second += 1
        update = self.world.price_update(0, [(key, usd * PRICE) for key in (0, 1, 2)])
        outcome = self.engine.act(update, self.world.second)
        assert outcome.refusal == 0
        self.keep(outcome.entries)

    def act(self, action: AccountAction) -> None:
        """Do what an owner has signed, and journal it."""
        outcome = self.engine.act(action, self.world.second)
        assert outcome.refusal == 0
        self.keep(outcome.entries)

    def place(self, account: int, is_buy: bool, size: int, usd: int, **terms: Any) -> Outcome:
        """Place a signed order, and journal what it did."""
        outcome = self.engine.place(self.world.order(account, is_buy, size, usd, **terms), self.world.second)
        if outcome.entries:
            self.keep(outcome.entries)
        return outcome

    def position(self, account: int) -> int:
        """Size of an account's BTC position."""
        self.world.state = self.engine.builder.head.state
        return int(self.world.position(account, 0))

    def busy_day(self) -> None:
        """Orders, fills, dropped orders, and a rest in the book."""
        self.place(1, False, ONE // 2, 100_000)
        self.place(2, True, ONE // 3 // BTC.lot * BTC.lot, 100_000)
        self.place(1, False, 100 * ONE, 99_000)
        self.price(99_500)
        self.place(3, True, ONE, 99_600)


def fingerprint(engine: Engine) -> object:
    """Everything that an engine is: state, head, open batch, books."""
    head, opened = engine.builder.head, engine.builder.open_batch
    rest = [(each.order_id, each.remaining, each.price) for each in engine.book(0)]
    inputs = (opened.number, opened.first, tuple(opened.sequenced)) if opened else None
    state = dict(head.state.items())
    return (state, head.batch, head.accumulator, head.last, head.queue_next, head.soft_history, rest, inputs)

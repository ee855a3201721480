"""Matching on top of the law: orders and other actions in, journal entries out. Pure.

Whatever an action changes is in the entries that it returns: doing them again after a restart (`recovery.py`)
leads to the same head and the same books. Nothing here knows of clocks, disks or networks.
"""

from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush

import msgspec

from optimist.derive.account_actions import AccountAction, Cancel, CancelAll, CancelRequest
from optimist.derive.actions import (
    Action,
    ForcedService,
    Sequenced,
    SignedOrder,
    Trade,
    Withdraw,
)
from optimist.derive.commitments import compute_chain_links
from optimist.derive.decode import decode, decode_order
from optimist.derive.typed_data import Domain, Order
from optimist.provable import Receipt, State
from optimist.provable.record import Record
from optimist.sequencer.builder import Builder, SealedBatch
from optimist.sequencer.entries import (
    Entry,
    InputAccepted,
    Opened,
    OrderDropped,
    OrderPlaced,
    Sealed,
    Snapshot,
    SwitchSet,
    Voided,
)
from optimist.sequencer.matching import Book, Resting
from optimist.sequencer.views import account_key, find_cancellation, get_market, get_position_size
from optimist.stf.codes import Code
from optimist.stf.constants import FILL_OR_KILL, GOOD_TILL_CANCELLED

Known = Mapping[tuple[bytes, int, bytes, bytes], int]  # (digest, v, r, s) -> address

MOST_FILLS = 32  # of one order: bounds what one action costs, and how far it lets a batch grow
# Numbers of `api/errors.py`, where the law has no code:
TOO_MANY_FILLS = 1107  # why the rest of an order is not taken
DEAD_MAN = 1108  # why an order left the book: the dead-man switch of its account ran out
CANCELLED = 1109  # ... its owner cancelled it

HEAP_SLACK = 1_024  # entries of what is gone that a heap may hold before it is built anew


class Fill(msgspec.Struct, frozen=True):
    """A trade as everybody may see it. `number`: sequenced inputs up to and with it; `is_buy`: the taker."""

    number: int
    market: int
    second: int
    is_buy: bool
    price: int
    size: int


class OrderChange(msgspec.Struct, frozen=True):
    """A resting order came, shrank or went. `code`: why it went unfilled, else 0.

    `level`: what all orders of its side at its price have left together now.
    """

    order_id: bytes
    account: int
    market: int
    is_buy: bool
    price: int
    remaining: int
    level: int
    code: int = 0


class Told(msgspec.Struct, frozen=True):
    """What the law noted of an accepted input. `number`: sequenced inputs up to and with it."""

    number: int
    second: int
    notes: tuple[Record, ...]


class Outcome(msgspec.Struct, frozen=True):
    """What an action did. `refusal` is the law's code when (the rest of) it was not taken, else 0.

    `filled` and `resting` are sizes of an order. Empty `entries`: nothing changed, nothing to journal. The
    last three are for those who watch.
    """

    entries: tuple[Entry, ...]
    inputs: tuple[bytes, ...] = ()
    refusal: int = 0
    filled: int = 0
    resting: int = 0
    fills: tuple[Fill, ...] = ()
    changes: tuple[OrderChange, ...] = ()
    told: tuple[Told, ...] = ()


class _Doing(msgspec.Struct):
    """An outcome in the making."""

    entries: list[Entry] = []
    inputs: list[bytes] = []
    fills: list[Fill] = []
    changes: list[OrderChange] = []
    told: list[Told] = []

    def finish(self, refusal: int = 0, filled: int = 0, resting: int = 0) -> Outcome:
        return Outcome(
            tuple(self.entries),
            tuple(self.inputs),
            refusal,
            filled,
            resting,
            tuple(self.fills),
            tuple(self.changes),
            tuple(self.told),
        )


class Engine:
    """The builder, and the books of resting orders."""

    def __init__(self, builder: Builder, domain: Domain) -> None:
        self.builder = builder
        self._domain = domain
        self._books: dict[int, Book] = {}
        self._orders: dict[bytes, SignedOrder] = {}
        self._by_account: dict[int, dict[bytes, None]] = {}  # resting, in order of arrival
        self._known: dict[bytes, Known] = {}  # signatures of resting orders, for their fills
        self._expiries: list[tuple[int, bytes]] = []  # a heap; orders that are gone are passed over
        self._switches: dict[int, SwitchSet] = {}
        self._deadlines: list[tuple[int, int]] = []  # a heap of (second, account), as the one above

    def order_id(self, signed: SignedOrder) -> bytes:
        """An order's id: the digest that its owner signed, never the signature."""
        return signed.order.digest(self._domain)

    def is_resting(self, order_id: bytes) -> bool:
        """Whether an order waits in a book."""
        return order_id in self._orders

    @property
    def resting_count(self) -> int:
        """Orders in all books."""
        return len(self._orders)

    def count_resting(self, account: int) -> int:
        """Orders of an account in all books."""
        return len(self._by_account.get(account, ()))

    def get_resting(self, account: int) -> Iterator[tuple[Resting, SignedOrder]]:
        """The resting orders of an account, oldest first."""
        for order_id in self._by_account.get(account, ()):
            signed = self._orders[order_id]
            yield self.book(signed.order.market).by_id[order_id], signed

    def would_take(self, order: Order) -> bool:
        """Whether an order would meet a resting one at once."""
        return self.book(order.market).best_against(order.is_buy, order.price) is not None

    def get_switch(self, account: int) -> SwitchSet | None:
        """The dead-man switch of an account as it was set last; None when it never was."""
        return self._switches.get(account)

    def book(self, market: int) -> Book:
        """The book of a market."""
        return self._books.setdefault(market, Book())

    @property
    def books(self) -> dict[int, Book]:
        """Every market's book that ever held an order."""
        return self._books

    def open(self, first: int, queue_items: Sequence[bytes]) -> Opened:
        """Open the next batch, not before the clock."""
        head = self.builder.head
        entry = Opened(
            batch=head.batch + 1,
            first=max(first, head.last),
            queue_from=head.queue_next,
            queue_count=len(queue_items),
            queue_head=compute_chain_links(queue_items)[0],
            previous_accumulator=head.accumulator,
        )
        self.builder.open(entry.first, queue_items)
        return entry

    def seal(self) -> tuple[Sealed, SealedBatch]:
        """Close the open batch."""
        sealed = self.builder.seal()
        return Sealed(sealed.header.batch, sealed.header.last, sealed.batch.accumulator), sealed

    def act(self, action: ForcedService | Withdraw | AccountAction, second: int) -> Outcome:
        """Sequence anything but an order. What it cancels leaves the books."""
        doing = _Doing()
        receipt = self._apply(action, second, doing)
        if receipt.rejected:
            return Outcome((), refusal=receipt.code)
        self._forget_cancelled(action, doing)
        return doing.finish()

    def know(self, known: Known) -> None:
        """Signatures that are recovered already: the law need not do it again."""
        self.builder.head.state.signatures.update(known)

    def unknow(self, known: Known) -> None:
        """Forget them again."""
        for each in known:
            self.builder.head.state.signatures.pop(each, None)

    def place(
        self, signed: SignedOrder, second: int, known: Known | None = None, order_id: bytes | None = None
    ) -> Outcome:
        """Match an order at the resting orders' prices; what remains rests, unless it is immediate.

        A resting order that the law refuses leaves the book. When the law refuses the incoming one, the fills
        that it had stand and its rest is dropped. So is the rest of one that has met MOST_FILLS orders.
        `known`: its signature, to be remembered as long as it rests. `order_id`: where it is known already.
        Raises ValueError when it rests already.
        """
        order, order_id = signed.order, order_id or self.order_id(signed)
        if self.is_resting(order_id):
            raise ValueError(f"order 0x{order_id.hex()} rests already")
        doing = _Doing()
        state = self.builder.head.state
        remaining, refusal = order.size, find_cancellation(state, order.account, order.slot, order.nonce)
        book = self.book(order.market)
        met = 0
        while remaining and not refusal and (best := book.best_against(order.is_buy, order.price)):
            if met == MOST_FILLS:
                refusal = TOO_MANY_FILLS
                break
            met += 1
            size, refusal, fault = self._find_size(order, remaining, best)
            if not refusal and not fault:
                refusal, fault = self._fill(signed, best, size, second, doing)
                remaining -= 0 if refusal or fault else size
            if fault:
                self._drop(best.order_id, fault, doing)
        if not refusal and remaining and order.time_in_force == FILL_OR_KILL:
            refusal = Code.FILL_OR_KILL
        rests = remaining if not refusal and order.time_in_force == GOOD_TILL_CANCELLED else 0
        if rests:
            resting = self._rest(order_id, signed, remaining)
            self._known[order_id] = known or {}
            doing.entries.append(OrderPlaced(order.market, remaining, signed.encode()))
            doing.changes.append(self._describe(book, order.market, resting))
        return doing.finish(refusal, order.size - remaining, rests)

    def set_switch(self, account: int, deadline: int, nonce: int) -> Outcome:
        """Set the dead-man switch of an account: after second `deadline` its orders leave the books, 0: off.

        The caller has checked that the nonce is higher than the last one.
        """
        entry = SwitchSet(account, deadline, nonce)
        self._set_switch(entry)
        return Outcome((entry,))

    def tidy(self, second: int) -> Outcome:
        """Take out of the books what has expired, and the orders of accounts whose switch has run out."""
        doing = _Doing()
        while self._expiries and self._expiries[0][0] < second:
            _, order_id = heappop(self._expiries)
            if order_id in self._orders:
                self._drop(order_id, Code.ORDER_EXPIRED, doing)
        while self._deadlines and self._deadlines[0][0] < second:
            deadline, account = heappop(self._deadlines)
            switch = self._switches[account]
            if switch.deadline != deadline:
                continue  # it was set anew since
            for order_id in list(self._by_account.get(account, ())):
                self._drop(order_id, DEAD_MAN, doing)
            off = SwitchSet(account, 0, switch.nonce)
            self._set_switch(off)
            doing.entries.append(off)
        return doing.finish()

    def _apply(self, action: Action, second: int, doing: _Doing) -> Receipt:
        data, receipt = self.builder.apply(action, second)
        if not receipt.rejected:
            doing.entries.append(InputAccepted(data))
            doing.inputs.append(data)
            doing.told.append(Told(self.builder.head.soft_number, self.builder.clock, receipt.notes))
        return receipt

    def _fill(
        self, taker: SignedOrder, best: Resting, size: int, second: int, doing: _Doing
    ) -> tuple[int, int]:
        """Let two orders trade; (why not, if the taker is to blame; why not, if the maker is)."""
        order = taker.order
        trade = Trade(size, best.price, self._orders[best.order_id], taker)
        receipt = self._apply(trade, second, doing)
        if receipt.rejected:
            by_maker = _is_fault_of_maker(receipt, best.account, order.account)
            return (0, receipt.code) if by_maker else (receipt.code, 0)
        book = self.book(order.market)
        self._reduce(book, best, size)
        head = self.builder.head
        doing.changes.append(self._describe(book, order.market, best))
        doing.fills.append(
            Fill(head.soft_number, order.market, self.builder.clock, order.is_buy, best.price, size)
        )
        return 0, 0

    def _find_size(self, order: Order, remaining: int, best: Resting) -> tuple[int, int, int]:
        """(size of the next fill, why the incoming order has none, why the resting one has none).

        Whole lots, but where a reduce-only order ends its position; never more than such a position.
        """
        state = self.builder.head.state
        lot = get_market(state, order.market).lot
        resting = self._orders[best.order_id].order
        mine, theirs = compute_reducible(state, order), compute_reducible(state, resting)
        if mine == 0:
            return 0, Code.REDUCE_ONLY, 0
        if theirs == 0:
            return 0, 0, Code.REDUCE_ONLY
        wanted = remaining if mine is None else min(remaining, mine)
        offered = best.remaining if theirs is None else min(best.remaining, theirs)
        size = min(wanted, offered)
        if size not in (mine, theirs):
            size -= size % lot
        if size == 0:
            return (0, Code.FILL_SIZE, 0) if wanted < lot else (0, 0, Code.FILL_SIZE)
        if order.time_in_force == FILL_OR_KILL and size != order.size:
            return 0, Code.FILL_OR_KILL, 0
        return size, 0, 0

    def resting(self) -> Iterator[Entry]:
        """The entries that put back what stands outside of the law: orders as they came, switches."""
        waiting = [each for book in self._books.values() for each in book]
        for each in sorted(waiting, key=lambda order: order.arrival):
            signed = self._orders[each.order_id]
            yield OrderPlaced(signed.order.market, each.remaining, signed.encode())
        yield from self._switches.values()

    def restore_book(self, entry: Entry) -> None:
        """Do to the books again what a journal entry did; the builder is not touched."""
        match entry:
            case OrderPlaced():
                signed = decode_order(entry.order, entry.market)
                self._rest(self.order_id(signed), signed, entry.remaining)
            case OrderDropped():
                self._remove(entry.order_id)
            case SwitchSet():
                self._set_switch(entry)
            case InputAccepted():
                match decode(entry.data):
                    case Sequenced(action=Trade() as trade):
                        # Not there: sequenced again behind a VOIDED entry; its orders rest as it left them.
                        book = self.book(trade.market)
                        maker = book.by_id.get(self.order_id(trade.maker))
                        if maker is not None:
                            self._reduce(book, maker, trade.size)
                    case Sequenced(action=action):
                        self._forget_cancelled(action, _Doing())
                    case _:
                        pass  # the sequencer writes no other input
            case Voided() | Snapshot():
                for standing in (self._books, self._orders, self._by_account, self._switches, self._known):
                    standing.clear()
                self._expiries.clear()
                self._deadlines.clear()
            case Opened() | Sealed():
                pass

    def _rest(self, order_id: bytes, signed: SignedOrder, remaining: int) -> Resting:
        order = signed.order
        resting = self.book(order.market).rest(order_id, order.account, order.is_buy, order.price, remaining)
        self._orders[order_id] = signed
        self._by_account.setdefault(order.account, {})[order_id] = None
        heappush(self._expiries, (order.expiry, order_id))
        if len(self._expiries) > 2 * len(self._orders) + HEAP_SLACK:
            self._expiries = [(each.order.expiry, known) for known, each in self._orders.items()]
            heapify(self._expiries)
        return resting

    def _reduce(self, book: Book, best: Resting, size: int) -> None:
        book.reduce(best.order_id, size)
        if best.remaining == 0:
            self._forget(best.order_id)

    def _forget_cancelled(self, action: Action, doing: _Doing) -> None:
        """Take what an accepted cancellation has killed out of the books; other actions leave them."""
        if not isinstance(action, Cancel | CancelAll):
            return
        request = action.request
        slot = request.slot if isinstance(request, CancelRequest) else None
        for order_id in list(self._by_account.get(request.account, ())):
            order = self._orders[order_id].order
            if slot in (None, order.slot) and order.nonce < request.nonce:
                resting = self._remove(order_id)
                book = self.book(order.market)
                doing.changes.append(self._describe(book, order.market, resting, CANCELLED))

    def _drop(self, order_id: bytes, code: int, doing: _Doing) -> None:
        market = self._orders[order_id].order.market
        resting = self._remove(order_id)
        doing.entries.append(OrderDropped(order_id, code))
        doing.changes.append(self._describe(self.book(market), market, resting, code))

    def _remove(self, order_id: bytes) -> Resting:
        resting = self.book(self._orders[order_id].order.market).remove(order_id)
        self._forget(order_id)
        return resting

    def _forget(self, order_id: bytes) -> None:
        account = self._orders.pop(order_id).order.account
        self.unknow(self._known.pop(order_id, {}))
        of_account = self._by_account[account]
        del of_account[order_id]
        if not of_account:
            del self._by_account[account]

    def _set_switch(self, entry: SwitchSet) -> None:
        self._switches[entry.account] = entry
        if entry.deadline:
            heappush(self._deadlines, (entry.deadline, entry.account))
        if len(self._deadlines) > 2 * len(self._switches) + HEAP_SLACK:
            self._deadlines = [
                (each.deadline, each.account) for each in self._switches.values() if each.deadline
            ]
            heapify(self._deadlines)

    @staticmethod
    def _describe(book: Book, market: int, order: Resting, code: int = 0) -> OrderChange:
        return OrderChange(
            order.order_id,
            order.account,
            market,
            order.is_buy,
            order.price,
            order.remaining,
            book.get_level(order.is_buy, order.price),
            code,
        )


def compute_reducible(state: State, order: Order) -> int | None:
    """The most that a reduce-only order may fill: the position that it closes; None for any other order."""
    if not order.reduce_only:
        return None
    held = get_position_size(state, order.account, order.market)
    return max(-held if order.is_buy else held, 0)


def _is_fault_of_maker(receipt: Receipt, maker: int, taker: int) -> bool:
    """Whether the maker's order is what made the law reject a trade, rather than the taker's or the market.

    The law settles the taker first, and a side ends with storing its account.
    """
    return account_key(taker) in receipt.reached and account_key(maker) not in receipt.reached

"""Matching on top of the law: orders and other actions in, journal entries out. Pure.

Whatever an action changes is in the entries that it returns: doing them again after a restart (`recovery.py`)
leads to the same head and the same books. Nothing here knows of clocks, disks or networks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from optimist.sequencer.builder import Builder, SealedBatch
from optimist.sequencer.entries import (
    Entry,
    InputAccepted,
    Opened,
    OrderDropped,
    OrderPlaced,
    Sealed,
    Snapshot,
    Voided,
)
from optimist.sequencer.matching import Book, Resting
from optimist.sequencer.views import account_key, find_cancellation, get_market, get_position_size
from optimist.stf.codes import Code
from optimist.stf.constants import FILL_OR_KILL, GOOD_TILL_CANCELLED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did. `refusal` is the law's code when (the rest of) it was not taken, else 0.

    `filled` and `resting` are sizes of an order. Empty `entries`: nothing changed, nothing to journal.
    """

    entries: tuple[Entry, ...]
    inputs: tuple[bytes, ...] = ()
    refusal: int = 0
    filled: int = 0
    resting: int = 0


class Engine:
    """The builder, and the books of resting orders."""

    def __init__(self, builder: Builder, domain: Domain) -> None:
        self.builder = builder
        self._domain = domain
        self._books: dict[int, Book] = {}
        self._orders: dict[bytes, SignedOrder] = {}

    def order_id(self, signed: SignedOrder) -> bytes:
        """An order's id: the digest that its owner signed, never the signature."""
        return signed.order.digest(self._domain)

    def is_resting(self, order_id: bytes) -> bool:
        """Whether an order waits in a book."""
        return order_id in self._orders

    def book(self, market: int) -> Book:
        """The book of a market."""
        return self._books.setdefault(market, Book())

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
        data, receipt = self.builder.apply(action, second)
        if receipt.rejected:
            return Outcome((), refusal=receipt.code)
        self._forget_cancelled(action)
        return Outcome((InputAccepted(data),), (data,))

    def place(self, signed: SignedOrder, second: int) -> Outcome:
        """Match an order at the resting orders' prices; what remains rests, unless it is immediate.

        A resting order that the law refuses leaves the book. When the law refuses the incoming one, the fills
        that it had stand and its rest is dropped. Raises ValueError when the order rests already.
        """
        order, order_id = signed.order, self.order_id(signed)
        if self.is_resting(order_id):
            raise ValueError(f"order 0x{order_id.hex()} rests already")
        entries: list[Entry] = []
        inputs: list[bytes] = []
        state = self.builder.head.state
        remaining, refusal = order.size, find_cancellation(state, order.account, order.slot, order.nonce)
        book = self.book(order.market)
        while remaining and not refusal and (best := book.best_against(order.is_buy, order.price)):
            size, refusal, fault = self._find_size(order, remaining, best)
            if not refusal and not fault:
                trade = Trade(size, best.price, self._orders[best.order_id], signed)
                data, receipt = self.builder.apply(trade, second)
                if not receipt.rejected:
                    self._reduce(book, best, size)
                    remaining -= size
                    entries.append(InputAccepted(data))
                    inputs.append(data)
                elif _is_fault_of_maker(receipt, best.account, order.account):
                    fault = receipt.code
                else:
                    refusal = receipt.code
            if fault:
                self._remove(book, best.order_id)
                entries.append(OrderDropped(best.order_id, fault))
        if not refusal and remaining and order.time_in_force == FILL_OR_KILL:
            refusal = Code.FILL_OR_KILL
        rests = remaining if not refusal and order.time_in_force == GOOD_TILL_CANCELLED else 0
        if rests:
            self._rest(order_id, signed, remaining)
            entries.append(OrderPlaced(order.market, remaining, signed.encode()))
        return Outcome(tuple(entries), tuple(inputs), refusal, order.size - remaining, rests)

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

    def resting(self) -> Iterator[OrderPlaced]:
        """Every resting order, as the entries that put it back into an empty book, in order of arrival."""
        waiting = [each for book in self._books.values() for each in book]
        for each in sorted(waiting, key=lambda order: order.arrival):
            signed = self._orders[each.order_id]
            yield OrderPlaced(signed.order.market, each.remaining, signed.encode())

    def restore_book(self, entry: Entry) -> None:
        """Do to the books again what a journal entry did; the builder is not touched."""
        match entry:
            case OrderPlaced():
                signed = decode_order(entry.order, entry.market)
                self._rest(self.order_id(signed), signed, entry.remaining)
            case OrderDropped():
                self._remove(self.book(self._orders[entry.order_id].order.market), entry.order_id)
            case InputAccepted():
                match decode(entry.data):
                    case Sequenced(action=Trade() as trade):
                        # Not there: sequenced again behind a VOIDED entry; its orders rest as it left them.
                        book = self.book(trade.market)
                        maker = book.by_id.get(self.order_id(trade.maker))
                        if maker is not None:
                            self._reduce(book, maker, trade.size)
                    case Sequenced(action=action):
                        self._forget_cancelled(action)
                    case _:
                        pass  # the sequencer writes no other input
            case Voided() | Snapshot():
                self._books.clear()
                self._orders.clear()
            case Opened() | Sealed():
                pass

    def _rest(self, order_id: bytes, signed: SignedOrder, remaining: int) -> None:
        order = signed.order
        self.book(order.market).rest(order_id, order.account, order.is_buy, order.price, remaining)
        self._orders[order_id] = signed

    def _reduce(self, book: Book, best: Resting, size: int) -> None:
        book.reduce(best.order_id, size)
        if best.remaining == 0:
            del self._orders[best.order_id]

    def _forget_cancelled(self, action: Action) -> None:
        """Take what an accepted cancellation has killed out of the books; other actions leave them."""
        if not isinstance(action, Cancel | CancelAll):
            return
        request = action.request
        slot = request.slot if isinstance(request, CancelRequest) else None
        dead = [
            (order_id, signed.order.market)
            for order_id, signed in self._orders.items()
            if signed.order.account == request.account
            and slot in (None, signed.order.slot)
            and signed.order.nonce < request.nonce
        ]
        for order_id, market in dead:
            self._remove(self.book(market), order_id)

    def _remove(self, book: Book, order_id: bytes) -> None:
        book.remove(order_id)
        del self._orders[order_id]


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

"""Matching on top of the law: orders and other actions in, journal entries out. Pure.

Whatever an action changes is in the entries that it returns: doing them again after a restart (`recovery.py`)
leads to the same head and the same books. Nothing here knows of clocks, disks or networks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from optimist.derive.actions import Liquidate, PriceUpdate, Sequenced, SignedOrder, Trade, Withdraw
from optimist.derive.decode import decode, decode_order
from optimist.derive.typed_data import Domain
from optimist.provable import Receipt
from optimist.sequencer.builder import Builder, SealedBatch
from optimist.sequencer.entries import Entry, InputAccepted, Opened, OrderDropped, OrderPlaced, Sealed, Voided
from optimist.sequencer.matching import Book, Resting
from optimist.sequencer.views import account_key
from optimist.stf.codes import Code

# What an order itself can be rejected for before it stores anything.
_TERMS: Final = frozenset(
    {
        Code.UNKNOWN_ACCOUNT,
        Code.LIMIT_PRICE,
        Code.FEE_ABOVE_MAX,
        Code.ORDER_EXPIRED,
        Code.ORDER_SLOT,
        Code.ORDER_NONCE,
        Code.ORDER_OVERFILLED,
    }
)


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
            head.batch + 1, max(first, head.last), head.queue_next, len(queue_items), head.accumulator
        )
        self.builder.open(entry.first, queue_items)
        return entry

    def seal(self) -> tuple[Sealed, SealedBatch]:
        """Close the open batch."""
        sealed = self.builder.seal()
        return Sealed(sealed.header.batch, sealed.header.last, sealed.batch.accumulator), sealed

    def act(self, action: PriceUpdate | Withdraw | Liquidate, second: int) -> Outcome:
        """Sequence anything but an order."""
        data, receipt = self.builder.apply(action, second)
        if receipt.rejected:
            return Outcome((), refusal=receipt.code)
        return Outcome((InputAccepted(data),), (data,))

    def place(self, signed: SignedOrder, second: int) -> Outcome:
        """Match an order at the resting orders' prices; what remains rests behind its price.

        A resting order that the law refuses leaves the book. When the law refuses the incoming one, the fills
        that it had stand and its rest is dropped. Raises ValueError when the order rests already.
        """
        order, order_id = signed.order, self.order_id(signed)
        if self.is_resting(order_id):
            raise ValueError(f"order 0x{order_id.hex()} rests already")
        entries: list[Entry] = []
        inputs: list[bytes] = []
        remaining, refusal = order.size, 0
        book = self.book(order.market)
        while remaining and not refusal and (best := book.best_against(order.is_buy, order.price)):
            size = min(remaining, best.remaining)
            trade = Trade(size, best.price, self._orders[best.order_id], signed)
            data, receipt = self.builder.apply(trade, second)
            if not receipt.rejected:
                self._reduce(book, best, size)
                remaining -= size
                entries.append(InputAccepted(data))
                inputs.append(data)
            elif _is_fault_of_maker(receipt, best.account):
                self._remove(book, best.order_id)
                entries.append(OrderDropped(best.order_id, receipt.code))
            else:
                refusal = receipt.code
        if not refusal and remaining:
            self._rest(order_id, signed, remaining)
            entries.append(OrderPlaced(order.market, remaining, signed.encode()))
        return Outcome(
            tuple(entries), tuple(inputs), refusal, order.size - remaining, 0 if refusal else remaining
        )

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
                        book = self.book(trade.market)
                        self._reduce(book, book.by_id[self.order_id(trade.maker)], trade.size)
                    case _:
                        pass  # only trades touch the book
            case Voided():
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

    def _remove(self, book: Book, order_id: bytes) -> None:
        book.remove(order_id)
        del self._orders[order_id]


def _is_fault_of_maker(receipt: Receipt, maker: int) -> bool:
    """Whether the maker's order is what made the law reject a trade, rather than the taker's or the market.

    The law settles the maker first: a side begins with the order's terms and ends with storing its account.
    What the market as a whole forbids is rejected before either side, when nothing was stored yet.
    """
    if not receipt.reached:
        return receipt.code in _TERMS
    return account_key(maker) not in receipt.reached

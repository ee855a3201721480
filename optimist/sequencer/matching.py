"""The order book in memory: price first, then time of arrival. Pure: orders in, fills out.

The law does not know the book. It checks every fill against both signed orders; here is decided only who
meets whom. A fill happens at the resting order's price.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

OrderId: TypeAlias = bytes


@dataclass(slots=True)
class Resting:
    """One order in the book. `price` in 1e-8 USD, `remaining` in the market's size units."""

    order_id: OrderId
    account: int
    is_buy: bool
    price: int
    remaining: int
    arrival: int

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts better orders first: the higher bid, the lower ask, and among equals the earlier."""
        return (-self.price if self.is_buy else self.price, self.arrival)


def _get_rank(order: Resting) -> tuple[int, int]:
    return order.rank


@dataclass(slots=True)
class Book:
    """The resting orders of one market. Never crossed: an order rests only after it has met all it can."""

    bids: list[Resting] = field(default_factory=list)
    asks: list[Resting] = field(default_factory=list)
    by_id: dict[OrderId, Resting] = field(default_factory=dict)
    arrivals: int = 0
    _levels: dict[tuple[bool, int], int] = field(default_factory=dict)

    def best_against(self, is_buy: bool, limit: int) -> Resting | None:
        """The resting order that an incoming one would meet first, None when its limit meets nobody."""
        side = self.asks if is_buy else self.bids
        if not side:
            return None
        best = side[0]
        meets = best.price <= limit if is_buy else best.price >= limit
        return best if meets else None

    def get_level(self, is_buy: bool, price: int) -> int:
        """What all orders of one side at one price have left together, in size units."""
        return self._levels.get((is_buy, price), 0)

    def rest(self, order_id: OrderId, account: int, is_buy: bool, price: int, remaining: int) -> Resting:
        """Put an order behind all others of its price. Raises ValueError when it is there already."""
        if order_id in self.by_id:
            raise ValueError(f"order {order_id.hex()} rests already")
        order = Resting(order_id, account, is_buy, price, remaining, self.arrivals)
        self.arrivals += 1
        insort(self.bids if is_buy else self.asks, order, key=_get_rank)
        self.by_id[order_id] = order
        self._add_to_level(order, remaining)
        return order

    def reduce(self, order_id: OrderId, size: int) -> None:
        """Take a fill off a resting order; it leaves the book when nothing remains. KeyError if absent."""
        order = self.by_id[order_id]
        if size > order.remaining:
            raise ValueError(f"fill of {size} exceeds the remaining {order.remaining}")
        order.remaining -= size
        self._add_to_level(order, -size)
        if order.remaining == 0:
            self.remove(order_id)

    def remove(self, order_id: OrderId) -> Resting:
        """Take an order out of the book. KeyError if absent."""
        order = self.by_id.pop(order_id)
        side = self.bids if order.is_buy else self.asks
        del side[bisect_left(side, order.rank, key=_get_rank)]
        self._add_to_level(order, -order.remaining)
        return order

    def __iter__(self) -> Iterator[Resting]:
        """Bids then asks, best first."""
        yield from self.bids
        yield from self.asks

    def _add_to_level(self, order: Resting, size: int) -> None:
        level = (order.is_buy, order.price)
        left = self._levels.get(level, 0) + size
        if left:
            self._levels[level] = left
        else:
            self._levels.pop(level, None)

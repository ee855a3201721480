"""Interval arithmetic over Python integers: the smallest interval that covers every result, or one
slightly larger.

Results may be wider than a machine word; whoever asked for them refuses those. Each function is exact at
the ends unless its docstring says otherwise, and always sound. Divisors never count 0: a division by it
rejects the input.
"""

from collections.abc import Callable, Iterable
from itertools import product
from typing import Final, NamedTuple

from optimist.provable.widths import WORD_MAX

SHIFT_MAX: Final = 255


class Interval(NamedTuple):
    """The integers from `low` to `high`, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{show_integer(self.low)}..{show_integer(self.high)}"

    @property
    def fits_word(self) -> bool:
        """Whether no value is further from zero than 2**255 - 1."""
        return self.low >= -WORD_MAX and self.high <= WORD_MAX

    def within(self, low: int, high: int) -> bool:
        """Whether every value lies between `low` and `high`."""
        return low <= self.low and self.high <= high


BOOLEAN: Final = Interval(0, 1)


def show_integer(value: int) -> str:
    """A short decimal, or a power of two where the decimal would be long."""
    if abs(value) < 10**7:
        return str(value)
    for distance in (0, -1, 1):
        power = abs(value) - distance
        if power & (power - 1) == 0:
            sign = "-" if value < 0 else ""
            text = f"2**{power.bit_length() - 1}"
            return f"{sign}({text} {'-' if distance < 0 else '+'} 1)" if distance else f"{sign}{text}"
    return str(value) if abs(value) < 10**20 else f"about {'-' if value < 0 else ''}2**{value.bit_length()}"


def hull(intervals: Iterable[Interval]) -> Interval:
    """The smallest interval that covers all of them."""
    lows, highs = zip(*intervals, strict=True)
    return Interval(min(lows), max(highs))


def intersect(a: Interval, b: Interval) -> Interval | None:
    """What both have in common; None when that is nothing."""
    low, high = max(a.low, b.low), min(a.high, b.high)
    return Interval(low, high) if low <= high else None


def add(a: Interval, b: Interval) -> Interval:
    """Cover of a + b."""
    return Interval(a.low + b.low, a.high + b.high)


def subtract(a: Interval, b: Interval) -> Interval:
    """Cover of a - b."""
    return Interval(a.low - b.high, a.high - b.low)


def negate(a: Interval) -> Interval:
    """Cover of -a."""
    return Interval(-a.high, -a.low)


def multiply(a: Interval, b: Interval) -> Interval:
    """Cover of a * b."""
    return _corners(lambda x, y: x * y, a, (b,))


def divide_floor(a: Interval, b: Interval) -> Interval | None:
    """A // b for b != 0; None when b can only be 0."""
    parts = _without_zero(b)
    return _corners(lambda x, y: x // y, a, parts) if parts else None


def divide_ceil(a: Interval, b: Interval) -> Interval | None:
    """Cover of -(-a // b) for b != 0; None when b can only be 0."""
    parts = _without_zero(b)
    return _corners(lambda x, y: -(-x // y), a, parts) if parts else None


def modulo(a: Interval, b: Interval) -> Interval | None:
    """A % b (sign of b) for b != 0; None when b can only be 0. Not always exact."""
    parts = _without_zero(b)
    if not parts:
        return None
    return hull([_modulo_one_sign(a, part) for part in parts])


def _modulo_one_sign(a: Interval, b: Interval) -> Interval:
    if b.low > 0:
        if a.within(0, b.low - 1):
            return a
        return Interval(0, b.high - 1 if a.low < 0 else min(a.high, b.high - 1))
    if a.within(b.high + 1, 0):
        return a
    return Interval(b.low + 1 if a.high > 0 else max(a.low, b.low + 1), 0)


def bit_and(a: Interval, b: Interval) -> Interval:
    """A & b. Not always exact."""
    if a.low >= 0 and b.low >= 0:
        return Interval(0, min(a.high, b.high))
    if a.low >= 0:
        return Interval(0, a.high)
    if b.low >= 0:
        return Interval(0, b.high)
    return _bit_cover(a, b)


def bit_or(a: Interval, b: Interval) -> Interval:
    """A | b. Not always exact."""
    cover = _bit_cover(a, b)
    return Interval(max(a.low, b.low), cover.high) if a.low >= 0 and b.low >= 0 else cover


def bit_xor(a: Interval, b: Interval) -> Interval:
    """A ^ b. Not always exact."""
    return _bit_cover(a, b)


def _bit_cover(a: Interval, b: Interval) -> Interval:
    bits = max((end if end >= 0 else ~end).bit_length() for end in (*a, *b))
    low = -(1 << bits) if a.low < 0 or b.low < 0 else 0
    return Interval(low, (1 << bits) - 1)


def shift_left(a: Interval, b: Interval) -> Interval:
    """Cover of a << b for b in 0..255."""
    return _corners(lambda x, y: x << y, a, (b,))


def shift_right(a: Interval, b: Interval) -> Interval:
    """Cover of a >> b, floor, for b >= 0."""
    capped = Interval(min(b.low, SHIFT_MAX + 1), min(b.high, SHIFT_MAX + 1))
    return _corners(lambda x, y: x >> y, a, (capped,))


def minimum(a: Interval, b: Interval) -> Interval:
    """Cover of min(a, b)."""
    return Interval(min(a.low, b.low), min(a.high, b.high))


def maximum(a: Interval, b: Interval) -> Interval:
    """Cover of max(a, b)."""
    return Interval(max(a.low, b.low), max(a.high, b.high))


def absolute(a: Interval) -> Interval:
    """Cover of abs(a)."""
    if a.low >= 0:
        return a
    return negate(a) if a.high <= 0 else Interval(0, max(-a.low, a.high))


def bit_length(a: Interval) -> Interval:
    """Cover of a.bit_length()."""
    size = absolute(a)
    return Interval(size.low.bit_length(), size.high.bit_length())


def _without_zero(b: Interval) -> tuple[Interval, ...]:
    negative = intersect(b, Interval(b.low, -1)) if b.low < 0 else None
    positive = intersect(b, Interval(1, b.high)) if b.high > 0 else None
    return tuple(part for part in (negative, positive) if part is not None)


def _corners(operate: Callable[[int, int], int], a: Interval, parts: Iterable[Interval]) -> Interval:
    """For an operation monotone in each operand, given that the second keeps its sign: extremes sit in
    corners.
    """
    results = [operate(x, y) for part in parts for x, y in product(a, part)]
    return Interval(min(results), max(results))

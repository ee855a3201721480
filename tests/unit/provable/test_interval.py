"""Interval arithmetic covers every result, and no more where its docstring says so: tried exhaustively."""

import operator
from collections.abc import Callable
from itertools import product

import pytest

from optimist.provable.check import interval as iv
from optimist.provable.check.interval import Interval

ENDS = (-6, -4, -1, 0, 1, 3, 5, 8)
INTERVALS = [Interval(low, high) for low, high in product(ENDS, ENDS) if low <= high]
Measure = Callable[[Interval, Interval], Interval | None]
Operate = Callable[[int, int], int]

EXACT: list[tuple[Measure, Operate]] = [
    (iv.add, operator.add),
    (iv.subtract, operator.sub),
    (iv.multiply, operator.mul),
    (iv.divide_floor, operator.floordiv),
    (iv.divide_ceil, lambda a, b: -(-a // b)),
    (iv.minimum, min),
    (iv.maximum, max),
]
COVERING: list[tuple[Measure, Operate]] = [
    (iv.modulo, operator.mod),
    (iv.bit_and, operator.and_),
    (iv.bit_or, operator.or_),
    (iv.bit_xor, operator.xor),
]
DIVIDING = (iv.divide_floor, iv.divide_ceil, iv.modulo)


def _results(operate: Operate, a: Interval, b: Interval, *, without_zero: bool) -> list[int]:
    seconds = [y for y in range(b.low, b.high + 1) if y or not without_zero]
    return [operate(x, y) for x in range(a.low, a.high + 1) for y in seconds]


@pytest.mark.parametrize(("measure", "operate"), EXACT, ids=lambda value: getattr(value, "__name__", "_"))
def test_the_smallest_cover_is_found(measure: Measure, operate: Operate) -> None:
    for a, b in product(INTERVALS, INTERVALS):
        results = _results(operate, a, b, without_zero=measure in DIVIDING)
        expected = Interval(min(results), max(results)) if results else None
        assert measure(a, b) == expected, (a, b)


@pytest.mark.parametrize(("measure", "operate"), COVERING, ids=lambda value: getattr(value, "__name__", "_"))
def test_every_result_is_covered(measure: Measure, operate: Operate) -> None:
    for a, b in product(INTERVALS, INTERVALS):
        results = _results(operate, a, b, without_zero=measure in DIVIDING)
        found = measure(a, b)
        assert (found is None) == (not results)
        assert found is None or found.low <= min(results) <= max(results) <= found.high, (a, b)


def test_shifts_are_exact_for_counts_that_are_allowed() -> None:
    counts = [Interval(low, high) for low, high in product(range(5), range(5)) if low <= high]
    for a, b in product(INTERVALS, counts):
        left = _results(operator.lshift, a, b, without_zero=False)
        right = _results(operator.rshift, a, b, without_zero=False)
        assert iv.shift_left(a, b) == Interval(min(left), max(left))
        assert iv.shift_right(a, b) == Interval(min(right), max(right))


def test_a_shift_to_the_right_by_an_enormous_count_is_measured_at_once() -> None:
    assert iv.shift_right(Interval(-5, 9), Interval(0, 10**30)) == Interval(-5, 9)
    assert iv.shift_right(Interval(-5, 9), Interval(10**30, 10**31)) == Interval(-1, 0)


def test_unary_operations_are_exact() -> None:
    for a in INTERVALS:
        values = range(a.low, a.high + 1)
        assert iv.negate(a) == Interval(min(-x for x in values), max(-x for x in values))
        assert iv.absolute(a) == Interval(min(map(abs, values)), max(map(abs, values)))
        lengths = [x.bit_length() for x in values]
        assert iv.bit_length(a) == Interval(min(lengths), max(lengths))


def test_hull_and_intersection() -> None:
    assert iv.hull((Interval(1, 2), Interval(-5, -3))) == Interval(-5, 2)
    assert iv.intersect(Interval(1, 5), Interval(4, 9)) == Interval(4, 5)
    assert iv.intersect(Interval(1, 3), Interval(4, 9)) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-9_999_999, "-9999999"),
        (1 << 64, "2**64"),
        (-(1 << 64), "-2**64"),
        ((1 << 64) - 1, "(2**64 - 1)"),
        (1 - (1 << 64), "-(2**64 - 1)"),
        ((1 << 64) + 1, "(2**64 + 1)"),
        (10**18, "1000000000000000000"),
        (10**30, "about 2**100"),
    ],
)
def test_messages_show_large_bounds_briefly(value: int, text: str) -> None:
    assert iv.show_integer(value) == text

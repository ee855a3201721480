"""Value, requirements, roundings, and the rule for accounts below their initial margin."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.stf.constants import ONE
from optimist.stf.freshness import is_price_fresh
from optimist.stf.margin import (
    Margin,
    compute_fraction,
    compute_notional,
    compute_value,
    is_allowed,
    is_reduced,
)
from tests.support.world import confirmed_price

sizes = st.integers(-(2**61 - 1), 2**61 - 1)
prices = st.integers(1, 2**60 - 1)
divisors = st.integers(0, 10).map(lambda decimals: 10 ** (decimals + 2))


@pytest.mark.parametrize(
    ("size", "price", "divisor", "value", "notional"),
    [
        (10**7, 50_000 * 10**8, 10**10, 5_000 * 10**6, 5_000 * 10**6),  # 0.1 BTC at 50,000 USD
        (-(10**7), 50_000 * 10**8, 10**10, -5_000 * 10**6, 5_000 * 10**6),
        (1, 1, 10**10, 0, 1),  # a long is worth the floor, its requirement rests on the ceiling
        (-1, 1, 10**10, -1, 1),  # a short owes the ceiling
        (0, 7, 100, 0, 0),
    ],
)
def test_value_and_notional_by_hand(size: int, price: int, divisor: int, value: int, notional: int) -> None:
    assert compute_value(size * ONE, price, divisor) == value
    assert compute_notional(size * ONE, price, divisor) == notional


@given(sizes, prices, divisors)
def test_rounding_is_against_the_account_and_below_one_unit(size: int, price: int, divisor: int) -> None:
    exact = Fraction(size * price, divisor)
    assert 0 <= exact - compute_value(size * ONE, price, divisor) < 1
    assert 0 <= compute_notional(size * ONE, price, divisor) - abs(exact) < 1


@given(st.integers(0, 2**106), st.integers(0, 10**6))
def test_requirement_rounds_up(notional: int, ppm: int) -> None:
    assert 0 <= compute_fraction(notional, ppm) - Fraction(notional * ppm, 10**6) < 1


@given(sizes, sizes, prices, divisors)
def test_splitting_a_position_never_raises_its_value(a: int, b: int, price: int, divisor: int) -> None:
    together = compute_value((a + b) * ONE, price, divisor)
    assert compute_value(a * ONE, price, divisor) + compute_value(b * ONE, price, divisor) <= together


def margin(value: int, maintenance: int, initial: int) -> Margin:
    return Margin(value=value, maintenance=maintenance, initial=initial)


@pytest.mark.parametrize(
    ("before", "after", "sizes", "allowed"),
    [
        ((10, 5, 9), (9, 5, 9), (1, 2), True),  # at its initial margin exactly: safe, whatever was done
        ((10, 5, 9), (8, 5, 9), (1, 2), False),  # below it by growing
        ((8, 6, 10), (7, 5, 9), (3, 2), True),  # below it, but 7/5 > 8/6
        ((8, 6, 10), (6, 5, 9), (3, 2), False),  # 6/5 < 8/6
        ((6, 6, 10), (5, 5, 9), (3, 2), True),  # equal ratio is enough
        ((8, 6, 10), (7, 5, 9), (3, -2), False),  # flipped
        ((8, 6, 10), (8, 6, 10), (3, 3), False),  # not strictly smaller
        ((-6, 6, 10), (-5, 5, 9), (3, 2), True),  # bankrupt, and closing at the zero price
        ((-6, 6, 10), (-6, 5, 9), (3, 2), False),  # bankrupt, and closing at the last price: -6/5 < -1
        ((-6, 6, 10), (-1, 0, 0), (3, 0), False),  # closing everything while still owing
        ((-6, 6, 10), (0, 0, 0), (3, 0), True),
        ((8, 6, 10), (7, 5, 9), (-3, -2), True),
        ((8, 6, 10), (7, 5, 9), (-3, 0), True),
    ],
)
def test_account_below_initial_margin_may_only_improve(
    before: tuple[int, int, int], after: tuple[int, int, int], sizes: tuple[int, int], allowed: bool
) -> None:
    assert is_allowed(margin(*before), margin(*after), *sizes) is allowed


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_reduced_means_smaller_and_not_flipped(before: int, after: int) -> None:
    assert is_reduced(before, after) == (abs(after) < abs(before) and before * after >= 0)


@pytest.mark.parametrize(
    ("price", "publish_time", "now", "fresh"),
    [
        (1, 100, 110, True),  # exactly as old as the heartbeat
        (1, 100, 111, False),
        (1, 120, 111, True),  # from the future: age 0
        (0, 100, 100, False),  # absent
        (0, 0, 5, False),  # absent, at a clock younger than the heartbeat
    ],
)
def test_freshness(price: int, publish_time: int, now: int, fresh: bool) -> None:
    assert is_price_fresh(confirmed_price(price, publish_time), now, 10) is fresh

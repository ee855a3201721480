"""Open interest: what it is, how it is capped, what it asks."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.actions import Tier
from optimist.stf.codes import Code
from optimist.stf.open_interest import raise_fraction
from tests.support.world import FREE, OK, USD, World

BTC_1 = 10**8
PPM = 10**6


def open_world(traders: int = 4, **changes: Any) -> World:
    """A market without fees at 50,000; traders with 1,000,000 USD each."""
    world = World(markets=(replace(FREE, **changes),))
    for account in range(traders + 1):
        world.deposit(account, 1_000_000)
    world.price(0, 50_000)
    return world


def interest(world: World) -> int:
    side = world.side(0, False)
    return side.shares * side.multiplier >> 48


def test_open_interest_is_the_sum_of_all_longs() -> None:
    """New against new raises it, new against old leaves it, old against old lowers it."""
    world = open_world()
    steps = [(1, 2, 3, 3), (3, 1, 2, 3), (2, 4, 1, 3), (2, 3, 2, 1), (4, 1, 2, 1)]
    for buyer, seller, size, expected in steps:
        assert world.trade(buyer, seller, size * BTC_1, 50_000) == OK
        assert interest(world) == world.open_interest(0) == expected * BTC_1
        world.check()


def test_flip_counts_only_what_is_long() -> None:
    world = open_world()
    world.trade(1, 2, BTC_1, 50_000)
    world.trade(3, 1, 3 * BTC_1, 50_000)  # 1 was long 1, is short 2
    assert interest(world) == 3 * BTC_1


def test_liquidation_does_not_raise_open_interest() -> None:
    world = open_world()
    world.deposit(5, 3_000)
    world.trade(5, 2, BTC_1, 50_000)
    world.second += 1
    world.price(0, 48_000)
    assert world.liquidate(5) == OK
    assert interest(world) == BTC_1
    world.check()


def test_fill_beyond_the_cap_is_rejected() -> None:
    world = open_world(max_open_interest=2 * BTC_1)
    assert world.trade(1, 2, 2 * BTC_1, 50_000) == OK
    assert world.trade(3, 4, 1_000, 50_000) == Code.OPEN_INTEREST_BOUND
    assert world.trade(1, 4, 1_000, 50_000) == Code.OPEN_INTEREST_BOUND
    assert interest(world) == 2 * BTC_1


def test_fill_at_the_cap_that_does_not_raise_open_interest_is_accepted() -> None:
    world = open_world(max_open_interest=2 * BTC_1)
    world.trade(1, 2, 2 * BTC_1, 50_000)
    assert world.trade(3, 1, BTC_1, 50_000) == OK  # handed on
    assert world.trade(2, 3, BTC_1, 50_000) == OK  # closed
    assert world.trade(4, 2, BTC_1, 50_000) == OK  # room again
    assert interest(world) == 2 * BTC_1


def test_above_a_cap_that_was_lowered_positions_may_still_shrink() -> None:
    world = open_world()
    world.trade(1, 2, 2 * BTC_1, 50_000)
    rule = world.risk_rule(0)
    rule.max_open_interest = BTC_1
    world.put(0, rule)
    assert world.trade(3, 1, BTC_1, 50_000) == OK
    assert world.trade(3, 2, 1_000, 50_000) == Code.OPEN_INTEREST_BOUND
    assert world.trade(2, 3, BTC_1 // 2, 50_000) == OK


# ----------------------------------------------------------------------------------------------------- margin


@pytest.mark.parametrize(
    ("open_btc", "fraction"),
    [(1, Fraction(5, 100)), (2, Fraction(5, 100)), (4, Fraction(525, 1000)), (6, 1), (8, 1)],
)
def test_initial_margin_rises_with_open_interest(open_btc: int, fraction: Fraction) -> None:
    """From 100,000 USD (2 BTC) to 300,000 (6 BTC); what counts is what was open before the fill."""
    needed = 50_000 * fraction
    for usd, code in ((needed, OK), (needed - 1, Code.BELOW_INITIAL_MARGIN)):
        world = open_world(open_interest_lower=100_000 * USD, open_interest_upper=300_000 * USD)
        world.trade(1, 2, open_btc * BTC_1, 50_000)
        world.deposit(5, usd)
        assert world.trade(5, 2, BTC_1, 50_000, maker_buys=False) == code


def test_both_sides_are_judged_by_the_open_interest_before_the_fill() -> None:
    """Whoever is called maker."""
    for maker_buys in (True, False):
        world = open_world(open_interest_upper=100_000 * USD)
        world.deposit(5, 2_500)
        world.deposit(6, 2_500)
        assert world.trade(5, 6, BTC_1, 50_000, maker_buys=maker_buys) == OK


def test_a_crowd_liquidates_nobody() -> None:
    """Only initial margin rises."""
    world = open_world(open_interest_upper=100_000 * USD)
    world.deposit(5, 2_500)
    world.trade(5, 2, BTC_1, 50_000)
    before = world.health(5)
    world.trade(1, 2, 4 * BTC_1, 50_000)
    after = world.health(5)
    assert after[:2] == before[:2]
    assert after[2] == 50_000 * USD > before[2]
    assert world.liquidate(5) == Code.NOT_LIQUIDATABLE


def test_every_tier_rises() -> None:
    """Half way: 5 % becomes 52.5 %, 20 % becomes 60 %."""
    world = open_world(open_interest_upper=100_000 * USD, tiers=(Tier(10_000 * USD, 200_000, 30_000),))
    world.trade(1, 2, BTC_1, 50_000)
    assert world.health(1)[2] == (5_250 + 24_000) * USD
    free = 1_000_000 * USD - 29_250 * USD
    assert world.withdraw(1, free + 1) == Code.BELOW_INITIAL_MARGIN
    assert world.withdraw(1, free) == OK


@given(st.integers(0, PPM), st.integers(0, PPM))
def test_raised_fraction_lies_between_the_fraction_and_all(fraction: int, share: int) -> None:
    raised = raise_fraction(fraction, share)
    assert fraction <= raised <= PPM
    assert 0 <= raised - (fraction + Fraction((PPM - fraction) * share, PPM)) < 1


@given(st.integers(0, PPM), st.integers(0, PPM), st.integers(0, PPM))
def test_raised_fractions_keep_their_order(one: int, two: int, share: int) -> None:
    """So the brackets stay convex in a crowded market."""
    low, high = sorted((one, two))
    assert raise_fraction(low, share) <= raise_fraction(high, share)

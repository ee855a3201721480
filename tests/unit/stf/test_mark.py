"""The mark price: a median of three witnesses, found at confirmed rounds, used for every valuation."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.stf.codes import Code
from optimist.stf.constants import MAX_PRICE, PERPETUAL_FEED
from optimist.stf.mark import compute_mark
from tests.support.world import FREE, OK, PRICE, USD, World

BILLION = 10**9
UNIT = 10**8
LOUD = replace(FREE, gap_seconds=10**6, max_premium=10**9, smoothing_seconds=60, mark_cap_ppm=50_000)


class Venue:
    """Market 0 at an index of 100 USD; account 1 is long 10, account 2 short; 3 and 4 make the fills."""

    def __init__(self, **changes: Any) -> None:
        self.world = World(markets=(replace(LOUD, **changes),), trade_heartbeat=10**6)
        for account, usd in ((0, 10**6), (1, 1_000), (2, 1_000), (3, 10**6), (4, 10**6)):
            self.world.deposit(account, usd)
        self.tick()
        assert self.world.trade(1, 2, 10 * UNIT, 100) == OK

    def tick(self, usd: int | Fraction = 100, seconds: int = 1) -> None:
        self.world.second += seconds
        assert self.world.price(0, usd) == OK

    def trade_at(self, usd: int | Fraction) -> None:
        """A fill, and time enough for the average to reach it."""
        assert self.world.trade(3, 4, 10**6, usd) == OK
        self.world.second += 60

    def say_elsewhere(self, usd: int | Fraction) -> None:
        assert self.world.price(PERPETUAL_FEED, usd) == OK

    @property
    def mark(self) -> Fraction:
        return Fraction(self.world.stored_price(0).mark, PRICE)


@pytest.mark.parametrize(
    ("here", "elsewhere", "mark"),
    [
        (100, 100, 100),
        (103, 102, 102),  # both above: the nearer one
        (102, 103, 102),
        (97, 98, 98),
        (97, 103, 100),  # on different sides: the index
        (103, 97, 100),
        (103, 100, 100),  # fills alone
        (100, 103, 100),  # the other feed alone
        (109, 108, 105),  # the cap
        (91, 92, 95),
    ],
)
def test_mark_is_the_median_of_three_within_the_cap(here: int, elsewhere: int, mark: int) -> None:
    venue = Venue()
    venue.trade_at(here)
    venue.say_elsewhere(elsewhere)
    venue.tick()
    assert venue.mark == mark


def test_without_a_second_witness_the_mark_is_the_index() -> None:
    venue = Venue()
    venue.trade_at(103)
    venue.tick(101)
    assert venue.mark == 101


def test_a_witness_that_has_gone_silent_does_not_count() -> None:
    venue = Venue()
    venue.trade_at(103)
    venue.say_elsewhere(103)
    venue.tick(seconds=30)
    assert venue.mark == 103
    venue.tick(seconds=1)
    assert venue.mark == 100


def test_a_witness_whose_price_is_not_confirmed_does_not_count() -> None:
    venue = Venue(step_ppm=10_000)
    venue.trade_at(103)
    venue.say_elsewhere(100)
    venue.world.second += 1
    venue.say_elsewhere(103)
    venue.tick()
    assert venue.mark == 100


def test_one_wild_fill_hardly_moves_the_mark() -> None:
    """A sixtieth of its premium after a second."""
    venue = Venue()
    venue.say_elsewhere(103)
    venue.world.trade(3, 4, 10**6, 103)
    venue.tick(seconds=1)
    assert venue.mark == Fraction(10005, 100)


def test_a_fill_moves_no_mark_before_the_next_round() -> None:
    venue = Venue()
    venue.say_elsewhere(103)
    venue.trade_at(103)
    assert venue.mark == 100


def test_an_unconfirmed_round_leaves_the_mark() -> None:
    venue = Venue(step_ppm=10_000)
    venue.tick(150)
    assert venue.world.stored_price(0).status != 0
    assert venue.mark == 100


def test_value_liquidation_and_withdrawal_all_rest_on_the_mark() -> None:
    """The long is worth 2 USD a unit more, the short as much less; the index has not moved."""
    venue = Venue()
    venue.trade_at(102)
    venue.say_elsewhere(102)
    venue.tick()
    world = venue.world
    assert [world.health(account)[0] for account in (1, 2)] == [1_020 * USD, 980 * USD]
    assert world.health(2)[1] == Fraction(3, 100) * 1_020 * USD
    free = 1_020 * USD - 51 * USD
    assert world.withdraw(1, free + 1) == Code.BELOW_INITIAL_MARGIN
    assert world.withdraw(1, free) == OK
    assert world.withdraw(2, 980 * USD - 51 * USD) == OK
    assert world.liquidate(2) == Code.NOT_LIQUIDATABLE
    venue.trade_at(105)
    venue.say_elsewhere(105)
    venue.tick()
    insurance = world.fund
    assert world.liquidate(2) == OK
    assert world.positions(2)[0] > -10 * UNIT
    assert world.fund > insurance
    closed = 10 * UNIT + world.positions(2)[0]
    assert world.account(0).collateral == 10**6 * USD + closed * 105 * PRICE // 10**10
    world.check()


@given(st.integers(1, MAX_PRICE), st.integers(-BILLION, BILLION), st.integers(0, 10**6))
def test_mark_stays_within_its_cap(index: int, premium: int, cap: int) -> None:
    mark = compute_mark(index, premium, cap)
    assert 1 <= mark <= MAX_PRICE
    exact = index * (1 + max(min(Fraction(premium, BILLION), Fraction(cap, 10**6)), Fraction(-cap, 10**6)))
    assert mark == max(min(exact // 1, MAX_PRICE), 1)

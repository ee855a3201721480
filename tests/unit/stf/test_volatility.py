"""The volatility floor: realised, weighted by seconds; rises at once, falls slowly, liquidates nobody."""

from dataclasses import replace
from fractions import Fraction
from math import exp, isqrt, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.stf.codes import Code
from optimist.stf.records import Volatility
from optimist.stf.volatility import compute_average, compute_floor, compute_root
from tests.support.world import FREE, OK, USD, World

HOUR = 3_600
DAY = 86_400
# Three sigma over eight hours.
WILD = replace(FREE, gap_seconds=10**6, volatility_multiplier_ppm=3_000_000)


class Venue:
    """Market 0 at 100 USD; rounds as a test wants them."""

    def __init__(self, **changes: int) -> None:
        market = replace(WILD, **changes)  # type: ignore[arg-type]  # fields that are integers
        self.world = World(markets=(market,), trade_heartbeat=10**6, liquidation_heartbeat=10**6)
        for account, usd in ((0, 10**6), (1, 1_000), (2, 10**6)):
            self.world.deposit(account, usd)
        assert self.world.price(0, 100) == OK

    def tick(self, usd: int | Fraction, seconds: int = 60) -> int:
        """A round; the floor after it, in ppm."""
        self.world.second += seconds
        assert self.world.price(0, usd) == OK
        return self.floor

    @property
    def floor(self) -> int:
        return self.world.record(Volatility, 0).floor_ppm


# ---------------------------------------------------------------------------------------------------- figures


@given(st.integers(0, 2**96 - 1))
def test_root_is_the_least_that_is_not_below(square: int) -> None:
    assert compute_root(square) == (isqrt(square - 1) + 1 if square else 0)


@given(st.integers(0, 2**48), st.integers(-2, 2))
def test_root_near_perfect_squares(root: int, away: int) -> None:
    square = min(max(root * root + away, 0), 2**96 - 1)
    assert compute_root(square) == (isqrt(square - 1) + 1 if square else 0)


def test_usual_volatility_asks_the_usual_margin() -> None:
    """60 % a year is 1.81 % over eight hours: three times that is 5.44 %."""
    variance = int(0.6**2 / (365 * DAY) * 10**18)
    assert compute_floor(variance, 8 * HOUR, 3_000_000) == pytest.approx(
        3 * 0.6 * sqrt(8 / 24 / 365) * 10**6, abs=1
    )


@given(st.integers(0, 10**18), st.integers(1, 2**32 - 1), st.integers(0, 10**18), st.integers(0, 2**40 - 1))
def test_average_rounds_up_within_its_bounds(variance: int, window: int, squared: int, seconds: int) -> None:
    exact = Fraction(variance * window + squared, window + seconds)
    assert 0 <= compute_average(variance, window, squared, seconds) - min(exact, Fraction(10**18)) < 1


# ---------------------------------------------------------------------------------------------------- rounds


def test_one_jump_raises_the_floor_at_once() -> None:
    """10 % within a minute, spread over a day: 10 % * sqrt(8 h / 1 day) * 3 = 17.3 %."""
    venue = Venue()
    assert venue.floor == 0
    assert venue.tick(110) == pytest.approx(3 * 0.1 * sqrt(8 * HOUR / (DAY + 60)) * 10**6, abs=1)


def test_floor_falls_no_faster_than_it_is_forgotten() -> None:
    """Prices that stand still: half the window later it is still above exp(-1/4) of what it was."""
    venue = Venue()
    first = venue.tick(110)
    floors = [venue.tick(110) for _ in range(DAY // 2 // 60)]
    assert floors == sorted(floors, reverse=True)
    assert floors[-1] >= first * exp(-1 / 4)
    assert floors[-1] < first * 0.9


def test_a_wick_that_came_back_is_remembered() -> None:
    """Within one sample: the second round finds the price where it was, but the floor stays."""
    venue = Venue()
    risen = venue.tick(110, seconds=1)
    assert venue.tick(100, seconds=1) >= risen * 0.999


def test_a_crash_in_small_steps_counts_as_one() -> None:
    """10 % down in sixty rounds of a second are worth what one round after a minute is."""
    at_once, in_steps = Venue(), Venue()
    at_once.tick(90, seconds=60)
    for step in range(1, 61):
        in_steps.tick(100 - Fraction(step, 6), seconds=1)
    assert in_steps.floor == at_once.floor


def test_rounds_in_between_change_nothing() -> None:
    """An oracle that publishes often, at any price that was not higher or lower than the end."""
    rare, often = Venue(), Venue()
    for minute in range(1, 30):
        usd = 100 + minute % 3
        rare.tick(usd, seconds=60)
        for _ in range(59):
            often.tick(often.world.stored_price(0).price // 10**8, seconds=1)
        often.tick(usd, seconds=1)
    sampled = [venue.world.record(Volatility, 0) for venue in (rare, often)]
    assert sampled[0].variance == sampled[1].variance
    assert abs(rare.floor - often.floor) <= rare.floor // 1_000


def test_a_silence_is_weighted_by_its_seconds() -> None:
    """The same move after an hour, or after a day, is a smaller variance a second."""
    floors = []
    for seconds in (60, HOUR, DAY):
        venue = Venue()
        floors.append(venue.tick(110, seconds=seconds))
    assert floors == sorted(floors, reverse=True)
    assert floors[2] == pytest.approx(floors[0] / sqrt(2), rel=1e-3)


def test_a_silence_does_not_wipe_out_what_was_known() -> None:
    """Whoever stays silent for a whole window halves the variance, no more."""
    venue = Venue()
    first = venue.tick(110)
    assert venue.tick(110, seconds=DAY) == pytest.approx(first / sqrt(2), rel=1e-3)


def test_unconfirmed_rounds_do_not_count() -> None:
    venue = Venue(step_ppm=50_000)
    assert venue.tick(150) == 0
    assert venue.tick(100) == 0


def test_floor_stops_at_the_whole() -> None:
    venue = Venue(volatility_multiplier_ppm=2**32 - 1, volatility_horizon=2**32 - 1)
    assert venue.tick(200) == 10**6


def test_without_a_multiplier_nothing_is_kept() -> None:
    venue = Venue(volatility_multiplier_ppm=0)
    assert venue.tick(150) == 0
    assert venue.world.all_records(Volatility) == {}


# ---------------------------------------------------------------------------------------------------- margin


def test_new_positions_need_the_floor() -> None:
    """After a jump of 10 %: 17.3 % instead of 5."""
    venue = Venue()
    venue.tick(110)
    floor = venue.floor
    assert floor > 170_000
    needed = -(-110 * USD * floor // 10**6)
    for collateral, code in ((needed - 1, Code.BELOW_INITIAL_MARGIN), (needed, OK)):
        venue.world.put_collateral(1, collateral)
        assert venue.world.trade(1, 2, 10**8, 110) == code


def test_volatility_liquidates_nobody() -> None:
    """Long 10 at 100 with 60 USD: a jump up makes it richer and asks far more, but only of what is new."""
    venue = Venue()
    world = venue.world
    world.deposit(3, 60)
    assert world.trade(3, 2, 10**9, 100) == OK
    venue.tick(110)
    value, maintenance, initial = world.health(3)
    assert maintenance < value < initial
    assert world.liquidate(3) == Code.NOT_LIQUIDATABLE
    assert world.withdraw(3, 1) == Code.BELOW_INITIAL_MARGIN
    assert world.trade(2, 3, 10**8, 110) == OK, "it may reduce"

"""Funding: the middle premium, an exact index, lazy settlement, and dust that is counted to the last part."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.stf.codes import Code
from optimist.stf.constants import MAX_FUNDING_SECONDS, PERPETUAL_FEED
from optimist.stf.funding import compute_agreed_premium, compute_premium, compute_rate
from optimist.stf.records import FundingRule
from tests.support.world import FREE, OK, PRICE, USD, World

BILLION = 10**9
UNIT = 10**8  # of size
# Interest 0.01 % and damper 0.05 % over eight hours, at most 0.5 % an hour: what most venues use.
USUAL = replace(
    FREE,
    gap_seconds=10**6,
    interest=100_000,
    damper=500_000,
    max_rate=5_000_000,
    max_premium=50_000_000,
    smoothing_seconds=60,
    mark_cap_ppm=0,  # funding alone: every position is valued at the index
)
RULE = FundingRule(
    interest=100_000, damper=500_000, max_rate=5_000_000, max_premium=50_000_000, smoothing_seconds=60
)
# No interest and no damper: a rate is an eighth of the premium.
PLAIN = replace(USUAL, interest=0, damper=0)


def get_index(world: World) -> int:
    """What longs have paid, and shorts received, 1e-17 USD-hours per 1.0 of size."""
    longs, shorts = world.side(0, False), world.side(0, True)
    assert shorts.index == -longs.index
    return shorts.index >> 48


class Market:
    """Market 0 at an index of 100 USD; accounts 1 (long) and 2 (short) hold `size` against each other."""

    def __init__(self, market: object = PLAIN, size: int = UNIT) -> None:
        self.world = World(markets=(market,), trade_heartbeat=10**6, liquidation_heartbeat=10**6)
        for account in range(5):
            self.world.deposit(account, 10_000)
        self.tick(100, 1)
        if size:
            assert self.world.trade(1, 2, size, 100) == OK

    def tick(self, usd: int | Fraction = 100, seconds: int = 1) -> None:
        """A round of index prices, `seconds` later."""
        self.world.second += seconds
        assert self.world.price(0, usd) == OK

    def say_elsewhere(self, usd: int | Fraction) -> None:
        assert self.world.price(PERPETUAL_FEED, usd) == OK

    def trade_at(self, usd: int | Fraction, size: int = 10**6) -> None:
        assert self.world.trade(3, 4, size, usd) == OK

    def run_at(self, usd: int | Fraction) -> int:
        """Both the fills and the world outside say `usd`, for long enough; the rate."""
        self.trade_at(usd)
        self.say_elsewhere(usd)
        self.tick(seconds=60)
        return self.world.funding(0).rate


# --------------------------------------------------------------------------------------------- the rate


@pytest.mark.parametrize(
    ("elsewhere", "here", "rate"),
    [
        (0, 0, 12_500),  # interest alone: 0.01 % over eight hours
        (400_000, 400_000, 12_500),  # within the damper of interest
        (600_000, 600_000, 12_500),  # just
        (1_400_000, 1_400_000, 112_500),  # (0.14 % - 0.05 %) / 8
        (-1_400_000, -1_400_000, -112_500),  # (-0.14 % + 0.05 %) / 8
        (1_400_000, 9_000_000, 112_500),  # the smaller of the two
        (9_000_000, 1_400_000, 112_500),
        (-9_000_000, 9_000_000, 12_500),  # no agreement on the side: none
        (9_000_000, 0, 12_500),
        (50_000_000, 50_000_000, 5_000_000),  # the largest rate
        (-50_000_000, -50_000_000, -5_000_000),
    ],
)
def test_rate(elsewhere: int, here: int, rate: int) -> None:
    assert compute_rate(compute_agreed_premium(elsewhere, here), RULE) == rate


@given(st.integers(-BILLION, BILLION), st.integers(-BILLION, BILLION))
def test_premium_is_the_middle_one_with_nothing(elsewhere: int, here: int) -> None:
    assert compute_agreed_premium(elsewhere, here) == sorted((elsewhere, here, 0))[1]


@pytest.mark.parametrize(
    ("price", "premium"), [(100, 0), (101, 10**7), (99, -(10**7)), (200, 5 * 10**7), (1, -5 * 10**7)]
)
def test_premium_of_a_price_is_clamped(price: int, premium: int) -> None:
    assert compute_premium(price, 100, 5 * 10**7) == premium


def test_neither_fills_nor_the_world_outside_move_money_alone() -> None:
    market = Market()
    market.trade_at(103)
    market.tick(seconds=60)
    assert market.world.funding(0).fill_premium == 30_000_000
    assert market.world.funding(0).rate == 0, "wash trades alone"
    market.trade_at(100)
    market.say_elsewhere(103)
    market.tick(seconds=60)
    assert market.world.funding(0).rate == 0, "a quorum of keys alone"
    assert market.run_at(103) == 3_750_000


def test_last_fill_counts_for_as_long_as_it_is_the_last_one() -> None:
    """One fill at a wild price, corrected a second later, is a 60th of the average."""
    market = Market()
    market.trade_at(105)
    market.world.second += 1
    market.trade_at(100)
    market.say_elsewhere(105)
    market.tick(seconds=1)
    assert market.world.funding(0).fill_premium == 50_000_000 // 60 - 50_000_000 // 60 // 60 - 1


def test_price_from_elsewhere_that_is_stale_or_unconfirmed_counts_for_nothing() -> None:
    world = World(markets=(replace(PLAIN, step_ppm=10_000, halt_ppm=10**6),), liquidation_heartbeat=30)
    world.price(0, 100)
    world.price(PERPETUAL_FEED, 100)
    for account in (3, 4):
        world.deposit(account, 10_000)
    world.trade(3, 4, 10**6, 103)
    world.second += 60
    world.price(0, 100)
    assert world.funding(0).rate == 0, "too old"
    world.second += 1
    world.price(PERPETUAL_FEED, 103)
    world.price(0, 100)
    assert world.funding(0).rate == 0, "a step of 3 % that nobody has confirmed"
    world.second += 1
    world.price(PERPETUAL_FEED, 103)
    world.price(0, 100)
    assert world.funding(0).rate > 3_000_000


def test_nothing_accrues_while_the_index_is_not_confirmed() -> None:
    market = Market(replace(USUAL, step_ppm=100_000, halt_ppm=250_000))
    market.tick()
    assert market.world.funding(0).rate == 12_500
    market.tick(120)
    assert market.world.funding(0).rate == 0


def test_price_from_elsewhere_values_nothing() -> None:
    market = Market()
    before = market.world.health(1)
    market.say_elsewhere(50)
    assert market.world.health(1) == before
    assert market.world.liquidate(1) == Code.NOT_LIQUIDATABLE


@pytest.mark.parametrize("feed", [1, PERPETUAL_FEED - 1, PERPETUAL_FEED + 1, 65_535])
def test_feed_of_no_market_is_rejected(feed: int) -> None:
    assert Market().world.price(feed, 100) == Code.UNKNOWN_MARKET


# -------------------------------------------------------------------------------------- index and payment


def test_longs_pay_shorts_while_the_perpetual_is_dearer() -> None:
    market = Market()
    rate = market.run_at(103)
    market.tick(seconds=3_600)
    paid = Fraction(rate * 100, 10**9) * USD  # an hour of one unit at 100 USD
    assert paid == 375_000
    assert market.world.unpaid(1, 0) == -paid
    assert market.world.unpaid(2, 0) == paid


def test_payment_is_made_when_a_position_changes_and_only_then() -> None:
    market = Market()
    market.run_at(103)
    market.tick(seconds=3_600)
    world = market.world
    before = world.account(1).collateral, world.account(2).collateral
    assert world.trade(1, 3, 10**6, 100) == OK  # account 1 buys a hundredth more
    assert world.account(1).collateral == before[0] - 375_000 - USD
    assert world.account(2).collateral == before[1], "account 2 has not moved"
    assert world.unpaid(1, 0) == 0
    world.check()


def test_what_is_not_paid_yet_counts_in_the_value_of_the_account() -> None:
    """Funding alone can make an account liquidatable; its liquidation pays it first."""
    market = Market(size=0)
    world = market.world
    world.deposit(6, 7)
    assert world.trade(6, 2, UNIT, 100) == OK  # 7 USD behind 100: initial margin is 5, maintenance 3
    market.run_at(105)
    for _ in range(9):  # half a USD an hour; 3 USD are still enough
        assert world.liquidate(6) == Code.NOT_LIQUIDATABLE
        market.tick(seconds=3_600)
    assert world.withdraw(6, 1) == Code.BELOW_INITIAL_MARGIN
    assert world.liquidate(6) == OK
    world.check()


def test_an_outage_costs_at_most_an_hour() -> None:
    market = Market()
    rate = market.run_at(103)
    before = get_index(market.world)
    market.tick(seconds=10**5)
    assert get_index(market.world) - before == rate * 100 * PRICE * MAX_FUNDING_SECONDS


def test_index_is_the_sum_of_rate_price_and_time_exactly() -> None:
    market = Market()
    world, expected = market.world, 0
    for usd, seconds in ((103, 1), (97, 7), (101, 59), (100, 3_601), (104, 30)):
        market.trade_at(usd)
        market.say_elsewhere(usd)
        old, index, price = world.funding(0), get_index(world), world.stored_price(0).confirmed
        market.tick(usd - 1, seconds)
        expected += old.rate * price * min(seconds, MAX_FUNDING_SECONDS)
        assert get_index(world) - index == old.rate * price * min(seconds, MAX_FUNDING_SECONDS)
    world.check()


@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(96, 104), st.booleans()), max_size=12))
def test_what_rounding_leaves_goes_to_the_insurance_fund(steps: list[tuple[int, int, bool]]) -> None:
    """I1, I3: whatever is paid when, money is conserved to the last part, and the fund only gains."""
    market = Market(replace(PLAIN, lot=1), size=12_345_677)
    world = market.world
    for seconds, usd, is_first in steps:
        market.trade_at(usd, 1_000_003)
        market.say_elsewhere(usd)
        market.tick(seconds=seconds)
        fund = world.fund
        assert world.trade(1 if is_first else 2, 0, 33_333, 100) == OK
        assert world.fund >= fund
        world.check()


def test_index_that_would_overflow_stops_the_price_and_nothing_else() -> None:
    """A bound that nine hundred years at the largest rate do not reach."""
    market = Market()
    market.run_at(103)
    shorts = market.world.side(0, True)
    shorts.index = 2**168
    market.world.put(1, shorts)
    market.world.second += 60
    assert market.world.price(0, 100) == Code.VALUE_BOUND

"""LIQUIDATE: size, price, who pays, and what cannot be liquidated."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.actions import Liquidate, Sequenced
from optimist.stf.codes import Code
from optimist.stf.constants import CLOSE_OUT_PPM, ONE
from optimist.stf.liquidation import compute_closing_size
from optimist.stf.margin import Margin, compute_fraction, compute_notional
from optimist.stf.records import Market
from optimist.stf.tiers import MarginSchedule
from tests.support.schedules import build_schedule
from tests.support.world import ETH, FREE, OK, PRICE, START, USD, World, confirmed_price

BTC_01 = 10**7
FREE_ETH = replace(ETH, taker_fee_ppm=0)


def ruined(price: int, is_long: bool = True, backstop: int = 1_000_000, insurance: int = 0) -> World:
    """Account 1 has 300 USD and 0.1 BTC from 50,000 (IMR 250, MMR 150); then the price is `price`."""
    world = World(markets=(FREE, FREE_ETH))
    world.deposit(0, backstop)
    world.deposit(1, 300)
    world.deposit(2, 1_000_000)
    if insurance:
        give_insurance(world, insurance)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000, maker_buys=is_long) == OK
    world.second += 1
    world.price(0, price)
    return world


def schedule_of(market: Market) -> MarginSchedule:
    """That of a market with one tier."""
    return build_schedule([(0, market.initial_margin_ppm, market.maintenance_margin_ppm)])


def give_insurance(world: World, usd: int) -> None:
    """As if fees had been paid."""
    world.put_fund(usd * USD)
    group = world.group()
    group.money += usd * USD
    world.put(0, group)
    world.deposited += usd * USD


def test_account_above_maintenance_margin_is_safe() -> None:
    """At 48,454 the long is worth 145.4 and needs 145.362; at 48,453 it is 145.3 and 145.359."""
    assert ruined(48_454).liquidate(1) == Code.NOT_LIQUIDATABLE
    assert ruined(48_453).liquidate(1) == OK


def test_equality_is_safe() -> None:
    """0.1 BTC at 50,000: MMR 150. Short of nothing with exactly 150, liquidatable with a unit less."""
    for cents, code in ((0, Code.NOT_LIQUIDATABLE), (1, OK)):
        world = ruined(50_000)
        world.put_collateral(1, -4_850 * USD - cents)
        assert world.liquidate(1) == code


def test_partial_liquidation_restores_the_buffer() -> None:
    """At 48,000: TV 100, MMR 144. Shortage 144 * 1.15 - 100 = 65.6 USD, over 0.0245: 2,677.551 USD.

    That is 0.05578231 BTC, in lots of 0.00001: 0.05579. Penalty 1 % of 2,677.92: 26.7792 (zero price: 55.79).
    """
    world = ruined(48_000)
    assert world.liquidate(1) == OK
    assert world.positions(1) == {0: BTC_01 - 5_579_000}
    assert world.positions(0) == {0: 5_579_000}
    assert world.account(1).collateral == -4_700 * USD + 2_677_920_000 - 26_779_200
    assert world.account(0).collateral == 1_000_000 * USD - 2_677_920_000
    assert world.fund == 26_779_200
    value, maintenance, _ = world.health(1)
    assert value == 73_220_800
    assert maintenance == 63_662_400
    assert Fraction(115, 100) <= value / maintenance < Fraction(1151, 1000)
    world.check()
    assert world.liquidate(1) == Code.NOT_LIQUIDATABLE


def test_short_is_liquidated_when_the_price_rises() -> None:
    """At 51,800: TV 120, MMR 155.4. Shortage 58.71, notional 2,396.33: 0.04627 BTC. Penalty 23.96786."""
    world = ruined(51_800, is_long=False)
    assert world.liquidate(1) == OK
    assert world.positions(1) == {0: -(BTC_01 - 4_627_000)}
    assert world.positions(0) == {0: -4_627_000}
    notional = 4_627_000 * 51_800 * PRICE // 10**10
    assert world.account(1).collateral == 5_300 * USD - notional - 23_967_860
    assert world.fund == 23_967_860
    world.check()


def test_charge_stops_at_the_zero_price() -> None:
    """At 47,300: TV 30, all of it must go; 1 % would be 47.30, but only 30 are there."""
    world = ruined(47_300)
    assert world.liquidate(1) == OK
    assert world.positions(1) == {}
    assert world.account(1).collateral == 0
    assert world.fund == 30 * USD
    world.check()


@pytest.mark.parametrize(("insurance", "from_insurance"), [(0, 0), (40, 40), (100, 100), (150, 100)])
def test_loss_is_paid_by_insurance_first_and_then_by_the_backstop(
    insurance: int, from_insurance: int
) -> None:
    """At 46,000: TV -100. The account leaves with nothing, the backstop takes 0.1 BTC at 46,000."""
    world = ruined(46_000, insurance=insurance)
    assert world.liquidate(1) == OK
    assert world.positions(1) == {}
    assert world.account(1).collateral == 0
    assert world.fund == (insurance - from_insurance) * USD
    assert world.account(0).collateral == (1_000_000 - 4_600 - (100 - from_insurance)) * USD
    assert world.positions(0) == {0: BTC_01}
    world.check()


def test_bankrupt_account_with_two_markets_is_closed_at_the_zero_price_of_each() -> None:
    """Long 0.1 BTC and 1 ETH with 500 USD; BTC 45,000, ETH 1,500: TV 500 - 500 - 500 = -500.

    MMR 135 + 75 = 210. Closing BTC takes 135 / 210 of the loss with it: 321.428571 USD; the ETH leg the rest.
    """
    world = World(markets=(FREE, FREE_ETH))
    world.deposit(0, 1_000_000)
    world.deposit(1, 500)
    world.deposit(2, 1_000_000)
    world.price(0, 50_000)
    world.price(1, 2_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    assert world.trade(1, 2, 10**6, 2_000, market=1) == OK
    world.second += 1
    world.price(0, 45_000)
    world.price(1, 1_500)
    assert world.liquidate(1, 0) == OK
    value, maintenance, _ = world.health(1)
    assert maintenance == 75 * USD
    assert value == -178_571_428  # -500 * 75 / 210, rounded up
    assert world.account(0).collateral == 1_000_000 * USD - 4_500 * USD - 321_428_572
    assert world.liquidate(1, 1) == OK
    assert world.account(1).collateral == 0
    world.check()


def test_size_is_not_the_callers_choice() -> None:
    """The input has nothing but account and market."""
    assert len(Sequenced(START, Liquidate(1, 0)).encode()) == 14


def test_whole_position_goes_when_no_part_would_suffice() -> None:
    """Penalty as large as the margin, no buffer: closing a part frees nothing."""
    market = replace(FREE, liquidation_penalty_ppm=30_000)
    world = World(markets=(market,), liquidation_buffer_ppm=0)
    world.deposit(0, 1_000_000)
    world.deposit(1, 300)
    world.deposit(2, 1_000_000)
    world.price(0, 50_000)
    world.trade(1, 2, BTC_01, 50_000)
    world.second += 1
    world.price(0, 48_000)
    assert world.liquidate(1) == OK
    assert world.positions(1) == {}
    assert world.account(1).collateral == 0  # penalty 144, but the zero price leaves 0 of 100
    assert world.fund == 100 * USD


def test_dust_whose_requirement_would_not_fall_goes_whole() -> None:
    """40 % margin, no buffer: 10 units of notional need 4 and have 3; less 2.5 of them still need 4."""
    market = Market(
        notional_divisor=100,
        lot=1,
        initial_margin_ppm=400_000,
        maintenance_margin_ppm=400_000,
        liquidation_penalty_ppm=0,
        max_position=2**61 - 1,
    )
    before = Margin(value=3, maintenance=4, initial=4)
    price = confirmed_price(1, 1)
    assert compute_closing_size(before, schedule_of(market), 1_000 * ONE, market, price, 0) == 1_000


markets = st.builds(
    lambda decimals, lot, maintenance, penalty: Market(
        notional_divisor=10 ** (decimals + 2),
        lot=lot,
        initial_margin_ppm=1_000_000,
        maintenance_margin_ppm=maintenance,
        liquidation_penalty_ppm=penalty * maintenance // 100,
        max_position=2**61 - 1,
    ),
    st.integers(0, 10),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.integers(0, 100),
)


@given(
    markets,
    st.integers(1, 2**40),
    st.integers(1, 2**59),
    st.integers(0, 10**6),
    st.integers(0, 2**80),
    st.fractions(-2, Fraction(999, 1000)),
)
def test_size_is_the_least_number_of_lots_that_restores_the_buffer(
    market: Market, lots: int, price: int, buffer_ppm: int, other: int, ratio: Fraction
) -> None:
    """I6: never more than the position, never more than needed plus a lot, and the requirement falls."""
    size = min(lots * market.lot, (2**61 - 1) // market.lot * market.lot)
    margin_of = compute_fraction(
        compute_notional(size * ONE, price, market.notional_divisor), market.maintenance_margin_ppm
    )
    maintenance = margin_of + other
    before = Margin(value=int(maintenance * ratio), maintenance=maintenance, initial=maintenance)
    if before.value >= maintenance:
        return
    closing = compute_closing_size(
        before, schedule_of(market), size * ONE, market, confirmed_price(price, 1), buffer_ppm
    )
    assert 0 < closing <= size
    assert closing % market.lot == 0
    rest = compute_notional((size - closing) * ONE, price, market.notional_divisor)
    assert compute_fraction(rest, market.maintenance_margin_ppm) < margin_of
    if before.value * 10**6 < maintenance * CLOSE_OUT_PPM:
        assert closing == size, "below its close-out margin, and not taken over whole"
    if closing == size:
        return
    exact_notional = Fraction(closing * price, market.notional_divisor)
    a_lot = Fraction(market.lot * price, market.notional_divisor)
    buffer = 1 + Fraction(buffer_ppm, 10**6)
    relief = Fraction(market.maintenance_margin_ppm, 10**6) * buffer - Fraction(
        market.liquidation_penalty_ppm, 10**6
    )
    shortage = maintenance * buffer - before.value
    assert exact_notional * relief >= shortage > (exact_notional - a_lot) * relief


def test_account_without_a_position_in_that_market_cannot_be_liquidated() -> None:
    world = ruined(48_000)
    world.price(1, 2_000)
    assert world.liquidate(1, 1) == Code.NO_POSITION
    assert world.liquidate(7, 0) == Code.NO_POSITION


@pytest.mark.parametrize(
    ("account", "market", "code"),
    [(1, 2, Code.UNKNOWN_MARKET), (1, 65_535, Code.UNKNOWN_MARKET), (2**36, 0, Code.UNKNOWN_ACCOUNT)],
)
def test_unknown_account_or_market_is_rejected(account: int, market: int, code: Code) -> None:
    assert ruined(48_000).liquidate(account, market) == code


def test_wrong_length_is_rejected() -> None:
    world = ruined(48_000)
    data = Sequenced(world.second, Liquidate(1, 0)).encode()
    for wrong in (data[:-1], data + b"\0"):
        assert world.apply_bytes(wrong).code == Code.MALFORMED


def test_price_must_be_fresh_under_the_liquidation_heartbeat() -> None:
    world = ruined(48_000)
    world.second += 30
    assert world.state.copy().apply(world.law, Sequenced(world.second, Liquidate(1, 0)).encode()).code == OK
    world.second += 1
    assert world.liquidate(1) == Code.PRICE_STALE


def test_every_price_of_the_account_must_be_fresh() -> None:
    world = World(markets=(FREE, FREE_ETH))
    world.deposit(0, 1_000_000)
    world.deposit(1, 500)
    world.deposit(2, 1_000_000)
    world.price(0, 50_000)
    world.price(1, 2_000)
    world.trade(1, 2, BTC_01, 50_000)
    world.trade(1, 2, 10**6, 2_000, market=1)
    world.second += 31
    world.price(0, 45_000)
    assert world.liquidate(1, 0) == Code.PRICE_STALE
    world.price(1, 2_000)
    assert world.liquidate(1, 0) == OK


def test_backstop_must_meet_its_own_margin() -> None:
    """It takes over 0.05579 BTC at 48,000, which needs 133.896 USD of its own."""
    assert ruined(48_000, backstop=133).liquidate(1) == Code.BACKSTOP_UNABLE
    assert ruined(48_000, backstop=134).liquidate(1) == OK


def test_backstop_pays_losses_only_within_its_margin() -> None:
    """0.1 BTC at 46,000 needs 230 USD, and 100 USD are lost."""
    for backstop, taken in ((329, {}), (330, {0: BTC_01})):
        world = ruined(46_000, backstop=backstop)
        assert world.liquidate(1) == OK
        assert world.positions(0) == taken
        world.check()


def test_backstop_below_its_margin_may_take_over_what_shrinks_it() -> None:
    """The backstop is short 0.2 BTC with too little money: a long that it takes over improves it."""
    world = ruined(48_000, backstop=1_000)
    assert world.trade(2, 0, 2 * BTC_01, 48_000) == OK
    world.put_collateral(0, 9_600 * USD + 400 * USD)
    assert world.liquidate(1) == OK
    assert world.positions(0) == {0: -2 * BTC_01 + 5_579_000}


def test_every_price_of_the_backstop_must_be_fresh() -> None:
    world = World(markets=(FREE, FREE_ETH))
    world.deposit(0, 1_000_000)
    world.deposit(1, 300)
    world.deposit(2, 1_000_000)
    world.price(0, 50_000)
    world.price(1, 2_000)
    world.trade(1, 2, BTC_01, 50_000)
    world.trade(0, 2, 10**6, 2_000, market=1)
    world.second += 31
    world.price(0, 48_000)
    assert world.liquidate(1) == Code.PRICE_STALE


def test_backstop_without_a_free_slot_takes_nothing_over() -> None:
    world = ruined(48_000)
    for slot in range(4):
        world.put(10 + slot, world.market(0))
        world.put(10 + slot, world.stored_price(0))
        world.put_position(0, slot, 10 + slot, 1_000)
    assert world.liquidate(1) == Code.BACKSTOP_UNABLE


@given(
    st.integers(30_000, 60_000),
    st.booleans(),
    st.integers(0, 500),
    st.integers(0, 400),
    st.integers(-1_000, 1_000),
)
def test_ratio_is_not_lower_and_requirement_strictly_lower(
    price: int, is_long: bool, insurance: int, extra: int, odd_units: int
) -> None:
    """I6, with the law's own rounded figures read off the state, and I1/I2 to the last unit."""
    world = ruined(price, is_long=is_long, insurance=insurance)
    world.deposit_units(1, extra * USD + 1_000 + odd_units)
    before = world.rounded_margin(1)
    code = world.liquidate(1)
    assert (code == OK) == (before.value < before.maintenance)
    world.check()
    if code != OK:
        return
    after = world.rounded_margin(1)
    assert after.maintenance < before.maintenance
    assert after.value * before.maintenance >= before.value * after.maintenance
    if before.value >= 0:
        assert after.value >= 0
    else:
        assert world.positions(1) == {}
        assert world.account(1).collateral == 0

"""Deleveraging and socialisation: who bears what a bankrupt account and its backstop cannot."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.actions import Settle
from optimist.stf.codes import Code
from optimist.stf.constants import MIN_MULTIPLIER, ONE
from optimist.stf.records import Position, Side, SideEnd
from tests.support.world import ETH, FREE, OK, START, USD, World

BTC_01 = 10**7
LOT = 1_000
RICH = 1_000_000


def crashed(price: int, others: tuple[int, ...] = (1, 1), fund: int = 0, is_long: bool = True) -> World:
    """Account 1 holds 0.1 BTC from 50,000 behind 300 USD, against accounts 2, 3, … by their share of it.

    The backstop of the group is empty. Account 9 holds 0.1 BTC too, and account 8 stands against it.
    """
    world = World(markets=(FREE, replace(ETH, taker_fee_ppm=0)))
    for account in range(1, 10):
        world.deposit(account, 300 if account == 1 else RICH)
    world.price(0, 50_000)
    for number, share in enumerate(others):
        size = BTC_01 * share // sum(others)
        assert world.trade(1, 2 + number, size, 50_000, maker_buys=is_long) == OK
    assert world.trade(9, 8, BTC_01, 50_000, maker_buys=is_long) == OK
    if fund:
        world.deposited += fund * USD
        world.put_fund(fund * USD)
        group = world.group()
        group.money += fund * USD
        world.put(0, group)
    world.second += 1
    world.price(0, price)
    return world


def paid(world: World, account: int) -> Fraction:
    """What a share of the other side brought an account, beyond what its positions are still worth."""
    return Fraction(world.account(account).collateral) + world.unpaid(account, 0)


# ---------------------------------------------------------------------------------------------- who and when


def test_account_above_its_close_out_margin_waits_for_the_backstop() -> None:
    """0.1 BTC at 48,000: MMR 144, close-out 96, TV 100. At 47,950: 143.85, 95.9 and 95."""
    assert crashed(48_000).liquidate(1) == Code.BACKSTOP_UNABLE
    assert crashed(47_950).liquidate(1) == OK


def test_backstop_that_is_able_comes_first() -> None:
    world = crashed(46_000)
    world.deposit(0, RICH)
    assert world.liquidate(1) == OK
    assert world.positions(0) == {0: BTC_01}
    assert world.side(0, True).multiplier == ONE


def backstop_holds(price: int) -> World:
    """The backstop holds 0.1 BTC from 50,000 behind 300 USD, against account 2; now the price is `price`."""
    world = World(markets=(FREE,))
    for account in (0, 2, 3):
        world.deposit(account, 300 if account == 0 else RICH)
    world.price(0, 50_000)
    assert world.trade(0, 2, BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, price)
    return world


def test_nobody_takes_over_from_a_backstop() -> None:
    """Its own close-out margin is where its positions are closed against the other side."""
    assert backstop_holds(48_500).liquidate(0) == Code.NOT_LIQUIDATABLE
    assert backstop_holds(48_000).liquidate(0) == Code.BACKSTOP_UNABLE
    world = backstop_holds(47_950)
    assert world.liquidate(0) == OK
    assert world.positions(0) == world.positions(2) == {}
    assert world.account(0).collateral == 0
    world.check()


def test_loss_of_a_backstop_is_carried_by_all_and_not_by_whoever_leaves_last() -> None:
    """At 40,000 it lacks 700: the other side bears 120, the group 580. Before, accounts 2 and 3 raced."""
    world = backstop_holds(40_000)
    assert world.liquidate(0) == OK
    assert world.fund == -580 * USD
    assert world.settle(2) == OK
    claims = [world.account(account).collateral for account in (2, 3)]
    assert claims == [(RICH + 1_000 - 120) * USD, RICH * USD]
    for account, claim in zip((2, 3), claims, strict=True):
        assert world.withdraw(account, claim) == OK
    paid_out = [world.withdrawal(row).amount for row in (1, 2)]
    assert [Fraction(amount, claim) for amount, claim in zip(paid_out, claims, strict=True)] == [
        pytest.approx(Fraction(2 * RICH + 300, 2 * RICH + 880), abs=1e-9)
    ] * 2
    assert (world.group().money, world.fund) == (0, 0)
    world.check()


def halted_elsewhere(price: int) -> World:
    """As `crashed`, but the backstop is rich, and holds a position in a market whose price is too old."""
    world = crashed(price)
    world.deposit(0, RICH)
    world.price(1, 2_000)
    assert world.trade(0, 8, 10_000, 2_000, market=1) == OK
    world.second += 31
    world.price(0, price)
    return world


def test_market_that_stands_still_does_not_shield_a_bankrupt_account_in_another() -> None:
    """What the backstop is worth nobody knows. Its own account does not call for that, so others bear it."""
    world = halted_elsewhere(46_000)
    assert world.liquidate(1) == OK
    assert world.positions(1) == {}
    assert world.positions(0) == {1: 10_000}
    assert world.side(0, True).multiplier < ONE
    world.check()


def test_account_that_is_worth_something_waits_until_the_backstop_is_known() -> None:
    world = halted_elsewhere(47_500)
    assert world.health(1)[0] > 0
    assert world.liquidate(1) == Code.PRICE_STALE
    world.price(1, 2_000)
    assert world.liquidate(1) == OK
    assert world.positions(0) == {0: BTC_01, 1: 10_000}
    world.check()


@pytest.mark.parametrize("is_long", [True, False])
def test_the_other_side_is_closed_in_proportion_to_size(is_long: bool) -> None:
    """0.1 of 0.2 BTC: everyone keeps half; 1 and 3 parts of 0.1, and all of 0.1, are halved alike."""
    world = crashed(47_000 if is_long else 53_000, others=(1, 3), is_long=is_long)
    sign = -1 if is_long else 1
    assert world.liquidate(1) == OK
    assert world.positions(1) == {}
    assert world.positions(2) == {0: sign * BTC_01 // 8}
    assert world.positions(3) == {0: sign * 3 * BTC_01 // 8}
    assert world.positions(8) == {0: sign * BTC_01 // 2}
    assert world.positions(9) == {0: -sign * BTC_01}, "its own side is left alone"
    world.check()


# ----------------------------------------------------------------------------------------------------- price


def test_price_is_the_zero_price_and_what_lies_beyond_the_mark_is_the_counterparts() -> None:
    """At 47,000 TV is 0: closed at the mark. At 47,500 TV is 50: everyone sells 0.1 BTC for 50 USD less."""
    for price, gain in ((47_000, 0), (47_500, 50)):
        world = crashed(price)
        assert world.liquidate(1) == OK
        assert world.account(1).collateral == 0
        closed_at = Fraction(price * BTC_01, 10**8) - gain  # what 0.1 BTC cost the other side
        received = sum(paid(world, account) for account in (2, 3, 8)) - 3 * RICH * USD
        assert received == 2 * 5_000 * USD - closed_at * USD
        world.check()


def test_loss_is_borne_by_the_fund_first_and_then_by_the_counterparts() -> None:
    """At 46,500 TV is -50: 30 from the fund, 20 from the other side, each by its size."""
    world = crashed(46_500, others=(1, 3), fund=30)
    before = {account: world.health(account)[0] for account in (2, 3, 8)}
    assert world.liquidate(1) == OK
    assert world.fund == 0
    lost = {account: before[account] - world.health(account)[0] for account in before}
    assert lost == {2: Fraction(5, 2) * USD, 3: Fraction(15, 2) * USD, 8: 10 * USD}
    world.check()


def test_counterparts_bear_no_more_than_the_maintenance_margin() -> None:
    """At 40,000 TV is -700; 3 % of 4,000 is 120: 580 are the group's loss."""
    world = crashed(40_000)
    before = sum(world.health(account)[0] for account in (2, 3, 8))
    assert world.liquidate(1) == OK
    assert before - sum(world.health(account)[0] for account in (2, 3, 8)) == 120 * USD
    assert world.fund == -580 * USD
    assert world.account(1).collateral == 0
    world.check()


def test_healthy_counterpart_stays_healthy() -> None:
    """Account 2 has just its maintenance margin when the account that it stands against goes bankrupt."""
    world = crashed(46_000)
    account = world.account(2)
    _, maintenance, _ = world.health(2)
    value = world.health(2)[0]
    collateral = int(account.collateral - value + maintenance)
    world.put_collateral(2, collateral)
    assert world.liquidate(2) == Code.NOT_LIQUIDATABLE
    assert world.liquidate(1) == OK
    value, maintenance, _ = world.health(2)
    assert value >= maintenance
    assert world.liquidate(2) == Code.NOT_LIQUIDATABLE


def test_account_with_other_positions_gives_up_only_its_share_of_the_leg() -> None:
    """TV / MMR stays what it was for what remains, as in every liquidation."""
    world = crashed(47_200)
    world.deposit(4, RICH)
    world.price(1, 2_000)
    market, sizes = 1, 10**5
    account = world.account(1)
    world.put_collateral(1, account.collateral + 400 * USD)
    assert world.trade(1, 4, sizes, 2_000, market=market) == OK
    account = world.account(1)
    world.put_collateral(1, account.collateral - 400 * USD)
    before = world.rounded_margin(1)
    assert world.liquidate(1) == OK
    after = world.rounded_margin(1)
    assert world.positions(1) == {1: sizes}
    assert after.value * before.maintenance >= before.value * after.maintenance
    assert (after.value - 1) * before.maintenance < before.value * after.maintenance


# ---------------------------------------------------------------------------------------------- the last one


def test_last_open_interest_of_a_market_is_closed_whole() -> None:
    world = World(markets=(FREE,))
    world.deposit(1, 300)
    world.deposit(2, RICH)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, 46_000)
    assert world.liquidate(1) == OK
    assert world.positions(1) == world.positions(2) == {}
    assert (
        world.side(0, True) == Side(shares=0, multiplier=ONE, index=0, epoch=1)
        or world.side(0, True).epoch == 1
    )
    assert world.record(SideEnd, 1 << 24).index == world.side(0, True).index
    assert world.health(2)[0] == (RICH + 300) * USD
    world.check()


def last_closed() -> World:
    world = World(markets=(FREE,))
    world.deposit(1, 300)
    for account in (2, 3):
        world.deposit(account, RICH)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, 46_000)
    assert world.liquidate(1) == OK
    return world


def test_what_is_left_of_a_closed_position_is_its_money() -> None:
    """It counts in the value at once; SETTLE, by anyone, pays it out and frees the slot."""
    world = last_closed()
    assert world.record(Position, 2 << 4).shares == -BTC_01
    assert world.settle(2) == OK
    assert world.record(Position, 2 << 4).shares == 0
    assert world.account(2).collateral == (RICH + 300) * USD
    assert world.settle(2) == Code.NO_POSITION
    world.check()


def test_closed_position_gives_way_to_a_new_one() -> None:
    world = last_closed()
    assert world.trade(3, 2, BTC_01, 46_000) == OK
    assert world.positions(2) == {0: -BTC_01}
    assert world.unpaid(2, 0) == 0
    assert world.account(2).collateral == (RICH + 300 + 4_600) * USD
    world.check()


def test_open_position_is_not_settled_and_bytes_too_many_are_refused() -> None:
    world = crashed(50_000)
    assert world.settle(2) == Code.STILL_OPEN
    assert world.settle(2, 1) == Code.NO_POSITION
    assert world.settle(2, 7) == Code.UNKNOWN_MARKET
    assert world.settle(1 << 36) == Code.UNKNOWN_ACCOUNT
    assert world.force_action(Settle(2, 0)) == Code.STILL_OPEN


# ----------------------------------------------------------------------------------------------------- sides


def speck(is_long: bool = True) -> World:
    """A whale that is bankrupt, one other side, and on the whale's own side a speck of one lot."""
    world = World(markets=(FREE,))
    world.deposit(1, RICH)
    world.deposit(2, RICH)
    world.deposit(3, 1)
    world.price(0, 50_000)
    assert world.trade(1, 2, LOT << 25, 50_000, maker_buys=is_long) == OK
    assert world.trade(3, 2, LOT, 50_000, maker_buys=is_long) == OK
    world.second += 1
    world.price(0, 46_000 if is_long else 54_000)
    assert world.health(1)[0] < 0
    return world


@pytest.mark.parametrize("is_long", [True, False])
def test_speck_on_its_own_side_does_not_shield_a_debtor(is_long: bool) -> None:
    """Less than 2**-24 of the other side would be left: all that is left of both is closed at the mark."""
    world = speck(is_long)
    assert world.liquidate(1) == OK
    assert world.account(1).collateral == 0
    assert world.positions(1) == world.positions(2) == world.positions(3) == {}
    moved = (46_000 if is_long else 54_000) - 50_000
    gain = Fraction(LOT * moved * USD, 10**8) * (1 if is_long else -1)
    assert paid(world, 3) == USD + gain, "a cent of loss, and no more than the mark says"
    world.check()
    world.check_sides()


def test_market_that_is_worn_out_begins_anew() -> None:
    world = speck()
    assert world.liquidate(1) == OK
    for account in (2, 3):
        assert world.settle(account) == OK
    world.check()
    for is_short in (False, True):
        side = world.side(0, is_short)
        assert (side.shares, side.multiplier, side.epoch) == (0, ONE, 1)
    assert world.trade(3, 2, LOT, 46_000) == OK
    assert world.positions(3) == {0: LOT}
    world.check()


def test_share_is_worth_the_least_that_it_may_be_before_a_market_is_worn_out() -> None:
    """Half of a side whose shares are worth twice the least goes on; half of the least does not."""
    for worth, epoch in ((2 * MIN_MULTIPLIER, 0), (MIN_MULTIPLIER, 1)):
        world = crashed(46_000)
        side = world.side(0, True)
        side.shares = side.shares * ONE // worth
        side.multiplier = worth
        world.put(1, side)
        for account in (2, 3, 8):
            position = world.record(Position, account << 4)
            position.shares = position.shares * ONE // worth
            world.put(account << 4, position)
        assert world.liquidate(1) == OK
        assert [world.side(0, is_short).epoch for is_short in (False, True)] == [epoch, epoch]
        assert (world.position(9, 0) == 0) == (epoch == 1)
        world.check()


def test_no_counterpart_is_an_error_and_not_a_division_by_zero() -> None:
    """A state that no input reaches: shorts that are gone while longs are there."""
    world = crashed(46_000)
    world.put(1, Side(shares=0, multiplier=ONE, index=0, epoch=0))
    assert world.liquidate(1) == Code.NO_COUNTERPART


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.integers(20_000, 47_900),
    st.integers(0, 300),
    st.booleans(),
)
def test_nothing_is_lost_and_longs_never_exceed_shorts(
    others: list[int], price: int, fund: int, is_long: bool
) -> None:
    """I1, I2, I8, to the last part, whatever the proportions; and again when everybody closes."""
    lots = [share * 1_000 for share in others]
    world = World(markets=(FREE,))
    world.deposit(1, 300)
    world.deposit(9, RICH)
    for account in range(2, 2 + len(lots)):
        world.deposit(account, RICH)
    world.price(0, 50_000)
    for number, size in enumerate(lots):
        assert world.trade(1, 2 + number, size, 50_000, maker_buys=is_long) == OK
        assert world.trade(9, 2 + number, 7 * size, 50_000, maker_buys=is_long) == OK
    debtor = world.account(1)
    loss = sum(lots) * 4
    world.deposited += fund
    world.put_fund(fund)
    group = world.group()
    group.money += fund
    world.put(0, group)
    world.put_collateral(1, debtor.collateral - 299 * USD - loss)
    world.deposited -= 299 * USD + loss
    group = world.group()
    group.money -= 299 * USD + loss
    world.put(0, group)
    world.second += 1
    world.price(0, price if is_long else 100_000 - price)
    code = world.liquidate(1)
    assert code in (OK, Code.NOT_LIQUIDATABLE, Code.BACKSTOP_UNABLE)
    world.check()
    if code != OK:
        return
    for other in range(2, 2 + len(lots)):
        left = abs(world.position(other, 0))
        assert left <= 8 * lots[other - 2]
        units = int(left) // 1_000 * 1_000
        if units:
            assert world.trade(9, other, units, price, maker_buys=not is_long) in (OK, Code.PRICE_STALE)
        world.check()


def test_sizes_after_deleveraging_are_exact_fractions() -> None:
    """0.1 of 0.3 BTC is closed: everyone keeps two thirds, to 2**-48 of a unit."""
    world = World(markets=(replace(FREE, lot=1),))
    world.deposit(1, 300)
    for account in range(2, 6):
        world.deposit(account, RICH)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    assert world.trade(5, 3, BTC_01, 50_000) == OK
    assert world.trade(5, 4, BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, 46_000)
    assert world.liquidate(1) == OK
    for account in (2, 3, 4):
        kept = -world.position(account, 0)
        assert 0 <= kept - Fraction(2 * BTC_01, 3) < Fraction(BTC_01, ONE)
    up = 6_666_667  # a short buys its size rounded up, and is rid of it
    assert world.trade(2, 5, up, 46_000) == OK
    assert world.positions(2) == {}
    assert world.record(Position, 2 << 4).market_plus_one == 0
    assert world.second < START + 100
    world.check()

"""Edge cases of losses: deleveraging, settlement, groups that are short, and bounds of sides.

Part of `edge_cases.py`: each builder leaves a world whose last input is the case, and returns its code.
"""

from dataclasses import replace
from typing import Final

from optimist.derive.actions import Sequenced, Settle, Trade
from optimist.stf.codes import Code
from optimist.stf.constants import GROUP_BITS, MIN_MULTIPLIER, ONE
from optimist.stf.records import MarginTier, Side
from tests.support.world import FREE, OK, USD, World

BTC_01: Final = 10**7


def account_of_another_group(world: World) -> int:
    """It has the money, and no right to this market."""
    world.deposit(1 << 32 | 1, 1_000)
    world.trade(1 << 32 | 1, 2, 1_000, 50_000)
    return Code.OTHER_GROUP


def deleveraged(world: World, code: int) -> int:
    """Account 1 is bankrupt, and its backstop too poor to take anything over."""
    world.deposit(3, 100_000)
    world.trade(1, 3, 3 * BTC_01, 50_000)
    world.put_collateral(0, 0)
    world.put_fund(100)
    world.second += 1
    world.price(0, 40_000)
    world.liquidate(1)
    return code


def last_position_of_a_side(world: World) -> int:
    """The other side is closed whole, and another epoch begins."""
    deleveraged(world, OK)
    assert world.side(0, True).epoch == 1
    return OK


def one_position_of_many(world: World) -> int:
    """The other side goes on with a smaller multiplier."""
    world.deposit(4, 100_000)
    world.trade(4, 2, BTC_01 // 10, 50_000)
    deleveraged(world, OK)
    assert world.side(0, True).multiplier < ONE
    return OK


def shorts_deleveraged(world: World) -> int:
    """The same for longs."""
    world.deposit(3, 100_000)
    world.deposit(4, 100_000)
    world.trade(1, 3, 3 * BTC_01, 50_000, maker_buys=False)
    world.trade(4, 2, BTC_01 // 10, 50_000, maker_buys=False)
    world.put_collateral(0, 0)
    world.second += 1
    world.price(0, 60_000)
    world.liquidate(1)
    assert world.side(0, False).multiplier < ONE
    return OK


def position_closed_by_deleveraging(world: World) -> int:
    """What is left of it is money."""
    deleveraged(world, OK)
    world.settle(3)
    return OK


def closed_position_in_another_market(world: World) -> int:
    """It counts in the value of an account that trades elsewhere."""
    deleveraged(world, OK)
    world.trade(3, 2, 10_000, 2_000, market=1)
    return OK


def position_that_is_still_open(world: World) -> int:
    world.trade(1, 2, 1_000, 50_000)
    world.settle(1)
    return Code.STILL_OPEN


def nothing_to_settle(world: World) -> int:
    world.settle(1)
    return Code.NO_POSITION


def side_that_would_become_too_thin(world: World) -> int:
    """Its shares are worth the least they may be: both sides are closed whole."""
    world.deposit(4, 100_000)
    world.trade(4, 2, BTC_01 // 10, 50_000)
    apply = world.liquidate

    def liquidate(account: int, market: int = 0) -> int:
        side = world.side(0, True)
        side.shares <<= 24
        side.multiplier = MIN_MULTIPLIER
        world.put(1, side)
        return apply(account, market)

    world.liquidate = liquidate  # type: ignore[method-assign]  # the state is spoilt just before
    deleveraged(world, OK)
    assert [world.side(0, is_short).epoch for is_short in (False, True)] == [1, 1]
    return OK


def deleveraged_backstop(world: World) -> int:
    """Nobody takes over from it."""
    world.trade(0, 2, BTC_01, 50_000)
    world.put_collateral(0, -5_700 * USD)
    world.liquidate(0)
    assert world.positions(0) == {}
    return OK


def backstop_below_its_maintenance_margin(world: World) -> int:
    world.trade(0, 2, BTC_01, 50_000)
    world.put_collateral(0, -4_890 * USD)
    world.liquidate(0)
    return Code.BACKSTOP_UNABLE


def bankrupt_while_the_backstop_has_a_stale_price(world: World) -> int:
    """It is closed against the other side at once."""
    stale_elsewhere(world)
    world.put_collateral(1, -6_000 * USD)
    world.liquidate(1)
    return OK


def unhealthy_while_the_backstop_has_a_stale_price(world: World) -> int:
    """It waits."""
    stale_elsewhere(world)
    world.put_collateral(1, -4_950 * USD)
    world.liquidate(1)
    return Code.PRICE_STALE


def stale_elsewhere(world: World) -> None:
    """Account 1 is long 0.1 BTC; the backstop holds something else, whose price is too old."""
    world.trade(0, 2, 10_000, 2_000, market=1)
    world.trade(1, 2, BTC_01, 50_000)
    world.second += 31
    world.price(0, 50_000)


def side_that_is_gone(world: World) -> int:
    """Longs that nobody stands against."""
    apply = world.liquidate

    def liquidate(account: int, market: int = 0) -> int:
        world.put(1, Side(shares=0, multiplier=ONE, index=0, epoch=0))
        return apply(account, market)

    world.liquidate = liquidate  # type: ignore[method-assign]  # the state is spoilt just before
    return deleveraged(world, Code.NO_COUNTERPART)


def withdrawal_of_what_the_group_does_not_hold(world: World) -> int:
    """Somebody's profit, before whoever owes it has been liquidated."""
    short_group(world)
    world.withdraw(1, 500 * USD)
    return Code.GROUP_SHORT


def forced_withdrawal_of_what_the_group_does_not_hold(world: World) -> int:
    short_group(world)
    assert world.force_withdraw(1, 500 * USD) == Code.GROUP_SHORT
    return OK


def transfer_of_what_the_group_does_not_hold(world: World) -> int:
    short_group(world)
    world.transfer(1, 1 << GROUP_BITS | 1, 500 * USD)
    return Code.GROUP_SHORT


def transfer_out_of_a_group_with_a_loss(world: World) -> int:
    """What arrives is less the part that stays behind, and just as much as the owner wants at least."""
    lose_a_quarter(world)
    world.transfer(1, 1 << GROUP_BITS | 1, 500 * USD, least_paid=375 * USD)
    assert world.account(1 << GROUP_BITS | 1).collateral == 375 * USD
    return OK


def transfer_that_would_lose_too_much(world: World) -> int:
    """One unit more than arrives is asked for."""
    lose_a_quarter(world)
    world.transfer(1, 1 << GROUP_BITS | 1, 500 * USD, least_paid=375 * USD + 1)
    return Code.PAID_TOO_LITTLE


def withdrawal_from_a_group_with_a_loss(world: World) -> int:
    """A part stays behind, and the owner said that he would take what is paid."""
    lose_a_quarter(world)
    world.withdraw(1, 500 * USD, least_paid=375 * USD)
    assert world.withdrawal(1).amount == 375 * USD
    return OK


def withdrawal_that_would_lose_too_much(world: World) -> int:
    """One unit more than would be paid is asked for."""
    lose_a_quarter(world)
    world.withdraw(1, 500 * USD, least_paid=375 * USD + 1)
    return Code.PAID_TOO_LITTLE


def forced_withdrawal_that_would_lose_too_much(world: World) -> int:
    """Refused with a code, and nothing moves."""
    lose_a_quarter(world)
    assert world.force_withdraw(1, 500 * USD, least_paid=375 * USD + 1) == Code.PAID_TOO_LITTLE
    assert (world.account(1).collateral, world.group().money) == (1_000 * USD, 3_000 * USD)
    return OK


def forced_withdrawal_that_loses_what_it_may(world: World) -> int:
    lose_a_quarter(world)
    assert world.force_withdraw(1, 500 * USD, least_paid=375 * USD) == OK
    return OK


def withdrawal_of_nothing_but_loss(world: World) -> int:
    """All of it stays behind: no record is written."""
    group = world.group()
    group.fund, group.money = -group.money, 0
    world.put(0, group)
    world.force_withdraw(1, 500 * USD)
    assert world.system.next_withdrawal == 1
    return OK


def lose_a_quarter(world: World) -> None:
    """The group holds 3,000 USD of the 4,000 that its accounts claim."""
    group = world.group()
    group.fund = -group.money // 3
    world.put(0, group)


def short_group(world: World) -> None:
    group = world.group()
    group.money = 100 * USD
    world.put(0, group)


def put_side(world: World, is_short: bool, **changes: int) -> None:
    """Change fields of a side of market 0."""
    side = world.side(0, is_short)
    for name, value in changes.items():
        setattr(side, name, value)
    world.put(int(is_short), side)


def accrue(world: World, sign: int = 1) -> int:
    """A price after a while in which somebody paid somebody."""
    funding = world.funding(0)
    funding.rate = sign
    world.put(0, funding)
    world.second += 1
    world.price(0, 50_000)
    return Code.VALUE_BOUND


def longs_paid_beyond_their_bound(world: World) -> int:
    put_side(world, False, index=1 << 168)
    return accrue(world, -1)


def shorts_paid_beyond_their_bound(world: World) -> int:
    put_side(world, True, index=1 << 168)
    return accrue(world)


def remainder_beyond_its_bound(world: World) -> int:
    """Shorts that no long stands against are paid all the same."""
    put_side(world, True, shares=1 << 80)
    funding = world.funding(0)
    funding.remainder = -(1 << 240)
    world.put(0, funding)
    return accrue(world)


def deleveraged_beyond_the_bound_of_an_index(world: World) -> int:
    """Shorts pay for what is closed."""
    put_side(world, True, index=-(1 << 168))
    return deleveraged(world, Code.VALUE_BOUND)


def deleveraged_beyond_the_bound_of_the_remainder(world: World) -> int:
    world.deposit(4, 100_000)
    world.trade(4, 2, 7_000_000, 50_000)
    funding = world.funding(0)
    funding.remainder = 1 << 240
    world.put(0, funding)
    return deleveraged(world, Code.VALUE_BOUND)


def shares_beyond_any_size(world: World) -> int:
    """A position in a side whose shares are worth too much."""
    world.put_position(1, 3, 1, 1 << 84)
    world.trade(1, 2, 1_000, 50_000)
    return Code.POSITION_BOUND


def backstop_that_is_rid_of_its_position(world: World) -> int:
    """It takes over just what it is short of."""
    world.deposit(0, 100_000)
    world.trade(1, 0, BTC_01, 50_000)
    account = world.account(1)
    world.put_collateral(1, account.collateral - 950 * USD)
    world.liquidate(1)
    assert world.positions(0) == {}
    return OK


def backstop_that_takes_over_a_short(world: World) -> int:
    world.deposit(0, 100_000)
    world.trade(1, 2, BTC_01, 50_000, maker_buys=False)
    account = world.account(1)
    world.put_collateral(1, account.collateral - 950 * USD)
    world.liquidate(1)
    assert world.positions(0) == {0: -BTC_01}
    return OK


def forced_settlement(world: World) -> int:
    deleveraged(world, OK)
    world.force_action(Settle(3, 0))
    return OK


def settlement_with_a_byte_too_many(world: World) -> int:
    world.apply_bytes(Sequenced(world.second, Settle(1, 0)).encode() + b"\0")
    return Code.MALFORMED


def settlement_of_no_account(world: World) -> int:
    world.settle(1 << 36)
    return Code.UNKNOWN_ACCOUNT


def settlement_in_no_market(world: World) -> int:
    world.settle(1, 2)
    return Code.UNKNOWN_MARKET


def liquidation_through_two_tiers(world: World) -> int:
    """What lies in the higher tier goes first, and does not suffice."""
    tiers = ((10_000, 100_000, 50_000), (50_000, 250_000, 100_000))
    for number, (begins, initial, maintenance) in enumerate(tiers, 1):
        tier = MarginTier(
            from_notional=begins * USD, initial_margin_ppm=initial, maintenance_margin_ppm=maintenance
        )
        world.put(number, tier)
    for account in range(3):
        world.deposit(account, 1_000_000)
    world.trade(1, 2, 12 * BTC_01, 50_000)
    collateral = -(60_000 - 2_300) * USD
    world.put_collateral(1, collateral)
    world.liquidate(1)
    assert world.positions(1) == {0: 12 * BTC_01 - 38_737_000}
    return OK


def whole_position_that_cannot_help(world: World) -> int:
    """A large buffer and a penalty as large as the margin: all of it is worth less than what is missing."""
    market, parameters = world.market(0), world.parameters
    market.liquidation_penalty_ppm = market.maintenance_margin_ppm
    parameters.liquidation_buffer_ppm = 500_000
    world.put(0, market)
    world.put(0, parameters)
    world.deposit(0, 100_000)
    world.trade(1, 2, BTC_01, 50_000)
    world.put_collateral(1, world.account(1).collateral - 895 * USD)
    world.liquidate(1)
    assert world.positions(1) == {}
    return OK


def market_that_would_change_its_group(world: World) -> int:
    """A market is listed in one group for good."""
    world.propose(0, replace(FREE, group=1))
    return Code.MARKET_FIXED


def fill_beyond_any_size(world: World) -> int:
    """More than a position may ever be, in units of the law."""
    size = (1 << 61) // 1_000 * 1_000 + 2_000
    orders = (world.order_units(1, True, size, 1), world.order_units(2, False, size, 1))
    world.act(Trade(size, 1, *orders))
    return Code.POSITION_BOUND


LOSS_BUILDERS: Final = (
    account_of_another_group,
    last_position_of_a_side,
    one_position_of_many,
    shorts_deleveraged,
    position_closed_by_deleveraging,
    closed_position_in_another_market,
    position_that_is_still_open,
    nothing_to_settle,
    side_that_would_become_too_thin,
    deleveraged_backstop,
    backstop_below_its_maintenance_margin,
    bankrupt_while_the_backstop_has_a_stale_price,
    unhealthy_while_the_backstop_has_a_stale_price,
    side_that_is_gone,
    withdrawal_of_what_the_group_does_not_hold,
    forced_withdrawal_of_what_the_group_does_not_hold,
    transfer_of_what_the_group_does_not_hold,
    transfer_out_of_a_group_with_a_loss,
    withdrawal_from_a_group_with_a_loss,
    withdrawal_that_would_lose_too_much,
    forced_withdrawal_that_would_lose_too_much,
    forced_withdrawal_that_loses_what_it_may,
    transfer_that_would_lose_too_much,
    withdrawal_of_nothing_but_loss,
    longs_paid_beyond_their_bound,
    shorts_paid_beyond_their_bound,
    remainder_beyond_its_bound,
    deleveraged_beyond_the_bound_of_an_index,
    deleveraged_beyond_the_bound_of_the_remainder,
    shares_beyond_any_size,
    backstop_that_is_rid_of_its_position,
    backstop_that_takes_over_a_short,
    forced_settlement,
    settlement_with_a_byte_too_many,
    settlement_of_no_account,
    settlement_in_no_market,
    liquidation_through_two_tiers,
    whole_position_that_cannot_help,
    market_that_would_change_its_group,
    fill_beyond_any_size,
)

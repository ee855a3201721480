"""Histories in which something happens that random ones seldom come to. All inputs could stand on L1."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from optimist.derive.actions import Trade
from optimist.stf.records import WindDown
from tests.support.world import ETH, FREE, USD, World

BTC_01: Final = 10**7


def build_world() -> World:
    """Two markets in one group, a third in another; every unit is a lot."""
    single = replace(FREE, lot=1)
    world = World(markets=(single, ETH, replace(FREE, group=1)))
    for account in (1, 2, 3, 4, 5):
        world.deposit(account, 300 if account == 1 else 10_000)
    world.deposit(6, 10_000, owner="trader 2")
    world.deposit(1 << 32 | 2, 10_000)
    for market, usd in enumerate((50_000, 2_000, 50_000)):
        world.price(market, usd)
    return world


def trade_in_the_family(world: World) -> None:
    orders = (world.order(2, True, BTC_01, 50_000), world.order(6, False, BTC_01, 50_000, signer="trader 2"))
    world.act(Trade(BTC_01, 50_000 * 10**8, *orders))


def trade_in_the_market_of_another_group(world: World) -> None:
    world.trade(2, 3, BTC_01, 50_000, market=2)
    world.trade(1 << 32 | 2, 3, BTC_01, 50_000, market=2)


def trade_on_cancelled_orders(world: World) -> None:
    world.cancel_all(2, 50)
    world.trade(2, 3, BTC_01, 50_000)


def trade_on_dead_nonces(world: World) -> None:
    world.trade(2, 3, BTC_01, 50_000, nonce=90)
    late = (
        world.order(2, True, 3 * BTC_01, 50_000, nonce=80),
        world.order(3, False, 3 * BTC_01, 50_000, nonce=80),
    )
    world.act(Trade(BTC_01, 50_000 * 10**8, *late))


def trade_a_single_unit(world: World) -> None:
    world.trade(2, 3, 1, 50_000)


def cancel_less_than_was_cancelled(world: World) -> None:
    world.cancel_all(2, 50)
    world.force_cancel_all(2, 20)
    world.force_cancel_all(2, 60, sender="thief")


def cancel_a_slot_again(world: World) -> None:
    world.cancel(2, 1, 50)
    world.cancel(2, 1, 50)
    world.cancel(2, 1, 40)


def close_a_part_of_a_side(world: World) -> None:
    """What is left of the shorts is no whole part of a unit a share."""
    world.trade(1, 2, BTC_01, 50_000)
    world.trade(4, 3, 7_000_001, 50_000)
    world.second += 1
    world.price(0, 47_500)
    world.liquidate(1)


def close_a_whole_side_and_settle(world: World) -> None:
    world.trade(1, 2, BTC_01, 50_000)
    world.second += 1
    world.price(0, 47_500)
    world.liquidate(1)
    world.trade(3, 4, BTC_01, 47_500)
    world.settle(2)
    world.settle(3)


def use_up_nonces(world: World) -> None:
    """With a session key; those that are left are the owner's."""
    world.lend_key(2, 3, "session")
    for nonce in (1 << 63, (1 << 63) - 1):
        world.cancel(2, 0, nonce, "session", 3)
        world.cancel_all(2, nonce, "session", 3)
        orders = (
            world.order(2, True, BTC_01, 50_000, signer="session", key=3, nonce=nonce),
            world.order(3, False, BTC_01, 50_000),
        )
        world.act(Trade(BTC_01, 50_000 * 10**8, *orders))


def deleverage_the_backstop(world: World) -> None:
    """It is unhealthy, then below its close-out margin."""
    world.deposit(0, 300)
    world.trade(0, 2, BTC_01, 50_000)
    for usd in (48_000, 47_500):
        tick(world, usd)
        world.liquidate(0)


def liquidate_beside_a_market_that_stands_still(world: World) -> None:
    """The backstop holds something there. The account is below its close-out margin, then bankrupt."""
    world.deposit(0, 10_000)
    world.trade(0, 2, 10_000, 2_000, market=1)
    world.trade(1, 3, BTC_01, 50_000)
    world.second += 31
    for usd in (47_500, 46_500):
        tick(world, usd)
        world.liquidate(1)


def repeat_a_transfer(world: World) -> None:
    world.transfer(2, 1 << 32 | 2, USD)
    world.apply_bytes(world.inputs[-1])
    world.transfer(2, 6, USD)
    world.transfer(2, 3, USD)
    world.transfer(2, 1 << 32 | 3, USD)
    world.trade(2, 3, BTC_01, 50_000)
    world.transfer(2, 6, 9_700 * USD)


def act_for_others(world: World) -> None:
    """What only an owner may force, and a deposit to an account of somebody else's."""
    world.force_withdraw(2, USD, sender="thief")
    world.lend_key(2, 3, "session")
    world.force_session_end(2, 3, sender="thief")
    world.deposit(2, 10, owner="thief")


def act_too_late(world: World) -> None:
    """An expired order, an expired key, an order that bears no such fee."""
    world.trade(2, 3, BTC_01, 50_000, expiry=world.second - 1)
    world.trade(2, 3, 10**6, 2_000, market=1, max_fee_ppm=0)
    world.lend_key(2, 3, "session", expiry=world.second)
    world.second += 5
    orders = (
        world.order(2, True, BTC_01, 50_000, signer="session", key=3),
        world.order(3, False, BTC_01, 50_000),
    )
    world.act(Trade(BTC_01, 50_000 * 10**8, *orders))


def sign_prices_badly(world: World) -> None:
    """One key twice, a price from the future, the word of another key."""
    world.second += 1
    world.act(world.price_update(0, [(0, 50_000 * 10**8), (0, 50_000 * 10**8), (1, 50_000 * 10**8)]))
    world.price(0, 50_000, at=world.second + 61)
    good = world.price_update(0, [(key, 50_000 * 10**8) for key in range(3)])
    world.act(replace(good, prices=(replace(good.prices[0], signer=4), *good.prices[1:])))


def close_what_lives(world: World) -> None:
    """A market that lives, one that is announced twice, one that comes back, and then for good."""
    rule = world.record(WindDown, 0)
    world.trade(2, 3, BTC_01, 50_000)
    world.close()
    world.pass_silence(rule.silence)
    world.close()
    world.close()
    world.second += 1
    world.price(0, 50_000)
    world.pass_silence(rule.window)
    world.close()
    world.pass_silence(rule.silence)
    world.close()
    world.pass_silence(rule.window - 1)
    world.close()
    world.pass_silence(1)
    world.close()
    world.withdraw(4, USD)
    world.transfer(4, 1 << 32 | 4, USD)
    world.settle(2)
    world.settle(3)
    world.pass_silence(rule.window)
    world.withdraw(4, USD)


def take_over_from_the_last_of_a_side(world: World) -> None:
    """The backstop is all that is short, on a side that was deleveraged; what it takes over empties it."""
    world.withdraw(4, 9_600 * USD)
    world.trade(1, 2, BTC_01, 50_000)
    world.trade(4, 2, BTC_01, 50_000)
    tick(world, 47_500)
    world.liquidate(1)
    world.deposit(0, 10_000)
    bought, sold = world.order(2, True, BTC_01, 47_500), world.order(0, False, BTC_01, 47_500)
    world.act(Trade(BTC_01, 47_500 * 10**8, bought, sold))
    tick(world, 46_900)
    world.liquidate(4)


def leave_a_part_behind(world: World) -> None:
    """The group carries a loss; an owner wants all of what he withdraws, or nothing."""
    world.trade(1, 2, BTC_01, 50_000)
    tick(world, 20_000)
    world.liquidate(1)
    world.withdraw(3, 100 * USD, least_paid=100 * USD)
    world.withdraw(3, 100 * USD, least_paid=10 * USD)


TURNS: Final[tuple[Callable[[World], None], ...]] = (
    trade_in_the_family,
    trade_in_the_market_of_another_group,
    trade_on_cancelled_orders,
    trade_on_dead_nonces,
    trade_a_single_unit,
    cancel_less_than_was_cancelled,
    cancel_a_slot_again,
    close_a_part_of_a_side,
    close_a_whole_side_and_settle,
    use_up_nonces,
    deleverage_the_backstop,
    liquidate_beside_a_market_that_stands_still,
    repeat_a_transfer,
    act_for_others,
    act_too_late,
    sign_prices_badly,
    close_what_lives,
    take_over_from_the_last_of_a_side,
    leave_a_part_behind,
)


def fill_all_slots() -> World:
    """As many positions as an account may have, and one more."""
    world = World(markets=(FREE,) * 5)
    for account in (2, 3):
        world.deposit(account, 10_000)
    for market in range(5):
        world.price(market, 50_000)
        world.trade(2, 3, 10**6, 50_000, market=market)
    return world


def withdraw_what_the_group_does_not_hold() -> World:
    """The profit of an account, before whoever owes it is liquidated."""
    world = World(markets=(FREE,))
    for account in (1, 2):
        world.deposit(account, 300)
    world.price(0, 50_000)
    world.trade(1, 2, BTC_01, 50_000)
    tick(world, 40_000)
    world.withdraw(2, 900 * USD)
    world.force_withdraw(2, 900 * USD)
    return world


def deleverage_nearly_all_of_a_side() -> World:
    """One unit of 2^26 would be left."""
    world = build_world()
    size = 1 << 26
    world.deposit(1, 1_500)
    world.trade(1, 3, size, 50_000)
    world.trade(4, 3, 1, 50_000)
    tick(world, 47_400)
    world.liquidate(1)
    return world


def trade_where_funding_keeps_a_remainder() -> World:
    """Shorts are larger than longs, so the fund will have to pay; nobody who trades is owed anything."""
    paying = replace(FREE, lot=1, interest=10**8, damper=10**8, max_rate=10**7)
    world = World(markets=(paying,))
    for account in (1, 2, 3, 4, 5, 6):
        world.deposit(account, 300 if account == 1 else 10_000)
    world.price(0, 50_000)
    close_a_part_of_a_side(world)
    world.trade(4, 3, BTC_01, 47_500)
    world.second += 3_000
    tick(world, 47_500)
    tick(world, 47_500)
    world.trade(5, 6, BTC_01, 47_500)
    return world


def close_from_a_queue_that_is_late() -> World:
    """What must wait for the end of a window is enqueued a second before it, and carried out long after."""
    world = build_world()
    world.trade(2, 3, BTC_01, 50_000)
    window = world.init.window
    world.pass_silence(world.init.silence)
    world.close()
    due = world.second + window
    world.pass_silence(3 * window)
    world.close(enqueued_at=due - 1)
    world.close(enqueued_at=due)
    held_until = world.second + window
    world.pass_silence(3 * window)
    world.force_withdraw(4, USD, enqueued_at=held_until - 1)
    world.force_withdraw(4, USD, enqueued_at=held_until)
    return world


def reduce_at_yesterdays_price() -> World:
    """In a public batch, by an input that was enqueued when the price was fresh."""
    world = build_world()
    world.deposit(0, 10_000)
    world.trade(2, 3, BTC_01, 50_000)
    at = world.second
    world.pass_silence(86_400)
    world.force_reduce(2, BTC_01, 1, enqueued_at=at)
    return world


def tick(world: World, usd: int) -> None:
    """A second later, another price."""
    world.second += 1
    world.price(0, usd)


WORLDS: Final[tuple[Callable[[], World], ...]] = (
    fill_all_slots,
    withdraw_what_the_group_does_not_hold,
    deleverage_nearly_all_of_a_side,
    trade_where_funding_keeps_a_remainder,
    close_from_a_queue_that_is_late,
    reduce_at_yesterdays_price,
)


def build_histories() -> list[tuple[bytes, ...]]:
    """The inputs of every turn, from INIT on."""
    histories = [tuple(build().inputs) for build in WORLDS]
    for turn in TURNS:
        world = build_world()
        turn(world)
        histories.append(tuple(world.inputs))
    return histories

"""A dead market: announced, closed at one price, losses settled, everybody leaves."""

from fractions import Fraction

import pytest

from optimist.derive.actions import Liquidate, Settle
from optimist.provable import State
from optimist.stf.codes import Code
from optimist.stf.constants import GROUP_BITS
from optimist.stf.law import get_law
from optimist.stf.records import Closing, Position
from tests.support.world import BTC, FREE, OK, USD, World, build_init

SILENCE = 10_000  # s, as INIT says in `build_init`
WINDOW = 500  # s
BTC_01 = 10**7


def traded() -> World:
    """Account 1 is long, 2 is short, 0.1 BTC at 50,000."""
    world = World(markets=(FREE, BTC))
    for account in (0, 1, 2, 3):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    return world


def closed(price: int = 50_000) -> World:
    """The same, dead and closed at `price`."""
    world = traded()
    world.second += 1
    world.price(0, price)
    world.pass_silence(SILENCE)
    assert world.close() == OK
    world.pass_silence(WINDOW)
    assert world.close() == OK
    return world


def test_market_that_lives_is_not_closed() -> None:
    world = traded()
    world.pass_silence(SILENCE - 1)
    assert world.close() == Code.NOT_DEAD
    world.pass_silence(1)
    assert world.close() == OK


def test_closing_is_announced_and_waits_for_its_window() -> None:
    world = traded()
    world.pass_silence(SILENCE)
    assert world.close() == OK
    assert world.record(Closing, 0).announced_at == world.second
    assert world.positions(1) != {}
    world.pass_silence(WINDOW - 1)
    assert world.close() == Code.CLOSING_NOT_DUE
    world.pass_silence(1)
    assert world.close() == OK
    assert world.positions(1) == world.positions(2) == {}
    assert world.record(Closing, 0).announced_at == 0
    world.check()


def test_market_whose_price_is_silent_is_dead_though_the_sequencer_lives() -> None:
    world = traded()
    for _ in range(4):
        world.pass_silence(SILENCE // 4, mode=0)
        assert world.act(world.price_update(1, [(0, 50_000), (1, 50_000), (2, 50_000)])) == OK
    assert world.system.last_sequenced == world.second
    assert world.close() == OK
    world.pass_silence(WINDOW, mode=0)
    assert world.close() == OK


def test_price_that_comes_back_voids_the_announcement() -> None:
    world = traded()
    for _ in range(4):
        world.pass_silence(SILENCE // 4, mode=0)
        world.act(world.price_update(1, [(0, 50_000), (1, 50_000), (2, 50_000)]))
    assert world.close() == OK
    world.second += 1
    assert world.price(0, 51_000) == OK
    world.pass_silence(WINDOW, mode=0)
    assert world.close() == Code.NOT_DEAD
    world.pass_silence(SILENCE, mode=0)
    assert world.close() == OK, "a new announcement, which waits for a window of its own"
    assert world.close() == Code.CLOSING_NOT_DUE
    assert world.positions(1) != {}


def test_sequencer_that_comes_back_voids_the_announcement() -> None:
    world = traded()
    world.pass_silence(SILENCE)
    assert world.close() == OK
    world.second += 1
    assert world.price(0, 50_000) == OK
    world.pass_silence(WINDOW)
    assert world.close() == Code.NOT_DEAD


def test_price_at_which_a_market_closes_may_be_forced_until_then() -> None:
    world = traded()
    world.pass_silence(SILENCE)
    assert world.close() == OK
    newer = world.price_update(0, [(key, 60_000 * 10**8) for key in (0, 1, 2)])
    assert world.force_action(newer) == OK
    again = world.price_update(0, [(key, 60_000 * 10**8) for key in (0, 1, 2)], at=world.second + 1)
    assert world.force_action(again) == OK
    world.pass_silence(WINDOW)
    assert world.close() == OK
    assert world.unpaid(1, 0) == Fraction(BTC_01 * 60_000 * USD, 10**8)


def test_closing_that_was_enqueued_within_the_window_is_refused_however_late_it_is_carried_out() -> None:
    """Else it could stand in the queue before prices that were forced in, and close at an older one."""
    world = traded()
    world.pass_silence(SILENCE)
    assert world.close() == OK
    due = world.second + WINDOW
    world.pass_silence(10 * WINDOW)
    assert world.close(enqueued_at=due - 1) == Code.CLOSING_NOT_DUE
    assert world.close(enqueued_at=due) == OK


def test_withdrawal_that_was_enqueued_while_the_group_was_held_stays_behind_the_settlements() -> None:
    """Else whoever forces it at once is carried out before them, and leaves his part to others."""
    world = closed(70_000)
    held_until = world.group().held_until
    world.pass_silence(10 * WINDOW)
    assert world.force_withdraw(3, USD, enqueued_at=held_until - 1) == Code.GROUP_HELD
    assert world.force_withdraw(3, USD, enqueued_at=held_until) == OK


def test_clock_that_lags_behind_l1_shortens_no_window() -> None:
    """A sequencer may keep the clock back: what was enqueued late enough still waits for it."""
    world = traded()
    world.pass_silence(SILENCE)
    assert world.close() == OK
    world.pass_silence(WINDOW - 1, mode=0)
    assert world.close(enqueued_at=world.second + 1_000) == Code.CLOSING_NOT_DUE
    world.pass_silence(1)
    assert world.close() == OK
    world.pass_silence(WINDOW - 1, mode=0)
    assert world.force_withdraw(3, USD, enqueued_at=world.second + 1_000) == Code.GROUP_HELD


def test_everybody_is_paid_the_same_price_and_leaves() -> None:
    world = closed(51_000)
    world.pass_silence(WINDOW)
    # Account 1 paid 5,000 for what is worth 5,100 now.
    assert world.force_withdraw(1, 1_100 * USD + 1) == Code.BELOW_INITIAL_MARGIN
    assert world.force_withdraw(1, 1_100 * USD) == OK
    assert world.force_withdraw(2, 900 * USD) == OK
    assert world.force_withdraw(3, 1_000 * USD) == OK
    assert world.force_withdraw(0, 1_000 * USD, sender="backstop") == OK
    assert world.group().money == 0
    world.check()


def test_closed_positions_are_settled_by_anybody() -> None:
    world = closed(51_000)
    assert world.force_action(Settle(1, 0)) == OK
    assert world.account(1).collateral == 1_100 * USD
    assert world.record(Position, 1 << 4).market_plus_one == 0
    assert world.force_action(Settle(1, 0)) == Code.NO_POSITION


def test_no_money_leaves_the_group_while_losses_are_being_settled() -> None:
    world = closed(51_000)
    assert world.force_withdraw(3, USD) == Code.GROUP_HELD
    world.pass_silence(WINDOW - 1)
    assert world.force_withdraw(3, USD) == Code.GROUP_HELD
    world.pass_silence(1)
    assert world.force_withdraw(3, USD) == OK


def test_signed_withdrawals_and_transfers_are_held_as_well() -> None:
    world = closed(51_000)
    assert world.withdraw(3, USD) == Code.GROUP_HELD
    assert world.transfer(3, 1 << GROUP_BITS | 3, USD) == Code.GROUP_HELD
    assert world.transfer(3, 2, USD) == Code.OTHER_OWNER
    world.second += WINDOW
    assert world.withdraw(3, USD) == OK
    assert world.transfer(3, 1 << GROUP_BITS | 3, USD) == OK


def test_other_groups_are_not_held() -> None:
    world = traded()
    world.deposit(1 << GROUP_BITS | 1, 100)
    world.pass_silence(SILENCE)
    world.close()
    world.pass_silence(WINDOW)
    assert world.close() == OK
    assert world.force_withdraw(1 << GROUP_BITS | 1, 100 * USD) == OK


def test_what_bankrupt_accounts_owe_is_carried_by_all_who_leave() -> None:
    """The short has lost 2,000 and had 1,000; all others claim 5,000, and 1,000 of it is missing."""
    world = traded()
    world.second += 1
    world.price(0, 70_000)
    world.pass_silence(SILENCE)
    world.close()
    world.pass_silence(WINDOW)
    assert world.close() == OK
    assert world.force_action(Settle(2, 0)) == OK
    assert world.account(2).collateral == 0
    assert world.fund == -1_000 * USD
    assert world.force_action(Settle(1, 0)) == OK
    assert world.account(1).collateral == 3_000 * USD
    world.check()
    world.pass_silence(WINDOW)
    for account in (1, 3, 0):
        sender = "backstop" if account == 0 else None
        assert world.force_withdraw(account, world.account(account).collateral, sender) == OK
    paid = [world.withdrawal(row).amount for row in (1, 2, 3)]
    assert paid == [2_400 * USD, 800 * USD, 800 * USD]
    assert (world.group().money, world.fund) == (0, 0)
    world.check()


def test_an_account_with_another_position_is_not_written_off() -> None:
    world = World(markets=(FREE, FREE))
    for account in (0, 1, 2):
        world.deposit(account, 1_000)
    for market in (0, 1):
        world.price(market, 50_000)
        assert world.trade(1, 2, BTC_01, 50_000, market=market) == OK
    world.second += 1
    world.price(0, 65_000)
    world.price(1, 40_000)
    world.pass_silence(SILENCE)
    for _ in range(2):
        assert [world.close(market) for market in (0, 1)] == [OK, OK]
        world.pass_silence(WINDOW)
    # Longs won 1,500 and lost 1,000; shorts the other way round. Nobody is bankrupt in the end.
    assert world.force_action(Settle(2, 0)) == OK
    assert world.account(2).collateral == (1_000 + 10_000 - 6_500) * USD
    assert world.force_action(Settle(1, 1)) == OK
    assert world.fund == 0
    for account, market in ((1, 0), (2, 1)):
        assert world.force_action(Settle(account, market)) == OK
    assert [world.account(account).collateral for account in (1, 2)] == [1_500 * USD, 500 * USD]
    assert world.fund == 0
    world.check()


def test_liquidation_is_possible_until_the_market_closes() -> None:
    world = traded()
    world.deposit(0, 100_000)
    world.pass_silence(SILENCE)
    assert world.close() == OK
    newer = world.price_update(0, [(key, 41_000 * 10**8) for key in (0, 1, 2)])
    assert world.force_action(newer) == OK
    world.pass_silence(1)
    newer = world.price_update(0, [(key, 41_000 * 10**8) for key in (0, 1, 2)])
    assert world.force_action(newer) == OK
    assert world.force_action(Liquidate(1, 0)) == OK
    world.pass_silence(WINDOW)
    assert world.close() == OK
    world.check()


def test_market_with_nobody_in_it_is_never_closed() -> None:
    """Or anybody could hold up the group's money again and again."""
    world = closed()
    world.pass_silence(SILENCE)
    assert world.close() == Code.NO_POSITION
    assert world.close(1) == Code.NO_POSITION
    assert world.close(2) == Code.UNKNOWN_MARKET


def test_market_begins_anew_when_its_sequencer_returns() -> None:
    world = closed(51_000)
    for _ in range(2):  # the first one after a long silence must be confirmed
        world.second += 1
        assert world.price(0, 52_000) == OK
    assert world.trade(1, 2, 1_000, 52_000) == OK
    assert world.positions(1) == {0: 1_000}
    world.check()


def test_deleveraged_market_closes_to_the_last_part() -> None:
    """Sizes are no whole units any more, and shorts are a little larger than longs."""
    world = traded()
    world.deposit(3, 100_000)
    world.trade(3, 2, 3_333 * 1_000, 50_000)
    world.deposit(4, 1_000_000)
    world.trade(4, 3, 7 * BTC_01, 50_000, maker_buys=False)
    world.put_collateral(0, 0)
    world.put_fund(-1_000 * USD)
    world.deposited -= 1_000 * USD
    world.second += 1
    world.price(0, 41_000)
    world.liquidate(1)
    world.check_sides()
    world.second += 1
    world.price(0, 41_003)
    world.pass_silence(SILENCE)
    world.close()
    world.pass_silence(WINDOW)
    assert world.close() == OK
    for account in (1, 2, 3, 4):
        for market in world.markets_of(account):
            assert world.force_action(Settle(account, market)) == OK
    world.check_sides()


@pytest.mark.parametrize(("silence", "window"), [(0, 1), (1, 0)])
def test_init_without_a_silence_or_a_window_is_refused(silence: int, window: int) -> None:
    init = build_init(silence=silence, window=window)
    assert State().apply(get_law("minimal"), init.encode()).code == Code.BAD_WIND_DOWN

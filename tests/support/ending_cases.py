"""Edge cases of markets that are dead: announced, closed, settled, held. Part of `edge_cases.py`."""

from typing import Final

from optimist.stf.codes import Code
from optimist.stf.constants import GROUP_BITS
from optimist.stf.records import Closing, Group, WindDown
from tests.support.world import OK, USD, World

BTC_01: Final = 10**7
LAST_SECOND: Final = (1 << 40) - 1


def dead(world: World) -> None:
    """Account 1 is long 0.1 BTC, 2 is short; then nobody sequences anything any more."""
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    world.pass_silence(world.record(WindDown, 0).silence)


def closed(world: World, price: int) -> None:
    """The same, closed at `price`."""
    world.second += 1
    world.price(0, price)
    dead(world)
    assert world.close() == OK
    world.pass_silence(world.record(WindDown, 0).window)
    assert world.close() == OK


def closing_of_a_market_that_lives(world: World) -> int:
    world.trade(1, 2, BTC_01, 50_000)
    world.close()
    return Code.NOT_DEAD


def closing_of_an_empty_market(world: World) -> int:
    world.pass_silence(world.record(WindDown, 0).silence)
    world.close()
    return Code.NO_POSITION


def closing_of_no_market(world: World) -> int:
    world.close(2)
    return Code.UNKNOWN_MARKET


def closing_with_a_byte_too_many(world: World) -> int:
    world.force_bytes(b"\x12\0\0\0")
    return Code.MALFORMED


def closing_that_is_announced(world: World) -> int:
    dead(world)
    world.close()
    return OK


def closing_of_a_market_without_a_price(world: World) -> int:
    """The sequencer is there; the last price is not."""
    dead(world)
    system = world.system
    system.last_sequenced = system.clock
    world.put(0, system)
    world.close()
    return OK


def closing_before_its_time(world: World) -> int:
    dead(world)
    world.close()
    world.close()
    return Code.CLOSING_NOT_DUE


def closing_that_was_enqueued_before_its_time(world: World) -> int:
    dead(world)
    world.close()
    window = world.record(WindDown, 0).window
    world.pass_silence(2 * window)
    world.close(enqueued_at=world.second - window - 1)
    return Code.CLOSING_NOT_DUE


def closing_of_both_sides(world: World) -> int:
    closed(world, 50_000)
    return OK


def closing_whose_window_never_ends(world: World) -> int:
    dead(world)
    world.put(0, Closing(announced_at=LAST_SECOND))
    world.close()
    return Code.SECOND_AFTER_LIMIT


def closing_that_holds_money_for_ever(world: World) -> int:
    dead(world)
    window = world.record(WindDown, 0).window
    world.put(0, Closing(announced_at=world.second))
    system = world.system
    system.clock = LAST_SECOND - window + 1
    world.put(0, system)
    world.close(enqueued_at=LAST_SECOND)
    return Code.SECOND_AFTER_LIMIT


def settlement_that_is_written_off(world: World) -> int:
    """A bankrupt long."""
    closed(world, 50_000)
    world.put_collateral(1, -6_000 * USD)
    world.settle(1)
    assert world.account(1).collateral == 0
    return OK


def settlement_of_one_of_two_closed_positions(world: World) -> int:
    """It owes, and has another position: it may be no loss in the end."""
    world.trade(1, 2, 10_000, 2_000, market=1)
    closed(world, 50_000)
    world.put_collateral(1, -6_000 * USD)
    world.settle(1)
    assert world.account(1).collateral < 0
    return OK


def loss_beyond_any_fund(world: World) -> int:
    closed(world, 50_000)
    world.put_collateral(1, -6_000 * USD)
    world.put(0, Group(fund=-((1 << 63) - 1), money=0, held_until=0))
    world.settle(1)
    return Code.COLLATERAL_BOUND


def withdrawal_that_needs_no_price(world: World) -> int:
    """All that the account holds is closed."""
    closed(world, 50_000)
    world.second += world.record(WindDown, 0).window
    world.withdraw(1, USD)
    return OK


def withdrawal_from_a_group_that_is_held(world: World) -> int:
    hold(world)
    world.withdraw(1, USD)
    return Code.GROUP_HELD


def forced_withdrawal_from_a_group_that_is_held(world: World) -> int:
    hold(world)
    assert world.force_withdraw(1, USD) == Code.GROUP_HELD
    return OK


def forced_withdrawal_that_was_enqueued_while_its_group_was_held(world: World) -> int:
    hold(world)
    world.pass_silence(1)
    assert world.force_withdraw(1, USD, enqueued_at=world.second - 1) == Code.GROUP_HELD
    return OK


def transfer_out_of_a_group_that_is_held(world: World) -> int:
    hold(world)
    world.transfer(1, 1 << GROUP_BITS | 1, USD)
    return Code.GROUP_HELD


def hold(world: World) -> None:
    """Let no money leave group 0 before the next second."""
    group = world.group()
    group.held_until = world.second + 1
    world.put(0, group)


ENDING_BUILDERS: Final = (
    closing_of_a_market_that_lives,
    closing_of_an_empty_market,
    closing_of_no_market,
    closing_with_a_byte_too_many,
    closing_that_is_announced,
    closing_of_a_market_without_a_price,
    closing_before_its_time,
    closing_that_was_enqueued_before_its_time,
    closing_of_both_sides,
    closing_whose_window_never_ends,
    closing_that_holds_money_for_ever,
    settlement_that_is_written_off,
    settlement_of_one_of_two_closed_positions,
    loss_beyond_any_fund,
    withdrawal_that_needs_no_price,
    withdrawal_from_a_group_that_is_held,
    forced_withdrawal_from_a_group_that_is_held,
    forced_withdrawal_that_was_enqueued_while_its_group_was_held,
    transfer_out_of_a_group_that_is_held,
)

"""States that no sequence of inputs reaches, each with an input: the bounds that are there to be sure.

Each case is complete: its records, its input, and the code that the law must give (0: accepted).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from optimist.derive.actions import Deposit, Forced, Trade
from optimist.stf.codes import Code
from optimist.stf.constants import GROUP_BITS, ONE, PRICE_UNCONFIRMED, TIER_BITS
from optimist.stf.law import get_law
from optimist.stf.records import FeeTier, Market, Side
from tests.support.ending_cases import ENDING_BUILDERS
from tests.support.loss_cases import LOSS_BUILDERS
from tests.support.request_cases import build_request_cases
from tests.support.world import ETH, FREE, OK, PRICE, START, USD, World, address, confirmed_price

EDGE: Final = (1 << 63) - 1
LAST_ROW: Final = (1 << 40) - 1
BTC_01: Final = 10**7


@dataclass(frozen=True)
class Case:
    """One input on one state."""

    name: str
    preset: str
    records: Mapping[int, bytes]
    input: bytes
    code: int

    def __str__(self) -> str:
        return self.name


def build_edge_cases(preset: str) -> list[Case]:
    """All cases, by name."""
    return [build(preset, builder) for builder in BUILDERS]


def build(preset: str, builder: Callable[[World], int]) -> Case:
    """Run a builder: its last input is the case, the state before it are the records."""
    world = World(preset, markets=(FREE, ETH))
    for account in (0, 1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    world.price(1, 2_000)
    snapshots: list[dict[int, bytes]] = []
    apply = world.apply_bytes

    def watched(data: bytes) -> object:
        snapshots.append(dict(world.state.items()))
        return apply(data)

    world.apply_bytes = watched  # type: ignore[assignment, method-assign]  # to see the state before each input
    expected = builder(world)
    assert world.codes[-1] == expected, f"{builder.__name__}: {world.codes[-1]} instead of {expected}"
    return Case(builder.__name__, preset, snapshots[-1], world.inputs[-1], expected)


def full_slots(world: World, account: int) -> None:
    """Fill every position slot of an account with markets that INIT never wrote."""
    slots = 4 if world.law is get_law("minimal") else 16
    for slot in range(slots):
        world.put(10 + slot, world.market(0))
        world.put(10 + slot, world.stored_price(0))
        world.put_position(account, slot, 10 + slot, 1_000)


def withdrawals_exhausted_by_deposit(world: World) -> int:
    system = world.system
    system.next_withdrawal = LAST_ROW
    world.put(0, system)
    world.apply_bytes(Deposit(1 << 36, address("trader 1"), 5).encode())
    return Code.COUNTER_EXHAUSTED


def withdrawals_exhausted_by_withdrawal(world: World) -> int:
    system = world.system
    system.next_withdrawal = LAST_ROW
    world.put(0, system)
    world.withdraw(1, 5)
    return Code.COUNTER_EXHAUSTED


def outcomes_exhausted(world: World) -> int:
    system = world.system
    system.next_forced = LAST_ROW
    world.put(0, system)
    world.apply_bytes(Forced(address("trader 1"), START, b"\7").encode())
    return Code.COUNTER_EXHAUSTED


def deposit_to_a_full_account(world: World) -> int:
    world.put_collateral(1, EDGE)
    world.deposit_units(1, 1)
    return OK


def deposit_that_just_fits(world: World) -> int:
    world.put_collateral(1, -EDGE)
    world.deposit_units(1, 2 * EDGE)
    return OK


def withdrawal_below_the_bound(world: World) -> int:
    world.put_collateral(1, -EDGE)
    world.withdraw(1, 1)
    return Code.COLLATERAL_BOUND


def forced_withdrawal_below_the_bound(world: World) -> int:
    world.put_collateral(1, -EDGE)
    world.force_withdraw(1, 1)
    return OK


def no_slot_for_a_trade(world: World) -> int:
    full_slots(world, 1)
    world.trade(1, 2, 1_000, 50_000)
    return Code.SLOTS_FULL


def trade_with_every_slot_held(world: World) -> int:
    full_slots(world, 1)
    full_slots(world, 2)
    for account in (1, 2):
        world.put_position(account, 0, 0, 1_000)
    world.trade(1, 2, 1_000, 50_000)
    return OK


def no_slot_for_the_backstop(world: World) -> int:
    full_slots(world, 0)
    return ruin(world, OK)


def ruin(world: World, code: int) -> int:
    """Account 1 buys what it can just carry, the price falls, somebody liquidates."""
    world.trade(1, 2, 4 * BTC_01, 50_000)
    world.price(0, 48_000, at=START + 1)
    world.liquidate(1)
    return code


def backstop_with_an_old_price(world: World) -> int:
    """The backstop holds ETH, whose price nobody has signed for a while."""
    world.trade(0, 2, 10_000, 2_000, market=1)
    world.trade(1, 2, 3 * BTC_01, 50_000)
    world.second += 31
    world.price(0, 47_500)
    world.liquidate(1)
    return Code.PRICE_STALE


def account_with_an_old_price(world: World) -> int:
    """The account to be liquidated holds ETH, whose price nobody has signed for a while."""
    world.trade(1, 2, 10_000, 2_000, market=1)
    world.trade(1, 2, 3 * BTC_01, 50_000)
    world.second += 31
    world.price(0, 46_000)
    world.liquidate(1)
    return Code.PRICE_STALE


def backstop_too_poor(world: World) -> int:
    """It has 1,000 USD and would hold a position of 46,868, which needs 2,343."""
    world.deposit(1, 9_000)
    world.deposit(2, 100_000)
    world.trade(1, 2, 40 * BTC_01, 50_000)
    world.price(0, 48_900, at=START + 1)
    world.liquidate(1)
    return Code.BACKSTOP_UNABLE


def bankrupt_account(world: World) -> int:
    """The insurance fund pays what it has, the backstop the rest."""
    world.deposit(0, 10_000)
    world.trade(1, 2, 10_000, 2_000, market=1)
    world.trade(1, 2, 3 * BTC_01, 50_000)
    world.price(0, 40_000, at=START + 1)
    assert world.fund > 0
    world.liquidate(1)
    assert world.fund == 0
    return OK


def liquidation_beyond_the_fund(world: World) -> int:
    """The insurance fund is at its bound."""
    world.put_fund(EDGE)
    return ruin(world, Code.COLLATERAL_BOUND)


def liquidation_beyond_the_backstop(world: World) -> int:
    """The backstop is as far below zero as it can be."""
    world.put_collateral(0, -EDGE)
    return ruin(world, OK)


def trade_beyond_the_fund(world: World) -> int:
    """ETH has a taker fee."""
    world.put_fund(EDGE)
    world.trade(1, 2, 10_000, 2_000, market=1)
    return Code.COLLATERAL_BOUND


def dust_beyond_the_fund(world: World) -> int:
    """No fees: only the unit that rounding leaves."""
    world.put_fund(EDGE)
    price = 50_000 * PRICE + 1
    orders = (world.order_units(1, True, 1_000, price), world.order_units(2, False, 1_000, price))
    world.act(Trade(1_000, price, *orders))
    return Code.COLLATERAL_BOUND


def sums_beyond_their_bound(world: World) -> int:
    """A market whose notional overflows a sum: INIT allows none."""
    huge = world.market(1)
    world.put(
        1,
        Market(
            notional_divisor=1,
            lot=huge.lot,
            initial_margin_ppm=huge.initial_margin_ppm,
            maintenance_margin_ppm=huge.maintenance_margin_ppm,
            liquidation_penalty_ppm=0,
            max_position=huge.max_position,
        ),
    )
    world.put(1, confirmed_price((1 << 60) - 1, START))
    world.put_position(1, 3, 1, (1 << 61) - 1)
    world.trade(1, 2, 1_000, 50_000)
    return Code.VALUE_BOUND


def dust_that_goes_whole(world: World) -> int:
    """A position so small that closing a part would leave the requirement as it was."""
    market = world.market(0)
    parameters = world.parameters
    parameters.liquidation_buffer_ppm = 0
    world.put(0, parameters)
    world.put(
        0,
        Market(
            notional_divisor=100,
            lot=1,
            initial_margin_ppm=400_000,
            maintenance_margin_ppm=400_000,
            liquidation_penalty_ppm=0,
            max_position=market.max_position,
        ),
    )
    world.act(world.price_update(0, [(key, 1) for key in range(3)], at=START + 1))
    for account, size in ((1, 1_000), (2, -1_000)):
        world.put_position(account, 0, 0, size)
    world.put_collateral(1, -7)
    world.liquidate(1)
    assert world.positions(1) == {}
    return OK


def part_that_cannot_help(world: World) -> int:
    """Penalty as large as the margin, no buffer: only the whole position helps."""
    market, parameters = world.market(0), world.parameters
    market.liquidation_penalty_ppm = market.maintenance_margin_ppm
    parameters.liquidation_buffer_ppm = 0
    world.put(0, market)
    world.put(0, parameters)
    world.deposit(0, 100_000)
    world.trade(1, 2, BTC_01, 50_000)
    account = world.account(1)
    world.put_collateral(1, account.collateral - 875 * USD)
    world.liquidate(1)
    assert world.positions(1) == {}
    return OK


def rebate_for_the_maker(world: World) -> int:
    """It is paid what the taker pays, though its tier promises more than that."""
    world.put(1, FeeTier(is_listed=1, maker_ppm=-400, taker_ppm=0))
    world.put(1 << TIER_BITS, FeeTier(is_listed=1, maker_ppm=0, taker_ppm=300))
    world.put(1 << TIER_BITS | 1, FeeTier(is_listed=1, maker_ppm=-400, taker_ppm=100))
    assert world.put_in_tier(1, 1) == OK
    before = world.account(1).collateral
    world.trade(1, 2, 10_000, 2_000, market=1)
    assert world.account(1).collateral - before == -20 * USD + 6_000
    return OK


def rebate_of_the_tier(world: World) -> int:
    """Less than what the taker pays: the rest goes to the fund."""
    assert world.list_fees(1, 2, -250, 300) == OK
    assert world.put_in_tier(1, 2) == OK
    before = world.account(1).collateral
    world.trade(1, 2, 10_000, 2_000, market=1)
    assert world.account(1).collateral - before == -20 * USD + 5_000
    assert world.fund == 1_000
    return OK


def fee_that_is_capped(world: World) -> int:
    """Account 1 may be liquidated; it reduces at the last price and pays next to nothing."""
    world.put(0, FeeTier(is_listed=1, maker_ppm=30_000, taker_ppm=30_000))
    world.deposit(1, 300)
    world.deposit(2, 1_000)
    assert world.trade(1, 2, 3 * BTC_01, 50_000, max_fee_ppm=30_000) == OK
    world.price(0, 48_400, at=START + 1)
    assert world.health(1)[0] < world.health(1)[1]
    world.trade(1, 0, BTC_01, 48_400, maker_buys=False, max_fee_ppm=30_000)
    return OK


def transfer_on_an_old_price(world: World) -> int:
    """Account 1 holds BTC, whose price nobody has signed for a while."""
    world.trade(1, 2, BTC_01, 50_000)
    world.second += 11
    world.transfer(1, 1 << GROUP_BITS | 1, USD)
    return Code.PRICE_STALE


def transfer_below_the_bound(world: World) -> int:
    world.put_collateral(1, -EDGE)
    world.transfer(1, 1 << GROUP_BITS | 1, 1)
    return Code.COLLATERAL_BOUND


def transfer_beyond_the_bound(world: World) -> int:
    assert world.transfer(1, 1 << GROUP_BITS | 1, USD) == OK
    world.put_collateral(1 << GROUP_BITS | 1, EDGE)
    world.transfer(1, 1 << GROUP_BITS | 1, USD)
    return Code.COLLATERAL_BOUND


def liquidation_without_a_price(world: World) -> int:
    """Nobody has signed one yet."""
    world.put(0, confirmed_price(0, 0))
    world.liquidate(1)
    return Code.PRICE_STALE


def liquidation_on_an_unconfirmed_price(world: World) -> int:
    """The price has jumped, and the next round has not said so yet."""
    world.trade(1, 2, 4 * BTC_01, 50_000)
    price = world.stored_price(0)
    price.status = PRICE_UNCONFIRMED
    world.put(0, price)
    world.liquidate(1)
    return Code.PRICE_STALE


def positions_beyond_a_lowered_bound(world: World) -> int:
    """A long and a short shrink, and are still beyond it."""
    world.trade(1, 2, 10_000, 50_000)
    market = world.market(0)
    market.max_position = 5_000
    world.put(0, market)
    world.trade(2, 1, 1_000, 50_000)
    return OK


def reduce_without_a_price(world: World) -> int:
    """Nobody has signed one yet."""
    world.trade(1, 2, BTC_01, 50_000)
    world.put(0, confirmed_price(0, 0))
    assert world.force_reduce(1, BTC_01, 1) == Code.PRICE_STALE
    return OK


def reduce_less_than_a_unit(world: World) -> int:
    """What deleveraging has left of a long cannot be sold."""
    world.trade(1, 2, 1_000, 50_000)
    found: Any = world.record(Side, 0)
    side = found.record_copy()
    side.multiplier = ONE // 2_000
    world.put(0, side)
    assert world.force_reduce(1, 1, 1) == Code.NO_POSITION
    return OK


def reduce_beyond_the_bound(world: World) -> int:
    """What the account receives would take it over the edge."""
    world.trade(1, 2, BTC_01, 50_000)
    world.put_collateral(1, EDGE)
    assert world.force_reduce(1, BTC_01, 1) == Code.COLLATERAL_BOUND
    return OK


def reduce_against_a_poor_backstop(world: World) -> int:
    world.put_collateral(0, USD)
    world.trade(1, 2, BTC_01, 50_000)
    assert world.force_reduce(1, BTC_01, 1) == Code.BACKSTOP_UNABLE
    return OK


def reduce_a_bankrupt_position(world: World) -> int:
    world.trade(1, 2, 3 * BTC_01, 50_000)
    world.price(0, 45_000, at=START + 1)
    assert world.force_reduce(1, BTC_01, 1) == Code.BELOW_INITIAL_MARGIN
    return OK


BUILDERS: Final = (
    reduce_without_a_price,
    reduce_less_than_a_unit,
    reduce_beyond_the_bound,
    reduce_against_a_poor_backstop,
    reduce_a_bankrupt_position,
    *LOSS_BUILDERS,
    *ENDING_BUILDERS,
    *build_request_cases(),
    liquidation_without_a_price,
    transfer_on_an_old_price,
    transfer_below_the_bound,
    transfer_beyond_the_bound,
    rebate_for_the_maker,
    rebate_of_the_tier,
    fee_that_is_capped,
    withdrawals_exhausted_by_deposit,
    withdrawals_exhausted_by_withdrawal,
    outcomes_exhausted,
    deposit_to_a_full_account,
    deposit_that_just_fits,
    withdrawal_below_the_bound,
    forced_withdrawal_below_the_bound,
    no_slot_for_a_trade,
    trade_with_every_slot_held,
    no_slot_for_the_backstop,
    backstop_with_an_old_price,
    account_with_an_old_price,
    backstop_too_poor,
    bankrupt_account,
    liquidation_beyond_the_fund,
    liquidation_beyond_the_backstop,
    trade_beyond_the_fund,
    dust_beyond_the_fund,
    sums_beyond_their_bound,
    dust_that_goes_whole,
    part_that_cannot_help,
    liquidation_on_an_unconfirmed_price,
    positions_beyond_a_lowered_bound,
)

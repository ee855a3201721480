"""TRADE: the hand-computed course of a fill, and every way to be refused."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from optimist.derive.actions import Sequenced, SignedOrder, Trade
from optimist.provable import zero
from optimist.stf import inputs
from optimist.stf.codes import Code
from optimist.stf.records import Market, Position
from tests.support.world import BTC, ETH, FREE, OK, PRICE, START, USD, World, forge

BTC_01 = 10**7  # 0.1 BTC


@pytest.fixture
def world() -> World:
    """Accounts 1 to 3 with 1,000 USD each; BTC at 50,000, ETH at 2,000."""
    world = World()
    for account in (1, 2, 3):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    world.price(1, 2_000)
    return world


def fill(world: World, **terms: object) -> Trade:
    """1 buys 0.1 BTC from 2 at 50,000; `terms` go into both orders."""
    return Trade(
        BTC_01,
        50_000 * PRICE,
        world.order(1, True, BTC_01, 50_000, **terms),
        world.order(2, False, BTC_01, 50_000, **terms),
    )


def test_trade_moves_quote_fees_and_size(world: World) -> None:
    """0.1 BTC at 50,000 USD: 5,000 USD. Maker fee 0.02 %: 1 USD, taker fee 0.05 %: 2.50 USD."""
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    assert world.account(1).collateral == (1_000 - 5_000 - 1) * USD
    assert world.account(2).collateral == (1_000 + 5_000) * USD - 2_500_000
    assert world.positions(1) == {0: BTC_01}
    assert world.positions(2) == {0: -BTC_01}
    assert world.fund == 3_500_000
    world.check()


def test_seller_may_be_the_maker(world: World) -> None:
    assert world.trade(1, 2, BTC_01, 50_000, maker_buys=False) == OK
    assert world.positions(1) == {0: -BTC_01}
    assert world.account(1).collateral == (1_000 + 5_000 - 1) * USD


def test_odd_quote_rounds_against_both_and_the_unit_goes_to_insurance() -> None:
    """0.00001 BTC at 0.33333333 USD is 3.3333333 units: the buyer pays 4, the seller receives 3."""
    world = World(markets=(FREE,))
    world.deposit(1, 1)
    world.deposit(2, 1)
    world.price(0, Fraction(33_333_333, 10**8))
    assert world.trade(1, 2, 1_000, Fraction(33_333_333, 10**8)) == OK
    assert world.account(1).collateral == USD - 4
    assert world.account(2).collateral == USD + 3
    assert world.fund == 1
    world.check()


def test_fee_rounds_up_for_the_payer() -> None:
    """Quote 4 units up, maker 0.02 % of it is 0.0008: 1 unit, as is the taker's."""
    world = World(markets=(BTC,))
    world.deposit(1, 1)
    world.deposit(2, 1)
    world.price(0, Fraction(33_333_333, 10**8))
    assert world.trade(1, 2, 1_000, Fraction(33_333_333, 10**8)) == OK
    assert world.account(1).collateral == USD - 4 - 1
    assert world.account(2).collateral == USD + 3 - 1
    assert world.fund == 1 + 2


def test_fill_between_the_limits_is_at_the_fill_price(world: World) -> None:
    trade = Trade(
        BTC_01,
        49_900 * PRICE,
        world.order(1, True, BTC_01, 50_100),
        world.order(2, False, BTC_01, 49_800),
    )
    assert world.act(trade) == OK
    assert world.account(1).collateral == (1_000 - 4_990) * USD - 998_000


@pytest.mark.parametrize(
    ("price", "code"), [(49_799, Code.LIMIT_PRICE), (49_800, OK), (50_100, OK), (50_101, Code.LIMIT_PRICE)]
)
def test_fill_price_lies_between_both_limits(world: World, price: int, code: int) -> None:
    trade = Trade(
        BTC_01, price * PRICE, world.order(1, True, BTC_01, 50_100), world.order(2, False, BTC_01, 49_800)
    )
    assert world.act(trade) == code


@pytest.mark.parametrize("price", [0, 2**60, 2**64 - 1])
def test_fill_price_has_bounds(world: World, price: int) -> None:
    assert world.act(replace(fill(world), price=price)) == Code.FILL_PRICE


@pytest.mark.parametrize("size", [0, 999, 1_001, 2**62, 2**64 - 1])
def test_fill_size_is_a_number_of_lots(world: World, size: int) -> None:
    assert world.act(replace(fill(world), size=size)) == Code.FILL_SIZE


def test_account_cannot_trade_with_itself(world: World) -> None:
    assert world.trade(1, 1, BTC_01, 50_000) == Code.SELF_TRADE


def test_two_buyers_or_two_sellers_cannot_trade(world: World) -> None:
    for side in (True, False):
        orders = (world.order(1, side, BTC_01, 50_000), world.order(2, side, BTC_01, 50_000))
        assert world.act(Trade(BTC_01, 50_000 * PRICE, *orders)) == Code.SAME_SIDE


@pytest.mark.parametrize("offset", [inputs.TRADE_MAKER_AT, inputs.TRADE_MAKER_AT + inputs.ORDER_LENGTH])
def test_side_is_one_bit(world: World, offset: int) -> None:
    data = bytearray(Sequenced(world.second, fill(world)).encode())
    data[offset + inputs.ORDER_IS_BUY_AT] = 2
    assert world.apply_bytes(bytes(data)).code == Code.MALFORMED


def test_wrong_length_is_rejected(world: World) -> None:
    data = Sequenced(world.second, fill(world)).encode()
    for wrong in (data[:-1], data + b"\0", data[:7]):
        assert world.apply_bytes(wrong).code == Code.MALFORMED


def test_unknown_market_is_rejected(world: World) -> None:
    assert world.trade(1, 2, BTC_01, 50_000, market=2) == Code.UNKNOWN_MARKET


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_each_order_is_signed_by_its_owner(world: World, side: str) -> None:
    trade = fill(world)
    signed: SignedOrder = getattr(trade, side)
    for wrong in (
        replace(signed, signature=forge(signed.signature)),
        replace(signed, signature=signed.signature._replace(v=0)),
        world.sign_order(signed.order, "trader 3"),
    ):
        change: dict[str, Any] = {side: wrong}
        assert world.act(replace(trade, **change)) == Code.NOT_SIGNED_BY_OWNER


@pytest.mark.parametrize(
    "change",
    [
        {"account": 3},
        {"size": 2 * BTC_01},
        {"price": 60_000 * PRICE},
        {"max_fee_ppm": 2_000},
        {"slot": 1},
        {"nonce": 99},
        {"expiry": START + 2},
    ],
)
def test_signature_covers_every_term(world: World, change: dict[str, Any]) -> None:
    trade = fill(world)
    altered = replace(trade.maker, order=replace(trade.maker.order, **change))
    assert world.act(replace(trade, maker=altered)) == Code.NOT_SIGNED_BY_OWNER


def test_signature_covers_the_market(world: World) -> None:
    data = bytearray(Sequenced(world.second, fill(world, max_fee_ppm=1_000)).encode())
    data[inputs.TRADE_MARKET_AT + 1] = 1
    assert world.apply_bytes(bytes(data)).code == Code.NOT_SIGNED_BY_OWNER


def test_account_that_never_had_money_cannot_trade(world: World) -> None:
    """Its owner is 0, which is also what an invalid signature recovers to."""
    assert world.trade(1, 7, BTC_01, 50_000) == Code.UNKNOWN_ACCOUNT
    nobody = world.order(7, False, BTC_01, 50_000)
    invalid = replace(nobody, signature=nobody.signature._replace(v=0))
    assert world.act(replace(fill(world), taker=invalid)) == Code.UNKNOWN_ACCOUNT


def test_account_beyond_the_last_cannot_trade(world: World) -> None:
    assert world.trade(1, 2**36, BTC_01, 50_000) == Code.UNKNOWN_ACCOUNT


def test_expired_order_is_rejected(world: World) -> None:
    world.second += 5
    assert world.trade(1, 2, BTC_01, 50_000, expiry=world.second - 1) == Code.ORDER_EXPIRED
    assert world.trade(1, 2, BTC_01, 50_000, expiry=world.second) == OK


def test_fee_above_the_signed_maximum_is_rejected(world: World) -> None:
    assert world.trade(1, 2, BTC_01, 50_000, max_fee_ppm=499) == Code.FEE_ABOVE_MAX  # the taker pays 500
    assert world.trade(1, 2, BTC_01, 50_000, max_fee_ppm=500) == OK


@pytest.mark.parametrize("market", [0, 1])
def test_trade_needs_a_fresh_price_of_its_market(world: World, market: int) -> None:
    world.second += 10
    assert world.trade(1, 2, 10_000, 50_000 if market == 0 else 2_000, market=market) == OK
    world.second += 1
    assert world.trade(1, 2, 10_000, 50_000, market=market) == Code.PRICE_STALE


def test_market_without_a_price_cannot_trade() -> None:
    world = World()
    world.deposit(1, 100)
    world.deposit(2, 100)
    assert world.trade(1, 2, BTC_01, 50_000) == Code.PRICE_STALE


def test_trade_needs_a_fresh_price_of_every_market_held(world: World) -> None:
    """The maker holds ETH as well, whose price is old by now."""
    assert world.trade(1, 3, 10_000, 2_000, market=1) == OK
    world.second += 11
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == Code.PRICE_STALE
    assert world.trade(2, 1, BTC_01, 50_000) == Code.PRICE_STALE
    world.price(1, 2_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK


def test_initial_margin_is_the_limit_of_a_new_position() -> None:
    """5 % of 20,000 USD is exactly the 1,000 USD that each account has."""
    for size, code in ((4 * BTC_01, OK), (4 * BTC_01 + 1_000, Code.BELOW_INITIAL_MARGIN)):
        world = World(markets=(FREE,))
        world.deposit(1, 1_000)
        world.deposit(2, 1_000)
        world.price(0, 50_000)
        assert world.trade(1, 2, size, 50_000) == code


def test_fee_counts_against_margin() -> None:
    world = World(markets=(BTC,))
    world.deposit(1, 1_004)
    world.deposit(2, 1_009)
    world.price(0, 50_000)
    assert world.trade(1, 2, 4 * BTC_01, 50_000) == Code.BELOW_INITIAL_MARGIN  # the taker pays 10
    world.deposit(2, 1)
    assert world.trade(1, 2, 4 * BTC_01, 50_000) == OK


def test_margin_is_cross_over_markets() -> None:
    """1,000 USD carry 10,000 USD of BTC (500) and 5,000 of ETH at 10 % (500), and not a lot more."""
    world = World(markets=(FREE, replace(ETH, taker_fee_ppm=0)))
    world.deposit(1, 1_000)
    world.deposit(2, 100_000)
    world.price(0, 50_000)
    world.price(1, 2_000)
    assert world.trade(1, 2, 2 * BTC_01, 50_000) == OK
    assert world.trade(1, 2, 2_500_100, 2_000, market=1) == Code.BELOW_INITIAL_MARGIN
    assert world.trade(1, 2, 2_500_000, 2_000, market=1, maker_buys=False) == OK
    assert world.positions(1) == {0: 2 * BTC_01, 1: -2_500_000}


def leveraged(fees: bool = False) -> World:
    """1 is long 0.4 BTC with 1,000 USD; BTC falls from 50,000 to 49,000: TV 600, IMR 980, MMR 588."""
    world = World(markets=(BTC if fees else FREE,))
    world.deposit(1, 1_000 + (4 if fees else 0))
    world.deposit(2, 100_000)
    world.deposit(3, 100_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, 4 * BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, 49_000)
    return world


def test_account_below_initial_margin_may_reduce() -> None:
    world = leveraged()
    assert world.trade(1, 3, 1_000, 49_000, maker_buys=False) == OK
    assert world.trade(1, 3, BTC_01, 49_000, maker_buys=False) == OK
    world.check()


def test_account_below_initial_margin_may_reduce_and_pay_the_fee() -> None:
    world = leveraged(fees=True)
    assert world.trade(3, 1, 1_000, 49_000) == OK
    assert world.trade(3, 1, BTC_01, 49_000) == OK


@pytest.mark.parametrize(
    ("price", "fee"),
    [
        (48_970, 146_910_000),  # TV 588, MMR 587.64: all of it, 3 % of 4,897
        (48_900, 140_000_000),  # TV 560, MMR 586.80: a quarter of TV for a quarter of the position
        (47_600, 10_000_000),  # TV 40: whoever is nearly bankrupt pays next to nothing
    ],
)
def test_fee_never_keeps_an_account_from_reducing(price: int, fee: int) -> None:
    """The fee is the whole maintenance margin; below it, an account pays what keeps TV / MMR as it was."""
    world = World(markets=(replace(FREE, taker_fee_ppm=FREE.maintenance_margin_ppm),))
    world.deposit(1, 1_000)
    world.deposit(2, 100_000)
    world.deposit(3, 100_000)
    world.price(0, 50_000)
    assert (
        world.trade(2, 1, 4 * BTC_01, 50_000, maker_buys=False, max_fee_ppm=30_000)
        == Code.BELOW_INITIAL_MARGIN
    )
    assert world.trade(1, 2, 4 * BTC_01, 50_000, max_fee_ppm=30_000) == OK
    world.second += 1
    world.price(0, price)
    before = world.account(1).collateral
    assert world.trade(3, 1, BTC_01, price, max_fee_ppm=30_000) == OK
    assert before + price * USD // 10 - world.account(1).collateral == fee
    world.check()


def test_account_below_initial_margin_may_not_grow() -> None:
    assert leveraged().trade(1, 3, 1_000, 49_000) == Code.BELOW_INITIAL_MARGIN


def test_account_below_initial_margin_may_not_flip() -> None:
    world = leveraged()
    assert world.trade(1, 3, 6 * BTC_01, 49_000, maker_buys=False) == OK  # short 0.2: IMR 490 <= 600
    world = leveraged()
    assert world.trade(1, 3, 7 * BTC_01, 49_000, maker_buys=False) == Code.BELOW_INITIAL_MARGIN


def test_account_below_initial_margin_may_not_reduce_at_a_bad_price() -> None:
    """TV 600, MMR 588. Selling 0.1 BTC removes 147 of MMR, so at most 150 of TV: 1,500 USD a BTC."""
    assert leveraged().trade(1, 3, BTC_01, 47_500, maker_buys=False) == OK
    worse = Fraction(47_500) - Fraction(1, 10)
    assert leveraged().trade(1, 3, BTC_01, worse, maker_buys=False) == Code.BELOW_INITIAL_MARGIN


def test_bankrupt_account_cannot_close_and_leave_its_debt() -> None:
    world = leveraged()
    world.second += 1
    world.price(0, 47_000)  # TV -200
    assert world.trade(1, 3, 4 * BTC_01, 47_000, maker_buys=False) == Code.BELOW_INITIAL_MARGIN
    assert world.trade(1, 3, BTC_01, 47_000, maker_buys=False) == Code.BELOW_INITIAL_MARGIN
    assert world.trade(1, 3, 4 * BTC_01, 47_500, maker_buys=False) == OK  # somebody pays what it lacks
    assert world.account(1).collateral == 0


def test_both_sides_must_meet_margin(world: World) -> None:
    world.deposit(4, 10)
    assert world.trade(1, 4, BTC_01, 50_000) == Code.BELOW_INITIAL_MARGIN
    assert world.trade(4, 1, BTC_01, 50_000) == Code.BELOW_INITIAL_MARGIN


def test_closed_position_frees_its_slot(world: World) -> None:
    world.trade(1, 2, BTC_01, 50_000)
    keys = set(dict(world.state.items()))
    assert world.trade(1, 2, BTC_01, 50_000, maker_buys=False) == OK
    assert world.positions(1) == world.positions(2) == {}
    gone = keys - set(dict(world.state.items()))
    assert gone == {8 << 40 | 1 << 4, 8 << 40 | 2 << 4}


def test_first_free_slot_is_taken_and_a_held_market_is_found_behind_it(world: World) -> None:
    world.trade(1, 2, 10_000, 50_000)
    world.trade(1, 2, 10_000, 2_000, market=1)
    world.trade(1, 2, 10_000, 50_000, maker_buys=False)  # slot 0 is free now, ETH stays in slot 1
    assert world.record(Position, (1 << 4) + 1).market_plus_one == 2
    world.trade(1, 2, 10_000, 2_000, market=1)
    assert world.positions(1) == {1: 20_000}
    world.trade(1, 2, 10_000, 50_000)
    assert world.record(Position, 1 << 4).market_plus_one == 1


@pytest.mark.parametrize(("preset", "slots"), [("minimal", 4), ("mainnet", 16)])
def test_account_without_a_free_slot_cannot_open(preset: str, slots: int) -> None:
    """Two markets never fill four slots: the state is made by hand."""
    world = World(preset)
    world.deposit(1, 1_000)
    world.deposit(2, 1_000)
    world.price(0, 50_000)
    other = world.stored_price(0)
    for slot in range(slots):
        world.put(10 + slot, world.market(0))
        world.put(10 + slot, other)
        world.put_position(1, slot, 10 + slot, 1_000)
    assert world.trade(1, 2, 1_000, 50_000) == Code.SLOTS_FULL
    world.put((1 << 4) + slots - 1, zero(Position))
    assert world.trade(1, 2, 1_000, 50_000) == OK
    assert world.record(Position, (1 << 4) + slots - 1).market_plus_one == 1


def test_position_has_a_bound() -> None:
    world = World(markets=(replace(FREE, max_position=2 * BTC_01),))
    world.deposit(1, 1_000)
    world.deposit(2, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, 2 * BTC_01, 50_000) == OK
    assert world.trade(1, 2, 1_000, 50_000) == Code.POSITION_BOUND
    assert world.trade(1, 2, 1_000, 50_000, maker_buys=False) == OK


def test_collateral_has_a_bound(world: World) -> None:
    world.put_collateral(2, 2**63 - 1)
    assert world.trade(1, 2, BTC_01, 50_000) == Code.COLLATERAL_BOUND


def test_sums_over_positions_have_a_bound() -> None:
    """INIT allows no market whose notional could overflow a sum: this one is made by hand."""
    world = World(markets=(FREE, ETH))
    world.deposit(1, 1_000)
    world.deposit(2, 1_000)
    world.price(0, 50_000)
    huge = world.market(1)
    world.put(1, Market(**{**fields(huge), "notional_divisor": 1}))
    world.act(world.price_update(1, [(key, 2**60 - 1) for key in range(3)]))
    world.put_position(1, 3, 1, 2**61 - 1)
    assert world.trade(1, 2, 1_000, 50_000) == Code.VALUE_BOUND


def fields(market: Market) -> dict[str, int]:
    names = "lot initial_margin_ppm maintenance_margin_ppm liquidation_penalty_ppm max_position"
    return {name: getattr(market, name) for name in names.split()}

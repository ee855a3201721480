"""Order slots: an order is used at most once, partly or in full, and dies with a higher nonce."""

import pytest

from optimist.derive.actions import SignedOrder, Trade
from optimist.stf.codes import Code
from tests.support.world import FREE, OK, PRICE, START, World

LOT = 1_000


@pytest.fixture
def world() -> World:
    world = World(markets=(FREE,))
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    return world


def fill(world: World, order: SignedOrder, size: int) -> int:
    """Fill account 1's buy order against a fresh order of account 2, at 50,000."""
    return world.act(Trade(size, 50_000 * PRICE, order, world.order(2, False, size, 50_000)))


def test_order_is_filled_in_parts_up_to_its_size(world: World) -> None:
    order = world.order(1, True, 5 * LOT, 50_000)
    assert fill(world, order, 2 * LOT) == OK
    assert fill(world, order, 3 * LOT) == OK
    assert fill(world, order, LOT) == Code.ORDER_OVERFILLED
    assert world.positions(1) == {0: 5 * LOT}
    slot = world.order_slot(1)
    assert (slot.nonce, slot.filled) == (order.order.nonce, 5 * LOT)


def test_order_is_never_filled_beyond_its_size(world: World) -> None:
    order = world.order(1, True, 5 * LOT, 50_000)
    assert fill(world, order, 6 * LOT) == Code.ORDER_OVERFILLED
    assert fill(world, order, 4 * LOT) == OK
    assert fill(world, order, 2 * LOT) == Code.ORDER_OVERFILLED


def test_replayed_trade_is_rejected(world: World) -> None:
    trade = Trade(LOT, 50_000 * PRICE, world.order(1, True, LOT, 50_000), world.order(2, False, LOT, 50_000))
    assert world.act(trade) == OK
    assert world.act(trade) == Code.ORDER_OVERFILLED


def test_higher_nonce_takes_the_slot_and_starts_at_zero(world: World) -> None:
    old, new = world.order(1, True, 5 * LOT, 50_000, nonce=7), world.order(1, True, 5 * LOT, 50_000, nonce=9)
    assert fill(world, old, 4 * LOT) == OK
    assert fill(world, new, 5 * LOT) == OK
    assert fill(world, old, LOT) == Code.ORDER_NONCE
    assert world.order_slot(1).nonce == 9


def test_orders_with_one_nonce_share_what_is_filled(world: World) -> None:
    first = world.order(1, True, 5 * LOT, 50_000, nonce=7)
    second = world.order(1, True, 6 * LOT, 50_001, nonce=7)
    assert fill(world, first, 5 * LOT) == OK
    assert fill(world, second, 2 * LOT) == Code.ORDER_OVERFILLED
    assert fill(world, second, LOT) == OK


def test_slots_are_independent(world: World) -> None:
    for slot in range(4):
        assert fill(world, world.order(1, True, LOT, 50_000, slot=slot, nonce=5), LOT) == OK
    assert fill(world, world.order(1, True, LOT, 50_000, slot=3, nonce=4), LOT) == Code.ORDER_NONCE


@pytest.mark.parametrize(("preset", "slots"), [("minimal", 4), ("mainnet", 16)])
def test_slot_beyond_the_last_is_rejected(preset: str, slots: int) -> None:
    world = World(preset, markets=(FREE,))
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    assert fill(world, world.order(1, True, LOT, 50_000, slot=slots - 1), LOT) == OK
    assert fill(world, world.order(1, True, LOT, 50_000, slot=slots), LOT) == Code.ORDER_SLOT
    assert fill(world, world.order(1, True, LOT, 50_000, slot=255), LOT) == Code.ORDER_SLOT


def test_nonce_zero_is_good_once(world: World) -> None:
    order = world.order(1, True, LOT, 50_000, nonce=0)
    assert fill(world, order, LOT) == OK
    assert fill(world, order, LOT) == Code.ORDER_OVERFILLED


def test_refused_trade_uses_up_nothing(world: World) -> None:
    order = world.order(1, True, 5 * LOT, 50_000)
    bad = world.order(2, False, 5 * LOT, 50_000, expiry=START - 1)
    assert world.act(Trade(5 * LOT, 50_000 * PRICE, order, bad)) == Code.ORDER_EXPIRED
    assert world.order_slot(1).nonce == 0
    assert fill(world, order, 5 * LOT) == OK


def test_order_size_beyond_62_bits_can_be_filled(world: World) -> None:
    order = world.order(1, True, 2**64 - 1, 50_000)
    assert fill(world, order, LOT) == OK

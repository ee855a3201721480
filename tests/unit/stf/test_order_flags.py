"""Reduce-only, time in force, trees of orders, no trade between accounts of one owner."""

from dataclasses import replace
from typing import Any

import pytest

from optimist.derive.actions import Sequenced, SignedOrder, Trade
from optimist.derive.order_tree import OrderTree
from optimist.stf import inputs
from optimist.stf.codes import Code
from optimist.stf.constants import FILL_OR_KILL, GOOD_TILL_CANCELLED, IMMEDIATE_OR_CANCEL
from optimist.stf.records import Position, Side
from tests.support.world import FREE, OK, PRICE, USD, World, secret, trader

LOT = 1_000
AT = 50_000


@pytest.fixture
def world() -> World:
    """Account 1 is long 5 lots against account 2; account 3 has money only."""
    world = World(markets=(FREE,))
    for account in (1, 2, 3):
        world.deposit(account, 1_000)
    world.price(0, AT)
    assert world.trade(1, 2, 5 * LOT, AT) == OK
    return world


def meet(world: World, order: SignedOrder, size: int, *, is_maker: bool = True) -> int:
    """Fill an order by `size` against a fresh one of account 3."""
    other = world.order(3, not order.order.is_buy, size, AT)
    pair = (order, other) if is_maker else (other, order)
    return world.act(Trade(size, AT * PRICE, *pair))


@pytest.mark.parametrize("is_maker", [True, False])
def test_reduce_only_order_closes_and_never_flips(world: World, is_maker: bool) -> None:
    order = world.order(1, False, 9 * LOT, AT, reduce_only=True)
    assert meet(world, order, 6 * LOT, is_maker=is_maker) == Code.REDUCE_ONLY
    assert meet(world, order, 2 * LOT, is_maker=is_maker) == OK
    assert meet(world, order, 4 * LOT, is_maker=is_maker) == Code.REDUCE_ONLY
    assert meet(world, order, 3 * LOT, is_maker=is_maker) == OK
    assert world.positions(1) == {}
    assert meet(world, order, LOT, is_maker=is_maker) == Code.REDUCE_ONLY


def test_reduce_only_order_never_opens_or_grows(world: World) -> None:
    assert meet(world, world.order(1, True, LOT, AT, reduce_only=True), LOT) == Code.REDUCE_ONLY
    assert world.trade(3, 2, LOT, AT) == OK
    assert meet(world, world.order(2, False, LOT, AT, reduce_only=True), LOT) == Code.REDUCE_ONLY
    world.deposit(4, 1_000)
    assert meet(world, world.order(4, True, LOT, AT, reduce_only=True), LOT) == Code.REDUCE_ONLY


def odd_world(world: World) -> World:
    """Positions of 5,300 units: no number of lots."""
    for account, shares in ((1, 5_300), (2, -5_300)):
        position: Any = world.record(Position, account << 4)
        changed: Position = position.record_copy()
        changed.shares = shares
        world.put(account << 4, changed)
    for row in (0, 1):
        side: Any = world.record(Side, row)
        side = side.record_copy()
        side.shares = 5_300
        world.put(row, side)
    return world


def test_odd_size_leaves_only_as_the_whole_of_a_reduce_only_order(world: World) -> None:
    odd_world(world)
    plain, reducing = (
        world.order(1, False, 9 * LOT, AT, reduce_only=flag, slot=flag) for flag in (False, True)
    )
    assert meet(world, plain, 5_300) == Code.FILL_SIZE
    assert meet(world, reducing, 5_299) == Code.FILL_SIZE
    assert meet(world, reducing, 300) == Code.FILL_SIZE
    assert meet(world, reducing, 5 * LOT) == OK
    assert meet(world, reducing, 300) == OK
    assert world.positions(1) == {}
    assert world.positions(3) == {0: 5_300}


@pytest.mark.parametrize("time_in_force", [IMMEDIATE_OR_CANCEL, FILL_OR_KILL])
def test_immediate_order_is_never_the_maker(world: World, time_in_force: int) -> None:
    order = world.order(1, True, LOT, AT, time_in_force=time_in_force)
    assert meet(world, order, LOT, is_maker=True) == Code.TAKER_ONLY
    assert meet(world, order, LOT, is_maker=False) == OK


@pytest.mark.parametrize(
    ("time_in_force", "code"),
    [(GOOD_TILL_CANCELLED, OK), (IMMEDIATE_OR_CANCEL, OK), (FILL_OR_KILL, Code.FILL_OR_KILL)],
)
def test_fill_or_kill_is_filled_whole(world: World, time_in_force: int, code: int) -> None:
    order = world.order(1, True, 3 * LOT, AT, time_in_force=time_in_force)
    assert meet(world, order, 2 * LOT, is_maker=False) == code


@pytest.mark.parametrize("change", [{"reduce_only": True}, {"time_in_force": 1}])
def test_signature_covers_the_flags(world: World, change: dict[str, Any]) -> None:
    signed = world.order(1, False, LOT, AT)
    altered = replace(signed, order=replace(signed.order, **change))
    assert meet(world, altered, LOT, is_maker=False) == Code.NOT_SIGNED_BY_OWNER


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (inputs.ORDER_REDUCE_ONLY_AT, 2),
        (inputs.ORDER_TIME_IN_FORCE_AT, 3),
        (inputs.ORDER_DEPTH_AT, 4),
        (inputs.ORDER_DEPTH_AT, 1),
        (inputs.ORDER_INDEX_AT, 1),
    ],
)
@pytest.mark.parametrize("start", [inputs.TRADE_MAKER_AT, inputs.TRADE_MAKER_AT + inputs.ORDER_LENGTH])
def test_order_has_one_encoding(world: World, start: int, at: int, value: int) -> None:
    trade = Trade(LOT, AT * PRICE, world.order(1, True, LOT, AT), world.order(3, False, LOT, AT))
    data = bytearray(Sequenced(world.second, trade).encode())
    data[start + at] = value
    assert world.apply_bytes(bytes(data)).code == Code.MALFORMED


def test_accounts_of_one_owner_do_not_trade(world: World) -> None:
    """Group 1 or a second account of the Vault: neither is somebody else."""
    sibling = 1 << 32 | 1
    assert world.transfer(1, sibling, 100 * USD) == OK
    world.deposit(4, 1_000, owner="trader 1")
    for other in (sibling, 4):
        orders = (
            world.order(1, True, LOT, AT),
            world.order(other, False, LOT, AT, signer="trader 1"),
        )
        assert world.act(Trade(LOT, AT * PRICE, *orders)) == Code.SELF_TRADE
        assert world.act(Trade(LOT, AT * PRICE, *orders[::-1])) == Code.SELF_TRADE


# --------------------------------------------------------------------------------------------- trees


def plant(world: World, count: int, **terms: int) -> tuple[SignedOrder, ...]:
    """Orders of account 1 in as many slots, under one signature."""
    orders = [world.order(1, True, LOT * (i + 1), AT, slot=i % 4, **terms).order for i in range(count)]
    return OrderTree(tuple(orders)).sign(world.domain, secret(trader(1)))


@pytest.mark.parametrize("count", [2, 4, 8])
@pytest.mark.parametrize("is_maker", [True, False])
def test_each_order_of_a_tree_stands_alone(world: World, count: int, is_maker: bool) -> None:
    planted = plant(world, count)
    for order in planted:
        assert meet(world, order, LOT, is_maker=is_maker) == OK
    assert meet(world, planted[-1], LOT * count, is_maker=is_maker) == Code.ORDER_OVERFILLED


def test_order_that_is_not_in_the_tree_is_not_signed(world: World) -> None:
    first, second = plant(world, 2)
    for wrong in (
        replace(first, order=second.order),
        replace(first, index=1),
        replace(first, siblings=second.siblings),
        replace(first, order=replace(first.order, price=60_000 * PRICE)),
        replace(first, siblings=(), index=0),
        replace(first, siblings=(*first.siblings, *second.siblings)),
    ):
        assert meet(world, wrong, LOT) == Code.NOT_SIGNED_BY_OWNER


def test_inner_node_of_a_tree_cannot_pass_for_a_tree(world: World) -> None:
    """Of four orders the first two are no tree of two: the type names the depth."""
    first = plant(world, 4)[0]
    assert meet(world, replace(first, siblings=first.siblings[:1]), LOT) == Code.NOT_SIGNED_BY_OWNER
    assert meet(world, first, LOT) == OK


def test_trees_of_both_sides_fit_one_input(world: World) -> None:
    makers = plant(world, 8)
    takers = OrderTree(tuple(world.order(3, False, LOT, AT, slot=i % 4).order for i in range(8)))
    signed = takers.sign(world.domain, secret(trader(3)))
    assert world.act(Trade(LOT, AT * PRICE, makers[5], signed[6])) == OK
    assert len(world.inputs[-1]) == inputs.TRADE_MAKER_AT + 2 * (inputs.ORDER_LENGTH + 3 * 32)


def test_tree_of_a_session_key(world: World) -> None:
    assert world.lend_key(1, 2, "bot", rights=1) == OK
    orders = tuple(world.order(1, True, LOT, AT, slot=i).order for i in range(2))
    tree = OrderTree(orders)
    signature = tree.sign(world.domain, secret("bot"))[0].signature
    assert meet(world, tree.split(signature)[0], LOT) == Code.NOT_SIGNED_BY_OWNER
    assert meet(world, tree.split(signature, key=2)[0], LOT) == OK

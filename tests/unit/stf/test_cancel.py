"""CANCEL and CANCEL_ALL: what is dead stays dead, and only those who may say so."""

import pytest

from optimist.derive.account_actions import CancelAll, CancelAllRequest
from optimist.derive.actions import SignedOrder, Trade
from optimist.stf.codes import Code
from optimist.stf.records import ForcedOutcome
from tests.support.world import FREE, OK, PRICE, World, address, secret

LOT = 1_000
AT = 50_000


@pytest.fixture
def world() -> World:
    world = World(markets=(FREE,))
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, AT)
    return world


def fill(world: World, order: SignedOrder) -> int:
    return world.act(Trade(LOT, AT * PRICE, order, world.order(2, False, LOT, AT)))


def test_cancel_kills_older_orders_of_its_slot_and_no_others(world: World) -> None:
    old, same, other = (
        world.order(1, True, 5 * LOT, AT, nonce=nonce, slot=slot) for nonce, slot in ((6, 1), (7, 1), (6, 2))
    )
    assert fill(world, old) == OK
    assert world.cancel(1, 1, 7) == OK
    assert fill(world, old) == Code.ORDER_NONCE
    assert fill(world, same) == OK
    assert fill(world, other) == OK


def test_cancel_all_kills_older_orders_of_every_slot(world: World) -> None:
    orders = [
        world.order(1, True, 5 * LOT, AT, nonce=nonce, slot=slot) for nonce in (8, 9) for slot in (0, 3)
    ]
    assert fill(world, orders[0]) == OK
    assert world.cancel_all(1, 9) == OK
    assert [fill(world, order) for order in orders] == [Code.ORDER_CANCELLED] * 2 + [OK] * 2
    assert world.account(1).order_floor == 9


def test_every_nonce_but_the_last_can_be_cancelled(world: World) -> None:
    first, last = (world.order(1, True, LOT, AT, nonce=nonce) for nonce in (0, 2**64 - 1))
    assert world.cancel_all(1, 2**64 - 1) == OK
    assert fill(world, first) == Code.ORDER_CANCELLED
    assert fill(world, last) == OK


def test_cancellation_of_what_is_dead_is_rejected(world: World) -> None:
    """So a replay has no effect."""
    assert world.cancel(1, 0, 5) == OK
    assert world.cancel(1, 0, 5) == Code.ORDER_NONCE
    assert world.cancel(1, 0, 4) == Code.ORDER_NONCE
    assert world.cancel(1, 4, 5) == Code.ORDER_SLOT
    assert world.cancel_all(1, 5) == OK
    assert world.cancel_all(1, 5) == Code.ORDER_CANCELLED
    assert world.cancel_all(1, 0) == Code.ORDER_CANCELLED


def test_only_the_owner_cancels(world: World) -> None:
    assert world.cancel(1, 0, 5, signer="trader 2") == Code.NOT_SIGNED_BY_OWNER
    assert world.cancel_all(1, 5, signer="trader 2") == Code.NOT_SIGNED_BY_OWNER
    for account in (7, 1 << 36):
        assert world.cancel(account, 0, 5) == Code.UNKNOWN_ACCOUNT
        assert world.cancel_all(account, 5) == Code.UNKNOWN_ACCOUNT


def test_one_message_is_not_the_other(world: World) -> None:
    signature = CancelAllRequest(1, 5).sign(world.domain, secret("trader 1"))
    assert world.act(CancelAll(CancelAllRequest(1, 6), signature)) == Code.NOT_SIGNED_BY_OWNER
    assert world.act(CancelAll(CancelAllRequest(2, 5), signature)) == Code.NOT_SIGNED_BY_OWNER


def test_forced_cancellation_needs_no_sequencer(world: World) -> None:
    order = world.order(1, True, LOT, AT, nonce=5)
    row = world.system.next_forced
    assert world.force_cancel_all(1, 6) == OK
    outcome = world.record(ForcedOutcome, row)
    assert (outcome.account, outcome.amount) == (1, 6)
    assert outcome.sender == int.from_bytes(address("trader 1"), "big")
    assert fill(world, order) == Code.ORDER_CANCELLED


def test_forced_cancellation_never_lowers_the_floor_and_is_no_refusal(world: World) -> None:
    assert world.cancel_all(1, 9) == OK
    assert world.force_cancel_all(1, 6) == OK
    assert world.account(1).order_floor == 9


@pytest.mark.parametrize(
    ("account", "sender", "code"),
    [
        (1, "trader 2", Code.NOT_OWNER),
        (7, "trader 7", Code.UNKNOWN_ACCOUNT),
        (1 << 36, "trader 1", Code.UNKNOWN_ACCOUNT),
    ],
)
def test_forced_cancellation_is_the_owner_s(world: World, account: int, sender: str, code: int) -> None:
    assert world.force_cancel_all(account, 5, sender) == code
    assert world.account(1).order_floor == 0


def test_forced_cancellation_of_a_wrong_length_is_malformed(world: World) -> None:
    for payload in (
        b"\x06",
        b"\x06" + bytes(12),
        b"\x06" + bytes(14),
        b"\x09" + bytes(5),
        b"\x09" + bytes(7),
    ):
        assert world.force(payload, "trader 1") == Code.MALFORMED

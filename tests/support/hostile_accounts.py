"""Inputs of people who mean ill, about accounts: cancellations, keys, transfers, fees, what orders forbid."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from optimist.derive.actions import Trade
from optimist.stf import inputs
from optimist.stf.constants import FILL_OR_KILL, GROUP_BITS, IMMEDIATE_OR_CANCEL
from optimist.stf.records import FeeManager
from tests.support.hostile import in_any_order, pair
from tests.support.world import USD, trader

if TYPE_CHECKING:
    from tests.support.workload import Storm


def wrong_time_in_force(storm: "Storm") -> None:
    """An immediate order as the maker, or filled in part although it is all or nothing."""
    kind = storm.turn("wrong_time_in_force", ("ioc maker", "fok maker", "fok in part", "ioc in part"))
    world, price = storm.world, storm.prices[0]
    first, second = pair(storm)
    late = replace(
        first.order,
        size=30_000 if kind.endswith("part") else 10_000,
        time_in_force=IMMEDIATE_OR_CANCEL if kind.startswith("ioc") else FILL_OR_KILL,
    )
    signed = world.sign_order(late, trader(late.account))
    world.act(Trade(10_000, price, *((signed, second) if kind.endswith("maker") else (second, signed))))


def wrong_reduction(storm: "Storm") -> None:
    """A reduce-only order that would open, grow or flip a position, or leave less than a lot."""
    world, price = storm.world, storm.prices[0]
    account, other = storm.random.sample((1, 2, 3, 4, 5, 6), 2)
    held = int(world.position(account, 0))
    is_buy, size = storm.turn(
        "wrong_reduction",
        (
            (held < 0, abs(held) + 1_000),
            (held > 0, 1_000),
            (held < 0, max(abs(held) - 500, 500)),
            (held < 0, max(abs(held), 1_000)),
        ),
    )
    reducing = world.order_units(account, is_buy, size, price, reduce_only=True)
    meeting = world.order_units(other, not is_buy, size, price)
    world.act(Trade(size, price, *in_any_order(storm, (reducing, meeting))))


def trade_in_the_family(storm: "Storm") -> None:
    """Two accounts of one owner."""
    account = storm.random.randint(1, 6)
    sibling = 1 << GROUP_BITS | account
    storm.world.transfer(account, sibling, USD)
    size, price = 1_000, storm.prices[0]
    orders = (
        storm.world.order_units(account, True, size, price),
        storm.world.order_units(sibling, False, size, price),
    )
    storm.world.act(Trade(size, price, *in_any_order(storm, orders)))


def wrong_cancellation(storm: "Storm") -> None:
    """Of dead orders, of somebody else's, of slots and accounts that do not exist; then a dead order."""
    world = storm.world
    account = storm.random.randint(1, 6)
    floor, used = world.account(account).order_floor, world.order_slot(account, 1).nonce
    wrong: list[Callable[[], object]] = [
        lambda: world.cancel(account, 1, used),
        lambda: world.cancel(account, 16, used + 1),
        lambda: world.cancel(account, 1, used + 1, signer="thief"),
        lambda: world.cancel(77, 1, 1),
        lambda: world.cancel(1 << 36, 1, 1),
        lambda: world.cancel_all(account, floor),
        lambda: world.cancel_all(account, floor + 1, signer="thief"),
        lambda: world.cancel_all(77, 1),
        lambda: world.cancel_all(1 << 36, 1),
        lambda: world.force_cancel_all(account, floor + 1, sender="thief"),
        lambda: world.force_cancel_all(77, 1),
        lambda: world.force_cancel_all(1 << 36, 1),
        lambda: world.force_cancel_all(account, max(floor - 1, 0)),
    ]
    storm.turn("wrong_cancellation", wrong)()
    if floor > 0:
        trade_as(storm, account, nonce=floor - 1)


def trade_as(storm: "Storm", account: int, **terms: Any) -> int:
    """A small trade in which `account` buys, with these `terms`."""
    other = storm.random.choice([one for one in (1, 2, 3, 4, 5, 6) if one != account])
    orders = (
        storm.world.order_units(account, True, 1_000, storm.prices[0], **terms),
        storm.world.order_units(other, False, 1_000, storm.prices[0]),
    )
    return storm.world.act(Trade(1_000, storm.prices[0], *in_any_order(storm, orders)))


def wrong_session(storm: "Storm") -> None:
    """Session keys that are none, and keys beyond their rights or their time."""
    world = storm.world
    account = storm.random.randint(1, 6)
    name = f"session of {account}"
    nonce = world.account(account).nonce
    wrong: list[Callable[[], object]] = [
        lambda: world.lend_key(account, 0, name),
        lambda: world.lend_key(account, 16, name),
        lambda: world.lend_key(account, 9, name, rights=0),
        lambda: world.lend_key(account, 9, name, rights=4),
        lambda: world.lend_key(account, 9, name, nonce=nonce),
        lambda: world.lend_key(account, 9, name, signer="thief"),
        lambda: world.lend_key(77, 9, name),
        lambda: world.lend_key(1 << 36, 9, name),
        lambda: trade_as(storm, account, signer=name, key=8),
        lambda: trade_as(storm, account, signer=name, key=200),
        lambda: (world.lend_key(account, 7, name, rights=2), trade_as(storm, account, signer=name, key=7)),
        lambda: (
            world.lend_key(account, 7, name, expiry=world.second - 1),
            trade_as(storm, account, signer=name, key=7),
        ),
        lambda: (world.lend_key(account, 7, name, rights=1), world.cancel_all(account, 1 << 60, name, 7)),
        lambda: (world.lend_key(account, 7, name), trade_as(storm, account, signer="thief", key=7)),
        lambda: world.force_session_end(account, 7, sender="thief"),
        lambda: world.force_session_end(account, 0),
        lambda: world.force_session_end(account, 16),
        lambda: world.force_session_end(77, 1),
        lambda: world.force_session_end(1 << 36, 1),
    ]
    storm.turn("wrong_session", wrong)()


def wrong_transfer(storm: "Storm") -> None:
    """To somebody else, to nobody, to oneself; of nothing, of too much, without the right."""
    world = storm.world
    account = storm.random.randint(1, 6)
    sibling = 2 << GROUP_BITS | account
    cases: list[tuple[int, int, int, dict[str, Any]]] = [
        (account, account, USD, {}),
        (account, account % 6 + 1, USD, {}),
        (account, 2 << GROUP_BITS | account % 6 + 1, USD, {}),
        (account, 2 << GROUP_BITS | 77, USD, {}),
        (account, 77, USD, {}),
        (account, 1 << 36, USD, {}),
        (1 << 36, account, USD, {}),
        (77, account, USD, {}),
        (account, sibling, 0, {}),
        (account, sibling, 10**13, {}),
        (account, sibling, (1 << 64) - 1, {}),
        (account, sibling, USD, {"signer": "thief"}),
        (account, sibling, USD, {"nonce": world.account(account).nonce}),
    ]
    source, target, amount, changes = storm.turn("wrong_transfer", cases)
    world.transfer(source, target, amount, **changes)


def wrong_fees(storm: "Storm") -> None:
    """Tiers dearer than the first, and the word of somebody who is no fee manager."""
    world = storm.world
    nonce = world.record(FeeManager, 0).nonce
    wrong: list[Callable[[], object]] = [
        lambda: world.list_fees(0, 0, 0, 0),
        lambda: world.list_fees(0, 8, 0, 0),
        lambda: world.list_fees(2, 1, 0, 0),
        lambda: world.list_fees(0, 1, 201, 0),
        lambda: world.list_fees(0, 1, -501, 0),
        lambda: world.list_fees(0, 1, 0, 501),
        lambda: world.list_fees(0, 1, 0, 0, nonce=nonce),
        lambda: world.list_fees(0, 1, 0, 0, signer="thief"),
        lambda: world.list_fees(0, 1, -(1 << 31), 0),
        lambda: world.put_in_tier(1, 8),
        lambda: world.put_in_tier(77, 1),
        lambda: world.put_in_tier(1 << 36, 1),
        lambda: world.put_in_tier(1, 1, signer="thief"),
        lambda: world.put_in_tier(1, 1, nonce=nonce),
    ]
    storm.turn("wrong_fees", wrong)()


def wrong_account_length(storm: "Storm") -> None:
    """The kind alone, of everything that an owner or the fee manager says."""
    kind = storm.turn("wrong_account_length", KINDS)
    head = bytes((inputs.ORIGIN_SEQUENCED,)) + storm.world.second.to_bytes(5, "big")
    storm.world.apply_bytes(head + bytes((kind,)))


def force_reduction(storm: "Storm") -> None:
    """Reductions that are due, and those that cannot be carried out: each ends in an outcome."""
    world = storm.world
    account = storm.random.randint(1, 6)
    held = world.positions(account).get(0, 0)
    size = abs(int(held)) or 1_000
    good = 1 if held > 0 else 10**9
    cases: list[tuple[int, int, int, int, str | None]] = [
        (account, size, good, 0, None),
        (account, size // 2 or 1, good, 0, None),
        (account, size, 10**10 - good, 0, None),
        (account, size, good, 1, None),
        (account, size, good, 9, None),
        (account, 0, good, 0, None),
        (account, (1 << 64) - 1, good, 0, None),
        (account, size, good, 0, "thief"),
        (0, size, good, 0, None),
        (77, size, good, 0, None),
        (1 << 36, size, good, 0, None),
    ]
    account, size, usd, market, sender = storm.turn("force_reduction", cases)
    world.force_reduce(account, size, usd, market, sender, enqueued_at=world.second - 3)


KINDS: Final = (
    inputs.KIND_CANCEL,
    inputs.KIND_CANCEL_ALL,
    inputs.KIND_TRANSFER,
    inputs.KIND_SESSION_KEY,
    inputs.KIND_FEES,
    inputs.KIND_ACCOUNT_TIER,
)

ATTACKS: Final[tuple[Callable[["Storm"], None], ...]] = (
    wrong_account_length,
    force_reduction,
    force_reduction,
    wrong_time_in_force,
    wrong_reduction,
    trade_in_the_family,
    wrong_cancellation,
    wrong_cancellation,
    wrong_session,
    wrong_session,
    wrong_transfer,
    wrong_transfer,
    wrong_fees,
    wrong_fees,
)

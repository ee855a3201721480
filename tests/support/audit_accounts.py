"""Judges what an owner or the fee manager did besides trading: who signed it, and that it did only that."""

from collections.abc import Set as AbstractSet
from typing import Any

from optimist.derive.account_actions import (
    AccountAction,
    Cancel,
    CancelAll,
    ForcedReduce,
    SetAccountTier,
    SetFees,
    SetSessionKey,
    Transfer,
)
from optimist.derive.actions import Forced, ForcedWithdraw
from optimist.derive.decode import decode, decode_forced
from optimist.derive.typed_data import Domain
from optimist.stf.codes import Code
from optimist.stf.constants import PRICE_CONFIRMED, RIGHT_CANCEL
from optimist.stf.records import Account, FeeManager, FeeTier, OrderSlot, SessionKey
from tests.support.judging import judging
from tests.support.ledger import Ledger

PPM = 10**6
SYSTEM = (1, 0)


def check_account_action(domain: Domain, action: AccountAction, before: Ledger, after: Ledger) -> None:
    """Raises AssertionError when the law should not have accepted it, or did something else."""
    signer = action.request.recover(domain, action.signature)
    now = after.system.clock
    match action:
        case Cancel(request=cancel, key=key):
            check_signer(signer, before, cancel.account, key, cancel.nonce, now)
            row = cancel.account << 4 | cancel.slot
            check_changes(before, after, {(10, row)})
            used = after.record(OrderSlot, row)
            assert (used.nonce, used.filled) == (cancel.nonce, 0)
            with judging("I12"):
                assert used.nonce > before.record(OrderSlot, row).nonce
        case CancelAll(request=cancel_all, key=key):
            check_signer(signer, before, cancel_all.account, key, cancel_all.nonce, now)
            check_changes(before, after, {(7, cancel_all.account)})
            with judging("I12"):
                assert cancel_all.nonce > before.account(cancel_all.account).order_floor
            check_account(before, after, cancel_all.account, order_floor=cancel_all.nonce)
        case Transfer(request=transfer):
            check_transfer(action, signer, before, after)
            groups = {(15, transfer.source >> 32), (15, transfer.target >> 32)}
            allowed = {(7, transfer.source), (7, transfer.target)}
            check_changes(before, after, allowed | (groups if len(groups) == 2 else set()))
        case SetSessionKey(request=session):
            check_signer(signer, before, session.account, 0, session.nonce, now)
            row = session.account << 4 | session.index
            check_changes(before, after, {(7, session.account), (21, row)})
            with judging("I12"):
                assert session.nonce > before.account(session.account).nonce
            check_account(before, after, session.account, nonce=session.nonce)
            lent = after.record(SessionKey, row)
            assert lent.key == int.from_bytes(session.key, "big")
            assert not lent.key or (lent.expiry, lent.rights) == (session.expiry, session.rights)
            assert bool(lent.rights) == bool(lent.key)
            assert 1 <= session.index <= 15
        case SetFees() | SetAccountTier():
            check_fee_manager(action, signer, before, after)


def check_transfer(action: Transfer, signer: bytes, before: Ledger, after: Ledger) -> None:
    """Money moved between two accounts of the owner who signed; the second one may be new.

    What leaves a group with a loss leaves its part of it.
    """
    request = action.request
    check_signer(signer, before, request.source, 0, request.nonce, after.system.clock)
    assert request.source != request.target
    source, target = before.account(request.source), before.account(request.target)
    assert request.amount > 0
    with judging("I12"):
        assert request.nonce > source.nonce
    check_account(
        before, after, request.source, nonce=request.nonce, collateral=source.collateral - request.amount
    )
    with judging("authority"):
        opened_by = before.account(request.target % (1 << 32)).owner
        assert (target.owner or opened_by) == source.owner
    arriving = request.amount
    if request.source >> 32 != request.target >> 32:
        left, entered = before.group(request.source >> 32), before.group(request.target >> 32)
        arriving -= before.share_of_loss(request.source >> 32, request.amount)
        with judging("I21"):
            assert after.group(request.source >> 32).money == left.money - arriving >= 0
            assert after.group(request.source >> 32).fund == left.fund + request.amount - arriving
        assert after.group(request.target >> 32).money == entered.money + arriving
        assert after.group(request.target >> 32).fund == entered.fund
    with judging("I21"):
        assert arriving >= request.least_paid
    check_account(before, after, request.target, owner=source.owner, collateral=target.collateral + arriving)


@judging("fees")
def check_fee_manager(action: SetFees | SetAccountTier, signer: bytes, before: Ledger, after: Ledger) -> None:
    """The fee manager signed, with a new nonce; no tier is dearer than tier 0."""
    manager = before.record(FeeManager, 0)
    with judging("authority"):
        assert signer == manager.manager.to_bytes(20, "big") != bytes(20)
    with judging("I12"):
        assert action.request.nonce == after.record(FeeManager, 0).nonce > manager.nonce
    match action:
        case SetFees(request=fees):
            row = fees.market << 3
            check_changes(before, after, {(23, 0), (22, row | fees.tier)})
            listed, dearest = after.record(FeeTier, row | fees.tier), after.record(FeeTier, row)
            assert (listed.is_listed, listed.maker_ppm) == (1, fees.maker_ppm)
            assert listed.taker_ppm == fees.taker_ppm <= dearest.taker_ppm
            assert -dearest.taker_ppm <= listed.maker_ppm <= dearest.maker_ppm
            assert 1 <= fees.tier <= 7
        case SetAccountTier(request=put):
            check_changes(before, after, {(23, 0), (7, put.account)})
            check_account(before, after, put.account, fee_tier=put.tier)
            assert get_owner(before, put.account) != bytes(20)


@judging("frame")
def check_changes(before: Ledger, after: Ledger, allowed: AbstractSet[tuple[int, int]]) -> None:
    """No record changed but these (table, row), and System, which holds the clock."""
    old, new = before.records, after.records
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    found = {(key >> 40, key & (1 << 40) - 1) for key in changed}
    assert found <= allowed | {SYSTEM}, found


@judging("frame")
def check_account(before: Ledger, after: Ledger, account: int, **changes: Any) -> None:
    """The account is as it was, but for these fields."""
    found: Any = before.account(account)
    expected: Account = found.record_copy()
    for name, value in changes.items():
        setattr(expected, name, value)
    assert after.account(account) == expected


@judging("authority")
def check_signer(signer: bytes, before: Ledger, account: int, key: int, nonce: int, now: int) -> None:
    """The owner, or a session key with the right to cancel, signed."""
    assert signer == find_signer(before, account, key, RIGHT_CANCEL, nonce, now)


def get_owner(ledger: Ledger, account: int) -> bytes:
    """20 bytes."""
    return bytes(ledger.account(account).owner.to_bytes(20, "big"))


def find_signer(ledger: Ledger, account: int, key: int, right: int, nonce: int, now: int) -> bytes:
    """Who may sign for an account as `key`."""
    owner = get_owner(ledger, account)
    assert owner != bytes(20)
    if key == 0:
        return owner
    session = ledger.record(SessionKey, account << 4 | key)
    assert session.key != 0
    assert 1 <= key <= 15
    assert now <= session.expiry
    assert session.rights & right
    assert nonce < 1 << 63
    return bytes(session.key.to_bytes(20, "big"))


def judge_reduction(wanted: ForcedReduce, before: Ledger) -> int:
    """The outcome that a forced reduction must have, but for what depends on margins."""
    backstop = wanted.account >> 32 << 32
    if wanted.account == backstop:
        return Code.BACKSTOP_ITSELF
    if wanted.market >= before.parameters.markets:
        return Code.UNKNOWN_MARKET
    if wanted.size == 0:
        return Code.AMOUNT_ZERO
    size = before.positions(wanted.account).get(wanted.market, 0)
    if size == 0:
        return Code.NO_POSITION
    now = before.system.clock
    for market in {wanted.market, *before.positions(wanted.account), *before.positions(backstop)}:
        price = before.stored_price(market)
        if now - price.publish_time > before.parameters.liquidation_heartbeat or price.status:
            return Code.PRICE_STALE
    mark = before.stored_price(wanted.market).mark
    return Code.LIMIT_PRICE if (mark < wanted.limit if size > 0 else mark > wanted.limit) else 0


def find_fee(ledger: Ledger, market: int, account: int, *, is_maker: bool) -> int:
    """What the account's tier pays, ppm: never more than tier 0."""
    name = "maker_ppm" if is_maker else "taker_ppm"
    dearest = ledger.record(FeeTier, market << 3)
    listed = ledger.record(FeeTier, market << 3 | ledger.account(account).fee_tier)
    return int(min(getattr(dearest, name), getattr(listed if listed.is_listed else dearest, name)))


@judging("I22")
def check_reduction(data: bytes, before: Ledger, after: Ledger) -> None:
    """I5 and the backstop's own I4, I5: at the mark, by no more than was wanted, the fee included."""
    forced = decode(data)
    assert isinstance(forced, Forced)
    wanted = decode_forced(forced.payload)
    assert isinstance(wanted, ForcedReduce)
    account, market_id, backstop = wanted.account, wanted.market, wanted.account >> 32 << 32
    size, now = before.positions(account)[market_id], after.position(account, market_id)
    assert abs(now) < abs(size)
    assert now * size >= 0
    assert abs(size - now) <= wanted.size + 1
    assert after.position(backstop, market_id) - before.position(backstop, market_id) != 0
    old, new = before.rounded_margin(account), after.rounded_margin(account, before)
    notional = (
        abs(size - now) * before.stored_price(market_id).mark / before.market(market_id).notional_divisor
    )
    fee = notional * find_fee(before, market_id, account, is_maker=False) / PPM
    unit = before.stored_price(market_id).mark // before.market(market_id).notional_divisor + 1
    dropped = unit if size % 1 or now % 1 else 0  # less than a unit of a size that is no whole number
    assert old.value - new.value <= fee + 4 + dropped  # roundings of 1e-6 USD


def judge_payment(wanted: ForcedWithdraw, enqueued_at: int, before: Ledger) -> int:
    """The outcome that a forced withdrawal by the owner must have."""
    account = before.account(wanted.account)
    if wanted.amount == 0:
        return Code.AMOUNT_ZERO
    if account.collateral - wanted.amount <= -(1 << 63):
        return Code.COLLATERAL_BOUND
    for market in before.positions(wanted.account):
        price = before.stored_price(market)
        age = enqueued_at - price.publish_time
        if age > before.parameters.trade_heartbeat or price.status != PRICE_CONFIRMED:
            return Code.PRICE_STALE
    margin = before.rounded_margin(wanted.account)
    if margin.value - wanted.amount < margin.initial:
        return Code.BELOW_INITIAL_MARGIN
    group = wanted.account >> 32
    if min(before.system.clock, enqueued_at) < before.group(group).held_until:
        return Code.GROUP_HELD
    paid = wanted.amount - before.share_of_loss(group, wanted.amount)
    if paid > before.group(group).money:
        return Code.GROUP_SHORT
    return Code.PAID_TOO_LITTLE if paid < wanted.least_paid else 0

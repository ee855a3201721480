"""Judges money that comes and goes: deposits, withdrawals, and what may be forced through L1."""

from typing import Final

from optimist.derive.account_actions import ForcedCancelAll, ForcedReduce, ForcedSessionEnd
from optimist.derive.actions import Deposit, Forced, ForcedWithdraw, Withdraw
from optimist.derive.decode import decode, decode_forced
from optimist.derive.octets import DecodingError
from optimist.derive.typed_data import Domain
from optimist.stf.codes import Code
from optimist.stf.inputs import KIND_CANCEL_ALL, KIND_REDUCE, KIND_SESSION_KEY
from optimist.stf.records import ForcedOutcome, SessionKey
from tests.support.audit_accounts import (
    check_account,
    check_changes,
    check_reduction,
    judge_payment,
    judge_reduction,
)
from tests.support.audit_shared import check_fresh, check_margin, check_only
from tests.support.judging import judging
from tests.support.ledger import Ledger

# How a forced reduction may end that nothing but margins stands against.
UNDECIDED: Final = (Code.BELOW_INITIAL_MARGIN, Code.BACKSTOP_UNABLE, Code.COLLATERAL_BOUND)


@judging("I1")
def check_deposit(deposit: Deposit, before: Ledger, after: Ledger) -> None:
    """The money is in the account, or on its way back to the owner that the deposit names."""
    owner = int.from_bytes(deposit.owner, "big")
    account = before.account(deposit.account)
    is_credited = after.account(deposit.account).collateral != account.collateral
    assert is_credited == (
        deposit.account < 1 << 36
        and account.owner in (0, owner)
        and account.collateral + deposit.amount < 1 << 63
    )
    check_only(before, after, {deposit.account} if is_credited else set())
    if is_credited:
        assert after.account(deposit.account).owner == owner
        assert after.account(deposit.account).collateral == account.collateral + deposit.amount
        assert after.system.next_withdrawal == before.system.next_withdrawal
    else:
        back = after.withdrawal(before.system.next_withdrawal)
        assert (back.recipient, back.amount) == (owner, deposit.amount)


def check_withdrawal(domain: Domain, action: Withdraw, before: Ledger, after: Ledger) -> None:
    """Signed by the owner with a new nonce, at fresh prices, and the account keeps its initial margin."""
    request = action.request
    account = before.account(request.account)
    check_only(before, after, {request.account})
    with judging("authority"):
        assert request.recover(domain, action.signature) == account.owner.to_bytes(20, "big") != bytes(20)
    with judging("I12"):
        assert after.account(request.account).nonce == request.nonce > account.nonce
    check_paid(before, after, request.account, request.amount, int.from_bytes(request.recipient, "big"))
    with judging("I21"):
        kept = before.share_of_loss(request.account >> 32, request.amount)
        assert request.amount - kept >= request.least_paid
    check_fresh(before, request.account, after.system.clock, before.parameters.trade_heartbeat)
    new = after.rounded_margin(request.account)
    with judging("I4"):
        assert new.value >= new.initial


def check_paid(before: Ledger, after: Ledger, account: int, amount: int, recipient: int) -> None:
    """The account paid, its part of the group's loss stayed, one record was written, in the next row."""
    with judging("I1"):
        assert before.account(account).collateral - after.account(account).collateral == amount > 0
    group, row = before.group(account >> 32), before.system.next_withdrawal
    paid = amount - before.share_of_loss(account >> 32, amount)
    with judging("I21"):
        assert after.group(account >> 32).money == group.money - paid >= 0
        assert after.group(account >> 32).fund == group.fund + amount - paid
        assert after.withdrawal(row).amount == paid
    with judging("frame"):
        assert before.withdrawal(row).amount == 0
        assert after.withdrawal(row).recipient == (recipient if paid else 0)
        assert after.system.next_withdrawal == (row + 1 if paid else row)
        assert recipient != 0


@judging("I22")
def check_forced(data: bytes, before: Ledger, after: Ledger) -> None:
    """What is the right of an account ends in an outcome, and in the right one."""
    row = before.system.next_forced
    assert after.system.next_forced == row + 1
    outcome = after.record(ForcedOutcome, row)
    wanted = judge_forced(data, before)
    is_undecided = wanted == 0 and data[26] == KIND_REDUCE and outcome.code in UNDECIDED
    assert outcome.code == wanted or is_undecided, f"outcome {outcome.code} instead of {wanted}"
    if outcome.code == 0 and data[26] == KIND_CANCEL_ALL:
        floor = max(before.account(outcome.account).order_floor, outcome.amount)
        check_changes(before, after, {(7, outcome.account), (11, row)})
        check_account(before, after, outcome.account, order_floor=floor)
    elif outcome.code == 0 and data[26] == KIND_SESSION_KEY:
        session = outcome.account << 4 | data[32]
        check_changes(before, after, {(21, session), (11, row)})
        assert after.record(SessionKey, session).key == 0
    elif outcome.code == 0 and data[26] == KIND_REDUCE:
        account, market_id = outcome.account, int.from_bytes(data[32:34], "big")
        check_only(before, after, {account, account >> 32 << 32})
        for who in (account, account >> 32 << 32):
            check_margin(before, after, who, market_id)
        check_reduction(data, before, after)
    elif outcome.code == 0:
        check_paid(before, after, outcome.account, outcome.amount, before.account(outcome.account).owner)
        check_only(before, after, {outcome.account})
    else:
        check_only(before, after, set())
        assert after.system.next_withdrawal == before.system.next_withdrawal


def judge_forced(data: bytes, before: Ledger) -> int:
    """The outcome that a forced input must have."""
    try:
        forced = decode(data)
        assert isinstance(forced, Forced)
        wanted = decode_forced(forced.payload)
        assert isinstance(wanted, ForcedWithdraw | ForcedCancelAll | ForcedReduce | ForcedSessionEnd)
    except DecodingError:
        return Code.MALFORMED
    if wanted.account >= 1 << 36 or before.account(wanted.account).owner == 0:
        return Code.UNKNOWN_ACCOUNT
    account = before.account(wanted.account)
    if account.owner != int.from_bytes(forced.sender, "big"):
        return Code.NOT_OWNER
    match wanted:
        case ForcedCancelAll():
            return 0
        case ForcedReduce():
            return judge_reduction(wanted, before)
        case ForcedSessionEnd():
            return 0 if 1 <= wanted.index <= 15 else Code.BAD_SESSION
        case _:
            return judge_payment(wanted, forced.enqueued_at, before)

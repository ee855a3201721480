"""WITHDRAW: collateral leaves the account into a record that the Vault pays once the state is confirmed.

What may leave: as much as the account keeps its initial margin without, at fresh prices, unrealised profit
included. dYdX v4 and StarkEx decide the same. There is no entry price here that could tell realised from
unrealised, and refusing the latter would protect nobody: a trader closes against another account of his own
and reopens, at the cost of two fees. What stands behind money that left on a profit is the loser's margin,
which is liquidated before it is used up, then the fund of the group, the backstop, everyone on the other
side. What they do not cover is a loss of the group, and whoever withdraws leaves a part of it (`group.py`).
"""

from typing import Final

from optimist.provable import (
    b32,
    fit,
    handler,
    i64,
    input_length,
    input_uint,
    keccak_of,
    keccak_text,
    load,
    note,
    peek,
    record,
    require,
    store,
    u8,
    u40,
    u64,
    u160,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, DONE, REASON_SIGNED
from optimist.stf.group import leave_group
from optimist.stf.inputs import (
    WITHDRAW_ACCOUNT_AT,
    WITHDRAW_AMOUNT_AT,
    WITHDRAW_LEAST_AT,
    WITHDRAW_LENGTH,
    WITHDRAW_NONCE_AT,
    WITHDRAW_RECIPIENT_AT,
    WITHDRAW_SIGNATURE_AT,
)
from optimist.stf.margin import Holdings, scan_holdings
from optimist.stf.notes import Withdrawn
from optimist.stf.records import Account, AccountId, Parameters, System, Withdrawal
from optimist.stf.signatures import recover_at

WITHDRAW_TYPE_HASH: Final = keccak_text(
    "Withdraw(uint40 account,uint64 amount,uint64 leastPaid,address recipient,uint64 nonce)"
)


@record()
class WithdrawRequest:
    """The EIP-712 struct that the owner signs."""

    type_hash: b32
    account: u40
    amount: u64
    least_paid: u64
    recipient: u160
    nonce: u64


@handler
def apply_withdraw(system: System) -> None:
    """A withdrawal signed by the owner. Its nonce must be above every one used before."""
    require(input_length() == WITHDRAW_LENGTH, Code.MALFORMED)
    account_id = input_uint(WITHDRAW_ACCOUNT_AT, 5)
    amount = input_uint(WITHDRAW_AMOUNT_AT, 8)
    least_paid = input_uint(WITHDRAW_LEAST_AT, 8)
    recipient = input_uint(WITHDRAW_RECIPIENT_AT, 20)
    nonce = input_uint(WITHDRAW_NONCE_AT, 8)
    require(account_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    require(amount > 0, Code.AMOUNT_ZERO)
    require(recipient != 0, Code.RECIPIENT_ZERO)
    account = load(Account, account_id)
    require(account.owner != 0, Code.UNKNOWN_ACCOUNT)
    require(nonce > account.nonce, Code.NONCE_USED)
    request = WithdrawRequest(
        type_hash=WITHDRAW_TYPE_HASH,
        account=account_id,
        amount=amount,
        least_paid=least_paid,
        recipient=recipient,
        nonce=nonce,
    )
    signer = recover_at(system.domain, keccak_of(request), WITHDRAW_SIGNATURE_AT)
    require(signer == account.owner, Code.NOT_SIGNED_BY_OWNER)

    account.collateral = fit(i64, account.collateral - amount, Code.COLLATERAL_BOUND)
    account.nonce = nonce
    verdict = judge_withdrawal(account_id, account.collateral, system.clock)
    require(verdict != Code.PRICE_STALE, Code.PRICE_STALE)
    require(verdict == DONE, Code.BELOW_INITIAL_MARGIN)
    store(account_id, account)
    verdict = pay_out(system, account_id, amount, least_paid, recipient, REASON_SIGNED, system.clock)
    require(verdict != Code.GROUP_HELD, Code.GROUP_HELD)
    require(verdict != Code.GROUP_SHORT, Code.GROUP_SHORT)
    require(verdict == DONE, Code.PAID_TOO_LITTLE)


def judge_withdrawal(account_id: AccountId, collateral: i64, now: u40) -> u8:
    """DONE if an account may be left with `collateral`, else the Code that says why not.

    `now` is the second at which the age of prices is measured.
    """
    holdings = zero(Holdings)
    scan_holdings(holdings, account_id, 0, now, peek(Parameters, 0).trade_heartbeat)
    if not holdings.is_fresh:
        return Code.PRICE_STALE
    if collateral + holdings.value < holdings.initial:
        return Code.BELOW_INITIAL_MARGIN
    return DONE


def pay_out(
    system: System,
    account_id: AccountId,
    amount: u64,
    least_paid: u64,
    recipient: u160,
    reason: u8,
    now: u40,
) -> u8:
    """Let `amount` leave an account's group, less its part of the group's loss; DONE, or why it cannot.

    `now` is the second at which the group must not be held. The account's collateral is the caller's to
    change.
    """
    verdict, paid = leave_group(account_id, amount, least_paid, now)
    if paid != 0:
        write_withdrawal(system, recipient, paid, account_id, reason)
    return verdict


def write_withdrawal(system: System, recipient: u160, amount: u64, account_id: u40, reason: u8) -> None:
    """Write the next Withdrawal record. The counter never runs out in practice: it has 2^40 rows."""
    row = system.next_withdrawal
    system.next_withdrawal = fit(u40, row + 1, Code.COUNTER_EXHAUSTED)
    store(row, Withdrawal(recipient=recipient, amount=amount, account=account_id, reason=reason))
    note(Withdrawn(account=account_id, recipient=recipient, amount=amount, row=row, reason=reason))

"""TRANSFER: money moves between two accounts of one owner, and opens the second one if it has to.

Account n of risk group g is g << 32 | n. The Vault on L1 hands out n, with an owner, in group 0; a transfer
may open the account of the same number in another group, for that owner. What may leave the source is what
might be withdrawn from it. No session key can sign it.
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
    u40,
    u64,
    u160,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, DONE, GROUP_BITS
from optimist.stf.group import enter_group, get_group, leave_group
from optimist.stf.inputs import (
    TRANSFER_AMOUNT_AT,
    TRANSFER_LEAST_AT,
    TRANSFER_LENGTH,
    TRANSFER_NONCE_AT,
    TRANSFER_SIGNATURE_AT,
    TRANSFER_SOURCE_AT,
    TRANSFER_TARGET_AT,
)
from optimist.stf.notes import Transferred
from optimist.stf.records import Account, AccountId, System
from optimist.stf.signatures import recover_at
from optimist.stf.withdrawal import judge_withdrawal

TRANSFER_TYPE_HASH: Final = keccak_text(
    "Transfer(uint40 source,uint40 target,uint64 amount,uint64 leastPaid,uint64 nonce)"
)


@record()
class TransferRequest:
    """The EIP-712 struct that the owner signs."""

    type_hash: b32
    source: u40
    target: u40
    amount: u64
    least_paid: u64
    nonce: u64


@handler
def apply_transfer(system: System) -> None:
    """Move `amount` from the source to the target. Its nonce is of the same row as those of withdrawals."""
    require(input_length() == TRANSFER_LENGTH, Code.MALFORMED)
    source_id = input_uint(TRANSFER_SOURCE_AT, 5)
    target_id = input_uint(TRANSFER_TARGET_AT, 5)
    amount = input_uint(TRANSFER_AMOUNT_AT, 8)
    least_paid = input_uint(TRANSFER_LEAST_AT, 8)
    nonce = input_uint(TRANSFER_NONCE_AT, 8)
    require(source_id < ACCOUNT_LIMIT and target_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    require(source_id != target_id, Code.SAME_ACCOUNT)
    require(amount > 0, Code.AMOUNT_ZERO)
    source = load(Account, source_id)
    require(source.owner != 0, Code.UNKNOWN_ACCOUNT)
    require(nonce > source.nonce, Code.NONCE_USED)
    request = TransferRequest(
        type_hash=TRANSFER_TYPE_HASH,
        source=source_id,
        target=target_id,
        amount=amount,
        least_paid=least_paid,
        nonce=nonce,
    )
    signer = recover_at(system.domain, keccak_of(request), TRANSFER_SIGNATURE_AT)
    require(signer == source.owner, Code.NOT_SIGNED_BY_OWNER)

    source.collateral = fit(i64, source.collateral - amount, Code.COLLATERAL_BOUND)
    source.nonce = nonce
    verdict = judge_withdrawal(source_id, source.collateral, system.clock)
    require(verdict != Code.PRICE_STALE, Code.PRICE_STALE)
    require(verdict == DONE, Code.BELOW_INITIAL_MARGIN)
    store(source_id, source)
    arriving = move_money(source_id, target_id, amount, system.clock)
    require(arriving >= least_paid, Code.PAID_TOO_LITTLE)
    credit(target_id, source.owner, arriving)
    note(Transferred(source_account=source_id, target_account=target_id, amount=arriving))


def move_money(source_id: AccountId, target_id: AccountId, amount: u64, now: u40) -> u64:
    """Take `amount` from the source's group into the target's; what arrives: less its part of a loss."""
    if get_group(source_id) == get_group(target_id):
        return amount
    verdict, arriving = leave_group(source_id, amount, 0, now)
    require(verdict != Code.GROUP_HELD, Code.GROUP_HELD)
    require(verdict == DONE, Code.GROUP_SHORT)
    enter_group(target_id, arriving)
    return arriving


def credit(account_id: AccountId, owner: u160, amount: u64) -> None:
    """Add `amount` to an account of `owner`, opening it if need be. Rejects one of another owner."""
    account = load(Account, account_id)
    if account.owner == 0:
        number = account_id & (1 << GROUP_BITS) - 1
        require(peek(Account, number).owner == owner, Code.OTHER_OWNER)
        account.owner = owner
    require(account.owner == owner, Code.OTHER_OWNER)
    account.collateral = fit(i64, account.collateral + amount, Code.COLLATERAL_BOUND)
    store(account_id, account)

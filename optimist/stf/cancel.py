"""CANCEL and CANCEL_ALL: an owner takes back what he signed, without the sequencer's leave to forget it.

An order is only bytes with a signature: whoever holds them may bring them. So nothing is deleted. CANCEL
raises the nonce of one order slot, CANCEL_ALL raises the floor of the account, and every order with a lower
nonce is dead from then on. CANCEL_ALL may be forced through L1 by the owner.
"""

from typing import Final

from optimist.provable import (
    b32,
    handler,
    input_length,
    input_uint,
    keccak_of,
    keccak_text,
    load,
    peek,
    record,
    require,
    store,
    u8,
    u16,
    u40,
    u64,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, DONE, RIGHT_CANCEL, SLOT_BITS
from optimist.stf.inputs import (
    CANCEL_ACCOUNT_AT,
    CANCEL_ALL_ACCOUNT_AT,
    CANCEL_ALL_KEY_AT,
    CANCEL_ALL_LENGTH,
    CANCEL_ALL_NONCE_AT,
    CANCEL_ALL_SIGNATURE_AT,
    CANCEL_KEY_AT,
    CANCEL_LENGTH,
    CANCEL_NONCE_AT,
    CANCEL_SIGNATURE_AT,
    CANCEL_SLOT_AT,
)
from optimist.stf.preset import ORDER_SLOTS
from optimist.stf.records import Account, ForcedOutcome, OrderSlot, System
from optimist.stf.session import get_signer
from optimist.stf.signatures import recover_at

CANCEL_TYPE_HASH: Final = keccak_text("Cancel(uint40 account,uint8 slot,uint64 nonce)")
CANCEL_ALL_TYPE_HASH: Final = keccak_text("CancelAll(uint40 account,uint64 nonce)")


@record()
class CancelRequest:
    """The EIP-712 struct that the owner or a session key signs."""

    type_hash: b32
    account: u40
    slot: u8
    nonce: u64


@record()
class CancelAllRequest:
    """The EIP-712 struct that the owner or a session key signs."""

    type_hash: b32
    account: u40
    nonce: u64


@handler
def apply_cancel(system: System) -> None:
    """Every order of one slot with a nonce below `nonce` is dead. Rejects when they are already."""
    require(input_length() == CANCEL_LENGTH, Code.MALFORMED)
    account_id = input_uint(CANCEL_ACCOUNT_AT, 5)
    slot = input_uint(CANCEL_SLOT_AT, 1)
    nonce = input_uint(CANCEL_NONCE_AT, 8)
    require(account_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    require(slot < ORDER_SLOTS, Code.ORDER_SLOT)
    account = peek(Account, account_id)
    require(account.owner != 0, Code.UNKNOWN_ACCOUNT)
    row = account_id << SLOT_BITS | slot
    require(nonce > peek(OrderSlot, row).nonce, Code.ORDER_NONCE)
    key = input_uint(CANCEL_KEY_AT, 1)
    expected = get_signer(account_id, account.owner, key, RIGHT_CANCEL, nonce, system.clock)
    request = CancelRequest(type_hash=CANCEL_TYPE_HASH, account=account_id, slot=slot, nonce=nonce)
    signer = recover_at(system.domain, keccak_of(request), CANCEL_SIGNATURE_AT)
    require(signer == expected, Code.NOT_SIGNED_BY_OWNER)
    store(row, OrderSlot(nonce=nonce, filled=0))


@handler
def apply_cancel_all(system: System) -> None:
    """Every order of the account with a nonce below `nonce` is dead. Rejects when they are already."""
    require(input_length() == CANCEL_ALL_LENGTH, Code.MALFORMED)
    account_id = input_uint(CANCEL_ALL_ACCOUNT_AT, 5)
    nonce = input_uint(CANCEL_ALL_NONCE_AT, 8)
    require(account_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    account = load(Account, account_id)
    require(account.owner != 0, Code.UNKNOWN_ACCOUNT)
    require(nonce > account.order_floor, Code.ORDER_CANCELLED)
    key = input_uint(CANCEL_ALL_KEY_AT, 1)
    expected = get_signer(account_id, account.owner, key, RIGHT_CANCEL, nonce, system.clock)
    request = CancelAllRequest(type_hash=CANCEL_ALL_TYPE_HASH, account=account_id, nonce=nonce)
    signer = recover_at(system.domain, keccak_of(request), CANCEL_ALL_SIGNATURE_AT)
    require(signer == expected, Code.NOT_SIGNED_BY_OWNER)
    account.order_floor = nonce
    store(account_id, account)


def force_cancel_all(wanted: ForcedOutcome) -> u16:
    """The same for the owner, who must be the sender; DONE, or the Code of the refusal.

    `wanted.amount` is the nonce. Orders that are dead already are no refusal: what the owner wants is so.
    """
    account_id = wanted.account
    if account_id >= ACCOUNT_LIMIT:
        return Code.UNKNOWN_ACCOUNT
    account = load(Account, account_id)
    if account.owner == 0:
        return Code.UNKNOWN_ACCOUNT
    if account.owner != wanted.sender:
        return Code.NOT_OWNER
    account.order_floor = max(account.order_floor, wanted.amount)
    store(account_id, account)
    return DONE

"""SESSION_KEY: keys that an owner lends to a program, so that his own stays in the drawer.

A session key signs orders, or cancels them, or both, up to a second that the owner has set. It never signs
what moves money out of an account or says who may: withdrawals, transfers, session keys. An input names the
key that signed it by its index; index 0 is the owner himself.
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
    u160,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import (
    ACCOUNT_LIMIT,
    DONE,
    MAX_SESSION_KEYS,
    MAX_SESSION_NONCE,
    RIGHT_CANCEL,
    RIGHT_TRADE,
    SLOT_BITS,
)
from optimist.stf.inputs import (
    FORCED_SESSION_KEY_INDEX_AT,
    SESSION_KEY_ACCOUNT_AT,
    SESSION_KEY_EXPIRY_AT,
    SESSION_KEY_INDEX_AT,
    SESSION_KEY_KEY_AT,
    SESSION_KEY_LENGTH,
    SESSION_KEY_NONCE_AT,
    SESSION_KEY_RIGHTS_AT,
    SESSION_KEY_SIGNATURE_AT,
)
from optimist.stf.records import Account, AccountId, ForcedOutcome, Rights, SessionKey, System
from optimist.stf.signatures import recover_at

SESSION_KEY_TYPE_HASH: Final = keccak_text(
    "SessionKey(uint40 account,uint8 index,address key,uint8 rights,uint40 expiry,uint64 nonce)"
)


@record()
class SessionKeyRequest:
    """The EIP-712 struct that the owner signs."""

    type_hash: b32
    account: u40
    index: u8
    key: u160
    rights: u8
    expiry: u40
    nonce: u64


@handler
def apply_session_key(system: System) -> None:
    """Set the session key of an index, in place of the one there; key 0 ends it. Signed by the owner."""
    require(input_length() == SESSION_KEY_LENGTH, Code.MALFORMED)
    account_id = input_uint(SESSION_KEY_ACCOUNT_AT, 5)
    index = input_uint(SESSION_KEY_INDEX_AT, 1)
    key = input_uint(SESSION_KEY_KEY_AT, 20)
    rights = input_uint(SESSION_KEY_RIGHTS_AT, 1)
    expiry = input_uint(SESSION_KEY_EXPIRY_AT, 5)
    nonce = input_uint(SESSION_KEY_NONCE_AT, 8)
    require(account_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    require(0 < index <= MAX_SESSION_KEYS, Code.BAD_SESSION)
    account = load(Account, account_id)
    require(account.owner != 0, Code.UNKNOWN_ACCOUNT)
    require(nonce > account.nonce, Code.NONCE_USED)
    request = SessionKeyRequest(
        type_hash=SESSION_KEY_TYPE_HASH,
        account=account_id,
        index=index,
        key=key,
        rights=rights,
        expiry=expiry,
        nonce=nonce,
    )
    signer = recover_at(system.domain, keccak_of(request), SESSION_KEY_SIGNATURE_AT)
    require(signer == account.owner, Code.NOT_SIGNED_BY_OWNER)
    account.nonce = nonce
    store(account_id, account)
    if key == 0:
        store(account_id << SLOT_BITS | index, zero(SessionKey))
        return
    require(0 < rights <= RIGHT_TRADE | RIGHT_CANCEL, Code.BAD_SESSION)
    store(account_id << SLOT_BITS | index, SessionKey(key=key, expiry=expiry, rights=rights))


def get_signer(account_id: AccountId, owner: u160, index: u8, right: Rights, nonce: u64, clock: u40) -> u160:
    """The address that must have signed for an account: its owner's for index 0, else that session key's.

    Rejects a session key that is not there, has expired, or lacks the right, and a nonce beyond those that
    are its to use: nonces only rise, and what a key does must not outlast it.
    """
    if index == 0:
        return owner
    require(index <= MAX_SESSION_KEYS, Code.SESSION_UNKNOWN)
    session = peek(SessionKey, account_id << SLOT_BITS | index)
    require(session.key != 0, Code.SESSION_UNKNOWN)
    require(clock <= session.expiry, Code.SESSION_EXPIRED)
    require(session.rights & right != 0, Code.SESSION_RIGHTS)
    require(nonce <= MAX_SESSION_NONCE, Code.SESSION_NONCE)
    return session.key


def force_session_end(wanted: ForcedOutcome) -> u16:
    """End a session key for the owner, who must be the sender; DONE, or the Code of the refusal.

    A stolen key in the hands of whoever orders the inputs is stopped by nothing else.
    """
    account_id = wanted.account
    if account_id >= ACCOUNT_LIMIT:
        return Code.UNKNOWN_ACCOUNT
    account = peek(Account, account_id)
    if account.owner == 0:
        return Code.UNKNOWN_ACCOUNT
    if account.owner != wanted.sender:
        return Code.NOT_OWNER
    index = input_uint(FORCED_SESSION_KEY_INDEX_AT, 1)
    if index == 0 or index > MAX_SESSION_KEYS:
        return Code.BAD_SESSION
    store(account_id << SLOT_BITS | index, zero(SessionKey))
    return DONE

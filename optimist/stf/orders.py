"""Orders: what a trader signs, and how often it may be used.

An order names an order slot of its account and a nonce. The slot remembers (nonce, filled): a higher nonce
takes the slot over and starts at 0, the same nonce goes on, a lower one is dead. So an order is used at most
once without a record of every order ever used, and a trader cancels by using a higher nonce.
"""

from typing import Final

from optimist.provable import (
    b32,
    eip712_digest,
    fit,
    input_b32,
    input_uint,
    keccak_of,
    keccak_text,
    load,
    record,
    recover_signer,
    require,
    store,
    u8,
    u16,
    u32,
    u40,
    u62,
    u64,
    u160,
)
from optimist.stf.codes import Code
from optimist.stf.constants import SLOT_BITS
from optimist.stf.inputs import (
    ORDER_ACCOUNT_AT,
    ORDER_EXPIRY_AT,
    ORDER_IS_BUY_AT,
    ORDER_MAX_FEE_AT,
    ORDER_NONCE_AT,
    ORDER_PRICE_AT,
    ORDER_R_AT,
    ORDER_S_AT,
    ORDER_SIZE_AT,
    ORDER_SLOT_AT,
    ORDER_V_AT,
)
from optimist.stf.positions import Fill
from optimist.stf.preset import ORDER_SLOTS
from optimist.stf.records import AccountId, OrderSlot, Ppm

ORDER_TYPE_HASH: Final = keccak_text(
    "Order(uint40 account,uint16 market,bool isBuy,uint64 size,uint64 price,uint32 maxFeePpm,"
    "uint8 slot,uint64 nonce,uint40 expiry)"
)


@record()
class Order:
    """The EIP-712 struct of an order: its words in this order are what is hashed."""

    type_hash: b32
    account: u40
    market: u16
    is_buy: bool
    size: u64
    price: u64
    max_fee_ppm: u32
    slot: u8
    nonce: u64
    expiry: u40


def read_order(order: Order, offset: u16, market_id: u16) -> None:
    """Fill `order` from the bytes at `offset` of a TRADE. Rejects a side that is neither buy nor sell."""
    is_buy = input_uint(offset + ORDER_IS_BUY_AT, 1)
    require(is_buy <= 1, Code.MALFORMED)
    order.type_hash = ORDER_TYPE_HASH
    order.account = input_uint(offset + ORDER_ACCOUNT_AT, 5)
    order.market = market_id
    order.is_buy = is_buy == 1
    order.size = input_uint(offset + ORDER_SIZE_AT, 8)
    order.price = input_uint(offset + ORDER_PRICE_AT, 8)
    order.max_fee_ppm = input_uint(offset + ORDER_MAX_FEE_AT, 4)
    order.slot = input_uint(offset + ORDER_SLOT_AT, 1)
    order.nonce = input_uint(offset + ORDER_NONCE_AT, 8)
    order.expiry = input_uint(offset + ORDER_EXPIRY_AT, 5)


def check_terms(order: Order, fill: Fill, fee_ppm: Ppm, clock: u40) -> None:
    """Reject a fill that the order does not permit: its price, its fee, its time."""
    if order.is_buy:
        require(fill.price <= order.price, Code.LIMIT_PRICE)
    else:
        require(fill.price >= order.price, Code.LIMIT_PRICE)
    require(fee_ppm <= order.max_fee_ppm, Code.FEE_ABOVE_MAX)
    require(clock <= order.expiry, Code.ORDER_EXPIRED)


def check_signature(order: Order, offset: u16, owner: u160, domain: b32) -> None:
    """Reject an order that the owner of its account has not signed, or whose account has no owner."""
    require(owner != 0, Code.UNKNOWN_ACCOUNT)
    signer = recover_signer(
        eip712_digest(domain, keccak_of(order)),
        input_uint(offset + ORDER_V_AT, 1),
        input_b32(offset + ORDER_R_AT),
        input_b32(offset + ORDER_S_AT),
    )
    require(signer == owner, Code.NOT_SIGNED_BY_OWNER)


def use_order(account_id: AccountId, order: Order, size: u62) -> None:
    """Count `size` against the order. Rejects a bad slot, a dead nonce, and more than the order's size."""
    slot = order.slot
    require(slot < ORDER_SLOTS, Code.ORDER_SLOT)
    row = account_id << SLOT_BITS | slot
    used = load(OrderSlot, row)
    require(order.nonce >= used.nonce, Code.ORDER_NONCE)
    if order.nonce > used.nonce:
        used.nonce = order.nonce
        used.filled = 0
    filled = used.filled + size
    require(filled <= order.size, Code.ORDER_OVERFILLED)
    used.filled = fit(u62, filled, Code.ORDER_OVERFILLED)
    store(row, used)

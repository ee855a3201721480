"""Orders: what a trader signs, and how often it may be used.

An order names an order slot of its account and a nonce. The slot remembers (nonce, filled): a higher nonce
takes the slot over and starts at 0, the same nonce goes on, a lower one is dead. So an order is used at most
once without a record of every order ever used, and a trader cancels by using a higher nonce (or `cancel.py`).

Up to eight orders may have one signature: over the root of a tree of their hashes, written in EIP-712 as a
nested array, so that a wallet shows every one of them. Such an order brings its index and its siblings.

What the law sees of time in force is one fill at a time. So an immediate order is never the maker, and
fill-or-kill takes its whole size in one fill; that it does not come back later its expiry says.
"""

from typing import Annotated, Final

from optimist.provable import (
    Range,
    b32,
    fit,
    inline,
    input_b32,
    input_uint,
    keccak_of,
    keccak_text,
    load,
    record,
    require,
    store,
    u8,
    u16,
    u32,
    u40,
    u62,
    u64,
)
from optimist.stf.codes import Code
from optimist.stf.constants import (
    FILL_OR_KILL,
    GOOD_TILL_CANCELLED,
    MAX_TREE_DEPTH,
    RIGHT_TRADE,
    SLOT_BITS,
)
from optimist.stf.inputs import (
    ORDER_ACCOUNT_AT,
    ORDER_DEPTH_AT,
    ORDER_EXPIRY_AT,
    ORDER_INDEX_AT,
    ORDER_IS_BUY_AT,
    ORDER_KEY_AT,
    ORDER_LENGTH,
    ORDER_MAX_FEE_AT,
    ORDER_NONCE_AT,
    ORDER_PRICE_AT,
    ORDER_REDUCE_ONLY_AT,
    ORDER_SIBLINGS_AT,
    ORDER_SIZE_AT,
    ORDER_SLOT_AT,
    ORDER_TIME_IN_FORCE_AT,
    SIBLING_LENGTH,
)
from optimist.stf.positions import Fill
from optimist.stf.preset import ORDER_SLOTS
from optimist.stf.records import Account, AccountId, InputOffset, OrderSlot, SignedPpm
from optimist.stf.session import get_signer
from optimist.stf.signatures import recover_at

ORDER_TYPE_HASH: Final = keccak_text(
    "Order(uint40 account,uint16 market,bool isBuy,uint64 size,uint64 price,uint32 maxFeePpm,"
    "uint8 slot,uint64 nonce,uint40 expiry,bool reduceOnly,uint8 timeInForce)"
)
PAIR_TYPE_HASH: Final = keccak_text(
    "OrderTree(Order[2] orders)"
    "Order(uint40 account,uint16 market,bool isBuy,uint64 size,uint64 price,uint32 maxFeePpm,"
    "uint8 slot,uint64 nonce,uint40 expiry,bool reduceOnly,uint8 timeInForce)"
)
FOUR_TYPE_HASH: Final = keccak_text(
    "OrderTree(Order[2][2] orders)"
    "Order(uint40 account,uint16 market,bool isBuy,uint64 size,uint64 price,uint32 maxFeePpm,"
    "uint8 slot,uint64 nonce,uint40 expiry,bool reduceOnly,uint8 timeInForce)"
)
EIGHT_TYPE_HASH: Final = keccak_text(
    "OrderTree(Order[2][2][2] orders)"
    "Order(uint40 account,uint16 market,bool isBuy,uint64 size,uint64 price,uint32 maxFeePpm,"
    "uint8 slot,uint64 nonce,uint40 expiry,bool reduceOnly,uint8 timeInForce)"
)

TreeDepth = Annotated[int, Range(0, MAX_TREE_DEPTH)]


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
    reduce_only: bool
    time_in_force: u8


@record()
class Pair:
    """Two neighbours in a tree of orders: EIP-712's encoding of an array of two."""

    left: b32
    right: b32


@record()
class OrderTree:
    """The EIP-712 struct of up to eight orders; its type says how deep the array is."""

    type_hash: b32
    root: b32


def read_depth(offset: InputOffset) -> TreeDepth:
    """How many siblings the order at `offset` brings. Rejects more than its tree can have."""
    return fit(TreeDepth, input_uint(offset + ORDER_DEPTH_AT, 1), Code.MALFORMED)


@inline
def compute_order_length(depth: TreeDepth) -> u16:
    """Bytes of an order with `depth` siblings."""
    return ORDER_LENGTH + SIBLING_LENGTH * depth


def read_order(order: Order, offset: InputOffset, market_id: u16) -> None:
    """Fill `order` from the bytes at `offset` of a TRADE. Rejects flags that do not exist."""
    is_buy = input_uint(offset + ORDER_IS_BUY_AT, 1)
    reduce_only = input_uint(offset + ORDER_REDUCE_ONLY_AT, 1)
    time_in_force = input_uint(offset + ORDER_TIME_IN_FORCE_AT, 1)
    require(is_buy <= 1 and reduce_only <= 1 and time_in_force <= FILL_OR_KILL, Code.MALFORMED)
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
    order.reduce_only = reduce_only == 1
    order.time_in_force = time_in_force


def check_terms(order: Order, fill: Fill, is_maker: bool, fee_ppm: SignedPpm, clock: u40) -> None:
    """Reject a fill that the order does not permit: its price, its fee, its time, its time in force."""
    if is_maker:
        require(order.time_in_force == GOOD_TILL_CANCELLED, Code.TAKER_ONLY)
    elif order.time_in_force == FILL_OR_KILL:
        require(fill.size == order.size, Code.FILL_OR_KILL)
    if order.is_buy:
        require(fill.price <= order.price, Code.LIMIT_PRICE)
    else:
        require(fill.price >= order.price, Code.LIMIT_PRICE)
    require(fee_ppm <= order.max_fee_ppm, Code.FEE_ABOVE_MAX)
    require(clock <= order.expiry, Code.ORDER_EXPIRED)


def check_signature(order: Order, offset: InputOffset, account: Account, domain: b32, clock: u40) -> None:
    """Reject an order that neither the owner of its account nor the session key that it names has signed."""
    require(account.owner != 0, Code.UNKNOWN_ACCOUNT)
    account_id = fit(AccountId, order.account, Code.UNKNOWN_ACCOUNT)
    key = input_uint(offset + ORDER_KEY_AT, 1)
    expected = get_signer(account_id, account.owner, key, RIGHT_TRADE, order.nonce, clock)
    depth = read_depth(offset)
    signature_at = offset + ORDER_SIBLINGS_AT + SIBLING_LENGTH * depth
    signer = recover_at(domain, compute_signed_hash(order, offset, depth), signature_at)
    require(signer == expected, Code.NOT_SIGNED_BY_OWNER)


def compute_signed_hash(order: Order, offset: InputOffset, depth: TreeDepth) -> b32:
    """The struct hash of what was signed: of the order itself, or of the tree that it belongs to.

    Bit i of the index says on which side of level i, from the leaves, the order lies. Rejects a higher bit:
    one order has one encoding.
    """
    node = keccak_of(order)
    index = input_uint(offset + ORDER_INDEX_AT, 1)
    require(index >> depth == 0, Code.MALFORMED)
    if depth == 0:
        return node
    for level in range(depth):
        sibling = input_b32(offset + ORDER_SIBLINGS_AT + SIBLING_LENGTH * level)
        if index >> level & 1 == 0:
            node = keccak_of(Pair(left=node, right=sibling))
        else:
            node = keccak_of(Pair(left=sibling, right=node))
    type_hash = PAIR_TYPE_HASH if depth == 1 else FOUR_TYPE_HASH if depth == 2 else EIGHT_TYPE_HASH
    return keccak_of(OrderTree(type_hash=type_hash, root=node))


def use_order(account_id: AccountId, order: Order, floor: u64, size: u62) -> None:
    """Count `size` against the order. Rejects a bad slot, a dead nonce, and more than the order's size.

    `floor`: the account's; every nonce below it is dead.
    """
    slot = order.slot
    require(slot < ORDER_SLOTS, Code.ORDER_SLOT)
    require(order.nonce >= floor, Code.ORDER_CANCELLED)
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

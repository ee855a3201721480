"""solidity/test/bench/Exchange.sol, the law's TRADE as a contract: its code, and what it is called with."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from devnet.compile import Contract, compile_contracts, read_sources
from optimist.base.keccak import keccak
from optimist.derive.actions import MarketParameters, SignedOrder, Tier
from optimist.derive.typed_data import Domain

ORDER: Final = "(uint40,uint16,bool,uint64,uint64,uint32,uint8,uint64,uint40,bool,uint8)"
SIGNED: Final = f"({ORDER},uint8,bytes32,bytes32)"
RULES: Final = "(uint64,uint64,uint64,uint64,uint64,uint64,uint32,int32,uint32,uint64,uint40)"
TRADE: Final = keccak(f"trade(uint64,uint64,{SIGNED},{SIGNED})".encode())[:4]
LIST: Final = keccak(f"list(uint16,{RULES},(uint128,uint32,uint32)[4])".encode())[:4]
OPEN: Final = keccak(b"open(uint40,address,int64)")[:4]
ACCOUNTS: Final = keccak(b"accounts(uint256)")[:4]
POSITION: Final = keccak(b"positionOf(uint40,uint16)")[:4]
FUND: Final = keccak(b"fund()")[:4]
TIERS: Final = 4


@cache
def compile_exchange() -> Contract:
    """The contract as it stands."""
    return compile_contracts(read_sources("test/bench/Exchange.sol"))["Exchange"]


def encode_creation(domain: Domain, heartbeat: int, position_slots: int, order_slots: int) -> bytes:
    """What creates it."""
    numbers = _encode(heartbeat, position_slots, order_slots)
    return compile_exchange().creation + domain.separator + numbers


def encode_list(market: int, rules: MarketParameters, mark: int, published_at: int, floor_ppm: int) -> bytes:
    """List a market with the law's rules. `mark` in 1e-8 USD; `floor_ppm`: what its volatility asks."""
    first = Tier(0, rules.initial_margin_ppm, rules.maintenance_margin_ppm)
    tiers = [first, *rules.tiers]
    # One that there is not begins nowhere, and asks what the one before asks.
    tiers += [Tier(0, 0, 0)] * (TIERS - len(tiers))
    divisor = 10 ** (rules.size_decimals + 2)
    return LIST + _encode(
        market,
        divisor,
        rules.lot,
        rules.max_position,
        rules.max_open_interest,
        rules.open_interest_lower,
        rules.open_interest_upper,
        floor_ppm,
        rules.maker_fee_ppm,
        rules.taker_fee_ppm,
        mark,
        published_at,
        *(part for tier in tiers for part in _flatten(tier)),
    )


def encode_open(account: int, owner: bytes, collateral: int) -> bytes:
    """Credit an account."""
    return OPEN + _encode(account, int.from_bytes(owner, "big"), collateral)


def encode_trade(size: int, price: int, maker: SignedOrder, taker: SignedOrder) -> bytes:
    """Fill two orders."""
    return TRADE + _encode(size, price) + _encode_order(maker) + _encode_order(taker)


def encode_question(selector: bytes, *arguments: int) -> bytes:
    """ACCOUNTS(account) -> owner, collateral; POSITION(account, market) -> size; FUND() -> amount."""
    return selector + _encode(*arguments)


def decode_last(answer: bytes) -> int:
    """The last word of an answer, a signed integer."""
    return int.from_bytes(answer[-32:], "big", signed=True)


def _encode_order(signed: SignedOrder) -> bytes:
    order, signature = signed.order, signed.signature
    return _encode(
        order.account,
        order.market,
        order.is_buy,
        order.size,
        order.price,
        order.max_fee_ppm,
        order.slot,
        order.nonce,
        order.expiry,
        order.reduce_only,
        order.time_in_force,
        signature.v,
        signature.r,
        signature.s,
    )


def _flatten(tier: Tier) -> Sequence[int]:
    return tier.from_notional, tier.initial_margin_ppm, tier.maintenance_margin_ppm


def _encode(*words: int) -> bytes:
    return b"".join((word % (1 << 256)).to_bytes(32, "big") for word in words)

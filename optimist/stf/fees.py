"""Fees: what a fill costs, and who may make it cheaper.

INIT lists tier 0 of every market, the most that anybody pays. The fee manager may list cheaper tiers and say
which account is in which; he can never make a fill dearer than tier 0, and an order names the most that it
pays anyway. A maker's fee may be a rebate. It is paid out of what the taker of the same fill has paid, never
out of anybody else's money. All else goes to the insurance fund: there is no other destination yet.

    fee      ceil(ceil(Q) * ppm / 10^6)                                                          1e-6 USD
    rebate   min(floor(floor(Q) * ppm / 10^6), the taker's fee)
    cap      a fee never makes it worse to reduce: an account that would be left below its initial margin
             pays no more than what keeps TV / MMR where it was (`compute_capped_fee`)
"""

from typing import Final

from optimist.provable import (
    b32,
    ceil_div,
    fit,
    handler,
    i32,
    i160,
    input_int,
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
    u32,
    u40,
    u64,
    u128,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, MAX_FEE_TIER, PPM, TIER_BITS
from optimist.stf.inputs import (
    ACCOUNT_TIER_ACCOUNT_AT,
    ACCOUNT_TIER_LENGTH,
    ACCOUNT_TIER_NONCE_AT,
    ACCOUNT_TIER_SIGNATURE_AT,
    ACCOUNT_TIER_TIER_AT,
    FEES_LENGTH,
    FEES_MAKER_AT,
    FEES_MARKET_AT,
    FEES_NONCE_AT,
    FEES_SIGNATURE_AT,
    FEES_TAKER_AT,
    FEES_TIER_AT,
)
from optimist.stf.margin import Margin, compute_fraction, is_reduced
from optimist.stf.positions import Fill
from optimist.stf.records import (
    Account,
    FeeManager,
    FeeTier,
    FeeTierId,
    InputOffset,
    MarketId,
    Parameters,
    Parts,
    SignedPpm,
    System,
)
from optimist.stf.signatures import recover_at

FEES_TYPE_HASH: Final = keccak_text(
    "FeeTier(uint16 market,uint8 tier,int32 makerPpm,uint32 takerPpm,uint64 nonce)"
)
ACCOUNT_TIER_TYPE_HASH: Final = keccak_text("AccountTier(uint40 account,uint8 tier,uint64 nonce)")


@record()
class FeeTierRequest:
    """The EIP-712 struct that the fee manager signs."""

    type_hash: b32
    market: u16
    tier: u8
    maker_ppm: i32
    taker_ppm: u32
    nonce: u64


@record()
class AccountTierRequest:
    """The EIP-712 struct that the fee manager signs."""

    type_hash: b32
    account: u40
    tier: u8
    nonce: u64


@handler
def apply_fees(system: System) -> None:
    """List a tier of a market: at most what tier 0 pays, a rebate at most the taker fee of tier 0."""
    require(input_length() == FEES_LENGTH, Code.MALFORMED)
    market_id = input_uint(FEES_MARKET_AT, 2)
    tier = input_uint(FEES_TIER_AT, 1)
    maker_ppm = fit(i32, input_int(FEES_MAKER_AT, 4), Code.BAD_FEE_TIER)
    taker_ppm = input_uint(FEES_TAKER_AT, 4)
    nonce = input_uint(FEES_NONCE_AT, 8)
    require(market_id < peek(Parameters, 0).markets, Code.UNKNOWN_MARKET)
    require(0 < tier <= MAX_FEE_TIER, Code.BAD_FEE_TIER)
    dearest = peek(FeeTier, market_id << TIER_BITS)
    require(-dearest.taker_ppm <= maker_ppm <= dearest.maker_ppm, Code.BAD_FEE_TIER)
    require(taker_ppm <= dearest.taker_ppm, Code.BAD_FEE_TIER)
    request = FeeTierRequest(
        type_hash=FEES_TYPE_HASH,
        market=market_id,
        tier=tier,
        maker_ppm=maker_ppm,
        taker_ppm=taker_ppm,
        nonce=nonce,
    )
    use_manager_nonce(nonce, system.domain, keccak_of(request), FEES_SIGNATURE_AT)
    store(market_id << TIER_BITS | tier, FeeTier(is_listed=1, maker_ppm=maker_ppm, taker_ppm=taker_ppm))


@handler
def apply_account_tier(system: System) -> None:
    """Put an account into a tier, for all markets; one that a market does not list counts as tier 0."""
    require(input_length() == ACCOUNT_TIER_LENGTH, Code.MALFORMED)
    account_id = input_uint(ACCOUNT_TIER_ACCOUNT_AT, 5)
    tier = input_uint(ACCOUNT_TIER_TIER_AT, 1)
    nonce = input_uint(ACCOUNT_TIER_NONCE_AT, 8)
    require(account_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    require(tier <= MAX_FEE_TIER, Code.BAD_FEE_TIER)
    account = load(Account, account_id)
    require(account.owner != 0, Code.UNKNOWN_ACCOUNT)
    request = AccountTierRequest(type_hash=ACCOUNT_TIER_TYPE_HASH, account=account_id, tier=tier, nonce=nonce)
    use_manager_nonce(nonce, system.domain, keccak_of(request), ACCOUNT_TIER_SIGNATURE_AT)
    account.fee_tier = tier
    store(account_id, account)


def use_manager_nonce(nonce: u64, domain: b32, struct_hash: b32, signature_at: InputOffset) -> None:
    """Reject what the fee manager has not signed, or not anew. Without a manager nobody can."""
    manager = load(FeeManager, 0)
    require(nonce > manager.nonce, Code.NONCE_USED)
    signer = recover_at(domain, struct_hash, signature_at)
    require(signer != 0 and signer == manager.manager, Code.NOT_FEE_MANAGER)
    manager.nonce = nonce
    store(0, manager)


def get_fee(market_id: MarketId, tier: FeeTierId, is_maker: bool) -> SignedPpm:
    """What a tier pays in a market, ppm of the quote; negative: a rebate. Only a maker has one."""
    row = market_id << TIER_BITS
    dearest = peek(FeeTier, row)
    fee_ppm = dearest.maker_ppm if is_maker else dearest.taker_ppm
    listed = peek(FeeTier, row | tier)
    if listed.is_listed == 0:
        return fee_ppm
    return min(fee_ppm, listed.maker_ppm if is_maker else listed.taker_ppm)


def compute_fee(fill: Fill, fee_ppm: SignedPpm, most_rebate: u128) -> i160:
    """The fee of one side of a fill, before any cap; negative: a rebate, at most `most_rebate`."""
    if fee_ppm >= 0:
        return compute_fraction(fill.cost, fee_ppm)
    return -min(fill.proceeds * -fee_ppm // PPM, most_rebate)


def compute_capped_fee(
    before: Margin, after: Margin, parts_before: Parts, parts_after: Parts, fee: i160
) -> i160:
    """The fee, or less where it would keep an account from reducing.

    `after` is the margin without the fee. An account that meets its initial margin with the fee, or that does
    not reduce, pays all of it. INVARIANT: if TV1 * MMR0 >= TV0 * MMR1 without the fee, it is so with it.
    """
    if fee <= 0 or after.value - fee >= after.initial:
        return fee
    if not is_reduced(parts_before, parts_after):
        return fee
    # A position that can shrink has a requirement of 1 or more; max says so to the compiler.
    kept = ceil_div(before.value * after.maintenance, max(before.maintenance, 1))
    return max(min(fee, after.value - kept), 0)

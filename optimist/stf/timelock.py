"""Parameters: PROPOSE_MARKET and ENACT_MARKET, the only way in which the rules of a market ever change.

The governor that INIT names signs the whole rules of a market, in the bytes that INIT states them in. They
are checked as in INIT and wait in shadow rows for the time that INIT names; then anyone may let them take
effect. Whoever disagrees reads them in the state and has that long to leave, by force if need be
(docs/adr/0036).

The market may be the next one that there is not yet. Of one that there is, size decimals, lot and risk group
never change: positions and orders are stated in them. A newer proposal for the market replaces one that
waits, and waits itself from the start. Nothing else is in the governor's hands: neither keys of the oracle
nor the backstop, nor money, nor a stop.
"""

from typing import Final

from optimist.provable import (
    b32,
    fit,
    handler,
    input_b32,
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
    u16,
    u40,
    u64,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import MAX_MARKETS, MAX_TIERS, PROPOSED, TIER_BITS
from optimist.stf.inputs import (
    ENACT_BODY_LENGTH,
    ENACT_MARKET_AT,
    INIT_MARKET_LENGTH,
    PROPOSE_MARKET_AT,
    PROPOSE_NONCE_AT,
    PROPOSE_RULES_AT,
    PROPOSE_SIGNATURE_AT,
)
from optimist.stf.markets import open_market, set_market_rules
from optimist.stf.notes import MarketEnacted, MarketProposed
from optimist.stf.records import (
    BodyOffset,
    FeeTier,
    FundingRule,
    Governance,
    Listing,
    MarginTier,
    Market,
    Parameters,
    PriceRule,
    Proposal,
    RiskRule,
    System,
    Volatility,
)
from optimist.stf.signatures import recover_at

PROPOSE_TYPE_HASH: Final = keccak_text("ProposeMarket(uint16 market,uint64 nonce,bytes32[6] rules)")


@record()
class RuleWords:
    """The bytes of a market's rules, with zeros behind the last one: an EIP-712 array of six words."""

    first: b32
    second: b32
    third: b32
    fourth: b32
    fifth: b32
    sixth: b32


@record()
class MarketProposal:
    """The EIP-712 struct that the governor signs."""

    type_hash: b32
    market: u16
    nonce: u64
    rules: b32


@handler
def apply_propose_market(system: System, at: BodyOffset) -> None:
    """Let new rules of a market, or a new market, wait. `at`: where the body begins."""
    rules_at = at + PROPOSE_RULES_AT
    require(input_length() == rules_at + INIT_MARKET_LENGTH, Code.MALFORMED)
    market_id = input_uint(at + PROPOSE_MARKET_AT, 2)
    markets = peek(Parameters, 0).markets
    require(market_id <= markets and market_id < MAX_MARKETS, Code.UNKNOWN_MARKET)
    governance = load(Governance, 0)
    nonce = input_uint(at + PROPOSE_NONCE_AT, 8)
    require(nonce > governance.nonce, Code.NONCE_USED)
    proposal = MarketProposal(
        type_hash=PROPOSE_TYPE_HASH, market=market_id, nonce=nonce, rules=hash_rules(rules_at)
    )
    signer = recover_at(system.domain, keccak_of(proposal), at + PROPOSE_SIGNATURE_AT)
    require(signer != 0 and signer == governance.governor, Code.NOT_SIGNED_BY_GOVERNOR)

    set_market_rules(PROPOSED + market_id, rules_at)
    if market_id < markets:
        rules = peek(Market, PROPOSED + market_id)
        market = peek(Market, market_id)
        require(rules.notional_divisor == market.notional_divisor, Code.MARKET_FIXED)
        require(rules.lot == market.lot, Code.MARKET_FIXED)
        group_id = peek(Listing, market_id).group
        require(peek(Listing, PROPOSED + market_id).group == group_id, Code.MARKET_FIXED)
    governance.nonce = nonce
    store(0, governance)
    not_before = fit(u40, system.clock + governance.timelock, Code.SECOND_AFTER_LIMIT)
    store(market_id, Proposal(not_before=not_before))
    note(MarketProposed(market=market_id, not_before=not_before))


def hash_rules(at: u16) -> b32:
    """EIP-712's encoding of an array: keccak256 of its words. The rules end the input: zeros follow."""
    words = RuleWords(
        first=input_b32(at),
        second=input_b32(at + 32),
        third=input_b32(at + 64),
        fourth=input_b32(at + 96),
        fifth=input_b32(at + 128),
        sixth=input_b32(at + 160),
    )
    return keccak_of(words)


@handler
def apply_enact_market(system: System, at: BodyOffset) -> None:
    """Let the rules that wait for a market take effect once they are due. Signed by nobody."""
    require(input_length() == at + ENACT_BODY_LENGTH, Code.MALFORMED)
    market_id = input_uint(at + ENACT_MARKET_AT, 2)
    require(market_id < MAX_MARKETS, Code.UNKNOWN_MARKET)
    not_before = peek(Proposal, market_id).not_before
    require(not_before != 0, Code.NO_PROPOSAL)
    require(system.clock >= not_before, Code.PROPOSAL_NOT_DUE)
    move_rules(market_id)
    store(market_id, zero(Proposal))
    if peek(RiskRule, market_id).volatility_multiplier_ppm == 0:
        store(market_id, zero(Volatility))  # nobody would ever lower the floor that it has left
    parameters = load(Parameters, 0)
    if market_id >= parameters.markets:
        open_market(market_id)
        parameters.markets = market_id + 1
        store(0, parameters)
    note(MarketEnacted(market=market_id))


def move_rules(market_id: u8) -> None:
    """From the shadow rows to those in force."""
    shadow = PROPOSED + market_id
    store(market_id, peek(Market, shadow))
    store(market_id, peek(PriceRule, shadow))
    store(market_id, peek(FundingRule, shadow))
    store(market_id, peek(RiskRule, shadow))
    store(market_id, peek(Listing, shadow))
    store(market_id << TIER_BITS, peek(FeeTier, shadow << TIER_BITS))
    store(shadow, zero(Market))
    store(shadow, zero(PriceRule))
    store(shadow, zero(FundingRule))
    store(shadow, zero(RiskRule))
    store(shadow, zero(Listing))
    store(shadow << TIER_BITS, zero(FeeTier))
    for i in range(1, MAX_TIERS):
        store(market_id << TIER_BITS | i, peek(MarginTier, shadow << TIER_BITS | i))
        store(shadow << TIER_BITS | i, zero(MarginTier))

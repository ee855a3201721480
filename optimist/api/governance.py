"""New rules of a market over HTTP: what the governor signs, field by field, and what enacts it."""

from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from optimist.api.fields import (
    Body,
    Decimal,
    Market,
    Ppm,
    SignatureHex,
    Slot,
    Uint32,
    parse_signature,
    parse_uint64,
    signature_hex,
)
from optimist.derive.actions import MarketParameters, ProposeMarket, Tier

AMOUNTS = ("lot", "max_position", "max_open_interest", "open_interest_lower", "open_interest_upper")


class TierBody(Struct, forbid_unknown_fields=True, rename="camel"):
    """What a position is asked beyond `fromNotional` (1e-6 USD)."""

    from_notional: Decimal
    initial_margin_ppm: Ppm
    maintenance_margin_ppm: Ppm


class RulesBody(Struct, forbid_unknown_fields=True, rename="camel"):
    """All rules of a market, none left out: what is signed is all of them.

    Sizes are in the market's units, notionals in 1e-6 USD, rates and premiums in 1e-9, times in seconds.
    """

    size_decimals: Slot
    lot: Decimal
    initial_margin_ppm: Ppm
    maintenance_margin_ppm: Ppm
    maker_fee_ppm: Ppm
    taker_fee_ppm: Ppm
    liquidation_penalty_ppm: Ppm
    max_position: Decimal
    step_ppm: Ppm
    halt_ppm: Ppm
    halt_seconds: Uint32
    gap_seconds: Uint32
    interest: Uint32
    damper: Uint32
    max_rate: Uint32
    max_premium: Uint32
    smoothing_seconds: Uint32
    tiers: Annotated[list[TierBody], Meta(max_length=3)]
    max_open_interest: Decimal
    open_interest_lower: Decimal
    open_interest_upper: Decimal
    mark_cap_ppm: Ppm
    volatility_multiplier_ppm: Ppm
    volatility_horizon: Uint32
    volatility_window: Uint32
    volatility_sample: Uint32
    group: Slot


class ProposeMarketBody(Body, tag="proposeMarket"):
    """New rules of a market, or the next market; signed by the governor over the type ProposeMarket."""

    market: Market
    nonce: Decimal
    rules: RulesBody
    signature: SignatureHex


class EnactMarketBody(Body, tag="enactMarket"):
    """Let the rules that wait for a market take effect, once their timelock is over. Unsigned."""

    market: Market


def to_proposal(body: ProposeMarketBody) -> ProposeMarket:
    """The action of a request. Raises ApiError for an amount beyond 64 bits."""
    fields: dict[str, Any] = structs.asdict(body.rules)
    amounts = {name: parse_uint64(name, fields[name]) for name in AMOUNTS}
    tiers = tuple(
        Tier(
            parse_uint64("fromNotional", tier.from_notional),
            tier.initial_margin_ppm,
            tier.maintenance_margin_ppm,
        )
        for tier in body.rules.tiers
    )
    rules = MarketParameters(**{**fields, **amounts, "tiers": tiers})
    nonce = parse_uint64("nonce", body.nonce)
    return ProposeMarket(body.market, nonce, rules, parse_signature(body.signature))


def from_proposal(action: ProposeMarket) -> ProposeMarketBody:
    """The inverse of `to_proposal`."""
    rules = action.rules
    fields = {name: getattr(rules, name) for name in RulesBody.__struct_fields__ if name != "tiers"}
    amounts = {name: str(fields[name]) for name in AMOUNTS}
    tiers = [
        TierBody(str(tier.from_notional), tier.initial_margin_ppm, tier.maintenance_margin_ppm)
        for tier in rules.tiers
    ]
    body = RulesBody(**{**fields, **amounts}, tiers=tiers)
    return ProposeMarketBody(action.market, str(action.nonce), body, signature_hex(action.signature))

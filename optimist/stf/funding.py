"""Funding: what longs pay shorts, or shorts longs, so that a perpetual stays near its index.

    moved     dI = rate * index price * seconds                 1e-17 USD-hours per 1.0 of size: no division
    payment   of a position = floor(-size * sum of dI since it was settled last / unit)             1e-6 USD

A positive rate lets longs pay. The index of each side (`sides.py`) remembers what was paid: positions settle
lazily, when they change, or in the value of their account until then. Both sides round down; what that leaves
is counted exactly, and goes to the fund of the market's group as soon as it makes a unit.

    premium   P = the middle one of 0, what the perpetual costs elsewhere, and what it costs here   1e-9
    rate      r = clamp((P + clamp(interest - P, +-damper)) / 8, +-max rate)                   1e-9 an hour

"Elsewhere" is a price that the oracle keys sign as they sign the index, "here" a time-weighted average of
fills. The middle one with 0 among them means: no premium unless both agree on its side, and then the smaller
one. So neither a quorum of keys nor wash trades can move money alone. Both are clamped.

The rate is found at every round of prices and holds until the next one, for at most MAX_FUNDING_SECONDS: an
outage costs nobody a day's funding. The index never jumps and is never reset.
"""

from optimist.provable import inline, load, peek, store, u40, u60
from optimist.stf.constants import (
    BILLION,
    FUNDING_HOURS,
    MAX_FUNDING_SECONDS,
    PERPETUAL_FEED,
    PRICE_CONFIRMED,
)
from optimist.stf.freshness import is_price_fresh
from optimist.stf.records import (
    Billionths,
    Funding,
    FundingRule,
    HourlyRate,
    MarketId,
    Parameters,
    Price,
)
from optimist.stf.sides import pay_funding


def accrue_funding(market_id: MarketId, index_price: u60, clock: u40) -> None:
    """Let the rate that has been in force act until now, at the index price that it was made for.

    `index_price`: the last confirmed one before the present round; 0 before the first.
    """
    funding = load(Funding, market_id)
    if funding.accrued_at != 0:
        seconds = min(max(clock - funding.accrued_at, 0), MAX_FUNDING_SECONDS)
        pay_funding(funding, market_id, funding.rate * index_price * seconds)
    funding.accrued_at = clock
    store(market_id, funding)


def update_rate(market_id: MarketId, price: Price, clock: u40) -> Billionths:
    """Find the rate from now on, and return the premium that it rests on; 0 unless `price` is confirmed."""
    funding = load(Funding, market_id)
    rule = peek(FundingRule, market_id)
    average_fills(funding, rule, clock)
    premium: Billionths = 0
    funding.rate = 0
    if price.status == PRICE_CONFIRMED and price.confirmed != 0:
        elsewhere = compute_premium_elsewhere(market_id, price.confirmed, rule.max_premium, clock)
        premium = compute_agreed_premium(elsewhere, funding.fill_premium)
        funding.rate = compute_rate(premium, rule)
    store(market_id, funding)
    return premium


def compute_premium_elsewhere(
    market_id: MarketId, index_price: u60, limit: Billionths, clock: u40
) -> Billionths:
    """Premium of the signed perpetual price; 0 when it is not confirmed, or too old to liquidate on."""
    perpetual = peek(Price, PERPETUAL_FEED + market_id)
    if not is_price_fresh(perpetual, clock, peek(Parameters, 0).liquidation_heartbeat):
        return 0
    return compute_premium(perpetual.confirmed, index_price, limit)


@inline
def compute_premium(price: u60, index_price: u60, limit: Billionths) -> Billionths:
    """(price - index) / index in 1e-9, floored, within +-limit. The index is not 0."""
    premium = (price - index_price) * BILLION // index_price
    return max(min(premium, limit), -limit)


@inline
def compute_agreed_premium(elsewhere: Billionths, here: Billionths) -> Billionths:
    """The middle one of both and 0."""
    return max(min(elsewhere, here), min(max(elsewhere, here), 0))


def compute_rate(premium: Billionths, rule: FundingRule) -> HourlyRate:
    """The hourly rate, 1e-9, rounded down."""
    damped = premium + max(min(rule.interest - premium, rule.damper), -rule.damper)
    return max(min(damped // FUNDING_HOURS, rule.max_rate), -rule.max_rate)


def note_fill(market_id: MarketId, fill_price: u60, index_price: u60, clock: u40) -> None:
    """Remember at what premium was traded last. It counts for as long as it stays the last one."""
    funding = load(Funding, market_id)
    rule = peek(FundingRule, market_id)
    average_fills(funding, rule, clock)
    if index_price != 0:
        funding.last_premium = compute_premium(fill_price, index_price, rule.max_premium)
    store(market_id, funding)


@inline
def average_fills(funding: Funding, rule: FundingRule, clock: u40) -> None:
    """Move the average towards the last fill's premium by the share of the smoothing time that has passed."""
    smoothing = rule.smoothing_seconds
    if smoothing != 0:
        seconds = min(max(clock - funding.averaged_at, 0), smoothing)
        distance = funding.last_premium - funding.fill_premium
        moved = funding.fill_premium + distance * seconds // smoothing
        funding.fill_premium = max(min(moved, BILLION), -BILLION)
    funding.averaged_at = clock

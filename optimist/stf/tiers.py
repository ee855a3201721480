"""Tiers: the larger a position, the larger the fraction of its notional that it must be covered with.

    requirement(N) = ceil( sum over tiers of (fraction of the tier - fraction of the tier before)
                                              * max(N - where the tier begins, 0) / 10^6 )       1e-6 USD

So brackets are marginal, as those of an income tax are: only what lies beyond a tier's beginning is asked its
fraction. The requirement is continuous, rising and convex in N: no lot more or less makes it jump, and two
halves never need more than the whole (docs/adr/0025).
"""

from typing import Annotated

from optimist.provable import (
    Range,
    Vec,
    ceil_div,
    fit,
    i64,
    inline,
    peek,
    record,
    u24,
    u60,
    u112,
    u128,
    u160,
    u192,
)
from optimist.stf.codes import Code
from optimist.stf.constants import MAX_NOTIONAL, MAX_TIERS, PPM, TIER_BITS
from optimist.stf.open_interest import compute_share, raise_fraction
from optimist.stf.records import MarginTier, Market, MarketId, Ppm, Volatility

Starts = Annotated[Vec[u112], 4]
Rises = Annotated[Vec[Ppm], 4]
Restored = Annotated[int, Range(1_000_000, 2_000_000)]


@record()
class MarginSchedule:
    """What a market asks of a position now. Tier 0 begins at 0; one that there is not, at MAX_NOTIONAL."""

    starts: Starts  # where a tier begins, 1e-6 USD
    initial: Rises  # by how much the initial fraction of a tier is above that of the tier before
    maintenance: Rises


def load_schedule(schedule: MarginSchedule, market_id: MarketId, price: u60) -> None:
    """Fill `schedule` for a market at its `price`, with its open interest and volatility as they stand."""
    market = peek(Market, market_id)
    share = compute_share(market_id, price)
    floor = peek(Volatility, market_id).floor_ppm
    initial: Ppm = max(raise_fraction(market.initial_margin_ppm, share), floor)
    maintenance: Ppm = market.maintenance_margin_ppm
    schedule.initial[0] = initial
    schedule.maintenance[0] = maintenance
    for i in range(1, MAX_TIERS):
        tier = peek(MarginTier, market_id << TIER_BITS | i)
        schedule.starts[i] = MAX_NOTIONAL if tier.from_notional == 0 else tier.from_notional
        # A tier that there is not is a record of zeros: its fraction stays that of the tier before.
        raised = raise_fraction(tier.initial_margin_ppm, share)
        schedule.initial[i] = max(raised - initial, 0)
        schedule.maintenance[i] = max(tier.maintenance_margin_ppm - maintenance, 0)
        initial = max(raised, initial)
        maintenance = max(tier.maintenance_margin_ppm, maintenance)


@inline
def compute_initial(schedule: MarginSchedule, notional: u128) -> u160:
    """Initial requirement of a position of this notional, 1e-6 USD, rounded up."""
    return ceil_div(
        notional * schedule.initial[0]
        + max(notional - schedule.starts[1], 0) * schedule.initial[1]
        + max(notional - schedule.starts[2], 0) * schedule.initial[2]
        + max(notional - schedule.starts[3], 0) * schedule.initial[3],
        PPM,
    )


@inline
def compute_maintenance(schedule: MarginSchedule, notional: u128) -> u160:
    """Maintenance requirement of a position of this notional, 1e-6 USD, rounded up."""
    return ceil_div(
        notional * schedule.maintenance[0]
        + max(notional - schedule.starts[1], 0) * schedule.maintenance[1]
        + max(notional - schedule.starts[2], 0) * schedule.maintenance[2]
        + max(notional - schedule.starts[3], 0) * schedule.maintenance[3],
        PPM,
    )


def compute_relief(
    schedule: MarginSchedule, notional: u128, shortage: u192, restored: Restored, penalty_ppm: Ppm
) -> tuple[u192, i64]:
    """Numerator and denominator of the notional (1e-6 USD) to close; a denominator of 0: all of it.

    A USD closed in a tier brings its maintenance fraction * (1 + b) - penalty, so the highest goes first.
    `shortage`: 10^12 * 1e-6 USD; `restored`: 10^6 * (1 + b).
    """
    missing: u192 = shortage
    left: u128 = notional
    fraction: u24 = (
        schedule.maintenance[0] + schedule.maintenance[1] + schedule.maintenance[2] + schedule.maintenance[3]
    )
    for i in range(MAX_TIERS):
        tier = MAX_TIERS - 1 - i
        start = schedule.starts[tier]
        relief = fraction * restored - penalty_ppm * PPM  # 10^12 a USD
        if left > start:
            if relief <= 0:
                return 0, 0
            room = (left - start) * relief
            if missing <= room:
                return fit(u192, (notional - left) * relief + missing, Code.VALUE_BOUND), relief
            missing = missing - room
            left = start
        fraction = max(fraction - schedule.maintenance[tier], 0)
    return 0, 0

"""Open interest: the sum of all long positions of a market, which is that of all short ones.

A market may be capped: a fill that raises open interest beyond the cap is rejected, one that does not is not.
It may ask more initial margin the more crowded it is (the rule of dYdX v4, docs/adr/0026):

    share     = clamp((open interest in USD - lower) / (upper - lower), 0, 1)                 ppm, rounded up
    fraction' = fraction + (1 - fraction) * share                                             ppm, rounded up

Initial only: a crowd that comes later liquidates nobody.
"""

from optimist.provable import ceil_div, inline, peek, u60, u96
from optimist.stf.constants import ONE, PPM
from optimist.stf.records import Market, MarketId, Ppm, RiskRule, Side
from optimist.stf.sides import get_side_row


@inline
def get_open_interest(market_id: MarketId) -> u96:
    """In units of size, rounded down."""
    longs = peek(Side, get_side_row(market_id, False))
    return longs.shares * longs.multiplier // ONE


def compute_share(market_id: MarketId, price: u60) -> Ppm:
    """How far open interest has come from the market's lower to its upper bound, in ppm, rounded up."""
    rule = peek(RiskRule, market_id)
    if rule.open_interest_upper == 0:
        return 0
    divisor = max(peek(Market, market_id).notional_divisor, 1)
    span = max(rule.open_interest_upper - rule.open_interest_lower, 1)
    above = ceil_div(get_open_interest(market_id) * price, divisor) - rule.open_interest_lower
    return min(ceil_div(min(max(above, 0), span) * PPM, span), PPM)


@inline
def raise_fraction(fraction: Ppm, share: Ppm) -> Ppm:
    """The fraction, and of what lacks to 100 % the share."""
    return min(fraction + ceil_div((PPM - fraction) * share, PPM), PPM)

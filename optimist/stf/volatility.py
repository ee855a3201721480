"""Volatility floor: where prices have moved a lot, initial margin is at least a multiple of their sigma.

    variance  V' = (V * window + r^2) / (window + seconds)                      1e-18 a second, rounded up
    floor     = multiplier * sqrt(V * horizon)                                  ppm, rounded up, at most 100 %

r is the return since the last sample, over `seconds` of publish time. A sample is taken at the first
confirmed round that is `volatility_sample` seconds younger than the one before; until then every round is
measured from the same sample. So rounds in between change nothing: neither does a crash look small in a
thousand small steps, nor does noise add up. A silence is weighted by its seconds and never wipes out what was
known (docs/adr/0028).

The floor rises with the round that moves. It falls as the highest variance is forgotten: by a factor
window / (window + seconds) a round, no faster than exp(-seconds / window). Initial margin only: volatility
liquidates nobody.
"""

from optimist.provable import (
    bit_length,
    ceil_div,
    inline,
    load,
    peek,
    store,
    u8,
    u32,
    u40,
    u60,
    u62,
    u64,
    u96,
)
from optimist.stf.constants import BILLION, MAX_VARIANCE, PPM
from optimist.stf.records import Ppm, RiskRule, Volatility


def update_volatility(market_id: u8, price: u60, publish_time: u40) -> None:
    """Take a confirmed round of a market's index into account. `price`: 1e-8 USD."""
    rule = peek(RiskRule, market_id)
    if rule.volatility_multiplier_ppm == 0:
        return
    known = load(Volatility, market_id)
    window = rule.volatility_window
    variance: u64 = 0
    if known.sampled_price != 0:
        seconds = max(publish_time - known.sampled_at, 0)
        change = abs(price - known.sampled_price)
        moved = min(ceil_div(change * BILLION, known.sampled_price), BILLION)  # the return in 1e-9
        variance = compute_average(known.variance, window, moved * moved, seconds)
        known.peak = max(
            compute_average(known.peak, window, 0, max(publish_time - known.peak_at, 0)), variance
        )
        known.peak_at = publish_time
    if known.sampled_price == 0 or publish_time >= known.sampled_at + rule.volatility_sample:
        known.sampled_price = price
        known.sampled_at = publish_time
        known.variance = variance
    known.floor_ppm = compute_floor(known.peak, rule.volatility_horizon, rule.volatility_multiplier_ppm)
    store(market_id, known)


@inline
def compute_average(variance: u64, window: u32, squared: u64, seconds: u40) -> u64:
    """(variance * window + squared) / (window + seconds), rounded up, at most MAX_VARIANCE."""
    return min(ceil_div(variance * window + squared, max(window + seconds, 1)), MAX_VARIANCE)


@inline
def compute_floor(variance: u64, horizon: u32, multiplier_ppm: u32) -> Ppm:
    """The least initial fraction, in ppm."""
    sigma = compute_root(variance * horizon)  # 1e-9
    return min(ceil_div(multiplier_ppm * sigma, BILLION), PPM)


def compute_root(square: u96) -> u62:
    """The least integer whose square is at least `square`.

    Newton's method from above: it falls until it is found. The relative error is below 1 at first and less
    than half its square after each round, so five rounds bring it below 2**-48.
    """
    root: u60 = 1 << (bit_length(square) + 1) // 2
    for _ in range(8):
        lower = (root + square // max(root, 1)) // 2
        if lower >= root:
            break
        root = lower
    return root if root * root >= square else root + 1

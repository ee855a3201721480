"""Margin schedules: by hand, for formulas without a state, or as the law finds them in one."""

from collections.abc import Sequence

from optimist.provable import State, zero
from optimist.stf.constants import MAX_NOTIONAL, MAX_TIERS
from optimist.stf.tiers import MarginSchedule, load_schedule


def build_schedule(tiers: Sequence[tuple[int, int, int]]) -> MarginSchedule:
    """Tiers of (where it begins, initial ppm, maintenance ppm); the first one begins at 0."""
    schedule = zero(MarginSchedule)
    before = (0, 0)
    for i in range(MAX_TIERS):
        begins, initial, maintenance = tiers[i] if i < len(tiers) else (MAX_NOTIONAL, *before)
        schedule.starts[i] = begins
        schedule.initial[i] = initial - before[0]
        schedule.maintenance[i] = maintenance - before[1]
        before = (initial, maintenance)
    return schedule


def read_schedule(state: State, market: int, price: int) -> MarginSchedule:
    """What a market asks at `price` (1e-8 USD)."""
    schedule = zero(MarginSchedule)
    assert not state.apply(lambda: load_schedule(schedule, market, price), b"").rejected
    return schedule

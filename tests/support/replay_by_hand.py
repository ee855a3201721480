"""What a replay must come to, in rational numbers and without the law: no code of it, and none of its state.

A price is believed by the step rule, a long position is worth what it is worth, and whoever cannot carry his
own is closed. That decides all figures of a replay in which nobody trades after the opening and nobody pays
funding. Shorts are out of the count: they are asked nothing while a market falls.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

MAINTENANCE: Final = Fraction(10_000, 10**6)  # of notional
CLOSE_OUT: Final = Fraction(666_666, 10**6)  # of the maintenance margin
RESTORED: Final = Fraction(115, 100)  # of the maintenance margin
PENALTY: Final = Fraction(5_000, 10**6)  # of what is closed
MAKER_FEE: Final = Fraction(200, 10**6)
TAKER_FEE: Final = Fraction(500, 10**6)
STEP: Final = Fraction(50_000, 10**6)
LOT: Final = 1_000  # units
NOTHING: Final = Fraction(0)
UNIT: Final = 10**10  # units of size times 1e-8 USD in 1e-6 USD


@dataclass
class Long:
    """A position and what stands behind it, 1e-6 USD."""

    collateral: Fraction
    size: int

    def compute_margin(self, price: int) -> tuple[Fraction, Fraction]:
        """(value, maintenance margin)."""
        notional = Fraction(self.size * price, UNIT)
        return self.collateral + notional, notional * MAINTENANCE


@dataclass
class Outcome:
    """What became of all longs, 1e-6 USD; fund: what it has gained since before the opening."""

    events: int = 0
    notional: Fraction = NOTHING
    bad_debt: Fraction = NOTHING
    penalties: Fraction = NOTHING
    left_to_counterparts: Fraction = NOTHING
    socialised: Fraction = NOTHING
    volume: Fraction = NOTHING
    fees: Fraction = NOTHING
    accounts: int = 0


def believe(rounds: Iterable[tuple[int, int]], gap: int) -> Iterator[int]:
    """The price that counts after each round of (seconds since the last one, price); 0: none does.

    A round further than the step from the last price that counted, or after a silence longer than the gap,
    waits for one that agrees with it. A fall that would halt the market is not this model's business.
    """
    counted = last = 0
    is_waiting = False
    for seconds, price in rounds:
        is_late = seconds > gap and last != 0
        is_near = not is_late and abs(price - counted) <= STEP * counted
        agrees = not is_late and abs(price - last) <= STEP * last
        assert not counted or abs(price - counted) * 4 <= counted, "a price that halts the market"
        is_counted = not last or is_near or (agrees and is_waiting)
        counted = price if is_counted else counted
        yield counted if is_counted else 0
        last, is_waiting = price, not is_counted


def play_longs(
    openings: Sequence[tuple[int, int]], rounds: Sequence[tuple[int, int]], gap: int, *, has_backstop: bool
) -> Outcome:
    """Open (collateral, size) at the first price and let prices come: the sum of what must happen."""
    outcome = Outcome()
    first = rounds[0][1]
    longs = []
    for collateral, size in openings:
        cost = Fraction(size * first, UNIT)
        longs.append(Long(collateral - cost - cost * TAKER_FEE, size))
        outcome.volume += 2 * cost
        outcome.fees += cost * (TAKER_FEE + MAKER_FEE)
    closed = set()
    for price in believe(rounds, gap):
        for number, long in enumerate(longs):
            while price and close(long, price, outcome, has_backstop=has_backstop):
                closed.add(number)
    outcome.accounts = len(closed)
    return outcome


def close(long: Long, price: int, outcome: Outcome, *, has_backstop: bool) -> bool:
    """Close what must be closed at a price; False if that is nothing, or nobody can."""
    value, maintenance = long.compute_margin(price)
    if not long.size or value >= maintenance:
        return False
    size = long.size
    if value >= maintenance * CLOSE_OUT:
        if not has_backstop:
            return False
        freed = Fraction(price, UNIT) * (MAINTENANCE * RESTORED - PENALTY)
        lots = -(-(maintenance * RESTORED - value) // (freed * LOT))
        size = min(int(lots) * LOT, size)
    part = Fraction(size, long.size)
    # Closing at this charge leaves value over maintenance margin as it was.
    surrender = value * part
    notional = Fraction(size * price, UNIT)
    charge = min(PENALTY * notional, surrender) if has_backstop else surrender
    outcome.events += 1
    outcome.notional += notional
    outcome.bad_debt += max(-charge, NOTHING)
    if has_backstop:
        outcome.penalties += max(charge, NOTHING)
    else:
        outcome.left_to_counterparts += max(charge, NOTHING)
        outcome.socialised += max(-charge - notional * MAINTENANCE, NOTHING)
    long.collateral += notional - charge
    long.size -= size
    return True

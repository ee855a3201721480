"""Mark price: what every position is valued at, for margin, liquidation and withdrawals alike.

    mark = index * (1 + clamp(P, +-cap))                                              1e-8 USD, rounded down

P is the premium that funding is paid for (`funding.py`): the middle one of 0, what the perpetual costs
elsewhere and the time-weighted average of what it costs here. In prices: the median of the index, the signed
price of the perpetual elsewhere, and the index with the average basis of fills (docs/adr/0027). So a wick
on this venue alone, or a wrong feed alone, moves nobody's margin; the mark is the index then.

It is found at every confirmed round of the index and holds until the next one, as the rate does.
"""

from optimist.provable import inline, u60
from optimist.stf.constants import BILLION, MAX_PRICE, PPM
from optimist.stf.records import Billionths, Ppm


@inline
def compute_mark(index_price: u60, premium: Billionths, cap_ppm: Ppm) -> u60:
    """The mark price, from 1 to MAX_PRICE."""
    cap = cap_ppm * (BILLION // PPM)
    mark = index_price * (BILLION + max(min(premium, cap), -cap)) // BILLION
    return max(min(mark, MAX_PRICE), 1)

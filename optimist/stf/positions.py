"""Fills: how a traded quote moves collateral, and a traded size a position.

A fill of size s at price p is worth Q = s * p / divisor (1e-6 USD). The buyer pays ceil(Q), the seller
receives floor(Q), and the unit that may remain goes to the insurance fund: a fill never makes money.
"""

from optimist.provable import (
    ceil_div,
    fit,
    i62,
    i160,
    inline,
    peek,
    record,
    require,
    store,
    u8,
    u60,
    u62,
    u128,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import SLOT_BITS
from optimist.stf.margin import Holdings, is_reduced
from optimist.stf.open_interest import change_open_interest
from optimist.stf.preset import POSITION_SLOTS
from optimist.stf.records import AccountId, Funding, Market, Position


@record()
class Fill:
    """One exchange of size for quote in a market."""

    market: u8
    size: u62
    price: u60  # 1e-8 USD
    cost: u128  # what the buyer pays, 1e-6 USD, rounded up
    proceeds: u128  # what the seller receives, 1e-6 USD, rounded down


def set_fill(fill: Fill, market_id: u8, size: u62, price: u60) -> None:
    """Fill in `fill`."""
    divisor = peek(Market, market_id).notional_divisor
    fill.market = market_id
    fill.size = size
    fill.price = price
    fill.cost = ceil_div(size * price, divisor)
    fill.proceeds = size * price // divisor


@inline
def compute_quote(fill: Fill, is_buy: bool) -> i160:
    """What one side's collateral changes by, before fees."""
    return -fill.cost if is_buy else fill.proceeds


def change_position(account_id: AccountId, holdings: Holdings, fill: Fill, is_buy: bool) -> i62:
    """Write the position of one side after the fill and return its size; `holdings` stays as it was before.

    Funding must be settled before. Rejects a position beyond the market's bound, and a new one when no slot
    is free. A size of 0 frees the slot.
    """
    slot = holdings.slot
    require(slot < POSITION_SLOTS, Code.SLOTS_FULL)
    moved = fill.size if is_buy else -fill.size
    size = fit(i62, holdings.size + moved, Code.POSITION_BOUND)
    # A bound that was lowered locks nobody in: what shrinks may still be beyond it.
    is_within = abs(size) <= peek(Market, fill.market).max_position
    require(is_within or is_reduced(holdings.size, size), Code.POSITION_BOUND)
    if size == 0:
        store(account_id << SLOT_BITS | slot, zero(Position))
    else:
        index = peek(Funding, fill.market).index
        position = Position(market_plus_one=fill.market + 1, size=size, funding_index=index)
        store(account_id << SLOT_BITS | slot, position)
    change_open_interest(fill.market, holdings.size, size)
    return size

"""Fills: how a traded quote moves collateral, and a traded size a position.

A fill of size s at price p is worth Q = s * p / divisor (1e-6 USD). The buyer pays ceil(Q), the seller
receives floor(Q), and the unit that may remain goes to the fund of the group: a fill never makes money.
"""

from optimist.provable import (
    ceil_div,
    fit,
    i112,
    i160,
    inline,
    note,
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
from optimist.stf.constants import ONE, SLOT_BITS
from optimist.stf.group import get_group
from optimist.stf.margin import Holdings, is_reduced
from optimist.stf.notes import Held
from optimist.stf.preset import POSITION_SLOTS
from optimist.stf.records import AccountId, Listing, Market, Parts, Position, WholeParts
from optimist.stf.sides import enter_side, leave_side


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


@inline
def compute_target(holdings: Holdings, fill: Fill, is_buy: bool) -> i112:
    """Size of the position after a fill, before it is rounded to shares, in parts."""
    moved = fill.size if is_buy else -fill.size
    return holdings.parts + moved * ONE


def change_position(account_id: AccountId, holdings: Holdings, fill: Fill, is_buy: bool) -> Parts:
    """Write the position of one side after the fill and return its size; `holdings` stays as it was before.

    It must be settled before. Rejects a position beyond the market's bound, one in another group's market,
    and a new one when no slot is free.

    Less than a unit of a long is dropped, and the slot is free: after deleveraging sizes are no whole units,
    and a long is closed by selling its size rounded down, a short by buying its size rounded up.
    """
    slot = holdings.slot
    require(slot < POSITION_SLOTS, Code.SLOTS_FULL)
    require(peek(Listing, fill.market).group == get_group(account_id), Code.OTHER_GROUP)
    target = fit(WholeParts, compute_target(holdings, fill, is_buy), Code.POSITION_BOUND)
    # A bound that was lowered locks nobody in: what shrinks may still be beyond it.
    is_within = abs(target) <= peek(Market, fill.market).max_position * ONE
    require(is_within or is_reduced(holdings.parts, target), Code.POSITION_BOUND)
    if holdings.shares != 0:
        leave_side(fill.market, holdings.shares)
    position = zero(Position)
    parts: Parts = 0
    if target < 0 or target >= ONE:
        parts = enter_side(position, fill.market, target)
    store(account_id << SLOT_BITS | slot, position)
    note(Held(account=account_id, market=fill.market, parts=parts))
    return parts

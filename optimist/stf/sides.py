"""Sides: all long, or all short, positions of a market as one pool of shares.

A position is a number of shares of its side, and all shares of a side are alike:

    size   of a position = shares * multiplier / 2^48                       units of size, to the last part
    paid   to a position = shares * (index - index when it was settled last) / unit                1e-6 USD
           unit = 3600 * 10^9 * 2^48 * notional divisor

Until somebody must be deleveraged a multiplier is 2^48: a share is a unit of size. Deleveraging closes a part
of every position of a side at once by lowering the multiplier, and pays for it by moving the index, however
many positions there are: each is closed in proportion to its size, at one price, and nobody chooses whose.
Positions find out when they are settled.

What a share is paid is a whole number of parts, so all payments are counted exactly: what rounding leaves is
`Funding.remainder`, and its whole units belong to the group's fund.

Multipliers and shares are rounded so that shorts are never smaller than longs. INVARIANT:

    0 <= shares of shorts * their multiplier - shares of longs * theirs

which is 0 where nobody was ever deleveraged. So at any price the positions of a market are together worth at
most what was paid for them.
"""

from optimist.provable import ceil_div, fit, i64, inline, load, note, peek, record, require, store, u60
from optimist.stf.codes import Code
from optimist.stf.constants import EPOCH_BITS, INDEX_SCALE, MIN_MULTIPLIER, ONE, PRICE_SCALE
from optimist.stf.notes import SideScaled
from optimist.stf.records import (
    Epoch,
    Funding,
    IndexChange,
    MarketId,
    NotionalDivisor,
    Owed,
    Parts,
    Position,
    PositionShares,
    Remainder,
    Side,
    SideEnd,
    SideIndex,
    SideRow,
    SideShares,
    Unit,
    WholeParts,
)


@record()
class Share:
    """What a position has of its side."""

    parts: Parts  # its size; positive: long
    shares: PositionShares  # 0 if its side has been closed whole since
    owed: Owed  # what it is to be paid, in parts of 1e-6 USD


@inline
def get_side_row(market_id: MarketId, is_short: bool) -> SideRow:
    """Row of a Side."""
    return market_id << 1 | (1 if is_short else 0)


@inline
def compute_unit(divisor: NotionalDivisor) -> Unit:
    """How many parts of an index make 1e-6 USD. Never 0: a market that does not exist counts as 1."""
    return INDEX_SCALE * max(divisor, 1)


def measure(share: Share, position: Position, market_id: MarketId) -> None:
    """Fill `share` for a position in the market."""
    row = get_side_row(market_id, position.shares < 0)
    side = peek(Side, row)
    if position.epoch == side.epoch:
        share.shares = position.shares
        share.parts = fit(Parts, position.shares * side.multiplier, Code.POSITION_BOUND)
        share.owed = abs(position.shares) * (side.index - position.index)
    else:
        end = peek(SideEnd, row << EPOCH_BITS | position.epoch)
        share.shares = 0
        share.parts = 0
        share.owed = abs(position.shares) * (end.index - position.index)


def leave_side(market_id: MarketId, shares: PositionShares) -> None:
    """Take the shares of a position off its side. A side that is empty begins anew."""
    row = get_side_row(market_id, shares < 0)
    side = load(Side, row)
    left = side.shares - abs(shares)
    # INVARIANT: a side has the shares of its positions.
    side.shares = fit(SideShares, left, Code.POSITION_BOUND)
    if left == 0:
        side.multiplier = ONE
    store(row, side)


def enter_side(position: Position, market_id: MarketId, target: WholeParts) -> Parts:
    """Fill `position` with shares of `target` (not 0); what they are worth.

    Rounded down: against its owner, be it a long or, negative, a short.
    """
    row = get_side_row(market_id, target < 0)
    side = load(Side, row)
    worth = max(side.multiplier, MIN_MULTIPLIER)
    shares = target // worth
    side.shares = fit(SideShares, side.shares + abs(shares), Code.POSITION_BOUND)
    store(row, side)
    position.market_plus_one = market_id + 1
    position.shares = shares
    position.index = side.index
    position.epoch = side.epoch
    return target - target % worth


def round_position(market_id: MarketId, shares: PositionShares, target: WholeParts) -> Parts:
    """What a position that has `shares` now would be worth if it became `target`. Changes nothing."""
    if 0 <= target < ONE:
        return 0
    side = peek(Side, get_side_row(market_id, target < 0))
    # A side that it leaves empty begins anew.
    is_alone = (shares < 0) == (target < 0) and side.shares == abs(shares)
    worth = ONE if is_alone else max(side.multiplier, MIN_MULTIPLIER)
    return target - target % worth


def pay_funding(funding: Funding, market_id: MarketId, moved: IndexChange) -> None:
    """Let longs pay, and shorts receive, `moved` (1e-17 USD-hours) per 1.0 of size. No division."""
    longs = load(Side, get_side_row(market_id, False))
    shorts = load(Side, get_side_row(market_id, True))
    to_longs = -moved * longs.multiplier
    to_shorts = moved * shorts.multiplier
    longs.index = fit(SideIndex, longs.index + to_longs, Code.VALUE_BOUND)
    shorts.index = fit(SideIndex, shorts.index + to_shorts, Code.VALUE_BOUND)
    paid = longs.shares * to_longs + shorts.shares * to_shorts
    funding.remainder = fit(Remainder, funding.remainder - paid, Code.VALUE_BOUND)
    store(get_side_row(market_id, False), longs)
    store(get_side_row(market_id, True), shorts)


def deleverage(
    market_id: MarketId, is_short: bool, parts: Parts, cash: i64, divisor: NotionalDivisor, price: u60
) -> None:
    """Close `parts` (positive) of a side, in proportion to size, and pay `cash` (1e-6 USD) for all of them.

    The position that they were held against has left its own side before. When it was the last one, the whole
    side is closed: what rounding made shorts larger by has no counterpart any more.

    When shares of the side would be worth less than MIN_MULTIPLIER, both sides are closed whole at `price`,
    the mark: a market that is worn out begins anew. To refuse would let a speck on the own side shield a
    debtor.
    """
    row = get_side_row(market_id, is_short)
    side = load(Side, row)
    other = peek(Side, get_side_row(market_id, not is_short))
    # INVARIANT: a position that is not a counterpart of anybody's does not exist.
    require(side.shares > 0, Code.NO_COUNTERPART)
    funding = load(Funding, market_id)
    given = cash * compute_unit(divisor)
    shares = max(side.shares, 1)
    side.index = fit(SideIndex, side.index + given // shares, Code.VALUE_BOUND)
    funding.remainder = fit(Remainder, funding.remainder + given % shares, Code.VALUE_BOUND)
    store(market_id, funding)
    before = side.multiplier
    if other.shares == 0:
        end_epoch(side, row)
        note(SideScaled(market=market_id, is_short=is_short, before=before, after=0))
    else:
        left = max(side.shares * side.multiplier - parts, 0)
        worth = min(ceil_div(left, shares) if is_short else left // shares, before)
        side.multiplier = worth
        note(SideScaled(market=market_id, is_short=is_short, before=before, after=worth))
    store(row, side)
    if side.multiplier < MIN_MULTIPLIER:
        close_sides(market_id, price)


def close_sides(market_id: MarketId, price: u60) -> None:
    """Close both sides whole at `price`: each longs' part is paid what it is worth, each shorts' owes it."""
    funding = load(Funding, market_id)
    pay_funding(funding, market_id, -price * PRICE_SCALE)
    store(market_id, funding)
    close_side(market_id, False)
    close_side(market_id, True)


def close_side(market_id: MarketId, is_short: bool) -> None:
    """End the epoch of a side, paid up to now."""
    row = get_side_row(market_id, is_short)
    side = load(Side, row)
    note(SideScaled(market=market_id, is_short=is_short, before=side.multiplier, after=0))
    end_epoch(side, row)
    store(row, side)


def end_epoch(side: Side, row: SideRow) -> None:
    """Close a side whole. Its positions find in the SideEnd up to where they are paid."""
    store(row << EPOCH_BITS | side.epoch, SideEnd(index=side.index))
    side.shares = 0
    side.multiplier = ONE
    side.epoch = fit(Epoch, side.epoch + 1, Code.COUNTER_EXHAUSTED)

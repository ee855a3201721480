"""Margin: what an account is worth and what it must be worth. Cross margin over all its positions.

    value        TV  = collateral + sum of (floor(size * price / divisor) + what its side owes)   1e-6 USD
    notional     N   = ceil(|size| * price / divisor)                             1e-6 USD
    maintenance  MMR = sum of what the tiers of a market ask for N (`tiers.py`)   1e-6 USD
    initial      IMR = the same, with their initial fractions                     1e-6 USD

There is no entry price: collateral falls by what a position cost and the position is worth what its market
says, so profit and loss are never booked, only seen. Everything rounds against the account: a long is worth
less, a short owes more, requirements are larger.

States: TV >= IMR may do anything that keeps it so; TV < IMR may only improve (`is_allowed`); TV < MMR may be
liquidated; TV < 0 is bankrupt. Equality is safe.
"""

from typing import Annotated

from optimist.provable import (
    Range,
    ceil_div,
    fit,
    i64,
    i112,
    i128,
    inline,
    load,
    note,
    peek,
    record,
    store,
    u16,
    u32,
    u40,
    u60,
    u112,
    u128,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ONE, PPM, SLOT_BITS
from optimist.stf.freshness import is_price_fresh
from optimist.stf.group import add_to_fund
from optimist.stf.notes import Settled
from optimist.stf.preset import POSITION_SLOTS
from optimist.stf.records import (
    Account,
    AccountId,
    Funding,
    Group,
    Market,
    MarketId,
    NotionalDivisor,
    Owed,
    Parts,
    Position,
    PositionShares,
    Ppm,
    Price,
)
from optimist.stf.sides import Share, compute_unit, measure
from optimist.stf.tiers import MarginSchedule, compute_initial, compute_maintenance, load_schedule

Slot = Annotated[int, Range(0, 16)]


@record()
class Holdings:
    """An account's positions as one market sees them: the one there, and sums over all other ones."""

    slot: Slot  # where the position in the market is, or could be; POSITION_SLOTS when there is no room
    is_held: bool  # it is there, if only to be settled: `parts` may be 0
    parts: Parts  # size of the position in the market
    shares: PositionShares  # of its side, of the same position
    owed: Owed  # what its side still owes it, in parts of 1e-6 USD
    value: i112  # of the other positions, as are the next two
    maintenance: u112
    initial: u112
    is_fresh: bool  # the prices of the other positions are fresh
    account: AccountId  # whose they are


@record()
class Margin:
    """An account's health."""

    value: i112
    maintenance: u112
    initial: u112


@inline
def compute_value(parts: Parts, price: u60, divisor: NotionalDivisor) -> i128:
    """What a position is worth: floor(size * price / divisor). A long rounds down, a short owes more."""
    return parts * price // ONE // divisor


@inline
def compute_notional(parts: Parts, price: u60, divisor: NotionalDivisor) -> u128:
    """ceil(|size| * price / divisor)."""
    return ceil_div(ceil_div(abs(parts) * price, ONE), divisor)


@inline
def compute_fraction(notional: u128, fraction_ppm: Ppm) -> u128:
    """ceil(notional * fraction / 10^6): every fee and penalty."""
    return ceil_div(notional * fraction_ppm, PPM)


def scan_holdings(
    holdings: Holdings, account_id: AccountId, market_plus_one: u16, now: u40, heartbeat: u32
) -> None:
    """Fill `holdings` from all position slots of an account, seen from one market (0: from none).

    Rejects nothing that can happen, so that forced inputs may use it: stale prices are only reported.
    """
    held: Slot = POSITION_SLOTS
    free: Slot = POSITION_SLOTS
    parts: Parts = 0
    shares: PositionShares = 0
    owed: Owed = 0
    value: i112 = 0
    maintenance: u112 = 0
    initial: u112 = 0
    is_fresh = True
    schedule = zero(MarginSchedule)
    share = zero(Share)
    for slot in range(POSITION_SLOTS):
        position = peek(Position, account_id << SLOT_BITS | slot)
        if position.market_plus_one == 0:
            free = min(free, slot)
        elif position.market_plus_one == market_plus_one:
            held = slot
            measure(share, position, position.market_plus_one - 1)
            parts = share.parts
            shares = share.shares
            owed = share.owed
        else:
            market = peek(Market, position.market_plus_one - 1)
            price = peek(Price, position.market_plus_one - 1)
            measure(share, position, position.market_plus_one - 1)
            paid = share.owed // compute_unit(market.notional_divisor)
            # What has been closed is money, whatever the market is worth now.
            if share.parts != 0 and not is_price_fresh(price, now, heartbeat):
                is_fresh = False
            worth = compute_value(share.parts, price.mark, market.notional_divisor)
            notional = compute_notional(share.parts, price.mark, market.notional_divisor)
            value = fit(i112, value + worth + paid, Code.VALUE_BOUND)
            load_schedule(schedule, position.market_plus_one - 1, price.mark)
            maintenance = fit(u112, maintenance + compute_maintenance(schedule, notional), Code.VALUE_BOUND)
            initial = fit(u112, initial + compute_initial(schedule, notional), Code.VALUE_BOUND)
    holdings.slot = held if held < POSITION_SLOTS else free
    holdings.is_held = held < POSITION_SLOTS
    holdings.parts = parts
    holdings.shares = shares
    holdings.owed = owed
    holdings.value = value
    holdings.maintenance = maintenance
    holdings.initial = initial
    holdings.is_fresh = is_fresh
    holdings.account = account_id


def settle(group: Group, account: Account, holdings: Holdings, market_id: MarketId) -> None:
    """Pay what the side of the account's position in the market of `holdings` owes it, rounded down.

    What rounding leaves is kept to the last part and goes to the group's fund by whole units.
    """
    if holdings.owed == 0:
        return
    funding = load(Funding, market_id)
    unit = compute_unit(peek(Market, market_id).notional_divisor)
    account.collateral = fit(i64, account.collateral + holdings.owed // unit, Code.COLLATERAL_BOUND)
    left = funding.remainder + holdings.owed % unit
    add_to_fund(group, left // unit)
    funding.remainder = left % unit
    store(market_id, funding)
    note(Settled(account=holdings.account, market=market_id, amount=holdings.owed // unit))
    holdings.owed = 0


def compute_margin(
    margin: Margin,
    holdings: Holdings,
    schedule: MarginSchedule,
    collateral: i64,
    parts: Parts,
    market: Market,
    price: Price,
) -> None:
    """Fill `margin` for an account with `collateral`, and `parts` in the market of `holdings`.

    `schedule`: of that market. What the side of that position owes must be settled before.
    """
    worth = compute_value(parts, price.mark, market.notional_divisor)
    notional = compute_notional(parts, price.mark, market.notional_divisor)
    margin.value = fit(i112, collateral + holdings.value + worth, Code.VALUE_BOUND)
    margin.maintenance = fit(
        u112, holdings.maintenance + compute_maintenance(schedule, notional), Code.VALUE_BOUND
    )
    margin.initial = fit(u112, holdings.initial + compute_initial(schedule, notional), Code.VALUE_BOUND)


@inline
def is_reduced(before: Parts, after: Parts) -> bool:
    """True if a position became strictly smaller without changing sides."""
    return 0 <= after < before or before < after <= 0


def is_allowed(before: Margin, after: Margin, size_before: Parts, size_after: Parts) -> bool:
    """True if an account may go from `before` to `after` by changing one position.

    Either it meets its initial margin afterwards, or it has improved: the position is strictly smaller and
    not on the other side, and TV1 / MMR1 >= TV0 / MMR0, compared as TV1 * MMR0 >= TV0 * MMR1 (the rule of
    dYdX v4 and of StarkEx). Closing everything while still owing (MMR1 = 0, TV1 < 0) is refused by the same
    product.
    """
    if after.value >= after.initial:
        return True
    if not is_reduced(size_before, size_after):
        return False
    return after.value * before.maintenance >= before.value * after.maintenance

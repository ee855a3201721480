"""LIQUIDATE: what becomes of an account that cannot carry its positions. Anyone's input, signed by nobody.

The caller names an account and one of its markets; size, price and who pays are the law's (docs/adr/0003,
docs/adr/0021). The waterfall, in this order:

1. **Partial liquidation.** The backstop of the account's group takes over the least that restores the
   maintenance margin times (1 + buffer), in whole lots, at the mark:
       x = ceil to lots of (MMR * (1 + b) - TV) / (p * (mmf * (1 + b) - penalty)), at most all of it,
   mmf being that of the tiers that x leaves, from the highest one downwards.
2. **Takeover.** All of it, when the account is worth less than its close-out margin (2/3 of MMR), or when x
   would never suffice.
3. **Fund and backstop.** What a bankrupt account lacks is paid by the group's fund as far as it reaches, and
   by the backstop for the rest.
4. **Deleveraging.** When the backstop's own margin does not allow that, and the account is below its
   close-out margin, all positions on the other side of the market are closed against the whole of it, in
   proportion to their size (`sides.py`), at the account's zero price; but no further from the mark than the
   market's maintenance margin, so that a healthy counterpart stays healthy.
5. **Socialisation.** What is still missing is a loss of the group's fund, which then is below 0: everyone in
   the group carries it in proportion when money leaves (`group.py`). No other group is touched.

**The backstop** is an account like any other, but nobody takes over from it: below its close-out margin it is
deleveraged, so that what it cannot bear becomes known and is carried by all, and not by whoever leaves last.
While a price of its other positions is not fresh nobody knows what it can bear: who is above nothing waits,
who is bankrupt is deleveraged. A market that stands still must not keep losses in all others growing.

There is no step "cancel its orders": an account below its initial margin may only improve (`margin.py`), so
an order left over cannot harm it, and one that reduces helps.

The zero price is p * (1 - mmf * TV / MMR) for a long, p * (1 + mmf * TV / MMR) for a short: the price at
which closing leaves TV / MMR as it was. In exact integers: TV may fall to ceil(TV0 * MMR1 / MMR0) and no
further. What lies between that and the mark is a charge to the account: a penalty to the fund in the first
two steps, at most `liquidation_penalty_ppm`; all of it, to its counterparts, in deleveraging. For a bankrupt
account it is negative: a shortfall that others pay. So in every case TV / MMR is not lower afterwards and
MMR is strictly lower.
"""

from optimist.provable import (
    ceil_div,
    fit,
    handler,
    i64,
    i128,
    inline,
    input_length,
    input_uint,
    load,
    note,
    peek,
    require,
    store,
    u8,
    u40,
    u128,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import (
    ACCOUNT_LIMIT,
    CLOSE_OUT_PPM,
    DONE,
    MAX_COLLATERAL,
    MAX_SIZE,
    ONE,
    PPM,
)
from optimist.stf.freshness import is_price_fresh
from optimist.stf.group import add_to_fund, get_backstop, get_group
from optimist.stf.inputs import LIQUIDATE_ACCOUNT_AT, LIQUIDATE_BODY_LENGTH, LIQUIDATE_MARKET_AT
from optimist.stf.margin import (
    Holdings,
    Margin,
    compute_fraction,
    compute_margin,
    compute_notional,
    compute_value,
    is_allowed,
    scan_holdings,
    settle,
)
from optimist.stf.notes import Deleveraged, Liquidated, TakenOver
from optimist.stf.positions import Fill, change_position, compute_quote, compute_target, set_fill
from optimist.stf.preset import POSITION_SLOTS
from optimist.stf.records import (
    Account,
    BodyOffset,
    Group,
    Listing,
    Market,
    MarketId,
    Parameters,
    Parts,
    PositionBound,
    Ppm,
    Price,
    System,
)
from optimist.stf.sides import compute_unit, deleverage, round_position
from optimist.stf.tiers import MarginSchedule, compute_maintenance, compute_relief, load_schedule


@handler
def apply_liquidate(system: System, at: BodyOffset) -> None:
    """Liquidate an account whose value is below its maintenance margin, at fresh prices, in one market.

    `at`: where the body begins.
    """
    require(input_length() == at + LIQUIDATE_BODY_LENGTH, Code.MALFORMED)
    account_id = input_uint(at + LIQUIDATE_ACCOUNT_AT, 5)
    market_id = input_uint(at + LIQUIDATE_MARKET_AT, 2)
    require(account_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    group_id = get_group(account_id)
    parameters = peek(Parameters, 0)
    require(market_id < parameters.markets, Code.UNKNOWN_MARKET)
    market = peek(Market, market_id)
    price = peek(Price, market_id)
    heartbeat = parameters.liquidation_heartbeat
    require(is_price_fresh(price, system.clock, heartbeat), Code.PRICE_STALE)

    group = load(Group, group_id)
    account = load(Account, account_id)
    holdings = zero(Holdings)
    scan_holdings(holdings, account_id, market_id + 1, system.clock, heartbeat)
    require(holdings.parts != 0, Code.NO_POSITION)
    require(holdings.is_fresh, Code.PRICE_STALE)
    settle(group, account, holdings, market_id)
    schedule = zero(MarginSchedule)
    load_schedule(schedule, market_id, price.mark)
    before = zero(Margin)
    compute_margin(before, holdings, schedule, account.collateral, holdings.parts, market, price)
    require(before.value < before.maintenance, Code.NOT_LIQUIDATABLE)

    closing = compute_closing_size(
        before, schedule, holdings.parts, market, price, parameters.liquidation_buffer_ppm
    )
    fill = zero(Fill)
    set_fill(fill, market_id, closing, price.mark)
    left = change_position(account_id, holdings, fill, holdings.parts < 0)
    verdict: u8 = Code.BACKSTOP_UNABLE
    if account_id != get_backstop(group_id):
        verdict = close_against_backstop(system, group, account, before, holdings, schedule, fill, left)
    if verdict != DONE:
        # Whoever is bankrupt does not wait until somebody knows what else the backstop is worth.
        require(verdict == Code.BACKSTOP_UNABLE or before.value < 0, Code.PRICE_STALE)
        # Below the close-out margin the position was closed whole: nothing of it is left to undo.
        require(is_close_out(before), Code.BACKSTOP_UNABLE)
        close_against_all(group, account, before, holdings, schedule, market_id)
    store(account_id, account)
    store(group_id, group)


@inline
def is_close_out(margin: Margin) -> bool:
    """True if an account is worth less than its close-out margin."""
    return margin.value * PPM < margin.maintenance * CLOSE_OUT_PPM


@inline
def compute_whole(parts: Parts) -> PositionBound:
    """Units of size that close a position: of a long rounded down, of a short rounded up (`positions.py`)."""
    return min(parts // ONE if parts > 0 else ceil_div(-parts, ONE), MAX_SIZE)


def compute_closing_size(
    before: Margin, schedule: MarginSchedule, parts: Parts, market: Market, price: Price, buffer_ppm: Ppm
) -> PositionBound:
    """How much to close: whole lots, rounded up, never more than the position.

    Where rounding would leave the requirement as it was (a few 1e-6 USD of notional), all of it.
    """
    whole = compute_whole(parts)
    restored = PPM + buffer_ppm  # 10^6 * (1 + b)
    if is_close_out(before):
        return whole
    # 10^6 * 1e-6 USD. Positive, since TV < MMR; max says so to the compiler.
    shortage = max(before.maintenance * restored - before.value * PPM, 1)
    notional = compute_notional(parts, price.mark, market.notional_divisor)
    freed, relief = compute_relief(
        schedule, notional, shortage * PPM, restored, market.liquidation_penalty_ppm
    )
    if relief <= 0:
        return whole
    lots = ceil_div(freed * market.notional_divisor, price.mark * relief * market.lot)
    closing = min(min(lots, whole // market.lot) * market.lot, whole)
    left = fit(Parts, abs(parts) - closing * ONE, Code.POSITION_BOUND)
    rest = compute_notional(left, price.mark, market.notional_divisor)
    if compute_maintenance(schedule, rest) >= compute_maintenance(schedule, notional):
        return whole
    return closing


def compute_charge(before: Margin, after: Margin, penalty: u128) -> i128:
    """What an account pays for being closed at the mark; negative: what it must be given."""
    return min(penalty, compute_surrender(before, after))


def compute_surrender(before: Margin, after: Margin) -> i128:
    """What closing at the zero price takes, where closing at the mark leaves `after`; negative: a shortfall.

    INVARIANT: once it is taken, TV1 * MMR0 >= TV0 * MMR1.
    """
    kept = ceil_div(before.value * after.maintenance, before.maintenance)
    return fit(i128, after.value - kept, Code.VALUE_BOUND)


def close_against_backstop(
    system: System,
    group: Group,
    account: Account,
    before: Margin,
    holdings: Holdings,
    schedule: MarginSchedule,
    fill: Fill,
    left: Parts,
) -> u8:
    """Settle a fill at the mark between an account and its backstop; DONE, or why not, and no change.

    `left`: what the account's position is afterwards.
    """
    market = peek(Market, fill.market)
    is_buy = holdings.parts < 0
    at_mark = fit(i64, account.collateral + compute_quote(fill, is_buy), Code.COLLATERAL_BOUND)
    after = zero(Margin)
    compute_margin(after, holdings, schedule, at_mark, left, market, peek(Price, fill.market))
    penalty = compute_fraction(fill.cost, market.liquidation_penalty_ppm)
    charge = compute_charge(before, after, penalty)
    remainder = fill.cost - fill.proceeds
    shortfall = max(-charge - max(group.fund + remainder, 0), 0)
    verdict = take_over(system.clock, group, schedule, fill, not is_buy, shortfall)
    if verdict != DONE:
        return verdict
    account.collateral = fit(i64, at_mark - charge, Code.COLLATERAL_BOUND)
    add_to_fund(group, remainder + charge + shortfall)
    note(
        Liquidated(
            account=holdings.account,
            market=fill.market,
            size=fill.size if is_buy else -fill.size,
            price=fill.price,
            quote=-fill.cost if is_buy else fill.proceeds,
            charge=charge,
            value=before.value,
            maintenance=before.maintenance,
        )
    )
    return DONE


def take_over(
    now: u40, group: Group, schedule: MarginSchedule, fill: Fill, is_buy: bool, shortfall: u128
) -> u8:
    """The backstop's side of the fill, at the mark, less the shortfall that the fund cannot pay.

    DONE; or BACKSTOP_UNABLE if its own margin, its bounds or its slots do not allow it, PRICE_STALE if nobody
    knows because a price of its other positions is not fresh, and no change.
    """
    market = peek(Market, fill.market)
    price = peek(Price, fill.market)
    backstop_id = get_backstop(peek(Listing, fill.market).group)
    backstop = load(Account, backstop_id)
    holdings = zero(Holdings)
    heartbeat = peek(Parameters, 0).liquidation_heartbeat
    scan_holdings(holdings, backstop_id, fill.market + 1, now, heartbeat)
    if not holdings.is_fresh:
        return Code.PRICE_STALE
    target = compute_target(holdings, fill, is_buy)
    bound = market.max_position * ONE
    if holdings.slot >= POSITION_SLOTS or target < -bound or target > bound:
        return Code.BACKSTOP_UNABLE
    settled = fit(
        i64,
        backstop.collateral + holdings.owed // compute_unit(market.notional_divisor),
        Code.COLLATERAL_BOUND,
    )
    before = zero(Margin)
    compute_margin(before, holdings, schedule, settled, holdings.parts, market, price)
    # What it cannot hold, it cannot bear: the bounds only say so to the compiler.
    paid = settled + compute_quote(fill, is_buy) - shortfall
    if paid < -MAX_COLLATERAL or paid > MAX_COLLATERAL:
        return Code.BACKSTOP_UNABLE
    after = zero(Margin)
    size = round_position(fill.market, holdings.shares, target)
    compute_margin(after, holdings, schedule, paid, size, market, price)
    if not is_allowed(before, after, holdings.parts, size):
        return Code.BACKSTOP_UNABLE
    settle(group, backstop, holdings, fill.market)
    _ = change_position(backstop_id, holdings, fill, is_buy)
    backstop.collateral = paid
    store(backstop_id, backstop)
    note(
        TakenOver(
            account=backstop_id,
            market=fill.market,
            size=fill.size if is_buy else -fill.size,
            price=fill.price,
            quote=-fill.cost if is_buy else fill.proceeds,
            shortfall=shortfall,
        )
    )
    return DONE


def close_against_all(
    group: Group,
    account: Account,
    before: Margin,
    holdings: Holdings,
    schedule: MarginSchedule,
    market_id: MarketId,
) -> None:
    """Settle a whole position, which has left its side, with the other side of its market."""
    market = peek(Market, market_id)
    price = peek(Price, market_id).mark
    value = compute_value(holdings.parts, price, market.notional_divisor)
    at_mark = fit(i64, account.collateral + value, Code.COLLATERAL_BOUND)
    after = zero(Margin)
    compute_margin(after, holdings, schedule, at_mark, 0, market, peek(Price, market_id))
    surrender = compute_surrender(before, after)
    account.collateral = fit(i64, at_mark - surrender, Code.COLLATERAL_BOUND)

    shortfall = max(-surrender, 0)
    from_fund = min(shortfall, max(group.fund, 0))
    bearable = abs(value) * market.maintenance_margin_ppm // PPM
    lost = max(shortfall - from_fund - bearable, 0)
    add_to_fund(group, -from_fund - lost)
    # INVARIANT: what the account, the fund and the other side receive sums to nothing.
    cash = fit(i64, surrender - value + from_fund + lost, Code.COLLATERAL_BOUND)
    note(
        Deleveraged(
            account=holdings.account,
            market=market_id,
            parts=-holdings.parts,
            price=price,
            quote=value,
            charge=surrender,
            from_fund=from_fund,
            lost=lost,
            value=before.value,
            maintenance=before.maintenance,
        )
    )
    deleverage(market_id, holdings.parts > 0, abs(holdings.parts), cash, market.notional_divisor, price)

"""LIQUIDATE: the backstop takes over what an account can no longer carry. Anyone's input, signed by nobody.

The caller names an account and one of its markets; size and price are the law's (docs/adr/0003).

    size    the least that restores maintenance margin times (1 + buffer), in whole lots:
            x = ceil to lots of (MMR * (1 + b) - TV) / (p * (mmf * (1 + b) - penalty)), at most all of it,
            mmf being that of the tiers that x leaves, from the highest one downwards;
            all of it when the account is worth less than nothing, or when x * p would never suffice
    price   the mark price p, and from the account a charge to the insurance fund:
            charge = min(ceil(N * penalty), what closing at the zero price would take from it)

The zero price is p * (1 - mmf * TV / MMR) for a long, p * (1 + mmf * TV / MMR) for a short: the price at
which closing leaves TV / MMR as it was. In exact integers: TV may fall to ceil(TV0 * MMR1 / MMR0) and no
further. For a bankrupt account that is above what closing at p leaves, so the charge is negative: a
shortfall, paid to the account by the insurance fund as far as it reaches and by the backstop for the rest. So
in every case TV / MMR is not lower afterwards and MMR is strictly lower.
"""

from optimist.provable import (
    ceil_div,
    fit,
    handler,
    i62,
    i64,
    i250,
    input_length,
    input_uint,
    load,
    note,
    peek,
    require,
    store,
    u128,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, BACKSTOP, PPM
from optimist.stf.freshness import is_price_fresh
from optimist.stf.inputs import LIQUIDATE_ACCOUNT_AT, LIQUIDATE_BODY_LENGTH, LIQUIDATE_MARKET_AT
from optimist.stf.margin import (
    Holdings,
    Margin,
    compute_fraction,
    compute_margin,
    compute_notional,
    is_allowed,
    scan_holdings,
    settle_funding,
)
from optimist.stf.notes import Liquidated, TakenOver
from optimist.stf.positions import Fill, change_position, compute_quote, set_fill
from optimist.stf.records import Account, BodyOffset, Market, Parameters, PositionBound, Ppm, Price, System
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
    require(account_id != BACKSTOP, Code.BACKSTOP_ITSELF)
    parameters = peek(Parameters, 0)
    require(market_id < parameters.markets, Code.UNKNOWN_MARKET)
    market = peek(Market, market_id)
    price = peek(Price, market_id)
    heartbeat = parameters.liquidation_heartbeat
    require(is_price_fresh(price, system.clock, heartbeat), Code.PRICE_STALE)

    account = load(Account, account_id)
    holdings = zero(Holdings)
    scan_holdings(holdings, account_id, market_id + 1, system.clock, heartbeat)
    require(holdings.size != 0, Code.NO_POSITION)
    require(holdings.is_fresh, Code.PRICE_STALE)
    settle_funding(system, account, holdings, market_id)
    schedule = zero(MarginSchedule)
    load_schedule(schedule, market_id, price.mark)
    before = zero(Margin)
    compute_margin(before, holdings, schedule, account.collateral, holdings.size, market, price)
    require(before.value < before.maintenance, Code.NOT_LIQUIDATABLE)

    fill = zero(Fill)
    closing = compute_closing_size(
        before, schedule, holdings.size, market, price, parameters.liquidation_buffer_ppm
    )
    set_fill(fill, market_id, closing, price.mark)
    is_buy = holdings.size < 0
    size = change_position(account_id, holdings, fill, is_buy)
    at_mark = fit(i64, account.collateral + compute_quote(fill, is_buy), Code.COLLATERAL_BOUND)
    after = zero(Margin)
    compute_margin(after, holdings, schedule, at_mark, size, market, price)
    charge = compute_charge(before, after, compute_fraction(fill.cost, market.liquidation_penalty_ppm))
    account.collateral = fit(i64, at_mark - charge, Code.COLLATERAL_BOUND)
    store(account_id, account)
    note(
        Liquidated(
            account=account_id,
            market=market_id,
            size=fill.size if is_buy else -fill.size,
            price=fill.price,
            quote=-fill.cost if is_buy else fill.proceeds,
            charge=charge,
        )
    )

    remainder = fill.cost - fill.proceeds
    fund = fit(i64, system.insurance + remainder + charge, Code.COLLATERAL_BOUND)
    system.insurance = max(fund, 0)
    take_over(system, fill, schedule, not is_buy, max(-fund, 0))


def compute_closing_size(
    before: Margin, schedule: MarginSchedule, size: i62, market: Market, price: Price, buffer_ppm: Ppm
) -> PositionBound:
    """How much to close: whole lots, rounded up, never more than the position.

    Where rounding would leave the requirement as it was (a few 1e-6 USD of notional), all of it.
    """
    whole = abs(size)
    restored = PPM + buffer_ppm  # 10^6 * (1 + b)
    if before.value < 0:
        return whole
    # 10^6 * 1e-6 USD. Positive, since TV < MMR; max says so to the compiler.
    shortage = max(before.maintenance * restored - before.value * PPM, 1)
    notional = compute_notional(whole, price.mark, market.notional_divisor)
    freed, relief = compute_relief(
        schedule, notional, shortage * PPM, restored, market.liquidation_penalty_ppm
    )
    if relief <= 0:
        return whole
    lots = ceil_div(freed * market.notional_divisor, price.mark * relief * market.lot)
    closing = min(min(lots, whole // market.lot) * market.lot, whole)
    rest = compute_notional(whole - closing, price.mark, market.notional_divisor)
    if compute_maintenance(schedule, rest) >= compute_maintenance(schedule, notional):
        return whole
    return closing


def compute_charge(before: Margin, after: Margin, penalty: u128) -> i250:
    """What the account pays for being closed at the last price; negative: what it must be given.

    after.value - ceil(TV0 * MMR1 / MMR0) is what closing at the zero price would have taken. INVARIANT: after
    the charge TV1 * MMR0 >= TV0 * MMR1.
    """
    surrendered = after.value - ceil_div(before.value * after.maintenance, before.maintenance)
    return min(penalty, surrendered)


def take_over(system: System, fill: Fill, schedule: MarginSchedule, is_buy: bool, shortfall: i64) -> None:
    """The backstop's side of the fill, at the last price, less the shortfall that the fund could not pay.

    Rejects when its own margin does not allow it: an empty backstop takes nothing over.
    """
    market = peek(Market, fill.market)
    price = peek(Price, fill.market)
    backstop = load(Account, BACKSTOP)
    holdings = zero(Holdings)
    heartbeat = peek(Parameters, 0).liquidation_heartbeat
    scan_holdings(holdings, BACKSTOP, fill.market + 1, system.clock, heartbeat)
    require(holdings.is_fresh, Code.PRICE_STALE)
    settle_funding(system, backstop, holdings, fill.market)
    before = zero(Margin)
    compute_margin(before, holdings, schedule, backstop.collateral, holdings.size, market, price)
    paid = backstop.collateral + compute_quote(fill, is_buy) - shortfall
    backstop.collateral = fit(i64, paid, Code.COLLATERAL_BOUND)
    size = change_position(BACKSTOP, holdings, fill, is_buy)
    after = zero(Margin)
    compute_margin(after, holdings, schedule, backstop.collateral, size, market, price)
    require(is_allowed(before, after, holdings.size, size), Code.BACKSTOP_UNABLE)
    store(BACKSTOP, backstop)
    note(
        TakenOver(
            account=BACKSTOP,
            market=fill.market,
            size=fill.size if is_buy else -fill.size,
            price=fill.price,
            quote=-fill.cost if is_buy else fill.proceeds,
            shortfall=shortfall,
        )
    )

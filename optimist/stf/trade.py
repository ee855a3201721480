"""TRADE: one fill of two signed orders of one market.

The sequencer chooses whom it matches, when, at what price inside both limits, and who is called maker; the
law checks everything else. Fees are ceil(ceil(Q) * fee ppm / 10^6) for either side and go to the insurance
fund, as there is no other destination for them yet.
"""

from optimist.provable import (
    fit,
    handler,
    i64,
    input_length,
    input_uint,
    load,
    note,
    peek,
    require,
    store,
    u8,
    u16,
    u62,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, MAX_PRICE
from optimist.stf.freshness import is_price_fresh
from optimist.stf.funding import note_fill
from optimist.stf.inputs import (
    ORDER_ACCOUNT_AT,
    ORDER_IS_BUY_AT,
    TRADE_LENGTH,
    TRADE_MAKER_AT,
    TRADE_MARKET_AT,
    TRADE_PRICE_AT,
    TRADE_SIZE_AT,
    TRADE_TAKER_AT,
)
from optimist.stf.margin import (
    Holdings,
    Margin,
    compute_fraction,
    compute_margin,
    is_allowed,
    scan_holdings,
    settle_funding,
)
from optimist.stf.notes import Filled
from optimist.stf.open_interest import get_open_interest
from optimist.stf.orders import Order, check_signature, check_terms, read_order, use_order
from optimist.stf.positions import Fill, change_position, compute_quote, set_fill
from optimist.stf.records import Account, Market, Parameters, Ppm, Price, RiskRule, System
from optimist.stf.tiers import MarginSchedule, load_schedule


@handler
def apply_trade(system: System) -> None:
    """Fill both orders, or neither."""
    require(input_length() == TRADE_LENGTH, Code.MALFORMED)
    parameters = peek(Parameters, 0)
    market_id = input_uint(TRADE_MARKET_AT, 2)
    require(market_id < parameters.markets, Code.UNKNOWN_MARKET)
    require(
        is_price_fresh(peek(Price, market_id), system.clock, parameters.trade_heartbeat), Code.PRICE_STALE
    )
    maker = input_uint(TRADE_MAKER_AT + ORDER_ACCOUNT_AT, 5)
    taker = input_uint(TRADE_TAKER_AT + ORDER_ACCOUNT_AT, 5)
    require(maker != taker, Code.SELF_TRADE)
    maker_side = input_uint(TRADE_MAKER_AT + ORDER_IS_BUY_AT, 1)
    taker_side = input_uint(TRADE_TAKER_AT + ORDER_IS_BUY_AT, 1)
    require(maker_side != taker_side, Code.SAME_SIDE)

    market = peek(Market, market_id)
    fill = zero(Fill)
    read_fill(fill, market_id, market)
    schedule = zero(MarginSchedule)
    load_schedule(schedule, market_id, peek(Price, market_id).mark)
    open_interest = get_open_interest(market_id)
    note_fill(market_id, fill.price, peek(Price, market_id).confirmed, system.clock)
    apply_side(system, fill, schedule, TRADE_MAKER_AT, market.maker_fee_ppm)
    apply_side(system, fill, schedule, TRADE_TAKER_AT, market.taker_fee_ppm)
    bound = max(open_interest, peek(RiskRule, market_id).max_open_interest)
    require(get_open_interest(market_id) <= bound, Code.OPEN_INTEREST_BOUND)
    remainder = fill.cost - fill.proceeds
    system.insurance = fit(i64, system.insurance + remainder, Code.COLLATERAL_BOUND)


def read_fill(fill: Fill, market_id: u8, market: Market) -> None:
    """Read size and price. Rejects a size that is 0 or no multiple of the lot, and a price out of bounds."""
    size = fit(u62, input_uint(TRADE_SIZE_AT, 8), Code.FILL_SIZE)
    require(size != 0 and size % market.lot == 0, Code.FILL_SIZE)
    price = input_uint(TRADE_PRICE_AT, 8)
    require(0 < price <= MAX_PRICE, Code.FILL_PRICE)
    set_fill(fill, market_id, size, price)


def apply_side(system: System, fill: Fill, schedule: MarginSchedule, offset: u16, fee_ppm: Ppm) -> None:
    """One order's side of the fill: check the order, move collateral and position, check margin.

    `schedule`: of the market, with its open interest before the fill, so that both sides are judged alike.
    """
    order = zero(Order)
    read_order(order, offset, fill.market)
    account_id = order.account
    require(account_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    account = load(Account, account_id)
    check_terms(order, fill, fee_ppm, system.clock)
    use_order(account_id, order, fill.size)
    check_signature(order, offset, account.owner, system.domain)

    market = peek(Market, fill.market)
    price = peek(Price, fill.market)
    holdings = zero(Holdings)
    heartbeat = peek(Parameters, 0).trade_heartbeat
    scan_holdings(holdings, account_id, fill.market + 1, system.clock, heartbeat)
    require(holdings.is_fresh, Code.PRICE_STALE)
    settle_funding(system, account, holdings, fill.market)
    before = zero(Margin)
    compute_margin(before, holdings, schedule, account.collateral, holdings.size, market, price)

    fee = compute_fraction(fill.cost, fee_ppm)
    paid = account.collateral + compute_quote(fill, order.is_buy) - fee
    account.collateral = fit(i64, paid, Code.COLLATERAL_BOUND)
    size = change_position(account_id, holdings, fill, order.is_buy)
    after = zero(Margin)
    compute_margin(after, holdings, schedule, account.collateral, size, market, price)
    # INVARIANT: an account below its initial margin may only improve.
    require(is_allowed(before, after, holdings.size, size), Code.BELOW_INITIAL_MARGIN)
    store(account_id, account)
    note(
        Filled(
            account=account_id,
            market=fill.market,
            size=fill.size if order.is_buy else -fill.size,
            price=fill.price,
            quote=-fill.cost if order.is_buy else fill.proceeds,
            fee=fee,
            is_maker=offset == TRADE_MAKER_AT,
        )
    )
    system.insurance = fit(i64, system.insurance + fee, Code.COLLATERAL_BOUND)

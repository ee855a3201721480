"""TRADE: one fill of two signed orders of one market.

The sequencer chooses whom it matches, when, at what price inside both limits, and who is called maker; the
law checks everything else. Two accounts of one owner cannot trade. A fill may be far from the last price: it
moves money only between two who have signed their limits, and neither may be left below margin by it. Fees go
to the fund of the market's risk group.
"""

from optimist.provable import (
    fit,
    handler,
    i64,
    i112,
    input_length,
    input_uint,
    load,
    note,
    peek,
    require,
    store,
    u8,
    u62,
    u128,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, MAX_PRICE
from optimist.stf.fees import compute_capped_fee, compute_fee, get_fee
from optimist.stf.freshness import is_price_fresh
from optimist.stf.funding import note_fill
from optimist.stf.group import add_to_fund
from optimist.stf.inputs import (
    ORDER_ACCOUNT_AT,
    ORDER_IS_BUY_AT,
    TRADE_MAKER_AT,
    TRADE_MARKET_AT,
    TRADE_PRICE_AT,
    TRADE_SIZE_AT,
)
from optimist.stf.margin import (
    Holdings,
    Margin,
    compute_margin,
    is_allowed,
    is_reduced,
    scan_holdings,
    settle,
)
from optimist.stf.notes import Filled
from optimist.stf.open_interest import get_open_interest
from optimist.stf.orders import (
    Order,
    check_signature,
    check_terms,
    compute_order_length,
    read_depth,
    read_order,
    use_order,
)
from optimist.stf.positions import Fill, change_position, compute_quote, set_fill
from optimist.stf.records import (
    Account,
    AccountId,
    Group,
    InputOffset,
    Listing,
    Market,
    Parameters,
    Price,
    RiskRule,
    System,
)
from optimist.stf.tiers import MarginSchedule, load_schedule


@handler
def apply_trade(system: System) -> None:
    """Fill both orders, or neither. The taker comes first: its fee is what a maker's rebate is paid from."""
    taker_at = TRADE_MAKER_AT + compute_order_length(read_depth(TRADE_MAKER_AT))
    require(input_length() == taker_at + compute_order_length(read_depth(taker_at)), Code.MALFORMED)
    parameters = peek(Parameters, 0)
    market_id = input_uint(TRADE_MARKET_AT, 2)
    require(market_id < parameters.markets, Code.UNKNOWN_MARKET)
    require(
        is_price_fresh(peek(Price, market_id), system.clock, parameters.trade_heartbeat), Code.PRICE_STALE
    )
    maker = input_uint(TRADE_MAKER_AT + ORDER_ACCOUNT_AT, 5)
    taker = input_uint(taker_at + ORDER_ACCOUNT_AT, 5)
    require(maker < ACCOUNT_LIMIT and taker < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    require(peek(Account, maker).owner != peek(Account, taker).owner, Code.SELF_TRADE)
    maker_side = input_uint(TRADE_MAKER_AT + ORDER_IS_BUY_AT, 1)
    taker_side = input_uint(taker_at + ORDER_IS_BUY_AT, 1)
    require(maker_side != taker_side, Code.SAME_SIDE)

    group_id = peek(Listing, market_id).group
    group = load(Group, group_id)
    fill = zero(Fill)
    read_fill(fill, market_id)
    schedule = zero(MarginSchedule)
    load_schedule(schedule, market_id, peek(Price, market_id).mark)
    open_interest = get_open_interest(market_id)
    note_fill(market_id, fill.price, peek(Price, market_id).confirmed, system.clock)
    taker_fee, taker_ends = apply_side(system, group, fill, schedule, taker_at, False, 0)
    maker_fee, maker_ends = apply_side(system, group, fill, schedule, TRADE_MAKER_AT, True, max(taker_fee, 0))
    bound = max(open_interest, peek(RiskRule, market_id).max_open_interest)
    require(get_open_interest(market_id) <= bound, Code.OPEN_INTEREST_BOUND)
    if fill.size % peek(Market, market_id).lot != 0:
        require(taker_ends or maker_ends, Code.FILL_SIZE)
    add_to_fund(group, taker_fee + maker_fee + fill.cost - fill.proceeds)
    store(group_id, group)


def read_fill(fill: Fill, market_id: u8) -> None:
    """Read size and price. Rejects a size of 0, and a price out of bounds."""
    size = fit(u62, input_uint(TRADE_SIZE_AT, 8), Code.FILL_SIZE)
    require(size != 0, Code.FILL_SIZE)
    price = input_uint(TRADE_PRICE_AT, 8)
    require(0 < price <= MAX_PRICE, Code.FILL_PRICE)
    set_fill(fill, market_id, size, price)


def apply_side(
    system: System,
    group: Group,
    fill: Fill,
    schedule: MarginSchedule,
    offset: InputOffset,
    is_maker: bool,
    most_rebate: u128,
) -> tuple[i64, bool]:
    """One order's side of the fill: check the order, move collateral and position, check margin.

    `schedule`: of the market, with its open interest before the fill, so that both sides are judged alike.
    Returns the fee that was paid (negative: a rebate), and whether the order was reduce-only and has closed
    its position: only such a fill may be no multiple of the lot, since what is left over must be able to go.
    """
    order = zero(Order)
    read_order(order, offset, fill.market)
    account_id = fit(AccountId, order.account, Code.UNKNOWN_ACCOUNT)
    account = load(Account, account_id)
    fee_ppm = get_fee(fill.market, account.fee_tier, is_maker)
    check_terms(order, fill, is_maker, fee_ppm, system.clock)
    use_order(account_id, order, account.order_floor, fill.size)
    check_signature(order, offset, account, system.domain, system.clock)

    market = peek(Market, fill.market)
    price = peek(Price, fill.market)
    holdings = zero(Holdings)
    heartbeat = peek(Parameters, 0).trade_heartbeat
    scan_holdings(holdings, account_id, fill.market + 1, system.clock, heartbeat)
    require(holdings.is_fresh, Code.PRICE_STALE)
    settle(group, account, holdings, fill.market)
    before = zero(Margin)
    compute_margin(before, holdings, schedule, account.collateral, holdings.parts, market, price)

    parts = change_position(account_id, holdings, fill, order.is_buy)
    if order.reduce_only:
        require(is_reduced(holdings.parts, parts), Code.REDUCE_ONLY)
    paid = account.collateral + compute_quote(fill, order.is_buy)
    account.collateral = fit(i64, paid, Code.COLLATERAL_BOUND)
    after = zero(Margin)
    compute_margin(after, holdings, schedule, account.collateral, parts, market, price)
    full_fee = compute_fee(fill, fee_ppm, most_rebate)
    fee = compute_capped_fee(before, after, holdings.parts, parts, full_fee)
    account.collateral = fit(i64, account.collateral - fee, Code.COLLATERAL_BOUND)
    after.value = fit(i112, after.value - fee, Code.VALUE_BOUND)
    # INVARIANT: an account below its initial margin may only improve.
    require(is_allowed(before, after, holdings.parts, parts), Code.BELOW_INITIAL_MARGIN)
    store(account_id, account)
    note(
        Filled(
            account=account_id,
            market=fill.market,
            size=fill.size if order.is_buy else -fill.size,
            price=fill.price,
            quote=-fill.cost if order.is_buy else fill.proceeds,
            fee=fee,
            is_maker=is_maker,
        )
    )
    return fit(i64, fee, Code.COLLATERAL_BOUND), order.reduce_only and parts == 0

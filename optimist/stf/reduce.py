"""Forced REDUCE: an owner closes a position, or a part of it, past the sequencer, against the backstop.

The price is the law's: the mark, if it is at least as good as the limit that the owner names. The fee is the
taker's of his tier, capped as every fee of a reduction. So who is shut out of the order book can still get
out of the market, as far as the backstop's own margin allows.

Prices must be fresh at the clock, as for a liquidation, and in a public batch too. If it were enough that
they were when the input was enqueued, a sequencer could withhold prices, or play dead, and let a friend close
at yesterday's price or not, as he likes by then.
"""

from optimist.provable import (
    fit,
    i64,
    input_uint,
    load,
    note,
    peek,
    store,
    u16,
    u40,
    u64,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, DONE, MAX_COLLATERAL, MAX_SIZE, ONE
from optimist.stf.fees import compute_capped_fee, compute_fee, get_fee
from optimist.stf.freshness import is_price_fresh
from optimist.stf.group import add_to_fund, get_backstop, get_group
from optimist.stf.inputs import FORCED_REDUCE_LIMIT_AT, FORCED_REDUCE_MARKET_AT
from optimist.stf.liquidation import compute_whole, take_over
from optimist.stf.margin import Holdings, Margin, compute_margin, is_allowed, scan_holdings, settle
from optimist.stf.notes import Filled
from optimist.stf.positions import Fill, change_position, compute_quote, compute_target, set_fill
from optimist.stf.records import (
    Account,
    AccountId,
    ForcedOutcome,
    Group,
    Market,
    MarketId,
    Parameters,
    Parts,
    Price,
    System,
)
from optimist.stf.sides import compute_unit, round_position
from optimist.stf.tiers import MarginSchedule, load_schedule


def force_reduce(system: System, wanted: ForcedOutcome) -> u16:
    """Close up to `wanted.amount` units of a position of the sender's account; DONE, or the Code why not."""
    account_id = wanted.account
    if account_id >= ACCOUNT_LIMIT:
        return Code.UNKNOWN_ACCOUNT
    owner = peek(Account, account_id).owner
    if owner == 0:
        return Code.UNKNOWN_ACCOUNT
    if owner != wanted.sender:
        return Code.NOT_OWNER
    if account_id == get_backstop(get_group(account_id)):
        return Code.BACKSTOP_ITSELF
    market_id = input_uint(FORCED_REDUCE_MARKET_AT, 2)
    if market_id >= peek(Parameters, 0).markets:
        return Code.UNKNOWN_MARKET
    if wanted.amount == 0:
        return Code.AMOUNT_ZERO
    return reduce_position(account_id, market_id, wanted.amount, system.clock)


def reduce_position(account_id: AccountId, market_id: MarketId, most: u64, now: u40) -> u16:
    """The same for an account and a market that exist, with prices that are fresh at `now`."""
    heartbeat = peek(Parameters, 0).liquidation_heartbeat
    backstop_id = get_backstop(get_group(account_id))
    price = peek(Price, market_id)
    holdings = zero(Holdings)
    scan_holdings(holdings, backstop_id, market_id + 1, now, heartbeat)
    is_fresh = holdings.is_fresh and is_price_fresh(price, now, heartbeat)
    scan_holdings(holdings, account_id, market_id + 1, now, heartbeat)
    if holdings.parts == 0:
        return Code.NO_POSITION
    if not (is_fresh and holdings.is_fresh):
        return Code.PRICE_STALE
    limit = input_uint(FORCED_REDUCE_LIMIT_AT, 8)
    is_buy = holdings.parts < 0
    if (price.mark > limit) if is_buy else (price.mark < limit):
        return Code.LIMIT_PRICE
    size = min(most, compute_whole(holdings.parts))
    if size == 0:
        return Code.NO_POSITION
    fill = zero(Fill)
    set_fill(fill, market_id, size, price.mark)
    return close_against_backstop(account_id, holdings, fill, now)


def close_against_backstop(account_id: AccountId, holdings: Holdings, fill: Fill, now: u40) -> u16:
    """Settle a fill at the mark between an account and its backstop, if the margins of both allow it."""
    market = peek(Market, fill.market)
    price = peek(Price, fill.market)
    is_buy = holdings.parts < 0
    settled = peek(Account, account_id).collateral + holdings.owed // compute_unit(market.notional_divisor)
    paid = settled + compute_quote(fill, is_buy)
    if max(abs(settled), abs(paid)) > MAX_COLLATERAL:
        return Code.COLLATERAL_BOUND
    held = fit(i64, settled, Code.COLLATERAL_BOUND)
    left = fit(i64, paid, Code.COLLATERAL_BOUND)
    schedule = zero(MarginSchedule)
    load_schedule(schedule, fill.market, price.mark)
    before = zero(Margin)
    compute_margin(before, holdings, schedule, held, holdings.parts, market, price)
    # Alone on its side or together with the backstop: what is left is rounded to shares differently.
    # It lies between 0 and the position: the bounds only say so to the compiler.
    target = max(min(compute_target(holdings, fill, is_buy), MAX_SIZE * ONE), -MAX_SIZE * ONE)
    alone = round_position(fill.market, holdings.shares, target)
    together = round_position(fill.market, 0, target)
    if not (
        may_become(before, holdings, schedule, left, alone, market, price)
        and may_become(before, holdings, schedule, left, together, market, price)
    ):
        return Code.BELOW_INITIAL_MARGIN
    group = load(Group, get_group(account_id))
    verdict = take_over(now, group, schedule, fill, not is_buy, 0)
    if verdict != DONE:
        return verdict
    close_position(group, account_id, before, holdings, schedule, fill)
    store(get_group(account_id), group)
    return DONE


def may_become(
    before: Margin,
    holdings: Holdings,
    schedule: MarginSchedule,
    collateral: i64,
    parts: Parts,
    market: Market,
    price: Price,
) -> bool:
    """True if an account may reduce its position to `parts`, without a fee, and be left with `collateral`."""
    after = zero(Margin)
    compute_margin(after, holdings, schedule, collateral, parts, market, price)
    return is_allowed(before, after, holdings.parts, parts)


def close_position(
    group: Group,
    account_id: AccountId,
    before: Margin,
    holdings: Holdings,
    schedule: MarginSchedule,
    fill: Fill,
) -> None:
    """The account's side of the fill; its fee never undoes what `may_become` found."""
    market = peek(Market, fill.market)
    account = load(Account, account_id)
    is_buy = holdings.parts < 0
    settle(group, account, holdings, fill.market)
    parts = change_position(account_id, holdings, fill, is_buy)
    paid = fit(i64, account.collateral + compute_quote(fill, is_buy), Code.COLLATERAL_BOUND)
    after = zero(Margin)
    compute_margin(after, holdings, schedule, paid, parts, market, peek(Price, fill.market))
    full_fee = compute_fee(fill, get_fee(fill.market, account.fee_tier, False), 0)
    fee = compute_capped_fee(before, after, holdings.parts, parts, full_fee)
    account.collateral = fit(i64, paid - fee, Code.COLLATERAL_BOUND)
    store(account_id, account)
    add_to_fund(group, fee + fill.cost - fill.proceeds)
    note(
        Filled(
            account=account_id,
            market=fill.market,
            size=fill.size if is_buy else -fill.size,
            price=fill.price,
            quote=-fill.cost if is_buy else fill.proceeds,
            fee=fee,
            is_maker=False,
        )
    )

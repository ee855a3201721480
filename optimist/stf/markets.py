"""The rules of a market: read from the bytes that state them, checked, written.

The checks make the rest of the law safe: no notional overflows a sum, no fee keeps an account that cannot be
liquidated yet from reducing, no requirement falls when a position grows.
"""

from optimist.provable import fit, input_uint, load, peek, require, store, u8, u16, u64
from optimist.stf.codes import Code
from optimist.stf.constants import (
    BACKSTOP,
    BILLION,
    MAX_FUNDING_RATE,
    MAX_GROUPS,
    MAX_NOTIONAL,
    MAX_NOTIONAL_DIVISOR,
    MAX_PRICE,
    MAX_SIZE,
    MAX_SIZE_DECIMALS,
    MAX_TIERS,
    ONE,
    PPM,
    TIER_BITS,
)
from optimist.stf.group import get_backstop
from optimist.stf.inputs import (
    MARKET_DAMPER_AT,
    MARKET_GAP_SECONDS_AT,
    MARKET_GROUP_AT,
    MARKET_HALT_AT,
    MARKET_HALT_SECONDS_AT,
    MARKET_INITIAL_MARGIN_AT,
    MARKET_INTEREST_AT,
    MARKET_LIQUIDATION_PENALTY_AT,
    MARKET_LOT_AT,
    MARKET_MAINTENANCE_MARGIN_AT,
    MARKET_MAKER_FEE_AT,
    MARKET_MARK_CAP_AT,
    MARKET_MAX_OPEN_INTEREST_AT,
    MARKET_MAX_POSITION_AT,
    MARKET_MAX_PREMIUM_AT,
    MARKET_MAX_RATE_AT,
    MARKET_OPEN_INTEREST_LOWER_AT,
    MARKET_OPEN_INTEREST_UPPER_AT,
    MARKET_SIZE_DECIMALS_AT,
    MARKET_SMOOTHING_AT,
    MARKET_STEP_AT,
    MARKET_TAKER_FEE_AT,
    MARKET_TIERS_AT,
    MARKET_VOLATILITY_HORIZON_AT,
    MARKET_VOLATILITY_MULTIPLIER_AT,
    MARKET_VOLATILITY_SAMPLE_AT,
    MARKET_VOLATILITY_WINDOW_AT,
    TIER_FROM_AT,
    TIER_INITIAL_MARGIN_AT,
    TIER_LENGTH,
    TIER_MAINTENANCE_MARGIN_AT,
)
from optimist.stf.records import (
    Account,
    FeeTier,
    FundingRule,
    Listing,
    MarginTier,
    Market,
    MarketId,
    NotionalDivisor,
    Ppm,
    PriceRule,
    RiskRule,
    Side,
)
from optimist.stf.sides import get_side_row


def set_market_rules(market_id: MarketId, offset: u16) -> None:
    """Write all rules of a market from the bytes at `offset`. Rejects what would make the law unsafe."""
    set_market(market_id, offset)
    set_tiers(market_id, offset)
    set_price_rule(market_id, offset)
    set_funding_rule(market_id, offset)
    set_risk_rule(market_id, offset)
    set_listing(market_id, offset)


def set_listing(market_id: MarketId, offset: u16) -> None:
    """The risk group of a market."""
    group_id = input_uint(offset + MARKET_GROUP_AT, 1)
    require(group_id < MAX_GROUPS, Code.BAD_MARKETS)
    store(market_id, Listing(group=group_id))


def open_market(market_id: MarketId) -> None:
    """Open the backstop of a new market's group, and let both sides begin: a share is a unit of size.

    All backstops have one owner, and no money before it is deposited or transferred.
    """
    backstop_id = get_backstop(peek(Listing, market_id).group)
    backstop = load(Account, backstop_id)
    backstop.owner = peek(Account, BACKSTOP).owner
    store(backstop_id, backstop)
    side = Side(shares=0, multiplier=ONE, index=0, epoch=0)
    store(get_side_row(market_id, False), side)
    store(get_side_row(market_id, True), side)


def set_market(market_id: MarketId, offset: u16) -> None:
    """0 < maintenance <= initial <= 100 %; fees and penalty at most the maintenance margin.

    The last means that whoever cannot be liquidated yet may reduce at the last price and pay all of it: TV
    falls by at most mmf * N and MMR by just that, which cannot lower TV / MMR while it is 1 or more. Whoever
    is worse off reduces too: `fees.py` caps what he pays.
    """
    decimals = input_uint(offset + MARKET_SIZE_DECIMALS_AT, 1)
    lot = input_uint(offset + MARKET_LOT_AT, 8)
    initial = input_uint(offset + MARKET_INITIAL_MARGIN_AT, 4)
    maintenance = input_uint(offset + MARKET_MAINTENANCE_MARGIN_AT, 4)
    maker_fee = input_uint(offset + MARKET_MAKER_FEE_AT, 4)
    taker_fee = input_uint(offset + MARKET_TAKER_FEE_AT, 4)
    penalty = input_uint(offset + MARKET_LIQUIDATION_PENALTY_AT, 4)
    max_position = input_uint(offset + MARKET_MAX_POSITION_AT, 8)
    require(decimals <= MAX_SIZE_DECIMALS and max_position <= MAX_SIZE, Code.BAD_MARKETS)
    require(0 < lot <= max_position, Code.BAD_MARKETS)
    divisor = compute_divisor(decimals)
    require(max_position * MAX_PRICE < MAX_NOTIONAL * divisor, Code.BAD_MARKETS)
    require(initial <= PPM and 0 < maintenance <= initial, Code.BAD_MARGIN)
    require(maker_fee <= maintenance and taker_fee <= maintenance and penalty <= maintenance, Code.BAD_FEE)
    market = Market(
        notional_divisor=divisor,
        lot=lot,
        initial_margin_ppm=initial,
        maintenance_margin_ppm=maintenance,
        liquidation_penalty_ppm=penalty,
        max_position=max_position,
    )
    store(market_id, market)
    store(market_id << TIER_BITS, FeeTier(is_listed=1, maker_ppm=maker_fee, taker_ppm=taker_fee))


def set_tiers(market_id: MarketId, offset: u16) -> None:
    """Each tier begins above the one before and asks at least as much, 0 < maintenance <= initial <= 100 %.

    Fewer than three: the others are zeros and come last.
    """
    before: u64 = 0
    initial: Ppm = peek(Market, market_id).initial_margin_ppm
    maintenance: Ppm = peek(Market, market_id).maintenance_margin_ppm
    is_last = False
    for i in range(1, MAX_TIERS):
        at = offset + MARKET_TIERS_AT + (i - 1) * TIER_LENGTH
        begins = input_uint(at + TIER_FROM_AT, 8)
        tier = MarginTier(
            from_notional=begins,
            initial_margin_ppm=fit(Ppm, input_uint(at + TIER_INITIAL_MARGIN_AT, 4), Code.BAD_TIERS),
            maintenance_margin_ppm=fit(Ppm, input_uint(at + TIER_MAINTENANCE_MARGIN_AT, 4), Code.BAD_TIERS),
        )
        if begins == 0:
            is_last = True
            require(tier.initial_margin_ppm == 0 and tier.maintenance_margin_ppm == 0, Code.BAD_TIERS)
        else:
            require(not is_last and begins > before, Code.BAD_TIERS)
            require(tier.initial_margin_ppm >= initial, Code.BAD_TIERS)
            require(maintenance <= tier.maintenance_margin_ppm <= tier.initial_margin_ppm, Code.BAD_TIERS)
            before = begins
            initial = tier.initial_margin_ppm
            maintenance = tier.maintenance_margin_ppm
        store(market_id << TIER_BITS | i, tier)


def set_price_rule(market_id: MarketId, offset: u16) -> None:
    """0 < step <= halt <= 100 %: at 100 % a price may fall to anything, and double, without a halt."""
    step = input_uint(offset + MARKET_STEP_AT, 4)
    halt = input_uint(offset + MARKET_HALT_AT, 4)
    gap_seconds = input_uint(offset + MARKET_GAP_SECONDS_AT, 4)
    require(halt <= PPM and 0 < step <= halt, Code.BAD_PRICE_RULE)
    require(gap_seconds > 0, Code.BAD_PRICE_RULE)
    rule = PriceRule(
        step_ppm=step,
        halt_ppm=halt,
        halt_seconds=input_uint(offset + MARKET_HALT_SECONDS_AT, 4),
        gap_seconds=gap_seconds,
    )
    store(market_id, rule)


def set_funding_rule(market_id: MarketId, offset: u16) -> None:
    """Rates at most 4 % an hour, fractions at most 100 %."""
    interest = input_uint(offset + MARKET_INTEREST_AT, 4)
    damper = input_uint(offset + MARKET_DAMPER_AT, 4)
    max_rate = input_uint(offset + MARKET_MAX_RATE_AT, 4)
    max_premium = input_uint(offset + MARKET_MAX_PREMIUM_AT, 4)
    smoothing_seconds = input_uint(offset + MARKET_SMOOTHING_AT, 4)
    require(interest <= BILLION and damper <= BILLION, Code.BAD_FUNDING_RULE)
    require(max_rate <= MAX_FUNDING_RATE and max_premium <= BILLION, Code.BAD_FUNDING_RULE)
    require(smoothing_seconds > 0, Code.BAD_FUNDING_RULE)
    rule = FundingRule(
        interest=interest,
        damper=damper,
        max_rate=max_rate,
        max_premium=max_premium,
        smoothing_seconds=smoothing_seconds,
    )
    store(market_id, rule)


def set_risk_rule(market_id: MarketId, offset: u16) -> None:
    """A cap that leaves room for something; a range of open interest, or zeros; a cap of the mark.

    A volatility multiplier of 0 wants no horizon and no window. No sample is longer than the window.
    """
    cap = input_uint(offset + MARKET_MAX_OPEN_INTEREST_AT, 8)
    lower = input_uint(offset + MARKET_OPEN_INTEREST_LOWER_AT, 8)
    upper = input_uint(offset + MARKET_OPEN_INTEREST_UPPER_AT, 8)
    require(0 < cap <= MAX_SIZE, Code.BAD_OPEN_INTEREST)
    require(lower < upper or (lower == 0 and upper == 0), Code.BAD_OPEN_INTEREST)
    mark_cap = input_uint(offset + MARKET_MARK_CAP_AT, 4)
    require(mark_cap <= PPM, Code.BAD_MARK_RULE)
    multiplier = input_uint(offset + MARKET_VOLATILITY_MULTIPLIER_AT, 4)
    horizon = input_uint(offset + MARKET_VOLATILITY_HORIZON_AT, 4)
    window = input_uint(offset + MARKET_VOLATILITY_WINDOW_AT, 4)
    sample = input_uint(offset + MARKET_VOLATILITY_SAMPLE_AT, 4)
    require(multiplier == 0 or (horizon > 0 and window > 0), Code.BAD_VOLATILITY_RULE)
    require(sample <= window, Code.BAD_VOLATILITY_RULE)
    rule = RiskRule(
        max_open_interest=cap,
        open_interest_lower=lower,
        open_interest_upper=upper,
        mark_cap_ppm=mark_cap,
        volatility_multiplier_ppm=multiplier,
        volatility_horizon=horizon,
        volatility_window=window,
        volatility_sample=sample,
    )
    store(market_id, rule)


def compute_divisor(size_decimals: u8) -> NotionalDivisor:
    """10^(size decimals + 2), which turns 10^-(size decimals) * 1e-8 USD into 1e-6 USD."""
    divisor: NotionalDivisor = 100
    for _ in range(min(size_decimals, MAX_SIZE_DECIMALS)):
        divisor = min(10 * divisor, MAX_NOTIONAL_DIVISOR)
    return divisor

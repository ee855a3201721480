"""Records of the state, read from outside of the law: for checks at the door and for answers to clients."""

from typing import Any, TypeVar, cast

from optimist.derive.typed_data import Order
from optimist.node.what_if import compute_size_decimals
from optimist.provable import Rejected, State, zero
from optimist.stf.codes import Code
from optimist.stf.constants import MAX_MARKETS, MAX_TIERS, ONE, SLOT_BITS, TIER_BITS
from optimist.stf.records import (
    Account,
    FeeManager,
    FeeTier,
    Funding,
    Governance,
    Group,
    Listing,
    MarginTier,
    Market,
    OracleSigner,
    OrderSlot,
    Position,
    Price,
    RiskRule,
    SessionKey,
    Side,
    System,
    Volatility,
    WindDown,
)
from optimist.stf.sides import Share, compute_unit, get_side_row, measure

R = TypeVar("R")
PRICE_STATUS = ("confirmed", "unconfirmed", "halted")


def get_record(state: State, kind: type[R], row: int) -> R:
    """The record at `row` of the table of `kind`, not to be changed; all fields zero when absent."""
    return state.read(kind, row)


def get_account(state: State, account: int) -> Account:
    """An account; owner 0 when it does not exist."""
    return get_record(state, Account, account)


def account_key(account: int) -> int:
    """The key of an account's record in the state."""
    typed = cast("Any", Account)
    return int(typed.record_base) + account


def get_market(state: State, market: int) -> Market:
    """A market; lot 0 when it does not exist."""
    return get_record(state, Market, market)


def get_oracle_signer(state: State, index: int) -> int:
    """The address of an oracle key; 0 when there is none of this index."""
    return int(get_record(state, OracleSigner, index).signer)


def get_session_key(state: State, account: int, index: int) -> SessionKey:
    """A session key of an account, index 1 to 15; key 0 when there is none."""
    return get_record(state, SessionKey, account << SLOT_BITS | index)


def get_fee_manager(state: State) -> int:
    """The address that may list fee tiers; 0 when nobody may."""
    return int(get_record(state, FeeManager, 0).manager)


def get_governor(state: State) -> int:
    """The address that may propose rules of markets; 0 when nobody may."""
    return int(get_record(state, Governance, 0).governor)


def get_silence(state: State) -> int:
    """Seconds of silence after which the law calls a market dead."""
    return int(get_record(state, WindDown, 0).silence)


def get_position_size(state: State, account: int, market: int) -> int:
    """Size of an account's position in a market, in units, after all deleveraging; 0 when it has none."""
    for slot in range(1 << SLOT_BITS):
        position = get_record(state, Position, account << SLOT_BITS | slot)
        if position.market_plus_one == market + 1:
            return compute_size(state, position)
    return 0


def find_stale_markets(state: State, second: int) -> list[int]:
    """Markets whose newest price is older than `second`."""
    return [market for market in range(MAX_MARKETS) if is_stale(state, market, second)]


def is_stale(state: State, market: int, second: int) -> bool:
    """Whether there is such a market, and its newest price is older than `second`."""
    price = get_record(state, Price, market)
    return price.publish_time < second and get_market(state, market).lot != 0


def find_cancellation(state: State, account: int, slot: int, nonce: int) -> int:
    """The code with which the law refuses every order of this slot and nonce; 0 when they are alive."""
    if nonce < get_account(state, account).order_floor:
        return Code.ORDER_CANCELLED
    used = get_record(state, OrderSlot, account << SLOT_BITS | slot & (1 << SLOT_BITS) - 1)
    return Code.ORDER_NONCE if nonce < used.nonce else 0


def find_filled(state: State, order: Order) -> int:
    """How much of a signed order the law has counted as filled so far, in the market's units."""
    row = order.account << SLOT_BITS | order.slot & (1 << SLOT_BITS) - 1
    used = get_record(state, OrderSlot, row)
    return int(used.filled) if used.nonce == order.nonce else 0


def describe_account(state: State, account: int, slots: int) -> dict[str, Any]:
    """An account and its positions in `slots` slots; amounts as decimal strings."""
    found = get_account(state, account)
    positions = [get_record(state, Position, account << SLOT_BITS | slot) for slot in range(slots)]
    return {
        "account": account,
        "owner": f"0x{found.owner:040x}",
        "collateral": str(found.collateral),
        "nonce": str(found.nonce),
        "orderFloor": str(found.order_floor),
        "feeTier": found.fee_tier,
        "positions": [
            {
                "market": position.market_plus_one - 1,
                "size": str(compute_size(state, position)),
                "funding": str(compute_unpaid(state, position)),
            }
            for position in positions
            if position.market_plus_one
        ],
    }


def measure_position(state: State, position: Position) -> Share:
    """What a position is now, after all deleveraging, and what its side owes it: the law's own answer."""
    share = zero(Share)

    def ask() -> None:
        measure(share, position, position.market_plus_one - 1)

    receipt = state.apply(ask, b"")
    if receipt.rejected:
        raise Rejected(receipt.code)
    return share


def compute_size(state: State, position: Position) -> int:
    """Signed size in units: what is left is rounded down, of a short up."""
    return measure_position(state, position).parts // ONE


def compute_unpaid(state: State, position: Position) -> int:
    """What its side owes a position (negative: it has to pay), 1e-6 USD, rounded down as the law does.

    Funding, and the quote of what was deleveraged.
    """
    divisor = get_market(state, position.market_plus_one - 1).notional_divisor
    return measure_position(state, position).owed // compute_unit(divisor)


def get_tiers(state: State, market: int) -> list[MarginTier]:
    """The tiers of a market beyond the first one."""
    tiers = [get_record(state, MarginTier, market << TIER_BITS | i) for i in range(1, MAX_TIERS)]
    return [tier for tier in tiers if tier.from_notional]


def describe_market(state: State, market: int) -> dict[str, Any]:
    """A market's parameters, its last price and its funding rate (1e-9 an hour; positive: longs pay)."""
    found = get_market(state, market)
    funding = get_record(state, Funding, market)
    fees = get_record(state, FeeTier, market << TIER_BITS)
    return {
        "market": market,
        "sizeDecimals": compute_size_decimals(found.notional_divisor),
        "lot": str(found.lot),
        "initialMarginPpm": found.initial_margin_ppm,
        "maintenanceMarginPpm": found.maintenance_margin_ppm,
        "tiers": [
            {
                "fromNotional": str(tier.from_notional),
                "initialMarginPpm": tier.initial_margin_ppm,
                "maintenanceMarginPpm": tier.maintenance_margin_ppm,
            }
            for tier in get_tiers(state, market)
        ],
        "maxOpenInterest": str(get_record(state, RiskRule, market).max_open_interest),
        "volatilityFloorPpm": get_record(state, Volatility, market).floor_ppm,
        "makerFeePpm": fees.maker_ppm,
        "takerFeePpm": fees.taker_ppm,
        **describe_prices(state, market),
        "fundingRate": str(funding.rate),
        "group": get_record(state, Listing, market).group,
        "openInterest": str(compute_open_interest(state, market)),
    }


def describe_prices(state: State, market: int) -> dict[str, Any]:
    """A market's last price (the index) and its mark, 1e-8 USD, and whether they are to be believed."""
    price = get_record(state, Price, market)
    return {
        "price": str(price.price),
        "mark": str(price.mark),
        "publishTime": price.publish_time,
        "priceStatus": PRICE_STATUS[price.status],
    }


def describe_funding(state: State, market: int) -> dict[str, Any]:
    """A market's funding rate (1e-9 an hour; positive: longs pay), and up to when it has been paid."""
    funding = get_record(state, Funding, market)
    return {"fundingRate": str(funding.rate), "accruedAt": funding.accrued_at}


def compute_open_interest(state: State, market: int) -> int:
    """Sum of all long sizes, in units, rounded down."""
    longs = get_record(state, Side, get_side_row(market, False))
    return longs.shares * longs.multiplier // ONE


def describe_group(state: State, group: int) -> dict[str, Any]:
    """A risk group: its fund (below 0: a loss that nobody carries yet), and what was paid in, 1e-6 USD."""
    found = get_record(state, Group, group)
    return {"group": group, "fund": str(found.fund), "money": str(found.money)}


def get_system(state: State) -> System:
    """What the law remembers about itself."""
    return get_record(state, System, 0)

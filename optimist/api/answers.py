"""The shape of every answer, as `docs/openapi.json` tells it; tests hold real answers against it."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from optimist.api.fields import Decimal

SignedDecimal = str  # decimal digits, perhaps behind a minus
Level = Annotated[list[Decimal], Meta(min_length=2, max_length=2)]  # price, size


class Answer(Struct, rename="camel", forbid_unknown_fields=True):
    """Base of all of them."""


class Voided(Answer):
    """The last time that confirmed inputs lost their batch: where, how many, and how many the law refused."""

    batch: int
    inputs: int
    lost: int


class Status(Answer):
    """Heads, backlog, readiness. `reason`: why no actions are taken, empty when they are.

    `marketsWithoutFreshPrice`: those that wait for a price from after the sequencer's start.
    """

    ready: bool
    reason: str
    second: int
    l1_silence: float
    soft_inputs: int
    soft_history: str
    open_batch: int | None
    sealed_batch: int
    posted_batch: int
    unposted: int
    unposted_bytes: int
    voided: Voided | None
    queue_next: int
    queue_length: int
    markets_without_fresh_price: list[int]


class Network(Answer):
    """What a client needs to sign."""

    chain_id: int
    vault: str
    preset: str
    image_root: str


class Tier(Answer):
    """From this notional value on (1e-6 USD), a larger margin."""

    from_notional: Decimal
    initial_margin_ppm: int
    maintenance_margin_ppm: int


class Market(Answer):
    """A market: sizes in 10^-sizeDecimals, prices in 1e-8 USD, the funding rate in 1e-9 an hour."""

    market: int
    size_decimals: int
    lot: Decimal
    initial_margin_ppm: int
    maintenance_margin_ppm: int
    tiers: list[Tier]
    max_open_interest: Decimal
    volatility_floor_ppm: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    price: Decimal
    mark: Decimal
    publish_time: int
    price_status: Literal["confirmed", "unconfirmed", "halted"]
    funding_rate: SignedDecimal
    group: int
    open_interest: Decimal


class MarketAndBook(Market):
    """The same with every resting order: price, size left."""

    bids: list[Level]
    asks: list[Level]


class Markets(Answer):
    """All markets."""

    markets: list[Market]


class Book(Answer):
    """Sums by price, best first."""

    market: int
    bids: list[Level]
    asks: list[Level]


class Trade(Answer):
    """`number`: sequenced inputs up to and with it; `side`: the taker's."""

    number: int
    second: int
    side: Literal["buy", "sell"]
    price: Decimal
    size: Decimal


class Trades(Answer):
    """The newest trades of a market, oldest first."""

    market: int
    trades: list[Trade]


class Position(Answer):
    """Signed size; `funding`: what its side owes it (negative: it has to pay), 1e-6 USD."""

    market: int
    size: SignedDecimal
    funding: SignedDecimal


class Account(Answer):
    """An account; collateral in 1e-6 USD. Orders with a nonce below `orderFloor` are dead."""

    account: int
    owner: str
    collateral: SignedDecimal
    nonce: Decimal
    order_floor: Decimal
    fee_tier: int
    positions: list[Position]


class RestingOrder(Answer):
    """An order in a book."""

    order_id: str
    market: int
    is_buy: bool
    price: Decimal
    size: Decimal
    remaining: Decimal
    slot: int
    nonce: Decimal
    expiry: int
    reduce_only: bool


class Orders(Answer):
    """The resting orders of an account; `deadMan`: the second at which they go, 0 for never."""

    account: int
    orders: list[RestingOrder]
    dead_man: int


class HistoryEntry(Answer):
    """What the law noted of one input."""

    place: str
    second: int
    notes: list[dict[str, Any]]


class History(Answer):
    """A page of an account's history; `next`: behind which to go on, null at the end."""

    account: int
    entries: list[HistoryEntry]
    next: str | None


class Worth(Answer):
    """What an account is worth and must be worth, 1e-6 USD."""

    collateral: SignedDecimal
    value: SignedDecimal
    maintenance: Decimal
    initial: Decimal
    state: str


class LiquidationPrice(Answer):
    """The nearest marks (1e-8 USD) below and above the present one at which the account is liquidatable."""

    market: int
    price: Decimal
    below: Decimal | None
    above: Decimal | None


class Prospect(Answer):
    """An account before and after a trade; `code`: why the law would refuse it, else 0."""

    account: int
    code: int
    before: Worth
    after: Worth
    notes: list[dict[str, Any]]
    liquidation_prices: list[LiquidationPrice]


class Counts(Answer):
    """Inputs that are soft, posted, claimed, final."""

    soft: int
    posted: int
    claimed: int
    final: int


class InputStage(Answer):
    """How far an input has come. `hash`: null for one that is not recent."""

    number: int
    hash: str | None
    stage: Literal["soft", "posted", "claimed", "final"]
    counts: Counts

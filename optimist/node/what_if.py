"""What would become of an account: the law itself, asked on a fork of the state. Pure.

A hypothetical trade is a whole TRADE input. Both signatures in it are made up, and the copy is told that they
are good, as a worker tells the law of signatures that it has checked (`State.signatures`); the counterparty
is a rich account that exists in the copy alone. So fees, margins, caps and bounds are those of the law, and a
trade that it would reject is rejected here with the same code.

Every answer is as if all prices were fresh and confirmed. A hypothetical price is a mark
price that the index, and what the perpetual costs elsewhere, agree with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from optimist.derive.actions import Sequenced, SignedOrder, Trade
from optimist.derive.typed_data import Order, Signature
from optimist.node.receipts import Note, describe_note, select_notes
from optimist.provable import Rejected, State, peek, zero
from optimist.provable.intrinsics import eip712_digest
from optimist.prove.law import Law
from optimist.stf.constants import MAX_COLLATERAL, MAX_PRICE, PERPETUAL_FEED, PRICE_CONFIRMED, SLOT_BITS
from optimist.stf.records import Market

MADE_UP: Final = Signature(27, 1, 1)
SOMEBODY: Final = 1  # address of the counterparty's owner
NEVER: Final = (1 << 40) - 1  # the last second of an order that does not expire
LAST_NONCE: Final = (1 << 64) - 1  # no order that was signed before is newer


class UnknownToTheLaw(LookupError):
    """There is no such account or market, or no price of a market yet."""


@dataclass(frozen=True, slots=True)
class HypotheticalTrade:
    """A fill as taker: signed size (10^-(size decimals)), price in 1e-8 USD."""

    market: int
    size: int
    price: int


@dataclass(frozen=True, slots=True)
class Health:
    """In 1e-6 USD, rounded by the law. `state`: healthy, reduce-only, liquidatable, close-out or bankrupt."""

    collateral: int
    value: int
    maintenance: int
    initial: int
    state: str

    @property
    def is_liquidatable(self) -> bool:
        """Whether anybody may have it liquidated."""
        return self.value < self.maintenance


@dataclass(frozen=True, slots=True)
class LiquidationPrice:
    """Where, if no other price moves, one market makes an account liquidatable: 1e-8 USD.

    At `below` it is and at `below` + 1 it is not; at `above` it is and at `above` - 1 it is not. None: at no
    price on that side of the present one.
    """

    market: int
    price: int
    below: int | None
    above: int | None


@dataclass(frozen=True, slots=True)
class Prospect:
    """The answer. `code`: the law's, for the trade; where it is not 0 nothing is changed by it."""

    account: int
    before: Health
    after: Health
    code: int = 0
    notes: list[Note] = field(default_factory=list)
    liquidation_prices: list[LiquidationPrice] = field(default_factory=list)


def compute_prospect(
    law: Law,
    state: State,
    account: int,
    trade: HypotheticalTrade | None = None,
    prices: Mapping[int, int] | None = None,
) -> Prospect:
    """What an account is worth now, and would be worth after a trade and at other `prices` (by market).

    The trade comes first, then the prices move. Raises UnknownToTheLaw, or Rejected where even valuing the
    account fails.
    """
    copy = _Copy(law, state)
    copy.require_account(account)
    before = copy.get_health(account)
    code, notes = copy.apply_trade(account, trade) if trade else (0, [])
    for market, price in sorted((prices or {}).items()):
        copy.set_price(market, price)
    found = [copy.find_liquidation_price(account, market) for market in copy.get_markets(account)]
    return Prospect(account, before, copy.get_health(account), code, notes, found)


def describe_prospect(prospect: Prospect) -> dict[str, Any]:
    """The answer as a JSON object; amounts and prices as decimal strings."""
    return {
        "account": prospect.account,
        "code": prospect.code,
        "before": _describe_health(prospect.before),
        "after": _describe_health(prospect.after),
        "notes": prospect.notes,
        "liquidationPrices": [
            {
                "market": each.market,
                "price": str(each.price),
                "below": None if each.below is None else str(each.below),
                "above": None if each.above is None else str(each.above),
            }
            for each in prospect.liquidation_prices
        ],
    }


def _describe_health(health: Health) -> dict[str, str]:
    return {
        "collateral": str(health.collateral),
        "value": str(health.value),
        "maintenance": str(health.maintenance),
        "initial": str(health.initial),
        "state": health.state,
    }


class _Copy:
    """A fork of a state, with fresh prices, that the law's own functions are asked about."""

    def __init__(self, law: Law, state: State) -> None:
        self._law = law
        self._state = state.fork()
        modules = law.program.modules
        self._records: Any = modules.load("optimist.stf.records")
        self._margin: Any = modules.load("optimist.stf.margin")
        self._liquidation: Any = modules.load("optimist.stf.liquidation")
        self._slots: int = modules.load("optimist.stf.preset").POSITION_SLOTS
        self._clock: int = self._get(self._records.System, 0).clock
        for market in range(self._get(self._records.Parameters, 0).markets):
            for feed in (market, PERPETUAL_FEED + market):
                self._refresh(feed, None)

    # ------------------------------------------------------------------------------------------------- asking

    def require_account(self, account: int) -> None:
        """Raises UnknownToTheLaw."""
        if self._get(self._records.Account, account).owner == 0:
            raise UnknownToTheLaw(f"account {account} does not exist")

    def get_markets(self, account: int) -> list[int]:
        """The markets in which an account has a position."""
        rows = range(account << SLOT_BITS, (account << SLOT_BITS) + self._slots)
        held = [self._get(self._records.Position, row).market_plus_one for row in rows]
        return sorted(market_plus_one - 1 for market_plus_one in held if market_plus_one)

    def get_health(self, account: int) -> Health:
        """What the law says that an account is worth, and must be worth. Raises Rejected."""
        found: list[Health] = []

        def ask() -> None:
            holdings = zero(self._margin.Holdings)
            heartbeat = peek(self._records.Parameters, 0).trade_heartbeat
            self._margin.scan_holdings(holdings, account, 0, self._clock, heartbeat)
            collateral = peek(self._records.Account, account).collateral
            margin = zero(self._margin.Margin)
            margin.value = collateral + holdings.value
            margin.maintenance, margin.initial = holdings.maintenance, holdings.initial
            state = self._name_state(margin)
            found.append(Health(collateral, margin.value, margin.maintenance, margin.initial, state))

        receipt = self._state.apply(ask, b"")
        if receipt.rejected:
            raise Rejected(receipt.code)
        return found[0]

    def _name_state(self, margin: Any) -> str:
        """By falling value: what the next worse state begins below."""
        if margin.value >= margin.initial:
            return "healthy"
        if margin.value >= margin.maintenance:
            return "reduce-only"
        if margin.value < 0:
            return "bankrupt"
        return "close-out" if self._liquidation.is_close_out(margin) else "liquidatable"

    def find_liquidation_price(self, account: int, market: int) -> LiquidationPrice:
        """Bisect over what the law says. Afterwards the market's prices are what they were."""
        feeds = {feed: self._get(self._records.Price, feed) for feed in (market, PERPETUAL_FEED + market)}
        price = self._get(self._records.Price, market).mark
        below = above = None
        if not self._is_liquidatable(account, market, price):
            if self._is_liquidatable(account, market, 1):
                below = self._bisect(account, market, liquidatable=1, safe=price)
            if self._is_liquidatable(account, market, MAX_PRICE):
                above = self._bisect(account, market, liquidatable=MAX_PRICE, safe=price)
        for feed, found in feeds.items():
            self._put(feed, found)
        return LiquidationPrice(market, price, below, above)

    def _bisect(self, account: int, market: int, *, liquidatable: int, safe: int) -> int:
        while abs(safe - liquidatable) > 1:
            middle = (safe + liquidatable) // 2
            if self._is_liquidatable(account, market, middle):
                liquidatable = middle
            else:
                safe = middle
        return liquidatable

    def _is_liquidatable(self, account: int, market: int, price: int) -> bool:
        self.set_price(market, price)
        return self.get_health(account).is_liquidatable

    # ----------------------------------------------------------------------------------------------- changing

    def set_price(self, market: int, price: int) -> None:
        """Let a market's index, and what it costs elsewhere, be `price`. Raises UnknownToTheLaw."""
        if self._get(self._records.Price, market).price == 0:
            raise UnknownToTheLaw(f"there is no market {market}, or no price of it yet")
        if not 0 < price <= MAX_PRICE:
            raise UnknownToTheLaw(f"a price lies in 1..{MAX_PRICE} (1e-8 USD), not at {price}")
        self._refresh(market, price)
        self._refresh(PERPETUAL_FEED + market, price)

    def apply_trade(self, account: int, trade: HypotheticalTrade) -> tuple[int, list[Note]]:
        """Let the account take the other side of a made-up order; the law's code, and what it noted."""
        if self._get(self._records.Price, trade.market).price == 0:
            raise UnknownToTheLaw(f"there is no market {trade.market}, or no price of it yet")
        owner = self._get(self._records.Account, account).owner
        other = self._make_counterparty(account)
        maker = self._make_order(other, trade, SOMEBODY, is_buy=trade.size < 0)
        taker = self._make_order(account, trade, owner, is_buy=trade.size > 0)
        action = Trade(size=abs(trade.size), price=trade.price, maker=maker, taker=taker)
        self._let_batch_reach(self._clock)
        receipt = self._state.apply(self._law.native, Sequenced(self._clock, action).encode())
        notes = [describe_note(note) for note in receipt.notes]
        return receipt.code, select_notes(notes, account)

    def _make_counterparty(self, account: int) -> int:
        """A new account in the same group, the highest free one, with all the money in the world."""
        other = account | (1 << 32) - 1
        while self._get(self._records.Account, other).owner:
            other -= 1
        made = zero(self._records.Account)
        made.owner, made.collateral = SOMEBODY, MAX_COLLATERAL >> 1
        self._put(other, made)
        return other

    def _make_order(self, account: int, trade: HypotheticalTrade, owner: int, *, is_buy: bool) -> SignedOrder:
        order = Order(
            account=account,
            market=trade.market,
            is_buy=is_buy,
            size=abs(trade.size),
            price=trade.price,
            max_fee_ppm=(1 << 32) - 1,
            slot=0,
            nonce=LAST_NONCE,
            expiry=NEVER,
        )
        digest = eip712_digest(self._get(self._records.System, 0).domain, _as_b32(order.struct_hash()))
        r, s = (_as_b32(part.to_bytes(32, "big")) for part in (MADE_UP.r, MADE_UP.s))
        self._state.signatures[digest, MADE_UP.v, r, s] = owner
        return SignedOrder(order, MADE_UP)

    def _let_batch_reach(self, second: int) -> None:
        limit = self._get(self._records.BatchLimit, 0)
        limit.last = max(limit.last, second)
        self._put(0, limit)

    def _refresh(self, feed: int, price: int | None) -> None:
        """Make what is known of a feed, or `price`, new and confirmed. One that never spoke stays silent."""
        found = self._get(self._records.Price, feed)
        if found.price:
            if price is not None:
                found.confirmed = found.mark = price
            found.price = found.confirmed
            found.status, found.publish_time = PRICE_CONFIRMED, self._clock
            self._put(feed, found)

    def _get(self, kind: Any, row: int) -> Any:
        return kind.record_from_bytes(self._state.get_bytes(kind.record_base + row) or bytes(256))

    def _put(self, row: int, value: Any) -> None:
        self._state.set_bytes(value.record_base + row, value.record_bytes())


def compute_size_decimals(notional_divisor: int) -> int:
    """The divisor of a market is 10^(size decimals + 2)."""
    return len(str(notional_divisor)) - 3


def get_size_decimals(state: State, market: int) -> int:
    """Decimals of a market's sizes. Raises UnknownToTheLaw."""
    kind: Any = Market
    data = state.get_bytes(kind.record_base + market)
    if data is None:
        raise UnknownToTheLaw(f"there is no market {market}")
    return compute_size_decimals(kind.record_from_bytes(data).notional_divisor)


def _as_b32(data: bytes) -> Any:
    """Bytes as the law's kind of them: the same at run time."""
    return data

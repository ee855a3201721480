"""What is told to those who listen: books, trades, prices, funding, accounts, and how far inputs have come.

It hears of things once they are safe on disk, collects them, and publishes every FLUSH seconds, so that ten
thousand fills a second are twenty messages. Books are sums by price; an update gives the new sum, 0 for none.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from optimist.api.errors import ApiError, ErrorCode, api_error
from optimist.api.hub import Hub
from optimist.node.receipts import describe_note, select_notes
from optimist.sequencer.engine import Engine, Fill, OrderChange, Outcome, Told
from optimist.sequencer.recent import Progress
from optimist.sequencer.views import describe_funding, describe_prices, get_market

FLUSH: Final = 0.05  # seconds between two looks at what is new
KEPT_TRADES: Final = 200  # of each market, for those who come later

Levels = dict[tuple[bool, int], int]  # (is bid, price) -> size


class Feed:
    """The newest safe state of the books, and what changed since the last flush."""

    def __init__(self, hub: Hub, engine: Callable[[], Engine], progress: Callable[[], Progress]) -> None:
        """`engine`: the present one; `progress`: how far inputs have come."""
        self._hub = hub
        self._engine = engine
        self._progress = progress
        self._levels: dict[int, Levels] = {}
        self._changed: dict[int, Levels] = {}
        self._trades: dict[int, deque[Fill]] = {}
        self._new_trades: dict[int, list[Fill]] = {}
        self._accounts: dict[int, list[dict[str, Any]]] = {}  # only of those that somebody listens to
        self._last: dict[str, Any] = {}  # what a channel of few words said last
        self._is_renewed = False

    # ---------------------------------------------------------------------------------------------- hearing

    def renew(self) -> None:
        """Books and head were made anew."""
        engine = self._engine()
        self._levels = {
            market: {(order.is_buy, order.price): book.get_level(order.is_buy, order.price) for order in book}
            for market, book in engine.books.items()
        }
        self._changed.clear()
        self._is_renewed = True

    def tell(self, made: Sequence[Outcome]) -> None:
        """These have become safe."""
        for outcome in made:
            for change in outcome.changes:
                self._take_change(change)
            for fill in outcome.fills:
                self._trades.setdefault(fill.market, deque(maxlen=KEPT_TRADES)).append(fill)
                if f"trades:{fill.market}" in self._hub:
                    self._new_trades.setdefault(fill.market, []).append(fill)
            for told in outcome.told:
                self._take_notes(told)

    def _take_change(self, change: OrderChange) -> None:
        place, levels = (change.is_buy, change.price), self._levels.setdefault(change.market, {})
        if change.level:
            levels[place] = change.level
        else:
            levels.pop(place, None)
        if f"book:{change.market}" in self._hub:
            self._changed.setdefault(change.market, {})[place] = change.level
        if f"account:{change.account}" in self._hub:
            self._accounts.setdefault(change.account, []).append({"order": describe_change(change)})

    def _take_notes(self, told: Told) -> None:
        named = {getattr(note, field.name) for note in told.notes for field in _account_fields(note)}
        watched = [account for account in named if f"account:{account}" in self._hub]
        if not watched:
            return
        notes = [describe_note(note) for note in told.notes]
        for account in watched:
            self._accounts.setdefault(account, []).append(
                {
                    "input": {
                        "number": told.number,
                        "second": told.second,
                        "notes": select_notes(notes, account),
                    }
                }
            )

    # ------------------------------------------------------------------------------------------- publishing

    def flush(self) -> None:
        """Publish what is new."""
        if self._is_renewed:
            self._is_renewed = False
            for channel in self._hub.channels:
                if channel.startswith(("book:", "account:")):
                    self._hub.publish(channel, self.snapshot(channel), is_snapshot=True)
        changed, self._changed = self._changed, {}
        for market, levels in changed.items():
            self._hub.publish(f"book:{market}", describe_levels(levels, None))
        new, self._new_trades = self._new_trades, {}
        for market, fills in new.items():
            self._hub.publish(f"trades:{market}", [describe_fill(fill) for fill in fills])
        accounts, self._accounts = self._accounts, {}
        for account, events in accounts.items():
            self._hub.publish(f"account:{account}", events)
        for channel in self._hub.channels:
            if channel == "confirmations" or channel.startswith(("mark:", "funding:")):
                now = self._read(channel)
                if now != self._last.get(channel):
                    self._last[channel] = now
                    self._hub.publish(channel, now)

    def snapshot(self, channel: str) -> Any:
        """What a new listener is told first. Raises ApiError for a channel that does not exist."""
        name, _, number = channel.partition(":")
        if name in ("book", "trades"):
            self._flush_market(name, self._market(channel, number))
        return self._read(channel)

    def _flush_market(self, name: str, market: int) -> None:
        """Others hear first what a new listener's snapshot holds already."""
        if name == "book" and (levels := self._changed.pop(market, None)):
            self._hub.publish(f"book:{market}", describe_levels(levels, None))
        if name == "trades" and (fills := self._new_trades.pop(market, None)):
            self._hub.publish(f"trades:{market}", [describe_fill(fill) for fill in fills])

    def _read(self, channel: str) -> Any:
        name, _, number = channel.partition(":")
        engine = self._engine()
        state = engine.builder.head.state
        match name:
            case "confirmations" if not number:
                return self._progress().to_json()
            case "book":
                return self.get_book(self._market(channel, number), None)
            case "trades":
                return self.get_trades(self._market(channel, number))
            case "mark":
                return describe_prices(state, self._market(channel, number))
            case "funding":
                return describe_funding(state, self._market(channel, number))
            case "account":
                return describe_orders(engine, _parse(channel, number, 1 << 36))
            case _:
                raise _unknown(channel)

    def get_book(self, market: int, depth: int | None) -> dict[str, Any]:
        """The best levels of a book, all of them for None."""
        return describe_levels(self._levels.get(market, {}), depth)

    def get_trades(self, market: int) -> list[dict[str, Any]]:
        """The newest trades of a market, oldest first."""
        return [describe_fill(fill) for fill in self._trades.get(market, ())]

    def _market(self, channel: str, number: str) -> int:
        market = _parse(channel, number, 1 << 16)
        if not is_market(self._engine(), market):
            raise _unknown(channel)
        return market


def _account_fields(note: Any) -> list[Any]:
    return [field for field in note.record_layout.fields if field.name.endswith("account")]


def _parse(channel: str, number: str, limit: int) -> int:
    if not (number.isascii() and number.isdigit() and len(number) <= 12) or int(number) >= limit:
        raise _unknown(channel)
    if number != str(int(number)):
        raise _unknown(channel)
    return int(number)


def _unknown(channel: str) -> ApiError:
    return api_error(
        ErrorCode.UNKNOWN_CHANNEL,
        f"there is no channel {channel[:40]!r}: use book:M, trades:M, mark:M, funding:M with the number of a "
        "market, account:A with that of an account, or confirmations",
    )


def is_market(engine: Engine, market: int) -> bool:
    """Whether a market exists."""
    return bool(get_market(engine.builder.head.state, market).lot)


def describe_levels(levels: Levels, depth: int | None) -> dict[str, Any]:
    """Sums by price, best first: [price, size] as decimal strings."""
    bids = sorted((price for is_bid, price in levels if is_bid), reverse=True)[:depth]
    asks = sorted(price for is_bid, price in levels if not is_bid)[:depth]
    return {
        "bids": [[str(price), str(levels[True, price])] for price in bids],
        "asks": [[str(price), str(levels[False, price])] for price in asks],
    }


def describe_fill(fill: Fill) -> dict[str, Any]:
    """A trade; `side` is the taker's, `number` that of the input."""
    return {
        "number": fill.number,
        "second": fill.second,
        "side": "buy" if fill.is_buy else "sell",
        "price": str(fill.price),
        "size": str(fill.size),
    }


def describe_change(change: OrderChange) -> dict[str, Any]:
    """What became of a resting order; `code`: why it left the book unfilled, else 0."""
    return {
        "orderId": "0x" + change.order_id.hex(),
        "market": change.market,
        "isBuy": change.is_buy,
        "price": str(change.price),
        "remaining": str(change.remaining),
        "code": change.code,
    }


def describe_orders(engine: Engine, account: int) -> dict[str, Any]:
    """The resting orders of an account, oldest first; when its dead-man switch runs out, 0 if it is off."""
    switch = engine.get_switch(account)
    return {
        "account": account,
        "orders": [
            {
                "orderId": "0x" + resting.order_id.hex(),
                "market": signed.order.market,
                "isBuy": resting.is_buy,
                "price": str(resting.price),
                "size": str(signed.order.size),
                "remaining": str(resting.remaining),
                "slot": signed.order.slot,
                "nonce": str(signed.order.nonce),
                "expiry": signed.order.expiry,
                "reduceOnly": signed.order.reduce_only,
            }
            for resting, signed in engine.get_resting(account)
        ],
        "deadMan": switch.deadline if switch else 0,
    }

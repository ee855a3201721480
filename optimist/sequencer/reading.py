"""What the API answers from: the head, the books, what is recent, the node's histories."""

from collections.abc import Callable
from typing import Any, Final

from optimist.api.errors import ErrorCode, api_error, law_error
from optimist.node.history import NoHistory, describe_history
from optimist.node.receipts import Place
from optimist.node.what_if import (
    HypotheticalTrade,
    UnknownToTheLaw,
    compute_prospect,
    describe_prospect,
)
from optimist.provable import Rejected
from optimist.prove.law import load_law
from optimist.sequencer.engine import Engine
from optimist.sequencer.feed import Feed, describe_orders, is_market
from optimist.sequencer.ports import Chain
from optimist.sequencer.recent import Progress, RecentInputs
from optimist.sequencer.terms import Terms
from optimist.sequencer.views import describe_account, describe_market, get_account

HASH_DIGITS: Final = 64
MOST_DIGITS: Final = 18  # of the number of an input


class Reading:
    """Behind the API (`api.parts.Reader`)."""

    def __init__(
        self,
        terms: Terms,
        chain: Chain,
        engine: Callable[[], Engine],
        feed: Feed,
        recent: RecentInputs,
        progress: Callable[[], Progress],
    ) -> None:
        """`engine`: the present one."""
        self._terms = terms
        self._chain = chain
        self._engine = engine
        self._feed = feed
        self._recent = recent
        self._progress = progress

    def as_of(self) -> tuple[int, int]:
        """How old every answer is: sequenced inputs in it, second of the newest block of L1 behind it."""
        return self._engine().builder.head.soft_number, self._chain.timestamp

    def network(self) -> dict[str, Any]:
        """What a client needs to sign."""
        return {
            "chainId": self._terms.domain.chain_id,
            "vault": "0x" + self._terms.domain.vault.hex(),
            "preset": self._terms.preset.name,
            "imageRoot": "0x" + self._terms.image_root.hex(),
        }

    def account(self, account: int) -> dict[str, Any]:
        """An account as the sequencer sees it. Raises ApiError."""
        self._require_account(account)
        state = self._engine().builder.head.state
        return describe_account(state, account, self._terms.preset.position_slots)

    def orders(self, account: int) -> dict[str, Any]:
        """The resting orders of an account, and its dead-man switch. Raises ApiError."""
        self._require_account(account)
        return describe_orders(self._engine(), account)

    def history(self, account: int, after: Place, limit: int) -> dict[str, Any]:
        """What the law noted of an account, in batches that are on L1, oldest first. Raises ApiError."""
        try:
            entries = self._chain.history(account, after, limit)
        except NoHistory as error:
            raise api_error(ErrorCode.NO_HISTORY, str(error)) from None
        return describe_history(account, entries)

    def what_if(
        self, account: int, trade: HypotheticalTrade | None, prices: dict[int, int]
    ) -> dict[str, Any]:
        """What an account would be worth after a trade and at other prices. Raises ApiError."""
        law, state = load_law(self._terms.preset.name), self._engine().builder.head.state
        try:
            return describe_prospect(compute_prospect(law, state, account, trade, prices))
        except UnknownToTheLaw as error:
            raise api_error(ErrorCode.NO_ANSWER, str(error)) from None
        except Rejected as error:
            raise law_error(error.code) from None

    def markets(self) -> dict[str, Any]:
        """All markets, without their books."""
        engine = self._engine()
        found: list[dict[str, Any]] = []
        while is_market(engine, len(found)):
            found.append(describe_market(engine.builder.head.state, len(found)))
        return {"markets": found}

    def market(self, market: int) -> dict[str, Any]:
        """A market, its price and its book, order by order. Raises ApiError."""
        self._require_market(market)
        engine = self._engine()
        book = engine.book(market)
        return {
            **describe_market(engine.builder.head.state, market),
            "bids": [[str(each.price), str(each.remaining)] for each in book.bids],
            "asks": [[str(each.price), str(each.remaining)] for each in book.asks],
        }

    def book(self, market: int, depth: int) -> dict[str, Any]:
        """The best levels of a book. Raises ApiError."""
        self._require_market(market)
        return {"market": market, **self._feed.get_book(market, depth)}

    def trades(self, market: int) -> dict[str, Any]:
        """The newest trades of a market, oldest first. Raises ApiError."""
        self._require_market(market)
        return {"market": market, "trades": self._feed.get_trades(market)}

    def input(self, reference: str) -> dict[str, Any]:
        """How far an input has come, by its number, or by its hash if it is recent. Raises ApiError."""
        number = self._find_number(reference)
        progress = self._progress()
        stage = progress.find_stage(number) if number is not None else ""
        if number is None or not stage:
            raise api_error(
                ErrorCode.UNKNOWN_INPUT,
                "no such input: give a number from 1 to the count of inputs, or the 0x hash of a recent one",
                inputs=progress.soft,
            )
        found = self._recent.find_hash(number)
        return {
            "number": number,
            "hash": None if found is None else "0x" + found.hex(),
            "stage": stage,
            "counts": progress.to_json(),
        }

    def snapshot(self, channel: str) -> Any:
        """What a channel tells a new listener. Raises ApiError."""
        return self._feed.snapshot(channel)

    def _find_number(self, reference: str) -> int | None:
        if reference.isascii() and reference.isdigit() and len(reference) <= MOST_DIGITS:
            return int(reference)
        digits = reference.removeprefix("0x")
        if reference[:2] == "0x" and len(digits) == HASH_DIGITS:
            try:
                return self._recent.find_number(bytes.fromhex(digits))
            except ValueError:
                return None
        return None

    def _require_account(self, account: int) -> None:
        if get_account(self._engine().builder.head.state, account).owner == 0:
            raise api_error(ErrorCode.UNKNOWN_ACCOUNT, f"account {account} does not exist", account=account)

    def _require_market(self, market: int) -> None:
        if not is_market(self._engine(), market):
            raise api_error(ErrorCode.UNKNOWN_MARKET, f"there is no market {market}", market=market)

"""What the API stands before: the door that takes actions, the reader that answers, the purse that pays."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from optimist.api.errors import ApiError, ErrorCode
from optimist.api.limits import COST_OF_BAD_SIGNATURE, COST_OF_NONSENSE, Budget
from optimist.api.schema import ActionResult, Confirmation, ParsedAction
from optimist.node.receipts import Place
from optimist.node.what_if import HypotheticalTrade

Body = TypeVar("Body")
Parsed = TypeVar("Parsed", bound=Sequence[ParsedAction | ApiError])


class Door(Protocol):
    """What takes actions."""

    async def submit_all(
        self, actions: Sequence[ParsedAction | ApiError]
    ) -> tuple[list[ActionResult | ApiError], Confirmation | None]:
        """Sequence actions and answer once all are safe on disk. Raises ApiError for all of them."""
        ...

    def status(self) -> dict[str, Any]:
        """Heads, backlog, readiness."""
        ...


class Reader(Protocol):
    """What answers questions. Every method raises ApiError."""

    def as_of(self) -> tuple[int, int]:
        """How old every answer is: sequenced inputs in it, second of the newest block of L1 behind it."""
        ...

    def network(self) -> dict[str, Any]:
        """What a client needs to sign: chain id, Vault, preset, image root."""
        ...

    def account(self, account: int) -> dict[str, Any]:
        """An account as the sequencer sees it."""
        ...

    def orders(self, account: int) -> dict[str, Any]:
        """The resting orders of an account, and its dead-man switch."""
        ...

    def history(self, account: int, after: Place, limit: int) -> dict[str, Any]:
        """What the law noted of an account, in batches that are on L1, oldest first."""
        ...

    def what_if(
        self, account: int, trade: HypotheticalTrade | None, prices: dict[int, int]
    ) -> dict[str, Any]:
        """What an account would be worth after a trade and at other prices."""
        ...

    def markets(self) -> dict[str, Any]:
        """All markets."""
        ...

    def market(self, market: int) -> dict[str, Any]:
        """A market and its book."""
        ...

    def book(self, market: int, depth: int) -> dict[str, Any]:
        """The best levels of a book."""
        ...

    def trades(self, market: int) -> dict[str, Any]:
        """The newest trades of a market, newest first."""
        ...

    def input(self, reference: str) -> dict[str, Any]:
        """How far a sequenced input has come, by its number or its hash."""
        ...

    def snapshot(self, channel: str) -> Any:
        """What a channel tells a new listener."""
        ...


class Purse:
    """The budget of one address."""

    def __init__(self, budget: Budget, address: str) -> None:
        self._budget = budget
        self._address = address

    def spend(self, tokens: float) -> None:
        """Raises ApiError RATE_LIMITED."""
        self._budget.spend(self._address, tokens)

    def pay_for_parsing(self, parse: Callable[[Body], Parsed], body: Body) -> Parsed:
        """Parse actions: one token each, and those that are none cost more. Raises ApiError."""
        self.spend(1)
        try:
            actions = parse(body)
        except ApiError:
            self._budget.charge(self._address, COST_OF_NONSENSE)
            raise
        self.spend(len(actions) - 1)
        broken = sum(isinstance(action, ApiError) for action in actions)
        self._budget.charge(self._address, broken * COST_OF_NONSENSE)
        return actions

    def charge_for(self, results: Sequence[ActionResult | ApiError]) -> None:
        """Bad signatures cost extra, afterwards."""
        bad = sum(
            isinstance(result, ApiError) and result.number == ErrorCode.BAD_SIGNATURE.number
            for result in results
        )
        if bad:
            self._budget.charge(self._address, bad * COST_OF_BAD_SIGNATURE)


def describe_results(results: Sequence[ActionResult | ApiError]) -> list[Any]:
    """As JSON tells them: a result, or an object with an error."""
    return [result.to_json() if isinstance(result, ApiError) else result for result in results]

"""Where `optimist account` asks: a sequencer's API, or the data directory of a node that does not run."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import aiohttp
import click

from optimist.api.account_text import name_code
from optimist.l1.deployment import Deployment, DeploymentError
from optimist.node.history import History, describe_history
from optimist.node.receipts import parse_place
from optimist.node.what_if import (
    HypotheticalTrade,
    UnknownToTheLaw,
    compute_prospect,
    describe_prospect,
    get_size_decimals,
)
from optimist.provable import Rejected, State
from optimist.prove.law import load_law
from optimist.store.lock import DirectoryInUse, DirectoryLock
from optimist.store.state_store import ForeignState, StateDamaged, StateStore

ANY_DAYS: Final = 1  # reading prunes nothing

Answer = dict[str, Any]
T = TypeVar("T")


class Source(Protocol):
    """Where the answers come from. Every method raises click.ClickException."""

    def get_size_decimals(self, market: int) -> int:
        """Decimals of a market's sizes."""
        ...

    def get_history(self, account: int, after: str, limit: int) -> Answer:
        """As `GET /v1/accounts/{account}/history` answers."""
        ...

    def get_prospect(
        self, account: int, trade: HypotheticalTrade | None, prices: Mapping[int, int]
    ) -> Answer:
        """As `GET /v1/accounts/{account}/what-if` answers."""
        ...


class ApiSource:
    """A sequencer's API."""

    def __init__(self, url: str) -> None:
        """`url`: such as http://127.0.0.1:8645."""
        self._url = url.rstrip("/")

    def get_size_decimals(self, market: int) -> int:
        """Decimals of a market's sizes."""
        return int(self._get(f"/v1/markets/{market}", {})["sizeDecimals"])

    def get_history(self, account: int, after: str, limit: int) -> Answer:
        """A page of a history."""
        return self._get(f"/v1/accounts/{account}/history", {"after": after, "limit": str(limit)})

    def get_prospect(
        self, account: int, trade: HypotheticalTrade | None, prices: Mapping[int, int]
    ) -> Answer:
        """What would become of an account."""
        query = {"prices": ",".join(f"{market}:{price}" for market, price in prices.items())}
        if trade is not None:
            query["trade"] = f"{trade.market}:{trade.size}:{trade.price}"
        return self._get(f"/v1/accounts/{account}/what-if", query)

    def _get(self, path: str, query: Mapping[str, str]) -> Answer:
        return asyncio.run(_fetch(self._url + path, query))


class DirectorySource:
    """The data directory of a node that does not run."""

    def __init__(self, datadir: Path, deployment: Path, stack: ExitStack) -> None:
        """Keeps the directory locked until `stack` is closed."""
        try:
            file = Deployment.load(deployment)
            if not (datadir / "state").is_dir():
                raise click.UsageError(f"{datadir} holds no node's state: give the --datadir of a node")
            stack.enter_context(DirectoryLock(datadir))
            store = stack.enter_context(StateStore(datadir / "state", file.identity))
            kept = store.load()
        except (DeploymentError, DirectoryInUse, ForeignState) as error:
            raise click.UsageError(str(error)) from error
        except StateDamaged as error:
            raise click.ClickException(f"the state in {datadir} is damaged: {error}") from error
        if kept is None:
            raise click.ClickException(f"the node of {datadir} has seen no batch yet")
        self._law = load_law(file.preset.name)
        self._state = State(kept.records)
        self._history = History(store, ANY_DAYS)

    def get_size_decimals(self, market: int) -> int:
        """Decimals of a market's sizes."""
        return _answer(lambda: get_size_decimals(self._state, market))

    def get_history(self, account: int, after: str, limit: int) -> Answer:
        """A page of a history."""
        try:
            place = parse_place(after)
        except ValueError as error:
            raise click.UsageError(f"--after: {error}") from error
        return describe_history(account, self._history.read(account, place, limit))

    def get_prospect(
        self, account: int, trade: HypotheticalTrade | None, prices: Mapping[int, int]
    ) -> Answer:
        """What would become of an account."""
        return _answer(
            lambda: describe_prospect(compute_prospect(self._law, self._state, account, trade, prices))
        )


def _answer(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except UnknownToTheLaw as error:
        raise click.ClickException(str(error)) from error
    except Rejected as error:
        raise click.ClickException(f"the law cannot say: {name_code(error.code)}") from error


async def _fetch(url: str, query: Mapping[str, str]) -> Answer:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
            session.get(url, params=query) as response,
        ):
            answer: Answer = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise click.ClickException(f"{url} gives no answer: {error or type(error).__name__}") from error
    if response.status != 200:
        raise click.ClickException(str(answer.get("error", {}).get("message", answer)))
    return answer

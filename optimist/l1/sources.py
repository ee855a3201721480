"""Several L1 endpoints, each asked by itself, and compared.

`L1Client` takes whichever endpoint answers. That is right for following a chain whose blocks are linked by
hashes, and wrong before something that cannot be taken back: one endpoint with a wrong chain, or one that
somebody else controls, would be believed.

    agree_on(tag)    the highest block that `least` endpoints have reached at the tag; all of them must name
                     the same hash for it, and those that lag behind must be on the same chain
    read(...)        what a contract says after that block: the same from each of them

    L1Error
    ├── SourcesDisagree    two endpoints contradict each other: act on neither, a person must look
    └── TooFewSources      not enough of them answer: wait
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

from optimist.l1.client import L1Client, Tag, require_header
from optimist.l1.contracts import Contract
from optimist.l1.errors import L1Error
from optimist.l1.types import Header, to_hex

T = TypeVar("T")

ATTEMPTS: Final = 2  # for each endpoint: another one can answer instead, and the next look asks again


class SourcesDisagree(L1Error):
    """Two endpoints say different things about the same block."""


class TooFewSources(L1Error):
    """Fewer endpoints answer than have to agree."""


@dataclass(frozen=True, slots=True)
class Source:
    """One endpoint. `name` is safe to show: the host alone, for paths and users hold keys."""

    name: str
    client: L1Client


def open_sources(urls: Sequence[str], *, timeout: float, attempts: int) -> list[Source]:
    """One for each different URL: close their clients when done. timeout: seconds for one attempt."""
    return [
        Source(f"{i + 1} ({get_host(url)})", L1Client([url], timeout=timeout, attempts=attempts))
        for i, url in enumerate(dict.fromkeys(urls))
    ]


class Sources:
    """Endpoints that have to agree."""

    def __init__(self, sources: Sequence[Source], *, least: int) -> None:
        """least: how many must say the same. Raises ValueError when there are fewer sources than that."""
        if not 1 <= least <= len(sources):
            raise ValueError(
                f"{least} L1 endpoints have to agree, but {len(sources)} different ones are given"
            )
        self.least = least
        self._sources = list(sources)

    @classmethod
    def open(cls, urls: Sequence[str], *, least: int, timeout: float = 10.0) -> Self:
        """One source for each different URL. timeout: seconds for one attempt. Raises ValueError."""
        return cls(open_sources(urls, timeout=timeout, attempts=ATTEMPTS), least=least)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(source.client.close() for source in self._sources))

    async def agree_on(self, tag: Tag) -> Header:
        """The highest block at or below `tag` that enough endpoints have.

        Raises SourcesDisagree, TooFewSources or another L1Error.
        """

        async def get_head(source: Source) -> Header:
            return require_header(await source.client.get_header(tag), tag)

        heads = await self._ask(self._sources, get_head)
        common = sorted((head.number for _, head in heads), reverse=True)[self.least - 1]
        ahead = [source for source, head in heads if head.number >= common]

        async def get_common(source: Source) -> Header:
            return require_header(await source.client.get_header(common), common)

        named = await self._ask(ahead, get_common)
        (first, block), *others = named
        for source, header in others:
            _require_same(f"block {common}", (first.name, block.hash), (source.name, header.hash))
        for source, head in heads:
            if head.number < common:
                below = require_header(await first.client.get_header(head.number), head.number)
                what = f"block {head.number}"
                _require_same(what, (first.name, below.hash), (source.name, head.hash))
        return block

    async def read(self, contract: Contract, at: bytes, function: str, *arguments: Any) -> Any:
        """What `function` returns after block `at` (hash). Raises SourcesDisagree or TooFewSources."""

        async def read_one(source: Source) -> Any:
            return await contract.read(source.client, at, function, *arguments)

        (first, value), *others = await self._ask(self._sources, read_one)
        for source, other in others:
            _require_same(f"{function}{arguments}", (first.name, value), (source.name, other))
        return value

    async def _ask(
        self, sources: Sequence[Source], question: Callable[[Source], Awaitable[T]]
    ) -> list[tuple[Source, T]]:
        """Everybody's answer, where there is one. Raises TooFewSources when that is not enough."""

        async def try_one(source: Source) -> T | L1Error:
            try:
                return await question(source)
            except L1Error as error:
                return error

        answers = await asyncio.gather(*map(try_one, sources))
        given = [(s, a) for s, a in zip(sources, answers, strict=True) if not isinstance(a, L1Error)]
        if len(given) < self.least:
            silent = "; ".join(
                f"{s.name}: {a}" for s, a in zip(sources, answers, strict=True) if isinstance(a, L1Error)
            )
            raise TooFewSources(
                f"{len(given)} of the {self.least} L1 endpoints that have to agree answer; {silent}"
            )
        return given


def _require_same(what: str, one: tuple[str, Any], other: tuple[str, Any]) -> None:
    if one[1] != other[1]:
        raise SourcesDisagree(
            f"L1 endpoint {one[0]} says {_show(one[1])} about {what}, "
            f"endpoint {other[0]} says {_show(other[1])}"
        )


def _show(value: object) -> str:
    return to_hex(value) if isinstance(value, bytes) else str(value)


def get_host(url: str) -> str:
    """What may be shown of an endpoint: paths and users hold keys."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

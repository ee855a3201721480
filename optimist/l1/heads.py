"""Where L1 stands: one endpoint's word, or what most of several endpoints say.

`L1Client` takes whichever endpoint answers, and blocks are linked by hashes. That does not help where an
endpoint is on another chain, or stands still: the chain it tells is whole. So before a head is followed,
every endpoint is asked, and

    most of those that answer have it                  follow it
    they have different blocks at its height           step back to the highest block that most of them have
    one is far behind the others                       leave it out, and say so
    one answers nothing                                go on without it, and say so
    there is no such block within STEP_BACK            SourcesDisagree: nothing new is followed

What differs for a moment is L1's normal life. What goes on for PATIENCE seconds is an alarm, and a person
must find out which endpoint is wrong.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from optimist.l1.client import L1Client, Tag, require_header
from optimist.l1.errors import L1Error, L1Unavailable
from optimist.l1.sources import Source, SourcesDisagree, open_sources
from optimist.l1.types import Header

log = structlog.get_logger(__name__)

LAG: Final = 16  # blocks behind the others from which on an endpoint is left out
STEP_BACK: Final = 128  # blocks: beyond that, no common block is looked for
PATIENCE: Final = 60.0  # seconds for which endpoints may differ
COOL_DOWN: Final = 30.0  # seconds for which an endpoint that did not answer is not asked
LONGEST_WAIT: Final = 3.0  # seconds for one answer: the others are there already


class Heads(Protocol):
    """Tells the blocks at tags."""

    async def get(self, tags: Sequence[Tag]) -> list[Header]:
        """One header a tag. Raises L1Error."""
        ...


class ClientHeads:
    """The word of whichever endpoint answers."""

    def __init__(self, client: L1Client) -> None:
        self._client = client

    async def get(self, tags: Sequence[Tag]) -> list[Header]:
        """See `Heads`."""
        headers = await self._client.get_headers(list(tags))
        return [require_header(header, tag) for header, tag in zip(headers, tags, strict=True)]


@dataclass(slots=True)
class _Trouble:
    """What is wrong with an endpoint, and since when."""

    text: str
    since: float
    is_told: bool = False  # as an alarm


@dataclass(slots=True)
class _Vote:
    """One tag: what each endpoint that answered says is there."""

    tag: Tag
    heads: list[tuple[Source, Header]]
    troubles: dict[str, str] = field(default_factory=dict)


class AgreedHeads:
    """What most of several endpoints say."""

    def __init__(self, sources: Sequence[Source], *, clock: Callable[[], float] = time.monotonic) -> None:
        """`sources`: clients of one endpoint each. `clock`: seconds."""
        self._sources = list(sources)
        self._clock = clock
        self._troubles: dict[str, _Trouble] = {}
        self._resting: dict[str, float] = {}  # name -> when it is asked again

    @classmethod
    def open(cls, urls: Sequence[str], *, timeout: float) -> "AgreedHeads":
        """One client for each different URL; close it when done."""
        return cls(open_sources(urls, timeout=min(timeout, LONGEST_WAIT), attempts=1))

    async def close(self) -> None:
        """Close the connections."""
        for source in self._sources:
            await source.client.close()

    @property
    def alarms(self) -> list[str]:
        """What has been wrong for too long, in words; empty when nothing is."""
        return [f"L1 endpoint {name} {each.text}" for name, each in self._troubles.items() if each.is_told]

    async def get(self, tags: Sequence[Tag]) -> list[Header]:
        """See `Heads`. Raises L1Unavailable or SourcesDisagree."""
        told: dict[str, str] = {}
        answers = await self._ask_all(tags, told)
        if not answers:
            self._note(told)
            raise L1Unavailable(f"none of {len(self._sources)} L1 endpoints answers")
        votes = [
            _Vote(tag, [(source, headers[i]) for source, headers in answers]) for i, tag in enumerate(tags)
        ]
        try:
            return [await self._agree(vote) for vote in votes]
        finally:
            for vote in votes:
                told |= vote.troubles
            self._note(told)

    async def _ask_all(self, tags: Sequence[Tag], told: dict[str, str]) -> list[tuple[Source, list[Header]]]:
        now = self._clock()
        awake = [source for source in self._sources if self._resting.get(source.name, now) <= now]
        answers = []
        for source, headers in await _gather(awake or self._sources, tags):
            if isinstance(headers, L1Error):
                self._resting[source.name] = now + COOL_DOWN
            else:
                self._resting.pop(source.name, None)
                answers.append((source, headers))
        for name in self._resting:
            told[name] = "does not answer"
        return answers

    async def _agree(self, vote: _Vote) -> Header:
        """The highest block that most of the endpoints have that are not far behind."""
        numbers = sorted((head.number for _, head in vote.heads), reverse=True)
        top = numbers[(len(numbers) - 1) // 2]
        timely = [(source, head) for source, head in vote.heads if head.number >= top - LAG]
        need = len(timely) // 2 + 1
        highest = sorted((head.number for _, head in timely), reverse=True)[need - 1]
        height, step = highest, 1
        while height >= max(highest - STEP_BACK, 0):
            have = await _get_at(timely, height)
            groups: dict[Header, list[Source]] = {}  # by all of it: a hash alone does not prove its second
            for source, header in have:
                groups.setdefault(header, []).append(source)
            agreed = max(groups, key=lambda header: len(groups[header]), default=None)
            if agreed is not None and len(largest := groups[agreed]) >= need:
                await self._find_troubles(vote, largest[0], agreed, is_split=height < highest)
                return agreed
            height, step = height - step, step * 2
        text = f"no block of the last {STEP_BACK} is the same at most of the {len(timely)} L1 endpoints"
        vote.troubles |= {source.name: "is on another chain than the others" for source, _ in timely}
        raise SourcesDisagree(f"{text} ({vote.tag}): find out which of them is on another chain")

    async def _find_troubles(self, vote: _Vote, witness: Source, agreed: Header, *, is_split: bool) -> None:
        for source, head in vote.heads:
            if head.number >= agreed.number:
                ((_, theirs),) = await _get_at([(source, head)], agreed.number) or [(source, agreed)]
                ours = agreed
            else:
                ((_, ours),) = await _get_at([(witness, agreed)], head.number) or [(source, head)]
                theirs = head
            if theirs.hash != ours.hash or (is_split and head.hash != agreed.hash):
                vote.troubles[source.name] = f"is on another chain than others at block {head.number}"
            elif theirs != ours:
                vote.troubles[source.name] = f"tells another header of block {theirs.number} than others"
            elif head.number < agreed.number - LAG:
                vote.troubles[source.name] = f"stands still: {agreed.number - head.number} blocks behind"

    def _note(self, told: dict[str, str]) -> None:
        """Warn of what is new, raise the alarm about what lasts, and say when it is over."""
        now = self._clock()
        for name in [name for name in self._troubles if name not in told]:
            log.info("l1_endpoint_recovered", endpoint=name)
            del self._troubles[name]
        for name, text in told.items():
            trouble = self._troubles.get(name)
            if trouble is None:
                self._troubles[name] = _Trouble(text, now)
                log.warning("l1_endpoint_differs", endpoint=name, trouble=text)
                continue
            trouble.text = text
            if not trouble.is_told and now - trouble.since >= PATIENCE:
                trouble.is_told = True
                log.error("l1_endpoint_in_trouble", endpoint=name, trouble=text, seconds=int(PATIENCE))


async def _gather(
    sources: Sequence[Source], tags: Sequence[Tag]
) -> list[tuple[Source, list[Header] | L1Error]]:
    async def try_one(source: Source) -> list[Header] | L1Error:
        try:
            return await ClientHeads(source.client).get(tags)
        except L1Error as error:
            return error

    return list(zip(sources, await asyncio.gather(*map(try_one, sources)), strict=True))


async def _get_at(heads: Sequence[tuple[Source, Header]], height: int) -> list[tuple[Source, Header]]:
    """What each endpoint has at a height that it has reached; those that do not answer now are left out."""
    found = []
    for source, head in heads:
        if head.number == height:
            found.append((source, head))
        elif head.number > height:
            try:
                header = await source.client.get_header(height)
            except L1Error:
                continue
            if header is not None:
                found.append((source, header))
    return found

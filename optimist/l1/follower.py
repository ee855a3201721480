"""Follows L1 block by block and notices every reorg by the parent hashes.

The follower keeps nothing. It is asked with a cursor (where the caller stands) and answers with an `Advance`:
which blocks are gone, which came, what our contracts logged in them, and the next cursor. The caller stores
that cursor together with what it made of the events, in one atomic write; then any crash and any repetition
is harmless.

    look(cursor) =  head := the block at the tag, final := the finalized block           (one request)
                    base := the last block of the cursor's trail that is still canonical
                    the blocks after base up to head, at most `chunk`, linked by their parent hashes
                    their logs, each of a block that we have the header of

An answer that does not fit is never used in part: L1Inconsistent, look again. Subscriptions and filters are
not used: they die with the connection, and cannot say what they have missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

import msgspec
import structlog

from optimist.l1.client import L1Client, Tag, require_header
from optimist.l1.errors import FinalizedReorg, L1Inconsistent
from optimist.l1.events import EventReader, Located
from optimist.l1.heads import ClientHeads, Heads
from optimist.l1.types import BlockRef, Header, Log, from_hex, to_hex

log = structlog.get_logger(__name__)

CHUNK: Final = 500  # blocks in one look
MIN_TRAIL: Final = 128  # blocks kept even where L1 calls younger ones final
MAX_TRAIL: Final = 8_192  # blocks; about 27 hours without finality, then a reorg means deriving anew


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a caller stands: the last blocks it has seen, without gaps, and how far they are final."""

    trail: tuple[BlockRef, ...]  # ascending; the last one is where the caller stands
    finalized: int  # number of the highest block that is final

    @property
    def tip(self) -> BlockRef:
        """The last block whose events the caller has."""
        return self.trail[-1]

    def encode(self) -> bytes:
        """As bytes, to be stored."""
        return msgspec.json.encode(
            {"finalized": self.finalized, "trail": [(ref.number, to_hex(ref.hash)) for ref in self.trail]}
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """From bytes. Raises ValueError."""
        content: Any = msgspec.json.decode(data)
        trail = tuple(BlockRef(int(number), from_hex(hash_)) for number, hash_ in content["trail"])
        return cls(trail, int(content["finalized"]))


@dataclass(frozen=True, slots=True)
class Advance:
    """What happened on L1 since the cursor: take back what came after `rollback_to`, then take the events."""

    rollback_to: BlockRef | None  # last block that is still canonical; None: nothing is gone
    headers: tuple[Header, ...]  # the new blocks, ascending
    events: tuple[Located, ...]  # what our contracts logged in them, in order
    cursor: Cursor  # where the caller stands once it has done all this
    head: BlockRef  # the block at the tag
    finalized: BlockRef  # what L1 calls final now

    @property
    def is_caught_up(self) -> bool:
        """Whether the cursor has reached the head: otherwise look again at once."""
        return self.cursor.tip.number >= self.head.number


class Follower:
    """Follows the contracts of one deployment at one tag."""

    def __init__(
        self,
        client: L1Client,
        reader: EventReader,
        *,
        start: int,
        tag: Tag = "latest",
        chunk: int = CHUNK,
        heads: Heads | None = None,
    ) -> None:
        """start: the block in which the first contract was created; no log is older.

        heads: who tells where L1 stands; None: whichever endpoint of the client answers.
        """
        self._client = client
        self._reader = reader
        self._start = start
        self._tag: Tag = tag
        self._chunk = chunk
        self._heads = heads or ClientHeads(client)
        self.latest: Header | None = None  # L1's newest block, if it answered the last look

    async def look(self, cursor: Cursor | None) -> Advance | None:
        """What is new since `cursor` (None: since ever). None when nothing is.

        Raises L1Unavailable, L1Inconsistent (look again later) or FinalizedReorg (stop).
        """
        self.latest = None
        head, finalized = await self._get_heads()
        if cursor is None:
            base = await self._get_start(head)
            rollback = False
        else:
            if head.number <= cursor.tip.number and head.ref in cursor.trail:
                return None  # nothing new, or a lagging endpoint, or a chain that shrank: wait for its next
            base = await self._find_base(cursor, head)
            rollback = base != cursor.tip
        headers = await self._get_chain(base, head)
        events = await self._get_events(headers)
        trail = cursor.trail if cursor is not None else (base,)
        if rollback:
            trail = trail[: trail.index(base) + 1]
            log.warning("l1_reorg", depth=cursor.tip.number - base.number if cursor else 0, to=base.number)
        return Advance(
            rollback_to=base if rollback else None,
            headers=headers,
            events=events,
            cursor=_extend(trail, headers, finalized, cursor),
            head=head.ref,
            finalized=finalized.ref,
        )

    async def _get_heads(self) -> tuple[Header, Header]:
        self.latest, head, finalized = await self._heads.get(["latest", self._tag, "finalized"])
        return head, finalized

    async def _get_start(self, head: Header) -> BlockRef:
        """The block before the first one of interest."""
        number = max(self._start - 1, 0)
        if head.number < number:
            raise L1Inconsistent(
                f"L1 is at block {head.number}, but the contracts are of block {self._start}"
            )
        return require_header(await self._client.get_header(number), number).ref

    async def _find_base(self, cursor: Cursor, head: Header) -> BlockRef:
        """The last block of the trail that is canonical."""
        candidates = [ref for ref in cursor.trail if ref.number <= head.number]
        width = 1  # one block on the happy path, then ever more at once
        while candidates:
            asked, candidates = candidates[-width:], candidates[:-width]
            headers = await self._client.get_headers([ref.number for ref in asked])
            for ref, header in zip(reversed(asked), reversed(headers), strict=True):
                if header is not None and header.hash == ref.hash:
                    _require_unfinalized(cursor, ref)
                    return ref
            width = min(width * 4, 64)
        raise FinalizedReorg(
            f"none of the {len(cursor.trail)} blocks from {cursor.trail[0].number} to {cursor.tip.number} is "
            "on this chain any more: is it another chain? If L1 really was reorganised this deep, delete the "
            "data directory and derive anew"
        )

    async def _get_chain(self, base: BlockRef, head: Header) -> tuple[Header, ...]:
        """The headers after `base`, at most a chunk of them, each the parent of the next."""
        last = min(head.number, base.number + self._chunk)
        numbers = range(base.number + 1, last + 1)
        headers = [
            require_header(header, number)
            for number, header in zip(numbers, await self._client.get_headers(list(numbers)), strict=True)
        ]
        parent = base
        for header in headers:
            if header.number != parent.number + 1 or header.parent_hash != parent.hash:
                raise L1Inconsistent(
                    f"block {header.number} is no child of the block {parent.number} that we saw"
                )
            parent = header.ref
        if last == head.number and not (headers[-1] == head if headers else base == head.ref):
            raise L1Inconsistent(f"the head {head.number} changed while we looked")
        return tuple(headers)

    async def _get_events(self, headers: Sequence[Header]) -> tuple[Located, ...]:
        if not headers:
            return ()
        by_number = {header.number: header for header in headers}
        logs = await self._client.get_logs(
            self._reader.addresses, first=headers[0].number, last=headers[-1].number
        )
        for entry in logs:
            header = by_number.get(entry.block)
            if (
                header is None
                or header.hash != entry.block_hash
                or not header.may_hold_logs_of(entry.address)
            ):
                raise L1Inconsistent(
                    f"log {entry.index} of block {entry.block} is of a block that we did not see"
                )
        logs += await self._get_missing(headers, logs)
        logs.sort(key=lambda entry: (entry.block, entry.index))
        for one, next_ in pairwise(logs):
            if (one.block, one.index) == (next_.block, next_.index):
                raise L1Inconsistent(
                    f"block {one.block} has two logs {one.index}: taken in, each would count"
                )
        return tuple(map(self._reader.read, logs))

    async def _get_missing(self, headers: Sequence[Header], logs: Sequence[Log]) -> list[Log]:
        """Logs of blocks whose bloom filter promises some of our contracts', but which showed none.

        A node that is still indexing, or one with a fault, leaves logs out; a bloom filter also promises too
        much now and then. Asked by the block's hash, a node that has no logs of it refuses instead.
        """
        seen = {(entry.block, entry.address) for entry in logs}
        asked: list[tuple[bytes, list[bytes]]] = []
        for header in headers:
            missing = [
                address
                for address in self._reader.addresses
                if (header.number, address) not in seen and header.may_hold_logs_of(address)
            ]
            if missing:
                asked.append((header.hash, missing))
        return await self._client.get_logs_of_blocks(asked) if asked else []


def _require_unfinalized(cursor: Cursor, base: BlockRef) -> None:
    if base.number < min(cursor.finalized, cursor.tip.number):
        raise FinalizedReorg(
            f"L1 had called block {cursor.finalized} final, but its chain now leaves ours after "
            f"{base.number}: stop, and find out which of your L1 endpoints lies before you trust any"
        )


def _extend(
    trail: Sequence[BlockRef], headers: Sequence[Header], finalized: Header, cursor: Cursor | None
) -> Cursor:
    longer = (*trail, *(header.ref for header in headers))
    if any(ref.number == finalized.number and ref.hash != finalized.hash for ref in longer):
        raise L1Inconsistent(f"the final block {finalized.number} is not on the chain of the head")
    final = max(min(finalized.number, longer[-1].number), cursor.finalized if cursor else 0)
    keep_from = min(final, longer[-1].number - MIN_TRAIL)
    kept = tuple(ref for ref in longer if ref.number >= keep_from)[-MAX_TRAIL:]
    return Cursor(kept, final)

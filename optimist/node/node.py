"""The node: follows L1, derives every batch, applies the law, and remembers.

    look = (rollback?, new events)    from the follower, at one block hash
      roll back    take back the events of lost blocks, newest first: their batches, their queue items
      go on        QueueItem -> the queue; BatchSealed -> derive, check the accumulator, apply the law
      write        records, batches, logs and the cursor in one atomic write

A node that was started empty and one that has lived through everything come to the same root at every batch
end: state is a function of L1 alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from optimist.derive.batch import DerivationError, derive_batch
from optimist.l1.client import L1Client, require_header
from optimist.l1.errors import L1Error, L1Inconsistent, L1Unavailable, RpcError
from optimist.l1.events import BatchSealed, EventReader, Located, QueueItem
from optimist.l1.follower import Advance, Cursor, Follower
from optimist.l1.types import BlockRef
from optimist.node.kept import decode_batch, decode_log, encode_batch, encode_log
from optimist.node.ledger import AppliedBatch, Ledger
from optimist.store.state_store import Change, StateDamaged, StateStore

log = structlog.get_logger(__name__)

SLICE = 64  # inputs applied before others get their turn: some milliseconds


class NodeInterrupted(Exception):
    """A look was cut off half-way (cancelled, or the disk failed): open the node again."""


@dataclass(frozen=True, slots=True)
class QueuedInput:
    """An item of L1's queue, and the block that brought it."""

    index: int
    enqueued_at: int
    input: bytes
    block: int


class Node:
    """State from L1 alone. Single-threaded: `advance` from one task, read from the same event loop."""

    def __init__(
        self,
        client: L1Client,
        follower: Follower,
        reader: EventReader,
        law: Callable[[], None],
        store: StateStore | None = None,
    ) -> None:
        """`law`: its native entry. Without a `store` everything is derived anew at every start."""
        self._client = client
        self._follower = follower
        self._reader = reader
        self._law = law
        self._store = store
        self._cursor: Cursor | None = None
        self._queue: list[QueuedInput] = []
        self._located: list[Located] = []
        self._listeners: list[Callable[[], None]] = []
        self._is_torn = False
        self.ledger = Ledger(law)
        self.timestamp = 0
        self.finalized = 0
        self.is_caught_up = False
        if store is not None:
            self._load(store)

    # ------------------------------------------------------------------------------------------------- asking

    @property
    def head(self) -> BlockRef | None:
        """The last block of L1 whose events are in; None before the first look."""
        return self._cursor.tip if self._cursor else None

    @property
    def events(self) -> Sequence[Located]:
        """Everything that our contracts ever logged, in order."""
        return self._located

    @property
    def queue_length(self) -> int:
        """Items that were ever enqueued."""
        return len(self._queue)

    def get_queue(self, start: int, count: int | None = None) -> Sequence[QueuedInput]:
        """Queue items from index `start` on."""
        return self._queue[start : None if count is None else start + count]

    def get_sealed(self, batch: int) -> Located | None:
        """The event that sealed a batch, with its block; None while there is none."""
        for located in reversed(self._located):
            if isinstance(located.event, BatchSealed) and located.event.batch == batch:
                return located
        return None

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every look that changed something."""
        self._listeners.append(listener)

    # ---------------------------------------------------------------------------------------------- following

    async def advance(self) -> bool:
        """Look at L1 once and take in what is new; True when something was.

        Raises L1Unavailable, L1Inconsistent, RpcError (look again); FinalizedReorg, DerivationError or
        NodeInterrupted (stop).
        """
        if self._is_torn:
            raise NodeInterrupted("the last look was cut off half-way, what is in memory belongs to no block")
        latest = require_header(await self._client.get_header("latest"), "latest")
        self.timestamp = latest.timestamp
        advance = await self._follower.look(self._cursor)
        if advance is None:
            self.is_caught_up = True
            return False
        await self._take(advance)
        self.is_caught_up = advance.is_caught_up
        return True

    async def catch_up(self) -> None:
        """Look until the head is reached. Raises what `advance` raises."""
        while await self.advance() and not self.is_caught_up:
            pass

    async def run(self, poll: float) -> None:
        """Look every `poll` seconds, for ever. L1's moods are waited out; anything worse is raised."""
        while True:
            try:
                await self.advance()
                if self.is_caught_up:
                    await asyncio.sleep(poll)
            except (L1Unavailable, L1Inconsistent, RpcError) as error:
                log.warning("l1_look_failed", error=str(error))
                await asyncio.sleep(poll)

    async def _take(self, advance: Advance) -> None:
        self._is_torn = True
        change = Change(cursor=advance.cursor.encode())
        before = len(self._located)
        if advance.rollback_to is not None:
            self._roll_back(advance.rollback_to.number, change)
        for located in advance.events:
            await self._take_event(located, change)
        for number in range(len(self._located), before):
            change.logs[number] = None
        if self._store is not None:
            self._store.write(change)
        self._cursor = advance.cursor
        self.finalized = advance.finalized.number
        self._is_torn = False
        for listener in self._listeners:
            listener()

    async def _take_event(self, located: Located, change: Change) -> None:
        match located.event:
            case QueueItem(index=index, enqueued_at=enqueued_at, input=data):
                if index != len(self._queue):
                    raise DerivationError(f"queue item {index} does not follow item {len(self._queue) - 1}")
                self._queue.append(QueuedInput(index, enqueued_at, data, located.block.number))
            case BatchSealed() as sealed:
                await self._apply(sealed, change)
            case _:
                pass
        change.logs[len(self._located)] = encode_log(located.log)
        self._located.append(located)

    async def _apply(self, sealed: BatchSealed, change: Change) -> None:
        """Derive a batch and apply it, a slice at a time: the same process may have people waiting."""
        items = [item.input for item in self.get_queue(sealed.queue_from, sealed.queue_count)]
        batch = derive_batch(sealed.to_sealed_batch(), items, self.ledger.get_accumulator())
        pending = self.ledger.begin(batch, sealed.first, sealed.last, sealed.queue_count)
        for _ in range(0, len(batch.inputs), SLICE):
            pending.apply_some(SLICE)
            await asyncio.sleep(0)
        root = await asyncio.to_thread(self.ledger.compute_root, pending)
        applied = self.ledger.finish(pending, root)
        self._note_records(applied, change)
        change.batches[batch.number] = encode_batch(applied)
        rejected = sum(code != 0 for code in applied.codes)
        log.info(
            "batch_derived",
            batch=batch.number,
            inputs=len(batch.inputs),
            rejected=rejected,
            mode=sealed.mode,
            root=applied.root,
        )

    def _roll_back(self, to: int, change: Change) -> None:
        while self._located and self._located[-1].block.number > to:
            lost = self._located.pop()
            match lost.event:
                case QueueItem():
                    self._queue.pop()
                case BatchSealed(batch=number):
                    self._note_records(self.ledger.take_back(), change)
                    change.batches[number] = None
                    log.warning("batch_lost", batch=number, block=lost.block.number)
                case _:
                    pass

    def _note_records(self, applied: AppliedBatch, change: Change) -> None:
        for key in applied.undo:
            change.records[key] = self.ledger.state.get_bytes(key)

    # --------------------------------------------------------------------------------------------- restarting

    def _load(self, store: StateStore) -> None:
        """Go on from what is kept, unless it does not fit together: then everything is derived anew."""
        try:
            kept = store.load()
            if kept is None:
                return
            batches = [decode_batch(data) for data in kept.batches]
            located = [self._reader.read(decode_log(data)) for data in kept.logs]
            self.ledger = Ledger(self._law, batches, kept.records)
            self._cursor = Cursor.decode(kept.cursor)
        except (StateDamaged, ValueError, L1Error) as error:
            log.warning("kept_state_unusable", error=str(error), action="deriving anew from L1")
            store.clear()
            self.ledger = Ledger(self._law)
            return
        self._located = located
        self._queue = [
            QueuedInput(each.event.index, each.event.enqueued_at, each.event.input, each.block.number)
            for each in located
            if isinstance(each.event, QueueItem)
        ]
        log.info("state_loaded", batch=self.ledger.batch_count, block=self._cursor.tip.number)

"""The node: follows L1, derives every batch, applies the law, and remembers.

    look = (rollback?, new events)    from the follower, at one block hash
      roll back    take back the events of lost blocks, newest first: their batches, their queue items
      go on        QueueItem -> the queue; BatchSealed -> derive, check the accumulator, apply the law
      forget       what came before an assertion whose confirmation is final: nobody can dispute it any more
      write        records, batches, logs and the cursor in one atomic write

A node that was started empty and one that has lived through everything come to the same root at every batch
end: state is a function of L1 alone.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from optimist.base.merkle import ZERO
from optimist.derive.batch import DerivationError, derive_batch
from optimist.derive.commitments import compute_leaf
from optimist.l1.client import L1Client
from optimist.l1.errors import L1Error, L1Inconsistent, L1Unavailable, RpcError
from optimist.l1.events import BatchSealed, EventReader, Located, QueueItem
from optimist.l1.follower import Advance, Cursor, Follower
from optimist.l1.sources import SourcesDisagree
from optimist.l1.types import BlockRef
from optimist.node.assertions import find_final
from optimist.node.executors import Executor, LocalExecutor
from optimist.node.history import History
from optimist.node.kept import decode_batch, decode_log, encode_batch, encode_log
from optimist.node.ledger import AppliedBatch, BatchEnd, Ledger
from optimist.store.state_store import Change, StateDamaged, StateStore

log = structlog.get_logger(__name__)

LOOK_AGAIN: Final = (L1Unavailable, L1Inconsistent, RpcError, SourcesDisagree)  # L1's moods


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
        history_days: int = 0,
        checkpoint: Callable[[str], None] = lambda _: None,
        executor: Executor | None = None,
    ) -> None:
        """`law`: its native entry. Without a `store` everything is derived anew at every start.

        `executor`: who runs the law, by default this process; it keeps receipts if `history_days` is not 0.

        `history_days`: how long receipts are kept in the store; 0 keeps none.
        `checkpoint`: told "before-state-write"; tests kill us there.
        """
        self._checkpoint = checkpoint
        self._client = client
        self._follower = follower
        self._reader = reader
        self._law = law
        self._store = store
        self._cursor: Cursor | None = None
        self._queue: list[QueuedInput] = []
        self._queue_start = 0  # items before it are forgotten
        self._located: list[Located] = []
        self._listeners: list[Callable[[], None]] = []
        self._is_torn = False
        self.ledger = Ledger(law)
        self.history = History(store, history_days)
        self.executor = executor or LocalExecutor(law, keeps_receipts=self.history.is_kept)
        self.timestamp = 0
        self.base_fee = 0  # of L1's newest block, wei per gas
        self.heard_at = time.monotonic()  # when L1 answered last
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
    def is_between_looks(self) -> bool:
        """Whether all in memory is of one block: while a look is taken in, some of the next one is."""
        return not self._is_torn

    @property
    def events(self) -> Sequence[Located]:
        """Everything that our contracts ever logged, in order.

        Without the inputs: they are in the ledger's batches and in the queue, as long as anybody needs them.
        """
        return self._located

    @property
    def queue_length(self) -> int:
        """Items that were ever enqueued."""
        return self._queue_start + len(self._queue)

    @property
    def queue_start(self) -> int:
        """The oldest item that is not forgotten: all before it are in batches that are forgotten too."""
        return self._queue_start

    def get_queue(self, start: int, count: int | None = None) -> Sequence[QueuedInput]:
        """Queue items from index `start` on. Raises LookupError when they are forgotten."""
        first = start - self._queue_start
        if first < 0:
            raise LookupError(f"queue item {start} is forgotten, the first one here is {self._queue_start}")
        return self._queue[first : None if count is None else first + count]

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every look that changed something."""
        self._listeners.append(listener)

    # ---------------------------------------------------------------------------------------------- following

    async def advance(self) -> bool:
        """Look at L1 once and take in what is new; True when something was.

        Raises L1Unavailable, L1Inconsistent, SourcesDisagree, RpcError (look again: another endpoint is
        asked then); FinalizedReorg, DerivationError or NodeInterrupted (stop).
        """
        if self._is_torn:
            raise NodeInterrupted("the last look was cut off half-way, what is in memory belongs to no block")
        try:
            advance = await self._follower.look(self._cursor)
        except LOOK_AGAIN:
            self._client.turn_to_next()
            raise
        finally:
            if self._follower.latest is not None:
                self.timestamp = self._follower.latest.timestamp
                self.base_fee = self._follower.latest.base_fee
                self.heard_at = time.monotonic()
        if advance is None:
            self.is_caught_up = True
            return False
        await self._take(advance)
        self.is_caught_up = advance.is_caught_up
        return True

    async def catch_up(self) -> None:
        """Look until the head is reached. Raises what `advance` raises, at every endpoint in a row."""
        failures = 0
        while True:
            try:
                if not await self.advance() or self.is_caught_up:
                    return
                failures = 0
            except LOOK_AGAIN as error:
                failures += 1
                if failures >= self._client.endpoint_count:
                    raise
                log.warning("l1_look_failed", error=str(error))

    async def run(self, poll: float) -> None:
        """Look every `poll` seconds, for ever. L1's moods are waited out; anything worse is raised."""
        while True:
            try:
                await self.advance()
                if self.is_caught_up:
                    await asyncio.sleep(poll)
            except LOOK_AGAIN as error:
                log.warning("l1_look_failed", error=str(error))
                await asyncio.sleep(poll)

    async def _take(self, advance: Advance) -> None:
        self._is_torn = True
        change = Change(cursor=advance.cursor.encode())
        before = len(self._located)
        if advance.rollback_to is not None:
            self._roll_back(advance.rollback_to.number, change)
        try:
            for located in advance.events:
                await self._take_event(located, change)
        except DerivationError:
            # An endpoint has told us something false, perhaps long ago: no later start must meet it again.
            if self._store is not None:
                self._store.clear()
            raise
        self._forget(advance.finalized.number, change)
        self.history.prune(self.timestamp, change)
        for number in range(len(self._located), before):
            change.logs[number] = None
        self._checkpoint("before-state-write")
        if self._store is not None:
            self._store.write(change)
        self._cursor = advance.cursor
        self.finalized = advance.finalized.number
        self._is_torn = False
        for listener in self._listeners:
            listener()

    async def _take_event(self, located: Located, change: Change) -> None:
        match located.event:
            case QueueItem() as item:
                if item.index != self.queue_length:
                    raise DerivationError(
                        f"queue item {item.index} does not follow item {self.queue_length - 1}"
                    )
                self._queue.append(_get_queued(item, located.block.number))
            case BatchSealed() as sealed:
                await self._apply(sealed, change)
            case _:
                pass
        change.logs[len(self._located)] = encode_log(located.log)
        self._located.append(_lighten(located))

    async def _apply(self, sealed: BatchSealed, change: Change) -> None:
        """Derive a batch and apply it; whoever shares the process with us has their turns meanwhile."""
        items = [item.input for item in self.get_queue(sealed.queue_from, sealed.queue_count)]
        batch = derive_batch(sealed.to_sealed_batch(), items, self.ledger.get_accumulator())
        execution = await self.executor.execute(self.ledger, batch, sealed.first)
        root = await asyncio.to_thread(self.ledger.compute_root, execution)
        applied = self.ledger.finish(batch, sealed.first, sealed.last, sealed.queue_count, execution, root)
        self.history.keep(batch.number, execution.receipts, change)
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
                    self.history.take_back(number, change)
                    change.batches[number] = None
                    log.warning("batch_lost", batch=number, block=lost.block.number)
                case _:
                    pass

    def _forget(self, finalized: int, change: Change) -> None:
        """Forget what is needed only to dispute, or to take back, what L1 has confirmed for good.

        The last batch of the assertion stays: ranges that follow are replayed from its end.
        """
        final = find_final(self._located, finalized)
        if final is None or final.to <= self.ledger.forgotten + 1:
            return
        root = self.ledger.get_end_root(final.to)
        if root is None or compute_leaf(root, final.to, ZERO) != final.end:
            return  # L1 has confirmed what the law does not give: somebody will want to look into it
        ends = self.ledger.forget(final.to - 1)
        queue_end = ends[-1].queue_next
        for end in ends:
            change.batches[end.number] = encode_batch(end)
        batches, items = range(ends[0].number, ends[-1].number + 1), range(self._queue_start, queue_end)
        for number, located in enumerate(self._located):
            event = located.event
            if (isinstance(event, BatchSealed) and event.batch in batches) or (
                isinstance(event, QueueItem) and event.index in items
            ):
                change.logs[number] = encode_log(self._reader.rewrite(located))  # without the inputs
        del self._queue[: len(items)]
        self._queue_start = queue_end
        log.info("batches_forgotten", until=ends[-1].number, confirmed=final.to)

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
            ends = [batch for batch in batches if isinstance(batch, BatchEnd)]
            whole = [batch for batch in batches if isinstance(batch, AppliedBatch)]
            ledger = Ledger(self._law, whole, kept.records, ends)
            queue_start = ends[-1].queue_next if ends else 0
            located, queue = self._read_logs(kept.logs, queue_start)
            cursor = Cursor.decode(kept.cursor)
        except (StateDamaged, ValueError, L1Error) as error:
            log.warning("kept_state_unusable", error=str(error), action="deriving anew from L1")
            store.clear()
            return
        self.ledger, self._located, self._cursor = ledger, located, cursor
        self._queue, self._queue_start = queue, queue_start
        log.info("state_loaded", batch=self.ledger.batch_count, block=cursor.tip.number)

    def _read_logs(self, logs: Iterable[bytes], queue_start: int) -> tuple[list[Located], list[QueuedInput]]:
        """Events, and queue items from `queue_start` on. Raises L1Error, ValueError."""
        events: list[Located] = []
        queue: list[QueuedInput] = []
        for data in logs:
            located = self._reader.read(decode_log(data))
            if isinstance(located.event, QueueItem) and located.event.index >= queue_start:
                queue.append(_get_queued(located.event, located.block.number))
            events.append(_lighten(located))
        return events, queue


def _get_queued(item: QueueItem, block: int) -> QueuedInput:
    return QueuedInput(item.index, item.enqueued_at, item.input, block)


def _lighten(located: Located) -> Located:
    """The event without the bytes that are kept elsewhere, or have done their duty."""
    event = located.event
    match event:
        case BatchSealed():
            event = replace(event, rows=b"")
        case QueueItem():
            event = replace(event, input=b"")
        case _:
            pass
    return Located(event, located.contract, replace(located.log, data=b""))

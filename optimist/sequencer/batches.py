"""The sequencer's batches: opened, closed, and taken back when L1 goes another way.

    open ──seal──► closed ──the journal says so──► to be posted ──► on L1

The engine, the recorder and the line of closed batches are made anew together, from L1 and the journal, by
`restore`: at a start, after a full disk, and after L1 has gone another way.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog

from optimist.ops.failpoints import Failpoints
from optimist.sequencer.builder import Builder, SealedBatch
from optimist.sequencer.cadence import Cadence
from optimist.sequencer.clock import L1Clock
from optimist.sequencer.engine import Engine
from optimist.sequencer.entries import decode_record
from optimist.sequencer.line import Line
from optimist.sequencer.ports import Chain
from optimist.sequencer.recorder import Recorder
from optimist.sequencer.recovery import JournalBehind, Recovered, Room, rebase, recover
from optimist.sequencer.snapshots import Snapshots
from optimist.sequencer.terms import Terms
from optimist.sequencer.views import get_silence
from optimist.sequencer.watchers import Watchers
from optimist.store.segments import SegmentedJournal

log = structlog.get_logger(__name__)

INPUTS_KEPT_FREE: Final = 64  # of a batch's inputs, for what a single action adds to a batch that is not full


class Batches:
    """From the engine to what L1 is to be given. Use from one event loop; `restore` first."""

    def __init__(
        self,
        terms: Terms,
        chain: Chain,
        journal: SegmentedJournal,
        clock: L1Clock,
        cadence: Cadence,
        failpoints: Failpoints,
        watchers: Watchers,
    ) -> None:
        """`watchers`: who is told what has become safe, and when the books were made anew."""
        self._terms = terms
        self._chain = chain
        self._journal = journal
        self._snapshots = Snapshots(journal)
        self._clock = clock
        self._cadence = cadence
        self._failpoints = failpoints
        self._watchers = watchers
        self._recorder = Recorder(journal, watchers)
        self._engine = self._new_engine()
        self._line = Line(chain)
        self._sealing: list[SealedBatch] = []  # closed, but the journal does not say so yet: not to be posted
        self._opened_at = 0.0
        self._is_astray = False  # L1 does not lead to where the engine is: the engine must go back
        self._given_up = 0  # the first batch that the Inbox will not take any more
        self._last_void: dict[str, Any] | None = None

    @property
    def engine(self) -> Engine:
        """The present one: `restore` makes another."""
        return self._engine

    @property
    def recorder(self) -> Recorder:
        """What the engine has made on its way to the journal."""
        return self._recorder

    @property
    def is_astray(self) -> bool:
        """L1 has gone another way: nothing may be taken until `go_back`."""
        return self._is_astray

    # --------------------------------------------------------------------------------------- back to L1's way

    def restore(self) -> None:
        """Bring a new engine to where the journal was, behind what L1 has.

        What L1 has no place for any more is sequenced again; the journal hears of it with whatever comes
        next. Raises HeadMismatch, JournalBehind.
        """
        self._clock.observe(self._chain.timestamp)
        engine = self._new_engine()
        line = Line(self._chain)
        start = self._snapshots.find_start(self._chain)
        records = (tuple(decode_record(record)) for _, record in self._journal.read(start))
        found = recover(engine, self._chain, records, self._given_up)
        self._engine, self._line = engine, line
        self._recorder.start_over()
        self._sealing, self._is_astray, self._given_up = [], False, 0
        for sealed in found.unposted:
            line.append(sealed)
        self._opened_at = asyncio.get_running_loop().time()
        log.info(
            "sequencer_recovered",
            batch=engine.builder.head.batch,
            on_l1=self._chain.batch_count,
            unposted=len(found.unposted),
            orphans=len(found.orphans),
            journal_from=start,
            journal_records=self._journal.next_sequence,
        )
        if found.voided:
            self._rebase(found)
        self._watchers.renew()

    def restore_without_journal(self) -> None:
        """`restore`, unless the journal does not know L1's batches: then go on behind L1's last one.

        The books are empty there. What was acknowledged and never posted is lost with the journal. The next
        `restore` begins behind it.
        """
        try:
            self.restore()
        except JournalBehind as error:
            head = self._chain.head()
            log.warning("journal_given_up", reason=str(error), batch=head.batch)
            self._snapshots.prepare(head.batch, head.accumulator, (), 0)()

    async def go_back(self) -> None:
        """To what L1 has and the journal holds beyond it. Raises HeadMismatch, JournalBehind, ApiError."""
        if self._recorder.has_entries:
            await self._recorder.write()
        await self._recorder.flush()
        self.restore()
        if self._recorder.has_entries:
            await self._recorder.write()

    def observe_l1(self) -> None:
        """The node has followed L1: take the time from its newest block, compare its batches with ours."""
        self._clock.observe(self._chain.timestamp)
        if self._is_astray:
            return
        builder = self._engine.builder
        reason = self._line.find_break(self._sealing, builder.open_batch, builder.head.queue_next)
        if reason:
            log.warning("l1_went_another_way", reason=reason, on_l1=self._chain.batch_count)
            self._is_astray = True

    def give_up(self, batch: int, reason: str) -> None:
        """The Inbox will never take this batch: its inputs are sequenced again, at the present second."""
        log.warning("batch_given_up", batch=batch, reason=reason)
        self._is_astray, self._given_up = True, batch

    def _new_engine(self) -> Engine:
        return Engine(Builder(self._terms.law, self._chain.head()), self._terms.domain)

    def _rebase(self, found: Recovered) -> None:
        resting = list(self._engine.resting())
        rebased = rebase(self._engine, self._chain, found, self._clock.now(), self._room, resting)
        for data, code in rebased.lost:
            log.warning("confirmed_input_voided", input=data, code=code, batch=found.voided)
        lost = len(rebased.lost)
        log.warning("sequenced_again", batch=found.voided, inputs=len(found.orphans) - lost, lost=lost)
        self._last_void = {"batch": found.voided, "inputs": len(found.orphans), "lost": lost}
        self._recorder.start_over(rebased.entries)
        for sealed in rebased.sealed:
            self._line.append(sealed)

    # ------------------------------------------------------------------------------------ opening and closing

    @property
    def _room(self) -> Room:
        preset = self._terms.preset
        inputs = preset.max_batch - INPUTS_KEPT_FREE
        return Room(self._cadence.row_bytes, inputs, preset.max_queue_items)

    def ensure_open(self) -> None:
        """Open a batch, which begins with what waits in L1's queue, unless one is open."""
        if self._engine.builder.open_batch is not None:
            return
        start = self._engine.builder.head.queue_next
        count = min(self._chain.queue_length - start, self._terms.preset.max_queue_items)
        self._recorder.add(self._engine.open(self._clock.now(), self._chain.queue_inputs(start, count)))
        self._opened_at = asyncio.get_running_loop().time()

    def make_room(self) -> None:
        """Close a full batch at once: whatever a single action adds still fits, many of them do not."""
        if self._room.is_full(self._engine):
            _ = self._seal()  # nobody waits for it: what follows is written behind it

    def abandon_empty(self) -> None:
        """A batch opened for an action that the law refused need not be posted: nobody knows of it."""
        if self._recorder.ends_with_opening and self._engine.builder.abandon():
            self._recorder.take_back_opening()

    async def seal_if_due(self) -> bool:
        """Open a batch for what waits in L1's queue; close a due one. True when one was closed.

        What the engine has made meanwhile is given to the journal. Raises ApiError when that takes no more.
        """
        builder = self._engine.builder
        if builder.open_batch is None:
            if self._chain.queue_length > builder.head.queue_next or self._is_silent():
                self.ensure_open()
            if self._recorder.has_entries:
                await self._recorder.write()
            return False
        if not self._is_due():
            if self._recorder.has_outcomes:
                await self._recorder.write()
            return False
        await self._recorder.wait(self._seal())
        return True

    def _is_due(self) -> bool:
        return self._cadence.is_due(
            age=asyncio.get_running_loop().time() - self._opened_at,
            is_full=self._room.is_full(self._engine),
            unposted=len(self._line.unposted),
            base_fee=self._chain.base_fee,
        )

    def _is_silent(self) -> bool:
        head = self._engine.builder.head
        return self._cadence.is_silent(
            idle=self._clock.now() - head.last,
            silence=get_silence(head.state),
            unposted=self._count_unposted(),
        )

    def _seal(self) -> "asyncio.Future[int]":
        """Close the open batch; it may be posted once the journal says so. Raises ApiError."""
        entry, sealed = self._engine.seal()
        self._recorder.add(entry)
        self._sealing.append(sealed)
        future = self._recorder.give(self._get_due_snapshot(sealed))
        future.add_done_callback(lambda done: self._count_as_closed(sealed, done))
        return future

    def _count_as_closed(self, sealed: SealedBatch, done: "asyncio.Future[int]") -> None:
        if done.exception() is None and any(each is sealed for each in self._sealing):
            self._sealing = [each for each in self._sealing if each is not sealed]
            self._failpoints.reach("after-seal")
            self._line.append(sealed)
            log.info("batch_sealed", batch=sealed.header.batch, inputs=len(sealed.batch.inputs))

    def _get_due_snapshot(self, sealed: SealedBatch) -> Callable[[], None] | None:
        """What takes a snapshot behind the batch closed just now, once the journal's file is long."""
        if self._journal.size < self._cadence.journal_bytes:
            return None
        orders = list(self._engine.resting())
        batch = sealed.batch
        return self._snapshots.prepare(batch.number, batch.accumulator, orders, self._chain.final_batch)

    # ------------------------------------------------------------------------------------- what waits for L1

    @property
    def unposted(self) -> list[SealedBatch]:
        """Closed batches that L1 does not have, or no longer has after a reorg; oldest first."""
        return [] if self._is_astray else self._line.unposted

    def get_unposted_inputs(self) -> list[bytes]:
        """Sequenced inputs that are in no batch on L1, oldest first."""
        opened = self._engine.builder.open_batch
        closed = [*self._line.unposted, *self._sealing]
        return [data for sealed in closed for data in sealed.sequenced] + (opened.sequenced if opened else [])

    @property
    def backlog_bytes(self) -> int:
        """Bytes of inputs that L1 does not have."""
        opened = self._engine.builder.open_batch
        return self._line.unposted_bytes + (opened.row_bytes if opened else 0)

    @property
    def behind(self) -> int:
        """Seconds since the oldest batch that L1 does not have was opened."""
        return self._clock.now() - self._find_oldest_second()

    def _find_oldest_second(self) -> int:
        unposted = self.unposted
        if unposted:
            return unposted[0].header.first
        opened = self._engine.builder.open_batch
        return opened.first if opened else self._clock.now()

    def _count_unposted(self) -> int:
        return len(self._line.unposted) + len(self._sealing)

    def status(self) -> dict[str, Any]:
        """Heads and backlog."""
        head, opened = self._engine.builder.head, self._engine.builder.open_batch
        return {
            "softInputs": head.soft_number,
            "softHistory": "0x" + head.soft_history.hex(),
            "openBatch": opened.number if opened else None,
            "sealedBatch": head.batch,
            "postedBatch": self._chain.batch_count,
            "unposted": self._count_unposted(),
            "unpostedBytes": self._line.unposted_bytes,
            "voided": self._last_void,
            "queueNext": head.queue_next,
            "queueLength": self._chain.queue_length,
        }

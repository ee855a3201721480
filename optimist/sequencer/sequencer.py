"""The sequencer: takes actions, applies the law, journals, acknowledges, and seals batches for the batcher.

    check at the door -> match and apply in memory -> journal (group commit) -> sign -> answer

From the engine to the journal the event loop is never let go, so records reach the disk in the order in which
the engine made them. Acknowledged means on disk: a crash at any point loses no acknowledged input, and what
was not acknowledged may be gone.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from optimist.api.errors import ApiError, ErrorCode, api_error, refusal_error
from optimist.api.promises import DeadMan, PostOnly
from optimist.api.schema import ActionAnswer, ActionResult, Confirmation, ParsedAction
from optimist.base.presets import Preset
from optimist.derive.actions import SignedOrder
from optimist.derive.typed_data import Domain
from optimist.l1.remote_signer import SignerUnavailable
from optimist.ops.failpoints import Failpoints
from optimist.provable import State
from optimist.sequencer.builder import Builder, SealedBatch
from optimist.sequencer.cadence import Cadence
from optimist.sequencer.clock import L1Clock
from optimist.sequencer.confirmations import Confirmer
from optimist.sequencer.engine import Engine, Outcome
from optimist.sequencer.entries import decode_record
from optimist.sequencer.house_rules import check_freshness, check_place, set_switch
from optimist.sequencer.intake import Intake, Known
from optimist.sequencer.line import Line
from optimist.sequencer.ports import Chain
from optimist.sequencer.recorder import Recorder
from optimist.sequencer.recoverer import Recoverer
from optimist.sequencer.recovery import JournalBehind, Recovered, Room, rebase, recover
from optimist.sequencer.snapshots import Snapshots
from optimist.sequencer.views import find_stale_markets, get_silence
from optimist.sequencer.watchers import Watchers
from optimist.store.segments import SegmentedJournal

log = structlog.get_logger(__name__)


ASTRAY = "L1 has gone another way: what it took back is being sequenced again"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the sequencer is for."""

    law: Callable[[], None]
    preset: Preset
    domain: Domain
    image_root: bytes


class Sequencer:
    """Behind the API (`api.http.Door`). One event loop; `recover` first."""

    def __init__(
        self,
        terms: Terms,
        chain: Chain,
        journal: SegmentedJournal,
        confirmer: Confirmer,
        clock: L1Clock,
        cadence: Cadence,
        failpoints: Failpoints,
        watchers: Watchers | None = None,
    ) -> None:
        """`watchers`: who is told what has become safe, and when the books were made anew."""
        self._terms = terms
        self._chain = chain
        self._journal = journal
        self._snapshots = Snapshots(journal)
        self._confirmer = confirmer
        self._clock = clock
        self._cadence = cadence
        self._failpoints = failpoints
        self._engine = self._new_engine()
        self._recoverer = Recoverer()
        self._intake = Intake(
            terms.domain, self._recoverer, terms.preset, lambda: self._engine.builder.head.state, clock.now
        )
        self.watchers = watchers or Watchers()
        self._recorder = Recorder(journal, self.watchers)
        self._opened_at = 0.0
        self._waiting = 0
        self._refusing = "still starting"
        self.meter: Callable[[float, str], None] = lambda _seconds, _outcome: None  # told of every answer
        self._line = Line(chain)
        self._sealing: list[SealedBatch] = []  # closed, but the journal does not say so yet: not to be posted
        self._is_astray = False  # L1 does not lead to where the engine is: the engine must go back
        self._given_up = 0  # the first batch that the Inbox will not take any more
        self._last_void: dict[str, Any] | None = None
        self._prices_from = 0  # orders are taken where the newest price is not older than this second

    @property
    def terms(self) -> Terms:
        """What it is for."""
        return self._terms

    @property
    def chain(self) -> Chain:
        """L1 as it sees it."""
        return self._chain

    @property
    def engine(self) -> Engine:
        """The present one: a start or a foreign batch makes another."""
        return self._engine

    @property
    def state(self) -> State:
        """The law's state, open batch included. Not to be changed."""
        return self._engine.builder.head.state

    def get_unposted_inputs(self) -> list[bytes]:
        """Sequenced inputs that are in no batch on L1, oldest first."""
        opened = self._engine.builder.open_batch
        closed = [*self._line.unposted, *self._sealing]
        return [data for sealed in closed for data in sealed.sequenced] + (opened.sequenced if opened else [])

    # ----------------------------------------------------------------------------------------------- starting

    def recover(self) -> None:
        """Bring the engine to where the journal was; afterwards actions are taken. Raises HeadMismatch."""
        self._restore()
        self._refusing = ""

    def _restore(self) -> None:
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
        self.watchers.renew()

    def demand_fresh_prices(self) -> None:
        """From now on take orders in a market only once it has a price that is newer than this moment."""
        self._prices_from = self._chain.timestamp

    def accept_lost_journal(self) -> None:
        """Where the journal does not know L1's batches: go on behind L1's last one, with empty books.

        What was acknowledged and never posted is lost with the journal. Does nothing to a whole journal.
        """
        try:
            self.recover()
        except JournalBehind as error:
            head = self._chain.head()
            log.warning("journal_given_up", reason=str(error), batch=head.batch)
            self._snapshots.prepare(head.batch, head.accumulator, (), 0)()

    def _new_engine(self) -> Engine:
        return Engine(Builder(self._terms.law, self._chain.head()), self._terms.domain)

    def _rebase(self, found: Recovered) -> None:
        """Sequence orphans again, behind what stands; the journal hears of it with whatever comes next."""
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

    @property
    def _room(self) -> Room:
        preset = self._terms.preset
        return Room(self._cadence.row_bytes, preset.max_batch - 64, preset.max_queue_items)

    # ----------------------------------------------------------------------------------------------- the door

    async def submit(self, action: ParsedAction) -> ActionAnswer:
        """Sequence an action; answers once it is safe on disk. Raises ApiError."""
        [result], confirmation = await self.submit_all((action,))
        if isinstance(result, ApiError):
            raise result
        assert confirmation is not None  # noqa: S101 - something was taken
        return ActionAnswer(**msgspec.structs.asdict(result), confirmation=confirmation)

    async def submit_all(
        self, actions: Sequence[ParsedAction | ApiError]
    ) -> tuple[list[ActionResult | ApiError], Confirmation | None]:
        """Sequence actions one after the other; answers once all are safe on disk, as one journal record.

        Each has its own result or error; what was no action to begin with keeps its error. The confirmation
        covers all of them, None when every one was refused. Actions are matched in the order of the calls.
        Raises ApiError for all of them.
        """
        begun = time.monotonic()
        try:
            results, confirmation = await self._take_all(actions)
        except ApiError as error:
            self.meter(time.monotonic() - begun, error.name)
            raise
        for result in results:
            outcome = result.name if isinstance(result, ApiError) else "accepted"
            self.meter(time.monotonic() - begun, outcome)
        return results, confirmation

    async def _take_all(
        self, actions: Sequence[ParsedAction | ApiError]
    ) -> tuple[list[ActionResult | ApiError], Confirmation | None]:
        if self._waiting + len(actions) > self._cadence.waiting:
            raise api_error(ErrorCode.OVERLOADED, "too many actions at once: try again in a moment")
        self._waiting += len(actions)
        try:
            self._require_open_door()
            checked = await self._intake.check(actions)
            self._require_open_door()
            return await self._sequence(actions, checked)
        finally:
            self._waiting -= len(actions)

    async def _sequence(
        self, actions: Sequence[ParsedAction | ApiError], checked: Sequence[Known | ApiError]
    ) -> tuple[list[ActionResult | ApiError], Confirmation | None]:
        results: list[ActionResult | ApiError] = []
        self._tidy()
        for action, known in zip(actions, checked, strict=True):
            if isinstance(action, ApiError):
                results.append(action)
            elif isinstance(known, ApiError):
                results.append(known)
            else:
                results.append(self._execute(action, known))
        head = self._engine.builder.head
        number, history = head.soft_number, head.soft_history
        if self._recorder.has_outcomes:
            self._failpoints.reach("before-journal")
            await self._recorder.write()
            self._failpoints.reach("after-journal")
        else:
            self._abandon_empty_batch()
        if all(isinstance(result, ApiError) for result in results):
            return results, None
        return results, await self._confirm(number, history)

    def _execute(self, action: ParsedAction, known: Known) -> ActionResult | ApiError:
        """Apply one action in memory. What it did waits in the recorder for the journal."""
        self._make_room()
        self._ensure_open_batch()
        self._engine.know(known)
        try:
            outcome, order_id = self._act(action, known)
        except ApiError as error:
            self._engine.unknow(known)
            return error
        if not outcome.resting:
            self._engine.unknow(known)
        self._recorder.take(outcome)
        if outcome.refusal and not outcome.inputs:
            return refusal_error(outcome.refusal)
        return ActionResult(
            status="refused in part" if outcome.refusal else "accepted",
            inputs=["0x" + data.hex() for data in outcome.inputs],
            number=self._engine.builder.head.soft_number,
            code=outcome.refusal,
            filled=str(outcome.filled),
            resting=str(outcome.resting),
            order_id=None if order_id is None else "0x" + order_id.hex(),
        )

    def _act(self, action: ParsedAction, known: Known) -> tuple[Outcome, bytes | None]:
        """What the engine makes of an action, and the id of an order. Raises ApiError."""
        second = self._clock.now()
        match action:
            case SignedOrder() | PostOnly():
                signed = action.order if isinstance(action, PostOnly) else action
                check_freshness(self.state, signed, self._prices_from)
                # What an order alone is signed over is its id, and was computed at the door.
                order_id = self._engine.order_id(signed) if signed.siblings else next(iter(known))[0]
                check_place(self._engine, signed, order_id, is_post_only=isinstance(action, PostOnly))
                return self._engine.place(signed, second, known, order_id), order_id
            case DeadMan(request=request):
                return set_switch(self._engine, request, second), None
            case _:
                return self._engine.act(action, second), None

    def _tidy(self) -> None:
        """Take out of the books what has expired, and what dead-man switches say."""
        self._recorder.take(self._engine.tidy(self._clock.now()))

    async def _confirm(self, number: int, history: bytes) -> Confirmation:
        try:
            return await self._confirmer.confirm(number, history)
        except SignerUnavailable as error:
            raise api_error(
                ErrorCode.UNCONFIRMED, f"the action is TAKEN, but cannot be confirmed now: {error}"
            ) from error

    def _abandon_empty_batch(self) -> None:
        """A batch opened for an action that the law refused need not be posted: nobody knows of it."""
        if self._recorder.ends_with_opening and self._engine.builder.abandon():
            self._recorder.take_back_opening()

    def _require_open_door(self) -> None:
        if self._refusal:
            raise api_error(ErrorCode.NOT_READY, f"the sequencer takes no actions: {self._refusal}")
        opened = self._engine.builder.open_batch
        waiting = self._line.unposted_bytes + (opened.row_bytes if opened else 0)
        if waiting >= self._cadence.backlog_bytes:
            raise api_error(
                ErrorCode.BEHIND_L1,
                f"{waiting} bytes of inputs wait for L1; no more is acknowledged until it has taken some",
                waiting=waiting,
                limit=self._cadence.backlog_bytes,
            )
        limit = self._terms.preset.max_delay // 2
        behind = self.behind
        if behind > limit:
            raise api_error(
                ErrorCode.BEHIND_L1,
                f"batches wait for L1 since {behind} s; no more is acknowledged than can still be posted",
                behind=behind,
                limit=limit,
            )

    @property
    def _refusal(self) -> str:
        """Why no action is taken, whatever it is; empty when the door is open."""
        return self._refusing or self._recorder.trouble or (ASTRAY if self._is_astray else "")

    @property
    def behind(self) -> int:
        """Seconds since the oldest batch that L1 does not have was opened."""
        return self._clock.now() - self._oldest_second()

    def _oldest_second(self) -> int:
        """First second of the oldest batch that L1 does not have."""
        unposted = self.unposted
        if unposted:
            return unposted[0].header.first
        opened = self._engine.builder.open_batch
        return opened.first if opened else self._clock.now()

    # ------------------------------------------------------------------------------------------------ batches

    @property
    def unposted(self) -> list[SealedBatch]:
        """Closed batches that L1 does not have, or no longer has after a reorg; oldest first."""
        return [] if self._is_astray else self._line.unposted

    def _ensure_open_batch(self) -> None:
        if self._engine.builder.open_batch is not None:
            return
        start = self._engine.builder.head.queue_next
        count = min(self._chain.queue_length - start, self._terms.preset.max_queue_items)
        self._recorder.add(self._engine.open(self._clock.now(), self._chain.queue_inputs(start, count)))
        self._opened_at = asyncio.get_running_loop().time()

    def observe_l1(self) -> None:
        """The node has followed L1: take the time from its newest block, compare its batches with ours.

        When L1 does not lead to where we are, nothing more is taken until `seal_if_due` has gone back.
        """
        self._clock.observe(self._chain.timestamp)
        if self._is_astray:
            return
        opened = self._engine.builder.open_batch
        reason = self._line.find_break(self._sealing, opened, self._engine.builder.head.queue_next)
        if reason:
            log.warning("l1_went_another_way", reason=reason, on_l1=self._chain.batch_count)
            self._is_astray = True

    def give_up(self, batch: int, reason: str) -> None:
        """The Inbox will never take this batch: its inputs are sequenced again, at the present second."""
        log.warning("batch_given_up", batch=batch, reason=reason)
        self._is_astray, self._given_up = True, batch

    async def _go_back(self) -> None:
        """To what L1 has and the journal holds beyond it. Raises HeadMismatch, JournalBehind, ApiError."""
        if self._recorder.has_entries:
            await self._recorder.write()
        await self._recorder.flush()
        self._restore()
        if self._recorder.has_entries:
            await self._recorder.write()

    async def seal_if_due(self) -> bool:
        """Open a batch for what waits in L1's queue; close a due one. True when one was closed.

        Raises JournalBroken: nobody knows what the disk holds, so the process must end and open it again.
        """
        try:
            return await self._seal_if_due()
        except ApiError:
            return False  # the disk is full, and the door is closed already: see `Recorder.look_for_room`

    async def _seal_if_due(self) -> bool:
        if self._refusing:
            return False
        if self._recorder.trouble:
            if self._recorder.look_for_room(self._restore):
                self.demand_fresh_prices()
            return False
        if self._is_astray:
            await self._go_back()
            return False
        builder = self._engine.builder
        self._tidy()
        if builder.open_batch is None:
            if self._chain.queue_length > builder.head.queue_next or self._is_silent():
                self._ensure_open_batch()
            if self._recorder.has_entries:
                await self._recorder.write()
            return False
        age = asyncio.get_running_loop().time() - self._opened_at
        if not self._cadence.is_due(
            age=age,
            is_full=self._room.is_full(self._engine),
            unposted=len(self._line.unposted),
            base_fee=self._chain.base_fee,
        ):
            if self._recorder.has_outcomes:
                await self._recorder.write()
            return False
        await self._recorder.wait(self._seal())
        return True

    def _is_silent(self) -> bool:
        return self._cadence.is_silent(
            idle=self._clock.now() - self._engine.builder.head.last,
            silence=get_silence(self.state),
            unposted=len(self._line.unposted) + len(self._sealing),
        )

    def _make_room(self) -> None:
        """Close a full batch at once: whatever a single action adds still fits, many of them do not."""
        if self._room.is_full(self._engine):
            _ = self._seal()  # nobody waits for it: what follows is written behind it

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

    async def close(self) -> None:
        """Take no more actions, and let the journal finish."""
        self._refusing = "stopping"
        await self._recorder.close()
        self._recoverer.close()

    # ------------------------------------------------------------------------------------------------ reading

    def status(self) -> dict[str, Any]:
        """Heads, backlog, readiness."""
        head, opened = self._engine.builder.head, self._engine.builder.open_batch
        return {
            "ready": not self._refusal,
            "reason": self._refusal,
            "second": self._clock.now(),
            "l1Silence": round(self._clock.silence(), 3),
            "softInputs": head.soft_number,
            "softHistory": "0x" + head.soft_history.hex(),
            "openBatch": opened.number if opened else None,
            "sealedBatch": head.batch,
            "postedBatch": self._chain.batch_count,
            "unposted": len(self._line.unposted) + len(self._sealing),
            "unpostedBytes": self._line.unposted_bytes,
            "voided": self._last_void,
            "marketsWithoutFreshPrice": find_stale_markets(self.state, self._prices_from),
            "queueNext": head.queue_next,
            "queueLength": self._chain.queue_length,
        }

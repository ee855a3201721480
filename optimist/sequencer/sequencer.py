"""The sequencer: takes actions, applies the law, journals, acknowledges.

    check at the door -> match and apply in memory -> journal (group commit) -> sign -> answer

From the engine to the journal the event loop is never let go, so records reach the disk in the order in which
the engine made them. Acknowledged means on disk: a crash at any point loses no acknowledged input, and what
was not acknowledged may be gone.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from optimist.api.errors import ApiError, ErrorCode, api_error, refusal_error
from optimist.api.promises import DeadMan, PostOnly
from optimist.api.schema import ActionAnswer, ActionResult, Confirmation, ParsedAction
from optimist.derive.actions import SignedOrder
from optimist.l1.remote_signer import SignerUnavailable
from optimist.ops.failpoints import Failpoints
from optimist.provable import State
from optimist.sequencer.batches import Batches
from optimist.sequencer.builder import SealedBatch
from optimist.sequencer.cadence import Cadence
from optimist.sequencer.clock import L1Clock
from optimist.sequencer.confirmations import Confirmer
from optimist.sequencer.engine import Engine, Outcome
from optimist.sequencer.house_rules import check_freshness, check_place, set_switch
from optimist.sequencer.intake import Intake, Known
from optimist.sequencer.ports import Chain
from optimist.sequencer.recoverer import Recoverer
from optimist.sequencer.terms import Terms
from optimist.sequencer.views import find_stale_markets
from optimist.sequencer.watchers import Watchers
from optimist.store.segments import SegmentedJournal

ASTRAY = "L1 has gone another way: what it took back is being sequenced again"


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
        self._confirmer = confirmer
        self._clock = clock
        self._cadence = cadence
        self._failpoints = failpoints
        self.watchers = watchers or Watchers()
        self._batches = Batches(terms, chain, journal, clock, cadence, failpoints, self.watchers)
        self._recorder = self._batches.recorder
        self._recoverer = Recoverer()
        self._intake = Intake(terms.domain, self._recoverer, terms.preset, lambda: self.state, clock.now)
        self._waiting = 0
        self._refusing = "still starting"
        self.meter: Callable[[float, str], None] = lambda _seconds, _outcome: None  # told of every answer
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
        return self._batches.engine

    @property
    def state(self) -> State:
        """The law's state, open batch included. Not to be changed."""
        return self.engine.builder.head.state

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
        head = self.engine.builder.head
        number, history = head.soft_number, head.soft_history
        if self._recorder.has_outcomes:
            self._failpoints.reach("before-journal")
            await self._recorder.write()
            self._failpoints.reach("after-journal")
        else:
            self._batches.abandon_empty()
        if all(isinstance(result, ApiError) for result in results):
            return results, None
        return results, await self._confirm(number, history)

    def _execute(self, action: ParsedAction, known: Known) -> ActionResult | ApiError:
        """Apply one action in memory. What it did waits in the recorder for the journal."""
        self._batches.make_room()
        self._batches.ensure_open()
        self.engine.know(known)
        try:
            outcome, order_id = self._act(action, known)
        except ApiError as error:
            self.engine.unknow(known)
            return error
        if not outcome.resting:
            self.engine.unknow(known)
        self._recorder.take(outcome)
        if outcome.refusal and not outcome.inputs:
            return refusal_error(outcome.refusal)
        return ActionResult(
            status="refused in part" if outcome.refusal else "accepted",
            inputs=["0x" + data.hex() for data in outcome.inputs],
            number=self.engine.builder.head.soft_number,
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
                order_id = self.engine.order_id(signed) if signed.siblings else next(iter(known))[0]
                check_place(self.engine, signed, order_id, is_post_only=isinstance(action, PostOnly))
                return self.engine.place(signed, second, known, order_id), order_id
            case DeadMan(request=request):
                return set_switch(self.engine, request, second), None
            case _:
                return self.engine.act(action, second), None

    def _tidy(self) -> None:
        """Take out of the books what has expired, and what dead-man switches say."""
        self._recorder.take(self.engine.tidy(self._clock.now()))

    async def _confirm(self, number: int, history: bytes) -> Confirmation:
        try:
            return await self._confirmer.confirm(number, history)
        except SignerUnavailable as error:
            raise api_error(
                ErrorCode.UNCONFIRMED, f"the action is TAKEN, but cannot be confirmed now: {error}"
            ) from error

    def _require_open_door(self) -> None:
        if self._refusal:
            raise api_error(ErrorCode.NOT_READY, f"the sequencer takes no actions: {self._refusal}")
        waiting = self._batches.backlog_bytes
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
        return self._refusing or self._recorder.trouble or (ASTRAY if self._batches.is_astray else "")

    # -------------------------------------------------------------------------------------- starting, ticking

    def recover(self) -> None:
        """Bring the engine to where the journal was; afterwards actions are taken.

        Raises HeadMismatch, JournalBehind.
        """
        self._batches.restore()
        self._refusing = ""

    def accept_lost_journal(self) -> None:
        """Where the journal does not know L1's batches: go on behind L1's last one, with empty books.

        What was acknowledged and never posted is lost with the journal. Does nothing to a whole journal.
        """
        self._batches.restore_without_journal()

    def demand_fresh_prices(self) -> None:
        """From now on take orders in a market only once it has a price that is newer than this moment."""
        self._prices_from = self._chain.timestamp

    def observe_l1(self) -> None:
        """The node has followed L1. If it went elsewhere, the door is shut until `seal_if_due` went back."""
        self._batches.observe_l1()

    def give_up(self, batch: int, reason: str) -> None:
        """The Inbox will never take this batch: its inputs are sequenced again, at the present second."""
        self._batches.give_up(batch, reason)

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
            if self._recorder.look_for_room(self._batches.restore):
                self.demand_fresh_prices()
            return False
        if self._batches.is_astray:
            await self._batches.go_back()
            return False
        self._tidy()
        return await self._batches.seal_if_due()

    async def close(self) -> None:
        """Take no more actions, and let the journal finish."""
        self._refusing = "stopping"
        await self._recorder.close()
        self._recoverer.close()

    # ------------------------------------------------------------------------------------------------ reading

    @property
    def unposted(self) -> list[SealedBatch]:
        """Closed batches that L1 does not have, or no longer has after a reorg; oldest first."""
        return self._batches.unposted

    def get_unposted_inputs(self) -> list[bytes]:
        """Sequenced inputs that are in no batch on L1, oldest first."""
        return self._batches.get_unposted_inputs()

    @property
    def behind(self) -> int:
        """Seconds since the oldest batch that L1 does not have was opened."""
        return self._batches.behind

    def status(self) -> dict[str, Any]:
        """Heads, backlog, readiness."""
        return {
            "ready": not self._refusal,
            "reason": self._refusal,
            "second": self._clock.now(),
            "l1Silence": round(self._clock.silence(), 3),
            "marketsWithoutFreshPrice": find_stale_markets(self.state, self._prices_from),
            **self._batches.status(),
        }

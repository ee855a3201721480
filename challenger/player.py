"""Plays: look at L1, ask the strategy, have done what it wants. Keeps nothing that L1 does not.

look       follow L1 to its newest block, plan
allow      leave out what blocks have refused until it may be tried again, and what the budget forbids
start      hand the rest to the responder, best first; acts about rivals up to the limit at the same time
claims wait until enough L1 endpoints vouch for the data they are about; the moves do not wait
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from challenger.chain.reading import Game, read_game
from challenger.game.clock import SLOT
from challenger.game.types import Parameters
from challenger.gate import Gate
from challenger.purse import Purse, is_entry
from challenger.refusals import PATIENCE
from challenger.responder import NONE_SEEN, Responder
from challenger.setbacks import Setbacks
from challenger.strategy.acts import AssertState
from challenger.strategy.modes import DEFEND, Mode
from challenger.strategy.strategy import Plan, Proposal, compute_plan
from challenger.strategy.view import Facts
from challenger.trace.provider import TraceProvider
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.client import L1Client
from optimist.l1.contracts import Contract
from optimist.l1.errors import FinalizedReorg, L1Error
from optimist.l1.sender import Sender
from optimist.l1.types import BlockRef
from optimist.node.node import Node

log = structlog.get_logger(__name__)

T = TypeVar("T")

DEFAULT_LIMIT = 128  # acts about rivals at the same time: some 13 M gas, a third of a block
MOVES_PER_LOOK = 16  # computed before they are sent: the first one must not wait for the last one's trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How a player behaves, and what it asks before it spends."""

    mode: Mode = DEFEND
    owners: frozenset[bytes] = frozenset()  # for whom it has agreed to be operator, besides itself
    limit: int = DEFAULT_LIMIT  # acts about rivals on their way at the same time
    latency: int = SLOT  # s from when an act is possible until it has landed
    gate: Gate | None = None  # asked before every claim; None: any data will do
    purse: Purse | None = None  # what may be spent; None: anything
    setbacks: Setbacks | None = None  # what blocks have refused before this process; None: nothing


class Player:
    """One key that plays for the truth, or for what its provider takes for it."""

    def __init__(
        self,
        node: Node,
        client: L1Client,
        contracts: dict[str, Contract],
        provider: TraceProvider,
        parameters: Parameters,
        sender: Sender,
        conduct: Conduct | None = None,
    ) -> None:
        """`contracts`: Rollup and Dispute by name."""
        self._node = node
        self._client = client
        self._contracts = contracts
        self._provider = provider
        self._parameters = parameters
        self._conduct = conduct or Conduct()
        self._responder = Responder(
            client,
            contracts,
            sender,
            parameters,
            self._get_block,
            limit=self._conduct.limit,
            setbacks=self._conduct.setbacks,
        )
        self._held_back = 0  # acts that blocks have refused, and that had to wait at the last look
        self._genesis_time = 0
        self._read: tuple[BlockRef, Game] | None = None  # the game as of that block
        self._alarms: frozenset[str] = frozenset()  # of the last plan
        self._asking: asyncio.Task[None] | None = None  # the gate, about the claims of an earlier look
        self._turned_at = time.monotonic()  # away from an endpoint, for what it refused
        self._told: dict[str, str] = {}  # alarm or objection that stands now, by its name
        self._waiting: set[str] = set()  # names of those that waiting mends

    async def look(self) -> Plan:
        """Follow L1 once and plan. The law and the machine run in another thread, never two at a time.

        Raises what has ended an act of before, unless it was a mood of L1: a disk that fails, for example.
        """
        self._responder.raise_failure()
        if self._asking is not None and self._asking.done():
            self._asking.result()
        await self._node.advance()
        head = self._node.head
        if head is None or not self._node.is_caught_up:
            return Plan()
        if not self._genesis_time:
            genesis = await self._ask(
                self._contracts["Rollup"].read(self._client, head.hash, "getNode", GENESIS_ASSERTION)
            )
            self._genesis_time = genesis["created_at"]
        game = self._read_game(head)
        facts = Facts(
            self._parameters,
            game.state,
            self._node.timestamp,
            game.lists,
            game.disputed,
            latency=self._conduct.latency,
        )
        started = time.monotonic()
        plan = await asyncio.to_thread(
            compute_plan,
            facts,
            self._provider,
            self._responder.address,
            self._conduct.mode,
            owners=self._conduct.owners,
            # a move that has to wait must not keep another one from being computed
            limit=self._responder.room + self._held_back,
            at_once=MOVES_PER_LOOK + self._held_back,
            busy=self._responder.busy,
        )
        for alarm in plan.alarms:
            if alarm not in self._alarms:
                log.error("alarm", what=alarm)
        self._alarms = frozenset(plan.alarms)
        if plan.proposals:
            seconds = round(time.monotonic() - started, 3)
            log.info("planned", acts=len(plan.proposals), rivals=plan.rivals, seconds=seconds)
        return plan

    def _read_game(self, head: BlockRef) -> Game:
        """The game as of `head`; read anew for every block, from the first event on."""
        if self._read is None or self._read[0] != head:
            game = read_game(
                self._node.events,
                arity=self._parameters.arity,
                genesis_time=self._genesis_time,
                count_inputs=self._node.ledger.get_input_count,
            )
            self._read = head, game
        return self._read[1]

    async def play(
        self,
        poll: float,
        wants: Callable[[Proposal], bool] = lambda _: True,
        *,
        until_resolved: bool = False,
    ) -> list[str]:
        """Look and act for ever, or until nothing is left to do; then what a person has to look at.

        `wants`: which of the strategy's proposals to carry out. L1's moods are waited out; a block that was
        final and is gone is not: raises FinalizedReorg.
        """
        while True:
            try:
                plan = await self.look()
                self._check_refusals()
                before = self._responder.running
                self._begin(await self._allow(plan, [each for each in plan.proposals if wants(each)]))
                if until_resolved and plan.is_resolved and not self.pending:
                    return plan.alarms
                if not self._node.is_caught_up:
                    continue  # after a long absence there is much to read, and nothing to wait for
                if not plan.is_complete and self._responder.running - before:
                    continue  # more moves are due: they are computed while these are being sent
            except FinalizedReorg:
                raise  # no look will ever succeed again: better an end that somebody notices
            except L1Error as error:
                log.warning("l1_trouble", error=str(error))
            await asyncio.sleep(poll)

    async def close(self) -> None:
        """Stop waiting for what is on its way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._responder.close()

    # --------------------------------------------------------------------------------------- what may be done

    async def _allow(self, plan: Plan, wanted: Sequence[Proposal]) -> Sequence[Proposal]:
        """What of it may be tried now, and our money lets us do. Raises L1Error."""
        if not self._node.is_caught_up:
            return wanted  # before L1's head is reached no plan knows what bond we have
        asked = len(wanted)
        wanted, refused = self._responder.hold_back(wanted, self._node.timestamp)
        self._held_back = asked - len(wanted)
        self._tell("setbacks", refused, is_alarming=True)
        if self._conduct.purse is None:
            return wanted
        self._conduct.purse.count(self._responder.spent)
        allowance = await self._ask(self._conduct.purse.allow(plan, wanted))
        self._tell("purse", "; ".join(allowance.alarms), is_alarming=True)
        return allowance.proposals

    async def _ask(self, question: Awaitable[T]) -> T:
        """What L1 answers; an endpoint that does not is not asked first again. Raises L1Error."""
        try:
            return await question
        except L1Error:
            self._client.turn_to_next()
            raise

    def _check_refusals(self) -> None:
        """Tell of what L1 goes on refusing, and ask another endpoint."""
        now, text = time.monotonic(), self._responder.describe_refusals()
        self._tell("refusals", text, is_alarming=True)
        if text and now - self._turned_at >= PATIENCE:
            self._turned_at = now
            self._client.turn_to_next()

    def _begin(self, allowed: Sequence[Proposal]) -> None:
        """Start all; but stake and claims only when the gate is passed, which holds up nothing else."""
        gate = self._conduct.gate
        entries = [each for each in allowed if is_entry(each)]
        self._responder.start(allowed if gate is None else [each for each in allowed if not is_entry(each)])
        if gate is not None and entries and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._pass_gate(gate, entries))

    async def _pass_gate(self, gate: Gate, entries: Sequence[Proposal]) -> None:
        """Start the claims up to the first that is refused: the later ones stand on it."""
        passed: list[Proposal] = []
        for each in entries:
            objection = await gate.find_objection(each.act) if isinstance(each.act, AssertState) else None
            if objection is not None:
                self._tell("gate", objection.text, is_alarming=objection.is_alarming)
                break
            passed.append(each)
        else:
            self._tell("gate", "", is_alarming=False)
        if any(isinstance(each.act, AssertState) for each in passed):  # a stake alone stands for nothing
            self._responder.start(passed)

    def _tell(self, name: str, text: str, *, is_alarming: bool) -> None:
        """Say what stands in the way, once for as long as it is the same."""
        if self._told.get(name, "") == text:
            return
        self._told[name] = text
        (self._waiting.discard if is_alarming else self._waiting.add)(name)
        if not text:
            log.info("mended", what=name)
        elif is_alarming:
            log.error("alarm", what=text)
        else:
            log.warning("bond_held_back", reason=text)

    @property
    def alarms(self) -> list[str]:
        """What stands in the way now and waiting does not mend, or the strategy wants a person to look at."""
        told = {text for name, text in self._told.items() if text and name not in self._waiting}
        return sorted(self._alarms | told)

    @property
    def pending(self) -> int:
        """Acts that are on their way."""
        return len(self._responder.running)

    def _get_block(self) -> int:
        return NONE_SEEN if self._node.head is None else self._node.head.number

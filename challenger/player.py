"""Plays: look at L1, ask the strategy, send what it wants. Keeps nothing that L1 does not.

Every act is sent under a name made of its contents, so one that is wanted again at the next look is the same
transaction. An act that L1 refuses was done by somebody else, or its time is over: the next look tells. Being
overtaken is success for moves; never for an assertion, for the strategy asks for our own claim until we hold
one. A refusal in a block has cost gas: what is wanted all the same may have to wait.

    look       follow L1 to its newest block, plan
    allow      leave out what blocks have refused until it may be tried again, and what the budget forbids
    start      hand the rest to the sender, best first; acts about rivals up to the limit at the same time
               claims wait until enough L1 endpoints vouch for the data they are about; the moves do not wait
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from challenger.calls import Call, compute_call
from challenger.chain.reading import Game, read_game
from challenger.game.types import Parameters
from challenger.gate import Gate
from challenger.purse import Purse, is_entry
from challenger.refusals import PATIENCE, Refusals
from challenger.setbacks import FORESEEN, Setbacks
from challenger.strategy.acts import Act, AssertState
from challenger.strategy.modes import DEFEND, Mode
from challenger.strategy.order import Rank, choose, get_match_id
from challenger.strategy.strategy import Plan, Proposal, compute_plan
from challenger.strategy.view import Facts
from challenger.trace.provider import TraceProvider
from optimist.base.keccak import keccak
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.client import L1Client
from optimist.l1.contracts import Contract
from optimist.l1.errors import FinalizedReorg, L1Error, Reverted
from optimist.l1.sender import Call as Transaction
from optimist.l1.sender import RevertedInBlock, Sender
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
    gate: Gate | None = None  # asked before every claim; None: any data will do
    purse: Purse | None = None  # what may be spent; None: anything
    setbacks: Setbacks | None = None  # what blocks have refused before this process; None: nothing


@dataclass(frozen=True, slots=True)
class _Order:
    """An act as a transaction under its name."""

    purpose: str
    proposal: Proposal
    call: Call
    data: bytes

    @property
    def act(self) -> str:
        """The same for the same act, however often it is sent."""
        return self.purpose.rpartition(":")[0]

    @property
    def is_ours(self) -> bool:
        """Whether nobody but a rival can be in its way: no other act of ours, no owner who takes no money."""
        proposal = self.proposal
        is_about_money = proposal.priority.rank is Rank.MONEY
        return not (is_entry(proposal) or is_about_money or proposal.rule.is_help)


@dataclass(frozen=True, slots=True)
class _Landing:
    """How often an act has landed; block and hash of the last time."""

    times: int = 0
    block: int = 0
    transaction: bytes = b""


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
        self._sender = sender
        self._conduct = conduct or Conduct()
        found = self._conduct.setbacks
        self._setbacks = Setbacks(parameters.challenge_period) if found is None else found
        self._held_back = 0  # acts that blocks have refused, and that had to wait at the last look
        self._genesis_time = 0
        self._read: tuple[BlockRef, Game] | None = None  # the game as of that block
        self._running: dict[str, asyncio.Task[None]] = {}
        self._orders: dict[str, _Order] = {}  # of what is running
        self._landed: dict[str, _Landing] = {}  # the last one of each act
        self._alarms: frozenset[str] = frozenset()  # of the last plan
        self._asking: asyncio.Task[None] | None = None  # the gate, about the claims of an earlier look
        self._refusals = Refusals()
        self._turned_at = time.monotonic()  # away from an endpoint, for what it refused
        self._failure: BaseException | None = None  # of an act or of the gate: the next look raises it
        self._told: dict[str, str] = {}  # alarm or objection that stands now, by its name
        self._waiting: set[str] = set()  # names of those that waiting mends

    async def look(self) -> Plan:
        """Follow L1 once and plan. The law and the machine run in another thread, never two at a time.

        Raises what has ended an act of before, unless it was a mood of L1: a disk that fails, for example.
        """
        self._forget_finished()
        if self._failure is not None:
            raise self._failure
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
        facts = Facts(self._parameters, game.state, self._node.timestamp, game.lists, game.disputed)
        self._forget_finished()
        busy = frozenset(get_match_id(order.proposal.act) for order in self._orders.values())
        started = time.monotonic()
        plan = await asyncio.to_thread(
            compute_plan,
            facts,
            self._provider,
            self._sender.address,
            self._conduct.mode,
            owners=self._conduct.owners,
            # a move that has to wait must not keep another one from being computed
            limit=self._count_room() + self._held_back,
            at_once=MOVES_PER_LOOK + self._held_back,
            busy=busy,
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
                before = len(self._running)
                self._begin(await self._allow(plan, [each for each in plan.proposals if wants(each)]))
                if until_resolved and plan.is_resolved and not self.pending:
                    return plan.alarms
                if not self._node.is_caught_up:
                    continue  # after a long absence there is much to read, and nothing to wait for
                if not plan.is_complete and len(self._running) > before:
                    continue  # more moves are due: they are computed while these are being sent
            except FinalizedReorg:
                raise  # no look will ever succeed again: better an end that somebody notices
            except L1Error as error:
                log.warning("l1_trouble", error=str(error))
            await asyncio.sleep(poll)

    async def close(self) -> None:
        """Stop waiting for what is on its way."""
        tasks = list(self._running.values())
        if self._asking is not None:
            tasks.append(self._asking)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --------------------------------------------------------------------------------------- what may be done

    async def _allow(self, plan: Plan, wanted: Sequence[Proposal]) -> Sequence[Proposal]:
        """What of it may be tried now, and our money lets us do. Raises L1Error."""
        if not self._node.is_caught_up:
            return wanted  # before L1's head is reached no plan knows what bond we have
        wanted = self._hold_back(wanted)
        if self._conduct.purse is None:
            return wanted
        self._conduct.purse.count(self._sender.spent)
        allowance = await self._ask(self._conduct.purse.allow(plan, wanted))
        self._tell("purse", "; ".join(allowance.alarms), is_alarming=True)
        return allowance.proposals

    def _hold_back(self, wanted: Sequence[Proposal]) -> list[Proposal]:
        """Leave out what blocks have refused until its pause is over, and say what they refuse on and on."""
        head, now, going, alarms = self._node.head, self._node.timestamp, [], set()
        standing = [(each, self._encode(each.act)[2]) for each in wanted] if self._setbacks else []
        for each, act in standing:
            setback = self._setbacks.get(act)
            if setback is not None and setback.is_lasting:
                alarms.add(f"{act.partition(':')[0]} {setback}")
            if head is None or not self._setbacks.must_wait(act, head.number, now, each.closes):
                going.append(each)
        self._held_back = len(standing) - len(going)
        self._tell("setbacks", "; ".join(sorted(alarms)), is_alarming=True)
        return going if standing else list(wanted)

    async def _ask(self, question: Awaitable[T]) -> T:
        """What L1 answers; an endpoint that does not is not asked first again. Raises L1Error."""
        try:
            return await question
        except L1Error:
            self._client.turn_to_next()
            raise

    def _check_refusals(self) -> None:
        """Tell of what L1 goes on refusing, and ask another endpoint."""
        now = time.monotonic()
        text = self._refusals.describe_lasting(now)
        self._tell("refusals", text, is_alarming=True)
        if text and now - self._turned_at >= PATIENCE:
            self._turned_at = now
            self._client.turn_to_next()

    def _begin(self, allowed: Sequence[Proposal]) -> None:
        """Start all; but stake and claims only when the gate is passed, which holds up nothing else."""
        gate = self._conduct.gate
        entries = [each for each in allowed if is_entry(each)]
        self._start(allowed if gate is None else [each for each in allowed if not is_entry(each)])
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
            self._start(passed)

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

    # ----------------------------------------------------------------------------------------------- doing it

    def _start(self, proposals: Sequence[Proposal]) -> None:
        """Hand acts to the sender, unless they are with it already, have landed unseen, or must wait."""
        self._forget_finished()
        fresh = [order for order in map(self._write_order, proposals) if order is not None]
        for index in choose([order.proposal.priority for order in fresh], self._count_room()):
            order = fresh[index]
            self._orders[order.purpose] = order
            self._running[order.purpose] = asyncio.create_task(self._carry_out(order))

    def _encode(self, act: Act) -> tuple[Call, bytes, str]:
        """The act as a call, its bytes, and a name made of them."""
        call = compute_call(act, self._parameters.bond)
        data = self._contracts[call.contract].encode(call.function, *call.arguments)
        return call, data, f"{call.function}:{keccak(data).hex()[:24]}"

    def _write_order(self, proposal: Proposal) -> _Order | None:
        call, data, act = self._encode(proposal.act)
        landing, head = self._landed.get(act, _Landing()), self._node.head
        if head is None or head.number < landing.block:
            return None  # it has landed in a block that we have not seen: wanting it again means nothing
        # A credit can be claimed twice, a bond laid down twice, with the very same bytes.
        order = _Order(f"{act}:{landing.times}", proposal, call, data)
        if order.purpose in self._running:
            return None
        if landing.times and order.is_ours:  # once for a reorg; again and again for false receipts
            self._refusals.note(act, f"it landed in block {landing.block}, and is due", time.monotonic())
        return order

    async def _carry_out(self, order: _Order) -> None:
        call, rule = order.call, order.proposal.rule.name
        address, act = self._contracts[call.contract].address, order.act
        landing = self._landed.get(act, _Landing())
        try:
            if landing.times and await self._client.get_receipts([landing.transaction]) == [None]:
                # A reorg took it off L1: it is the same transaction again, which may be waiting in the pool.
                landing = replace(landing, times=landing.times - 1)
            purpose = f"{act}:{landing.times}"
            receipt = await self._sender.send(Transaction(purpose, address, order.data, call.value))
        except L1Error as error:
            if isinstance(error, RevertedInBlock):
                self._note_setback(order, error)
            elif isinstance(error, Reverted):
                log.info("overtaken", act=call.function, rule=rule, reason=str(error))
            else:
                log.warning("act_failed", act=call.function, rule=rule, error=str(error))
            if order.is_ours:
                self._refusals.note(act, str(error), time.monotonic())
            return
        seen = self._node.head.number if self._node.head else 0
        block = min(receipt.block.number, seen + FORESEEN)
        self._landed[act] = _Landing(landing.times + 1, block, receipt.transaction)
        self._setbacks.forget(act)
        log.info(
            "acted",
            act=call.function,
            rule=rule,
            gas=receipt.gas_used,
            transaction=receipt.transaction,
            block=receipt.block.number,
        )

    def _note_setback(self, order: _Order, error: RevertedInBlock) -> None:
        receipt = error.receipt
        setback = self._setbacks.note(order.act, receipt.block.number, error.at, str(error))
        log.warning(
            "refused_in_block",
            act=order.call.function,
            rule=order.proposal.rule.name,
            reason=str(error),
            gas=receipt.gas_used,
            times=setback.times,
            transaction=receipt.transaction,
            block=receipt.block.number,
        )

    @property
    def alarms(self) -> list[str]:
        """What stands in the way now and waiting does not mend, or the strategy wants a person to look at."""
        told = {text for name, text in self._told.items() if text and name not in self._waiting}
        return sorted(self._alarms | told)

    @property
    def pending(self) -> int:
        """Acts that are on their way."""
        self._forget_finished()
        return len(self._running)

    def _count_room(self) -> int:
        """How many more acts about rivals may be on their way."""
        limited = sum(order.proposal.priority.is_limited for order in self._orders.values())
        return max(0, self._conduct.limit - limited)

    def _forget_finished(self) -> None:
        ended = [task for task in (*self._running.values(), self._asking) if task is not None and task.done()]
        for task in ended:
            if not task.cancelled() and (failure := task.exception()) is not None:
                self._failure = failure
        self._running = {purpose: task for purpose, task in self._running.items() if not task.done()}
        self._orders = {purpose: self._orders[purpose] for purpose in self._running}

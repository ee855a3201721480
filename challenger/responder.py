"""From acts to transactions: each is sent once, until L1 has it or refuses it.

Every act is sent under a name made of its contents, so one that is wanted again at the next look is the same
transaction. An act that L1 refuses was done by somebody else, or its time is over: the next look tells. Being
overtaken is success for moves; never for an assertion, for the strategy asks for our own claim until we hold
one. A refusal in a block has cost gas: what is wanted all the same may have to wait (`setbacks.py`), and what
is refused on and on is no race (`refusals.py`).
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from challenger.calls import Call, compute_call
from challenger.game.types import Parameters
from challenger.purse import is_entry
from challenger.refusals import Refusals
from challenger.setbacks import FORESEEN, Setbacks
from challenger.strategy.acts import Act
from challenger.strategy.order import Rank, choose, get_match_id
from challenger.strategy.strategy import Proposal
from optimist.base.keccak import keccak
from optimist.l1.client import L1Client
from optimist.l1.contracts import Contract
from optimist.l1.errors import L1Error, Reverted
from optimist.l1.sender import Call as Transaction
from optimist.l1.sender import RevertedInBlock, Sender

log = structlog.get_logger(__name__)

NONE_SEEN = -1  # instead of the number of a block


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


class Responder:
    """The acts of one key that are on their way. Use from one event loop."""

    def __init__(
        self,
        client: L1Client,
        contracts: dict[str, Contract],
        sender: Sender,
        parameters: Parameters,
        get_block: Callable[[], int],
        *,
        limit: int,
        setbacks: Setbacks | None = None,
    ) -> None:
        """`get_block`: newest block looked at, or NONE_SEEN. `limit`: acts about rivals at once."""
        self._client = client
        self._contracts = contracts
        self._sender = sender
        self._bond = parameters.bond
        self._get_block = get_block
        self._limit = limit
        self._setbacks = Setbacks(parameters.challenge_period) if setbacks is None else setbacks
        self._refusals = Refusals()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._orders: dict[str, _Order] = {}  # of what is running
        self._landed: dict[str, _Landing] = {}  # the last one of each act
        self._failure: BaseException | None = None  # of what was no mood of L1
        self._now = 0  # time of L1 as of the last look

    @property
    def address(self) -> bytes:
        """Its key's."""
        return self._sender.address

    @property
    def spent(self) -> int:
        """Wei of gas, so far."""
        return self._sender.spent

    @property
    def sent(self) -> int:
        """Transactions that the sender has its hands on: what is running and was not refused at once."""
        return self._sender.pending

    @property
    def running(self) -> frozenset[str]:
        """Names of the transactions that are on their way."""
        self._forget_finished()
        return frozenset(self._running)

    @property
    def busy(self) -> frozenset[bytes]:
        """Matches that an act on its way is about."""
        self._forget_finished()
        return frozenset(get_match_id(order.proposal.act) for order in self._orders.values())

    @property
    def room(self) -> int:
        """How many more acts about rivals may be on their way."""
        self._forget_finished()
        limited = sum(order.proposal.priority.is_limited for order in self._orders.values())
        return max(0, self._limit - limited)

    def raise_failure(self) -> None:
        """Raises what has ended an act, unless it was a mood of L1: a disk that fails, for example."""
        self._forget_finished()
        if self._failure is not None:
            raise self._failure

    def hold_back(self, wanted: Sequence[Proposal], now: int) -> tuple[list[Proposal], str]:
        """Leave out what blocks have refused until its pause is over; in words, what they go on refusing."""
        self._now = now
        if not self._setbacks:
            return list(wanted), ""
        block, going, alarms = self._get_block(), [], set()
        for each in wanted:
            act = self._encode(each.act)[2]
            setback = self._setbacks.get(act)
            if setback is not None and setback.is_lasting:
                alarms.add(f"{act.partition(':')[0]} {setback}")
            if block == NONE_SEEN or not self._setbacks.must_wait(act, block, now, each.closes):
                going.append(each)
        return going, "; ".join(sorted(alarms))

    def describe_refusals(self) -> str:
        """What L1 goes on refusing, in words; empty when there is nothing."""
        return self._refusals.describe_lasting(time.monotonic())

    def start(self, proposals: Sequence[Proposal]) -> None:
        """Hand acts to the sender, unless they are with it already, have landed unseen, or must wait."""
        self._forget_finished()
        fresh = [order for order in map(self._write_order, proposals) if order is not None]
        for index in choose([order.proposal.priority for order in fresh], self.room):
            order = fresh[index]
            self._orders[order.purpose] = order
            self._running[order.purpose] = asyncio.create_task(self._carry_out(order))

    async def close(self) -> None:
        """Stop waiting for what is on its way."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _encode(self, act: Act) -> tuple[Call, bytes, str]:
        """The act as a call, its bytes, and a name made of them."""
        call = compute_call(act, self._bond)
        data = self._contracts[call.contract].encode(call.function, *call.arguments)
        return call, data, f"{call.function}:{keccak(data).hex()[:24]}"

    def _write_order(self, proposal: Proposal) -> _Order | None:
        call, data, act = self._encode(proposal.act)
        landing = self._landed.get(act, _Landing())
        if self._get_block() < landing.block:
            return None  # it has landed in a block that we have not seen: wanting it again means nothing
        if self._setbacks.must_wait(act, self._get_block(), self._now, proposal.closes):
            return None  # a try has ended since they were held back: the purse was asked meanwhile
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
            self._note_refusal(order, error)
            return
        block = min(receipt.block.number, max(self._get_block(), 0) + FORESEEN)
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

    def _note_refusal(self, order: _Order, error: L1Error) -> None:
        act, rule = order.call.function, order.proposal.rule.name
        if isinstance(error, RevertedInBlock):
            receipt = error.receipt
            setback = self._setbacks.note(order.act, receipt.block.number, error.at, str(error))
            log.warning(
                "refused_in_block",
                act=act,
                rule=rule,
                reason=str(error),
                gas=receipt.gas_used,
                times=setback.times,
                transaction=receipt.transaction,
                block=receipt.block.number,
            )
        elif isinstance(error, Reverted):
            log.info("overtaken", act=act, rule=rule, reason=str(error))
        else:
            log.warning("act_failed", act=act, rule=rule, error=str(error))
        if order.is_ours:
            self._refusals.note(order.act, str(error), time.monotonic())

    def _forget_finished(self) -> None:
        for task in self._running.values():
            if task.done() and not task.cancelled() and (failure := task.exception()) is not None:
                self._failure = failure
        self._running = {purpose: task for purpose, task in self._running.items() if not task.done()}
        self._orders = {purpose: self._orders[purpose] for purpose in self._running}

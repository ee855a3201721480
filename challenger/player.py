"""Plays: look at L1, ask the strategy, send what it wants. Keeps nothing that L1 does not.

Every act is sent under a name made of its contents, so one that is wanted again at the next look is the same
transaction. An act that L1 refuses was done by somebody else, or its time is over: the next look tells. Being
overtaken is success for moves; never for an assertion, for the strategy asks for our own claim until we hold
one.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from challenger.calls import Call, compute_call
from challenger.chain.reading import read_game
from challenger.game.types import Parameters
from challenger.strategy import acts
from challenger.strategy.strategy import Plan, Proposal, compute_plan
from challenger.strategy.view import Facts
from challenger.trace.provider import TraceProvider
from optimist.base.keccak import keccak
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.client import L1Client
from optimist.l1.contracts import Contract
from optimist.l1.errors import L1Error, Reverted
from optimist.l1.sender import Call as Transaction
from optimist.l1.sender import Sender
from optimist.node.node import Node

log = structlog.get_logger(__name__)


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
    ) -> None:
        """`contracts`: Rollup and Dispute by name."""
        self._node = node
        self._client = client
        self._contracts = contracts
        self._provider = provider
        self._parameters = parameters
        self._sender = sender
        self._genesis_time = 0
        self._running: dict[str, asyncio.Task[None]] = {}
        self._landed: dict[str, tuple[int, int]] = {}  # act -> how often it landed, last block
        self._alarms: set[str] = set()

    async def look(self) -> Plan:
        """Follow L1 once and plan. The law and the machine run in another thread, never two at a time."""
        await self._node.advance()
        head = self._node.head
        if head is None or not self._node.is_caught_up:
            return Plan()
        if not self._genesis_time:
            genesis = await self._contracts["Rollup"].read(
                self._client, head.hash, "getNode", GENESIS_ASSERTION
            )
            self._genesis_time = genesis["created_at"]
        game = read_game(
            self._node.events,
            arity=self._parameters.arity,
            genesis_time=self._genesis_time,
            count_inputs=self._node.ledger.get_input_count,
        )
        facts = Facts(self._parameters, game.state, self._node.timestamp, game.lists, game.disputed)
        started = time.monotonic()
        plan = await asyncio.to_thread(compute_plan, facts, self._provider, self._sender.address)
        for alarm in plan.alarms:
            if alarm not in self._alarms:
                self._alarms.add(alarm)
                log.error("alarm", what=alarm)
        if plan.proposals:
            log.info("planned", acts=len(plan.proposals), seconds=round(time.monotonic() - started, 3))
        return plan

    async def play(
        self,
        poll: float,
        wants: Callable[[Proposal], bool] = lambda _: True,
        *,
        until_resolved: bool = False,
    ) -> list[str]:
        """Look and act for ever, or until nothing is left to do; then what a person has to look at.

        `wants`: which of the strategy's proposals to carry out.
        """
        while True:
            try:
                plan = await self.look()
                self._start([each for each in plan.proposals if wants(each)])
                if until_resolved and plan.is_resolved and not self._running:
                    return plan.alarms
            except L1Error as error:
                log.warning("l1_trouble", error=str(error))
            await asyncio.sleep(poll)

    async def close(self) -> None:
        """Stop waiting for what is on its way."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _start(self, proposals: list[Proposal]) -> None:
        self._forget_finished()
        for proposal in proposals:
            call = compute_call(proposal.act, self._parameters.bond)
            data = self._contracts[call.contract].encode(call.function, *call.arguments)
            act = f"{call.function}:{keccak(data).hex()[:24]}"
            times, block = self._landed.get(act, (0, 0))
            head = self._node.head
            if head is None or head.number < block:
                continue  # it has landed in a block that we have not seen: wanting it again means nothing
            # A credit can be claimed twice, a bond laid down twice, with the very same bytes.
            purpose = f"{act}:{times}"
            if purpose not in self._running:
                self._running[purpose] = asyncio.create_task(self._carry_out(purpose, proposal, call, data))

    async def _carry_out(self, purpose: str, proposal: Proposal, call: Call, data: bytes) -> None:
        address = self._contracts[call.contract].address
        try:
            receipt = await self._sender.send(Transaction(purpose, address, data, call.value))
        except Reverted as error:
            log.info("overtaken", act=call.function, rule=proposal.rule.name, reason=str(error))
            return
        except L1Error as error:
            log.warning("act_failed", act=call.function, rule=proposal.rule.name, error=str(error))
            return
        act = purpose.rpartition(":")[0]
        self._landed[act] = (self._landed.get(act, (0, 0))[0] + 1, receipt.block.number)
        log.info(
            "acted",
            act=call.function,
            rule=proposal.rule.name,
            gas=receipt.gas_used,
            transaction=receipt.transaction,
            block=receipt.block.number,
        )

    def _forget_finished(self) -> None:
        self._running = {purpose: task for purpose, task in self._running.items() if not task.done()}


def is_claim(proposal: Proposal) -> bool:
    """Whether an act stakes or claims, as opposed to playing for a claim that stands already."""
    return isinstance(proposal.act, acts.Stake | acts.AssertState)

"""Does the steps of a plan, and looks again. Each transaction has a purpose, so it can be killed anywhere."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import structlog

from optimist.derive.actions import CloseMarket, ForcedWithdraw, Settle, encode_forced
from optimist.exit.facts import Bond, Facts
from optimist.exit.forcing import Forcer
from optimist.exit.planner import Kind, Step, make_plan
from optimist.exit.reading import read_facts
from optimist.l1.errors import L1Inconsistent, L1Unavailable, Reverted, RpcError
from optimist.l1.events import BondWithdrawn
from optimist.l1.sender import Call, Sender
from optimist.node.opening import OpenNode
from optimist.node.proofs import prove_withdrawals
from optimist.sequencer.proposer import Proposer
from optimist.stf.constants import PPM

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """What was known at a look, what is left to do, and what of it is done now."""

    facts: Facts
    plan: tuple[Step, ...]
    now: tuple[Step, ...]


class Walker:
    """One account on its way out."""

    def __init__(
        self,
        opened: OpenNode,
        sender: Sender,
        account: int,
        *,
        has_bond: bool,
        operator: bytes | None,
        tolerance_ppm: int,
    ) -> None:
        """has_bond: whether roots may be asserted with a bond of ours. operator: see `Proposer`."""
        self._opened = opened
        self._sender = sender
        self._account = account
        self._has_bond = has_bond
        self._tolerance_ppm = tolerance_ppm
        self._rollup = opened.deployment.get_contract("Rollup")
        self._vault = opened.deployment.get_contract("Vault")
        self._forcer = Forcer(opened, sender)
        self._proposer = Proposer(
            opened.node,
            opened.client,
            self._rollup,
            sender,
            bond=opened.deployment.preset.bond,
            operator=operator,
        )

    async def walk(self, poll: float, *, follow: bool) -> AsyncIterator[Stage]:
        """Do what is due, again and again: until nothing is left, or (not `follow`) a look shows nothing new.

        Raises BondLost, ExecutionMismatch, FalseConfirmation, SendError or L1Error.
        """
        before: Facts | None = None
        while True:
            try:
                await self._opened.node.catch_up()
                stage = await self._look()
                yield stage
                known = replace(stage.facts, now=0)
                if not stage.plan or not (follow or (stage.now and known != before)):
                    return
                before = known
                await self._do(stage)
                if stage.facts.bond.is_down:
                    await self._proposer.name_operator()
            except (L1Unavailable, L1Inconsistent, RpcError) as error:
                log.warning("l1_trouble", error=str(error))
            except Reverted as error:
                log.info("postponed", reason=str(error))  # somebody was quicker, or L1 stands elsewhere now
            await asyncio.sleep(poll)

    async def _look(self) -> Stage:
        facts = await read_facts(self._opened, self._account, self._sender.address)
        if not self._has_bond:
            facts = replace(facts, bond=Bond())  # not ours to take back
        plan = make_plan(facts)
        return Stage(facts, plan, tuple(step for step in plan if self._is_ours(step)))

    def _is_ours(self, step: Step) -> bool:
        return step.is_due and (self._has_bond or step.kind is not Kind.ASSERT)

    async def _do(self, stage: Stage) -> None:
        """Everything that is due, in the order of the plan; settlements side by side."""
        settlements = [step for step in stage.now if step.kind is Kind.SETTLE]
        for step in stage.now:
            if step.kind is not Kind.SETTLE:
                await self._do_one(stage, step)
            elif step is settlements[0]:
                await asyncio.gather(*(self._settle(each) for each in settlements))

    async def _do_one(self, stage: Stage, step: Step) -> None:
        match step.kind:
            case Kind.ANNOUNCE | Kind.CLOSE:
                await self._forcer.force(f"close:{step.market}", CloseMarket(step.market).encode())
            case Kind.WITHDRAW:
                await self._withdraw(stage.facts)
            case Kind.SEAL:
                await self._forcer.seal()
            case Kind.ASSERT:
                await self._proposer.act()
            case Kind.CONFIRM:
                await self._proposer.confirm_next(stage.facts.roots.path[0].node)
            case Kind.PAY:
                await self._pay(step.row)
            case Kind.UNBOND:
                await self._unbond()
            case Kind.SETTLE:
                await self._settle(step)

    async def _settle(self, step: Step) -> None:
        payload = encode_forced(Settle(step.account, step.market))
        await self._forcer.force(f"settle:{step.account}:{step.market}", payload)

    async def _withdraw(self, facts: Facts) -> None:
        takes, pays = facts.ahead.takes, facts.ahead.pays
        least = pays - pays * self._tolerance_ppm // PPM
        payload = ForcedWithdraw(self._account, takes, least).encode()
        await self._forcer.force(f"withdraw:{self._account}", payload)

    async def _pay(self, row: int) -> None:
        for proof in prove_withdrawals(self._opened.node, [row]):
            data = self._vault.encode(
                "pay", proof.node, proof.root, proof.batch, proof.row, proof.record, proof.siblings
            )
            await self._sender.send(Call(f"pay:{row}", self._vault.address, data))

    async def _unbond(self) -> None:
        """Named by how often it was paid back before, as the proposer names its bonds."""
        events = [located.event for located in self._opened.node.events]
        before = sum(
            isinstance(event, BondWithdrawn) and event.staker == self._sender.address for event in events
        )
        data = self._rollup.encode("withdraw")
        await self._sender.send(Call(f"unbond:{before}", self._rollup.address, data))

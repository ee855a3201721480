"""Asserts state roots with a bond, and confirms those that have outlived their challenge period.

It claims what its own node has computed, and once more before it signs, one range after the other, each on
the node that it claimed before.
It names an operator for each claim: whoever plays the dispute if a rival appears (`challenger run`). A lost
bond stops it: then either its node or somebody's proof is wrong, and a person must look.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog

from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.derive.timing import compute_due_at, compute_ripe_at
from optimist.l1.client import L1Client
from optimist.l1.contracts import Contract, read_many
from optimist.l1.errors import L1Inconsistent, L1Unavailable, Reverted, RpcError
from optimist.l1.events import BondWithdrawn, Confirmed
from optimist.l1.sender import Call, Sender, SendError
from optimist.node.execution import ExecutionMismatch
from optimist.node.executors import BaseMoved
from optimist.node.node import Node

log = structlog.get_logger(__name__)

ZERO: Final = bytes(32)


class BondLost(Exception):
    """The proposer's bond is gone: stop, and find out why before another one follows it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to assert: the root after the batches `first` to `to`, below `parent`."""

    parent: bytes
    root: bytes
    first: int
    to: int
    accumulator: bytes


class Proposer:
    """One key, one bond."""

    def __init__(
        self,
        node: Node,
        client: L1Client,
        rollup: Contract,
        sender: Sender,
        *,
        bond: int,
        operator: bytes | None,
    ) -> None:
        """`operator`: 20 bytes; who else may reveal and commit for our claims. None: nobody."""
        self._node = node
        self._client = client
        self._rollup = rollup
        self._sender = sender
        self._bond = bond
        self._operator = operator
        self._operated: set[bytes] = set()

    async def run(self, poll: float) -> None:
        """Propose and confirm for ever. Raises BondLost or ExecutionMismatch."""
        while True:
            try:
                await self.act()
            except Reverted as error:
                log.info("proposal_postponed", reason=str(error))
            except (L1Unavailable, L1Inconsistent, RpcError) as error:
                log.warning("l1_trouble", error=str(error))
            except SendError as error:
                log.error("proposal_cannot_be_sent", reason=str(error))  # noqa: TRY400 - an alarm, no bug to trace
            await asyncio.sleep(poll)

    async def act(self) -> None:
        """Do what is due now. Raises BondLost, Reverted or another L1Error."""
        head = self._node.head
        if head is None or not self._node.is_caught_up:
            return
        staker = await self._read(head.hash, "getStaker", self._sender.address)
        if staker["out"]:
            raise BondLost(f"the bond of 0x{self._sender.address.hex()} is lost")
        if not staker["bond"]:
            await self._send(f"stake:{self._count_withdrawals()}", "stake", value=self._bond)
            return
        parent = await self._find_parent(head.hash, staker["last_claim"])
        if not (await self._read(head.hash, "getNode", parent))["created_at"]:
            log.info("proposal_postponed", reason="L1 has taken back the node to build on", node=parent)
            return
        await self._confirm(head.hash, parent)
        proposal = await self._find_proposal(head.hash, parent)
        if proposal is not None:
            await self._assert(proposal)

    async def confirm_next(self, tip: bytes) -> None:
        """Confirm the oldest unconfirmed node on the path to `tip`, if it is ripe. Needs no bond."""
        if self._node.head is not None:
            await self._confirm(self._node.head.hash, tip)

    async def name_operator(self) -> None:
        """Name who plays for our last claim; `act` does so by itself when it goes on from there."""
        if self._operator is None or self._node.head is None:
            return
        at = self._node.head.hash
        staker = await self._read(at, "getStaker", self._sender.address)
        claim = staker["last_claim"]
        if staker["bond"] and claim != ZERO and not staker["out"]:
            await self._set_operator(claim, await self._read(at, "getClaim", claim))

    async def _find_parent(self, at: bytes, last_claim: bytes) -> bytes:
        """The node to build on: that of our last claim, or the last confirmed one."""
        if last_claim == ZERO:
            return self._last_confirmed()
        claim = await self._read(at, "getClaim", last_claim)
        await self._set_operator(last_claim, claim)
        node: bytes = claim["node"]
        # Others may have gone on from there, and L1 with them: a round that is decided takes nothing more.
        return self._last_confirmed() if await self._read(at, "isConfirmed", node) else node

    def _count_withdrawals(self) -> int:
        """How often our bond was paid back: a bond laid down again after that is another transaction."""
        events = (located.event for located in self._node.events)
        return sum(
            isinstance(event, BondWithdrawn) and event.staker == self._sender.address for event in events
        )

    def _last_confirmed(self) -> bytes:
        for located in reversed(self._node.events):
            if isinstance(located.event, Confirmed):
                return located.event.node
        return GENESIS_ASSERTION

    async def _find_proposal(self, at: bytes, parent: bytes) -> Proposal | None:
        """What to assert below `parent`, if its range is sealed and the time has come."""
        node, round_, min_period = await read_many(
            self._client,
            at,
            [
                (self._rollup, "getNode", (parent,)),
                (self._rollup, "getRound", (parent,)),
                (self._rollup, "MIN_PERIOD", ()),
            ],
        )
        to = round_["to"]
        if to <= node["batch"]:
            return None  # answers of two different chains
        root = self._node.ledger.get_end_root(to)
        if root is None:
            return None
        if self._node.timestamp < compute_due_at(node["created_at"], min_period, is_full=round_["full"]):
            return None
        return Proposal(parent, root, node["batch"] + 1, to, self._node.ledger.get_accumulator(to))

    async def _assert(self, proposal: Proposal) -> None:
        numbers = range(proposal.first, proposal.to + 1)
        try:
            again = await self._node.executor.compute_root_again(self._node.ledger, numbers)
        except BaseMoved as error:
            log.info("proposal_postponed", reason=str(error))
            return
        if again != proposal.root:
            raise ExecutionMismatch(
                f"batches {proposal.first} to {proposal.to}: executed once more they lead to the root "
                f"0x{again.hex()}, not to 0x{proposal.root.hex()}: it is not asserted"
            )
        purpose = f"assert:{proposal.parent.hex()[:16]}:{proposal.root.hex()[:16]}"
        await self._send(
            purpose, "assertState", proposal.parent, proposal.root, proposal.to, proposal.accumulator
        )
        log.info("state_asserted", to=proposal.to, root=proposal.root, parent=proposal.parent)

    async def _set_operator(self, claim: bytes, known: dict[str, Any]) -> None:
        if self._operator is None or claim in self._operated:
            return
        if known["operator"] != self._operator:
            await self._send(f"operator:{claim.hex()[:16]}", "setOperator", claim, self._operator)
        self._operated.add(claim)

    async def _confirm(self, at: bytes, tip: bytes) -> None:
        """Confirm the oldest unconfirmed node on the path to `tip`, if it is ripe."""
        node = tip
        oldest = None
        while not await self._read(at, "isConfirmed", node):
            oldest = node
            node = (await self._read(at, "getNode", node))["parent"]
        if oldest is None:
            return
        found, asked, period, grace = await read_many(
            self._client,
            at,
            [
                (self._rollup, "getNode", (oldest,)),
                (self._rollup, "getRound", (node,)),
                (self._rollup, "CHALLENGE_PERIOD", ()),
                (self._rollup, "GRACE", ()),
            ],
        )
        ripe_at = compute_ripe_at(found["born"], period, asked["decided_at"], grace)
        if asked["live_ends"] != 1 or self._node.timestamp < ripe_at:
            return
        await self._send(f"confirm:{oldest.hex()[:16]}", "confirm", oldest)
        log.info("state_confirmed", node=oldest)

    async def _read(self, at: bytes, function: str, *arguments: Any) -> Any:
        return await self._rollup.read(self._client, at, function, *arguments)

    async def _send(self, purpose: str, function: str, *arguments: Any, value: int = 0) -> None:
        data = self._rollup.encode(function, *arguments)
        await self._sender.send(Call(purpose, self._rollup.address, data, value))

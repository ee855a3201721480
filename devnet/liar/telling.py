"""`python -m devnet.liar`: asserts a false root with a real bond, and plays for it as well as anybody can.

The same node, sender, strategy and player as `challenger run`; only what it takes for the truth is false. It
tells the lie about the first range after the last confirmed assertion, as soon as L1 has sealed that range.
"""

import asyncio
from contextlib import AsyncExitStack

import structlog

from challenger.game.types import Parameters
from challenger.player import Player
from challenger.settings import get_parameters
from challenger.strategy.acts import OpenMatch, Prove, ProvePadding
from challenger.strategy.strategy import Proposal
from challenger.trace.law import LawProvider
from devnet.liar.faults import PatchedLaw, parse_fault
from devnet.liar.patches import load_false_law
from devnet.liar.provider import Liar
from devnet.liar.settings import LiarSettings
from optimist.base.merkle import ZERO
from optimist.derive.commitments import compute_assertion_id, compute_leaf
from optimist.derive.timing import compute_due_at
from optimist.l1.contracts import Contract
from optimist.l1.keys import open_key
from optimist.l1.sender import Call, Sender
from optimist.l1.types import to_hex
from optimist.node.assertions import AssertionTree
from optimist.node.opening import OpenNode, open_node
from optimist.ops.sending import make_policy, make_sender, open_outbox

log = structlog.get_logger(__name__)


class NoLie(Exception):
    """The fault leaves the state of this range as the law has it: there is nothing to assert."""


async def lie(settings: LiarSettings) -> None:
    """Tell the lie and play for ever. Raises NoLie, FaultError, and what `open_node` raises."""
    fault = parse_fault(settings.fault)
    async with AsyncExitStack() as stack:
        signer = await open_key(settings.key, stack)
        opened = await stack.enter_async_context(
            open_node(
                l1_rpc=settings.l1_rpc,
                deployment=settings.deployment,
                tag=settings.l1_tag,
                l1_timeout=settings.l1_timeout,
                datadir=settings.datadir,
            )
        )
        await opened.node.catch_up()
        confirmed = AssertionTree(opened.node.events).last_confirmed
        parent, since = confirmed.id, confirmed.to
        parameters = get_parameters(opened.deployment.preset)
        provider = Liar(
            LawProvider(parameters, opened.node.ledger, opened.law),
            fault,
            since=since,
            own_law=load_false_law(opened.law.preset, fault.name) if isinstance(fault, PatchedLaw) else None,
            insist=settings.insist,
        )
        outbox = open_outbox(settings.datadir, opened.deployment.chain_id, signer.address, stack)
        sender = make_sender(opened, signer, outbox, make_policy(settings.tx, settings.l1_poll), stack)
        log.info("liar_ready", address=to_hex(signer.address), fault=settings.fault, since=since)
        await tell(settings, opened, provider, sender, parent, parameters)
        player = Player(
            opened.node,
            opened.client,
            {name: opened.deployment.get_contract(name) for name in ("Rollup", "Dispute")},
            provider,
            parameters,
            sender,
        )
        stack.push_async_callback(player.close)
        await player.play(settings.l1_poll, lambda proposal: wants(settings, proposal))


async def tell(
    settings: LiarSettings,
    opened: OpenNode,
    provider: Liar,
    sender: Sender,
    parent: bytes,
    parameters: Parameters,
) -> None:
    """Stake, and assert the false root of the range after `parent`. Raises NoLie."""
    node, rollup = opened.node, opened.deployment.get_contract("Rollup")
    while (to := await find_sealed_range(opened, rollup, parent)) is None:
        await asyncio.sleep(settings.l1_poll)
        await node.advance()
    first, end = (node.ledger.get_input_count(batch) for batch in (provider.since, to))
    number = getattr(provider.fault, "input", first)
    if not first <= number < end:
        raise NoLie(f"input {number} is not among inputs {first} to {end - 1}, about which one can still lie")
    root = await asyncio.to_thread(provider.get_end_root, to)
    if root is None or root == node.ledger.get_end_root(to):
        raise NoLie(f"{settings.fault} changes nothing about the batches up to {to}: choose another fault")
    await sender.send(Call("stake", rollup.address, rollup.encode("stake"), parameters.bond))
    accumulator = node.ledger.get_accumulator(to)
    data = rollup.encode("assertState", parent, root, to, accumulator)
    receipt = await sender.send(Call(f"lie:{to}", rollup.address, data))
    log.warning(
        "lie_told",
        fault=settings.fault,
        node=to_hex(compute_assertion_id(parent, compute_leaf(root, to, ZERO))),
        root=to_hex(root),
        batch=to,
        transaction=receipt.transaction,
        gas=receipt.gas_used,
    )


async def find_sealed_range(opened: OpenNode, rollup: Contract, parent: bytes) -> int | None:
    """Last batch of the range after `parent`, once it is sealed, known here, and may be asserted."""
    head = opened.node.head
    if head is None:
        return None
    asked = await rollup.read(opened.client, head.hash, "getRound", parent)
    node = await rollup.read(opened.client, head.hash, "getNode", parent)
    period = opened.deployment.preset.min_period
    due_at = compute_due_at(node["created_at"], period, is_full=asked["full"])
    to: int = asked["to"]
    return to if opened.node.timestamp >= due_at and opened.node.ledger.get_end_root(to) is not None else None


def wants(settings: LiarSettings, proposal: Proposal) -> bool:
    """A quiet liar answers every move, but hastens nothing: a proof can only kill it."""
    return settings.manner == "eager" or not isinstance(proposal.act, OpenMatch | Prove | ProvePadding)

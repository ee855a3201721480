"""`challenger run`: a node, a provider of the truth, a key, and the player that joins them."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from challenger.player import Player, is_claim
from challenger.settings import RunSettings, get_parameters
from challenger.trace.law import LawProvider
from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import Attempt, MemoryOutbox, Outbox, compute_outbox_identity
from optimist.l1.sender import Sender, SendPolicy
from optimist.l1.signer import Signer, load_signer
from optimist.l1.types import to_hex
from optimist.node.opening import OpenNode, open_node
from optimist.store.outbox import JournalOutbox

log = structlog.get_logger(__name__)

GWEI = 10**9


async def run(settings: RunSettings) -> list[str]:
    """Play for ever, or with `until_resolved` until nothing is left to do; then what a person has to look at.

    Raises what `open_node` raises, KeyProblem, or L1Error.
    """
    secret = settings.key.secret.get_secret_value() if settings.key.secret else None
    signer = await asyncio.to_thread(load_signer, settings.key.file, settings.key.password_file, secret)
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(
            open_node(
                l1_rpc=settings.l1_rpc,
                deployment=settings.deployment,
                tag=settings.l1_tag,
                l1_timeout=settings.l1_timeout,
                datadir=settings.datadir,
            )
        )
        parameters = get_parameters(opened.deployment.preset)
        player = Player(
            opened.node,
            opened.client,
            {name: opened.deployment.get_contract(name) for name in ("Rollup", "Dispute")},
            LawProvider(parameters, opened.node.ledger, opened.law),
            parameters,
            make_sender(settings, opened, signer, stack),
        )
        stack.push_async_callback(player.close)
        log.info("challenger_ready", address=to_hex(signer.address), tag=settings.l1_tag)
        alarms = await player.play(
            settings.l1_poll,
            lambda proposal: settings.stake or not is_claim(proposal),
            until_resolved=settings.until_resolved,
        )
        log.info("resolved", address=to_hex(signer.address), alarms=len(alarms))
        return alarms


def make_sender(settings: RunSettings, opened: OpenNode, signer: Signer, stack: AsyncExitStack) -> Sender:
    """The sender of our key. Without a data directory it forgets with the process: acts are idempotent."""
    chain_id = opened.deployment.chain_id
    outbox: Outbox = MemoryOutbox()
    if settings.datadir is not None:
        identity = compute_outbox_identity(chain_id, signer.address)
        kept = JournalOutbox(settings.datadir / f"outbox-{signer.address.hex()}", identity, Attempt)
        stack.callback(kept.close)
        outbox = kept
    policy = SendPolicy(
        fees=FeePolicy(
            cap=int(settings.tx.max_fee_gwei * GWEI), min_tip=int(settings.tx.min_tip_gwei * GWEI)
        ),
        confirmations=settings.tx.confirmations,
        resubmission_timeout=settings.tx.resubmission_timeout,
        poll=settings.l1_poll,
        max_pending=settings.tx.max_pending,
    )
    sender = Sender(opened.client, signer, outbox, policy, chain_id=chain_id)
    stack.push_async_callback(sender.close)
    return sender

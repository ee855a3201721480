"""A sender for a key of one's own: what it sends is written down first (docs/adr/0007)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from optimist.exit.settings import OwnSettings
from optimist.l1.fees import FeePolicy
from optimist.l1.keys import open_key
from optimist.l1.outbox import Attempt, compute_outbox_identity, keep_recent
from optimist.l1.sender import Sender, SendPolicy
from optimist.node.opening import OpenNode, open_node
from optimist.store.outbox import JournalOutbox

GWEI = 10**9


@asynccontextmanager
async def open_own_node(settings: OwnSettings) -> AsyncIterator[OpenNode]:
    """A node that has seen all of L1. Raises what `open_node` raises."""
    async with open_node(
        l1_rpc=settings.l1_rpc,
        deployment=settings.deployment,
        tag=settings.l1_tag,
        l1_timeout=settings.l1_timeout,
        datadir=settings.datadir,
    ) as opened:
        await opened.node.catch_up()
        yield opened


@asynccontextmanager
async def open_sender(settings: OwnSettings, opened: OpenNode) -> AsyncIterator[Sender]:
    """The sender of the settings' key. Raises KeyProblem, SignerUnavailable or JournalError."""
    assert settings.datadir is not None  # noqa: S101 - the settings demand it together with a key
    async with AsyncExitStack() as stack:
        signer = await open_key(settings.key, stack)
        chain_id = opened.deployment.chain_id
        outbox = JournalOutbox(
            settings.datadir / f"outbox-{signer.address.hex()}",
            compute_outbox_identity(chain_id, signer.address),
            Attempt,
            keep_recent,
        )
        stack.callback(outbox.close)
        fees = FeePolicy(
            cap=int(settings.tx.max_fee_gwei * GWEI), min_tip=int(settings.tx.min_tip_gwei * GWEI)
        )
        policy = SendPolicy(
            fees=fees,
            confirmations=settings.tx.confirmations,
            resubmission_timeout=settings.tx.resubmission_timeout,
            poll=settings.l1_poll,
            max_pending=settings.tx.max_pending,
        )
        sender = Sender(opened.client, signer, outbox, policy, chain_id=chain_id)
        stack.push_async_callback(sender.close)
        yield sender

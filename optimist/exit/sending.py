"""A sender for a key of one's own: what it sends is written down first (docs/adr/0007)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from optimist.exit.settings import OwnSettings
from optimist.l1.keys import open_key
from optimist.l1.sender import Sender
from optimist.node.opening import OpenNode, open_node
from optimist.ops.sending import make_policy, make_sender, open_outbox


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
    async with AsyncExitStack() as stack:
        signer = await open_key(settings.key, stack)
        outbox = open_outbox(settings.datadir, opened.deployment.chain_id, signer.address, stack)
        yield make_sender(opened, signer, outbox, make_policy(settings.tx, settings.l1_poll), stack)

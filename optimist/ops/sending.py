"""The sender of a program's key, put together as its settings say: what it remembers, offers, waits for."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import Attempt, MemoryOutbox, Outbox, compute_outbox_identity, keep_recent
from optimist.l1.sender import Sender, SendPolicy
from optimist.l1.signer import SigningKey
from optimist.node.opening import OpenNode
from optimist.ops.settings import TransactionSettings
from optimist.store.outbox import JournalOutbox

GWEI: Final = 10**9


def make_policy(tx: TransactionSettings, poll: float) -> SendPolicy:
    """`poll`: seconds between two looks at what was sent."""
    return SendPolicy(
        fees=FeePolicy(cap=int(tx.max_fee_gwei * GWEI), min_tip=int(tx.min_tip_gwei * GWEI)),
        confirmations=tx.confirmations,
        resubmission_timeout=tx.resubmission_timeout,
        poll=poll,
        max_pending=tx.max_pending,
    )


def open_outbox(datadir: Path | None, chain_id: int, address: bytes, stack: AsyncExitStack) -> Outbox:
    """What a key has sent; without a data directory it is forgotten with the process. Raises JournalError."""
    if datadir is None:
        return MemoryOutbox()
    identity = compute_outbox_identity(chain_id, address)
    outbox = JournalOutbox(datadir / f"outbox-{address.hex()}", identity, Attempt, keep_recent)
    stack.callback(outbox.close)
    return outbox


def make_sender(
    opened: OpenNode,
    signer: SigningKey,
    outbox: Outbox,
    policy: SendPolicy,
    stack: AsyncExitStack,
    *,
    checkpoint: Callable[[str], None] = lambda _: None,
) -> Sender:
    """The only sender of this key, on the L1 of an open node; `checkpoint`: see `Sender`."""
    sender = Sender(
        opened.client,
        signer,
        outbox,
        policy,
        chain_id=opened.deployment.chain_id,
        checkpoint=checkpoint,
    )
    stack.push_async_callback(sender.close)
    return sender

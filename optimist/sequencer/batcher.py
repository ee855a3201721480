"""Posts sealed batches to the Inbox, in order, one after the other.

A batch names the accumulator before it and the one that the Inbox must compute, so neither a reorg nor a
batch of somebody else can make it land where it does not belong: then the Inbox refuses it, and the node's
next look tells the sequencer to sequence its inputs again. What is sent is decoded and hashed once more
before it is signed.
"""

import asyncio
from typing import Final

import structlog

from optimist.derive.batch import SealedBatch as SealedOnL1
from optimist.derive.batch import derive_batch
from optimist.derive.rows import encode_rows
from optimist.l1.contracts import Contract
from optimist.l1.errors import Reverted
from optimist.l1.sender import Call, Sender
from optimist.sequencer.builder import SealedBatch
from optimist.sequencer.sequencer import Sequencer

log = structlog.get_logger(__name__)

SEEN_POLLS: Final = (
    30  # then ask the sender again: it finds its receipt, or sends anew what a reorg took away
)
# The Inbox has another history than the batch was built on: the node will see which.
FOREIGN = frozenset({"WrongPrevious", "WrongAccumulator", "QueueTooShort"})


class Batcher:
    """Takes from `sequencer.unposted` what is not on L1 yet."""

    def __init__(self, sequencer: Sequencer, inbox: Contract, sender: Sender, poll: float) -> None:
        self._sequencer = sequencer
        self._inbox = inbox
        self._sender = sender
        self._poll = poll

    async def run(self) -> None:
        """Post for ever."""
        while True:
            waiting = self._sequencer.unposted
            if waiting:
                await self._post(waiting[0])
            await asyncio.sleep(self._poll)

    async def _post(self, sealed: SealedBatch) -> None:
        header, batch = sealed.header, sealed.batch
        rows = encode_rows(sealed.sequenced)
        _check(sealed, rows)
        data = self._inbox.encode(
            "appendBatch",
            batch.previous_accumulator,
            batch.accumulator,
            sealed.queue_count,
            header.first,
            header.last,
            rows,
        )
        purpose = f"batch:{header.batch}:{batch.accumulator.hex()[:16]}"
        try:
            receipt = await self._sender.send(Call(purpose, self._inbox.address, data))
        except Reverted as error:
            level = log.info if error.name in FOREIGN else log.error
            level("batch_refused", batch=header.batch, reason=str(error))
            return
        log.info(
            "batch_posted",
            batch=header.batch,
            inputs=len(batch.inputs),
            bytes=len(rows),
            gas=receipt.gas_used,
            transaction=receipt.transaction,
        )
        await self._await_node(header.batch)

    async def _await_node(self, batch: int) -> None:
        """Until our own node has seen the batch; a reorg may take it away first."""
        for _ in range(SEEN_POLLS):
            if not self._sequencer.unposted or self._sequencer.unposted[0].header.batch > batch:
                return
            await asyncio.sleep(self._poll)


def _check(sealed: SealedBatch, rows: bytes) -> None:
    """Read the calldata as a node will, and compare. Raises DerivationError: a bug of ours."""
    header, batch = sealed.header, sealed.batch
    queue_items = batch.inputs[1 : 1 + sealed.queue_count]
    derive_batch(
        SealedOnL1(
            batch=header.batch,
            accumulator=batch.accumulator,
            first=header.first,
            last=header.last,
            mode=header.mode,
            queue_from=sealed.queue_from,
            queue_count=sealed.queue_count,
            rows=rows,
        ),
        queue_items,
        batch.previous_accumulator,
    )

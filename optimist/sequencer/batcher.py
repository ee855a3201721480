"""Posts sealed batches to the Inbox, in order, one after the other.

A batch names the accumulator before it and the one that the Inbox must compute, so neither a reorg nor a
batch of somebody else can make it land where it does not belong: then the Inbox refuses it, and the node's
next look tells the sequencer to sequence its inputs again. What is sent is read back from its bytes and
executed once more before it is signed.

    refused, L1 has another history      wait: the node will see which
    refused, too late for the Inbox      the sequencer sequences its inputs again, at the present second
    L1 does not answer                   wait; the door closes when too much waits (`Sequencer`)
"""

import asyncio
from typing import Final

import structlog

from optimist.derive.rows import encode_rows
from optimist.l1.contracts import Contract
from optimist.l1.errors import L1Inconsistent, L1Unavailable, Reverted, RpcError
from optimist.l1.sender import Call, Sender, SendError
from optimist.sequencer.builder import SealedBatch
from optimist.sequencer.double_check import DoubleCheck
from optimist.sequencer.sequencer import Sequencer

log = structlog.get_logger(__name__)

SEEN_POLLS: Final = (
    30  # then ask the sender again: it finds its receipt, or sends anew what a reorg took away
)
# The Inbox has another history than the batch was built on: the node will see which.
FOREIGN: Final = frozenset({"WrongPrevious", "WrongAccumulator", "QueueTooShort"})
# It would have been taken once, and never will be again.
TOO_LATE: Final = frozenset({"TooFarBehind", "OverdueItemLeft", "FirstBeforePrevious"})


class Batcher:
    """Takes from `sequencer.unposted` what is not on L1 yet."""

    def __init__(
        self, sequencer: Sequencer, inbox: Contract, sender: Sender, double_check: DoubleCheck, poll: float
    ) -> None:
        self._sequencer = sequencer
        self._inbox = inbox
        self._sender = sender
        self._double_check = double_check
        self._poll = poll

    async def run(self) -> None:
        """Post for ever. Raises DerivationError or ExecutionMismatch: a batch is not what it should be."""
        while True:
            waiting = self._sequencer.unposted
            if waiting:
                try:
                    await self._post(waiting[0])
                except (L1Unavailable, L1Inconsistent, RpcError) as error:
                    log.warning("l1_trouble", batch=waiting[0].header.batch, error=str(error))
                except SendError as error:
                    batch = waiting[0].header.batch
                    log.error("batch_cannot_be_sent", batch=batch, reason=str(error))  # noqa: TRY400 - an alarm, no bug to trace
            await asyncio.sleep(self._poll)

    async def _post(self, sealed: SealedBatch) -> None:
        header, batch = sealed.header, sealed.batch
        rows = encode_rows(sealed.sequenced)
        if not await self._double_check.check(sealed, rows):
            return
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
            self._note_refusal(header.batch, error)
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

    def _note_refusal(self, batch: int, error: Reverted) -> None:
        if error.name in TOO_LATE:
            log.warning("batch_too_late", batch=batch, reason=str(error))
            self._sequencer.give_up(batch, str(error))
        elif error.name in FOREIGN:
            log.info("batch_refused", batch=batch, reason=str(error))
        else:
            log.error("batch_refused", batch=batch, reason=str(error))

    async def _await_node(self, batch: int) -> None:
        """Until our own node has seen the batch; a reorg may take it away first."""
        for _ in range(SEEN_POLLS):
            if not self._sequencer.unposted or self._sequencer.unposted[0].header.batch > batch:
                return
            await asyncio.sleep(self._poll)

"""What the batcher does to a batch before it signs: reads it back from its bytes, executes it once more."""

from optimist.derive.batch import SealedBatch as SealedOnL1
from optimist.derive.batch import derive_batch
from optimist.node.execution import ExecutionMismatch
from optimist.node.executors import BaseMoved
from optimist.node.node import Node
from optimist.sequencer.builder import SealedBatch


class DoubleCheck:
    """Compares what a node will make of a batch with what the sequencer has made of it."""

    def __init__(self, node: Node) -> None:
        """Executes where `node` does, on top of what it has."""
        self._node = node

    async def check(self, sealed: SealedBatch, rows: bytes) -> bool:
        """True when they are the same; False when the node is not right before this batch any more.

        Raises DerivationError or ExecutionMismatch: a bug of ours, or a fault of this machine.
        """
        header, ledger = sealed.header, self._node.ledger
        queue = [item.input for item in self._node.get_queue(sealed.queue_from, sealed.queue_count)]
        before = (header.batch - 1, sealed.batch.previous_accumulator)
        if (ledger.batch_count, ledger.get_accumulator()) != before:
            return False
        if queue != list(sealed.batch.inputs[1 : 1 + sealed.queue_count]):
            return False  # a reorg took items away, and the sequencer will go back in a moment
        derived = derive_batch(
            SealedOnL1(
                batch=header.batch,
                accumulator=sealed.batch.accumulator,
                first=header.first,
                last=header.last,
                mode=header.mode,
                queue_from=sealed.queue_from,
                queue_count=sealed.queue_count,
                rows=rows,
            ),
            queue,
            ledger.get_accumulator(),
        )
        try:
            execution = await self._node.executor.execute(ledger, derived, header.first)
        except BaseMoved:
            return False
        codes = execution.codes
        # What L1's queue brings may be rejected: anybody may force a settlement of nothing. It comes second.
        acknowledged = range(1 + sealed.queue_count, len(codes))
        refused = [index for index in (0, *acknowledged) if codes[index]]
        if refused:
            raise ExecutionMismatch(
                f"batch {header.batch}: the law rejects input {refused[0]} with code {codes[refused[0]]}, "
                "which was acknowledged: it is not posted"
            )
        if execution.effect != sealed.effect:
            raise ExecutionMismatch(
                f"batch {header.batch}: executed once more, it leaves another state than was acknowledged: "
                "it is not posted"
            )
        return True

"""The operator's own node, as the sequencer wants to see it."""

from collections.abc import Sequence

from optimist.l1.events import BatchSealed
from optimist.node.history import Entry
from optimist.node.node import Node
from optimist.node.progress import InputCounts
from optimist.node.receipts import Place
from optimist.sequencer.builder import Head
from optimist.stf.inputs import MODE_PUBLIC


class NodeChain:
    """`ports.Chain` over a node."""

    def __init__(self, node: Node, queue_depth: int) -> None:
        """`queue_depth`: blocks that must stand on a queue item's block before it is sequenced, 0 for none.

        What finality the node itself waits for (`--l1-tag`) comes on top.
        """
        self._node = node
        self._queue_depth = queue_depth
        self._counts = InputCounts()

    @property
    def timestamp(self) -> int:
        """Second of L1's newest block."""
        return self._node.timestamp

    @property
    def base_fee(self) -> int:
        """Of L1's newest block, wei per gas."""
        return self._node.base_fee

    @property
    def batch_count(self) -> int:
        """Batches that the node has executed."""
        return self._node.ledger.batch_count

    def accumulator(self, batch: int) -> bytes:
        """Acc of a sealed batch; zero for batch 0."""
        return self._node.ledger.get_accumulator(batch)

    def is_public(self, batch: int) -> bool:
        """Whether anybody sealed this batch, without inputs of the sequencer's, when it was due."""
        return self._find_sealed(batch).mode == MODE_PUBLIC

    @property
    def final_batch(self) -> int:
        """The last batch whose block L1 has finalized; 0 when there is none."""
        for located in reversed(self._node.events):
            if isinstance(located.event, BatchSealed) and located.block.number <= self._node.finalized:
                return located.event.batch
        return 0

    def _find_sealed(self, batch: int) -> BatchSealed:
        for located in reversed(self._node.events):
            if isinstance(located.event, BatchSealed) and located.event.batch == batch:
                return located.event
        raise LookupError(f"the Inbox has sealed no batch {batch}")

    @property
    def queue_length(self) -> int:
        """Items that may be sequenced: those whose block is deep enough."""
        head = self._node.head
        limit = (head.number if head else 0) - self._queue_depth
        length = self._node.queue_length
        while length > self._node.queue_start and self._node.get_queue(length - 1, 1)[0].block > limit:
            length -= 1
        return length

    def queue_inputs(self, start: int, count: int) -> Sequence[bytes]:
        """Inputs of queue items."""
        return [item.input for item in self._node.get_queue(start, count)]

    def history(self, account: int, after: Place, limit: int) -> list[Entry]:
        """What the law noted of an account in sealed batches. Raises NoHistory."""
        return self._node.history.read(account, after, limit)

    def count_inputs(self) -> tuple[int, int, int]:
        """Sequenced inputs that are posted, that are claimed with our own root, that are confirmed."""
        return self._counts.count(self._node.ledger, self._node.events)

    def head(self) -> Head:
        """A head of one's own, after the last sealed batch."""
        ledger = self._node.ledger
        last = ledger.last
        if last is None:
            raise ValueError("L1 has no batch yet: is the deployment complete?")
        return Head(
            state=ledger.state.copy(),
            batch=last.batch.number,
            accumulator=last.batch.accumulator,
            last=last.last,
            queue_next=last.queue_next,
            soft_number=last.soft_number,
            soft_history=last.soft_history,
        )

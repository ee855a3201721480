"""What the sequencer needs from outside: L1 as its node sees it."""

from collections.abc import Sequence
from typing import Protocol

from optimist.node.history import Entry
from optimist.node.receipts import Place
from optimist.sequencer.builder import Head


class Chain(Protocol):
    """L1 as this operator's own node sees it, up to the newest block it follows."""

    @property
    def timestamp(self) -> int:
        """Second of L1's newest block."""
        ...

    @property
    def base_fee(self) -> int:
        """Of L1's newest block, wei per gas."""
        ...

    @property
    def batch_count(self) -> int:
        """Batches that the Inbox has sealed and the node has executed."""
        ...

    def accumulator(self, batch: int) -> bytes:
        """Acc of a sealed batch; zero for batch 0."""
        ...

    def is_public(self, batch: int) -> bool:
        """Whether anybody sealed this batch, without inputs of the sequencer's, when it was due."""
        ...

    @property
    def final_batch(self) -> int:
        """The last batch whose block L1 has finalized; 0 when there is none."""
        ...

    @property
    def queue_length(self) -> int:
        """Items of L1's queue that may be sequenced."""
        ...

    def queue_inputs(self, start: int, count: int) -> Sequence[bytes]:
        """Inputs of `count` queue items from index `start` on."""
        ...

    def history(self, account: int, after: Place, limit: int) -> list[Entry]:
        """What the law noted of an account in sealed batches. Raises NoHistory."""
        ...

    def count_inputs(self) -> tuple[int, int, int]:
        """Sequenced inputs that are posted, that are claimed with our own root, that are confirmed."""
        ...

    def head(self) -> Head:
        """A head of one's own to build on: the state after the last sealed batch."""
        ...

"""What the sequencer needs from outside: L1 as its node sees it, and a way to post to it."""

from collections.abc import Sequence
from typing import Protocol

from optimist.sequencer.builder import Head, SealedBatch


class Chain(Protocol):
    """L1 as this operator's own node sees it, up to the newest block it follows."""

    @property
    def timestamp(self) -> int:
        """Second of that block."""
        ...

    @property
    def batch_count(self) -> int:
        """Batches that the Inbox has sealed and the node has executed."""
        ...

    def accumulator(self, batch: int) -> bytes:
        """Acc of a sealed batch; zero for batch 0."""
        ...

    def root(self, batch: int) -> bytes:
        """The node's state root at the end of a sealed batch."""
        ...

    @property
    def queue_length(self) -> int:
        """Items that were ever enqueued."""
        ...

    def queue_inputs(self, start: int, count: int) -> Sequence[bytes]:
        """Inputs of `count` queue items from index `start` on."""
        ...

    def head(self) -> Head:
        """A head of one's own to build on: the state after the last sealed batch."""
        ...


class Poster(Protocol):
    """The one sender of the sequencer's key."""

    async def append_batch(self, sealed: SealedBatch, rows: bytes) -> None:
        """Post a batch; returns once it is on L1 deep enough. Raises when L1 refuses it for good."""
        ...

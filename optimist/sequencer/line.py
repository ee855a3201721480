"""The sequencer's batches behind a batch of L1: which of them L1 has, and where it leaves them. Pure.

    base ── posted ── posted ── unposted ── sealing ── open

L1 leads to where the engine is as long as it has the base, has nothing else in the place of one of ours, and
its queue holds the very items that our unposted batches take.
"""

from collections.abc import Sequence
from typing import Final

from optimist.derive.rows import LENGTH_BYTES
from optimist.sequencer.builder import OpenBatch, SealedBatch
from optimist.sequencer.ports import Chain

KEPT_BATCHES: Final = 512  # at most, of those that L1 has, to be posted again when a reorg takes them off it


class Line:
    """Closed batches, oldest first."""

    def __init__(self, chain: Chain) -> None:
        """Begins behind the last batch of L1."""
        self._chain = chain
        self._base = chain.batch_count
        self._base_accumulator = chain.accumulator(self._base)
        self._sealed: list[SealedBatch] = []
        self._row_bytes: list[int] = []  # of each of them

    def append(self, sealed: SealedBatch) -> None:
        """A batch was closed; those that L1 has for good, or has had for long, are forgotten."""
        self._sealed.append(sealed)
        self._row_bytes.append(sum(LENGTH_BYTES + len(data) for data in sealed.sequenced))
        posted = min(self._chain.batch_count - self._base, len(self._sealed))
        final = self._chain.final_batch - self._base
        forgotten = min(max(final, len(self._sealed) - KEPT_BATCHES), posted)
        if forgotten > 0:
            newest = self._sealed[forgotten - 1]
            self._base, self._base_accumulator = newest.header.batch, newest.batch.accumulator
            del self._sealed[:forgotten], self._row_bytes[:forgotten]

    @property
    def unposted(self) -> list[SealedBatch]:
        """Those that L1 does not have, or no longer has after a reorg; oldest first."""
        return self._sealed[max(self._chain.batch_count - self._base, 0) :]

    @property
    def unposted_bytes(self) -> int:
        """Calldata of their inputs."""
        return sum(self._row_bytes[max(self._chain.batch_count - self._base, 0) :])

    def find_break(self, sealing: Sequence[SealedBatch], opened: OpenBatch | None, queue_next: int) -> str:
        """Why L1 does not lead to where we are, in words; empty when it does.

        `sealing`: closed behind the others, but not in the journal yet. `opened`: the open batch behind them,
        whose items of the queue begin at `queue_next`.
        """
        closed = [*self._sealed, *sealing]
        count = self._chain.batch_count
        if count < self._base:
            return f"L1 has taken batch {self._base} back"
        last = closed[-1].header.batch if closed else self._base
        if count > last:
            return f"L1 has batch {last + 1}, which we have not closed"
        ours = self._base_accumulator
        if count > self._base:
            ours = closed[count - self._base - 1].batch.accumulator
        if self._chain.accumulator(count) != ours:
            return f"batch {count} of L1 is not ours"
        for sealed in closed:
            items = sealed.batch.inputs[1 : 1 + sealed.queue_count]
            if sealed.header.batch > count and not self._are_queued(sealed.queue_from, items):
                return f"batch {sealed.header.batch} takes items that L1's queue does not hold any more"
        if opened is not None and not self._are_queued(queue_next, opened.queue_items):
            return f"the open batch {opened.number} takes items that L1's queue does not hold any more"
        return ""

    def _are_queued(self, start: int, items: tuple[bytes, ...] | list[bytes]) -> bool:
        return list(self._chain.queue_inputs(start, len(items))) == list(items)

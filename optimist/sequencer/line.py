"""The sequencer's batches behind a batch of L1: which of them L1 has, and where it leaves them. Pure.

    base ── posted ── posted ── unposted ── sealing ── open

L1 leads to where the engine is as long as it has the base, has nothing else in the place of one of ours, and
its queue holds the very items that our unposted batches take.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from optimist.sequencer.builder import OpenBatch, SealedBatch
from optimist.sequencer.ports import Chain

KEPT_BATCHES: Final = 512  # of those that L1 has, to be posted again when a reorg takes them off it


class Line:
    """Closed batches, oldest first."""

    def __init__(self, chain: Chain) -> None:
        """Begins behind the last batch of L1."""
        self._chain = chain
        self._base = chain.batch_count
        self._base_accumulator = chain.accumulator(self._base)
        self._sealed: deque[SealedBatch] = deque()

    def append(self, sealed: SealedBatch) -> None:
        """A batch was closed; those that L1 has had for long are forgotten."""
        self._sealed.append(sealed)
        while len(self._sealed) > KEPT_BATCHES and self._sealed[0].header.batch <= self._chain.batch_count:
            oldest = self._sealed.popleft()
            self._base, self._base_accumulator = oldest.header.batch, oldest.batch.accumulator

    @property
    def unposted(self) -> list[SealedBatch]:
        """Those that L1 does not have, or no longer has after a reorg; oldest first."""
        count = self._chain.batch_count
        return [sealed for sealed in self._sealed if sealed.header.batch > count]

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

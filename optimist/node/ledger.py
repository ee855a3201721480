"""Batch after batch: the state, its root at every batch end, and the way back. Pure; knows no L1 and no disk.

One batch is applied at a time, its root is computed once from the records that it changed, and what they held
before is kept as its undo log. So the newest batch can be taken back (a reorg), and the state after any
kept batch can be had (a dispute). Batches count from 1; batch 0 stands for genesis, the empty state.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from optimist.base.merkle import ZERO
from optimist.derive.batch import Batch
from optimist.derive.commitments import compute_input_hash, compute_soft_history
from optimist.provable import State
from optimist.stf.inputs import ORIGIN_SEQUENCED
from optimist.vm.records import ABSENT, build_state_tree, compute_record_leaf


class UnknownBatch(LookupError):
    """A batch that is not here: not sealed yet, or so old that its undo log was forgotten."""


@dataclass(frozen=True, slots=True)
class AppliedBatch:
    """A batch and what came of it. `codes`: the law's code for each input, 0 for accepted.

    `undo`: every record that it changed, as it was before (ABSENT for one that was not there).
    """

    batch: Batch
    first: int
    last: int
    root: bytes
    codes: tuple[int, ...]
    undo: Mapping[int, bytes]
    input_count: int  # inputs up to and with this batch
    queue_next: int  # queue items taken up to and with this batch
    soft_number: int  # sequenced inputs up to and with this batch
    soft_history: bytes


class Ledger:
    """All batches so far, and the state after the last one."""

    def __init__(
        self,
        law: Callable[[], None],
        batches: Iterable[AppliedBatch] = (),
        records: Mapping[int, bytes] | None = None,
    ) -> None:
        """`batches` and `records` are what an earlier run kept: all batches, and the state after the last.

        Raises ValueError when the records do not hash to the last batch's root.
        """
        self._law = law
        self._batches = list(batches)
        self.state = State(records)
        self._tree = build_state_tree(dict(self.state.items()))
        if self._tree.root != self.root:
            raise ValueError(
                f"the kept records hash to 0x{self._tree.root.hex()}, not to 0x{self.root.hex()}, "
                f"the root after batch {self.batch_count}"
            )

    @property
    def batch_count(self) -> int:
        """Number of the last batch."""
        return len(self._batches)

    @property
    def root(self) -> bytes:
        """State root after the last batch."""
        return self._batches[-1].root if self._batches else ZERO

    @property
    def last(self) -> AppliedBatch | None:
        """The last batch, None before the first."""
        return self._batches[-1] if self._batches else None

    def append(self, batch: Batch, first: int, last: int, queue_count: int) -> AppliedBatch:
        """Apply the next batch. `first`, `last`: its seconds, `queue_count`: the queue items in it.

        Raises ValueError when it does not follow the last one.
        """
        if batch.number != self.batch_count + 1 or batch.previous_accumulator != self.get_accumulator():
            raise ValueError(f"batch {batch.number} does not follow batch {self.batch_count}")
        undo: dict[int, bytes] = {}
        codes = []
        previous = self.last
        soft_number = previous.soft_number if previous else 0
        soft_history = previous.soft_history if previous else ZERO
        for data in batch.inputs:
            receipt = self.state.apply(self._law, data)
            codes.append(receipt.code)
            for key, (old, _) in receipt.writes.items():
                undo.setdefault(key, old or ABSENT)
            if data[0] == ORIGIN_SEQUENCED:
                soft_number += 1
                soft_history = compute_soft_history(soft_history, compute_input_hash(data))
        applied = AppliedBatch(
            batch=batch,
            first=first,
            last=last,
            root=self._tree.update(self._leaves(undo)),
            codes=tuple(codes),
            undo=undo,
            input_count=(previous.input_count if previous else 0) + len(batch.inputs),
            queue_next=(previous.queue_next if previous else 0) + queue_count,
            soft_number=soft_number,
            soft_history=soft_history,
        )
        self._batches.append(applied)
        return applied

    def take_back(self) -> AppliedBatch:
        """Undo the last batch. Raises UnknownBatch when there is none."""
        if not self._batches:
            raise UnknownBatch("there is no batch to take back")
        gone = self._batches.pop()
        for key, old in gone.undo.items():
            self.state.set_bytes(key, old)
        self._tree.update(self._leaves(gone.undo))
        return gone

    def get_applied(self, batch: int) -> AppliedBatch:
        """A batch and its effects. Raises UnknownBatch."""
        if not 1 <= batch <= self.batch_count:
            raise UnknownBatch(f"batch {batch} is not known here; the last one is {self.batch_count}")
        return self._batches[batch - 1]

    def get_batch(self, number: int) -> Batch:
        """The inputs of a batch. Raises UnknownBatch."""
        return self.get_applied(number).batch

    def get_end_root(self, batch: int) -> bytes | None:
        """State root after `batch`; None while it is not known here."""
        if batch > self.batch_count:
            return None
        return self.get_applied(batch).root if batch else ZERO

    def get_accumulator(self, batch: int | None = None) -> bytes:
        """Acc of `batch` (default: the last one); zero for batch 0. Raises UnknownBatch."""
        number = self.batch_count if batch is None else batch
        return self.get_applied(number).batch.accumulator if number else ZERO

    def get_input_count(self, batch: int) -> int:
        """Inputs up to and with `batch`. Raises UnknownBatch."""
        return self.get_applied(batch).input_count if batch else 0

    def get_records(self, batch: int) -> dict[int, bytes]:
        """All records after `batch`, 256 bytes by key. Raises UnknownBatch."""
        if batch:
            self.get_applied(batch)
        records = dict(self.state.items())
        for applied in reversed(self._batches[batch:]):
            for key, old in applied.undo.items():
                if old == ABSENT:
                    records.pop(key, None)
                else:
                    records[key] = old
        return records

    def _leaves(self, keys: Iterable[int]) -> Iterable[tuple[int, bytes]]:
        return [(key, compute_record_leaf(self.state.get_bytes(key) or ABSENT)) for key in keys]

"""Batch after batch: the state, its root at every batch end, and the way back. Pure; knows no L1 and no disk.

One batch is applied at a time, its root is computed once from the records that it changed, and what they held
before is kept as its undo log. So the newest batch can be taken back (a reorg), and the state after any
kept batch can be had (a dispute). What nobody can ask for any more is forgotten, oldest first: then only
where a batch ended is known. Batches count from 1; batch 0 stands for genesis, the empty state.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from optimist.base.merkle import ZERO
from optimist.derive.batch import Batch
from optimist.derive.commitments import compute_input_hash, compute_soft_history
from optimist.node.execution import Execution, execute
from optimist.provable import State
from optimist.stf.inputs import ORIGIN_SEQUENCED
from optimist.vm.records import ABSENT, build_state_tree, compute_record_leaf


class UnknownBatch(LookupError):
    """A batch that is not here: not sealed yet, or so old that it was forgotten."""


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """Where a batch ended: what is known of it for ever. Counts are of this batch and all before it."""

    number: int
    accumulator: bytes
    root: bytes
    input_count: int
    queue_next: int  # queue items taken
    rejected: int  # inputs of this batch that the law rejected


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

    @property
    def end(self) -> BatchEnd:
        """What remains of it when it is forgotten."""
        return BatchEnd(
            number=self.batch.number,
            accumulator=self.batch.accumulator,
            root=self.root,
            input_count=self.input_count,
            queue_next=self.queue_next,
            rejected=sum(code != 0 for code in self.codes),
        )


class Ledger:
    """All batches so far, and the state after the last one."""

    def __init__(
        self,
        law: Callable[[], None],
        batches: Iterable[AppliedBatch] = (),
        records: Mapping[int, bytes] | None = None,
        forgotten: Iterable[BatchEnd] = (),
    ) -> None:
        """What an earlier run kept: the batches it had forgotten, all after them, the state after the last.

        Raises ValueError when the batches are not all there or the records not those of the last one.
        """
        self._law = law
        self._forgotten = list(forgotten)
        self._batches = list(batches)
        numbers = [end.number for end in self._forgotten] + [each.batch.number for each in self._batches]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"the {len(numbers)} kept batches do not follow one another")
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
        return len(self._forgotten) + len(self._batches)

    @property
    def forgotten(self) -> int:
        """Number of the last batch that was forgotten; 0 when none was. The state after it can be had."""
        return len(self._forgotten)

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
        self.require_next(batch)
        execution, _ = execute(self._law, self.state.copy(), batch.inputs, first)
        root = self.compute_root(execution)
        return self.finish(batch, first, last, queue_count, execution, root)

    def require_next(self, batch: Batch) -> None:
        """Raises ValueError when a batch does not follow the last one."""
        if batch.number != self.batch_count + 1 or batch.previous_accumulator != self.get_accumulator():
            raise ValueError(f"batch {batch.number} does not follow batch {self.batch_count}")

    def compute_root(self, execution: Execution) -> bytes:
        """State root after the next batch. May run in another thread; nothing else comes before `finish`."""
        return self._tree.update(_get_leaves(execution.records))

    def finish(
        self, batch: Batch, first: int, last: int, queue_count: int, execution: Execution, root: bytes
    ) -> AppliedBatch:
        """Make a batch that was executed on top of the last one the last one: `append` in parts.

        For a process that has other things to do: the ledger itself stays as it is until now.
        """
        self.require_next(batch)
        previous = self.last
        soft_number = previous.soft_number if previous else 0
        soft_history = previous.soft_history if previous else ZERO
        for data in batch.inputs:
            if data[0] == ORIGIN_SEQUENCED:
                soft_number += 1
                soft_history = compute_soft_history(soft_history, compute_input_hash(data))
        undo = {key: self.state.get_bytes(key) or ABSENT for key in execution.records}
        for key, record in execution.records.items():
            self.state.set_bytes(key, record)
        applied = AppliedBatch(
            batch=batch,
            first=first,
            last=last,
            root=root,
            codes=execution.codes,
            undo=undo,
            input_count=(previous.input_count if previous else 0) + len(batch.inputs),
            queue_next=(previous.queue_next if previous else 0) + queue_count,
            soft_number=soft_number,
            soft_history=soft_history,
        )
        self._batches.append(applied)
        return applied

    def take_back(self) -> AppliedBatch:
        """Undo the last batch. Raises UnknownBatch when there is none, or what it follows is forgotten."""
        if len(self._batches) <= (1 if self.forgotten else 0):
            raise UnknownBatch(f"batch {self.batch_count} stays for good: there is nothing to take back")
        gone = self._batches.pop()
        for key, old in gone.undo.items():
            self.state.set_bytes(key, old)
        self._tree.update(_get_leaves(gone.undo))
        return gone

    def forget(self, until: int) -> list[BatchEnd]:
        """Forget inputs, codes and undo logs of all batches up to `until`; those that were not yet forgotten.

        For batches that L1 can neither take back nor dispute. The last batch is never forgotten.
        """
        count = max(0, min(until, self.batch_count - 1) - self.forgotten)
        ends = [applied.end for applied in self._batches[:count]]
        del self._batches[:count]
        self._forgotten += ends
        return ends

    def get_applied(self, batch: int) -> AppliedBatch:
        """A batch and its effects. Raises UnknownBatch."""
        self._require_known(batch)
        if batch <= self.forgotten:
            raise UnknownBatch(
                f"batch {batch} is forgotten here, as are all up to {self.forgotten}: "
                "what follows them is confirmed for good"
            )
        return self._batches[batch - self.forgotten - 1]

    def get_end(self, batch: int) -> BatchEnd:
        """Where a batch ended, forgotten or not. Raises UnknownBatch."""
        self._require_known(batch)
        place = self._get_place(batch)
        return place if isinstance(place, BatchEnd) else place.end

    def get_batch(self, number: int) -> Batch:
        """The inputs of a batch. Raises UnknownBatch."""
        return self.get_applied(number).batch

    def get_end_root(self, batch: int) -> bytes | None:
        """State root after `batch`; None while it is not known here."""
        if batch > self.batch_count:
            return None
        return self._get_place(batch).root if batch else ZERO

    def get_accumulator(self, batch: int | None = None) -> bytes:
        """Acc of `batch` (default: the last one); zero for batch 0. Raises UnknownBatch."""
        number = self.batch_count if batch is None else batch
        if not number:
            return ZERO
        place = self._get_place(number)
        return place.accumulator if isinstance(place, BatchEnd) else place.batch.accumulator

    def get_input_count(self, batch: int) -> int:
        """Inputs up to and with `batch`. Raises UnknownBatch."""
        return self._get_place(batch).input_count if batch else 0

    def get_records(self, batch: int) -> dict[int, bytes]:
        """All records after `batch`, 256 bytes by key. Raises UnknownBatch."""
        return dict(self.get_state(batch).items())

    def get_state(self, batch: int) -> State:
        """A state of one's own, as after `batch`: some milliseconds for 10^5 accounts. Raises UnknownBatch.

        `get_records` costs twenty times as much: every record is turned into bytes.
        """
        state = self.state.copy()
        for key, old in self.get_rewind(batch).items():
            state.set_bytes(key, old)
        return state

    def get_rewind(self, batch: int) -> dict[int, bytes]:
        """What leads back to the state after `batch`: every record to set, ABSENT to delete it.

        Raises UnknownBatch.
        """
        if batch != self.forgotten:
            self.get_applied(batch)
        rewind: dict[int, bytes] = {}
        for applied in reversed(self._batches[batch - self.forgotten :]):
            rewind.update(applied.undo)
        return rewind

    def _get_place(self, batch: int) -> AppliedBatch | BatchEnd:
        self._require_known(batch)
        return self._forgotten[batch - 1] if batch <= self.forgotten else self.get_applied(batch)

    def _require_known(self, batch: int) -> None:
        if not 1 <= batch <= self.batch_count:
            raise UnknownBatch(f"batch {batch} is not known here; the last one is {self.batch_count}")


def _get_leaves(records: Mapping[int, bytes]) -> list[tuple[int, bytes]]:
    return [(key, compute_record_leaf(record)) for key, record in records.items()]

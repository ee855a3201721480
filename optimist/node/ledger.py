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
from optimist.provable import State
from optimist.provable.record import Record
from optimist.stf.inputs import ORIGIN_SEQUENCED, SEQUENCED_KIND_AT, SEQUENCED_SECOND_AT
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
        pending = self.begin(batch, first, last, queue_count)
        while pending.apply_some(len(batch.inputs)):
            pass
        return self.finish(pending, self.compute_root(pending))

    def begin(self, batch: Batch, first: int, last: int, queue_count: int) -> "PendingBatch":
        """`append` in parts, for a process that has other things to do: apply, compute the root, finish.

        The ledger itself stays as it is until `finish`. Raises ValueError as `append` does.
        """
        if batch.number != self.batch_count + 1 or batch.previous_accumulator != self.get_accumulator():
            raise ValueError(f"batch {batch.number} does not follow batch {self.batch_count}")
        return PendingBatch(batch, first, last, queue_count, self._law, self.state.copy())

    def compute_root(self, pending: "PendingBatch") -> bytes:
        """State root after a batch of which every input is applied. May run in another thread."""
        return self._tree.update(_get_leaves(pending.state, pending.undo))

    def finish(self, pending: "PendingBatch", root: bytes) -> AppliedBatch:
        """Make a pending batch the last one."""
        previous = self.last
        batch = pending.batch
        soft_number = previous.soft_number if previous else 0
        soft_history = previous.soft_history if previous else ZERO
        for data in batch.inputs:
            if data[0] == ORIGIN_SEQUENCED:
                soft_number += 1
                soft_history = compute_soft_history(soft_history, compute_input_hash(data))
        applied = AppliedBatch(
            batch=batch,
            first=pending.first,
            last=pending.last,
            root=root,
            codes=tuple(pending.codes),
            undo=pending.undo,
            input_count=(previous.input_count if previous else 0) + len(batch.inputs),
            queue_next=(previous.queue_next if previous else 0) + pending.queue_count,
            soft_number=soft_number,
            soft_history=soft_history,
        )
        self.state = pending.state
        self._batches.append(applied)
        return applied

    def take_back(self) -> AppliedBatch:
        """Undo the last batch. Raises UnknownBatch when there is none, or what it follows is forgotten."""
        if len(self._batches) <= (1 if self.forgotten else 0):
            raise UnknownBatch(f"batch {self.batch_count} stays for good: there is nothing to take back")
        gone = self._batches.pop()
        for key, old in gone.undo.items():
            self.state.set_bytes(key, old)
        self._tree.update(_get_leaves(self.state, gone.undo))
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
        if batch != self.forgotten:
            self.get_applied(batch)
        state = self.state.copy()
        for applied in reversed(self._batches[batch - self.forgotten :]):
            for key, old in applied.undo.items():
                state.set_bytes(key, old)
        return state

    def _get_place(self, batch: int) -> AppliedBatch | BatchEnd:
        self._require_known(batch)
        return self._forgotten[batch - 1] if batch <= self.forgotten else self.get_applied(batch)

    def _require_known(self, batch: int) -> None:
        if not 1 <= batch <= self.batch_count:
            raise UnknownBatch(f"batch {batch} is not known here; the last one is {self.batch_count}")


class PendingBatch:
    """A batch that is being applied, on a state of its own."""

    def __init__(
        self,
        batch: Batch,
        first: int,
        last: int,
        queue_count: int,
        law: Callable[[], None],
        state: State,
    ) -> None:
        """Made by `Ledger.begin`."""
        self.batch = batch
        self.first = first
        self.last = last
        self.queue_count = queue_count
        self.state = state
        self.codes: list[int] = []
        self.undo: dict[int, bytes] = {}
        self._notes: dict[int, tuple[int, tuple[Record, ...]]] = {}
        self._law = law
        self._second = first

    def apply_some(self, count: int) -> bool:
        """Apply at most `count` inputs more; True while there are inputs left."""
        start = len(self.codes)
        for data in self.batch.inputs[start : start + count]:
            receipt = self.state.apply(self._law, data)
            if data[0] == ORIGIN_SEQUENCED and not receipt.rejected:
                self._second = int.from_bytes(data[SEQUENCED_SECOND_AT:SEQUENCED_KIND_AT], "big")
            if receipt.notes:
                self._notes[len(self.codes)] = (self._second, receipt.notes)
            self.codes.append(receipt.code)
            for key, (old, _) in receipt.writes.items():
                self.undo.setdefault(key, old or ABSENT)
        return len(self.codes) < len(self.batch.inputs)

    def take_notes(self) -> dict[int, tuple[int, tuple[Record, ...]]]:
        """What the law has noted since the last time: index of an input -> its second, its notes."""
        notes, self._notes = self._notes, {}
        return notes


def _get_leaves(state: State, keys: Iterable[int]) -> list[tuple[int, bytes]]:
    return [(key, compute_record_leaf(state.get_bytes(key) or ABSENT)) for key in keys]

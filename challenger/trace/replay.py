"""A range of batches applied again, input by input: every root in between, and the state before any input.

On the happy path nobody computes a root per input. A dispute does, for one range, once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from challenger.game.dispute import Opening
from optimist.base.merkle import ZERO, SparseTree
from optimist.derive.batch import Batch
from optimist.derive.commitments import compute_input_hash, compute_leaf
from optimist.provable import State
from optimist.vm.records import ABSENT, build_state_tree, compute_record_leaf
from optimist.vm.walker import add_to_hash


class BatchSource(Protocol):
    """What a replay asks of a node. Batches count from 1, batch 0 stands for genesis."""

    def get_end_root(self, batch: int) -> bytes | None:
        """State root after `batch`; None while it is not known here."""
        ...

    def get_batch(self, number: int) -> Batch:
        """The inputs of a batch. Raises LookupError when it is not known here."""
        ...

    def get_input_count(self, batch: int) -> int:
        """Inputs up to and with `batch`."""
        ...

    def get_records(self, batch: int) -> Mapping[int, bytes]:
        """All records after `batch`, 256 bytes by key."""
        ...


@dataclass(frozen=True, slots=True)
class Before:
    """The state before one input. `number` counts the inputs of all batches from 0: INIT is 0.

    Given to a transition, `state` and `tree` are the replay's own and move on with it.
    """

    number: int
    input: bytes
    state: State
    tree: SparseTree
    root: bytes  # the one that is claimed: for the honest that of the tree


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one input did: the records that it changed; ABSENT for a deleted one.

    `offset` is what the claimed root after it differs by from that of the records: 0 for the honest.
    """

    changes: Mapping[int, bytes]
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """One input of the range, with what stood before and after it."""

    batch: int
    input: bytes
    opening: Opening
    root: bytes  # after it
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Base:
    """The state after a batch, from which a range is replayed."""

    records: Mapping[int, bytes]
    tree: SparseTree
    input_count: int  # inputs before the range


def load_base(source: BatchSource, batch: int) -> Base:
    """The state after `batch`. Raises ValueError when it is not known, or does not hash to its root."""
    root = source.get_end_root(batch)
    if root is None:
        raise ValueError(f"batch {batch} is not known here, so nothing after it can be replayed")
    records = dict(source.get_records(batch))
    tree = build_state_tree(records)
    if tree.root != root:
        raise ValueError(f"the records after batch {batch} do not hash to its root {root.hex()}")
    return Base(records, tree, source.get_input_count(batch))


class Replay:
    """The inputs after batch `start`, as far as they were asked for."""

    def __init__(
        self, source: BatchSource, start: int, apply: Callable[[Before], Outcome], base: "Base | None" = None
    ) -> None:
        """`apply` is the transition: the law, or what somebody takes for it."""
        self.start = start
        self.base = base or load_base(source, start)
        self.applied: list[Applied] = []
        self.last_batch = start
        self._accumulator = source.get_batch(start).accumulator if start else ZERO
        self._source = source
        self._apply = apply
        self._now = self.get_before(0, b"")

    @classmethod
    def fork(
        cls, other: "Replay", source: BatchSource, position: int, apply: Callable[[Before], Outcome]
    ) -> "Replay":
        """Another future of `other` from its input at `position` on: what came before is shared."""
        twin = cls(source, other.start, apply, other.base)
        twin.applied = other.applied[:position]
        twin.last_batch = other.applied[position].batch - 1
        twin._now = twin.get_before(position, b"")
        skipped = position - (source.get_input_count(twin.last_batch) - twin.base.input_count)
        batch = source.get_batch(twin.last_batch + 1)
        twin._apply_batch(batch, skipped)
        twin.last_batch += 1
        twin._accumulator = batch.accumulator
        return twin

    def is_current(self) -> bool:
        """Whether the batches that were replayed are still those of the source: a reorg may replace them."""
        if self.last_batch == 0:
            return True
        try:
            return self._source.get_batch(self.last_batch).accumulator == self._accumulator
        except LookupError:
            return False

    def extend(self, to: int) -> None:
        """Apply all batches up to `to`."""
        while self.last_batch < to:
            batch = self._source.get_batch(self.last_batch + 1)
            self._apply_batch(batch)
            self.last_batch += 1
            self._accumulator = batch.accumulator

    def get_leaf(self, position: int) -> bytes:
        """Level-1 leaf after the input at `position`."""
        applied = self.applied[position]
        return compute_leaf(applied.root, applied.batch, applied.opening.next_rest)

    def get_before(self, position: int, data: bytes | None = None) -> Before:
        """The state before the input at `position`: a copy that the caller may keep."""
        records, tree = dict(self.base.records), self.base.tree.copy()
        changes: dict[int, bytes] = {}
        for applied in self.applied[:position]:
            changes |= applied.outcome.changes
        _update(records, tree, changes)
        state = State(records)
        root = self.applied[position - 1].root if position else tree.root
        return Before(
            self.base.input_count + position,
            self.applied[position].input if data is None else data,
            state,
            tree,
            root,
        )

    def _apply_batch(self, batch: Batch, skipped: int = 0) -> None:
        for index, data in enumerate(batch.inputs[skipped:], start=skipped):
            now = self._now
            before = Before(self.base.input_count + len(self.applied), data, now.state, now.tree, self._root)
            outcome = self._apply(before)
            previous = (batch.number - 1, ZERO) if index == 0 else (batch.number, batch.links[index])
            opening = Opening(before.root, *previous, compute_input_hash(data), batch.links[index + 1])
            for key, record in outcome.changes.items():
                now.state.set_bytes(key, record)
            now.tree.update((key, compute_record_leaf(record)) for key, record in outcome.changes.items())
            root = add_to_hash(now.tree.root, outcome.offset)
            self.applied.append(Applied(batch.number, data, opening, root, outcome))

    @property
    def _root(self) -> bytes:
        return self.applied[-1].root if self.applied else self.base.tree.root


def _update(records: dict[int, bytes], tree: SparseTree, changes: Mapping[int, bytes]) -> None:
    for key, record in changes.items():
        if record == ABSENT:
            records.pop(key, None)
        else:
            records[key] = record
    tree.update((key, compute_record_leaf(record)) for key, record in changes.items())


def apply_law(law: Callable[[], None], before: Before) -> Outcome:
    """Apply an input natively. Leaves `before.state` changed, as the law does."""
    receipt = before.state.apply(law, before.input)
    return Outcome({key: new or ABSENT for key, (_, new) in receipt.writes.items()})

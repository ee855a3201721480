"""A state that follows a ledger's from afar, batch after batch, and back over the last ones. Pure.

    base ── batch ── batch ── batch        each with the accumulator before it, and what it changed

Whoever asks says behind which accumulator a batch comes: what stands beyond that has been taken back.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from optimist.base.merkle import ZERO
from optimist.node.execution import Execution, execute, hash_anew
from optimist.provable import State

KEPT_BATCHES: Final = 256  # back to which a reorg costs nothing but the way


class Replica:
    """The law, a state, and where it stands. Begins behind batch 0."""

    def __init__(self, law: Callable[[], None], *, keeps_receipts: bool) -> None:
        """`law`: its native entry."""
        self._law = law
        self._keeps_receipts = keeps_receipts
        self.begin(ZERO, {})

    def begin(self, accumulator: bytes, records: Mapping[int, bytes]) -> None:
        """Stand behind the batch with this accumulator, where the state has these records."""
        self._state = State(records)
        self._accumulator = accumulator
        self._way: list[tuple[bytes, dict[int, bytes]]] = []  # accumulator before a batch, and its undo

    def execute(
        self, previous: bytes, accumulator: bytes, inputs: Sequence[bytes], first: int
    ) -> Execution | None:
        """What a batch does behind the one with accumulator `previous`; None when no way leads there."""
        steps = self._count_steps(previous)
        if steps is None:
            return None
        for _ in range(steps):
            self._accumulator, undo = self._way.pop()
            _rewind(self._state, undo)
        execution, undo = execute(self._law, self._state, inputs, first, keeps_receipts=self._keeps_receipts)
        self._way.append((previous, undo))
        del self._way[:-KEPT_BATCHES]
        self._accumulator = accumulator
        return execution

    def compute_root(
        self, accumulator: bytes, rewind: Mapping[int, bytes], inputs: Sequence[bytes]
    ) -> bytes | None:
        """State root after `inputs`, from where `rewind` leads from behind `accumulator`; None as above.

        The replica stays where it is.
        """
        steps = self._count_steps(accumulator)
        if steps is None:
            return None
        state = self._state.copy()
        for _, undo in reversed(self._way[len(self._way) - steps :]):
            _rewind(state, undo)
        _rewind(state, rewind)
        for data in inputs:
            state.apply(self._law, data)
        return hash_anew(state)

    def _count_steps(self, accumulator: bytes) -> int | None:
        """Batches to take back until this is the last accumulator."""
        if accumulator == self._accumulator:
            return 0
        for steps, (before, _) in enumerate(reversed(self._way), start=1):
            if before == accumulator:
                return steps
        return None


def _rewind(state: State, undo: Mapping[int, bytes]) -> None:
    for key, old in undo.items():
        state.set_bytes(key, old)

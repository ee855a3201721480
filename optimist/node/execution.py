"""What a batch does to a state: its inputs applied one after the other, and what is told of it. Pure.

A batch that was built wrong, or a root that does not belong to its batch, must not get as far as L1, where it
costs a bond. So what is about to be signed is read back from its bytes and executed once more (`executors.py`
says where); both must come to the same.
"""

from collections.abc import Callable, Collection, Sequence

import msgspec

from optimist.base.keccak import keccak
from optimist.node.receipts import keep_receipt
from optimist.provable import State
from optimist.provable.context import Touched
from optimist.stf.inputs import ORIGIN_SEQUENCED, SEQUENCED_KIND_AT, SEQUENCED_SECOND_AT
from optimist.vm.records import ABSENT, build_state_tree

KEY_BYTES = 6  # table << 40 | row

Receipts = dict[int, tuple[bytes, tuple[int, ...]]]  # index of an input -> as kept, whose history it is in


class ExecutionMismatch(Exception):
    """A second execution came to another result: sign nothing, and find out which of the two is wrong."""


class Execution(msgspec.Struct, frozen=True, array_like=True):
    """What came of a batch. Whoever has the state before it comes to the one after it without the law.

    `codes`: the law's code for each input, 0 for accepted. `effect`: `compute_effect` of all records that it
    stored. `records`: those that are not what they were, as they are now (ABSENT for one that is gone).
    `receipts`: of the inputs that noted anything; empty where none are kept.
    """

    codes: tuple[int, ...]
    effect: bytes
    records: dict[int, bytes]
    receipts: Receipts


class Executing:
    """A batch that is being applied to a state, some inputs at a time."""

    def __init__(
        self,
        law: Callable[[], None],
        state: State,
        inputs: Sequence[bytes],
        first: int,
        *,
        keeps_receipts: bool,
    ) -> None:
        """`law`: its native entry. `state` is changed in place. `first`: the batch's first second."""
        self._law = law
        self._state = state
        self._inputs = inputs
        self._second = first
        self._keeps_receipts = keeps_receipts
        self._codes: list[int] = []
        self._before: Touched = {}
        self._receipts: Receipts = {}

    def apply_some(self, count: int) -> None:
        """Apply at most `count` inputs more."""
        start = len(self._codes)
        for data in self._inputs[start : start + count]:
            receipt = self._state.apply(self._law, data)
            if data[0] == ORIGIN_SEQUENCED and not receipt.rejected:
                self._second = int.from_bytes(data[SEQUENCED_SECOND_AT:SEQUENCED_KIND_AT], "big")
            if receipt.notes and self._keeps_receipts:
                self._receipts[len(self._codes)] = keep_receipt(self._second, receipt.notes)
            self._codes.append(receipt.code)
            for key, held in receipt.before.items():
                self._before.setdefault(key, held)

    def finish(self) -> tuple[Execution, dict[int, bytes]]:
        """What came of it, and the way back: what every changed record was before, ABSENT if not there."""
        changes = self._state.compare(self._before)
        execution = Execution(
            codes=tuple(self._codes),
            effect=compute_effect(self._state, self._before),
            records={key: new or ABSENT for key, (_, new) in changes.items()},
            receipts=self._receipts,
        )
        return execution, {key: old or ABSENT for key, (old, _) in changes.items()}


def execute(
    law: Callable[[], None],
    state: State,
    inputs: Sequence[bytes],
    first: int,
    *,
    keeps_receipts: bool = False,
) -> tuple[Execution, dict[int, bytes]]:
    """Apply a batch to `state` at once: see `Executing`."""
    executing = Executing(law, state, inputs, first, keeps_receipts=keeps_receipts)
    executing.apply_some(len(inputs))
    return executing.finish()


def compute_effect(state: State, keys: Collection[int]) -> bytes:
    """32 bytes that say what the records `keys` hold now."""
    records = ((key, state.get_bytes(key) or ABSENT) for key in sorted(keys))
    return keccak(b"".join(key.to_bytes(KEY_BYTES, "big") + record for key, record in records))


def hash_anew(state: State) -> bytes:
    """State root, from every record there is."""
    return build_state_tree(dict(state.items())).root

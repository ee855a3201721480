"""The states of one input, step by step, and the proof of any of its steps.

A `Trace` keeps the hashes and nothing else: a proof re-executes the input up to its step, which takes less
time than hashing a few hundred.
"""

from collections.abc import Callable, Iterator, Mapping

from optimist.base.merkle import SparseTree
from optimist.vm.fast import STEP_LIMIT, Execution, StepLimitExceeded, get_execution
from optimist.vm.image import Image
from optimist.vm.rare import HALT, Signatures
from optimist.vm.tamper import Edit
from optimist.vm.walker import Walker


class Trace:
    """One input over one state. `initial` is the hash before the first step, `hashes[i]` that after step i.

    `state` and `records` are the state before the input: the tree, and the 256-byte records that it was built
    from. They must not change while the trace lives. The last hash is FINAL of the root after the input.
    `edit` makes it the trace of a liar: see `tamper.py`.

    Raises StepLimitExceeded; ValueError when the edit lies behind the last step.
    """

    def __init__(
        self,
        image: Image,
        state: SparseTree,
        records: Mapping[int, bytes],
        input: bytes,
        *,
        signatures: Signatures | None = None,
        edit: Edit | None = None,
        step_limit: int = STEP_LIMIT,
    ) -> None:
        self._start: Callable[[], Walker] = lambda: Walker(image, state, records, input, signatures)
        self._edit = edit
        walker = self._start()
        self.initial = walker.compute_hash()
        self.hashes: list[bytes] = []
        while not walker.has_stopped:
            if len(self.hashes) == step_limit:
                raise StepLimitExceeded(f"not stopped after {step_limit} steps, at pc {walker.core.pc}")
            self._advance(walker)
            if edit is not None and len(self.hashes) == step_limit - 1:
                walker.core.result = HALT  # the edited machine runs for ever: its owner says that it stopped
            self.hashes.append(walker.compute_hash())
        if edit is not None and edit.step >= len(self.hashes):
            raise ValueError(f"step {edit.step} cannot be edited: the execution has {len(self.hashes)} steps")
        self.execution: Execution = get_execution(walker.core)

    def __len__(self) -> int:
        """Number of steps."""
        return len(self.hashes)

    def get_state(self, index: int) -> bytes:
        """Hash before step `index`. A stopped machine repeats its last state."""
        if index == 0:
            return self.initial
        return self.hashes[min(index, len(self.hashes)) - 1]

    def proof(self, index: int) -> bytes:
        """Proof of step `index`, counted from 0; behind the last step it proves that FINAL repeats itself."""
        walker = self._start()
        edit = self._edit
        if edit is not None and edit.step < index:
            walker.skip(edit.step + 1)
            edit.apply(walker)
            index -= edit.step + 1
        walker.skip(index)
        return walker.prove()

    def walk(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """(state before, proof, state after) of every step: cheaper than asking for each proof by itself."""
        walker = self._start()
        for index, post in enumerate(self.hashes):
            yield self.get_state(index), walker.prove(), post
            self._advance(walker)

    def _advance(self, walker: Walker) -> None:
        index = walker.core.steps
        walker.advance()
        if self._edit is not None and index == self._edit.step:
            self._edit.apply(walker)

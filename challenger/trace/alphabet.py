"""A toy machine with which the whole game can be played in microseconds.

Its states are hashed like those of the real machine (docs/PROTOCOL.md section 1), so leaves, initial states
and FINAL are the real ones. Its only rule: an input takes between 1 and `MAX_STEPS` steps; each but the last
hashes the state root once more, the last one stops. An input whose hash ends in a multiple of 5 is rejected:
it stops with the root it began with. A stopped machine stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from challenger.game.dispute import Machine, Opening
from challenger.game.lists import History
from challenger.game.types import Batch, Parameters, Revert
from optimist.base.keccak import tagged
from optimist.base.merkle import ZERO
from optimist.base.tags import MACHINE, NODE
from optimist.derive.commitments import (
    compute_accumulator,
    compute_chain_links,
    compute_input_hash,
    compute_leaf,
)
from optimist.vm.state import compute_final_state

MAX_STEPS: Final = 13
PC_BYTES: Final = 5
STATE_BYTES: Final = PC_BYTES + 3 * 32  # a step proof: pc | state root | base root | input hash


@dataclass(frozen=True, slots=True)
class LetterState:
    """State of the toy machine between two steps. It has no memory: that root is zero."""

    pc: int
    root: bytes
    base: bytes
    input_hash: bytes

    @property
    def hash(self) -> bytes:
        """Machine state as L1 sees it."""
        pc = self.pc.to_bytes(PC_BYTES, "big")
        return tagged(MACHINE, pc, ZERO, self.root, self.base, self.input_hash)

    def encode(self) -> bytes:
        """The step proof: everything that the hash covers."""
        return self.pc.to_bytes(PC_BYTES, "big") + self.root + self.base + self.input_hash

    def step(self) -> "LetterState | bytes":
        """The next state, or the root with which the machine stops."""
        if self.pc + 1 < get_steps(self.input_hash):
            root = tagged(NODE, self.root, self.input_hash)
            return LetterState(self.pc + 1, root, self.base, self.input_hash)
        return self.base if self.input_hash[31] % 5 == 0 else self.root


def get_steps(input_hash: bytes) -> int:
    """Steps that an input takes, stopping included."""
    return 1 + input_hash[30] % MAX_STEPS


def compute_start(root: bytes, input_hash: bytes) -> bytes:
    """Hash of the initial state of an input."""
    return LetterState(0, root, root, input_hash).hash


def apply_step(before: bytes, proof: bytes) -> bytes:
    """The verifier: the state after one step. A proof of 32 bytes opens a machine that has stopped."""
    if len(proof) == 32:
        if compute_final_state(proof) != before:
            raise Revert("FalseWitness")
        return before
    if len(proof) != STATE_BYTES:
        raise Revert("FalseWitness")
    words = [proof[i : i + 32] for i in range(PC_BYTES, STATE_BYTES, 32)]
    state = LetterState(int.from_bytes(proof[:PC_BYTES], "big"), *words)
    if state.hash != before:
        raise Revert("FalseWitness")
    after = state.step()
    return after.hash if isinstance(after, LetterState) else compute_final_state(after)


MACHINE_RULES: Final = Machine(start=compute_start, step=apply_step)


def run_input(root: bytes, input_hash: bytes) -> tuple[list[LetterState], bytes]:
    """All states of one input from the initial one on, and the root with which it stops."""
    states = [LetterState(0, root, root, input_hash)]
    while isinstance(after := states[-1].step(), LetterState):
        states.append(after)
    return states, after


class AlphabetProvider:
    """The truth about batches of toy inputs. `inputs[b - 1]` are those of batch b; batches may be added."""

    def __init__(self, parameters: Parameters, inputs: Sequence[Sequence[bytes]]) -> None:
        self.parameters = parameters
        self.batches = [Batch(ZERO, ZERO, 0)]
        self.openings: list[Opening] = []  # one for each input of all batches
        self.roots: list[bytes] = []  # the root after each of them
        self.end_roots = [ZERO]  # the root after each batch
        for batch in inputs:
            self.add_batch(batch)

    def add_batch(self, inputs: Sequence[bytes]) -> Batch:
        """Seal a batch of at least one input; returns what the Inbox would keep of it."""
        rests = compute_chain_links(inputs)
        number, root, last = len(self.batches), self.end_roots[-1], self.batches[-1]
        accumulator = compute_accumulator(last.accumulator, rests[0], len(inputs))
        sealed = Batch(accumulator, rests[0], last.cumulative + len(inputs))
        self.batches.append(sealed)
        for i, item in enumerate(inputs):
            before = (number - 1, ZERO) if i == 0 else (number, rests[i])
            opening = Opening(root, *before, compute_input_hash(item), rests[i + 1])
            root = self.apply(root, opening.input_hash)
            self.openings.append(opening)
            self.roots.append(root)
        self.end_roots.append(root)
        return sealed

    def apply(self, root: bytes, input_hash: bytes) -> bytes:
        """The root after an input."""
        return run_input(root, input_hash)[1]

    def get_end_root(self, batch: int) -> bytes | None:
        """See `TraceProvider`."""
        return self.end_roots[batch] if batch < len(self.end_roots) else None

    def get_history(self, start: int, to: int) -> History:
        """See `TraceProvider`."""
        ends = []
        for batch in range(start + 1, to + 1):
            first, last = self.batches[batch - 1].cumulative, self.batches[batch].cumulative
            ends += [
                compute_leaf(self.roots[i], batch, self.openings[i].next_rest) for i in range(first, last)
            ]
        return History(self.parameters.arity, self.parameters.input_height, ends)

    def get_opening(self, start: int, position: int) -> Opening:
        """See `TraceProvider`."""
        return self.openings[self.batches[start].cumulative + position]

    def get_root_after(self, start: int, position: int) -> bytes:
        """See `TraceProvider`."""
        return self.roots[self.batches[start].cumulative + position]

    def get_trace(self, start: int, position: int) -> History:
        """See `TraceProvider`."""
        opening = self.get_opening(start, position)
        states, root = run_input(opening.root, opening.input_hash)
        ends = [state.hash for state in states[1:]] + [compute_final_state(root)]
        return History(self.parameters.arity, self.parameters.step_height, ends)

    def get_step_proof(self, start: int, position: int, step: int) -> bytes:
        """See `TraceProvider`."""
        opening = self.get_opening(start, position)
        states, root = run_input(opening.root, opening.input_hash)
        return states[step].encode() if step < len(states) else root

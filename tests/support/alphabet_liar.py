"""Liars of the toy machine: each believes in one false history and plays it as well as it can be played."""

from collections.abc import Sequence
from dataclasses import replace

from challenger.game.dispute import Opening
from challenger.game.lists import History, Words
from challenger.game.types import Parameters
from challenger.trace.alphabet import AlphabetProvider, LetterState, run_input
from optimist.base.keccak import tagged
from optimist.base.tags import NODE
from optimist.derive.commitments import compute_leaf
from optimist.vm.state import compute_final_state


class StepLiar(AlphabetProvider):
    """Tells the truth until one step of one input; runs on from there, and ends in a false root.

    Later inputs follow the law again, on the false state: nothing else is there to be found.
    """

    def __init__(
        self, parameters: Parameters, inputs: Sequence[Sequence[bytes]], target: int, step: int, salt: int = 1
    ) -> None:
        self.target = target  # the false input, counted from 0 over all batches
        self.step = step
        self.salt = salt.to_bytes(32, "big")
        self._count = 0
        super().__init__(parameters, inputs)

    def apply(self, root: bytes, input_hash: bytes) -> bytes:
        number, self._count = self._count, self._count + 1
        after = super().apply(root, input_hash)
        return tagged(NODE, after, self.salt) if number == self.target else after

    def get_trace(self, start: int, position: int) -> History:
        number = self.batches[start].cumulative + position
        if number != self.target:
            return super().get_trace(start, position)
        opening = self.openings[number]
        states, _ = run_input(opening.root, opening.input_hash)
        hashes = [state.hash for state in states[1 : self.step + 1]]
        for state in states[self.step + 1 :]:
            false = LetterState(state.pc, tagged(NODE, state.root, self.salt), state.base, state.input_hash)
            hashes.append(false.hash)
        ends = [*hashes, compute_final_state(self.roots[number])]
        return History(self.parameters.arity, self.parameters.step_height, ends)


class TornTraceLiar(StepLiar):
    """Its trace promises the true lists, and an end that they do not lead to: a stop with another root."""

    def get_trace(self, start: int, position: int) -> History:
        number = self.batches[start].cumulative + position
        true = AlphabetProvider.get_trace(self, start, position)
        if number != self.target:
            return true
        return _TornHistory(true, compute_final_state(self.roots[number]))


class EndlessLiar(StepLiar):
    """As `StepLiar`, but its machine never stops until the very last position."""

    def get_trace(self, start: int, position: int) -> History:
        number = self.batches[start].cumulative + position
        if number != self.target:
            return super().get_trace(start, position)
        opening = self.openings[number]
        width = self.parameters.arity**self.parameters.step_height
        state, hashes = LetterState(0, opening.root, opening.root, opening.input_hash), []
        for _ in range(width - 1):
            state = replace(state, pc=state.pc + 1, root=tagged(NODE, state.root, opening.input_hash))
            hashes.append(state.hash)
        ends = [*hashes, compute_final_state(self.roots[number])]
        return History(self.parameters.arity, self.parameters.step_height, ends)


class RestartLiar(StepLiar):
    """Lets the machine stop as it should, and go on one step later."""

    def get_trace(self, start: int, position: int) -> History:
        true = AlphabetProvider.get_trace(self, start, position)
        number = self.batches[start].cumulative + position
        if number != self.target:
            return true
        opening = self.openings[number]
        root = AlphabetProvider.apply(self, opening.root, opening.input_hash)
        ends = [*true.ends[:-1], compute_final_state(root), compute_final_state(self.roots[number])]
        return History(true.arity, true.height, ends)


class LeafLiar(AlphabetProvider):
    """Names another batch or another chain in one leaf, and another root at the end of every range."""

    def __init__(
        self,
        parameters: Parameters,
        inputs: Sequence[Sequence[bytes]],
        target: int,
        *,
        batch_delta: int = 0,
        rest: bytes | None = None,
    ) -> None:
        super().__init__(parameters, inputs)
        self.target = target
        self.batch_delta = batch_delta
        self.rest = rest

    def get_end_root(self, batch: int) -> bytes | None:
        root = super().get_end_root(batch)
        return root if root is None or self.batches[batch].cumulative <= self.target else _falsify(root)

    def get_history(self, start: int, to: int) -> History:
        true = super().get_history(start, to)
        ends = list(true.ends)
        first = self.batches[start].cumulative
        if first <= self.target < first + len(ends):
            opening = self.openings[self.target]
            batch = next(b for b, item in enumerate(self.batches) if item.cumulative > self.target)
            rest = opening.next_rest if self.rest is None else self.rest
            ends[self.target - first] = compute_leaf(self.roots[self.target], batch + self.batch_delta, rest)
            ends[-1] = compute_leaf(self.get_end_root(to) or b"", to, bytes(32))
        return History(true.arity, true.height, ends)


class PaddingLiar(AlphabetProvider):
    """Tells the truth about every input, then lets the state change once more past the last one."""

    def __init__(
        self,
        parameters: Parameters,
        inputs: Sequence[Sequence[bytes]],
        batch: int,
        position: int,
        salt: int = 1,
    ) -> None:
        super().__init__(parameters, inputs)
        self.batch = batch  # last batch of the false range
        self.position = position
        self.salt = salt

    def get_end_root(self, batch: int) -> bytes | None:
        root = super().get_end_root(batch)
        return root if root is None or batch != self.batch else _falsify(root, self.salt)

    def get_history(self, start: int, to: int) -> History:
        true = super().get_history(start, to)
        if to != self.batch:
            return true
        ends = [true.end(i) for i in range(self.position)]
        ends.append(compute_leaf(self.get_end_root(to) or b"", to, bytes(32)))
        return History(true.arity, true.height, ends)


class TornLiar(AlphabetProvider):
    """Promises the true lists, and an end that they do not lead to: the last one of its top list."""

    def __init__(
        self, parameters: Parameters, inputs: Sequence[Sequence[bytes]], batch: int, salt: int = 1
    ) -> None:
        super().__init__(parameters, inputs)
        self.batch = batch  # last batch of the false range
        self.salt = salt

    def get_end_root(self, batch: int) -> bytes | None:
        root = super().get_end_root(batch)
        return root if root is None or batch != self.batch else _falsify(root, self.salt)

    def get_history(self, start: int, to: int) -> History:
        true = super().get_history(start, to)
        if to != self.batch:
            return true
        return _TornHistory(true, compute_leaf(self.get_end_root(to) or b"", to, bytes(32)))


class GarbageLiar(AlphabetProvider):
    """Claims an end root that no history leads to: it can never reveal."""

    def get_end_root(self, batch: int) -> bytes | None:
        root = super().get_end_root(batch)
        return None if root is None else _falsify(root)

    def get_opening(self, start: int, position: int) -> Opening:
        raise AssertionError("a garbage root is never played this far")


class _TornHistory(History):
    """A true history under a top list with another last end."""

    __slots__ = ("false_end",)

    def __init__(self, true: History, false_end: bytes) -> None:
        self.false_end = false_end
        super().__init__(true.arity, true.height, true.ends)

    @property
    def last_end(self) -> bytes:
        return self.false_end

    def words(self, height: int, index: int) -> Words:
        true = super().words(height, index)
        return (*true[:-1], self.false_end) if height == self.height else true


def _falsify(root: bytes, salt: int = 1) -> bytes:
    return tagged(NODE, root, bytes([salt]) * 32)

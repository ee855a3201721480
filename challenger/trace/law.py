"""The truth by re-execution: the law natively for a range, its image on the machine for one input."""

from collections import OrderedDict
from typing import Final

from challenger.game.dispute import Machine, Opening
from challenger.game.lists import History
from challenger.game.types import Parameters, Revert
from challenger.trace.replay import BatchSource, Before, Outcome, Replay, apply_law
from optimist.prove.law import Law
from optimist.vm.image import Image
from optimist.vm.state import compute_initial_state
from optimist.vm.step import step
from optimist.vm.trace import Trace
from optimist.vm.walker import Walker
from optimist.vm.witness import FalseWitness

KEPT_REPLAYS: Final = 4  # ranges in dispute at the same time, beyond which the oldest is computed again
KEPT_TRACES: Final = 2
KEPT_STATES: Final = 1 << 21  # machine states of all histories that are kept, some 80 bytes each

Execution = tuple[bytes, bytes]  # root before an input and its hash: all that an execution depends on


class LawProvider:
    """A `TraceProvider` over a node's batches. Computes on demand and keeps what was used last.

    A rival who opens a hundred matches about a hundred inputs must not make every look a hundred executions
    on the machine: histories are kept, which are hashes alone. A state is copied only where one is executed.
    """

    def __init__(self, parameters: Parameters, source: BatchSource, law: Law) -> None:
        self.parameters = parameters
        self.source = source
        self.law = law
        self._replays: OrderedDict[int, Replay] = OrderedDict()
        self._histories: dict[tuple[int, int], tuple[Replay, History]] = {}  # level 1, of a replay
        self._traces: OrderedDict[Execution, Trace] = OrderedDict()
        self._trace_histories: OrderedDict[Execution, History] = OrderedDict()  # level 2
        self._kept_states = 0

    def get_end_root(self, batch: int) -> bytes | None:
        """See `TraceProvider`."""
        return self.source.get_end_root(batch)

    def get_history(self, start: int, to: int) -> History:
        """See `TraceProvider`."""
        replay = self.get_replay(start, to)
        of_replay, history = self._histories.get((start, to), (None, None))
        if history is not None and of_replay is replay:
            return history
        count = self.source.get_input_count(to) - self.source.get_input_count(start)
        ends = [replay.get_leaf(position) for position in range(count)]
        history = History(self.parameters.arity, self.parameters.input_height, ends)
        self._histories[start, to] = replay, history
        alive = self._replays  # a history must not keep a state alive that was let go
        self._histories = {key: kept for key, kept in self._histories.items() if alive.get(key[0]) is kept[0]}
        return history

    def get_opening(self, start: int, position: int) -> Opening:
        """See `TraceProvider`."""
        return self._replay_through(start, position).applied[position].opening

    def get_root_after(self, start: int, position: int) -> bytes:
        """See `TraceProvider`."""
        return self._replay_through(start, position).applied[position].root

    def get_trace(self, start: int, position: int) -> History:
        """See `TraceProvider`."""
        key = self._get_execution(start, position)
        history = self._trace_histories.pop(key, None)
        if history is None:
            hashes = self.get_machine_trace(start, position).hashes
            history = History(self.parameters.arity, self.parameters.step_height, hashes)
            self._kept_states += len(hashes)
        self._trace_histories[key] = history  # as the one used last
        while self._kept_states > KEPT_STATES and len(self._trace_histories) > 1:
            self._kept_states -= len(self._trace_histories.popitem(last=False)[1].ends)
        return history

    def get_step_proof(self, start: int, position: int, step: int) -> bytes:
        """See `TraceProvider`."""
        trace = self._traces.get(self._get_execution(start, position))
        if trace is not None:
            return trace.proof(step)
        before = self._replay_through(start, position).get_before(position)
        walker = Walker(self.law.image, before.tree, dict(before.state.items()), before.input)
        walker.skip(step)
        return walker.prove()

    def apply(self, before: Before) -> Outcome:
        """The transition that this provider believes in."""
        return apply_law(self.law.native, before)

    def build_trace(self, before: Before) -> Trace:
        """The machine's way through one input."""
        records = dict(before.state.items())
        return Trace(self.law.image, before.tree, records, before.input)

    def get_replay(self, start: int, to: int) -> Replay:
        """Batches from start + 1 to at least `to`. What a reorg took away is replayed anew."""
        replay = self._replays.pop(start, None)
        if replay is None or not replay.is_current():
            replay = Replay(self.source, start, self.apply)
        self._replays[start] = replay
        if len(self._replays) > KEPT_REPLAYS:
            self._replays.popitem(last=False)
        replay.extend(to)
        return replay

    def get_machine_trace(self, start: int, position: int) -> Trace:
        """Trace of one input of the range."""
        key = self._get_execution(start, position)
        trace = self._traces.get(key)
        if trace is None:
            before = self._replay_through(start, position).get_before(position)
            trace = self._traces[key] = self.build_trace(before)
            if len(self._traces) > KEPT_TRACES:
                self._traces.popitem(last=False)
        return trace

    def _get_execution(self, start: int, position: int) -> Execution:
        opening = self._replay_through(start, position).applied[position].opening
        return opening.root, opening.input_hash

    def _replay_through(self, start: int, position: int) -> Replay:
        """The range as far as it holds the input at `position`."""
        number = self.source.get_input_count(start) + position
        to = start
        while self.source.get_input_count(to) <= number:
            to += 1
        return self.get_replay(start, to)


def build_machine(image: Image) -> Machine:
    """What L1 knows of the machine that runs `image`, for the game's twin."""
    program_root = image.program_root

    def apply_step(before: bytes, proof: bytes) -> bytes:
        try:
            return step(before, proof, program_root)
        except FalseWitness as error:
            raise Revert("FalseWitness", str(error)) from error

    return Machine(lambda root, input_hash: compute_initial_state(image, root, input_hash), apply_step)

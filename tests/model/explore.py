"""Breadth-first search over all states, and the shortest way to a violation."""

import time
from array import array
from dataclasses import dataclass, field

from tests.model.board import clone, find_violation, make_first_board
from tests.model.codec import Codec, Key
from tests.model.rounds import Rounds, Step
from tests.model.world import Config, World
from tests.support.twin_source import SHIPPED, Protocol


@dataclass(frozen=True, slots=True)
class Report:
    """What one exploration found."""

    config: Config
    states: int
    transitions: int
    depth: int  # acts on the longest shortest way
    delay: int  # ticks after the honest claim beside it in which a false claim still lived, at most
    seconds: float
    is_complete: bool
    violation: str = ""
    trace: list[str] = field(default_factory=list)  # the shortest way to it, one act a line

    def __str__(self) -> str:
        """One line, and the counterexample below it."""
        end = "complete" if self.is_complete else "stopped"
        head = (
            f"{self.config}: {self.states} states, {self.transitions} transitions, depth {self.depth}, "
            f"{end}, lies live {self.delay} ticks at most (bound {self.config.bound}), {self.seconds:.0f} s: "
            f"{self.violation or 'no violation'}"
        )
        return "\n".join([head, *(f"  {i:2} {line}" for i, line in enumerate(self.trace, 1))])


class Explorer:
    """One search. `protocol` judges; a planted one is searched with exact keys."""

    def __init__(
        self,
        config: Config,
        protocol: Protocol = SHIPPED,
        *,
        exact: bool = False,
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        self.config = config
        self.protocol = protocol
        self.ignored = ignored
        self.world = World(config)
        self.codec = Codec(self.world, exact=exact)
        self.rounds = Rounds(self.world, self.codec, is_planted=protocol is not SHIPPED)
        self.numbers: dict[Key, int] = {}
        self.parents = array("I")
        self.transitions = self.delay = 0
        self.violation = ""
        self.trace: list[str] = []

    def run(self, max_states: int = 10**9, max_depth: int = 10**9) -> Report:
        """Visit every state that can be reached, or stop at the first violation or after a limit."""
        begun = time.process_time()
        frontier = [self.codec.encode(make_first_board(self.world, self.protocol))]
        self._remember(frontier[0], 0)
        depth = 0
        while frontier and not self.violation and len(self.numbers) < max_states and depth < max_depth:
            frontier = self._expand_layer(frontier)
            depth += 1
        return Report(
            self.config,
            len(self.numbers),
            self.transitions,
            depth,
            self.delay,
            time.process_time() - begun,
            is_complete=not frontier and not self.violation,
            violation=self.violation,
            trace=self.trace,
        )

    def _expand_layer(self, frontier: list[Key]) -> list[Key]:
        """All new states one act further."""
        following: list[Key] = []
        for key in frontier:
            number = self.numbers[key]
            for step in self.rounds.expand(self.codec.decode(key, self.protocol)):
                self.transitions += 1
                self.delay = max(self.delay, step.board.delay)
                self.violation = self._find_violation(step)
                if self.violation:
                    self.trace = self._trace(number)
                    self.trace.append(self._find_last_label(self.violation))
                    return following
                after = self.codec.encode(step.board)
                if after not in self.numbers:
                    self._remember(after, number)
                    following.append(after)
        return following

    def _find_violation(self, step: Step) -> str:
        if step.fault and get_kind(step.fault) not in self.ignored:
            return step.fault
        return find_violation(step.board, self.ignored)

    def _find_last_label(self, violation: str) -> str:
        """The act that breaks the promise, in the replay."""
        for step in self.rounds.expand(self.last):
            if get_kind(self._find_violation(step)) == get_kind(violation):
                return step.label
        raise AssertionError(f"the replay does not end in {violation}")

    def _remember(self, key: Key, parent: int) -> None:
        self.numbers[key] = len(self.numbers)
        self.parents.append(parent)

    def _trace(self, number: int) -> list[str]:
        """The labels on the way to a state, replayed without keys, so that each name means one account."""
        keys = list(self.numbers)
        path = []
        while number:
            path.append(keys[number])
            number = self.parents[number]
        board, trace = make_first_board(self.world, self.protocol), []
        for key in reversed(path):
            for step in self.rounds.expand(board):
                if self.codec.encode(clone(step.board)) == key:
                    trace.append(step.label)
                    board = clone(step.board)
                    break
            else:
                raise AssertionError(f"after {trace} no act leads to the state that was found")
        self.last = board
        return trace


def get_kind(violation: str) -> str:
    """Name of the check that failed."""
    return violation.split(":", maxsplit=1)[0]


def explore(
    config: Config,
    protocol: Protocol = SHIPPED,
    *,
    exact: bool = False,
    ignored: frozenset[str] = frozenset(),
    max_states: int = 10**9,
) -> Report:
    """Search one configuration. `ignored`: names of checks that are left out."""
    return Explorer(config, protocol, exact=exact, ignored=ignored).run(max_states)

"""Breadth-first search over all states, and the shortest way to a violation."""

import time
from array import array
from dataclasses import dataclass, field
from functools import partial

from tests.model.board import find_violation, make_first_board
from tests.model.codec import Codec, Key
from tests.model.protocol import SHIPPED, Protocol
from tests.model.rounds import Rounds
from tests.model.world import Config, World


@dataclass(frozen=True, slots=True)
class Report:
    """What one exploration found."""

    config: Config
    states: int
    transitions: int
    depth: int  # acts on the longest shortest way
    seconds: float
    is_complete: bool
    violation: str = ""
    trace: list[str] = field(default_factory=list)  # the shortest way to it, one act a line

    def __str__(self) -> str:
        """One line, and the counterexample below it."""
        end = "complete" if self.is_complete else "stopped"
        head = (
            f"{self.config}: {self.states} states, {self.transitions} transitions, depth {self.depth}, "
            f"{end}, {self.seconds:.1f} s: {self.violation or 'no violation'}"
        )
        return "\n".join([head, *(f"  {i:2} {line}" for i, line in enumerate(self.trace, 1))])


class Explorer:
    """One search. `protocol` judges; a planted one is searched with exact keys."""

    def __init__(
        self, config: Config, protocol: Protocol = SHIPPED, ignored: frozenset[str] = frozenset()
    ) -> None:
        self.config = config
        self.protocol = protocol
        self.ignored = ignored
        self.world = World(config)
        self.codec = Codec(self.world, exact=protocol is not SHIPPED)
        self.rounds = Rounds(self.world, self.codec)
        self.numbers: dict[Key, int] = {}
        self.parents = array("I")
        self.labels = array("H")
        self.label_numbers: dict[str, int] = {}
        self.transitions = 0
        self.violation = ""
        self.trace: list[str] = []

    def run(self, max_states: int = 10**9) -> Report:
        """Visit every state that can be reached, or stop at the first violation or after `max_states`."""
        begun = time.perf_counter()
        frontier = [self.codec.encode(make_first_board(self.world, self.protocol))]
        self._remember(frontier[0], 0, "start")
        depth = 0
        while frontier and not self.violation and len(self.numbers) < max_states:
            frontier = self._expand_layer(frontier)
            depth += 1
        return Report(
            self.config,
            len(self.numbers),
            self.transitions,
            depth,
            time.perf_counter() - begun,
            is_complete=not frontier and not self.violation,
            violation=self.violation,
            trace=self.trace,
        )

    def _expand_layer(self, frontier: list[Key]) -> list[Key]:
        """All new states one act further."""
        following: list[Key] = []
        for key in frontier:
            number = self.numbers[key]
            for step in self.rounds.expand(partial(self.codec.decode, key, self.protocol)):
                self.transitions += 1
                self.violation = step.fault or find_violation(step.board, self.ignored)
                if self.violation:
                    self.trace = [*self._trace(number), step.label]
                    return following
                after = self.codec.encode(step.board)
                if after not in self.numbers:
                    self._remember(after, number, step.label)
                    following.append(after)
        return following

    def _remember(self, key: Key, parent: int, label: str) -> None:
        self.numbers[key] = len(self.numbers)
        self.parents.append(parent)
        self.labels.append(self.label_numbers.setdefault(label, len(self.label_numbers)))

    def _trace(self, number: int) -> list[str]:
        names = list(self.label_numbers)
        trace = []
        while number:
            trace.append(names[self.labels[number]])
            number = self.parents[number]
        return trace[::-1]


def explore(config: Config, protocol: Protocol = SHIPPED, max_states: int = 10**9) -> Report:
    """Search one configuration."""
    return Explorer(config, protocol).run(max_states)

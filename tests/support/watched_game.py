"""A toy game for the monitor: who claims what, when, and what the monitor sees of it."""

from dataclasses import replace
from typing import Final

from challenger.game.types import Parameters
from challenger.monitor.report import Report
from challenger.monitor.snapshot import Snapshot
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from challenger.trace.provider import TraceProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    compute_assertion_id,
    compute_claim_id,
    compute_leaf,
    compute_match_id,
)
from tests.support.alphabet_liar import GarbageLiar, StepLiar
from tests.support.arena import Arena, address

HONEST, LIAR, OTHER, COPYCAT = address(1), address(2), address(3), address(4)
PERIOD: Final = 100
GRACE: Final = 7
PARAMETERS: Final = Parameters(
    arity=2, input_height=2, step_height=4, challenge_period=PERIOD, grace=GRACE, min_period=0
)
INPUTS: Final = [[b"a"], [b"b", b"c"], [b"d", b"e", b"f"], [b"g"], [b"h", b"i"]]  # ranges 1-2, 3-4, 5
START: Final = 1_000


class WatchedGame:
    """One toy deployment whose clock moves only when told. `x` and `y` lie about the very first input."""

    def __init__(self, parameters: Parameters = PARAMETERS) -> None:
        self.parameters = parameters
        self.truth = AlphabetProvider(parameters, INPUTS)
        self.x = StepLiar(parameters, INPUTS, target=0, step=0, salt=1)
        self.y = StepLiar(parameters, INPUTS, target=0, step=0, salt=2)
        self.late = StepLiar(parameters, INPUTS, target=3, step=0, salt=3)  # true up to batch 2
        self.garbage = GarbageLiar(parameters, INPUTS)
        self.arena = Arena(parameters, MACHINE_RULES, self.truth.batches, START)

    def at(self, second: int) -> None:
        """Set the clock to so many seconds after the start."""
        assert START + second >= self.arena.now
        self.arena.now = START + second

    def node(self, provider: TraceProvider, parent: bytes = GENESIS_ASSERTION) -> bytes:
        """The answer below `parent` that a provider believes in."""
        to = self.arena.state.rounds[parent].to
        root = provider.get_end_root(to)
        assert root is not None
        return compute_assertion_id(parent, compute_leaf(root, to, ZERO))

    def claim(self, player: bytes, provider: TraceProvider, parent: bytes = GENESIS_ASSERTION) -> bytes:
        """Stake if needed, and assert; the claim's id."""
        self.arena.play(player, acts.Stake())
        to = self.arena.state.rounds[parent].to
        root = provider.get_end_root(to)
        assert root is not None
        accumulator = self.arena.state.batches[to].accumulator
        self.land(player, acts.AssertState(parent, root, to, accumulator))
        return compute_claim_id(self.node(provider, parent), player)

    def reveal(self, player: bytes, provider: TraceProvider, parent: bytes = GENESIS_ASSERTION) -> None:
        """Open the history of a player's claim."""
        start, to = self.arena.state.nodes[parent].batch, self.arena.state.rounds[parent].to
        history = provider.get_history(start, to)
        claim = compute_claim_id(self.node(provider, parent), player)
        self.land(player, acts.Reveal(claim, history.words(history.height, 0)))

    def open(self, one: bytes, other: bytes, first: bytes) -> bytes:
        """Begin the match of two claims; its id."""
        self.land(HONEST, acts.OpenMatch(min(one, other), max(one, other), first))
        return compute_match_id(one, other)

    def land(self, player: bytes, act: acts.Act) -> None:
        """An act that L1 takes."""
        error = self.arena.play(player, act)
        assert error == "", error

    def play_out(self, player: bytes, provider: TraceProvider) -> None:
        """Everything that a player wants in this second."""
        while self.arena.look_and_act(player, provider):
            pass

    def look(self, *, extra: int = 0, known: int | None = None) -> Snapshot:
        """What the monitor sees. `extra`: wei in the Rollup beyond what it should hold; `known`: batches
        that our node has executed.
        """
        snapshot = Snapshot(
            parameters=self.parameters,
            state=self.arena.state,
            now=self.arena.now,
            roots=self.truth,
            disputed=self.arena.disputed,
            opened=self.arena.lists,
            balance=self.arena.paid_in - self.arena.paid_out + extra,
        )
        return snapshot if known is None else replace(snapshot, roots=_Behind(self.truth, known))

    def report(self, *, extra: int = 0, latency: int = 0, defender: bytes | None = None) -> Report:
        """What the monitor says."""
        return Report(self.look(extra=extra), latency, defender)


class _Behind:
    """A node that has not executed everything yet."""

    def __init__(self, truth: AlphabetProvider, known: int) -> None:
        self._truth = truth
        self._known = known

    def get_end_root(self, batch: int) -> bytes | None:
        return self._truth.get_end_root(batch) if batch <= self._known else None

"""What the monitor foresees is what then happens, in random games against random adversaries.

From a random second on nobody but the honest player brings a new end; whatever the others do (nothing, or
anything at random), every round is decided for the truth, not before the earliest and not after the latest
second foreseen; and if they fall silent, at the very second foreseen.

Replay one run: `pytest tests/property/test_forecast_comes_true.py -k "seed-1234"` after adding 1234 to SEEDS.
"""

import random
from collections.abc import Callable

import pytest

from challenger.game.types import Parameters
from challenger.monitor.future import Future, Habit, foresee
from challenger.monitor.snapshot import Snapshot
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from optimist.base.merkle import ZERO
from tests.property.test_honest_player_wins import HONEST, INPUTS, build_lies
from tests.support.adversary import Adversary
from tests.support.arena import Arena

PARAMETERS = Parameters(arity=2, input_height=2, step_height=4, challenge_period=14, grace=3, min_period=1)
ATTACK = 40  # ticks in which the adversary brings new claims, at most
QUIET = 120

SEEDS = range(40)
LONG_SEEDS = range(1000, 4000)


class Ring(Arena):
    """An arena that can be closed to newcomers."""

    is_closed = False

    def play(self, sender: bytes, act: acts.Act) -> str:
        if self.is_closed and sender != HONEST and isinstance(act, acts.Stake | acts.AssertState):
            return "Closed"
        return super().play(sender, act)


class Game:
    """One attack up to a random second."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.truth = AlphabetProvider(PARAMETERS, INPUTS)
        self.ring = Ring(PARAMETERS, MACHINE_RULES, self.truth.batches)
        lies = build_lies(self.rng)
        self.adversary = Adversary(self.rng, self.ring, [self.truth, *lies], self.rng.randint(2, 8))
        for _ in range(self.rng.randint(1, ATTACK)):
            self.ring.now += 1
            self.adversary.act(may_assert=True)
            self.ring.look_and_act(HONEST, self.truth)
        self.ring.is_closed = True
        self.ring.now += 1

    def foresee(self, habit: Habit, latency: int) -> Future:
        snapshot = Snapshot(PARAMETERS, self.ring.state, self.ring.now, self.truth, opened=self.ring.lists)
        return foresee(snapshot, frozenset([HONEST]), habit, latency)

    def play_on(
        self, opponents: Callable[[], None], *, has_last_word: bool
    ) -> dict[bytes, tuple[bytes, int]]:
        """What is decided when, if the honest player does all that it wants in each second."""
        decided: dict[bytes, tuple[bytes, int]] = {}
        for _ in range(QUIET):
            undecided = [i for i, asked in self.ring.state.rounds.items() if asked.confirmed == ZERO]
            if not has_last_word:
                opponents()
            while self.ring.look_and_act(HONEST, self.truth):
                pass
            if has_last_word:
                opponents()
            while any(
                self.ring.play(HONEST, acts.Confirm(node)) == "" for node in list(self.ring.state.nodes)
            ):
                pass
            for parent in undecided:
                if (node := self.ring.state.rounds[parent].confirmed) != ZERO:
                    decided[parent] = (node, self.ring.now)
            self.ring.check_ledger()
            self.ring.now += 1
        return decided


def describe(decided: dict[bytes, tuple[bytes, int]]) -> str:
    return ", ".join(f"{i.hex()[:6]}: {node.hex()[:6]} at {at}" for i, (node, at) in decided.items())


def check(seed: int, *, has_last_word: bool) -> int:
    """A random adversary: everything is decided for the truth, between the earliest and the latest second."""
    game = Game(seed)
    earliest = game.foresee(Habit.CONCEDE, 0).decided
    latest = game.foresee(Habit.LAST_SECOND, int(has_last_word)).decided
    decided = game.play_on(lambda: game.adversary.act(may_assert=False), has_last_word=has_last_word)
    for parent, end in latest.items():
        node, at = decided[parent]
        where = f"seed {seed}, round {parent.hex()[:8]}, now {at}"
        assert node == end.node == earliest[parent].node, where
        assert earliest[parent].at <= at <= end.at, f"{where}: {earliest[parent].at} <= {at} <= {end.at}"
    return len(latest)


def check_silence(seed: int) -> int:
    """Silent opponents: everything is decided at the very second foreseen."""
    game = Game(seed)
    foreseen = {i: (end.node, end.at) for i, end in game.foresee(Habit.SILENT, 0).decided.items()}
    decided = game.play_on(lambda: None, has_last_word=False)
    assert decided == foreseen, f"seed {seed}: {describe(decided)} instead of {describe(foreseen)}"
    return len(foreseen)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed-{seed}")
def test_silence_ends_at_the_second_foreseen(seed: int) -> None:
    check_silence(seed)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed-{seed}")
def test_no_adversary_gets_out_of_the_bounds(seed: int) -> None:
    check(seed, has_last_word=seed % 2 == 1)

"""What the monitor foresees is what then happens, in random games against random adversaries.

From a random second on nobody but the honest player brings a new end, and every honest act lands a fixed time
after it was first wanted. Whatever the others do (nothing, or anything at random), every round is decided for
the truth, not before the earliest and not after the latest second foreseen; and if they fall silent, at the
very second foreseen.

A player whose acts take long puts no bond at risk where it comes too late (`strategy/entry.py`), and the
forecast says that such a round is lost. The honest player of these games tries all the same: nothing was
promised about that round.

Replay one run: `pytest tests/property/test_forecast_comes_true.py -k "seed-1234"` after adding 1234 to SEEDS.
"""

import random
from collections.abc import Callable

import pytest

from challenger.game.types import Parameters
from challenger.monitor.future import Decision, Future, Habit, foresee
from challenger.monitor.report import Report
from challenger.monitor.snapshot import Snapshot
from challenger.monitor.views import Level, RoundState
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from tests.property.test_honest_player_wins import HONEST, INPUTS, build_lies
from tests.support.adversary import Adversary
from tests.support.arena import Arena

PARAMETERS = Parameters(arity=2, input_height=2, step_height=4, challenge_period=24, grace=3, min_period=1)
ATTACK = 40  # ticks in which the adversary brings new claims, at most
ABSENCE = 8  # ticks before the forecast in which the honest player does nothing, at most
QUIET = 150

SEEDS = (*range(16), 1057, 1723, 1737, 1873)  # the last four once broke a bound
LONG_SEEDS = range(2000, 3000)


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
        ticks, absent = self.rng.randint(1, ATTACK), self.rng.randint(0, ABSENCE)
        for tick in range(ticks):
            self.ring.now += 1
            self.adversary.act(may_assert=True)
            if tick < ticks - absent:
                self.ring.look_and_act(HONEST, self.truth)
        self.ring.is_closed = True
        self.ring.now += 1
        self.since: dict[acts.Act, int] = {}
        self.before = len(self.ring.log)

    @property
    def later(self) -> list[tuple[int, bytes, acts.Act, str]]:
        """What was tried since the forecast."""
        return self.ring.log[self.before :]

    @property
    def true_nodes(self) -> dict[bytes, bytes]:
        """The true answer of every round of the true path."""
        found, parent = {}, GENESIS_ASSERTION
        while parent in self.ring.state.nodes:
            asked = self.ring.state.rounds[parent]
            root = self.truth.get_end_root(asked.to)
            if root is None:
                break
            found[parent] = compute_assertion_id(parent, compute_leaf(root, asked.to, ZERO))
            parent = found[parent]
        return found

    def foresee(self, habit: Habit, latency: int) -> Future:
        snapshot = Snapshot(PARAMETERS, self.ring.state, self.ring.now, self.truth, opened=self.ring.lists)
        return foresee(snapshot, frozenset([HONEST]), habit, latency)

    def defend(self, latency: int) -> None:
        """Land every honest act that has been wanted for long enough."""
        while True:
            wanted = self.ring.plan(HONEST, self.truth).acts
            self.since = {act: self.since.get(act, self.ring.now) for act in wanted}
            due = [act for act, since in self.since.items() if since + latency <= self.ring.now]
            if not sum(self.ring.play(HONEST, act) == "" for act in due):
                return

    def play_on(
        self, opponents: Callable[[], None], latency: int, *, has_last_word: bool
    ) -> dict[bytes, tuple[bytes, int]]:
        """What is decided when. The opponents act before or after the honest player in every second."""
        decided: dict[bytes, tuple[bytes, int]] = {}
        for _ in range(QUIET):
            undecided = [i for i, asked in self.ring.state.rounds.items() if asked.confirmed == ZERO]
            if not has_last_word:
                opponents()
            self.defend(latency)
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


def select_promised(game: Game, foreseen: dict[bytes, Decision]) -> dict[bytes, Decision]:
    """The rounds of which the forecast says that the truth wins them."""
    return {i: end for i, end in foreseen.items() if game.true_nodes.get(i) == end.node}


def describe(decided: dict[bytes, tuple[bytes, int]]) -> str:
    return ", ".join(f"{i.hex()[:6]}: {node.hex()[:6]} at {at}" for i, (node, at) in decided.items())


def check(seed: int) -> tuple[int, int, int]:
    """A random adversary: everything is decided for the truth, between the earliest and the latest second.

    Returns how many rounds were foreseen, how many of them could have ended at different seconds, and how
    many the forecast gave up.
    """
    game = Game(seed)
    latency, has_last_word = game.rng.randint(0, 2), game.rng.random() < 0.5
    earliest = game.foresee(Habit.CONCEDE, 0).decided
    foreseen = game.foresee(Habit.LAST_SECOND, latency + has_last_word).decided
    latest = select_promised(game, foreseen)
    decided = game.play_on(lambda: game.adversary.act(may_assert=False), latency, has_last_word=has_last_word)
    for parent, end in latest.items():
        node, at = decided[parent]
        where = f"seed {seed}, latency {latency}, last word {has_last_word}, round {parent.hex()[:8]}"
        assert node == end.node == earliest[parent].node == game.true_nodes[parent], where
        assert earliest[parent].at <= at <= end.at, f"{where}: {earliest[parent].at} <= {at} <= {end.at}"
    spread = sum(earliest[parent].at < end.at for parent, end in latest.items())
    return len(latest), spread, len(foreseen) - len(latest)


def check_silence(seed: int) -> int:
    """Silent opponents: everything is decided at the very second foreseen.

    Earlier only where somebody is proven wrong whose list could not be known before.
    """
    game = Game(seed)
    latency = game.rng.randint(0, 2)
    promised = select_promised(game, game.foresee(Habit.SILENT, latency).decided)
    foreseen = {i: (end.node, end.at) for i, end in promised.items()}
    decided = game.play_on(lambda: None, latency, has_last_word=False)
    decided = {i: end for i, end in decided.items() if i in foreseen}
    where = f"seed {seed}, latency {latency}: {describe(decided)} instead of {describe(foreseen)}"
    if any(isinstance(act, acts.Prove | acts.ProvePadding) and not error for *_, act, error in game.later):
        assert {i: node for i, (node, _) in decided.items()} == {i: node for i, (node, _) in foreseen.items()}
        assert all(decided[i][1] <= at for i, (_, at) in foreseen.items()), where
    else:
        assert decided == foreseen, where
    return len(foreseen)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed-{seed}")
def test_silence_ends_at_the_second_foreseen(seed: int) -> None:
    check_silence(seed)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed-{seed}")
def test_no_adversary_gets_out_of_the_bounds(seed: int) -> None:
    _, _, given_up = check(seed)
    assert not given_up, "these are games of a player in time"


def test_a_round_that_the_player_comes_too_late_for_is_called_lost() -> None:
    *_, given_up = check(2183)
    assert given_up == 1


@pytest.mark.parametrize("seed", SEEDS[:8], ids=lambda seed: f"seed-{seed}")
def test_a_game_with_an_honest_player_in_time_raises_no_false_alarm(seed: int) -> None:
    """At every tick of a fight the ledger adds up, and nothing is called lost or stuck that is not."""
    game = Game(seed)
    for _ in range(QUIET // 4):
        ring = game.ring
        snapshot = Snapshot(
            PARAMETERS,
            ring.state,
            ring.now,
            game.truth,
            opened=ring.lists,
            balance=ring.paid_in - ring.paid_out,
        )
        report = Report(snapshot, 0, HONEST)
        assert report.ledger.liabilities == ring.state.balance
        assert report.ledger.surplus == 0
        broken = {alarm.code for alarm in report.alarms if alarm.level is Level.BROKEN}
        assert broken <= {"idle"}, f"seed {seed} at {ring.now}: {report.alarms}"  # idle: while it was absent
        assert all(view.is_safe for view in report.forecasts if view.state is RoundState.DISPUTED), (
            f"seed {seed}"
        )
        game.defend(0)
        game.adversary.act(may_assert=False)
        ring.now += 1


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_forecasts_come_true_many_times() -> None:
    silent, foreseen, uncertain, lost = 0, 0, 0, 0
    for seed in LONG_SEEDS:
        silent += check_silence(seed)
        rounds, spread, given_up = check(seed)
        foreseen, uncertain, lost = foreseen + rounds, uncertain + spread, lost + given_up
    print(f"{silent} rounds foreseen to the second, {foreseen} within bounds, {uncertain} of them apart")
    print(f"{lost} given up")
    assert uncertain > foreseen // 10, "bounds that never differ bound nothing"
    assert lost < foreseen // 50, "a forecast that gives up is never wrong"

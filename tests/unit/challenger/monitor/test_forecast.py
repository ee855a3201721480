"""Forecasts that can be worked out by hand."""

import pytest

from challenger.monitor.forecast import NEWCOMER, view_timeline
from challenger.monitor.shadow import count_moves_left
from challenger.monitor.views import ForecastView
from challenger.strategy import acts
from challenger.strategy.entry import compute_defence_time
from tests.support.watched_game import COPYCAT, GRACE, HONEST, LIAR, OTHER, PERIOD, START, WatchedGame


def forecast(game: WatchedGame, *, latency: int = 0, defender: bytes | None = None) -> list[ForecastView]:
    return game.report(latency=latency, defender=defender).forecasts


def get_seconds(view: ForecastView) -> tuple[int | None, ...]:
    """Earliest, if silent and latest, from the start."""
    outcomes = (view.earliest, view.if_silent, view.latest)
    return tuple(None if each.at is None else each.at - START for each in outcomes)


def test_an_undisputed_assertion_is_confirmed_a_period_after_its_birth() -> None:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.at(30)
    (view,) = forecast(game)
    assert get_seconds(view) == (PERIOD, PERIOD, PERIOD)
    assert view.is_safe
    assert view.latest.winner == game.node(game.truth)


def test_a_child_waits_for_its_parent() -> None:
    game = WatchedGame()
    game.at(10)
    game.claim(HONEST, game.truth)
    game.claim(HONEST, game.truth, game.node(game.truth))
    first, second = forecast(game)
    assert get_seconds(first) == get_seconds(second) == (10 + PERIOD,) * 3


def test_a_lie_that_never_reveals_dies_a_period_after_the_birth_of_the_truth() -> None:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.at(20)
    game.claim(LIAR, game.garbage)
    game.at(25)
    (view,) = forecast(game)
    assert get_seconds(view) == (PERIOD, PERIOD + GRACE, PERIOD + GRACE)


def test_a_silent_liar_in_a_match_dies_by_its_clock() -> None:
    """Revealed at 70, so of its period, which began with the birth of the truth at 0, 30 s are left."""
    game = WatchedGame()
    true = game.claim(HONEST, game.truth)
    game.at(60)
    false = game.claim(LIAR, game.x)
    game.at(70)
    game.reveal(LIAR, game.x)
    game.reveal(HONEST, game.truth)
    game.at(80)
    game.open(true, false, first=false)
    game.at(90)
    (view,) = forecast(game)
    assert get_seconds(view) == (PERIOD, 80 + 30 + GRACE, 80 + 30 + GRACE)


def test_every_honest_act_that_the_liar_waits_for_adds_its_latency() -> None:
    """At the latest: our reveal, the opening, three moves, the time-out; the liar's 30 s are added once."""
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.at(60)
    game.claim(LIAR, game.x)
    game.at(70)
    game.reveal(LIAR, game.x)
    quick, slow = (forecast(game, latency=latency)[0].latest.at for latency in (0, 2))
    assert quick == START + 70 + 30 + GRACE
    assert slow == quick + 2 * 6


class Clockwork:
    """Both sides to the second: honest acts land `latency` seconds after they are wanted, the liar's at the
    last second that its clock leaves, and in its very last turn never.
    """

    def __init__(self, game: WatchedGame, latency: int) -> None:
        self.game = game
        self.latency = latency
        self.since: dict[acts.Act, int] = {}

    def run(self, node: bytes) -> int:
        """Play on until the node is confirmed, and when."""
        arena = self.game.arena
        while not arena.rollup.is_confirmed(node):
            while self._lie() or self._defend():
                pass
            arena.play(OTHER, acts.Confirm(node))
            arena.now += 1
        return arena.now - 1

    def _lie(self) -> int:
        arena = self.game.arena
        landed = 0
        for act in arena.plan(LIAR, self.game.x).acts:
            if isinstance(act, acts.Reveal):
                landed += arena.play(LIAR, act) == ""
            elif isinstance(act, acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace):
                (match,) = arena.state.matches.values()
                is_last_second = arena.now == match.last + match.clocks[match.turn] - 1
                if is_last_second and count_moves_left(match, self.game.parameters) > 1:
                    landed += arena.play(LIAR, act) == ""
        return landed

    def _defend(self) -> int:
        arena = self.game.arena
        wanted = arena.plan(HONEST, self.game.truth).acts
        self.since = {act: self.since.get(act, arena.now) for act in wanted}
        due = [act for act, since in self.since.items() if since + self.latency <= arena.now]
        return sum(arena.play(HONEST, act) == "" for act in due)


@pytest.mark.parametrize("latency", [0, 1, 2, 5])
def test_the_latest_second_is_reached_by_a_liar_who_knows_how(latency: int) -> None:
    """The bound is no wider than it has to be: real histories, real traces, the honest strategy."""
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.at(60)
    game.claim(LIAR, game.x)
    game.at(70)
    (view,) = forecast(game, latency=latency, defender=HONEST)
    assert view.is_safe
    assert Clockwork(game, latency).run(view.expected) == view.latest.at


def test_a_lie_without_a_rival_is_answered_by_a_newcomer_and_wins_without_one() -> None:
    game = WatchedGame()
    game.claim(LIAR, game.x)
    game.at(40)
    report = game.report()
    assert report.future.defenders == {NEWCOMER}
    (view,) = report.forecasts
    assert get_seconds(view) == (40 + PERIOD, 40 + PERIOD + GRACE, 40 + PERIOD + GRACE)
    assert view.is_safe
    game.at(PERIOD)  # too late: L1 lets nobody answer any more
    (view,) = forecast(game)
    assert not view.is_safe
    assert (view.if_silent.winner, view.if_silent.at) == (game.node(game.x), START + PERIOD)


def test_who_is_relied_on_makes_the_difference() -> None:
    """A copy of the truth in foreign hands may die on purpose: then the truth is born anew with our claim."""
    game = WatchedGame()
    game.claim(COPYCAT, game.truth)
    game.at(30)
    game.claim(LIAR, game.x)
    game.at(50)
    (trusting,) = forecast(game)
    (alone,) = forecast(game, defender=HONEST)
    assert get_seconds(trusting) == (PERIOD, PERIOD + GRACE, PERIOD + GRACE)
    assert get_seconds(alone) == (PERIOD, PERIOD + GRACE, 50 + PERIOD + GRACE)


def test_a_copy_whose_bond_is_lost_below_costs_nothing_where_somebody_honest_holds_the_end() -> None:
    """Pruned at the last moment, it does not kill the end that it stood on: no grace period begins."""
    game = WatchedGame()
    parent = game.node(game.truth)
    game.claim(HONEST, game.truth)
    game.claim(COPYCAT, game.truth)
    game.claim(COPYCAT, game.late, parent)  # a lie about the next range: its bond is lost
    game.at(10)
    first, second = forecast(game, defender=HONEST)
    assert get_seconds(first) == (PERIOD, PERIOD, PERIOD)
    assert second.is_safe
    assert first.expected == parent


def test_a_player_without_time_cannot_win_alone() -> None:
    """Somebody who joins an old dispute has no clock left: the forecast says so before the bond is lost."""
    game = WatchedGame()
    game.claim(COPYCAT, game.truth)
    game.claim(LIAR, game.x)
    game.reveal(LIAR, game.x)
    game.at(PERIOD - 1)
    assert forecast(game)[0].is_safe
    assert not forecast(game, latency=1)[0].is_safe  # the second that is left is not enough for any move
    game.reveal(COPYCAT, game.truth)
    game.at(PERIOD)
    assert forecast(game, defender=COPYCAT)[0].is_safe
    (alone,) = forecast(game, defender=OTHER)
    assert alone.if_silent.winner is None
    assert (alone.latest.winner, alone.is_safe) == (game.node(game.x), False)


def test_nobody_honest_is_foreseen_to_lay_down_a_bond_that_could_not_be_defended() -> None:
    """As our player does not: a false answer will win, and the monitor must not tell otherwise."""
    game = WatchedGame()
    game.claim(LIAR, game.x)
    game.reveal(LIAR, game.x)
    needed = compute_defence_time(game.parameters, latency := 3)
    game.at(PERIOD - needed - 1)
    assert forecast(game, latency=latency)[0].is_safe
    game.at(PERIOD - needed)
    report = game.report(latency=latency)
    (view,) = report.forecasts
    assert view.if_silent.winner == view.latest.winner == game.node(game.x)
    assert not any(isinstance(each.act, acts.Stake) for each in report.future.silent.happenings)


def test_the_timeline_tells_what_happens_and_leaves_the_game_alone() -> None:
    game = WatchedGame()
    game.claim(LIAR, game.x)
    game.at(5)
    before = repr(game.arena.state)
    steps = view_timeline(game.report().future.silent)
    assert [step.act for step in steps] == ["Stake", "AssertState", "Reveal", "TimeoutReveal", "Confirm"]
    assert [step.at - START for step in steps] == [5, 5, 5, 5 + PERIOD, 5 + PERIOD + GRACE]
    assert repr(game.arena.state) == before

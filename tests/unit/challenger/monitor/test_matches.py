"""What the monitor says about matches: position, turn, clocks."""

from challenger.game.types import Side
from challenger.monitor.views import MatchView
from challenger.watcher import Verdict
from tests.support.watched_game import HONEST, LIAR, PARAMETERS, PERIOD, START, WatchedGame


def begin(game: WatchedGame) -> tuple[bytes, bytes]:
    """Both revealed at second 30, the match open at 40 with the liar on turn; both claims."""
    true = game.claim(HONEST, game.truth)
    game.at(10)
    false = game.claim(LIAR, game.x)
    game.at(30)
    game.reveal(HONEST, game.truth)
    game.reveal(LIAR, game.x)
    game.at(40)
    game.open(true, false, first=false)
    return true, false


def view(game: WatchedGame) -> MatchView:
    (match,) = game.report().matches
    return match


def test_clocks_count_from_the_birth_of_the_opponents_end() -> None:
    game = WatchedGame()
    true, false = begin(game)
    match = view(game)
    ours, theirs = (match.a, match.b) if true < false else (match.b, match.a)
    assert (ours.owner, ours.verdict, ours.clock) == (HONEST, Verdict.AGREE, PERIOD - 20)
    assert (theirs.owner, theirs.verdict, theirs.clock) == (LIAR, Verdict.DISAGREE, PERIOD - 30)
    assert match.expected == ("a" if true < false else "b")
    assert match.turn != match.expected
    assert match.deadline == START + 40 + PERIOD - 30


def test_the_clock_of_the_side_on_turn_runs_and_the_match_is_late_at_its_deadline() -> None:
    game = WatchedGame()
    _, false = begin(game)
    for second, left, is_late in ((50, PERIOD - 40, False), (109, 1, False), (110, 0, True), (500, 0, True)):
        game.at(second)
        match = view(game)
        theirs = match.a if match.a.claim == false else match.b
        assert (theirs.clock, match.is_late) == (left, is_late)


def test_a_match_is_followed_to_the_step_and_counts_its_moves() -> None:
    """The positions narrow, the number of moves left goes down by one with every move."""
    game = WatchedGame()
    begin(game)
    seen = [view(game)]
    for _ in range(20):
        for player, provider in ((LIAR, game.x), (HONEST, game.truth)):
            for act in game.arena.plan(player, provider).acts:
                if type(act).__name__ in {"Dissect", "CommitTrace", "CommitSecondTrace"}:
                    game.land(player, act)
                    seen.append(view(game))
    assert [each.moves_left for each in seen] == list(range(len(seen) - 1, -1, -1))
    assert [each.stage for each in seen] == ["inputs", "inputs", "half", "steps", "steps", "steps", "steps"]
    assert (seen[0].start, seen[0].width) == (0, PARAMETERS.arity**PARAMETERS.input_height)
    assert (seen[2].start, seen[2].width, seen[2].input) == (0, 1, 0)
    assert (seen[-1].width, seen[-1].input) == (2, 0)
    game.play_out(HONEST, game.truth)
    game.play_out(LIAR, game.x)
    game.play_out(HONEST, game.truth)


def test_a_match_without_one_of_its_claims_is_over() -> None:
    game = WatchedGame()
    true, false = begin(game)
    game.arena.rollup.eliminate(game.arena.now, false, true)
    match = view(game)
    assert (match.status, match.is_late, match.moves_left) == ("over", False, 0)


def test_two_lies_have_no_true_side() -> None:
    game = WatchedGame()
    one, other = game.claim(LIAR, game.x), game.claim(HONEST, game.y)
    game.reveal(LIAR, game.x)
    game.reveal(HONEST, game.y)
    game.open(one, other, first=one)
    match = view(game)
    assert match.expected is None
    assert match.turn == (Side.A if one < other else Side.B).name.lower()

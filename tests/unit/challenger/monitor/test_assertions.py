"""What the monitor says about rounds and assertions."""

from challenger.monitor.views import EndView, RoundState
from challenger.watcher import Status, Verdict
from optimist.derive.commitments import GENESIS_ASSERTION
from tests.support.watched_game import HONEST, LIAR, OTHER, PERIOD, START, WatchedGame


def find_end(game: WatchedGame, node: bytes) -> EndView:
    return next(end for asked in game.report().rounds for end in asked.ends if end.node == node)


def test_a_round_tells_its_range_its_true_answer_and_who_stands_where() -> None:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.at(5)
    lie = game.claim(LIAR, game.x)
    asked = game.report().rounds[0]
    assert (asked.round, asked.first_batch, asked.last_batch, asked.inputs) == (GENESIS_ASSERTION, 1, 2, 3)
    assert (asked.state, asked.expected) == (RoundState.DISPUTED, game.node(game.truth))
    true, false = asked.ends
    assert (true.verdict, true.own_root, true.born) == (Verdict.AGREE, game.truth.get_end_root(2), START)
    assert (false.verdict, false.culprit, false.status) == (Verdict.DISAGREE, false.node, Status.OPEN)
    assert [(claim.claim, claim.owner, claim.status) for claim in false.claims] == [(lie, LIAR, "live")]
    assert true.confirmable_at is None  # it is not alone


def test_a_true_root_below_a_false_assertion_is_judged_along_the_path() -> None:
    game = WatchedGame()
    game.claim(LIAR, game.x)
    parent = game.node(game.x)
    game.claim(LIAR, game.truth, parent)  # the very root that our own execution gives after batch 4
    end = find_end(game, game.node(game.truth, parent))
    assert end.own_root == game.truth.get_end_root(4)
    assert (end.verdict, end.culprit) == (Verdict.DISAGREE, parent)
    below = next(asked for asked in game.report().rounds if asked.round == parent)
    assert (below.expected, below.reason) == (None, "no answer is true below a false assertion")


def test_what_is_not_executed_here_is_unknown_and_says_why() -> None:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    snapshot = game.look(known=1)
    assert snapshot.opinions[game.node(game.truth)].verdict is Verdict.UNKNOWN
    assert "batch 2" in snapshot.opinions[game.node(game.truth)].reason
    assert snapshot.path == []


def test_windows_are_those_that_l1_keeps() -> None:
    """Whoever the monitor says may join, may; a second later than it says, L1 refuses."""
    game = WatchedGame()
    game.claim(LIAR, game.x)
    game.at(10)
    game.claim(HONEST, game.truth)
    late = find_end(game, game.node(game.truth))
    assert (late.is_joinable, late.joinable_until) == (
        True,
        START + PERIOD,
    )  # a period after the first one's birth
    first = find_end(game, game.node(game.x))
    assert (first.is_joinable, first.joinable_until) == (True, START + 10 + PERIOD)  # the incumbent: longer
    game.at(PERIOD)
    assert not find_end(game, game.node(game.truth)).is_joinable
    assert find_end(game, game.node(game.x)).is_joinable
    game.claim(OTHER, game.x)
    game.at(10 + PERIOD)
    assert not find_end(game, game.node(game.x)).is_joinable


def test_a_hidden_claim_is_told_until_when_it_has_to_reveal() -> None:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.at(20)
    game.claim(LIAR, game.x)
    (claim,) = find_end(game, game.node(game.truth)).claims
    assert (claim.is_revealed, claim.reveal_by) == (False, START + 20 + PERIOD)
    game.reveal(HONEST, game.truth)
    (claim,) = find_end(game, game.node(game.truth)).claims
    assert (claim.is_revealed, claim.reveal_by) == (True, None)


def test_a_round_whose_answers_are_all_dead_is_abandoned() -> None:
    game = WatchedGame()
    assert game.report().rounds[0].state is RoundState.WAITING
    a, b = game.claim(HONEST, game.truth), game.claim(LIAR, game.x)
    game.arena.rollup.eliminate(START, a, b)
    game.arena.rollup.eliminate(START, b, bytes(32))
    assert game.report().rounds[0].state is RoundState.ABANDONED

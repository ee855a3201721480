"""What the report says about lies, from the first bond behind one to the day on which it is rejected."""

from challenger.monitor.report import Report
from challenger.strategy import acts
from tests.support.watched_game import HONEST, LIAR, PERIOD, WatchedGame


def has_open_lie(report: Report) -> bool:
    return any(alarm.code == "false-assertion" for alarm in report.alarms)


def test_false_claims_are_those_that_can_still_win_for_a_lie() -> None:
    game = WatchedGame()
    true = game.claim(HONEST, game.truth)
    assert game.report().false_claims == []
    false = game.claim(LIAR, game.x)
    game.claim(LIAR, game.x, parent=game.node(game.x))
    assert game.report().false_claims == [false], "what stands below the lie can only win with it"
    game.reveal(HONEST, game.truth)
    game.at(PERIOD)
    game.land(HONEST, acts.TimeoutReveal(false, true))
    report = game.report()
    assert report.false_claims == []
    assert has_open_lie(report), "it is still written on L1, and anybody else may stand on it"
    assert report.snapshot.rollup.is_live(true)

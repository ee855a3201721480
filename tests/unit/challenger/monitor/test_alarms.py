"""Every alarm has a story that raises it, and the story before that in which it is silent."""

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from challenger.monitor import alarms
from challenger.monitor.report import Report
from challenger.monitor.views import Alarm, Level
from challenger.strategy import acts
from tests.support.watched_game import COPYCAT, HONEST, LIAR, OTHER, PARAMETERS, PERIOD, WatchedGame

Story = Callable[[], tuple[Report, Report]]  # just before and just after

DOCUMENT = Path(__file__).parents[4] / "docs" / "CHALLENGING.md"


def tell_false_assertion() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    before = game.report().alarms
    game.claim(LIAR, game.x)
    return _freeze(before), game.report()


def tell_unanswered() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.claim(LIAR, game.x)
    before = game.report().alarms
    game = WatchedGame()
    game.claim(LIAR, game.x)
    return _freeze(before), game.report()


def tell_lost() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(LIAR, game.x)
    game.at(PERIOD - 1)
    before = game.report().alarms
    game.at(PERIOD)
    game.land(OTHER, acts.Confirm(game.node(game.x)))
    return _freeze(before), game.report()


def tell_losing() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(LIAR, game.x)
    game.at(PERIOD - 1)
    before = game.report().alarms
    game.at(PERIOD)
    return _freeze(before), game.report()


def tell_clock_of_a_match() -> tuple[Report, Report]:
    game = WatchedGame()
    true, false = game.claim(HONEST, game.truth), game.claim(LIAR, game.x)
    game.reveal(HONEST, game.truth)
    game.reveal(LIAR, game.x)
    game.open(true, false, first=true)
    game.at(PERIOD - PERIOD // 4)
    before = game.report().alarms
    game.at(PERIOD - PERIOD // 4 + 1)
    return _freeze(before), game.report()


def tell_clock_of_a_history() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.at(10)
    game.claim(LIAR, game.x)
    game.at(10 + PERIOD - PERIOD // 4)
    before = game.report().alarms
    game.at(10 + PERIOD - PERIOD // 4 + 1)
    return _freeze(before), game.report()


def tell_abandoned() -> tuple[Report, Report]:
    game = WatchedGame()
    a, b = game.claim(HONEST, game.truth), game.claim(LIAR, game.x)
    before = game.report().alarms
    game.arena.rollup.eliminate(game.arena.now, a, b)
    game.arena.rollup.eliminate(game.arena.now, b, bytes(32))
    return _freeze(before), game.report()


def tell_idle_confirmation() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.at(PERIOD + PERIOD // 10 - 1)
    before = game.report().alarms
    game.at(PERIOD + PERIOD // 10)
    return _freeze(before), game.report()


def tell_idle_elimination() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.claim(LIAR, game.garbage)
    game.reveal(HONEST, game.truth)
    game.at(PERIOD + PERIOD // 10 - 1)
    before = game.report().alarms
    game.at(PERIOD + PERIOD // 10)
    return _freeze(before), game.report()


def tell_idle_time_out() -> tuple[Report, Report]:
    game = WatchedGame()
    true, false = game.claim(HONEST, game.truth), game.claim(LIAR, game.x)
    game.reveal(HONEST, game.truth)
    game.reveal(LIAR, game.x)
    game.open(true, false, first=false)
    game.at(PERIOD + PERIOD // 10 - 1)
    before = game.report().alarms
    game.at(PERIOD + PERIOD // 10)
    return _freeze(before), game.report()


def tell_unresolvable() -> tuple[Report, Report]:
    """Two lies face each other, and nobody may join for the truth any more."""
    game = WatchedGame()
    game.claim(LIAR, game.x)
    game.claim(OTHER, game.y)
    game.at(PERIOD - 1)
    before = game.report().alarms
    game.at(PERIOD)
    return _freeze(before), game.report()


def tell_insolvent() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    return game.report(), game.report(extra=-1)


def tell_leak() -> tuple[Report, Report]:
    game = WatchedGame()
    true, false = game.claim(HONEST, game.truth), game.claim(LIAR, game.x)
    game.arena.rollup.eliminate(game.arena.now, false, true)
    return game.report(), game.report(extra=-1)


def tell_unknown() -> tuple[Report, Report]:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    return game.report(), Report(game.look(known=1), 0)


def tell_behind() -> tuple[Report, Report]:
    seen = WatchedGame().look()
    before = replace(seen, latest=seen.now + PERIOD // 10 - 1)
    return Report(before, 0), Report(replace(seen, latest=seen.now + PERIOD // 10), 0)


def tell_mismatch() -> tuple[Report, Report]:
    game = WatchedGame()
    seen = replace(game.look(), mismatches=((game.claim(HONEST, game.truth), "credit is 1 in storage"),))
    return game.report(), Report(seen, 0)


class _Before(Report):
    """A report whose game has gone on since: only its alarms were kept."""


def _freeze(found: list[Alarm]) -> Report:
    kept = _Before(WatchedGame().look(), 0)
    kept.__dict__["alarms"] = found
    return kept


STORIES: dict[str, list[Story]] = {
    "false-assertion": [tell_false_assertion],
    "unanswered": [tell_unanswered],
    "lost": [tell_lost],
    "losing": [tell_losing],
    "clock": [tell_clock_of_a_match, tell_clock_of_a_history],
    "abandoned": [tell_abandoned],
    "idle": [tell_idle_confirmation, tell_idle_elimination, tell_idle_time_out],
    "unresolvable": [tell_unresolvable],
    "insolvent": [tell_insolvent],
    "leak": [tell_leak],
    "mismatch": [tell_mismatch],
    "behind": [tell_behind],
    "unknown": [tell_unknown],
}


@pytest.mark.parametrize(
    ("code", "story"),
    [(code, story) for code, stories in STORIES.items() for story in stories],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_an_alarm_is_raised_when_its_story_happens_and_not_before(code: str, story: Story) -> None:
    before, after = story()
    assert code not in {alarm.code for alarm in before.alarms}
    (alarm, *_) = [alarm for alarm in after.alarms if alarm.code == code]
    levels = list(Level)
    assert levels.index(after.worst) >= levels.index(alarm.level)


def get_codes() -> dict[str, str]:
    """Level by code of every alarm that the source can raise."""
    calls = [
        node
        for node in ast.walk(ast.parse(Path(alarms.__file__).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Alarm"
    ]
    return {ast.literal_eval(call.args[0]): ast.unparse(call.args[1]).split(".")[1].lower() for call in calls}


def test_every_alarm_has_a_story_and_a_line_in_the_handbook() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (notice|disagree|broken) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert get_codes() == dict(rows)
    assert STORIES.keys() == get_codes().keys()


def test_a_healthy_game_raises_nothing_and_the_worst_alarm_comes_first() -> None:
    game = WatchedGame()
    assert game.report().alarms == []
    game.claim(HONEST, game.truth)
    assert (game.report().alarms, game.report().worst) == ([], Level.NOTICE)
    game.claim(LIAR, game.x)
    report = game.report(extra=-1)
    assert [alarm.code for alarm in report.alarms] == ["insolvent", "false-assertion"]
    assert report.worst is Level.BROKEN


def test_a_dispute_among_lies_below_a_lie_is_nobodys_business() -> None:
    """Nobody has to time out, reveal or confirm there: all of it falls with the lie above."""
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    game.reveal(HONEST, game.truth)
    game.claim(LIAR, game.x)
    game.claim(OTHER, game.x)
    parent = game.node(game.x)
    game.claim(LIAR, game.x, parent)
    game.claim(OTHER, game.y, parent)
    game.at(PERIOD - 1)
    assert {alarm.code for alarm in game.report().alarms} == {"false-assertion"}


def test_a_player_that_is_relied_on_alone_is_warned_before_it_joins_too_late() -> None:
    game = WatchedGame()
    game.claim(COPYCAT, game.truth)
    game.claim(LIAR, game.x)
    game.reveal(COPYCAT, game.truth)
    game.at(PERIOD)
    assert "losing" not in {alarm.code for alarm in game.report().alarms}
    assert "losing" in {alarm.code for alarm in game.report(defender=OTHER).alarms}
    assert PARAMETERS.challenge_period == PERIOD

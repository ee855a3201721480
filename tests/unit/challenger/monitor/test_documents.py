"""The monitor's output: JSON as documented, tables that say the same."""

import dataclasses
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from challenger.monitor import documents, tables, views
from challenger.monitor.lookup import NotFound, find_related, find_subject
from challenger.monitor.views import Wei
from optimist.derive.commitments import GENESIS_ASSERTION
from tests.support.watched_game import HONEST, LIAR, WatchedGame

README = Path(documents.__file__).parent / "README.md"
PLACE = {"chain_id": 1, "rollup": bytes(20), "tag": "safe", "block": 7, "block_hash": bytes(32)}


@pytest.fixture
def game() -> WatchedGame:
    """A dispute, with one match on."""
    game = WatchedGame()
    true, false = game.claim(HONEST, game.truth), game.claim(LIAR, game.x)
    game.reveal(HONEST, game.truth)
    game.reveal(LIAR, game.x)
    game.open(true, false, first=false)
    return game


def get_keys(value: Any) -> set[str]:
    """Every key of a JSON value, at any depth."""
    if isinstance(value, dict):
        return set(value) | {key for item in value.values() for key in get_keys(item)}
    if isinstance(value, list):
        return {key for item in value for key in get_keys(item)}
    return set()


def make_all(game: WatchedGame) -> list[dict[str, Any]]:
    report = game.report()
    related = find_related(game.arena.state, game.node(game.x))
    contents = {
        "list": {"rounds": report.rounds},
        "status": documents.make_status(report),
        "forecast": documents.make_forecast(report),
        "show": documents.make_show(report, related, [{"event": "Claimed", "block": 1, "transaction": "0x"}]),
    }
    return [
        json.loads(json.dumps(documents.make_document(command, report, PLACE, 1, content)))
        for command, content in contents.items()
    ]


def test_every_field_is_in_the_readme_and_every_field_of_the_readme_exists(game: WatchedGame) -> None:
    found = make_all(game)
    for each in found:
        for counted in each.get("counts", {}).values():
            counted.clear()  # its keys are values of other fields
    keys = set().union(*map(get_keys, found))
    schema = README.read_text().partition("## JSON")[2]
    named = set(re.findall(r"`([a-z][A-Za-z0-9]*)(?:\[\])?`", schema))
    assert keys <= named, f"not documented: {sorted(keys - named)}"
    commands = {"list", "status", "forecast"}
    assert named - keys <= commands, f"documented, but nowhere to be found: {sorted(named - keys)}"


def test_numbers_that_do_not_fit_a_machines_number_are_strings(game: WatchedGame) -> None:
    status = next(each for each in make_all(game) if each["command"] == "status")
    assert status["ledger"]["bonds"] == str(2 * 10**18)
    money = {
        field.name for kind in (views.StakerView, views.LedgerView) for field in dataclasses.fields(kind)
    }
    for staker in status["ledger"]["stakers"]:
        assert all(abs(value) < 2**53 for value in staker.values() if type(value) is int), money


def test_every_kind_is_counted_zero_or_not(game: WatchedGame) -> None:
    counts = documents.count(game.report())
    assert counts["rounds"] == {
        "waiting": 2,
        "undisputed": 0,
        "disputed": 1,
        "abandoned": 0,
        "decided": 0,
        "void": 0,
    }
    assert (counts["verdicts"]["agree-open"], counts["verdicts"]["disagree-open"]) == (1, 1)
    assert len(counts["verdicts"]) == 9
    assert counts["matches"] == {"on": 1, "over": 0}
    assert counts["alarms"] == {"notice": 0, "disagree": 1, "broken": 0}


def test_the_head_of_a_document_says_where_it_looked(game: WatchedGame) -> None:
    head = make_all(game)[0]
    assert (head["schema"], head["chainId"], head["block"], head["exit"]) == (1, 1, 7, 1)
    assert head["blockHash"] == "0x" + "00" * 32
    assert [alarm["code"] for alarm in head["alarms"]] == ["false-assertion"]


def test_an_identifier_may_be_cut_short_but_not_beyond_what_names_one_thing(game: WatchedGame) -> None:
    state = game.arena.state
    (match,) = state.matches
    assert find_subject(state, "0x" + match.hex()[:10]) == match
    assert find_subject(state, match.hex().upper()[:10]) == match
    for prefix, complaint in (
        ("0x", "no assertion"),
        ("", "no assertion"),
        ("zz", "no assertion"),
        ("00", "2 "),
    ):
        with pytest.raises(NotFound, match=complaint):
            find_subject(state, prefix)  # both stakers' addresses begin with 00


def test_what_belongs_to_a_subject(game: WatchedGame) -> None:
    state = game.arena.state
    (match,) = state.matches
    for subject, kind in (
        (game.node(game.x), "assertion"),
        (state.matches[match].claims[0], "claim"),
        (match, "match"),
        (LIAR, "staker"),
    ):
        related = find_related(state, subject)
        assert (related.kind, set(related.matches)) == (kind, {match})
        assert GENESIS_ASSERTION in related.rounds
    assert set(find_related(state, LIAR).stakers) == {LIAR}
    assert find_related(state, match).stakers == {LIAR, HONEST}
    assert game.node(game.x) in find_related(state, game.node(game.x)).rounds  # the question that it asks


@pytest.mark.parametrize("width", [60, 200])
def test_tables_show_verdicts_clocks_money_and_alarms(game: WatchedGame, width: int) -> None:
    report, now = game.report(extra=-1), game.arena.now
    console = Console(width=width, record=True, file=StringIO())
    for part in (
        tables.show_summary(report),
        tables.show_rounds(report.rounds, now),
        tables.show_matches(report.matches, now),
        tables.show_forecasts(report.forecasts, now),
        tables.show_timeline("silent", report.future.silent, now),
        tables.show_ledger(report.ledger),
        tables.show_alarms(report.alarms),
    ):
        console.print(part)
    text = console.export_text()
    if width == 200:
        for word in (
            "disagree",
            "agree",
            "disputed",
            "1m 40s",
            "1.999999999999999999",
            "NO",
            "insolvent",
            "Timeout",
        ):
            assert word in text, text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (1, "0.000000000000000001"), (10**18, "1"), (-(10**17), "-0.1"), (25 * 10**17, "2.5")],
)
def test_ether_is_exact(amount: int, text: str) -> None:
    assert tables.say_ether(Wei(amount)) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (61, "1m 1s"), (3_600, "1h"), (90_061, "1d 1h")]
)
def test_seconds_are_said_in_two_units(seconds: int, text: str) -> None:
    assert tables.say_seconds(seconds) == text

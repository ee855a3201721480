"""Protocols with a planted bug: the search must find what goes wrong, by the shortest way."""

import re
from pathlib import Path

import pytest

from tests.model.bugs import MATCH_BUGS, ROUND_BUGS, Bug, MatchBug
from tests.model.explore import explore, get_kind
from tests.model.matches import play_all
from tests.model.world import Config
from tests.support.twin_source import Patch, load_protocol

README = Path(__file__).parent / "README.md"
LIMIT = 100_000  # states: a bug that takes more is planted in too large a world


@pytest.mark.parametrize(
    "bug",
    [pytest.param(bug, marks=[pytest.mark.long] if bug.is_slow else [], id=bug.name) for bug in ROUND_BUGS],
)
def test_a_bug_in_the_rounds_is_found(bug: Bug, capsys: pytest.CaptureFixture[str]) -> None:
    protocol = load_protocol(bug.patches)
    report = explore(bug.config, protocol, exact=bug.exact, ignored=bug.ignored, max_states=LIMIT)
    with capsys.disabled():
        print(f"\n{bug.name}\n{report}")
    assert get_kind(report.violation) == bug.finds, report


@pytest.mark.parametrize("bug", MATCH_BUGS, ids=lambda bug: bug.name)
def test_a_bug_in_the_matches_is_found(bug: MatchBug, capsys: pytest.CaptureFixture[str]) -> None:
    report = play_all(bug.law, load_protocol(bug.patches), bug.machine, is_planted=True, is_thin=True)
    with capsys.disabled():
        print(f"\n{bug.name}\n{report}")
    assert get_kind(report.violation) == bug.finds, report


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "config",
    # V7's world is too large to search whole: one adversary is searched in it by test_rounds.py.
    sorted({bug.config for bug in ROUND_BUGS if not bug.name.startswith("V7")}, key=str),
    ids=str,
)
def test_the_world_of_a_bug_is_sound_without_it(config: Config) -> None:
    report = explore(config)
    assert report.is_complete, report


def test_the_worst_bugs_of_an_earlier_form_are_planted_in_every_run() -> None:
    """Whoever makes one slow, or takes it away, has to think of another."""
    quick = {bug.name.split()[0] for bug in ROUND_BUGS if not bug.is_slow}
    quick |= {bug.name.split()[0] for bug in MATCH_BUGS}
    assert quick >= {"V1", "V2", "V3", "V6", "V7", "V13", "V14"}
    assert sum(not bug.is_slow for bug in ROUND_BUGS) + len(MATCH_BUGS) >= 10


def test_readme_tells_every_bug_and_its_harm() -> None:
    text = README.read_text()
    told = re.findall(r"^\| (.+) \| (.+) \|$", text.partition("## Planted bugs")[2], re.MULTILINE)
    bugs = [(bug.name, bug.finds) for bug in (*ROUND_BUGS, *MATCH_BUGS)]
    assert told == [("bug", "harm"), *bugs]
    assert f"| {len(bugs)} planted bugs |" in text


@pytest.mark.parametrize("bug", [*ROUND_BUGS, *MATCH_BUGS], ids=lambda bug: bug.name)
def test_every_bug_still_quotes_what_it_breaks(bug: Bug | MatchBug) -> None:
    """Those that take long to find, too: else nobody hears of it before the long runs."""
    load_protocol(bug.patches)


def test_a_patch_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places"):
        load_protocol((Patch("rollup", "this text is not there", ""),))

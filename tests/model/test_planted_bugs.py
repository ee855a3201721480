"""Protocols with a planted bug: the search must find what goes wrong, by the shortest way."""

import pytest

from tests.model.bugs import ROUND_BUGS, Bug
from tests.model.explore import explore, get_kind
from tests.model.protocol import load_protocol


@pytest.mark.parametrize("bug", ROUND_BUGS, ids=lambda bug: bug.name)
def test_a_bug_in_the_rounds_is_found(bug: Bug, capsys: pytest.CaptureFixture[str]) -> None:
    protocol = load_protocol(bug.patches)
    report = explore(bug.config, protocol, exact=bug.exact, ignored=bug.ignored, max_states=100_000)
    with capsys.disabled():
        print(f"\n{bug.name}\n{report}")
    assert get_kind(report.violation) == bug.finds, report


def test_the_same_worlds_are_sound_without_the_bugs() -> None:
    for config in {bug.config for bug in ROUND_BUGS if not bug.config.money and bug.config.rounds == 1}:
        report = explore(config)
        assert report.is_complete, report

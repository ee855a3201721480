"""Every state that the rounds of a small world can reach: no honest bond is lost, no lie is confirmed."""

import pytest

from tests.model.explore import explore
from tests.model.world import Config

SMALL = [
    Config(adversaries=1, period=5, censored=0),
    Config(adversaries=1, period=5, censored=0, habit="always"),
]


@pytest.mark.parametrize("config", SMALL, ids=str)
def test_no_state_breaks_a_promise(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    report = explore(config)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.is_complete, report


def test_a_period_one_tick_too_short_is_found_out() -> None:
    report = explore(Config(adversaries=1, period=4, censored=0))
    assert report.violation == "lost bond: the honest player is eliminated", report

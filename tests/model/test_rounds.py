"""Every state that the rounds of a small world can reach: no honest bond is lost, no lie is confirmed.

Each run prints the states that it covered.
"""

import pytest

from tests.model.explore import explore
from tests.model.world import Config

SMALL = [
    Config(adversaries=1, period=5, censored=0),
    Config(adversaries=1, period=5, censored=0, habit="always"),
    Config(adversaries=2, period=4, censored=0, heights=(1, 1), lean=True, silent=True, rounds=2),
    Config(adversaries=1, period=4, censored=0, heights=(1, 1), front_run=True),
]
LARGE = [
    # one round, lists of height 2 + 2
    Config(adversaries=2, period=5, censored=0),
    Config(adversaries=2, period=5, censored=0, habit="always", lean=True),
    Config(adversaries=2, period=6, censored=1, lean=True),
    Config(adversaries=3, period=5, censored=0, lean=True),
    Config(adversaries=1, period=7, censored=2),
    Config(adversaries=1, period=7, censored=2, habit="always"),
    Config(adversaries=1, period=6, censored=1, front_run=True),
    Config(adversaries=2, period=4, censored=0, heights=(1, 1), front_run=True),
    # more false ends, more rounds, money: lists of height 1 + 1
    Config(adversaries=3, period=4, censored=0, heights=(1, 1), lean=True),
    Config(adversaries=3, period=4, censored=0, heights=(1, 1), lean=True, habit="always"),
    Config(adversaries=2, period=4, censored=0, heights=(1, 1), lean=True, false_ends=2),
    Config(adversaries=2, period=4, censored=0, heights=(1, 1), lean=True, elsewhere=True),
    Config(adversaries=2, period=4, censored=0, heights=(1, 1), lean=True, money=True),
    Config(adversaries=1, period=5, censored=0, money=True),
    Config(adversaries=1, period=4, censored=0, heights=(1, 1), money=True, rounds=2),
    Config(adversaries=2, period=4, censored=0, heights=(1, 1), lean=True, rounds=2),
    Config(adversaries=1, period=4, censored=0, heights=(1, 1), rounds=3),
    Config(adversaries=1, period=4, censored=0, heights=(1, 1), rounds=3, habit="always"),
    # no match is played: what is left are births, windows, confirmations
    Config(adversaries=3, period=4, censored=0, heights=(1, 1), silent=True, false_ends=2),
    Config(adversaries=3, period=4, censored=0, heights=(1, 1), silent=True, rounds=2),
]


def check(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    report = explore(config)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.is_complete, report


@pytest.mark.parametrize("config", SMALL, ids=str)
def test_no_state_breaks_a_promise(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    check(config, capsys)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("config", LARGE, ids=str)
def test_no_state_of_a_large_world_breaks_a_promise(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    check(config, capsys)


def test_a_period_one_tick_too_short_is_found_out() -> None:
    report = explore(Config(adversaries=1, period=4, censored=0))
    assert report.violation == "lost bond: the honest player is eliminated", report

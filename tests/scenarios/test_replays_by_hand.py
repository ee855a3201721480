"""What replays come to, against a calculation by hand (support/replay_by_hand.py) that knows no law.

Nobody trades after the opening, nobody pays funding, and the backstop and the fund are as rich as it takes,
or not there. Counts must be the same, amounts within the roundings of a unit an event.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.replay import (
    CRASH,
    FOUR_YEARS,
    Replay,
    Scenario,
    build_scenarios,
    read_rates,
)
from tests.support.replay_by_hand import Outcome, believe, play_longs
from tests.support.replay_table import read_reports
from tests.support.world import PRICE

DATA = Path(os.environ.get("DATA", ""))
RICH = 1_000_000_000  # USD


def compare(scenario: Scenario) -> None:
    """Play a scenario both ways."""
    quiet = replace(scenario, trades=0, market=replace(scenario.market, interest=0, damper=0))
    if quiet.backstop:
        quiet = replace(quiet, backstop=RICH, fund=RICH // 100)
    replay = Replay(quiet)
    report = replay.run()
    rounds, silent = [], 0
    for tick in quiet.ticks:
        silent += tick.seconds
        if tick.is_told:
            rounds.append((silent, tick.price))
            silent = 0
    wanted = play_longs(
        replay.openings, rounds, quiet.market.gap_seconds, has_backstop=bool(scenario.backstop)
    )
    check_counts(report, wanted, has_backstop=bool(scenario.backstop))
    check_amounts(report, wanted)


def check_counts(report: Mapping[str, int], wanted: Outcome, *, has_backstop: bool) -> None:
    events = "liquidations" if has_backstop else "deleveragings"
    assert report["accounts liquidated"] == wanted.accounts > 300
    assert report[events] == wanted.events
    assert report.get("deleveragings" if has_backstop else "liquidations", 0) == 0


def check_amounts(report: Mapping[str, int], wanted: Outcome) -> None:
    """Each event rounds a few amounts by a unit each, at worst in one direction."""
    roundings = 4 * (wanted.events + report["fills"])
    near = {
        "volume": wanted.volume,
        "fees": wanted.fees,
        "bad debt": wanted.bad_debt,
        "penalties": wanted.penalties,
        "socialised": wanted.socialised,
        "left to counterparts": wanted.left_to_counterparts,
        "liquidated notional" if "liquidations" in report else "deleveraged notional": wanted.notional,
    }
    for name, amount in near.items():
        assert abs(report.get(name, 0) - amount) <= roundings, name
    gained = wanted.penalties - wanted.bad_debt if "liquidations" in report else -wanted.socialised
    assert abs(report["fund after"] - report["fund before"] - gained) <= roundings


@pytest.mark.parametrize("name", ["47 % in a day", "47 % in a day, nobody to pay"])
def test_fall_liquidates_whom_a_calculation_by_hand_liquidates(name: str) -> None:
    compare(build_scenarios(Path())[name]())


@pytest.mark.data
@pytest.mark.parametrize("name", [name for name in build_scenarios(Path()) if "crash" in name])
def test_crash_liquidates_whom_a_calculation_by_hand_liquidates(name: str) -> None:
    assert (DATA / CRASH).exists()
    compare(build_scenarios(DATA)[name]())


@pytest.mark.data
def test_four_years_of_funding_are_the_sum_of_their_rates() -> None:
    """The index of a short is what all rates add up to; each is an eighth an hour, cut to 1e-9."""
    rates = read_rates(DATA)
    units = 50_000 * PRICE * 3_600  # of the index: a rate of 1e-9 for an hour
    assert len(rates) > 4_000
    assert abs(Fraction(read_reports()[FOUR_YEARS]["index"], units) - sum(rates)) <= 8 * len(rates)


def test_first_round_after_a_jump_or_a_silence_waits_for_the_next_one() -> None:
    rounds = [(15, 100_000), (15, 104_000), (15, 96_000), (15, 95_000), (700, 95_100), (15, 95_200)]
    assert list(believe(rounds, 600)) == [100_000, 104_000, 0, 95_000, 0, 95_200]
    assert list(believe([(15, 100_000), (15, 90_000), (15, 100_000)], 600)) == [100_000, 0, 100_000]

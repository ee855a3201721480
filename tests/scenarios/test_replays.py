"""Replays of days on which markets broke, against reviewed reports (tests/support/replay.py)."""

import os
from pathlib import Path

import pytest

from tests.support.replay import FOUR_YEARS, build_scenarios, play
from tests.support.replay_table import build_tables, read_reports, read_tables

REVIEWED = read_reports()
NAMES = [*build_scenarios(Path()), FOUR_YEARS]
UNPAID = [name for name in NAMES if name.endswith("nobody to pay")]


@pytest.mark.data
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("name", NAMES)
def test_replay_is_what_was_reviewed(name: str) -> None:
    """To the last unit; the replay itself checks all invariants of the ledger as it goes."""
    assert play(name, Path(os.environ["DATA"])) == REVIEWED[name]


def test_page_says_what_was_reviewed() -> None:
    assert read_tables() == build_tables(REVIEWED)


def test_every_report_is_of_a_scenario() -> None:
    assert sorted(REVIEWED) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_money_is_all_there_and_every_loss_has_a_payer(name: str) -> None:
    report = REVIEWED[name]
    assert report["accounted for"] == report["paid in"] > 0
    payers = ("paid by the fund", "paid by the backstop", "paid by counterparts", "socialised")
    assert sum(report.get(payer, 0) for payer in payers) == report.get("bad debt", 0)
    earned = report["fees"] - report["fees before"] + report.get("penalties", 0)
    spent = report.get("paid by the fund", 0) + report.get("socialised", 0)
    gained = report["fund after"] - report["fund before"]
    assert abs(gained - earned + spent) <= report["inputs"], "more than what rounding leaves"
    assert report["still due"] == report["owed by empty accounts"] == 0


@pytest.mark.parametrize("name", UNPAID)
def test_where_nobody_pays_everybody_does(name: str) -> None:
    """Without a fund and a backstop a crash is deleveraged, and the rest of it socialised."""
    report = REVIEWED[name]
    assert report["fund before"] == 0
    assert report["deleveragings"] > 0
    assert report["socialised"] > 0
    assert report["fund after"] < 0
    assert "liquidations" not in report


def test_first_runs_of_the_crash_need_no_deleveraging() -> None:
    assert len(UNPAID) == 3
    assert all(name.removesuffix(", nobody to pay") in NAMES for name in UNPAID)
    for name in ("crash of 2025-10-10", "oracle silent in the crash"):
        assert "deleveragings" not in REVIEWED[name]
        assert REVIEWED[name]["fund after"] > 0


def test_last_open_interest_is_closed_in_one_trade() -> None:
    assert REVIEWED["everybody leaves"]["open interest"] == 0

"""Replays of days on which markets broke, against reviewed reports (tests/support/replay.py)."""

import json
import os
from pathlib import Path

import pytest

from tests.support.replay import FOUR_YEARS, SNAPSHOT, build_scenarios, play

pytestmark = pytest.mark.data
REVIEWED = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
NAMES = [*build_scenarios(Path()), FOUR_YEARS]


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("name", NAMES)
def test_replay_is_what_was_reviewed(name: str) -> None:
    """To the last unit; the replay itself checks conservation as it goes."""
    assert play(name, Path(os.environ["DATA"])) == REVIEWED[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("nobody to pay")])
def test_where_nobody_pays_everybody_does(name: str) -> None:
    """Without a fund and a backstop a crash is deleveraged, and the rest of it socialised."""
    report = REVIEWED[name]
    assert report["Deleveraged"] > 0
    assert report["socialised"] > 0
    assert report["fund"] < 0


def test_every_report_is_of_a_scenario() -> None:
    assert sorted(REVIEWED) == sorted(NAMES)

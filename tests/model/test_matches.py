"""Every match of small laws, with real lists: the honest side always has a legal move, and wins."""

import pytest

from challenger.game.types import Side
from tests.model.matches import play_all
from tests.model.ring import WIDTH, Law

LAWS = [
    Law(steps=(1,)),
    Law(steps=(WIDTH,)),
    Law(steps=(3,), rejected=(0,)),
    Law(steps=(1, 4)),
    Law(steps=(2, 3)),
    Law(steps=(3, 2), rejected=(1,)),
    Law(steps=(4, 1), rejected=(0,)),
    Law(steps=(2, 2), rejected=(0, 1)),
    Law(steps=(1, 2, 3)),
    Law(steps=(4, 4, 4), rejected=(1,)),
    Law(steps=(3, 1, 2), rejected=(2,)),
    Law(steps=(1, 2, 3, 4)),
    Law(steps=(4, 3, 2, 1), rejected=(1, 2)),
    Law(steps=(2, 4, 1, 3), rejected=(3,)),
]


def check(
    law: Law, sides: tuple[Side, ...], capsys: pytest.CaptureFixture[str], *, is_thin: bool = False
) -> None:
    report = play_all(law, sides=sides, is_thin=is_thin)
    with capsys.disabled():
        print(f"\n{report}")
    assert not report.violation, report
    assert report.counts["decided by Prove"], report
    assert bool(report.counts["decided by ProvePadding"]) == (len(law.steps) < WIDTH), report


@pytest.mark.parametrize("law", [Law(steps=(2, 3)), Law(steps=(1, 2, 3, 4), rejected=(1,))], ids=str)
def test_the_honest_side_wins_every_match(law: Law, capsys: pytest.CaptureFixture[str]) -> None:
    check(law, tuple(Side), capsys, is_thin=True)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_honest_side_wins_every_match_of_every_law(law: Law, capsys: pytest.CaptureFixture[str]) -> None:
    check(law, tuple(Side), capsys)

"""A race that is lost once, and an endpoint that refuses for ever."""

from challenger.refusals import PATIENCE, PAUSE, Refusals

ACT, OTHER = "dissect:aa", "timeout:bb"


def test_an_act_that_is_refused_for_minutes_is_told() -> None:
    refusals = Refusals()
    for now in range(0, int(PATIENCE), 12):
        refusals.note(ACT, "Late()", now)
        assert refusals.describe_lasting(now) == ""
    refusals.note(OTHER, "NotLate()", PATIENCE)
    refusals.note(ACT, "Unknown()", PATIENCE)
    assert "dissect: Unknown()" in refusals.describe_lasting(PATIENCE)
    assert refusals.describe_lasting(PATIENCE + PAUSE) != ""
    assert refusals.describe_lasting(PATIENCE + PAUSE + 1) == "", "wanted no more"


def test_two_races_lost_far_from_each_other_are_two() -> None:
    refusals = Refusals()
    refusals.note(ACT, "Late()", 0)
    refusals.note(ACT, "Late()", PAUSE + 1)
    assert refusals.describe_lasting(PAUSE + 1) == ""

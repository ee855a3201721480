"""When an act is tried again that a block has refused: at once, then ever more rarely, never too late."""

from itertools import pairwise

import pytest

from challenger.game.clock import SLOT
from challenger.setbacks import CLOCK_SHARE, PERIOD_SHARE, TRIES_AT_ONCE, Setbacks, compute_pause

PERIOD = 7 * 86_400
ACT = "openMatch:66"


def test_chance_is_given_as_many_tries_as_it_needs() -> None:
    for times in range(TRIES_AT_ONCE):
        assert compute_pause(times, PERIOD, None) == 0
    assert compute_pause(TRIES_AT_ONCE, PERIOD, None) == SLOT


def test_pauses_double_up_to_a_share_of_the_challenge_period() -> None:
    pauses = [compute_pause(times, PERIOD, None) for times in range(TRIES_AT_ONCE, 40)]
    assert pauses[:4] == [SLOT, 2 * SLOT, 4 * SLOT, 8 * SLOT]
    assert pauses == sorted(pauses)
    assert pauses[-1] == PERIOD // PERIOD_SHARE


@pytest.mark.parametrize("period", [600, PERIOD])
@pytest.mark.parametrize("refusals", [0, TRIES_AT_ONCE, 30])
def test_a_clock_that_runs_is_never_slept_through_and_tries_are_few_all_the_same(
    period: int, refusals: int
) -> None:
    """Whatever came before: refused at every try until its clock ends, an act is tried in the last blocks."""
    now, times, tried = 0, refusals, []
    while now < period:
        tried.append(now)
        times += 1
        now += max(SLOT, compute_pause(times, period, period - now))  # L1 has one block in a slot
    assert tried[-1] >= period - 2 * SLOT
    assert max(later - now for now, later in pairwise(tried)) <= period // CLOCK_SHARE
    assert len(tried) < 120, "every block of a week would be 50,400"


def test_an_act_waits_by_the_time_of_l1_and_not_at_all_once_it_has_landed() -> None:
    setbacks = Setbacks(PERIOD)
    assert not setbacks.must_wait(ACT, 1, 100, None)
    for block in range(1, TRIES_AT_ONCE + 1):
        assert setbacks.note(ACT, block, 100 * block, "no").times == block
        at, is_last = 100 * block, block == TRIES_AT_ONCE
        assert setbacks.must_wait(ACT, block - 1, at, None), "the block that refused it is not seen yet"
        assert setbacks.must_wait(ACT, block, at, None) == is_last
    found = setbacks.get(ACT)
    assert found is not None
    assert found.is_lasting
    assert not setbacks.must_wait(ACT, 9, found.at + SLOT, None)
    assert not setbacks.must_wait(ACT, 9, found.at, found.at + CLOCK_SHARE - 1), "its clock is about to end"
    assert not setbacks.must_wait("dissect:66", 9, found.at, None), "another act"
    setbacks.note("reveal:66", 10**9, 10**12, "made up")
    assert not setbacks.must_wait("reveal:66", 9, found.at, None), "no endpoint silences us"
    setbacks.forget("reveal:66")
    setbacks.forget(ACT)
    assert not setbacks.must_wait(ACT, 0, 0, None)
    assert len(setbacks) == 0

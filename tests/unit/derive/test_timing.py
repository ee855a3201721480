"""When L1 takes an assertion and confirms one, to the second."""

import pytest

from challenger.game.rollup import Rollup
from challenger.game.types import Batch, Parameters, Revert, State
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.derive.timing import compute_due_at, compute_ripe_at


def test_a_new_assertion_waits_for_its_parent_unless_its_range_is_full() -> None:
    assert compute_due_at(100, 7, is_full=False) == 107
    assert compute_due_at(100, 7, is_full=True) == 0


def test_an_end_is_ripe_a_challenge_period_after_its_birth_and_a_grace_after_a_death() -> None:
    assert compute_ripe_at(100, 600, 0, 10) == 700
    assert compute_ripe_at(100, 600, 650, 10) == 700
    assert compute_ripe_at(100, 600, 695, 10) == 705


def test_the_twin_of_the_contract_takes_an_assertion_from_that_second_on() -> None:
    parameters = Parameters(min_period=7)
    state = State()
    rollup = Rollup(parameters, state, 100)
    state.batches.append(Batch(b"\x01" * 32, ZERO, 1))
    due = compute_due_at(100, parameters.min_period, is_full=state.rounds[GENESIS_ASSERTION].full)
    sender = b"\x02" * 20
    rollup.stake(sender, parameters.bond)
    claim = (GENESIS_ASSERTION, ZERO, 1, b"\x01" * 32)
    with pytest.raises(Revert, match="TooEarly"):
        rollup.assert_state(sender, due - 1, *claim)
    rollup.assert_state(sender, due, *claim)

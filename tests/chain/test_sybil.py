"""A crowd of Sybils delays nothing, and costs one honest player gas, but no more than one bond."""

import pytest

from tests.support.swarm import Lies, Manner
from tests.support.sybil import SCENARIOS, Scenario, find_broken_claims, play_all, play_alone


def test_ten_sybils_of_different_lies_delay_the_truth_no_more_than_one() -> None:
    alone, crowd = (play_alone(Scenario(count, Manner.LAST, Lies.APART)) for count in (1, 10))
    assert find_broken_claims(alone, crowd) == []
    assert crowd.honest_reverted == 0
    assert crowd.honest_gas < 11 * alone.honest_gas


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_hundred_sybils_of_every_manner_delay_the_truth_no_more_than_one() -> None:
    results, broken = play_all(100)
    assert broken == []
    assert len(results) == 2 * len(SCENARIOS) + 1

"""Batches are closed when full, old, or cheap to post, and not in a crowd before an L1 that is away."""

import pytest

from optimist.sequencer.cadence import Cadence

GWEI = 10**9
CADENCE = Cadence(age=10, longest_age=100, cheap_base_fee=20 * GWEI, pipeline=3)


@pytest.mark.parametrize(
    ("age", "is_full", "unposted", "base_fee", "is_due"),
    [
        (0, False, 0, 1, False),
        (0, True, 0, 1, True),
        (9.9, False, 0, 1, False),
        (10, False, 0, 20 * GWEI, True),
        (10, False, 0, 20 * GWEI + 1, False),
        (99.9, False, 0, 500 * GWEI, False),
        (100, False, 0, 500 * GWEI, True),
        (10, False, 2, 1, True),
        (1_000, False, 3, 1, False),
        (0, True, 99, 500 * GWEI, True),
    ],
)
def test_a_batch_is_closed_when_it_is_full_or_old_or_cheap(
    age: float, is_full: bool, unposted: int, base_fee: int, is_due: bool
) -> None:
    found = CADENCE.is_due(age=age, is_full=is_full, unposted=unposted, base_fee=base_fee)
    assert found is is_due


@pytest.mark.parametrize(
    ("idle", "silence", "unposted", "is_silent"),
    [
        (59, 10_000, 0, False),
        (60, 10_000, 0, True),
        (60, 10_000, 1, False),
        (24, 100, 0, False),
        (25, 100, 0, True),
    ],
)
def test_an_idle_chain_gets_a_batch_at_every_heartbeat_well_within_the_silence(
    idle: float, silence: int, unposted: int, is_silent: bool
) -> None:
    cadence = Cadence(heartbeat=60)
    assert cadence.is_silent(idle=idle, silence=silence, unposted=unposted) is is_silent


def test_without_a_price_that_is_cheap_the_age_alone_decides() -> None:
    assert Cadence(age=10).is_due(age=10, is_full=False, unposted=0, base_fee=10_000 * GWEI)

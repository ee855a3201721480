"""The sequencer's second follows L1, never the wall clock, and never runs backwards."""

from optimist.sequencer.clock import L1Clock


class Monotonic:
    def __init__(self) -> None:
        self.value = 1_000.0

    def __call__(self) -> float:
        return self.value


def test_second_is_that_of_l1_carried_on() -> None:
    passing = Monotonic()
    clock = L1Clock(passing)
    clock.observe(500)
    assert clock.now() == 500
    passing.value += 7.9
    assert clock.now() == 507
    assert 7 < clock.silence() < 8


def test_older_block_after_a_reorg_changes_nothing() -> None:
    passing = Monotonic()
    clock = L1Clock(passing)
    clock.observe(500)
    clock.observe(400)
    assert clock.now() == 500


def test_block_behind_our_second_does_not_turn_it_back() -> None:
    """Blocks come late: the next one may be younger than our own second."""
    passing = Monotonic()
    clock = L1Clock(passing)
    clock.observe(500)
    passing.value += 20
    assert clock.now() == 520
    clock.observe(512)
    assert clock.now() == 520
    passing.value += 9
    assert clock.now() == 521

"""The price of a step is a tripwire: every change of it is seen, and none passes the ceiling."""

from tests.support.step_gas import CODE_CEILING, SNAPSHOT, measure_all, render


def test_step_gas_is_that_of_the_snapshot_and_below_the_ceiling() -> None:
    measured = measure_all()
    assert measured["ceiling"]["dearest"] <= 120_000
    assert measured["ceiling"]["beyond"] <= 160_000
    assert measured["code"]["Step"] <= CODE_CEILING
    assert SNAPSHOT.read_text() == render(measured), "run: python -m tests.support.step_gas"

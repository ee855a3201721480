"""Random laws behave the same natively, on the checked tree and on the machine; proven intervals hold."""

import pytest

from tests.support.law_parity import Counts, compare_random_law

CHUNK = 50  # laws a test, so that the output shows how far it got


def _compare(first: int, counts: Counts) -> None:
    for seed in range(first, first + CHUNK):
        try:
            compare_random_law(seed, counts)
        except Exception as error:
            error.add_note(f"replay: python -m tests.support.law_parity {seed}")
            raise


@pytest.mark.parametrize("first", range(0, 200, CHUNK))
def test_native_tree_and_machine_agree_on_random_laws(first: int) -> None:
    counts = Counts()
    _compare(first, counts)
    print(f"\n{counts}")
    assert counts.programs > CHUNK // 4
    assert counts.accepted > CHUNK // 2
    assert counts.rejected > CHUNK // 2
    assert counts.notes > CHUNK // 2


@pytest.mark.parametrize("seed", [2466, 8816])
def test_condition_where_nothing_can_be_any_more_is_compiled_or_refused_in_words(seed: int) -> None:
    """What these laws know there contradicts itself: neither branch of the condition is ever reached."""
    compare_random_law(seed, Counts())


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 9000, CHUNK))
def test_native_tree_and_machine_agree_on_many_random_laws(first: int) -> None:
    _compare(first, Counts())

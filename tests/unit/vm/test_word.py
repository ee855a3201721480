import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.vm.word import WORD_MAX, WORD_MIN, from_bytes, to_bytes, to_unsigned, wrap


@given(st.integers())
def test_wrapped_word_is_congruent_and_in_range(value: int) -> None:
    word = wrap(value)
    assert WORD_MIN <= word <= WORD_MAX
    assert (word - value) % (1 << 256) == 0


@given(st.integers(WORD_MIN, WORD_MAX))
def test_word_survives_its_bytes(word: int) -> None:
    assert wrap(word) == word
    assert from_bytes(to_bytes(word)) == word
    assert to_unsigned(word) == int.from_bytes(to_bytes(word), "big")


@pytest.mark.parametrize("value", [WORD_MAX + 1, WORD_MIN - 1])
def test_number_that_is_no_word_has_no_bytes(value: int) -> None:
    with pytest.raises(OverflowError):
        to_bytes(value)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.octets import DecodingError, EncodingError
from optimist.derive.rows import decode_rows, encode_rows

INPUTS = st.lists(st.binary(min_size=1, max_size=40) | st.binary(min_size=1_000, max_size=1_024), max_size=8)


@given(INPUTS)
def test_decode_inverts_encode(inputs: list[bytes]) -> None:
    assert decode_rows(encode_rows(inputs)) == inputs


@given(st.binary(max_size=200))
def test_whatever_decodes_encodes_to_the_same_bytes(rows: bytes) -> None:
    try:
        inputs = decode_rows(rows)
    except DecodingError:
        return
    assert encode_rows(inputs) == rows


@given(INPUTS.filter(len), st.data())
def test_every_truncation_but_at_a_border_is_an_error(inputs: list[bytes], data: st.DataObject) -> None:
    rows = encode_rows(inputs)
    cut = data.draw(st.integers(0, len(rows) - 1))
    borders = {len(encode_rows(inputs[:i])) for i in range(len(inputs))}
    if cut in borders:
        assert decode_rows(rows[:cut]) == inputs[: len(decode_rows(rows[:cut]))]
    else:
        with pytest.raises(DecodingError, match="end before"):
            decode_rows(rows[:cut])


def test_trailing_byte_is_an_error() -> None:
    with pytest.raises(DecodingError):
        decode_rows(encode_rows([b"abc"]) + b"\x00")


@pytest.mark.parametrize("length", [0, 1_025, 65_535])
def test_length_out_of_range_is_an_error(length: int) -> None:
    with pytest.raises(DecodingError, match="1 to 1024"):
        decode_rows(length.to_bytes(2, "big") + bytes(length))
    with pytest.raises(EncodingError, match="1 to 1024"):
        encode_rows([bytes(length)])

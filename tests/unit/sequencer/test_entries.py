"""Journal entries survive their encoding; bytes that nobody wrote are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.octets import DecodingError
from optimist.sequencer.entries import (
    Entry,
    InputAccepted,
    Opened,
    OrderDropped,
    OrderPlaced,
    Sealed,
    Snapshot,
    SwitchSet,
    Voided,
    decode_record,
    encode_record,
)

hashes = st.binary(min_size=32, max_size=32)
seconds = st.integers(0, (1 << 40) - 1)
numbers = st.integers(0, (1 << 64) - 1)
shorts = st.integers(0, (1 << 16) - 1)

entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Opened, numbers, seconds, numbers, shorts, hashes, hashes),
    st.builds(OrderPlaced, shorts, numbers, st.binary(min_size=105, max_size=105)),
    st.builds(OrderDropped, hashes, shorts),
    st.builds(InputAccepted, st.binary(min_size=1, max_size=1024)),
    st.builds(Sealed, numbers, seconds, hashes),
    st.builds(Voided, numbers),
    st.builds(Snapshot, numbers, hashes, numbers),
    st.builds(SwitchSet, seconds, seconds, numbers),
)


@given(st.lists(entries, min_size=1, max_size=6))
def test_record_round_trips(listed: list[Entry]) -> None:
    assert list(decode_record(encode_record(listed))) == listed


@given(st.lists(entries, min_size=1, max_size=3), st.data())
def test_truncated_record_is_refused(listed: list[Entry], data: st.DataObject) -> None:
    record = encode_record(listed)
    boundaries = {len(encode_record(listed[:count])) for count in range(1, len(listed))}
    cut = data.draw(st.integers(1, len(record) - 1).filter(lambda at: at not in boundaries))
    with pytest.raises(DecodingError):
        list(decode_record(record[:cut]))


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(DecodingError, match="unknown kind 9"):
        list(decode_record(bytes((9, 0, 0))))


def test_record_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="of nothing"):
        encode_record([])

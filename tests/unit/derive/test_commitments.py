import pytest

from optimist.base.keccak import keccak
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    GENESIS_LEAF,
    ZERO,
    compute_accumulator,
    compute_chain_link,
    compute_chain_links,
    compute_claim_id,
    compute_input_hash,
    compute_leaf,
    compute_match_id,
    compute_soft_history,
)
from optimist.derive.octets import EncodingError

A, B = b"\x11" * 32, b"\x22" * 32


def test_preimages_are_the_bytes_of_the_protocol() -> None:
    assert compute_input_hash(b"abc") == keccak(b"\x05abc")
    assert compute_chain_link(A, B) == keccak(b"\x06" + A + B)
    assert compute_accumulator(A, B, 5) == keccak(b"\x07" + A + B + bytes(7) + b"\x05")
    assert compute_leaf(A, 258, B) == keccak(b"\x08" + A + bytes(6) + b"\x01\x02" + B)
    assert keccak(b"\x0b" + ZERO + GENESIS_LEAF) == GENESIS_ASSERTION
    assert keccak(b"\x08" + bytes(72)) == GENESIS_LEAF
    assert compute_claim_id(A, b"\x33" * 20) == keccak(b"\x0c" + A + b"\x33" * 20)
    assert compute_match_id(A, B) == compute_match_id(B, A) == keccak(b"\x0d" + A + B)
    assert compute_soft_history(A, B) == keccak(b"\x10" + A + B)


def test_chain_links_fold_backwards() -> None:
    inputs = [b"first", b"second", b"third"]
    links = compute_chain_links(inputs)
    assert len(links) == 4
    assert links[3] == ZERO
    for i, data in enumerate(inputs):
        assert links[i] == compute_chain_link(compute_input_hash(data), links[i + 1])


def test_no_inputs_have_the_zero_head() -> None:
    assert compute_chain_links([]) == [ZERO]


@pytest.mark.parametrize("bad", [b"", b"\x11" * 31, b"\x11" * 33])
def test_fields_of_another_width_are_refused(bad: bytes) -> None:
    with pytest.raises(EncodingError, match="instead of 32"):
        compute_chain_link(bad, B)
    with pytest.raises(EncodingError, match="instead of 32"):
        compute_leaf(A, 1, bad)
    with pytest.raises(EncodingError, match="does not fit"):
        compute_leaf(A, 1 << 64, B)

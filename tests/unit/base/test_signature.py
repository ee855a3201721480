import pytest
from eth_keys.datatypes import PrivateKey as OraclePrivateKey
from hypothesis import given
from hypothesis import strategies as st

from optimist.base.keccak import keccak
from optimist.base.signature import CURVE_ORDER, HALF_ORDER, address_of, recover, sign

SECRETS = st.integers(1, CURVE_ORDER - 1).map(lambda number: number.to_bytes(32, "big"))


@given(SECRETS, st.binary(min_size=32, max_size=32))
def test_signature_recovers_to_the_address_that_another_library_computes(
    secret: bytes, digest: bytes
) -> None:
    v, r, s = sign(digest, secret)
    oracle = OraclePrivateKey(secret).public_key.to_canonical_address()
    assert address_of(secret) == oracle
    assert recover(digest, v, r, s) == int.from_bytes(oracle, "big")
    assert s <= HALF_ORDER
    assert recover(digest, 55 - v, r, CURVE_ORDER - s) == 0


@pytest.mark.parametrize(
    ("v", "r", "s"),
    [
        (26, 1, 1),
        (29, 1, 1),
        (27, 0, 1),
        (27, 1, 0),
        (27, CURVE_ORDER, 1),
        (27, 1, HALF_ORDER + 1),
        (27, 5, 1),
    ],
)
def test_impossible_signature_recovers_to_nobody(v: int, r: int, s: int) -> None:
    assert recover(keccak(b""), v, r, s) == 0

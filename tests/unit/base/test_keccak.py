from Crypto.Hash import keccak as oracle
from hypothesis import given
from hypothesis import strategies as st

from optimist.base.keccak import keccak, tagged


@given(st.binary(max_size=600))
def test_hash_is_that_of_another_library(data: bytes) -> None:
    assert keccak(data) == oracle.new(digest_bits=256, data=data).digest()


@given(st.integers(0, 255), st.lists(st.binary(max_size=70), max_size=4))
def test_tag_is_the_first_byte(tag: int, parts: list[bytes]) -> None:
    assert tagged(tag, *parts) == keccak(bytes((tag,)) + b"".join(parts))

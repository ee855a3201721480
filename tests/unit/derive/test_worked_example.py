"""The first vector of the protocol. `Hashes.sol` follows the same file in `solidity/test/lib`."""

import json

from optimist.base.keccak import keccak
from tests.support.worked_example import VECTORS, build_vectors, render


def test_vector_is_what_the_code_computes() -> None:
    assert VECTORS.read_text() == render(build_vectors()), "run: python -m tests.support.worked_example"


def test_vector_says_what_the_protocol_says() -> None:
    """Spelled out once by hand, as docs/PROTOCOL.md section 5 does, with nothing but keccak."""
    found = json.loads(VECTORS.read_text())
    h = [bytes.fromhex(text[2:]) for text in found["input"]["hash"]]
    data = [bytes.fromhex(text[2:]) for text in found["input"]["data"]]
    assert h == [keccak(b"\x05" + each) for each in data]
    h_init, h_header2, h_deposit, h_a, h_b, h_header3, h_c = h

    def link(input_hash: bytes, rest: bytes) -> bytes:
        return keccak(b"\x06" + input_hash + rest)

    zero = bytes(32)
    c3 = link(h_b, zero)
    c2 = link(h_a, c3)
    c1 = link(h_deposit, c2)
    heads = [link(h_init, zero), link(h_header2, c1), link(h_header3, link(h_c, zero))]
    assert found["batch"]["head"] == ["0x" + head.hex() for head in heads]
    accumulator = zero
    for head, count, expected in zip(heads, (1, 4, 2), found["batch"]["accumulator"], strict=True):
        accumulator = keccak(b"\x07" + accumulator + head + count.to_bytes(8, "big"))
        assert expected == "0x" + accumulator.hex()

    def leaf(name: str, batch: int, rest: bytes) -> str:
        root = bytes.fromhex(found["root"][name][2:])
        return "0x" + keccak(b"\x08" + root + batch.to_bytes(8, "big") + rest).hex()

    leaves = [
        leaf("a", 2, c1),
        leaf("b", 2, c2),
        leaf("c", 2, c3),
        leaf("d", 2, zero),
        leaf("e", 3, link(h_c, zero)),
        leaf("f", 3, zero),
    ]
    assert found["range"]["leaves"] == [*leaves, leaves[5], leaves[5]]
    assert found["range"]["parentEnd"] == leaf("r1", 1, zero)
    assert found["opening"]["prev"] == leaves[3]
    assert found["opening"]["end"] == leaves[4]

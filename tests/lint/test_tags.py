"""Every hash preimage begins with its own tag: all distinct, and the same in Python and in Solidity."""

import re

from optimist.base import tags
from tests.lint.tree import REPOSITORY

TAGS_SOL = REPOSITORY / "solidity" / "src" / "lib" / "Tags.sol"


def read_python_tags() -> dict[str, int]:
    return {name: value for name, value in vars(tags).items() if name.isupper()}


def read_solidity_tags() -> dict[str, int]:
    found = re.findall(r"bytes1 internal constant (\w+) = (0x[0-9a-fA-F]{2});", TAGS_SOL.read_text())
    assert len(found) == TAGS_SOL.read_text().count("constant")
    return {name: int(value, 16) for name, value in found}


def test_python_and_solidity_list_the_same_tags() -> None:
    assert read_python_tags() == read_solidity_tags()


def test_tags_are_distinct_bytes_and_never_that_of_a_wallet() -> None:
    values = list(read_python_tags().values())
    assert len(values) == len(set(values))
    assert all(0 < value < 256 for value in values)
    assert 0x19 not in values  # EIP-191 and EIP-712 digests begin with it


_FREE_LENGTH = re.compile(r"\b(?:bytes|string|\w+\[\])\s+(?:memory|calldata|storage)\s+(\w+)")
_PACKED = re.compile(r"abi\.encodePacked\(([^()]*(?:\([^()]*\)[^()]*)*)\)")


def find_ambiguous(code: str) -> list[str]:
    """Arguments of every `abi.encodePacked` with two values of free length: (ab, c) packs like (a, bc)."""
    free = set(_FREE_LENGTH.findall(code))
    calls = _PACKED.findall(code)
    assert len(calls) == code.count("abi.encodePacked("), "a call that this cannot read"
    return [call for call in calls if sum(part.strip() in free for part in call.split(",")) > 1]


def test_no_preimage_packs_two_values_of_free_length() -> None:
    for path in sorted((REPOSITORY / "solidity" / "src").rglob("*.sol")):
        assert find_ambiguous(path.read_text()) == [], path.name
    both = "function f(bytes memory a, bytes32[] calldata b) { abi.encodePacked(uint8(1), a, b); }"
    assert find_ambiguous(both) == ["uint8(1), a, b"]

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

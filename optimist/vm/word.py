"""Words of the machine: signed 256-bit integers in Python, 32-byte two's complement in trees and on chain."""

from typing import Final

WORD_BYTES: Final = 32
WORD_MIN: Final = -(1 << 255)
WORD_MAX: Final = (1 << 255) - 1
_MODULUS: Final = 1 << 256
_MASK: Final = _MODULUS - 1


def wrap(value: int) -> int:
    """The signed word congruent to `value` modulo 2**256, as the EVM's arithmetic leaves it."""
    value &= _MASK
    return value - _MODULUS if value > WORD_MAX else value


def to_unsigned(word: int) -> int:
    """The same 256 bits read as an unsigned integer (hashes, signatures)."""
    return word & _MASK


def to_bytes(word: int) -> bytes:
    """Two's complement, 32 bytes. Raises OverflowError when `word` is no signed 256-bit integer."""
    return word.to_bytes(WORD_BYTES, "big", signed=True)


def from_bytes(data: bytes) -> int:
    """The signed word of 32 bytes."""
    return int.from_bytes(data, "big", signed=True)

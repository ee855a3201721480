"""A checksum of the input by shifts and exclusive ors, and a draw from it: bits, and divisors from outside.

Input: seed:4 | size:2 | step:1 | bytes, of which at most 24 are mixed.
"""

from enum import IntEnum
from typing import Annotated, Final

from optimist.provable import (
    Range,
    bit_length,
    ceil_div,
    fit,
    i32,
    inline,
    input_int,
    input_length,
    input_uint,
    load,
    mul_shift_right,
    record,
    require,
    store,
    u8,
    u16,
    u32,
    u40,
    u64,
)

HEADER_BYTES: Final = 7
MOST_BYTES: Final = 24
MASK: Final = (1 << 32) - 1

Turn = Annotated[int, Range(0, 31)]


class Code(IntEnum):
    EMPTY = 16
    TOO_WIDE = 17
    SAME = 18


@record(table=4)
class Draw:
    checksum: u32
    winner: u40
    parity: u8
    balance: i32
    share: u64
    rounds: u64


@inline
def rotate(word: u32, count: Turn) -> u32:
    return u32(((word << count) & MASK) | (word >> (32 - count)))


def mix(word: u32, byte: u8) -> u32:
    word_left = word ^ ((word << 13) & MASK)
    word_right = word_left ^ (word_left >> 17)
    mixed = word_right ^ ((word_right << 5) & MASK)
    return u32(mixed ^ byte)


def draw(checksum: u32, size: u16, step: u8) -> u40:
    """Where a wheel of `size` fields stops, turned by multiples of `step`. No field or no step: rejects."""
    field = (checksum * 2654435761) % size
    turns = ceil_div(checksum, step)
    return fit(u40, (field + turns) % size, Code.TOO_WIDE)


def apply_input() -> None:
    length = input_length()
    require(length > HEADER_BYTES, Code.EMPTY)
    seed = input_uint(0, 4)
    size = input_uint(4, 2)
    step = input_uint(6, 1)
    checksum: u32 = seed
    parity: u8 = 0
    for i in range(min(length - HEADER_BYTES, MOST_BYTES)):
        byte = input_uint(HEADER_BYTES + i, 1)
        checksum = mix(checksum, byte)
        checksum = rotate(checksum, byte & 31)
        parity = parity ^ (byte & 1)
    row = checksum & 3
    drawn = load(Draw, row)
    is_new = drawn.checksum != checksum
    is_unlike = drawn.parity != parity
    require(is_new or is_unlike, Code.SAME)
    drawn.rounds = fit(u64, drawn.rounds + (1 if is_new != is_unlike else 2), Code.TOO_WIDE)
    drawn.winner = draw(checksum, size, step)
    drawn.share = mul_shift_right(checksum, drawn.winner + 1, 8) + (checksum * size >> 24)
    drawn.balance = fit(i32, drawn.balance + input_int(7, 4) * step // (size - step), Code.TOO_WIDE)
    drawn.parity = parity | (bit_length(checksum ^ drawn.checksum) & 62)
    drawn.checksum = checksum
    store(row, drawn)

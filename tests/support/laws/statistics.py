"""Mean, spread and root mean square of numbers: what the language makes of fixed-point arithmetic.

Input: row:1 | divisor:2 | count:1 | count numbers:4, signed, at most 6.
"""

from enum import IntEnum
from typing import Annotated, Final

from optimist.provable import (
    Vec,
    b32,
    bit_length,
    ceil_div,
    fit,
    i32,
    i64,
    i96,
    inline,
    input_int,
    input_uint,
    keccak_of,
    load,
    mul_shift_right,
    peek,
    record,
    require,
    store,
    u8,
    u16,
    u64,
    u80,
    zero,
)

MOST_NUMBERS: Final = 6
FRACTION_BITS: Final = 16
NEWTON_ROUNDS: Final = 6


class Code(IntEnum):
    TOO_MANY = 16
    TOO_LARGE = 17
    NOT_SORTED = 18


@record()
class Numbers:
    values: Annotated[Vec[i64], 6]
    count: u8
    divisor: u16
    previous: b32


@record(table=3)
class Summary:
    mean: i64
    root: u64
    low: i64
    high: i64
    bits: u64
    spread: i96
    remainder: i64
    ceiling: i64


@record(table=5)
class Seal:
    digest: b32


@inline
def average(a: u80, b: u80) -> u80:
    return (a + b) >> 1


def compute_root(square: u80) -> u80:
    """Square root, rounded down, by Newton's rule from above."""
    root: u80 = 1 << ((bit_length(square) + 1) >> 1)
    for _i in range(NEWTON_ROUNDS):
        better = average(root, fit(u80, square // root, Code.TOO_LARGE))
        if better >= root:
            break
        root = better
    return root


def sort(numbers: Numbers) -> None:
    for i in range(MOST_NUMBERS - 1):
        for j in range(MOST_NUMBERS - 1):
            if j < MOST_NUMBERS - 1 - i:
                low = min(numbers.values[j], numbers.values[j + 1])
                high = max(numbers.values[j], numbers.values[j + 1])
                numbers.values[j] = low
                numbers.values[j + 1] = high


def seal(row: u8, numbers: Numbers) -> None:
    """Hash the numbers onto what was there before."""
    numbers.previous = peek(Seal, row).digest
    store(row, Seal(digest=keccak_of(numbers)))


def scale(value: i64, weight: u64) -> i96:
    """value * weight / 2**16, rounded down, then to the nearest even number away from it."""
    exact = mul_shift_right(value, weight, FRACTION_BITS)
    rough = (value * weight) >> 20
    return fit(i96, exact ^ (rough & 1), Code.TOO_LARGE)


def apply_input() -> None:
    row = input_uint(0, 1)
    divisor = input_uint(1, 2)
    count = input_uint(3, 1)
    require(count <= MOST_NUMBERS, Code.TOO_MANY)
    numbers = zero(Numbers)
    for n in range(count):
        numbers.values[n] = fit(i64, input_int(4 + 4 * n, 4), Code.TOO_LARGE)
    numbers.count = count
    numbers.divisor = divisor
    sort(numbers)
    seal(row, numbers)
    summary = load(Summary, row)
    total: i32 = 0
    squares: u80 = 0
    spread: i96 = 0
    for i in range(MOST_NUMBERS):
        value = numbers.values[i]
        total = fit(i32, total + value, Code.TOO_LARGE)
        squares = fit(u80, squares + value * value, Code.TOO_LARGE)
        spread = fit(i96, spread + scale(value, 1 << 15), Code.TOO_LARGE)
    summary.mean = fit(i64, total // divisor, Code.TOO_LARGE)
    summary.ceiling = fit(i64, ceil_div(total, count), Code.TOO_LARGE)
    summary.remainder = fit(i64, total % divisor, Code.TOO_LARGE)
    summary.root = fit(u64, compute_root(squares), Code.TOO_LARGE)
    summary.low = numbers.values[0]
    summary.high = numbers.values[MOST_NUMBERS - 1]
    summary.bits = bit_length(squares) * 1000 + bit_length(total)
    summary.spread = spread
    require(summary.low <= summary.high, Code.NOT_SORTED)
    store(row, summary)

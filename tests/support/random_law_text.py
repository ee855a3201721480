"""What every random law begins with, and what its records are made of."""

from optimist.provable import widths

WIDTHS = ("u8", "u16", "u40", "u64", "u128", "i16", "i64", "i96", "Small", "Odd")
HEADER = '''"""A random law."""

from enum import IntEnum
from typing import Annotated, Final

from optimist.provable import (
    Range, Vec, b32, bit_length, ceil_div, eip712_digest, fit, handler, i16, i64, i96, i128, inline,
    input_b32, input_int, input_length, input_uint, keccak_of, keccak_text, load, mul_shift_right, note,
    peek, record, recover_signer, reject, require, store, u8, u16, u40, u64, u128, u160, zero, )

LIMIT: Final = 7 * 10**3
WORD: Final = b32(0x{word:x})
HASHED: Final = keccak_text("Order(uint40 account)")
FLAG: Final = {flag}
Small = Annotated[int, Range(-3, 11)]
Odd = Annotated[int, Range(0, 1 << 96)]
Slots = Annotated[Vec[i64], 3]


class Code(IntEnum):
{codes}


@record(table=1)
class Account:
    owner: u160
    balance: i64
    flag: bool
    tag: b32
    slots: Slots


@record(table=200)
class Market:
    price: u64
    index: i96
    limits: Annotated[Vec[u8], 2]


@record()
class Struct:
    tag: b32
    size: i128
    account: u40


@record()
class Wide:
    a: i64
    values: Annotated[Vec[i64], 9]
    tag: b32
    b: u8
'''
BOUNDS = {name: (width.low, width.high) for name, width in widths.WIDTHS.items()} | {
    "Small": (-3, 11),
    "Odd": (0, 1 << 96),
}
INT_FIELDS = {
    "Account": {"owner": "u160", "balance": "i64"},
    "Market": {"price": "u64", "index": "i96"},
    "Struct": {"size": "i128", "account": "u40"},
    "Wide": {"a": "i64", "b": "u8"},
}
VECTORS = {"Account": ("slots", 3, "i64"), "Market": ("limits", 2, "u8"), "Wide": ("values", 9, "i64")}
HASH_FIELDS = {"Account": "tag", "Struct": "tag", "Wide": "tag"}
STORED = ("Account", "Market")
CODES = 24

"""Small laws for tests: a header with everything in it, and helpers to compile, refuse and run them."""

from optimist.provable import Receipt, State
from optimist.provable.check.refusal import Refused
from optimist.provable.compiled import CompiledProgram
from optimist.provable.program import Program
from tests.support.law_parity import Counts, compare_faces

HEADER = '''"""A law of a test."""

from enum import IntEnum
from typing import Annotated, Final

from optimist.provable import (
    Range, Vec, b32, bit_length, ceil_div, eip712_digest, fit, handler, i16, i64, i128, i250, inline,
    input_b32, input_int, input_length, input_uint, keccak_of, keccak_text, load, mul_shift_right, note,
    peek, record, recover_signer, reject, require, store, u8, u16, u40, u64, u128, u160, u250, zero,
)

LIMIT: Final = 1000
TAG: Final = b32(0x12)


class Code(IntEnum):
    A = 16
    B = 17
    C = 18


@record(table=1)
class Account:
    owner: u160
    balance: i64
    flag: bool
    tag: b32
    slots: Annotated[Vec[i64], 3]


@record()
class Struct:
    tag: b32
    size: i128
    account: u40


@record(table=2)
class Out:
    a: i128
    b: i128
    c: b32
    d: i250


'''
HEADER_LINES = HEADER.count("\n")


def make_program(body: str) -> Program:
    """A law whose text is the header and `body`."""
    return Program({"law": HEADER + body}, "law.apply_input")


def entry(*lines: str) -> str:
    """An entry with these lines as its body."""
    return "def apply_input() -> None:\n" + "".join(f"    {line}\n" for line in lines)


def compile_law(body: str) -> CompiledProgram:
    """Compile the header and `body`."""
    return make_program(body).compile()


def get_refusal(body: str) -> str:
    """The message with which `body` is refused; its lines are counted from 1 at the start of `body`."""
    try:
        compile_law(body)
    except Refused as refusal:
        where = refusal.location
        return f"{where.line - HEADER_LINES}:{where.column}: {refusal.problem}; {refusal.advice}"
    raise AssertionError("this was not refused")


def run_everywhere(body: str, *inputs: bytes) -> list[Receipt]:
    """Apply inputs natively, on the tree and on the machine, which must agree; the native receipts."""
    program = make_program(body)
    compare_faces(program, program.compile(), list(inputs), State(), Counts())
    state = State()
    return [state.apply(program.native(), data) for data in inputs]


def out(receipt: Receipt) -> tuple[int, int, bytes, int]:
    """The fields of record Out at row 0 that a receipt says were written."""
    assert not receipt.rejected, receipt.code
    data = receipt.writes.get(2 << 40, (None, None))[1] or bytes(256)
    words = [data[i : i + 32] for i in range(0, 128, 32)]
    a, b, d = (int.from_bytes(words[i], "big", signed=True) for i in (0, 1, 3))
    return a, b, words[2], d

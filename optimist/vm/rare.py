"""Opcodes that the law executes seldom, for `fast.py`: one function each, on the words of a running machine.

A function returns CONTINUE, HALT, or the code of a rejection. Moving pc is the loop's own business.
"""

from collections.abc import Callable, Mapping
from typing import Final

from optimist.base.keccak import keccak
from optimist.base.signature import recover
from optimist.vm.isa import (
    HASH_INDIRECT,
    LOW_BYTE,
    MEMORY_WORDS,
    RECORD_WORDS,
    REJECT_ADDRESS,
    REJECT_DIVISION,
    ROW_BITS,
    SIGNATURE_WORDS,
    STORE_INDIRECT,
    Op,
)
from optimist.vm.records import ABSENT, ROWS, pack_record, unpack_record
from optimist.vm.word import from_bytes, to_bytes, to_unsigned, wrap

Signatures = Mapping[tuple[bytes, int, bytes, bytes], int]  # (digest, v, r, s) -> address, 0 if invalid

CONTINUE: Final = -1
HALT: Final = -2


class Core:
    """A machine without trees: its words, the records that it sees and those that it has written."""

    __slots__ = ("memory", "pc", "records", "writes", "input", "signatures", "result", "steps")

    def __init__(
        self,
        memory: list[int],
        pc: int,
        records: Mapping[int, bytes],
        data: bytes,
        signatures: Signatures | None = None,
    ) -> None:
        self.memory = memory
        self.pc = pc
        self.records = records
        self.writes: dict[int, bytes] = {}
        self.input = data
        self.signatures: Signatures = {} if signatures is None else signatures
        self.result = CONTINUE  # then HALT, or the code of its rejection
        self.steps = 0

    def get_record(self, key: int) -> bytes:
        """A record as the program sees it now, zeros when absent."""
        record = self.writes.get(key)
        return self.records.get(key, ABSENT) if record is None else record


RareOp = Callable[[Core, int, int, int, int], int]  # (core, d, a, b, imm) -> CONTINUE, HALT or a code


def _halt(_core: Core, _d: int, _a: int, _b: int, _imm: int) -> int:
    return HALT


def _reject(_core: Core, _d: int, _a: int, _b: int, imm: int) -> int:
    return imm


def _mod(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    memory = core.memory
    if memory[b] == 0:
        return REJECT_DIVISION
    memory[d] = memory[a] % memory[b]
    return CONTINUE


def _and(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = core.memory[a] & core.memory[b]
    return CONTINUE


def _or(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = core.memory[a] | core.memory[b]
    return CONTINUE


def _xor(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = core.memory[a] ^ core.memory[b]
    return CONTINUE


def _shl(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    count = core.memory[b]
    core.memory[d] = wrap(core.memory[a] << count) if 0 <= count < 256 else 0
    return CONTINUE


def _shr(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    count = core.memory[b]
    core.memory[d] = core.memory[a] >> (count if 0 <= count < 256 else 255)
    return CONTINUE


def _min(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = min(core.memory[a], core.memory[b])
    return CONTINUE


def _max(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = max(core.memory[a], core.memory[b])
    return CONTINUE


def _lt(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = int(core.memory[a] < core.memory[b])
    return CONTINUE


def _le(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = int(core.memory[a] <= core.memory[b])
    return CONTINUE


def _eq(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = int(core.memory[a] == core.memory[b])
    return CONTINUE


def _ne(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    core.memory[d] = int(core.memory[a] != core.memory[b])
    return CONTINUE


def _bitlen(core: Core, d: int, a: int, _b: int, _imm: int) -> int:
    core.memory[d] = core.memory[a].bit_length()
    return CONTINUE


def _ldx(core: Core, d: int, a: int, _b: int, imm: int) -> int:
    index = core.memory[a] + imm
    if not 0 <= index < MEMORY_WORDS:
        return REJECT_ADDRESS
    core.memory[d] = core.memory[index]
    return CONTINUE


def _stx(core: Core, d: int, a: int, _b: int, imm: int) -> int:
    index = core.memory[a] + imm
    if not 0 <= index < MEMORY_WORDS:
        return REJECT_ADDRESS
    core.memory[index] = core.memory[d]
    return CONTINUE


def _ldr(core: Core, d: int, a: int, _b: int, imm: int) -> int:
    row = core.memory[a]
    if not 0 <= row < ROWS:
        return REJECT_ADDRESS
    record = core.get_record((imm & LOW_BYTE) << ROW_BITS | row)
    core.memory[d : d + RECORD_WORDS] = unpack_record(record)
    return CONTINUE


def _str(core: Core, d: int, a: int, _b: int, imm: int) -> int:
    memory = core.memory
    row = memory[a]
    block = memory[d] if imm & STORE_INDIRECT else d
    if not 0 <= row < ROWS or not 0 <= block < MEMORY_WORDS or block % RECORD_WORDS:
        return REJECT_ADDRESS
    core.writes[(imm & LOW_BYTE) << ROW_BITS | row] = pack_record(memory[block : block + RECORD_WORDS])
    return CONTINUE


def _in(core: Core, d: int, a: int, _b: int, imm: int) -> int:
    offset = core.memory[a]
    if offset < 0:
        return REJECT_ADDRESS
    size = imm & LOW_BYTE
    field = core.input[offset : offset + size].ljust(size, b"\0")
    core.memory[d] = wrap(int.from_bytes(field, "big"))
    return CONTINUE


def _inlen(core: Core, d: int, _a: int, _b: int, _imm: int) -> int:
    core.memory[d] = len(core.input)
    return CONTINUE


def _kec(core: Core, d: int, a: int, _b: int, imm: int) -> int:
    memory = core.memory
    count = imm & LOW_BYTE
    block = memory[a] if imm & HASH_INDIRECT else a
    alignment = RECORD_WORDS if count <= RECORD_WORDS else 2 * RECORD_WORDS
    if not 0 <= block < MEMORY_WORDS or block % alignment:
        return REJECT_ADDRESS
    memory[d] = from_bytes(keccak(b"".join(map(to_bytes, memory[block : block + count]))))
    return CONTINUE


def _d712(core: Core, d: int, a: int, b: int, _imm: int) -> int:
    memory = core.memory
    memory[d] = from_bytes(keccak(b"\x19\x01" + to_bytes(memory[a]) + to_bytes(memory[b])))
    return CONTINUE


def _ecr(core: Core, d: int, a: int, _b: int, _imm: int) -> int:
    digest, v, r, s = core.memory[a : a + SIGNATURE_WORDS]
    key = (to_bytes(digest), to_unsigned(v), to_bytes(r), to_bytes(s))
    signer = core.signatures.get(key)
    core.memory[d] = recover(key[0], key[1], to_unsigned(r), to_unsigned(s)) if signer is None else signer
    return CONTINUE


RARE: Final[dict[int, RareOp]] = {
    Op.HALT: _halt,
    Op.REJ: _reject,
    Op.ILL: _reject,  # decoding put the code into imm
    Op.MOD: _mod,
    Op.AND: _and,
    Op.OR: _or,
    Op.XOR: _xor,
    Op.SHL: _shl,
    Op.SHR: _shr,
    Op.MIN: _min,
    Op.MAX: _max,
    Op.LT: _lt,
    Op.LE: _le,
    Op.EQ: _eq,
    Op.NE: _ne,
    Op.BITLEN: _bitlen,
    Op.LDX: _ldx,
    Op.STX: _stx,
    Op.LDR: _ldr,
    Op.STR: _str,
    Op.IN: _in,
    Op.INLEN: _inlen,
    Op.KEC: _kec,
    Op.D712: _d712,
    Op.ECR: _ecr,
}

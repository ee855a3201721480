"""The program as the fast loop wants it: plain tuples, with all that is wrong by itself turned into ILL."""

from collections.abc import Sequence
from typing import Final

from optimist.vm.isa import (
    HASH_INDIRECT,
    HASH_WORDS,
    INPUT_BYTES,
    LOW_BYTE,
    MEMORY_DEPTH,
    OPCODES,
    PROGRAM_WORDS,
    RECORD_WORDS,
    REJECT_ADDRESS,
    REJECT_OPCODE,
    SIGNATURE_WORDS,
    STORE_INDIRECT,
    Instruction,
    Op,
)

Decoded = tuple[int, int, int, int, int]  # op, d, a, b, imm

JUMPS: Final = frozenset({Op.JMP, Op.BEQ, Op.BNE, Op.BLT, Op.BLE, Op.CALL})
PADDING: Final[Decoded] = (int(Op.ILL), 0, 0, 0, REJECT_OPCODE)
END: Final[Decoded] = (int(Op.ILL), 0, 0, 0, REJECT_ADDRESS)  # what lies behind the last instruction


def decode_program(words: Sequence[bytes]) -> list[Decoded]:
    """2**PROGRAM_DEPTH instructions and the end behind them. Codes to reject with are in imm of ILL."""
    program = [decode(word) for word in words]
    program += [PADDING] * (PROGRAM_WORDS - len(program))
    program.append(END)
    return program


def decode(word: bytes) -> Decoded:
    """One instruction, or ILL with the code with which every execution of it rejects."""
    op, d, a, b, imm = Instruction.decode(word)
    if op == Op.ILL or op >= OPCODES:
        return PADDING
    if (d | a | b) >> MEMORY_DEPTH or not is_well_formed(op, d, a, imm):
        return END
    return int(op), d, a, b, imm


def is_well_formed(op: int, d: int, a: int, imm: int) -> bool:
    """False when this instruction rejects whatever memory holds: target, alignment or size out of range."""
    low = imm & LOW_BYTE
    if op in JUMPS:
        return imm < PROGRAM_WORDS
    if op == Op.LDR or (op == Op.STR and not imm & STORE_INDIRECT):
        return d % RECORD_WORDS == 0
    if op == Op.IN:
        return 1 <= low <= INPUT_BYTES
    if op == Op.KEC:
        alignment = RECORD_WORDS if low <= RECORD_WORDS else HASH_WORDS
        return 1 <= low <= HASH_WORDS and (bool(imm & HASH_INDIRECT) or a % alignment == 0)
    if op == Op.ECR:
        return a % SIGNATURE_WORDS == 0
    return True

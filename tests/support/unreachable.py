"""Why a compiled program never rejects for most causes: found in the code that the compiler makes.

Some causes can be seen in an instruction: none that was compiled has them. Some depend on words: either the
compiler refuses a source that does not prove them away, and its refusal is the reason, or nothing writes the
word between where it is made and where it is used. What is looked at is code, and refusals as given today.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from optimist.provable.check.refusal import Refused
from optimist.provable.compiled import CompiledProgram
from optimist.vm.isa import (
    HASH_INDIRECT,
    HASH_WORDS,
    INPUT_BYTES,
    LOW_BYTE,
    MEMORY_WORDS,
    OPCODES,
    RECORD_WORDS,
    SIGNATURE_WORDS,
    STORE_INDIRECT,
    Instruction,
    Op,
)
from tests.support.law_text import compile_law, entry
from tests.support.machine_cases import CELLS, END, JUMPS, ORDINARY, Cell

ENDS: Final = (Op.HALT, Op.REJ, Op.JMP, Op.RET)  # after which the next instruction is not executed
WRITE_NOTHING: Final = (Op.ILL, *ENDS, Op.BEQ, Op.BNE, Op.BLT, Op.BLE, Op.STX, Op.STR)


class Code:
    """The instructions of a compiled program, by function."""

    def __init__(self, compiled: CompiledProgram) -> None:
        self.image = compiled.image
        self.lines = compiled.instructions
        starts = sorted(function.start for function in compiled.functions)
        self.bodies = {
            start: self.lines[start:end] for start, end in pairwise([*starts, len(self.lines)])
        }  # by address of the first instruction

    def find_callees(self, function: int) -> set[int]:
        """Functions that are called by this one, or by one of them."""
        direct = {line.imm for line in self.bodies[function] if line.op == Op.CALL}
        return direct.union(*(self.find_callees(callee) for callee in direct))

    def is_kept(self, word: int, function: int) -> bool:
        """True when neither this function nor what it calls writes a word by its address."""
        bodies = [self.bodies[body] for body in (function, *self.find_callees(function))]
        return not any(writes(line, word) for body in bodies for line in body)


def writes(line: Instruction, word: int) -> bool:
    """True when an instruction writes a word by its address. (STX stays inside a record: see there.)"""
    size = RECORD_WORDS if line.op == Op.LDR else 1
    return line.op not in WRITE_NOTHING and line.d <= word < line.d + size


# ------------------------------------------------------------------------------------------- seen in the line


def _is_block(address: int, size: int) -> bool:
    return 0 <= address < MEMORY_WORDS and address % size == 0


def _get_hash_size(line: Instruction) -> int:
    return 8 if line.imm & LOW_BYTE <= 8 else 16


DEFECTS: Final[dict[Cell, Callable[[Instruction], bool]]] = {
    (Op.ILL, "zero word"): lambda line: line == Instruction(0),
    (Op.ILL, "opcode 0 with operands"): lambda line: line.op == Op.ILL,
    (Op.ILL, "unknown opcode"): lambda line: line.op >= OPCODES,
    **{
        (op, "field outside memory"): lambda line: (line.d | line.a | line.b) >= MEMORY_WORDS
        for op in Op
        if op != Op.ILL
    },
    (Op.LDR, "unaligned block"): lambda line: not _is_block(line.d, RECORD_WORDS),
    (Op.STR, "unaligned block"): lambda line: (
        not line.imm & STORE_INDIRECT and not _is_block(line.d, RECORD_WORDS)
    ),
    (Op.IN, "size"): lambda line: not 0 < line.imm & LOW_BYTE <= INPUT_BYTES,
    (Op.KEC, "size"): lambda line: not 0 < line.imm & LOW_BYTE <= HASH_WORDS,
    **{
        (Op.KEC, f"unaligned block of {size}"): lambda line, size=size: (  # type: ignore[misc]  # bound now
            not line.imm & HASH_INDIRECT and _get_hash_size(line) == size and not _is_block(line.a, size)
        )
        for size in (8, 16)
    },
    (Op.ECR, "unaligned block"): lambda line: not _is_block(line.a, SIGNATURE_WORDS),
}


def _find_no_defect(cell: Cell, codes: Sequence[Code]) -> str:
    op = cell[0]
    lines = [line for code in codes for line in code.lines if op in (line.op, Op.ILL)]
    assert lines, f"nothing is compiled to {op.name}"
    assert not any(DEFECTS[cell](line) for line in lines), f"{op.name} is compiled with: {cell[1]}"
    return (
        f"none of the {sum(len(code.lines) for code in codes):,} instructions of {len(codes)} programs has it"
    )


def _find_targets_inside(cell: Cell, codes: Sequence[Code]) -> str:
    count = 0
    for code in codes:
        targets = [line.imm for line in code.lines if line.op == cell[0]]
        assert all(target < len(code.lines) for target in targets), f"{cell[0].name} leaves the program"
        count += len(targets)
    return f"all {count:,} compiled targets lie in their program"


def _find_no_end(_cell: Cell, codes: Sequence[Code]) -> str:
    for code in codes:
        assert code.lines[-1].op in ENDS
        assert all(line.imm < len(code.lines) for line in code.lines if line.op in JUMPS)
    return f"all {len(codes)} programs end in HALT, REJ, JMP or RET, and no target lies behind the end"


# ------------------------------------------------------------------------------------ refused by the compiler

REFUSED: Final[dict[Cell, str]] = {
    (Op.LDR, "row out of range"): entry("a = load(Account, input_int(0, 8))"),
    (Op.STR, "row out of range"): entry("store(input_int(0, 8), zero(Account))"),
    (Op.LDX, "pointer outside memory"): entry("a = load(Account, 0)", "b = a.slots[input_uint(0, 1)]"),
    (Op.STX, "pointer outside memory"): entry("a = load(Account, 0)", "a.slots[input_uint(0, 1)] = 1"),
    (Op.IN, "negative offset"): entry("a = input_uint(input_int(0, 8), 4)"),
}


def _find_refusal(cell: Cell, _codes: Sequence[Code]) -> str:
    try:
        compile_law(REFUSED[cell])
    except Refused as refusal:
        return f"refused: {refusal.problem}"
    raise AssertionError(f"{cell[0].name} is no longer refused: {cell[1]}")


# ------------------------------------------------------------------------------- words that stay as they are


def _find_kept_addresses(_cell: Cell, codes: Sequence[Code]) -> str:
    """CALL writes it on the way in, the only way in. Frames overlap, but never along a path of calls."""
    count = 0
    for code in codes:
        jumps = {line.imm for line in code.lines if line.op in JUMPS and line.op != Op.CALL}
        for function, body in code.bodies.items():
            for line in body:
                if line.op == Op.RET:
                    assert code.is_kept(line.a, function), f"something overwrites the address of {line}"
                    assert function not in jumps, f"a jump leads to {function}, which returns"
                    count += 1
    return f"none of {count:,} compiled functions, nor what they call, writes their return address"


def _find_only_blocks(cell: Cell, codes: Sequence[Code]) -> str:
    """Pointers are parameters: constants of the compiler, handed on from frame to frame."""
    count = 0
    for code in codes:
        for function, body in code.bodies.items():
            for line in body:
                if cell[0] == Op.STR == line.op and line.imm & STORE_INDIRECT:
                    count += _count_blocks(code, function, line.d, RECORD_WORDS)
                elif cell[0] == Op.KEC == line.op and line.imm & HASH_INDIRECT:
                    count += _count_blocks(code, function, line.a, _get_hash_size(line))
    assert count
    return f"all {count:,} ways on which a pointer comes begin at a constant that is the address of a block"


def _count_blocks(code: Code, function: int, word: int, size: int) -> int:
    """In how many ways a pointer comes into a function: with each call, from a constant or a pointer."""
    assert code.is_kept(word, function), f"something overwrites the pointer in word {word}"
    count = 0
    for caller, body in code.bodies.items():
        for index, line in enumerate(body):
            if line.op != Op.CALL or line.imm != function:
                continue
            written = next(other for other in reversed(body[:index]) if writes(other, word))
            assert written.op == Op.MOV, f"a pointer is written by {written}"
            if written.a < len(code.image.memory):
                assert _is_block(code.image.words[written.a], size), f"{written} gives no address of a block"
                count += 1
            else:
                count += _count_blocks(code, caller, written.a, size)
    return count


REASONS: Final[dict[Cell, Callable[[Cell, Sequence[Code]], str]]] = {
    **dict.fromkeys(DEFECTS, _find_no_defect),
    **{(op, "target outside the program"): _find_targets_inside for op in JUMPS},
    **dict.fromkeys(REFUSED, _find_refusal),
    (Op.ILL, END): _find_no_end,
    (Op.RET, "target outside the program"): _find_kept_addresses,
    **{
        cell: _find_only_blocks
        for cell in CELLS
        if cell[0] in (Op.STR, Op.KEC) and cell[1].startswith("pointer") and cell[1] != ORDINARY
    },
}


def explain(cell: Cell, codes: Sequence[Code]) -> str:
    """Why no compiled program rejects for this cause. Raises AssertionError where one of these could."""
    return REASONS[cell](cell, codes)

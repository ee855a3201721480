"""Random machine states, some for each opcode and each cause of rejection: what parity is tested on.

A case is one instruction on a random memory, state and input. Its operands are looked up so that the wanted
thing happens, and are otherwise random (d, a and b may coincide; bits that nobody may look at are set).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from optimist.vm.image import Image
from optimist.vm.isa import (
    HASH_INDIRECT,
    MEMORY_WORDS,
    PROGRAM_WORDS,
    STORE_INDIRECT,
    Instruction,
    Op,
)
from optimist.vm.records import build_state_tree
from optimist.vm.walker import Walker
from optimist.vm.word import WORD_MAX, WORD_MIN, to_bytes
from tests.support.machine_bench import ENDS, ENDS_AT, SIGNATURES_AT, TABLES, ZEROS_AT, Bench

ORDINARY: Final = "ordinary"
END: Final = "end of the program"
BRANCHES: Final = (Op.BEQ, Op.BNE, Op.BLT, Op.BLE)
DIVISIONS: Final = (Op.DIV, Op.CDIV, Op.MOD)
JUMPS: Final = (Op.JMP, *BRANCHES, Op.CALL)

Maker = Callable[[Bench, int], Instruction]
Cell = tuple[Op, str]


def _any(bench: Bench, op: int, **fixed: int) -> Instruction:
    """An instruction with random operands where none are given; sometimes they coincide."""
    d, a, b = bench.address(), bench.address(), bench.address()
    if bench.rng.random() < 0.2:
        d, a, b = (bench.rng.choice((d, a)) for _ in range(3))
    fields = {"d": d, "a": a, "b": b, "imm": bench.immediate(), **fixed}
    return Instruction(op, **fields)


def _low(bench: Bench, low: int, bits: int = 0) -> int:
    """An immediate with this low byte and these bits; all others are random, the indirect ones 0."""
    return (bench.rng.getrandbits(190) << 8 | low) & ~STORE_INDIRECT & ~HASH_INDIRECT | bits


def _count(bench: Bench, size: int) -> int:
    """A number of words that KEC takes from a block of `size`, most often an end of its range."""
    first, last = (1, 8) if size == 8 else (9, 16)
    return bench.rng.choice((first, last, bench.rng.randrange(first, last + 1)))


# -------------------------------------------------------------------------------------------- does not reject


def _divide(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, b=bench.find("divisor", lambda word: word != 0))


def _check_unsigned(bench: Bench, op: int) -> Instruction:
    a = bench.find("natural", lambda word: 0 <= word < 1 << 255)
    narrowest = bench.memory[a].bit_length()
    return _any(
        bench, op, a=a, imm=_low(bench, bench.rng.choice((narrowest, bench.rng.randrange(narrowest, 256))))
    )


def _check_signed(bench: Bench, op: int) -> Instruction:
    a = bench.find("symmetric", lambda word: abs(word) < 1 << 254)
    narrowest = bench.memory[a].bit_length() + 1
    return _any(
        bench, op, a=a, imm=_low(bench, bench.rng.choice((narrowest, bench.rng.randrange(narrowest, 256))))
    )


def _jump(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, imm=bench.target())


def _return(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, a=bench.find("pc", lambda word: 0 <= word < PROGRAM_WORDS))


def _index(bench: Bench, op: int) -> Instruction:
    a = bench.find("base", lambda word: -(1 << 199) < word < MEMORY_WORDS)
    return _any(bench, op, a=a, imm=bench.index_for(a))


def _load(bench: Bench, op: int) -> Instruction:
    table = bench.rng.choice((*TABLES, bench.rng.randrange(256)))
    # LDR knows no indirect block: the bit must mean nothing to it.
    bits = bench.rng.choice((0, STORE_INDIRECT))
    return _any(bench, op, a=bench.find_row(), d=bench.block(8), imm=_low(bench, table, bits))


def _store(bench: Bench, op: int) -> Instruction:
    table = bench.rng.choice((*TABLES, bench.rng.randrange(256)))
    if bench.rng.random() < 0.4:
        d = bench.find_pointer(8)
        return _any(bench, op, a=bench.find_row(), d=d, imm=_low(bench, table, STORE_INDIRECT))
    d = bench.rng.choice((ZEROS_AT, bench.block(8), bench.block(8)))
    return _any(bench, op, a=bench.find_row(), d=d, imm=_low(bench, table))


def _read(bench: Bench, op: int) -> Instruction:
    a = bench.find("offset", lambda word: word >= 0)
    if bench.rng.random() < 0.7:
        a = bench.find("near offset", lambda word: 0 <= word < 300)
    if bench.rng.random() < 0.3:
        a = ENDS_AT + bench.rng.randrange(len(ENDS))
    return _any(
        bench, op, a=a, imm=_low(bench, bench.rng.choice((1, 8, 20, 31, 32, bench.rng.randrange(1, 33))))
    )


def _hash(bench: Bench, op: int) -> Instruction:
    size = bench.rng.choice((8, 16))
    count = _count(bench, size)
    if bench.rng.random() < 0.4:
        return _any(bench, op, a=bench.find_pointer(size), imm=_low(bench, count, HASH_INDIRECT))
    return _any(bench, op, a=bench.rng.choice((ZEROS_AT, bench.block(size))), imm=_low(bench, count))


def _recover(bench: Bench, op: int) -> Instruction:
    signature = SIGNATURES_AT + bench.rng.randrange((MEMORY_WORDS - SIGNATURES_AT) // 4) * 4
    return _any(bench, op, a=signature if bench.rng.random() < 0.95 else bench.block(4))


ORDINARY_MAKERS: Final[dict[Op, Maker]] = {
    **{op: _any for op in Op if op != Op.ILL},
    **dict.fromkeys(DIVISIONS, _divide),
    **dict.fromkeys(JUMPS, _jump),
    Op.CHKU: _check_unsigned,
    Op.CHKS: _check_signed,
    Op.RET: _return,
    Op.LDX: _index,
    Op.STX: _index,
    Op.LDR: _load,
    Op.STR: _store,
    Op.IN: _read,
    Op.KEC: _hash,
    Op.ECR: _recover,
}


# --------------------------------------------------------------------------------------------------- rejects


def _unknown(bench: Bench, _op: int) -> Instruction:
    return _any(bench, bench.rng.choice((41, 42, 63, 128, 255)))


def _large_field(bench: Bench, op: int) -> Instruction:
    """One address outside memory, whether the opcode uses it or not; else nothing is wrong."""
    instruction = ORDINARY_MAKERS[Op(op)](bench, op)
    bit = 1 << bench.rng.randrange(10, 16)
    match bench.rng.randrange(3):
        case 0:
            return instruction._replace(d=instruction.d | bit)
        case 1:
            return instruction._replace(a=instruction.a | bit)
        case _:
            return instruction._replace(b=instruction.b | bit)


def _far_target(bench: Bench, op: int) -> Instruction:
    far = (PROGRAM_WORDS, bench.target() | PROGRAM_WORDS, 1 << 40 | bench.target(), 1 << 199)
    return _any(bench, op, imm=bench.rng.choice(far))


def _far_return(bench: Bench, op: int) -> Instruction:
    a = bench.find("no pc", lambda word: not 0 <= word < PROGRAM_WORDS)
    if bench.rng.random() < 0.3:
        a = bench.find("end", lambda word: word in (PROGRAM_WORDS, PROGRAM_WORDS + 1, -1))
    return _any(bench, op, a=a)


def _divide_by_zero(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, b=bench.find("0", lambda word: word == 0))


def _narrow(bench: Bench, op: int) -> Instruction:
    """A word wider than the check allows, by one bit or by many."""
    a = bench.find("wide", lambda word: word not in (0, -1))
    word = bench.memory[a]
    narrowest = word.bit_length() + (op == Op.CHKS)  # that holds the word, if it is not negative
    widest = 255 if op == Op.CHKU and word < 0 else min(narrowest - 1, 255)
    return _any(bench, op, a=a, imm=_low(bench, bench.rng.choice((widest, bench.rng.randrange(widest + 1)))))


def _far_index(bench: Bench, op: int) -> Instruction:
    """A pointer with its offset outside memory, on either side and as near as can be."""
    if bench.rng.random() < 0.5:
        a = bench.find("negative", lambda word: word < 0)
        return _any(bench, op, a=a, imm=bench.rng.choice((0, min(-bench.memory[a] - 1, (1 << 200) - 1))))
    a = bench.find("base", lambda word: -(1 << 199) < word < MEMORY_WORDS)
    return _any(
        bench, op, a=a, imm=MEMORY_WORDS - bench.memory[a] + bench.rng.choice((0, 5, 1 << 10, 1 << 180))
    )


def _far_row(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, a=bench.find_no_row(), d=bench.block(8), imm=_low(bench, 7))


def _unaligned_record(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, a=bench.find_row(), d=bench.no_block(8), imm=_low(bench, 7))


def _store_far(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, a=bench.find_row(), d=bench.find_no_pointer(), imm=_low(bench, 7, STORE_INDIRECT))


def _store_unaligned(bench: Bench, op: int) -> Instruction:
    d = bench.find_unaligned_pointer(8)
    return _any(bench, op, a=bench.find_row(), d=d, imm=_low(bench, 7, STORE_INDIRECT))


def _read_size(bench: Bench, op: int) -> Instruction:
    a = bench.find("offset", lambda word: word >= 0)
    return _any(bench, op, a=a, imm=_low(bench, bench.rng.choice((0, 33, 64, 255))))


def _read_before(bench: Bench, op: int) -> Instruction:
    a = bench.find("negative", lambda word: word < 0)
    return _any(bench, op, a=a, imm=_low(bench, bench.rng.randrange(1, 33)))


def _hash_size(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, a=bench.block(16), imm=_low(bench, bench.rng.choice((0, 17, 32, 255))))


def _hash_unaligned(size: int, bench: Bench, op: int) -> Instruction:
    return _any(bench, op, a=bench.no_block(size), imm=_low(bench, _count(bench, size)))


def _hash_unaligned_pointer(size: int, bench: Bench, op: int) -> Instruction:
    a = bench.find_unaligned_pointer(size)
    return _any(bench, op, a=a, imm=_low(bench, _count(bench, size), HASH_INDIRECT))


def _hash_far(bench: Bench, op: int) -> Instruction:
    count = _count(bench, bench.rng.choice((8, 16)))
    return _any(bench, op, a=bench.find_no_pointer(), imm=_low(bench, count, HASH_INDIRECT))


def _recover_unaligned(bench: Bench, op: int) -> Instruction:
    return _any(bench, op, a=bench.no_block(4))


REJECTION_MAKERS: Final[dict[Cell, Maker]] = {
    (Op.ILL, "zero word"): lambda _bench, _op: Instruction(Op.ILL),
    (Op.ILL, "opcode 0 with operands"): _any,
    (Op.ILL, "unknown opcode"): _unknown,
    **{(op, "field outside memory"): _large_field for op in Op if op != Op.ILL},
    **{(op, "target outside the program"): _far_target for op in JUMPS},
    **{(op, "division by zero"): _divide_by_zero for op in DIVISIONS},
    (Op.CHKU, "width"): _narrow,
    (Op.CHKS, "width"): _narrow,
    (Op.RET, "target outside the program"): _far_return,
    (Op.LDX, "pointer outside memory"): _far_index,
    (Op.STX, "pointer outside memory"): _far_index,
    (Op.LDR, "row out of range"): _far_row,
    (Op.LDR, "unaligned block"): _unaligned_record,
    (Op.STR, "row out of range"): _far_row,
    (Op.STR, "unaligned block"): _unaligned_record,
    (Op.STR, "pointer outside memory"): _store_far,
    (Op.STR, "pointer to an unaligned block"): _store_unaligned,
    (Op.IN, "size"): _read_size,
    (Op.IN, "negative offset"): _read_before,
    (Op.KEC, "size"): _hash_size,
    (Op.KEC, "unaligned block of 8"): partial(_hash_unaligned, 8),
    (Op.KEC, "unaligned block of 16"): partial(_hash_unaligned, 16),
    (Op.KEC, "pointer to an unaligned block of 8"): partial(_hash_unaligned_pointer, 8),
    (Op.KEC, "pointer to an unaligned block of 16"): partial(_hash_unaligned_pointer, 16),
    (Op.KEC, "pointer outside memory"): _hash_far,
    (Op.ECR, "unaligned block"): _recover_unaligned,
}


# ------------------------------------------------------------------------------------------------- the cases

MAKERS: Final[dict[Cell, Maker]] = {
    **{(op, ORDINARY): maker for op, maker in ORDINARY_MAKERS.items()},
    **REJECTION_MAKERS,
}
CELLS: Final[tuple[Cell, ...]] = (*MAKERS, (Op.ILL, END))


@dataclass(frozen=True, slots=True)
class Case:
    """A machine before one step, the opcode that it is going to execute, why that rejects (or ORDINARY)."""

    op: Op
    cause: str
    instruction: bytes
    walker: Walker


def make_cases(seed: int, cells: Sequence[Cell]) -> tuple[Image, Iterator[Case]]:
    """One case for each of `cells` (at most 2**12), all on one image, memory and state."""
    bench = Bench(seed)
    program = [bytes(32)] * PROGRAM_WORDS
    places = bench.rng.sample(range(PROGRAM_WORDS), len(cells))
    places[bench.rng.randrange(len(cells))] = PROGRAM_WORDS - 1  # whose successor is no instruction
    for cell, pc in zip(cells, places, strict=True):
        if cell[1] != END:
            program[pc] = MAKERS[cell](bench, cell[0]).encode()
    image = Image(tuple(program), tuple(map(to_bytes, bench.memory)), 0)
    return image, _walk(bench, image, cells, places)


def _walk(bench: Bench, image: Image, cells: Sequence[Cell], places: list[int]) -> Iterator[Case]:
    for (op, cause), pc in zip(cells, places, strict=True):
        walker = Walker(image, bench.state, bench.records, bench.input)
        walker.core.pc = pc
        if cause == END:
            walker.core.pc = bench.rng.choice((PROGRAM_WORDS, PROGRAM_WORDS | pc, (1 << 40) - 1, 1 << 39))
        # As after a store: else nobody could tell which of the two roots a stopped machine keeps.
        walker.base_root = bench.rng.choice((bench.state.root, bench.rng.randbytes(32)))
        yield Case(op, cause, image.program[pc], walker)


# --------------------------------------------------------------------------------------- the ends of the word

GRID: Final = (0, 1, -1, 2, 254, 255, 256, WORD_MAX, WORD_MIN, WORD_MIN + 1, 1 << 254, -(1 << 254))
GRID_OPS: Final = tuple(op for op in Op if Op.MOV <= op <= Op.CHKS or op in BRANCHES)
GRID_IMMEDIATES: Final = {
    Op.MULSHR: (1, 254, 256, (1 << 200) - 1),
    Op.CHKU: (0, 1, 2, 254, 255),
    Op.CHKS: (0, 1, 2, 254, 255),
}


def make_grid() -> tuple[Image, Iterator[Case]]:
    """Every pair of the words where arithmetic breaks, under every operation and branch."""
    lines = [
        (op, Instruction(op, d=len(GRID), a=a, b=b, imm=imm))
        for op in GRID_OPS
        for imm in GRID_IMMEDIATES.get(op, (7,))
        for a in range(len(GRID))
        for b in (range(len(GRID)) if op not in (Op.MOV, Op.BITLEN, Op.CHKU, Op.CHKS) else (0,))
    ]
    image = Image(tuple(line.encode() for _, line in lines), tuple(map(to_bytes, GRID)), 0)
    state = build_state_tree({})

    def walk() -> Iterator[Case]:
        for pc, (op, line) in enumerate(lines):
            walker = Walker(image, state, {}, b"")
            walker.core.pc = pc
            yield Case(op, "grid", line.encode(), walker)

    return image, walk()

"""Real states with an edit: what no compiled program does, on the states that compiled programs are in.

For each cause of rejection that the compiler leaves no way to, one edit of the instruction that is about to
be executed, of a word of memory that it reads, or of the program counter. All else stays as it was.
"""

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from optimist.vm.image import Image
from optimist.vm.isa import (
    HASH_INDIRECT,
    LOW_BYTE,
    MEMORY_WORDS,
    OPCODES,
    PROGRAM_WORDS,
    STORE_INDIRECT,
    Instruction,
    Op,
)
from optimist.vm.rare import Core
from optimist.vm.records import ROWS
from optimist.vm.walker import Walker
from optimist.vm.word import WORD_MAX, WORD_MIN, to_bytes
from tests.support.machine_cases import END, JUMPS, Cell

FAR_WORDS: Final = (MEMORY_WORDS, MEMORY_WORDS + 8, 1 << 64, WORD_MAX, -1, -8, WORD_MIN)
Words = dict[int, int]  # address -> word
Edited = tuple[Instruction, Words]
Edit = Callable[[random.Random, Instruction], Edited]


# ----------------------------------------------------------------------------------------- edits of one field


def _no_opcode(rng: random.Random, line: Instruction) -> Edited:
    return line._replace(op=rng.randrange(OPCODES, 256)), {}


def _field(rng: random.Random, line: Instruction) -> Edited:
    name = rng.choice("dab")
    return line._replace(**{name: getattr(line, name) | 1 << rng.randrange(10, 16)}), {}


def _target(rng: random.Random, line: Instruction) -> Edited:
    return line._replace(imm=line.imm | 1 << rng.choice((12, 13, 40, 64, 199))), {}


def _inside(name: str, size: int, rng: random.Random, line: Instruction) -> Edited:
    """An address inside a block, not at its beginning."""
    start = getattr(line, name) // size * size
    return line._replace(**{name: start + rng.randrange(1, size)}), {}


def _low_byte(values: tuple[int, ...], rng: random.Random, line: Instruction) -> Edited:
    return line._replace(imm=line.imm & ~LOW_BYTE | rng.choice(values)), {}


# ----------------------------------------------------------------------------------- edits of an operand word


def _word(values: tuple[int, ...], rng: random.Random, line: Instruction) -> Edited:
    return line, {line.a: rng.choice(values)}


def _index(rng: random.Random, line: Instruction) -> Edited:
    """The pointer, so that with its offset it points outside memory, as near as can be."""
    return line, {line.a: rng.choice((-line.imm - 1, MEMORY_WORDS - line.imm, WORD_MIN, WORD_MAX))}


def _store_pointer(words: tuple[int, ...], rng: random.Random, line: Instruction) -> Edited:
    """The record's pointer. The row keeps its word, so they must be two words."""
    d = line.d if line.d != line.a else line.d ^ 1
    return line._replace(d=d, imm=line.imm | STORE_INDIRECT), {d: rng.choice(words)}


def _hash(
    size: int, pointer: Callable[[random.Random], int] | None, rng: random.Random, line: Instruction
) -> Edited:
    """A hash of as many words as a block of `size` is needed for, at an address or behind a pointer."""
    count = rng.randrange(1, 9) if size == 8 else rng.randrange(9, 17)
    imm = line.imm & ~LOW_BYTE & ~HASH_INDIRECT | count
    if pointer is None:
        return _inside("a", size, rng, line._replace(imm=imm))
    return line._replace(imm=imm | HASH_INDIRECT), {line.a: pointer(rng)}


def _into_block(size: int, rng: random.Random) -> int:
    return rng.randrange(0, MEMORY_WORDS, size) + rng.randrange(1, size)


def _far(rng: random.Random) -> int:
    return rng.choice(FAR_WORDS)


_NO_ROWS: Final = (-1, ROWS, ROWS + 3, WORD_MIN, WORD_MAX)
_NO_TARGETS: Final = (PROGRAM_WORDS, PROGRAM_WORDS + 1, -1, 1 << 40, WORD_MIN, WORD_MAX)
_INSIDE_BLOCKS: Final = tuple(at for at in range(MEMORY_WORDS) if at % 8)

EDITS: Final[dict[Cell, Edit]] = {
    (Op.ILL, "zero word"): lambda _rng, _line: (Instruction(0), {}),
    (Op.ILL, "opcode 0 with operands"): lambda _rng, line: (line._replace(op=0, imm=line.imm | 1), {}),
    (Op.ILL, "unknown opcode"): _no_opcode,
    (Op.ILL, END): lambda _rng, line: (line, {}),  # the program counter is edited, see `tamper`
    **{(op, "field outside memory"): _field for op in Op if op != Op.ILL},
    **{(op, "target outside the program"): _target for op in JUMPS},
    (Op.RET, "target outside the program"): partial(_word, _NO_TARGETS),
    (Op.LDX, "pointer outside memory"): _index,
    (Op.STX, "pointer outside memory"): _index,
    (Op.LDR, "row out of range"): partial(_word, _NO_ROWS),
    (Op.STR, "row out of range"): partial(_word, _NO_ROWS),
    (Op.LDR, "unaligned block"): partial(_inside, "d", 8),
    (Op.STR, "unaligned block"): lambda rng, line: _inside(
        "d", 8, rng, line._replace(imm=line.imm & ~STORE_INDIRECT)
    ),
    (Op.STR, "pointer outside memory"): partial(_store_pointer, FAR_WORDS),
    (Op.STR, "pointer to an unaligned block"): partial(_store_pointer, _INSIDE_BLOCKS),
    (Op.IN, "size"): partial(_low_byte, (0, 33, 64, 255)),
    (Op.IN, "negative offset"): partial(_word, (-1, -32, WORD_MIN)),
    (Op.KEC, "size"): partial(_low_byte, (0, 17, 32, 255)),
    (Op.KEC, "unaligned block of 8"): partial(_hash, 8, None),
    (Op.KEC, "unaligned block of 16"): partial(_hash, 16, None),
    (Op.KEC, "pointer to an unaligned block of 8"): partial(_hash, 8, partial(_into_block, 8)),
    (Op.KEC, "pointer to an unaligned block of 16"): partial(_hash, 16, partial(_into_block, 16)),
    (Op.KEC, "pointer outside memory"): lambda rng, line: _hash(rng.choice((8, 16)), _far, rng, line),
    (Op.ECR, "unaligned block"): partial(_inside, "a", 4),
}


# --------------------------------------------------------------------------------------- programs and states


@dataclass(frozen=True, eq=False)
class TamperedProgram:
    """An image in which every instruction that a cause can befall is edited to reject for it."""

    cell: Cell
    image: Image
    words: dict[int, Words] = field(default_factory=dict)  # pc -> words that are edited with it


def tamper_program(image: Image, cell: Cell, seed: int) -> TamperedProgram:
    """Edit all instructions of the cell's opcode, or all there are when any will do."""
    rng = random.Random(f"{cell} {seed}")
    op, cause = cell
    program, words = list(image.program), {}
    for pc, encoded in enumerate(program):
        line = Instruction.decode(encoded)
        if op in (line.op, Op.ILL) and cause != END:
            edited, words[pc] = EDITS[cell](rng, line)
            program[pc] = edited.encode()
    return TamperedProgram(cell, Image(tuple(program), image.memory, image.entry), words)


def tamper(walker: Walker, program: TamperedProgram, seed: int) -> Walker:
    """A copy of the machine, about to execute the edited instruction on the edited words."""
    twin = copy.copy(walker)
    old = walker.core
    twin.core = Core(old.memory.copy(), old.pc, old.records, old.input)
    twin.core.writes, twin.core.steps = old.writes.copy(), old.steps
    twin.memory, twin.state = walker.memory.copy(), walker.state.copy()
    twin.image = program.image
    for address, word in program.words.get(old.pc, {}).items():
        twin.core.memory[address] = word
        twin.memory.set(address, to_bytes(word))
    if program.cell[1] == END:
        twin.core.pc |= 1 << random.Random(seed).randrange(12, 40)
    return twin

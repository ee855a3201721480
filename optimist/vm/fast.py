"""Many steps, no witness: the same machine as `step.py`, millions of steps a second.

A plain loop over decoded instructions on a list of words. The frequent opcodes are arms of the loop, sorted
by how often the law executes them; the others are functions in `rare.py`. Nothing is hashed except what the
program asks for.
"""

from collections.abc import Mapping, MutableSequence
from dataclasses import dataclass, field
from typing import Final

from optimist.vm.decode import Decoded
from optimist.vm.image import Image
from optimist.vm.isa import (
    CHECK_CODE_SHIFT,
    LOW_BYTE,
    PROGRAM_WORDS,
    REJECT_ADDRESS,
    REJECT_DIVISION,
    REJECT_WIDTH,
    Op,
)
from optimist.vm.rare import CONTINUE, HALT, RARE, Core, Signatures
from optimist.vm.word import WORD_MAX, WORD_MIN, wrap

# The most steps of one input: k**h2 of the dispute game. The compiler keeps the law far below it.
STEP_LIMIT: Final = 8**6

# Opcodes as plain integers: looking up a member of an enumeration costs more than executing an addition.
ADD, SUB, MUL, DIV, CDIV, MULSHR = (int(op) for op in (Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.CDIV, Op.MULSHR))
MOV, CHKU, CHKS, CALL, RET = (int(op) for op in (Op.MOV, Op.CHKU, Op.CHKS, Op.CALL, Op.RET))
JMP, BEQ, BNE, BLT, BLE = (int(op) for op in (Op.JMP, Op.BEQ, Op.BNE, Op.BLT, Op.BLE))


class StepLimitExceeded(Exception):
    """The program did not stop within the limit. Cannot happen to a compiled law: its bound is proven."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What one input did. `code` is 0 unless rejected; `writes`: 256-byte records by key, none if rejected.

    A record of zeros in `writes` is a deleted one.
    """

    rejected: bool
    code: int
    steps: int
    writes: dict[int, bytes] = field(default_factory=dict)


def run(
    image: Image,
    records: Mapping[int, bytes],
    input: bytes,
    *,
    coverage: MutableSequence[int] | None = None,
    signatures: Signatures | None = None,
    step_limit: int = STEP_LIMIT,
) -> Execution:
    """Run one input on `records` (256 bytes each, by key), which stay as they are.

    `coverage[pc]` is increased for every instruction executed (and makes the run several times slower);
    `signatures` holds recoveries that are known already. Raises StepLimitExceeded.
    """
    core = Core(image.words.copy(), image.entry, records, input, signatures)
    if coverage is None:
        advance(core, image.instructions, step_limit)
    else:
        while core.result == CONTINUE and core.steps < step_limit:
            if core.pc < PROGRAM_WORDS:
                coverage[core.pc] += 1
            advance(core, image.instructions, 1)
    if core.result == CONTINUE:
        raise StepLimitExceeded(f"not stopped after {core.steps} steps, at pc {core.pc}")
    return get_execution(core)


def get_execution(core: Core) -> Execution:
    """What a machine that has stopped did."""
    if core.result == HALT:
        return Execution(False, 0, core.steps, core.writes)
    return Execution(True, core.result, core.steps)


def advance(  # noqa: PLR0915 (one loop: a call a step would halve its speed)
    core: Core, program: list[Decoded], limit: int
) -> None:
    """Execute at most `limit` steps, until the machine stops. One that has stopped stays as it is."""
    if core.result != CONTINUE:
        return
    memory = core.memory
    pc = core.pc
    result = CONTINUE
    count = 0
    pc = min(pc, PROGRAM_WORDS)  # only an edited machine can stand behind the end
    for count in range(1, limit + 1):  # noqa: B007 (the count outlives the loop)
        op, d, a, b, imm = program[pc]
        pc += 1
        if op == ADD:
            value = memory[a] + memory[b]
            memory[d] = value if WORD_MIN <= value <= WORD_MAX else wrap(value)
        elif op == MUL:
            value = memory[a] * memory[b]
            memory[d] = value if WORD_MIN <= value <= WORD_MAX else wrap(value)
        elif op == CHKU:
            value = memory[a]
            if value >> (imm & LOW_BYTE) != 0:
                result = imm >> CHECK_CODE_SHIFT or REJECT_WIDTH
                break
            memory[d] = value
        elif op == CHKS:
            value = memory[a]
            if abs(value) >= 1 << (imm & LOW_BYTE) >> 1:
                result = imm >> CHECK_CODE_SHIFT or REJECT_WIDTH
                break
            memory[d] = value
        elif op == CDIV:
            if memory[b] == 0:
                result = REJECT_DIVISION
                break
            memory[d] = wrap(-(-memory[a] // memory[b]))
        elif op == SUB:
            value = memory[a] - memory[b]
            memory[d] = value if WORD_MIN <= value <= WORD_MAX else wrap(value)
        elif op == DIV:
            if memory[b] == 0:
                result = REJECT_DIVISION
                break
            value = memory[a] // memory[b]
            memory[d] = value if value <= WORD_MAX else wrap(value)
        elif op == MOV:
            memory[d] = memory[a]
        elif op == BLT:
            if memory[a] < memory[b]:
                pc = imm
        elif op == BLE:
            if memory[a] <= memory[b]:
                pc = imm
        elif op == BEQ:
            if memory[a] == memory[b]:
                pc = imm
        elif op == BNE:
            if memory[a] != memory[b]:
                pc = imm
        elif op == MULSHR:
            memory[d] = wrap(memory[a] * memory[b]) >> (imm if imm < 256 else 255)
        elif op == JMP:
            pc = imm
        elif op == CALL:
            memory[d] = pc
            pc = imm
        elif op == RET:
            value = memory[a]
            if not 0 <= value < PROGRAM_WORDS:
                result = REJECT_ADDRESS
                break
            pc = value
        else:
            result = RARE[op](core, d, a, b, imm)
            if result != CONTINUE:
                break
    core.pc = pc
    core.result = result
    core.steps += count

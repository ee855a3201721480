"""MOV, arithmetic, bits, comparisons and checks: m[d] = f(m[a], m[b], imm). Mirror of `Alu.sol`."""

from optimist.vm.families.outcome import Outcome
from optimist.vm.isa import LOW_BYTE, Instruction, Op
from optimist.vm.state import Machine
from optimist.vm.witness import Witness
from optimist.vm.word import wrap


def execute(instruction: Instruction, machine: Machine, witness: Witness) -> Outcome:
    """Read a and, for a binary operation, b; check; write d."""
    op = instruction.op
    a = witness.read_word(machine, instruction.a)
    b = witness.read_word(machine, instruction.b) if is_binary(op) else 0

    if op in (Op.DIV, Op.CDIV, Op.MOD) and b == 0:
        return Outcome.REJECTED
    if op in (Op.CHKU, Op.CHKS) and not is_in_width(op, a, instruction.imm & LOW_BYTE):
        return Outcome.REJECTED

    witness.write_word(machine, instruction.d, compute(op, a, b, instruction.imm))
    machine.pc += 1
    return Outcome.CONTINUES


def is_binary(op: int) -> bool:
    """True when the operation reads b."""
    return op not in (Op.MOV, Op.BITLEN, Op.CHKU, Op.CHKS)


def is_in_width(op: int, value: int, width: int) -> bool:
    """CHKU: 0 <= value < 2**width. CHKS: abs(value) < 2**(width - 1); nothing fits a signed width of 0."""
    if op == Op.CHKU:
        return 0 <= value < 1 << width
    return abs(value) < (1 << width) >> 1


def compute(op: int, a: int, b: int, imm: int) -> int:
    """The word that goes to d. For DIV, CDIV and MOD b is not 0."""
    match op:
        case Op.ADD:
            return wrap(a + b)
        case Op.SUB:
            return wrap(a - b)
        case Op.MUL:
            return wrap(a * b)
        case Op.DIV:
            return wrap(a // b)
        case Op.CDIV:
            return wrap(-(-a // b))
        case Op.MOD:
            return a % b
        case Op.MULSHR:
            return shift_right(wrap(a * b), imm)
        case Op.AND:
            return a & b
        case Op.OR:
            return a | b
        case Op.XOR:
            return a ^ b
        case Op.SHL:
            return wrap(a << b) if 0 <= b < 256 else 0
        case Op.SHR:
            return shift_right(a, b)
        case Op.MIN:
            return min(a, b)
        case Op.MAX:
            return max(a, b)
        case Op.LT:
            return int(a < b)
        case Op.LE:
            return int(a <= b)
        case Op.EQ:
            return int(a == b)
        case Op.NE:
            return int(a != b)
        case Op.BITLEN:
            return abs(a).bit_length()
        case _:  # MOV, CHKU, CHKS
            return a


def shift_right(value: int, count: int) -> int:
    """Arithmetic shift, rounding down; a count outside 0..255 leaves nothing but the sign."""
    return value >> count if 0 <= count < 256 else value >> 255

"""HALT, REJ, jumps, branches, CALL and RET. Mirror of `Control.sol`."""

from optimist.vm.families.outcome import Outcome
from optimist.vm.isa import PROGRAM_DEPTH, Instruction, Op
from optimist.vm.state import Machine
from optimist.vm.witness import Witness


def execute(instruction: Instruction, machine: Machine, witness: Witness) -> Outcome:
    """Read what decides, check the target, move pc."""
    op = instruction.op
    if op == Op.HALT:
        return Outcome.HALTED
    if op == Op.REJ:
        return Outcome.REJECTED
    if op == Op.RET:
        return execute_return(instruction, machine, witness)

    # A target outside the program is illegal whether the branch is taken or not.
    target = instruction.imm
    if target >> PROGRAM_DEPTH != 0:
        return Outcome.REJECTED
    if op == Op.JMP:
        machine.pc = target
    elif op == Op.CALL:
        witness.write_word(machine, instruction.d, machine.pc + 1)
        machine.pc = target
    else:
        a = witness.read_word(machine, instruction.a)
        b = witness.read_word(machine, instruction.b)
        machine.pc = target if is_taken(op, a, b) else machine.pc + 1
    return Outcome.CONTINUES


def execute_return(instruction: Instruction, machine: Machine, witness: Witness) -> Outcome:
    """RET: pc = m[a], when that lies in the program."""
    target = witness.read_word(machine, instruction.a)
    if target < 0 or target >> PROGRAM_DEPTH != 0:
        return Outcome.REJECTED
    machine.pc = target
    return Outcome.CONTINUES


def is_taken(op: int, a: int, b: int) -> bool:
    """True when the branch goes to its target."""
    match op:
        case Op.BEQ:
            return a == b
        case Op.BNE:
            return a != b
        case Op.BLT:
            return a < b
        case _:  # BLE
            return a <= b

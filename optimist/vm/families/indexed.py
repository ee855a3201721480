"""LDX and STX: words of memory behind a pointer. Mirror of `Indexed.sol`."""

from optimist.vm.families.outcome import Outcome
from optimist.vm.isa import MEMORY_DEPTH, Instruction, Op
from optimist.vm.state import Machine
from optimist.vm.witness import Witness


def execute(instruction: Instruction, machine: Machine, witness: Witness) -> Outcome:
    """Read the pointer, check it, read and write. STX may overwrite its own pointer: it was read before."""
    index = witness.read_word(machine, instruction.a) + instruction.imm
    if index < 0 or index >> MEMORY_DEPTH != 0:
        return Outcome.REJECTED

    if instruction.op == Op.LDX:
        witness.write_word(machine, instruction.d, witness.read_word(machine, index))
    else:
        witness.write_word(machine, index, witness.read_word(machine, instruction.d))
    machine.pc += 1
    return Outcome.CONTINUES

"""LDR and STR: records of the state to and from aligned blocks of memory. Mirror of `Access.sol`."""

from optimist.vm.families.outcome import Outcome
from optimist.vm.isa import LOW_BYTE, MEMORY_DEPTH, RECORD_WORDS, ROW_BITS, STORE_INDIRECT, Instruction, Op
from optimist.vm.state import Machine
from optimist.vm.witness import Witness


def execute(instruction: Instruction, machine: Machine, witness: Witness) -> Outcome:
    """Read and check the row, find the block, move the record."""
    row = witness.read_word(machine, instruction.a)
    if row < 0 or row >> ROW_BITS != 0:
        return Outcome.REJECTED
    key = (instruction.imm & LOW_BYTE) << ROW_BITS | row

    block = instruction.d
    if instruction.op == Op.STR and instruction.imm & STORE_INDIRECT:
        block = witness.read_word(machine, instruction.d)
    if not is_record_block(block):
        return Outcome.REJECTED

    if instruction.op == Op.LDR:
        witness.write_block(machine, block, witness.read_record(machine, key))
    else:
        witness.write_record(machine, key, witness.read_block(machine, block, RECORD_WORDS))
    machine.pc += 1
    return Outcome.CONTINUES


def is_record_block(index: int) -> bool:
    """True for the address of an aligned block of eight words."""
    return 0 <= index < 1 << MEMORY_DEPTH and index % RECORD_WORDS == 0

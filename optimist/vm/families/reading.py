"""IN and INLEN: the bytes of the input. Mirror of `Reading.sol`."""

from optimist.vm.families.outcome import Outcome
from optimist.vm.isa import INPUT_BYTES, LOW_BYTE, Instruction, Op
from optimist.vm.state import Machine
from optimist.vm.witness import Witness
from optimist.vm.word import wrap


def execute(instruction: Instruction, machine: Machine, witness: Witness) -> Outcome:
    """Check size and offset, read the input, write d."""
    if instruction.op == Op.INLEN:
        value = len(witness.read_input(machine))
    else:
        size = instruction.imm & LOW_BYTE
        if not 1 <= size <= INPUT_BYTES:
            return Outcome.REJECTED
        offset = witness.read_word(machine, instruction.a)
        if offset < 0:
            return Outcome.REJECTED
        value = compute_field(witness.read_input(machine), offset, size)

    witness.write_word(machine, instruction.d, value)
    machine.pc += 1
    return Outcome.CONTINUES


def compute_field(data: bytes, offset: int, size: int) -> int:
    """`size` bytes of `data` from `offset` as a word, big-endian; bytes past the end are zero."""
    field = data[offset : offset + size].ljust(size, b"\0")
    return wrap(int.from_bytes(field, "big"))

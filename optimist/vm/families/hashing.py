"""KEC, D712 and ECR: hashes and signatures. Mirror of `Hashing.sol`."""

from optimist.base.keccak import keccak
from optimist.base.signature import recover
from optimist.vm.families.outcome import Outcome
from optimist.vm.isa import (
    HASH_INDIRECT,
    HASH_WORDS,
    LOW_BYTE,
    MEMORY_DEPTH,
    RECORD_WORDS,
    SIGNATURE_WORDS,
    Instruction,
    Op,
)
from optimist.vm.state import Machine
from optimist.vm.witness import Witness
from optimist.vm.word import WORD_BYTES, from_bytes, to_bytes


def execute(instruction: Instruction, machine: Machine, witness: Witness) -> Outcome:
    """Check the block, read what is hashed or signed, write d."""
    if instruction.op == Op.KEC:
        return execute_hash(instruction, machine, witness)
    if instruction.op == Op.D712:
        a = witness.read_word(machine, instruction.a)
        b = witness.read_word(machine, instruction.b)
        value = from_bytes(keccak(b"\x19\x01" + to_bytes(a) + to_bytes(b)))
    else:
        if not is_block(instruction.a, SIGNATURE_WORDS):
            return Outcome.REJECTED
        value = compute_signer(witness.read_block(machine, instruction.a, SIGNATURE_WORDS))

    witness.write_word(machine, instruction.d, value)
    machine.pc += 1
    return Outcome.CONTINUES


def execute_hash(instruction: Instruction, machine: Machine, witness: Witness) -> Outcome:
    """KEC: the untagged hash of the first n words of a block; the proof holds the whole block."""
    count = instruction.imm & LOW_BYTE
    if not 1 <= count <= HASH_WORDS:
        return Outcome.REJECTED
    size = RECORD_WORDS if count <= RECORD_WORDS else HASH_WORDS

    block = instruction.a
    if instruction.imm & HASH_INDIRECT:
        block = witness.read_word(machine, instruction.a)
    if not is_block(block, size):
        return Outcome.REJECTED

    words = witness.read_block(machine, block, size)
    witness.write_word(machine, instruction.d, from_bytes(keccak(words[: count * WORD_BYTES])))
    machine.pc += 1
    return Outcome.CONTINUES


def compute_signer(block: bytes) -> int:
    """Address that signed, of digest, v, r, s; 0 unless v is 27 or 28, s is low and a key recovers."""
    digest, v, r, s = (block[i : i + WORD_BYTES] for i in range(0, len(block), WORD_BYTES))
    return recover(digest, int.from_bytes(v, "big"), int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def is_block(index: int, size: int) -> bool:
    """True for the address of an aligned block of `size` words."""
    return 0 <= index < 1 << MEMORY_DEPTH and index % size == 0

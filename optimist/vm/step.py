"""One step of the machine, checked against its proof. Mirror of `solidity/src/vm/Step.sol`.

    proof = preimage of the state before | witness

The step is total: whatever state is behind `pre`, there is exactly one state after it. A bad opcode,
address or divisor stops the machine with the base root; only a proof that is not the truth is refused. Slow
on purpose; `fast.py` runs many steps, and tests hold the two and the contract equal.
"""

from optimist.base.keccak import keccak
from optimist.base.tags import FINAL, MACHINE
from optimist.vm.families import access, alu, control, hashing, indexed, reading
from optimist.vm.families.outcome import Outcome
from optimist.vm.isa import MEMORY_DEPTH, OPCODES, PROGRAM_DEPTH, Instruction, Op
from optimist.vm.state import FINAL_BYTES, MACHINE_BYTES, Machine, compute_final_state
from optimist.vm.witness import FalseWitness, ProofReader, Witness


def step(pre: bytes, proof: bytes, program_root: bytes) -> bytes:
    """Hash of the state after the state with hash `pre`. Raises FalseWitness where the contract reverts."""
    witness = ProofReader(proof, program_root)
    preimage = take_preimage(pre, proof, witness)
    if preimage[0] == FINAL:
        post = pre
    else:
        post = execute(Machine.decode(preimage), witness)
    witness.finish()
    return post


def take_preimage(pre: bytes, proof: bytes, witness: ProofReader) -> bytes:
    """The preimage of `pre` at the beginning of the proof, of a length that its tag decides."""
    tag = proof[0] if proof else None
    if tag not in (MACHINE, FINAL):
        raise FalseWitness(f"the proof begins with tag {tag}, not with a state of the machine")
    preimage = witness.take(MACHINE_BYTES if tag == MACHINE else FINAL_BYTES)
    if keccak(preimage) != pre:
        raise FalseWitness(f"the proof begins with state {keccak(preimage).hex()}, not {pre.hex()}")
    return preimage


def execute(machine: Machine, witness: Witness) -> bytes:
    """Execute one instruction of a running machine; hash of the state after it."""
    match dispatch(machine, witness):
        case Outcome.CONTINUES:
            return machine.compute_hash()
        case Outcome.HALTED:
            return compute_final_state(machine.state_root)
        case Outcome.REJECTED:
            return compute_final_state(machine.base_root)


def dispatch(machine: Machine, witness: Witness) -> Outcome:
    """Fetch and check the instruction, then hand it to its family."""
    # The program ends at 2**PROGRAM_DEPTH; a machine that walked off it rejects, with no instruction to show.
    if machine.pc >> PROGRAM_DEPTH != 0:
        return Outcome.REJECTED
    instruction = Instruction.decode(witness.fetch_instruction(machine))
    if not is_legal(instruction):
        return Outcome.REJECTED

    op = instruction.op
    if op <= Op.REJ:
        return control.execute(instruction, machine, witness)
    if op <= Op.CHKS:
        return alu.execute(instruction, machine, witness)
    if op <= Op.RET:
        return control.execute(instruction, machine, witness)
    if op <= Op.STX:
        return indexed.execute(instruction, machine, witness)
    if op <= Op.STR:
        return access.execute(instruction, machine, witness)
    if op <= Op.INLEN:
        return reading.execute(instruction, machine, witness)
    return hashing.execute(instruction, machine, witness)


def is_legal(instruction: Instruction) -> bool:
    """True when the opcode is known and every address, used or not, lies in memory."""
    if instruction.op == Op.ILL or instruction.op >= OPCODES:
        return False
    return (instruction.d | instruction.a | instruction.b) >> MEMORY_DEPTH == 0

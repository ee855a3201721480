"""Only the truth is a proof: whatever is changed in one, both the slow step and the contract refuse it."""

import random
from collections.abc import Callable

import pytest

from optimist.vm.isa import MEMORY_DEPTH, PROGRAM_DEPTH, RECORD_WORDS, Op
from optimist.vm.state import MACHINE_BYTES
from optimist.vm.step import step
from optimist.vm.witness import FalseWitness
from tests.support.false_proofs import find_selector, flip, spoil_proof
from tests.support.machine_cases import CELLS, ORDINARY, make_cases
from tests.support.machine_faces import replayable
from tests.support.step_contract import Reverted, StepContract


def refuse(pre: bytes, proof: bytes, program_root: bytes, contract: StepContract) -> None:
    """Both faces refuse the proof, for the same reason."""
    with pytest.raises(FalseWitness) as slow:
        step(pre, proof, program_root)
    with pytest.raises(Reverted) as shown:
        contract.step(pre, proof)
    assert find_selector(slow.value) == shown.value.selector, str(slow.value)


@pytest.mark.parametrize("op", list(Op), ids=lambda op: op.name)
def test_spoilt_proof_is_refused_by_step_and_contract(
    op: Op, count_steps: Callable[[str, int], None]
) -> None:
    rng = random.Random(op)
    image, cases = make_cases(50_000 + op, [cell for cell in CELLS if cell[0] == op])
    contract = StepContract(image)
    refused = 0
    for case in cases:
        pre, proof = case.walker.compute_hash(), case.walker.prove()
        for what, spoilt in spoil_proof(proof, rng):
            with replayable(f"{case.op.name} {case.cause}: {what}: step(0x{pre.hex()}, 0x{spoilt.hex()})"):
                refuse(pre, spoilt, image.program_root, contract)
            refused += 1
    assert refused >= 20
    count_steps("false proofs refused", refused)


def test_spoilt_proof_of_a_stopped_machine_is_refused() -> None:
    image, cases = make_cases(60_000, [(Op.HALT, ORDINARY), (Op.ILL, "zero word")])
    contract = StepContract(image)
    for case in cases:
        case.walker.advance()
        pre, proof = case.walker.compute_hash(), case.walker.prove()
        assert contract.step(pre, proof) == step(pre, proof, image.program_root) == pre
        for _, spoilt in spoil_proof(proof, random.Random(1)):
            refuse(pre, spoilt, image.program_root, contract)


def test_proof_of_another_state_is_refused() -> None:
    image, cases = make_cases(60_001, [(Op.ADD, ORDINARY)] * 2)
    contract = StepContract(image)
    first, second = cases
    refuse(first.walker.compute_hash(), second.walker.prove(), image.program_root, contract)


def test_proof_for_another_program_is_refused() -> None:
    _, cases = make_cases(60_002, [(Op.ADD, ORDINARY)])
    other, _ = make_cases(60_003, [(Op.SUB, ORDINARY)])
    walker = next(cases).walker
    refuse(walker.compute_hash(), walker.prove(), other.program_root, StepContract(other))


@pytest.mark.parametrize("bit", range(48))
def test_mask_of_a_records_siblings_means_one_path_only(bit: int) -> None:
    image, cases = make_cases(60_004, [(Op.LDR, ORDINARY)] * 8)
    contract = StepContract(image)
    mask_at = MACHINE_BYTES + 32 * (1 + PROGRAM_DEPTH) + 32 * (1 + MEMORY_DEPTH) + 32 * RECORD_WORDS
    for case in cases:
        proof = case.walker.prove()
        spoilt = flip(proof, mask_at + 5 - bit // 8, 1 << bit % 8)
        refuse(case.walker.compute_hash(), spoilt, image.program_root, contract)

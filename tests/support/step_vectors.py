"""Steps as data: `python -m tests.support.step_vectors` writes `tests/vectors/steps.json`, for all faces.

One step for each opcode and each cause of rejection, all on one image, a step off the end and one of a
stopped machine; then proofs that must be refused, with the error. Columns, because forge reads arrays of
one type.
"""

import json
import random
from pathlib import Path
from typing import Any, Final

from optimist.base.keccak import keccak
from optimist.vm.isa import Op
from optimist.vm.state import compute_initial_state, compute_input_hash
from optimist.vm.step import step
from tests.support.false_proofs import spoil_proof
from tests.support.machine_cases import CELLS, ORDINARY, make_cases
from tests.support.step_contract import Reverted, StepContract

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "steps.json"
SEED: Final = 8
REFUSED_OPS: Final = (Op.LDR, Op.IN, Op.JMP)  # between them they ask for everything that a proof can hold


def build_vectors() -> dict[str, Any]:
    """The vectors, each checked against the contract."""
    image, cases = make_cases(SEED, CELLS)
    contract = StepContract(image)
    steps: dict[str, list[str]] = {"name": [], "pre": [], "proof": [], "post": []}
    refused: dict[str, list[str]] = {"name": [], "pre": [], "proof": [], "error": []}
    rng = random.Random(SEED)
    for case in cases:
        pre, proof = case.walker.compute_hash(), case.walker.prove()
        post = step(pre, proof, image.program_root)
        _append(steps, f"{case.op.name} {case.cause}", pre, proof, post)
        if case.cause == ORDINARY and case.op in REFUSED_OPS:
            for what, spoilt in spoil_proof(proof, rng):
                if not what.startswith("byte ") or rng.random() < 0.1:
                    _append(
                        refused, f"{case.op.name}: {what}", pre, spoilt, _get_error(contract, pre, spoilt)
                    )
        if case.op == Op.HALT and case.cause == ORDINARY:
            case.walker.advance()
            _append(
                steps, "stopped", case.walker.compute_hash(), case.walker.prove(), case.walker.compute_hash()
            )
    state_root, input_hash = keccak(b"state"), compute_input_hash(b"input")
    return {
        "image": {
            "programRoot": _hex(image.program_root),
            "memoryRoot": _hex(image.memory_root),
            "entry": image.entry,
            "root": _hex(image.root),
        },
        "initial": {
            "stateRoot": _hex(state_root),
            "inputHash": _hex(input_hash),
            "state": _hex(compute_initial_state(image, state_root, input_hash)),
        },
        "steps": steps,
        "refused": refused,
    }


def render(vectors: dict[str, Any]) -> str:
    """The vectors as text."""
    return json.dumps(vectors, indent=1) + "\n"


def _get_error(contract: StepContract, pre: bytes, proof: bytes) -> bytes:
    try:
        contract.step(pre, proof)
    except Reverted as reverted:
        return reverted.selector
    raise AssertionError("a false proof was accepted")


def _append(columns: dict[str, list[str]], name: str, *values: bytes) -> None:
    for column, value in zip(columns.values(), (name, *map(_hex, values)), strict=True):
        column.append(value)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


if __name__ == "__main__":
    VECTORS.parent.mkdir(exist_ok=True)
    VECTORS.write_text(render(build_vectors()))

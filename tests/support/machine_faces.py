"""The faces of the machine, asked the same question."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from optimist.vm.image import Image
from optimist.vm.step import step
from optimist.vm.walker import Walker
from optimist.vm.witness import FalseWitness
from tests.support.step_contract import Reverted, StepContract


@dataclass(frozen=True, slots=True)
class Stepped:
    """One step on which all faces agree. `code`: CONTINUE, HALT (`vm/rare.py`) or that of a rejection."""

    pre: bytes
    proof: bytes
    post: bytes
    code: int


@contextmanager
def replayable(line: str) -> Iterator[None]:
    """Add to a failure the line that repeats it."""
    try:
        yield
    except (AssertionError, FalseWitness, Reverted) as error:
        error.add_note(f"replay: {line}")
        raise


def step_everywhere(image: Image, contract: StepContract, walker: Walker) -> Stepped:
    """Move `walker` by one step of the fast machine; the slow step and the contract must follow."""
    pre = walker.compute_hash()
    proof = walker.prove()
    walker.advance()
    post = walker.compute_hash()
    with replayable(f"step(0x{pre.hex()}, 0x{proof.hex()}) -> 0x{post.hex()} by fast.py"):
        assert step(pre, proof, image.program_root) == post, "step.py differs from fast.py"
        assert contract.step(pre, proof) == post, "Step.sol differs from fast.py"
    return Stepped(pre, proof, post, walker.core.result)

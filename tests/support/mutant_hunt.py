"""Runs mutants of the step against a reduced parity set, until one answer gives them away."""

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType
from typing import Any, Final

from devnet.compile import REPOSITORY, compile_contracts, read_sources
from optimist.base.keccak import keccak
from optimist.vm.image import Image
from optimist.vm.state import compute_initial_state
from optimist.vm.step import step
from optimist.vm.witness import FalseWitness
from tests.support.false_proofs import find_selector, spoil_proof
from tests.support.machine_cases import CELLS, Case, make_cases, make_grid
from tests.support.step_contract import Reverted, StepContract
from tests.support.step_mutants import Mutant

SEEDS: Final = (1, 2, 3)
CASES_PER_CELL: Final = 6

Face = Callable[[bytes, bytes], bytes]  # (before, proof) -> state after, or the error

COPY: Final = "mutant_vm"  # package of the copy
# The modules of the slow step in the order in which they need one another.
MODULES: Final = (
    *(
        "records",
        "state",
        "witness",
        "families.outcome",
        "families.alu",
        "families.control",
        "families.indexed",
    ),
    *("families.access", "families.reading", "families.hashing", "step"),
)


@dataclass(frozen=True, slots=True)
class ParitySet:
    """Steps and false proofs on one image."""

    image: Image
    steps: list[tuple[bytes, bytes, bytes]]  # before, proof, after
    refused: list[tuple[bytes, bytes, bytes]]  # before, false proof, the contract's error


@cache
def build_parity_sets() -> list[ParitySet]:
    """Some cases of each opcode and each cause of rejection, and some false proofs of each."""
    sets = [_collect(*make_grid(), random.Random(0), spoil=False)]
    cells = CELLS * CASES_PER_CELL
    return sets + [_collect(*make_cases(seed, cells), random.Random(seed), spoil=True) for seed in SEEDS]


def _collect(image: Image, cases: Iterator[Case], rng: random.Random, *, spoil: bool) -> ParitySet:
    steps, refused = [], []
    for case in cases:
        pre, proof = case.walker.compute_hash(), case.walker.prove()
        case.walker.advance()
        post = case.walker.compute_hash()
        steps.append((pre, proof, post))
        if case.walker.has_stopped:
            steps.append((post, case.walker.prove(), post))
        if spoil:
            spoilt = [false for _, false in spoil_proof(proof, rng)]
            chosen = spoilt[:9] + rng.sample(spoilt[9:], min(10, len(spoilt) - 9))
            refused += [(pre, false, _find_error(pre, false, image.program_root)) for false in chosen]
    return ParitySet(image, steps, refused)


def _find_error(pre: bytes, proof: bytes, program_root: bytes) -> bytes:
    try:
        step(pre, proof, program_root)
    except FalseWitness as refusal:
        return find_selector(refusal)
    raise AssertionError("a false proof was accepted")


def is_caught(face: Face, parity: ParitySet) -> bool:
    """True when some step ends elsewhere, or some false proof is accepted or refused for another reason."""
    return any(face(pre, proof) != post for pre, proof, post in parity.steps) or any(
        face(pre, proof) != error for pre, proof, error in parity.refused
    )


def is_python_mutant_caught(mutant: Mutant | None) -> bool:
    """Run step.py with this mistake, or (None) as it is."""
    module = load_step(mutant)

    def answer(program_root: bytes, pre: bytes, proof: bytes) -> bytes:
        try:
            post: bytes = module.step(pre, proof, program_root)
        except module.FalseWitness as refusal:
            return find_selector(refusal)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return b""  # a wrong word need not fit 32 bytes, a wrong index need not lie in a list
        return post

    return any(
        is_caught(partial(answer, parity.image.program_root), parity) for parity in build_parity_sets()
    )


def load_step(mutant: Mutant | None) -> Any:
    """A second copy of the slow step's modules, with one mistake: its module `step`."""
    for package in (COPY, f"{COPY}.families"):
        sys.modules[package] = ModuleType(package)
    for name in MODULES:
        path = f"optimist/vm/{name.replace('.', '/')}.py"
        source = (REPOSITORY / path).read_text()
        if mutant is not None and mutant.file == path:
            source = mutant.apply(source)
        for other in MODULES:
            source = source.replace(f"optimist.vm.{other} import", f"{COPY}.{other} import")
        source = source.replace("optimist.vm.families import", f"{COPY}.families import")
        package, _, last = f"{COPY}.{name}".rpartition(".")
        module = ModuleType(f"{package}.{last}")
        sys.modules[module.__name__] = module
        setattr(sys.modules[package], last, module)
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 (our own)
    return sys.modules[f"{COPY}.step"]


def is_solidity_mutant_caught(mutant: Mutant | None) -> bool:
    """Run Step.sol with this mistake, or (None) as it is. Raises SolcError when it does not compile."""
    sources = read_sources("src/vm/Step.sol")
    if mutant is not None:
        sources[mutant.file] = mutant.apply(sources[mutant.file])
    creation = compile_contracts(sources)["Step"].creation

    def answer(contract: StepContract, pre: bytes, proof: bytes) -> bytes:
        try:
            return contract.step(pre, proof)
        except Reverted as reverted:
            return reverted.selector

    for parity in build_parity_sets():
        contract = StepContract(parity.image, creation)
        if is_caught(partial(answer, contract), parity) or is_frame_wrong(contract, parity.image):
            return True
    return False


def is_frame_wrong(contract: StepContract, image: Image) -> bool:
    """True when the contract has another image root or another first state."""
    root, input_hash = keccak(b"root"), keccak(b"input")
    initial = contract.call(keccak(b"initialState(bytes32,bytes32)")[:4] + root + input_hash)
    image_root = contract.call(keccak(b"imageRoot()")[:4])
    return initial != compute_initial_state(image, root, input_hash) or image_root != image.root

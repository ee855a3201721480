"""Proofs that are almost true: what a step must refuse."""

import random
from collections.abc import Iterator
from typing import Final

from optimist.base.keccak import keccak
from optimist.base.tags import FINAL, MACHINE
from optimist.vm.state import FINAL_BYTES, MACHINE_BYTES

# Words of FalseWitness's messages and the error with which the contract says the same.
ERRORS: Final = {
    "begins with tag": "WrongTag(bytes1)",
    "begins with state": "WrongState(bytes32,bytes32)",
    "shows program": "WrongProgram(bytes32,bytes32)",
    "shows memory": "WrongMemory(bytes32,bytes32)",
    "shows state": "WrongRecord(bytes32,bytes32)",
    "shows input": "WrongInput(bytes32,bytes32)",
    "bytes left where": "ProofTooShort(uint256,uint256)",
    "were not needed": "ProofTooLong(uint256,uint256)",
}
_SELECTORS: Final = {name: keccak(signature.encode())[:4] for name, signature in ERRORS.items()}


def find_selector(refusal: Exception) -> bytes:
    """The contract's error that says what this FalseWitness says; empty when it says nothing known."""
    return next((_SELECTORS[words] for words in ERRORS if words in str(refusal)), b"")


def flip(proof: bytes, at: int, mask: int) -> bytes:
    """The proof with some bits of one byte changed."""
    return proof[:at] + bytes((proof[at] ^ mask,)) + proof[at + 1 :]


def spoil_proof(proof: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Every class of byte changed once; the proof cut, prolonged, rearranged: (what was done, proof)."""
    mask = rng.randrange(1, 256)
    yield "empty", b""
    yield "tag exchanged", flip(proof, 0, MACHINE ^ FINAL)
    yield "unknown tag", flip(proof, 0, 0x80)
    yield "last byte cut", proof[:-1]
    yield "last word cut", proof[:-32]
    yield "cut inside", proof[: rng.randrange(1, len(proof))]
    yield "byte appended", proof + b"\0"
    yield "word appended", proof + bytes(32)
    yield "byte inserted", proof[: (at := rng.randrange(1, len(proof)))] + b"\0" + proof[at:]
    if proof[0] == FINAL:
        yield "root", flip(proof, rng.randrange(1, FINAL_BYTES), mask)
        return
    for name, first, last in (
        ("pc", 1, 6),
        ("memory root", 6, 38),
        ("state root", 38, 70),
        ("base root", 70, 102),
        ("input hash", 102, MACHINE_BYTES),
    ):
        yield name, flip(proof, rng.randrange(first, last), mask)
    # All of the witness: instruction, values, old leaves, records, masks, input and all siblings.
    for start in range(MACHINE_BYTES, len(proof), 16):
        at = rng.randrange(start, min(start + 16, len(proof)))
        yield f"byte {at}", flip(proof, at, mask)
    words = range(MACHINE_BYTES, len(proof) - 63, 32)
    if words:
        at = rng.choice(words)
        left, right = proof[at : at + 32], proof[at + 32 : at + 64]
        if left != right:
            yield "two words exchanged", proof[:at] + right + left + proof[at + 64 :]

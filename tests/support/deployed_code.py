"""The code that a deployment leaves on L1, made by hand: what a constructor does, and what a forger could."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Final

from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.bytecode import WORD, RuntimeCode, load_runtimes
from optimist.l1.deployment import NEIGHBOURS, PARAMETERS, Deployment
from optimist.vm.image import compute_image_root

PROGRAM_ROOT: Final = b"\x0a" * 32
MEMORY_ROOT: Final = b"\x0b" * 32
ENTRY: Final = 7
SEQUENCER: Final = b"\x5e" * 20

Values = dict[tuple[str, str], int | bytes]


def with_law(deployment: Deployment) -> Deployment:
    """The deployment of the law that `make_values` has."""
    return replace(deployment, image_root=compute_image_root(PROGRAM_ROOT, MEMORY_ROOT, ENTRY))


def make_values(deployment: Deployment) -> Values:
    """Every immutable of the five contracts."""
    preset, addresses = asdict(deployment.preset), deployment.addresses
    values: Values = {
        ("Step", "_PROGRAM_ROOT"): PROGRAM_ROOT,
        ("Step", "_MEMORY_ROOT"): MEMORY_ROOT,
        ("Step", "_ENTRY"): ENTRY,
        ("Inbox", "SEQUENCER"): SEQUENCER,
        ("Rollup", "GENESIS"): GENESIS_ASSERTION,
        ("Rollup", "MAX_INPUTS"): preset["k"] ** preset["h1"],
    }
    values |= {(contract, name): addresses[other] for contract, name, other in NEIGHBOURS}
    values |= {place: preset[name] for name, places in PARAMETERS.items() for place in places}
    return values


def make_codes(values: Values) -> dict[str, bytes]:
    """The code of each contract with these immutables in it."""
    return {name: fill(runtime, name, values) for name, runtime in load_runtimes().items()}


def fill(runtime: RuntimeCode, contract: str, values: Values) -> bytes:
    """The code with an immutable's value wherever it is used."""
    code = bytearray(runtime.code)
    for name, places in runtime.immutables.items():
        for place in places:
            code[place : place + WORD] = to_word(values[contract, name])
    return bytes(code)


def to_word(value: int | bytes) -> bytes:
    """As the machine of Ethereum has it: numbers and addresses at the right."""
    return value.to_bytes(WORD, "big") if isinstance(value, int) else value.rjust(WORD, b"\0")


def put(code: bytes, place: int, data: bytes) -> bytes:
    """The code with other bytes at a place."""
    return code[:place] + data + code[place + len(data) :]


def flip(code: bytes, place: int) -> bytes:
    """The code with one bit of one byte another."""
    return put(code, place, bytes((code[place] ^ 1,)))


def prepare(code: bytes, storage: Mapping[int, int]) -> bytes:
    """Creation code of a forger: writes the storage, then leaves `code` as it is."""
    writes = b"".join(
        b"\x7f" + to_word(value) + b"\x7f" + to_word(slot) + b"\x55" for slot, value in storage.items()
    )  # PUSH32 value, PUSH32 slot, SSTORE
    length = b"\x61" + len(code).to_bytes(2, "big")  # PUSH2
    start = b"\x61" + (len(writes) + 13).to_bytes(2, "big")
    # length; length, start, 0: CODECOPY; length; 0: RETURN
    leave = length + start + b"\x5f\x39" + length + b"\x5f\xf3"
    assert len(leave) == 13
    return writes + leave + code

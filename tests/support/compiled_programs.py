"""Programs of the language other than the law, each with inputs: small ones of our own and random ones.

A history is what one compiled program was given, in order, from the empty state. Its executions are real
traces: nothing in them was made up but the bytes of the inputs.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from optimist.provable.check.refusal import Refused
from optimist.provable.compiled import CompiledProgram
from optimist.provable.program import Program
from optimist.vm.image import Image
from optimist.vm.records import ABSENT, build_state_tree, compute_record_leaf
from optimist.vm.walker import Walker
from tests.support.random_laws import RandomLaw, write_random_input

LAWS: Final = Path(__file__).parent / "laws"
PROGRAM_INPUTS: Final = 60  # of one history of a small program
RANDOM_LAW_INPUTS: Final = 12


@dataclass(frozen=True, eq=False)
class History:
    """The inputs of one program, in order, from the empty state. `name` replays it."""

    name: str
    image: Image
    inputs: tuple[bytes, ...]

    def walk(self) -> Iterator[Walker]:
        """A machine before each input. It has to be run to its end before the next is asked for."""
        records: dict[int, bytes] = {}
        tree = build_state_tree(records)
        for data in self.inputs:
            walker = Walker(self.image, tree, records, data)
            yield walker
            if not walker.has_stopped:
                raise RuntimeError("the machine was left before it stopped")
            changes = {} if walker.is_rejected else walker.core.writes
            for key, record in changes.items():
                if record == ABSENT:
                    records.pop(key, None)
                else:
                    records[key] = record
            tree.update((key, compute_record_leaf(record)) for key, record in changes.items())


# ------------------------------------------------------------------------------------------- small programs


def write_bids(rng: random.Random) -> bytes:
    """Input of the auction: few bidders, amounts that grow, some equal or lower, some out of order."""
    count = rng.choice((0, 1, 3, 5, 8, 8, 8, 9)) if rng.random() < 0.5 else rng.randrange(1, 9)
    amount, second, bids = rng.randrange(1, 50), rng.randrange(1_000), b""
    for _ in range(count):
        amount = max(0, amount + rng.choice((-3, 0, 0, 1, 20, amount)))
        second = max(0, second + rng.choice((-1, 0, 1, 1, 9)))
        bidder = rng.choice((1, 1, 2, 3, 1 << 39)) if rng.random() < 0.98 else 0
        bids += amount.to_bytes(8, "big") + bidder.to_bytes(5, "big") + second.to_bytes(4, "big")
    return bytes((rng.randrange(4), count)) + bids


def write_numbers(rng: random.Random) -> bytes:
    """Input of the statistics: numbers of all sizes and both signs; sometimes none, or no divisor."""
    count = rng.choice((0, 1, 2, 4, 6, 6, 6, 7))
    divisor = rng.choice((0, 1, 2, 10, 1_000, 65_535))
    numbers = b""
    for _ in range(count):
        size = rng.choice((31, rng.randrange(1, 32)))
        numbers += (rng.getrandbits(size) - rng.getrandbits(size)).to_bytes(4, "big", signed=True)
    return bytes((rng.randrange(4),)) + divisor.to_bytes(2, "big") + bytes((count,)) + numbers


def write_draw(rng: random.Random) -> bytes:
    """Input of the mixing: bytes at random; sizes and steps that are small, equal or zero."""
    size, step = rng.choice((0, 1, 2, 3, 37, 256, 65_535)), rng.choice((0, 1, 2, 3, 36, 255))
    head = rng.getrandbits(32).to_bytes(4, "big") + size.to_bytes(2, "big") + bytes((step,))
    return head + rng.randbytes(rng.choice((0, 1, 4, 12, 24, 30)))


PROGRAMS: Final[dict[str, Callable[[random.Random], bytes]]] = {
    "auction": write_bids,
    "statistics": write_numbers,
    "mixing": write_draw,
}


@cache
def get_program(name: str) -> Program:
    """One of `PROGRAMS`."""
    text = (LAWS / f"{name}.py").read_text(encoding="utf-8")
    return Program({name: text}, f"{name}.apply_input", {name: f"tests/support/laws/{name}.py"})


@cache
def _compile(name: str) -> Image:
    return get_program(name).compile().image


def make_program_history(name: str, seed: int) -> History:
    """One of `PROGRAMS` with `PROGRAM_INPUTS` inputs."""
    rng = random.Random(f"{name} {seed}")
    inputs = tuple(PROGRAMS[name](rng) for _ in range(PROGRAM_INPUTS))
    return History(f"make_program_history({name!r}, {seed})", _compile(name), inputs)


# ---------------------------------------------------------------------------------------------- random laws


def compile_random_law(seed: int) -> CompiledProgram | None:
    """The random law of a seed; None when the compiler refuses it."""
    try:
        return Program({"random_law": RandomLaw(seed).source}, "random_law.apply_input").compile()
    except Refused:
        return None


def make_random_history(seed: int) -> History | None:
    """The random law of a seed and its inputs; None when the compiler refuses it."""
    compiled = compile_random_law(seed)
    if compiled is None:
        return None
    rng = random.Random(seed)
    inputs = tuple(write_random_input(rng) for _ in range(RANDOM_LAW_INPUTS))
    return History(f"make_random_history({seed})", compiled.image, inputs)

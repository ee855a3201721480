"""A liar's machine: it makes one false step and is honest from there on.

For the tests of the dispute and for the devnet. An edit changes the machine after a step, and the execution
goes on from the changed machine: all its later states follow from one another, so that one false step is all
there is to find.
"""

from dataclasses import dataclass
from typing import Final

from optimist.vm.isa import MEMORY_WORDS, PC_BYTES, RECORD_WORDS
from optimist.vm.records import (
    ROWS,
    TABLES,
    compute_record_key,
    compute_record_leaf,
    pack_record,
    unpack_record,
)
from optimist.vm.walker import Walker
from optimist.vm.word import to_bytes, wrap

PC: Final = "pc"
MEMORY: Final = "memory"  # memory.INDEX
RECORD: Final = "record"  # record.TABLE.ROW.WORD
ROOTS: Final = ("memory_root", "state_root", "base_root", "input_hash")


@dataclass(frozen=True, slots=True)
class Edit:
    """Add `delta` to `field` after step `step` (from 0).

    Fields: `pc`, `memory.INDEX`, `record.TABLE.ROW.WORD`, and as bare hashes `memory_root`, `state_root`,
    `base_root`, `input_hash`, which stay false by the same amount in all later states. A machine that has
    stopped has nothing but its root: then any field means that root. Raises ValueError for another field
    and for a delta without effect.
    """

    step: int
    field: str
    delta: int

    def __post_init__(self) -> None:
        if self.step < 0:
            raise ValueError(f"step {self.step} cannot be edited: steps are counted from 0")
        modulus = 1 << (8 * PC_BYTES if self.field == PC else 256)
        if self.delta % modulus == 0:
            raise ValueError(f"adding {self.delta} to {self.field} changes nothing")
        parse_field(self.field)

    def apply(self, walker: Walker) -> None:
        """Change the machine."""
        name, numbers = parse_field(self.field)
        core = walker.core
        if walker.has_stopped:
            walker.offsets = {"state_root": self.delta, "base_root": self.delta}
        elif name == PC:
            core.pc = (core.pc + self.delta) % (1 << 8 * PC_BYTES)
        elif name == MEMORY:
            index = numbers[0]
            core.memory[index] = wrap(core.memory[index] + self.delta)
            walker.memory.set(index, to_bytes(core.memory[index]))
        elif name == RECORD:
            table, row, word = numbers
            key = compute_record_key(table, row)
            words = unpack_record(core.get_record(key))
            words[word] = wrap(words[word] + self.delta)
            core.writes[key] = pack_record(words)
            walker.state.set(key, compute_record_leaf(core.writes[key]))
        else:
            walker.offsets[name] = self.delta


def parse_field(field: str) -> tuple[str, list[int]]:
    """Name and numbers of a field. Raises ValueError when there is no such field."""
    name, *rest = field.split(".")
    numbers = [int(number) for number in rest if number.isdecimal()]
    limits = {PC: (), MEMORY: (MEMORY_WORDS,), RECORD: (TABLES, ROWS, RECORD_WORDS)}.get(name)
    if name in ROOTS:
        limits = ()
    if limits is None or len(rest) != len(limits) or len(numbers) != len(limits):
        names = ", ".join((PC, "memory.INDEX", "record.TABLE.ROW.WORD", *ROOTS))
        raise ValueError(f"the machine has no field {field!r}; it has {names}")
    for number, limit in zip(numbers, limits, strict=True):
        if number >= limit:
            raise ValueError(f"{number} in {field!r} is not below {limit}")
    return name, numbers

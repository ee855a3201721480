"""The five contracts as they must stand on L1, byte for byte (pure).

Creation code ends with the code that it leaves on L1, in which the constructor has written the immutables:
`code/runtime.json` says how long that code is and at which bytes each immutable stands, once for every use of
it. `python -m devnet.snapshots` writes the file, a test compares. Nothing is exempt: the compiler appends its
version and no hash of the metadata (`bytecode_hash` in solidity/foundry.toml), and no library is linked.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from typing import Final, Self

from optimist.l1.creation import load_code

WORD: Final = 32  # bytes; an immutable is the operand of a PUSH32, whatever its type


class CodeDiffers(Exception):
    """What stands on L1 is not this contract; says where they begin to differ."""


@dataclass(frozen=True, slots=True)
class RuntimeCode:
    """The code of one contract, zeros where immutables stand, and where they stand."""

    code: bytes
    immutables: Mapping[str, Sequence[int]]

    @classmethod
    def from_creation(cls, creation: bytes, length: int, immutables: Mapping[str, Sequence[int]]) -> Self:
        """The last `length` bytes of creation code."""
        return cls(creation[len(creation) - length :], immutables)

    def read_immutables(self, found: bytes) -> dict[str, bytes]:
        """The 32 bytes of each immutable in the code `found` on L1, which is ours but for them.

        Raises CodeDiffers when it is not, or when one immutable has two values: whoever writes code by hand
        could let a getter tell one and act by the other.
        """
        if len(found) != len(self.code):
            raise CodeDiffers(f"its code has {len(found)} bytes, not {len(self.code)}")
        blank = bytearray(found)
        for place in chain(*self.immutables.values()):
            blank[place : place + WORD] = bytes(WORD)
        different = [place for place, byte in enumerate(blank) if byte != self.code[place]]
        if different:
            where = f"{len(different)} of {len(blank)} bytes, from byte {different[0]} on"
            raise CodeDiffers(f"its code differs in {where}")
        values = {}
        for name, places in self.immutables.items():
            words = {found[place : place + WORD] for place in places}
            if len(words) > 1:
                raise CodeDiffers(f"{name} has {len(words)} values in the {len(places)} places of its code")
            (values[name],) = words
        return values


def load_runtimes() -> dict[str, RuntimeCode]:
    """The five contracts, by name."""
    layouts = json.loads((files("optimist.l1") / "code" / "runtime.json").read_text())
    return {
        name: RuntimeCode.from_creation(
            shipped.creation, layouts[name]["length"], layouts[name]["immutables"]
        )
        for name, shipped in load_code().items()
    }

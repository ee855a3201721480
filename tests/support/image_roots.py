"""Image roots of the law, and the same on any Python: even on one that has none of our packages.

python -m tests.support.image_roots           writes tests/vectors/image_roots.json, and docs/STEPS.md
python tests/support/image_roots.py minimal   prints one root, with keccak in plain Python
"""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Final

ROOT: Final = Path(__file__).parents[2]
VECTOR: Final = ROOT / "tests" / "vectors" / "image_roots.json"
PRESETS: Final = ("minimal", "mainnet")

RATE: Final = 136  # bytes absorbed at once by keccak256
LANE: Final = (1 << 64) - 1


def compute_roots() -> dict[str, str]:
    """Preset -> image root in hexadecimal."""
    from optimist.prove.law import load_law

    return {preset: "0x" + load_law(preset).image.root.hex() for preset in PRESETS}


def _rotate(lane: int, count: int) -> int:
    return (lane << count | lane >> (64 - count)) & LANE if count else lane


def _round_constants() -> list[int]:
    """Of the 24 rounds, from the shift register that FIPS 202 defines them by."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


ROUND_CONSTANTS: Final = _round_constants()


def _permute(lanes: list[list[int]]) -> None:
    for constant in ROUND_CONSTANTS:
        parity = [a[0] ^ a[1] ^ a[2] ^ a[3] ^ a[4] for a in lanes]
        for x in range(5):
            mixed = parity[x - 1] ^ _rotate(parity[(x + 1) % 5], 1)
            lanes[x] = [lane ^ mixed for lane in lanes[x]]
        x, y, moved = 1, 0, lanes[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            lanes[x][y], moved = _rotate(moved, (step + 1) * (step + 2) // 2 % 64), lanes[x][y]
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        lanes[0][0] ^= constant


def keccak_256(data: bytes) -> bytes:
    """keccak256 (the padding of Ethereum) in plain Python."""
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % RATE))
    padded[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), RATE):
        for i in range(RATE // 8):
            word = padded[start + 8 * i : start + 8 * i + 8]
            lanes[i % 5][i // 5] ^= int.from_bytes(word, "little")
        _permute(lanes)
    return b"".join(lanes[i][0].to_bytes(8, "little") for i in range(4))


def _do_without_packages() -> None:
    """Stand in for the two packages that compiling touches: hashing, and signatures, which it never uses."""
    hashing = ModuleType("sha3")
    hashing.keccak_256 = lambda data: SimpleNamespace(digest=lambda: keccak_256(bytes(data)))  # type: ignore[attr-defined]  # a stand-in
    signing = ModuleType("coincurve")
    signing.PrivateKey = signing.PublicKey = object  # type: ignore[attr-defined]  # a stand-in
    sys.modules |= {"sha3": hashing, "coincurve": signing}


def main() -> None:
    """See the module's docstring."""
    if len(sys.argv) > 1:
        _do_without_packages()
        from optimist.prove.law import load_law

        sys.stdout.write("0x" + load_law(sys.argv[1]).image.root.hex() + "\n")
        return
    from tests.support.step_table import write_table

    VECTOR.write_text(json.dumps(compute_roots(), indent=2) + "\n")
    write_table()


if __name__ == "__main__":
    main()

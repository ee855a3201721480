"""The image: what the machine runs. Its root is the version of the law that L1 pins.

    image root = K(IMAGE | program root | memory root | entry:5 | PROGRAM_DEPTH | MEMORY_DEPTH | STATE_DEPTH)

The program is a tree of instructions, the memory a tree of words (the constant pool, then zeros), both
padded with zero words: a zero word is no legal instruction, and an untouched word of memory is 0.
"""

from dataclasses import dataclass
from functools import cached_property

from optimist.base.keccak import tagged
from optimist.base.merkle import DenseTree
from optimist.base.tags import IMAGE
from optimist.vm.decode import Decoded, decode_program
from optimist.vm.isa import (
    MEMORY_DEPTH,
    MEMORY_WORDS,
    PC_BYTES,
    PROGRAM_DEPTH,
    PROGRAM_WORDS,
    STATE_DEPTH,
)
from optimist.vm.word import from_bytes

__all__ = ["MEMORY_DEPTH", "PROGRAM_DEPTH", "STATE_DEPTH", "Image", "compute_image_root"]


@dataclass(frozen=True)
class Image:
    """Program and initial memory as 32-byte words, unpadded, and the pc at which every input begins."""

    program: tuple[bytes, ...]
    memory: tuple[bytes, ...]
    entry: int

    def __post_init__(self) -> None:
        """Raises ValueError when a part does not fit the machine."""
        for name, words, limit in (
            ("program", self.program, PROGRAM_WORDS),
            ("memory", self.memory, MEMORY_WORDS),
        ):
            if len(words) > limit:
                raise ValueError(f"{name} has {len(words)} words, the machine holds {limit}")
            if any(len(word) != 32 for word in words):
                raise ValueError(f"every word of the {name} must have 32 bytes")
        if not 0 <= self.entry < PROGRAM_WORDS:
            raise ValueError(f"entry {self.entry} lies outside the program of {PROGRAM_WORDS} instructions")

    @cached_property
    def program_tree(self) -> DenseTree:
        """Merkle tree of the program. Shared: copy it before changing it."""
        return DenseTree(PROGRAM_DEPTH, self.program)

    @cached_property
    def memory_tree(self) -> DenseTree:
        """Merkle tree of the initial memory. Shared: copy it before changing it."""
        return DenseTree(MEMORY_DEPTH, self.memory)

    @cached_property
    def instructions(self) -> list[Decoded]:
        """The program for `fast`: decoded, padded, with an end. Shared: do not change it."""
        return decode_program(self.program)

    @cached_property
    def words(self) -> list[int]:
        """The initial memory as signed words, padded. Shared: copy it before changing it."""
        return [from_bytes(word) for word in self.memory] + [0] * (MEMORY_WORDS - len(self.memory))

    @property
    def program_root(self) -> bytes:
        """Root of the program."""
        return self.program_tree.root

    @property
    def memory_root(self) -> bytes:
        """Root of the initial memory."""
        return self.memory_tree.root

    @cached_property
    def root(self) -> bytes:
        """The image root: the law's version."""
        return compute_image_root(self.program_root, self.memory_root, self.entry)


def compute_image_root(program_root: bytes, memory_root: bytes, entry: int) -> bytes:
    """Image root from its parts; the depths of this machine's trees are part of it."""
    depths = bytes((PROGRAM_DEPTH, MEMORY_DEPTH, STATE_DEPTH))
    return tagged(IMAGE, program_root, memory_root, entry.to_bytes(PC_BYTES, "big"), depths)

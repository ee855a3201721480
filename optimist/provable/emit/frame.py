"""Operands, and the one static frame that each function has.

    word 0          return address
    then            results, parameters, variables and temporaries
    then, aligned   blocks of 4, 8 or 16 words: records, and the arguments of a signature check

No function calls itself, so a frame needs no stack: its base is fixed when the image is laid out.
"""

import heapq
from dataclasses import dataclass
from typing import Final

RETURN_ADDRESS: Final = 0


class Frame:
    """Words and blocks of one function. Released ones are handed out again, the lowest first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.words = 1  # the return address
        self.blocks: list[int] = []  # sizes
        self.base = -1  # set when the image is laid out
        self._free_words: list[int] = []
        self._free_blocks: dict[int, list[int]] = {}

    def take_word(self) -> "Word":
        """A word that nobody uses."""
        if self._free_words:
            return Word(self, heapq.heappop(self._free_words))
        self.words += 1
        return Word(self, self.words - 1)

    def take_block(self, size: int) -> "BlockWord":
        """The first word of a block of 4, 8 or 16 words that nobody uses, aligned to its size."""
        free = self._free_blocks.setdefault(size, [])
        if free:
            return BlockWord(self, heapq.heappop(free), 0)
        self.blocks.append(size)
        return BlockWord(self, len(self.blocks) - 1, 0)

    def release(self, place: "Word | BlockWord") -> None:
        """Give a word, or a whole block, back."""
        if isinstance(place, Word):
            heapq.heappush(self._free_words, place.index)
        else:
            heapq.heappush(self._free_blocks[self.blocks[place.block]], place.block)

    @property
    def alignment(self) -> int:
        """What the base must be a multiple of."""
        return max(self.blocks, default=1)

    def block_offsets(self) -> list[int]:
        """Where each block begins, counted from the base: larger ones first, so that alignment wastes
        little.
        """
        offsets = [0] * len(self.blocks)
        end = self.words
        for size in (16, 8, 4):
            for block, block_size in enumerate(self.blocks):
                if block_size == size:
                    start = -(-end // size) * size
                    offsets[block] = start
                    end = start + size
        return offsets

    @property
    def size(self) -> int:
        """Words from the base to the end."""
        offsets = self.block_offsets()
        ends = [offset + size for offset, size in zip(offsets, self.blocks, strict=True)]
        return max([self.words, *ends])


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a frame."""

    frame: Frame
    index: int


@dataclass(frozen=True, slots=True)
class BlockWord:
    """A word of a block of a frame."""

    frame: Frame
    block: int
    offset: int

    def at(self, offset: int) -> "BlockWord":
        """Another word of the same block."""
        return BlockWord(self.frame, self.block, offset)


@dataclass(frozen=True, slots=True)
class Pool:
    """A constant, kept in the initial memory."""

    value: int


@dataclass(frozen=True, slots=True)
class AddressOf:
    """The address of a block as a constant: how a record is handed to a function."""

    block: BlockWord


Operand = Word | BlockWord | Pool | AddressOf

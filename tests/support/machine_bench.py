"""Random memories, states and inputs of the machine, with words where mistakes live.

The ends of the word, the ends of memory and program, small numbers, negative ones; blocks of zeros;
signatures, good and nearly so.
"""

import random
from collections.abc import Callable
from typing import Final

from optimist.base.signature import sign
from optimist.vm.isa import (
    MEMORY_WORDS,
    PROGRAM_WORDS,
    RECORD_WORDS,
)
from optimist.vm.records import ROWS, build_state_tree, compute_record_key, pack_record
from optimist.vm.word import WORD_MAX, WORD_MIN, from_bytes, wrap

TABLES: Final = (1, 7, 255)

EDGES: Final = (
    *(0, 1, -1, 2, -2, 3, 7, 8, 9, 15, 16, 27, 28, 63, 64, 127, 128),
    *(254, 255, 256, 257, -255, -256, -257, 1016, 1023, 1024, 1025, 4094, 4095, 4096, 4097),
    *(WORD_MAX, WORD_MIN, WORD_MAX - 1, WORD_MIN + 1, 1 << 254, -(1 << 254), (1 << 254) - 1),
    *(ROWS - 1, ROWS, ROWS + 1, -ROWS, (1 << 64) - 1, 1 << 64, 1 << 127, 1 << 128, -(1 << 128), -(1 << 127)),
)
ZEROS_AT: Final = 256  # sixteen words of zeros: an absent record, yet not the hash of nothing
ENDS: Final = (0, 1, 2, 8, 20, 31, 32, 33)  # bytes before the end of the input
ENDS_AT: Final = 272  # words that are offsets so near the end
SIGNATURES_AT: Final = 768  # from here on every 4-aligned block is a signature, good or nearly so
IMMEDIATES: Final = (0, 1, 2, 7, 64, 128, 254, 255, 256, 257, 300, 1 << 64, (1 << 200) - 1)


class Bench:
    """A random memory, state and input on which instructions are tried."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.input = self._make_input()
        self.memory = self._make_memory()
        keys = {compute_record_key(table, row) for table in TABLES for row in (0, 1, 8, 9, ROWS - 1)}
        self.records = {
            key: pack_record([self.word() for _ in range(RECORD_WORDS)])
            for key in keys
            if self.rng.random() < 0.7
        }
        self.state = build_state_tree(self.records)
        self._found: dict[str, list[int]] = {}

    def word(self) -> int:
        """A random word, most often an edge or small."""
        rng = self.rng
        kind = rng.randrange(10)
        if kind < 5:
            return rng.choice(EDGES)
        if kind < 7:
            return rng.randrange(-300, 1200)
        if kind < 9:
            return wrap(rng.getrandbits(256))
        return rng.choice((1, -1)) * rng.getrandbits(rng.randrange(1, 255))

    # ------------------------------------------------------------------------------------- what it holds

    def _make_memory(self) -> list[int]:
        memory = [self.word() for _ in range(MEMORY_WORDS)]
        memory[: len(EDGES)] = self.rng.sample(EDGES, len(EDGES))
        memory[ZEROS_AT : ZEROS_AT + 16] = [0] * 16
        memory[ENDS_AT : ENDS_AT + len(ENDS)] = [max(0, len(self.input) - back) for back in ENDS]
        for at in range(SIGNATURES_AT, MEMORY_WORDS, 4):
            memory[at : at + 4] = self._make_signature()
        return memory

    def _make_signature(self) -> list[int]:
        rng = self.rng
        digest = rng.randbytes(32)
        v, r, s = sign(digest, rng.randbytes(32))
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        spoil = rng.randrange(12)
        if spoil == 0:
            v, s = 55 - v, order - s  # the malleable twin
        elif spoil == 1:
            v = rng.choice((0, 1, 26, 29, 27 + 256, 28 + (1 << 128)))
        elif spoil == 2:
            r = rng.choice((0, order, order + 1, rng.getrandbits(256)))
        elif spoil == 3:
            s = rng.choice((0, order // 2, order // 2 + 1, order - 1, order))
        return [from_bytes(digest), *(wrap(value) for value in (v, r, s))]

    def _make_input(self) -> bytes:
        rng = self.rng
        return rng.randbytes(rng.choice((0, 1, 31, 32, 33, 64, 65, 229, 305, rng.randrange(1, 1025))))

    # --------------------------------------------------------------------------------- random operands

    def find(self, name: str, wanted: Callable[[int], bool]) -> int:
        """Address of a random word with a property."""
        if name not in self._found:
            self._found[name] = [i for i, word in enumerate(self.memory) if wanted(word)]
        return self.rng.choice(self._found[name])

    def address(self) -> int:
        """Any address."""
        return self.rng.randrange(MEMORY_WORDS)

    def block(self, size: int) -> int:
        """Address of any aligned block."""
        return self.rng.randrange(MEMORY_WORDS // size) * size

    def target(self) -> int:
        """Any target of a jump."""
        return self.rng.choice((0, PROGRAM_WORDS - 1, self.rng.randrange(PROGRAM_WORDS)))

    def immediate(self) -> int:
        """Any immediate, most often an edge."""
        return self.rng.choice((*IMMEDIATES, self.rng.randrange(300), self.rng.getrandbits(200)))

    def index_for(self, pointer: int) -> int:
        """An immediate that makes the word at `pointer` (below 2**10) point into memory."""
        word = self.memory[pointer]
        return self.rng.randrange(max(0, -word), MEMORY_WORDS - word)

    def find_row(self) -> int:
        """Address of a number of a row."""
        return self.find("row", lambda word: 0 <= word < ROWS)

    def find_no_row(self) -> int:
        """Address of a word that is no row."""
        return self.find("no row", lambda word: not 0 <= word < ROWS)

    def find_pointer(self, size: int) -> int:
        """Address of a pointer to an aligned block."""
        return self.find(f"pointer {size}", lambda word: 0 <= word < MEMORY_WORDS and word % size == 0)

    def find_unaligned_pointer(self, size: int) -> int:
        """Address of a pointer into a block."""
        return self.find(f"unaligned {size}", lambda word: 0 <= word < MEMORY_WORDS and word % size != 0)

    def find_no_pointer(self) -> int:
        """Address of a word that points nowhere."""
        return self.find("no pointer", lambda word: not 0 <= word < MEMORY_WORDS)

    def no_block(self, size: int) -> int:
        """An address inside a block, not at its beginning."""
        return self.block(size) + self.rng.randrange(1, size)

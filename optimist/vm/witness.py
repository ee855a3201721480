"""What one step may look at, and the proof that it looked at the truth.

A step never sees the whole machine. It asks a `Witness` for the instruction at pc, a word, a block, a
record, the input; the `ProofReader` answers out of the proof's bytes, in the order of the questions, and
refuses an answer that does not hash to the roots of the state. A path is always: leaf (or leaves), then
siblings upwards; those of a record, nearly all zero, as a mask and the others. Mirrored by
`solidity/src/vm/Witness.sol`. `prover.py` holds the twin that writes the proof.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from optimist.base.merkle import ZERO, node, root_from_path
from optimist.vm.isa import MEMORY_DEPTH, PROGRAM_DEPTH, STATE_DEPTH
from optimist.vm.records import RECORD_BYTES, compute_record_leaf
from optimist.vm.state import Machine, compute_input_hash
from optimist.vm.word import WORD_BYTES, from_bytes, to_bytes

MASK_BYTES: Final = STATE_DEPTH // 8  # which siblings of a record are not zero
WORD_PATH_BYTES: Final = WORD_BYTES * (1 + MEMORY_DEPTH)  # a word of memory and its siblings


class FalseWitness(Exception):
    """The proof does not show what it must. The contract reverts: such a proof decides nothing."""


class Witness(Protocol):
    """The questions of a step, with arguments that it has checked. Writing updates a root of `machine`."""

    def fetch_instruction(self, machine: Machine) -> bytes:
        """The 32-byte instruction at machine.pc."""

    def read_word(self, machine: Machine, index: int) -> int:
        """Word of memory."""

    def write_word(self, machine: Machine, index: int, value: int) -> None:
        """Replace a word of memory."""

    def read_block(self, machine: Machine, index: int, size: int) -> bytes:
        """`size` words of memory from `index`; size is a power of two and divides index."""

    def write_block(self, machine: Machine, index: int, words: bytes) -> None:
        """Replace an aligned block of memory by `words`, 32 bytes each."""

    def read_record(self, machine: Machine, key: int) -> bytes:
        """Record of the state, zeros when absent."""

    def write_record(self, machine: Machine, key: int, record: bytes) -> None:
        """Replace a record of the state."""

    def read_input(self, machine: Machine) -> bytes:
        """The input. The path of one written word follows it, so that its length need not be told."""


def encode_sparse_siblings(siblings: Sequence[bytes]) -> bytes:
    """Siblings in the state tree as a proof holds them: bit i of the mask says that the i-th is not zero."""
    mask = sum(1 << height for height, sibling in enumerate(siblings) if sibling != ZERO)
    return mask.to_bytes(MASK_BYTES, "big") + b"".join(sibling for sibling in siblings if sibling != ZERO)


def compute_block_root(words: bytes) -> bytes:
    """Root of the subtree over 1, 2, 4, 8 or 16 words of memory."""
    level = [words[i : i + WORD_BYTES] for i in range(0, len(words), WORD_BYTES)]
    while len(level) > 1:
        level = [node(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


class ProofReader:
    """Answers from the bytes of a proof. Every method raises FalseWitness when it is too short or untrue."""

    def __init__(self, proof: bytes, program_root: bytes) -> None:
        self._proof = proof
        self._cursor = 0
        self._program_root = program_root

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        taken = self._proof[self._cursor : self._cursor + size]
        if len(taken) != size:
            raise FalseWitness(f"the proof has {len(taken)} bytes left where {size} are needed")
        self._cursor += size
        return taken

    def finish(self) -> None:
        """Every byte of a proof has to mean something."""
        if left := len(self._proof) - self._cursor:
            raise FalseWitness(f"{left} bytes of the proof were not needed")

    def fetch_instruction(self, machine: Machine) -> bytes:
        """Instruction and program path."""
        word = self.take(WORD_BYTES)
        self._require("program", self._program_root, self._fold(machine.pc, word, PROGRAM_DEPTH))
        return word

    def read_word(self, machine: Machine, index: int) -> int:
        """Word and its path."""
        word = self.take(WORD_BYTES)
        self._require("memory", machine.memory_root, self._fold(index, word, MEMORY_DEPTH))
        return from_bytes(word)

    def write_word(self, machine: Machine, index: int, value: int) -> None:
        """Old word and its path; the new root comes from the same siblings."""
        old = self.take(WORD_BYTES)
        root, new_root = self._fold_pair(index, old, to_bytes(value), MEMORY_DEPTH)
        self._require("memory", machine.memory_root, root)
        machine.memory_root = new_root

    def read_block(self, machine: Machine, index: int, size: int) -> bytes:
        """Words and the path of their subtree."""
        words = self.take(size * WORD_BYTES)
        height = size.bit_length() - 1
        root = self._fold(index >> height, compute_block_root(words), MEMORY_DEPTH - height)
        self._require("memory", machine.memory_root, root)
        return words

    def write_block(self, machine: Machine, index: int, words: bytes) -> None:
        """Root over the old words and its path."""
        # The old words do not matter, only the root over them: 32 bytes instead of 256.
        old = self.take(WORD_BYTES)
        height = (len(words) // WORD_BYTES).bit_length() - 1
        new = compute_block_root(words)
        root, new_root = self._fold_pair(index >> height, old, new, MEMORY_DEPTH - height)
        self._require("memory", machine.memory_root, root)
        machine.memory_root = new_root

    def read_record(self, machine: Machine, key: int) -> bytes:
        """Record and its path."""
        record = self.take(RECORD_BYTES)
        root = root_from_path(key, compute_record_leaf(record), self._take_sparse_siblings())
        self._require("state", machine.state_root, root)
        return record

    def write_record(self, machine: Machine, key: int, record: bytes) -> None:
        """Old leaf and its path."""
        old = self.take(WORD_BYTES)
        siblings = self._take_sparse_siblings()
        root = root_from_path(key, old, siblings)
        new_root = root_from_path(key, compute_record_leaf(record), siblings)
        self._require("state", machine.state_root, root)
        machine.state_root = new_root

    def read_input(self, machine: Machine) -> bytes:
        """All bytes but the path that follows."""
        data = self.take(max(0, len(self._proof) - self._cursor - WORD_PATH_BYTES))
        self._require("input", machine.input_hash, compute_input_hash(data))
        return data

    def _fold(self, index: int, leaf: bytes, depth: int) -> bytes:
        return root_from_path(index, leaf, self._take_siblings(depth))

    def _fold_pair(self, index: int, old: bytes, new: bytes, depth: int) -> tuple[bytes, bytes]:
        siblings = self._take_siblings(depth)
        return root_from_path(index, old, siblings), root_from_path(index, new, siblings)

    def _take_siblings(self, depth: int) -> list[bytes]:
        path = self.take(depth * WORD_BYTES)
        return [path[i : i + WORD_BYTES] for i in range(0, len(path), WORD_BYTES)]

    def _take_sparse_siblings(self) -> list[bytes]:
        """Siblings in the state tree. Most are zero: a mask says which are not, and only those are there."""
        mask = int.from_bytes(self.take(MASK_BYTES), "big")
        return [self.take(WORD_BYTES) if mask >> height & 1 else ZERO for height in range(STATE_DEPTH)]

    @staticmethod
    def _require(name: str, expected: bytes, shown: bytes) -> None:
        if shown != expected:
            raise FalseWitness(f"the proof shows {name} {shown.hex()}, the state commits to {expected.hex()}")

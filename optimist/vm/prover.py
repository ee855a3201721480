"""The proof of one step, written by the step itself.

`ProofWriter` answers the questions of `step.execute` out of a whole machine and writes down what it
answered: the same questions in the same order give the proof that `ProofReader` and the contract can
follow. There is no second description of what a proof contains.
"""

from optimist.base.merkle import DenseTree
from optimist.vm.image import Image
from optimist.vm.overlay import OverlayTree
from optimist.vm.rare import Core
from optimist.vm.records import compute_record_leaf
from optimist.vm.state import Machine
from optimist.vm.step import execute
from optimist.vm.witness import compute_block_root, encode_sparse_siblings
from optimist.vm.word import WORD_BYTES, from_bytes, to_bytes


class ProofWriter:
    """Answers from the trees of a machine before a step. The trees move on with the step."""

    def __init__(self, image: Image, memory: DenseTree, state: OverlayTree, core: Core) -> None:
        self._image = image
        self._memory = memory
        self._state = state
        self._core = core
        self._parts: list[bytes] = []

    def prove(self, machine: Machine) -> bytes:
        """The whole proof: preimage of `machine` and the witness of its next step."""
        preimage = machine.encode()
        execute(machine, self)
        return preimage + b"".join(self._parts)

    def fetch_instruction(self, machine: Machine) -> bytes:
        """Instruction and its path."""
        program = self._image.program_tree
        word = program.get(machine.pc)
        self._parts += [word, *program.siblings(machine.pc)]
        return word

    def read_word(self, machine: Machine, index: int) -> int:
        """Word of memory and its path."""
        del machine
        word = self._memory.get(index)
        self._parts += [word, *self._memory.siblings(index)]
        return from_bytes(word)

    def write_word(self, machine: Machine, index: int, value: int) -> None:
        """The old word and its path."""
        self._parts += [self._memory.get(index), *self._memory.siblings(index)]
        self._memory.set(index, to_bytes(value))
        machine.memory_root = self._memory.root

    def read_block(self, machine: Machine, index: int, size: int) -> bytes:
        """The words of a block and the path of their subtree."""
        del machine
        words = b"".join(self._memory.get(index + i) for i in range(size))
        self._parts += [words, *self._memory.siblings(index, size.bit_length() - 1)]
        return words

    def write_block(self, machine: Machine, index: int, words: bytes) -> None:
        """The old subtree's root and its path."""
        size = len(words) // WORD_BYTES
        old = b"".join(self._memory.get(index + i) for i in range(size))
        self._parts += [compute_block_root(old), *self._memory.siblings(index, size.bit_length() - 1)]
        self._memory.set_block(index, [words[i : i + WORD_BYTES] for i in range(0, len(words), WORD_BYTES)])
        machine.memory_root = self._memory.root

    def read_record(self, machine: Machine, key: int) -> bytes:
        """A record and its path."""
        del machine
        record = self._core.get_record(key)
        self._parts += [record, encode_sparse_siblings(self._state.siblings(key))]
        return record

    def write_record(self, machine: Machine, key: int, record: bytes) -> None:
        """The old leaf and its path."""
        self._parts += [self._state.get(key), encode_sparse_siblings(self._state.siblings(key))]
        machine.state_root = self._state.set(key, compute_record_leaf(record))

    def read_input(self, machine: Machine) -> bytes:
        """The whole input."""
        del machine
        self._parts.append(self._core.input)
        return self._core.input

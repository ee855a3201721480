"""A whole machine on its way: the fast core with the trees that its state hash commits to."""

from collections.abc import Mapping

from optimist.base.merkle import SparseTree
from optimist.vm.fast import advance
from optimist.vm.image import Image
from optimist.vm.isa import LOW_BYTE, MEMORY_WORDS, PROGRAM_WORDS, RECORD_WORDS, ROW_BITS, Op
from optimist.vm.overlay import OverlayTree
from optimist.vm.prover import ProofWriter
from optimist.vm.rare import CONTINUE, HALT, Core, Signatures
from optimist.vm.records import compute_record_leaf
from optimist.vm.state import Machine, compute_final_state, compute_input_hash, encode_final_state
from optimist.vm.word import from_bytes, to_bytes, wrap

# Opcodes that write nothing to memory, or not to d alone. All others replace the word at d.
_OTHER_WRITES = frozenset(
    int(op)
    for op in (
        Op.ILL,
        Op.HALT,
        Op.REJ,
        Op.JMP,
        Op.BEQ,
        Op.BNE,
        Op.BLT,
        Op.BLE,
        Op.RET,
        Op.STX,
        Op.LDR,
        Op.STR,
    )
)
_WRITES_D = tuple(op not in _OTHER_WRITES for op in Op)
_STX, _LDR, _STR = int(Op.STX), int(Op.LDR), int(Op.STR)
_STRIDE = 32  # words that are compared at once, looking for those that changed


class Walker:
    """Runs one input from its first step, one step at a time with hashes or many at once without.

    `state` and `records` are the state before the input, root and records of the same tree. They stay as
    they are and must not change while the walker lives.
    """

    def __init__(
        self,
        image: Image,
        state: SparseTree,
        records: Mapping[int, bytes],
        data: bytes,
        signatures: Signatures | None = None,
    ) -> None:
        self.core = Core(image.words.copy(), image.entry, records, data, signatures)
        self.memory = image.memory_tree.copy()
        self.state = OverlayTree(state)
        self.base_root = state.root
        self.input_hash = compute_input_hash(data)
        self.offsets: dict[str, int] = {}  # what an edit added to a root: see `tamper.py`
        self.image = image

    @property
    def has_stopped(self) -> bool:
        """True after HALT or a rejection."""
        return self.core.result != CONTINUE

    @property
    def is_rejected(self) -> bool:
        """True after a rejection: what was written does not count."""
        return self.core.result not in (CONTINUE, HALT)

    def compute_hash(self) -> bytes:
        """Hash of the state now."""
        return compute_final_state(self._final_root()) if self.has_stopped else self._machine().compute_hash()

    def advance(self) -> None:
        """One step, after which the trees are those of the new state. A stopped machine stays as it is."""
        core = self.core
        words = core.memory
        op, d, a, _, imm = self.image.instructions[min(core.pc, PROGRAM_WORDS)]
        index = words[a] + imm if op == _STX else d  # STX may overwrite its own pointer
        advance(core, self.image.instructions, 1)
        if core.result != CONTINUE:
            return
        if _WRITES_D[op] or op == _STX:
            self.memory.set(index, to_bytes(words[index]))
        elif op == _LDR:
            self.memory.set_block(d, [to_bytes(word) for word in words[d : d + RECORD_WORDS]])
        elif op == _STR:
            key = (imm & LOW_BYTE) << ROW_BITS | words[a]
            self.state.set(key, compute_record_leaf(core.writes[key]))

    def skip(self, steps: int) -> None:
        """Many steps at once; the trees follow at the end."""
        core = self.core
        words, writes = core.memory.copy(), core.writes.copy()
        advance(core, self.image.instructions, steps)
        self.memory.update(
            (index, to_bytes(core.memory[index]))
            for start in range(0, MEMORY_WORDS, _STRIDE)
            if core.memory[start : start + _STRIDE] != words[start : start + _STRIDE]
            for index in range(start, start + _STRIDE)
            if core.memory[index] != words[index]
        )
        for key, record in core.writes.items():
            if writes.get(key) is not record:
                self.state.set(key, compute_record_leaf(record))

    def prove(self) -> bytes:
        """Proof of the next step, for `step.step` and the contract. Nothing moves."""
        if self.has_stopped:
            return encode_final_state(self._final_root())
        writer = ProofWriter(self.image, self.memory.copy(), self.state.copy(), self.core)
        return writer.prove(self._machine())

    def _machine(self) -> Machine:
        machine = Machine(self.core.pc, self.memory.root, self.state.root, self.base_root, self.input_hash)
        for field, delta in self.offsets.items():
            setattr(machine, field, add_to_hash(getattr(machine, field), delta))
        return machine

    def _final_root(self) -> bytes:
        machine = self._machine()
        return machine.state_root if self.core.result == HALT else machine.base_root


def add_to_hash(value: bytes, delta: int) -> bytes:
    """The 32 bytes as a number, plus delta, modulo 2**256."""
    return to_bytes(wrap(from_bytes(value) + delta))

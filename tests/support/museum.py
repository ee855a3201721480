"""A program with every opcode in it, and a world in which it is the law."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from challenger.game.types import Parameters
from challenger.trace.law import LawProvider
from challenger.trace.replay import Before, Outcome
from optimist.base.merkle import ZERO
from optimist.derive.batch import Batch
from optimist.prove.law import Law
from optimist.vm.fast import run
from optimist.vm.image import Image
from optimist.vm.isa import Op
from optimist.vm.records import ABSENT, build_state_tree
from tests.support.machine_programs import Assembler

INPUTS: Final = (b"\x00all", b"\x01illegal", b"\x02reject", b"\x00again", b"\x03off the end")
_BINARY: Final = (
    Op.ADD,
    Op.SUB,
    Op.MUL,
    Op.DIV,
    Op.CDIV,
    Op.MOD,
    Op.MULSHR,
    Op.AND,
    Op.OR,
    Op.XOR,
    Op.SHL,
    Op.SHR,
    Op.MIN,
    Op.MAX,
    Op.LT,
    Op.LE,
    Op.EQ,
    Op.NE,
)
_BRANCHES: Final = (Op.BEQ, Op.BNE, Op.BLT, Op.BLE)


def build_museum() -> Image:
    """Byte 0 of the input: 1 runs into an illegal word, 2 rejects, 3 runs off the program, all else halts."""
    p = Assembler()
    for name, value in (("zero", 0), ("one", 1), ("two", 2), ("three", 3), ("x", 1_000_003), ("y", 77)):
        p.word(name, value)
    p.block("record", 8)
    p.block("signature", 4)
    p.label("entry")
    p.op(Op.IN, "selector", "zero", imm=1)
    p.op(Op.INLEN, "length")
    for op in _BINARY:
        p.op(op, "z", "x", "y", imm=3)
        p.op(Op.ADD, "record+1", "record+1", "z")
    p.op(Op.BITLEN, "z", "x")
    p.op(Op.CHKU, "z", "y", imm=8)
    p.op(Op.CHKS, "z", "y", imm=8)
    p.op(Op.MOV, "record", "x")
    p.op(Op.LDX, "z", "zero", imm=4)
    p.op(Op.STX, "z", "one", imm=200)
    for number, op in enumerate(_BRANCHES):
        p.op(op, a="x", b="y", imm=f"after {number}")
        p.label(f"after {number}")
    p.op(Op.CALL, "back", imm="function")
    p.op(Op.LDR, "record", "length", imm=7)
    p.op(Op.ADD, "record", "record", "one")
    p.op(Op.STR, "record", "length", imm=7)
    p.op(Op.KEC, "z", "record", imm=8)
    p.op(Op.D712, "z", "z", "z")
    p.op(Op.ECR, "z", "signature")
    p.op(Op.BEQ, a="selector", b="one", imm="illegal")
    p.op(Op.BEQ, a="selector", b="two", imm="reject")
    p.op(Op.BEQ, a="selector", b="three", imm="leave")
    p.op(Op.JMP, imm="halt")
    p.label("function")
    p.op(Op.RET, a="back")
    p.label("illegal")
    p.op(Op.ILL)
    p.label("reject")
    p.op(Op.REJ, imm=99)
    p.label("leave")
    p.op(Op.JMP, imm=4095)
    p.label("halt")
    p.op(Op.HALT)
    return p.assemble("entry")


@dataclass(frozen=True)
class MuseumLaw(Law):
    """The museum in the place of a law. It has no native form: the machine is all there is."""

    museum: Image

    @property
    def image(self) -> Image:
        return self.museum


class MuseumLedger:
    """What a node knows when the museum is the law: one batch of `INPUTS`."""

    def __init__(self, image: Image) -> None:
        self.batch = Batch(1, INPUTS, ZERO)
        records: dict[int, bytes] = {}
        for data in INPUTS:
            records |= run(image, records, data).writes
        self.root = build_state_tree(records).root

    def get_end_root(self, batch: int) -> bytes | None:
        return {0: ZERO, 1: self.root}.get(batch)

    def get_batch(self, number: int) -> Batch:
        assert number == 1
        return self.batch

    def get_input_count(self, batch: int) -> int:
        return len(INPUTS) if batch else 0

    def get_records(self, batch: int) -> Mapping[int, bytes]:
        assert batch == 0
        return {}


class MuseumProvider(LawProvider):
    """The truth, by the machine alone."""

    def __init__(self, parameters: Parameters, ledger: MuseumLedger, law: MuseumLaw) -> None:
        super().__init__(parameters, ledger, law)

    def apply(self, before: Before) -> Outcome:
        writes = run(self.law.image, dict(before.state.items()), before.input).writes
        return Outcome({key: record or ABSENT for key, record in writes.items()})

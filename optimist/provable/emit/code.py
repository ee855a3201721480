"""Symbolic instructions of one function: operands are places of frames, targets are labels."""

from dataclasses import dataclass, field

from optimist.provable.check.refusal import Location
from optimist.provable.emit.frame import BlockWord, Frame, Operand
from optimist.vm.isa import Op


@dataclass(eq=False, slots=True)
class Label:
    """A place in the code of one function, known once it is put down."""

    position: int = -1
    is_used: bool = False


@dataclass(eq=False, slots=True)
class Line:
    """One instruction. `immediate` may be a label (jumps), a function (CALL) or a block (LDX, STX: its
    address).
    """

    op: Op
    location: Location
    d: Operand | None = None
    a: Operand | None = None
    b: Operand | None = None
    immediate: "int | Label | FunctionCode | BlockWord" = 0


@dataclass(eq=False, slots=True)
class LoopRange:
    """A loop: from `start` to the line that jumps back to it, which is run `rounds` times at most."""

    start: Label
    back: int
    rounds: int


@dataclass(eq=False, slots=True)
class FunctionCode:
    """The code of one function."""

    name: str
    is_handler: bool
    frame: Frame
    lines: list[Line] = field(default_factory=list)
    loops: list[LoopRange] = field(default_factory=list)
    start: int = -1  # pc of the first line, set when the image is laid out

    def callees(self) -> "list[FunctionCode]":
        """Functions called from here, each once, in the order of the first call."""
        found: dict[FunctionCode, None] = {}
        for line in self.lines:
            if isinstance(line.immediate, FunctionCode):
                found[line.immediate] = None
        return list(found)


class Writer:
    """Appends lines. Lines that nothing can reach are not written."""

    def __init__(self, code: FunctionCode) -> None:
        self.code = code
        self.is_open = True  # the next line can be reached from the last one
        self._placed: list[Label] = []

    def write(self, line: Line) -> None:
        """Append one line."""
        if not self.is_open:
            return
        self.code.lines.append(line)
        if isinstance(line.immediate, Label):
            line.immediate.is_used = True
        if line.op in (Op.JMP, Op.RET, Op.REJ, Op.HALT):
            self.is_open = False

    def place(self, label: Label) -> None:
        """Put a label before the next line; a jump to it that would come right before is dropped."""
        lines = self.code.lines
        if lines and lines[-1].op is Op.JMP and lines[-1].immediate is label:
            lines.pop()
            for earlier in self._placed:
                earlier.position = min(earlier.position, len(lines))
            self.is_open = True
        label.position = len(lines)
        self._placed.append(label)
        self.is_open = self.is_open or label.is_used

"""The state of emitting one function: homes of variables, temporaries, labels of rejections."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from optimist.provable.check.refusal import Location
from optimist.provable.check.tree import CheckedFunction, RecordKind, Variable
from optimist.provable.emit.code import FunctionCode, Label, Line, Writer
from optimist.provable.emit.frame import BlockWord, Frame, Operand, Pool, Word
from optimist.vm.isa import RECORD_WORDS, Op


@dataclass(frozen=True, slots=True)
class LoopLabels:
    """Where `continue` and `break` go."""

    next_round: Label
    end: Label


@dataclass(frozen=True, slots=True)
class LeaveTarget:
    """Where an inlined body puts its results and goes."""

    results: list[Operand]
    end: Label


class Emitter:
    """Emits the code of one function. `get_code` gives that of the functions it calls."""

    def __init__(
        self, function: CheckedFunction, get_code: Callable[[CheckedFunction], FunctionCode], is_entry: bool
    ) -> None:
        self.function = function
        self.get_code = get_code
        self.is_entry = is_entry
        self.frame = Frame(function.name)
        self.code = FunctionCode(function.name, function.is_handler, self.frame)
        self.writer = Writer(self.code)
        self.results = [self.frame.take_word() for _ in function.results]
        self.parameters = [self.frame.take_word() for _ in function.parameters]
        self.homes: dict[
            Variable, Word | BlockWord
        ] = {}  # a record's block, or the word that holds its address
        self.loops: list[LoopLabels] = []
        self.leaves: list[LeaveTarget] = []
        self._rejections: dict[tuple[int, Location], Label] = {}
        self._scratch: list[list[Word | BlockWord]] = []
        self._owners: list[list[Word | BlockWord]] = []  # who releases the variables of inlined copies
        for variable, word in zip(function.parameters, self.parameters, strict=True):
            self.homes[variable] = word

    # ------------------------------------------------------------------------------------------------ writing

    def write(
        self,
        op: Op,
        location: Location,
        d: Operand | None = None,
        a: Operand | None = None,
        b: Operand | None = None,
        immediate: "int | Label | FunctionCode | BlockWord" = 0,
    ) -> None:
        """Append one instruction."""
        self.writer.write(Line(op, location, d, a, b, immediate))

    def move(self, location: Location, target: Operand, source: Operand) -> None:
        """Target = source, unless they are the same place."""
        if target != source:
            self.write(Op.MOV, location, target, source)

    def rejection(self, code: int, location: Location) -> Label:
        """A label behind which the input is rejected with `code`; written at the end of the function."""
        return self._rejections.setdefault((code, location), Label())

    def write_rejections(self) -> None:
        """Write the rejections that something jumps to."""
        for (code, location), label in self._rejections.items():
            if label.is_used:
                self.writer.place(label)
                self.write(Op.REJ, location, immediate=code)

    # ------------------------------------------------------------------------------------------------- places

    @contextmanager
    def scratch(self) -> Iterator[None]:
        """Temporaries taken inside are released at the end."""
        self._scratch.append([])
        yield
        for place in self._scratch.pop():
            self.frame.release(place)

    @contextmanager
    def inlining(self) -> Iterator[None]:
        """Variables that get a home inside are released with the temporaries of the surrounding statement."""
        self._owners.append(self._scratch[-1])
        yield
        self._owners.pop()

    def temporary(self) -> Word:
        """A word until the end of the statement."""
        word = self.frame.take_word()
        self._scratch[-1].append(word)
        return word

    def temporary_block(self, size: int) -> BlockWord:
        """A block until the end of the statement."""
        block = self.frame.take_block(size)
        self._scratch[-1].append(block)
        return block

    def home(self, variable: Variable) -> Word | BlockWord:
        """Where a variable lives; it gets a place when it is first assigned."""
        if variable not in self.homes:
            kind = variable.kind
            place: Word | BlockWord
            if isinstance(kind, RecordKind):
                place = self.frame.take_block(block_size(kind))
            else:
                place = self.frame.take_word()
            if self._owners:
                self._owners[-1].append(place)
            self.homes[variable] = place
        return self.homes[variable]

    def word_home(self, variable: Variable) -> Word:
        """Where a scalar variable lives, or the address of a record parameter."""
        return cast("Word", self.home(variable))

    def is_unstable(self, operand: Operand) -> bool:
        """Whether running other code may change an operand: words of records, results in other frames."""
        return isinstance(operand, BlockWord) or (
            isinstance(operand, Word) and operand.frame is not self.frame
        )


def block_size(kind: RecordKind) -> int:
    """Words of the block that holds a record."""
    return RECORD_WORDS if kind.layout.words <= RECORD_WORDS else 2 * RECORD_WORDS


ZERO = Pool(0)
ONE = Pool(1)

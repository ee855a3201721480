"""Laying out the image: order of functions, bases of frames, the constant pool, and every field of every
word.
"""

from dataclasses import dataclass
from typing import Final

from optimist.provable.check.refusal import Location, Refused
from optimist.provable.check.tree import CheckedFunction
from optimist.provable.emit.code import FunctionCode, Label, Line
from optimist.provable.emit.control import emit_function
from optimist.provable.emit.emitter import Emitter
from optimist.provable.emit.frame import AddressOf, BlockWord, Operand, Pool, Word
from optimist.vm.image import Image
from optimist.vm.isa import MEMORY_WORDS, PROGRAM_WORDS, Instruction

WORD_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Where one instruction comes from."""

    file: str
    line: int
    column: int
    function: str


@dataclass(frozen=True, slots=True)
class FunctionPlace:
    """Where one function is: its instructions [start, end) and its frame of `frame_words` from
    `frame_base`.
    """

    name: str
    start: int
    end: int
    frame_base: int
    frame_words: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """An image with its instructions, its map to the source, and the code it was made of (the entry
    first).
    """

    image: Image
    instructions: tuple[Instruction, ...]
    source_map: tuple[SourcePlace, ...]
    functions: tuple[FunctionPlace, ...]
    codes: tuple[FunctionCode, ...]


def assemble(entry: CheckedFunction) -> Assembly:
    """Emit and lay out everything that the entry reaches. Raises Refused when the image exceeds the
    machine.
    """
    codes = _emit_all(entry)
    pool = _collect_pool(codes)
    size = sum(len(code.lines) for code in codes)
    if size > PROGRAM_WORDS:
        problem = f"the program has {size} instructions, the machine holds {PROGRAM_WORDS}"
        raise Refused(entry.location, problem, "write functions instead of @inline, or less")
    _place_frames(entry.location, codes, len(pool))
    start = 0
    for code in codes:
        code.start = start
        start += len(code.lines)
    layout = _Layout(pool)
    instructions: list[Instruction] = []
    places: list[SourcePlace] = []
    for code in codes:
        for line in code.lines:
            instructions.append(layout.instruction(code, line))
            places.append(SourcePlace(*line.location, code.name))
    functions = tuple(
        FunctionPlace(code.name, code.start, code.start + len(code.lines), code.frame.base, code.frame.size)
        for code in codes
    )
    memory = tuple(layout.pool_word(constant) for constant in pool)
    image = Image(tuple(instruction.encode() for instruction in instructions), memory, codes[0].start)
    return Assembly(image, tuple(instructions), tuple(places), functions, tuple(codes))


def _emit_all(entry: CheckedFunction) -> list[FunctionCode]:
    """Code of every function that the entry reaches: callers before callees, otherwise in the order of
    calls.
    """
    known: dict[CheckedFunction, FunctionCode] = {}

    def get_code(function: CheckedFunction) -> FunctionCode:
        if function not in known:
            emitter = Emitter(function, get_code, is_entry=function is entry)
            emit_function(emitter)
            known[function] = emitter.code
        return known[function]

    ordered: list[FunctionCode] = []

    def visit(code: FunctionCode) -> None:
        for callee in reversed(code.callees()):
            if callee not in ordered:
                visit(callee)
        ordered.append(code)

    visit(get_code(entry))
    return ordered[::-1]


def _collect_pool(codes: list[FunctionCode]) -> dict[Pool | AddressOf, int]:
    """Constant -> address, in the order of first use."""
    pool: dict[Pool | AddressOf, int] = {}
    for code in codes:
        for line in code.lines:
            for operand in (line.d, line.a, line.b):
                if isinstance(operand, Pool | AddressOf):
                    pool.setdefault(operand, len(pool))
    return pool


def _place_frames(where: Location, codes: list[FunctionCode], start: int) -> None:
    """A frame begins where those of all callers have ended: functions that never run together share
    memory.
    """
    for code in codes:
        code.frame.base = start
    for code in codes:  # callers come before callees
        frame = code.frame
        frame.base = -(-frame.base // frame.alignment) * frame.alignment
        end = frame.base + frame.size
        if end > MEMORY_WORDS:
            raise Refused(
                where,
                f"the frame of {code.name} ends at word {end}, the machine has {MEMORY_WORDS}",
                "write fewer variables and records, or calls that are less deep",
            )
        for callee in code.callees():
            callee.frame.base = max(callee.frame.base, end)


class _Layout:
    def __init__(self, pool: dict[Pool | AddressOf, int]) -> None:
        self.pool = pool
        self.offsets: dict[object, list[int]] = {}

    def pool_word(self, constant: Pool | AddressOf) -> bytes:
        value = constant.value if isinstance(constant, Pool) else self.address(constant.block)
        return value.to_bytes(WORD_BYTES, "big", signed=True)

    def address(self, operand: Operand | None) -> int:
        match operand:
            case None:
                return 0
            case Word(frame=frame, index=index):
                return frame.base + index
            case BlockWord(frame=frame, block=block, offset=offset):
                if frame not in self.offsets:
                    self.offsets[frame] = frame.block_offsets()
                return frame.base + self.offsets[frame][block] + offset
            case _:
                return self.pool[operand]

    def instruction(self, code: FunctionCode, line: Line) -> Instruction:
        target = line.immediate
        if isinstance(target, Label):
            immediate = code.start + target.position
        elif isinstance(target, FunctionCode):
            immediate = target.start
        elif isinstance(target, BlockWord):
            immediate = self.address(target)
        else:
            immediate = target
        return Instruction(
            line.op, self.address(line.d), self.address(line.a), self.address(line.b), immediate
        )

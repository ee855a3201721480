"""What compiling a law gives: the image, the bounds on its steps, and the way back to the source."""

from dataclasses import dataclass
from typing import Final

from optimist.provable.check.program import CheckedProgram
from optimist.provable.check.refusal import Refused
from optimist.provable.emit.assemble import Assembly, FunctionPlace, SourcePlace, assemble
from optimist.provable.emit.bounds import compute_worst_steps
from optimist.vm.image import Image
from optimist.vm.isa import Instruction, Op

MAX_STEPS: Final = 8**6  # a trace commitment has k^h2 = 8^6 = 262,144 positions


@dataclass(frozen=True, slots=True)
class CompiledProgram:
    """A compiled law.

    `source_map[pc]` is where an instruction comes from; `worst_steps` the bound for each @handler by name
    (for the entry, if there is no handler), `bound` the one over everything; `notes` are remarks on code
    that the widths decide.
    """

    image: Image
    instructions: tuple[Instruction, ...]
    source_map: tuple[SourcePlace, ...]
    functions: tuple[FunctionPlace, ...]
    worst_steps: dict[str, int]
    bound: int
    notes: tuple[str, ...]

    @property
    def memory_words(self) -> int:
        """Words of memory that the constants and the frames take."""
        return max(function.frame_base + function.frame_words for function in self.functions)

    def listing(self) -> str:
        """Every instruction with its fields and the place in the source that it comes from."""
        starts = {function.start: function for function in self.functions}
        lines = [f"image root {self.image.root.hex()}", ""]
        for address, word in enumerate(self.image.memory):
            lines.append(f"constant {address:4d}  {int.from_bytes(word, 'big', signed=True)}")
        for pc, (instruction, place) in enumerate(zip(self.instructions, self.source_map, strict=True)):
            if pc in starts:
                function = starts[pc]
                end = function.frame_base + function.frame_words
                lines += ["", f"{function.name}:  frame {function.frame_base}..{end - 1}"]
            op = Op(instruction.op).name
            fields = f"d={instruction.d:<4d} a={instruction.a:<4d} b={instruction.b:<4d}"
            where = f"{place.file}:{place.line}:{place.column}"
            lines.append(f"{pc:5d}  {op:<6s} {fields} imm={instruction.imm:<10d} {where}")
        return "\n".join(lines)


def compile_program(
    sources: dict[str, str], files: dict[str, str], entry: str, max_steps: int = MAX_STEPS
) -> CompiledProgram:
    """Compile a law. Raises Refused, also when a run may take more than `max_steps` steps."""
    checked = CheckedProgram(sources, files, entry)
    assembly = assemble(checked.entry)
    worst_steps, bound = _worst_steps(checked, assembly, max_steps)
    return CompiledProgram(
        assembly.image,
        assembly.instructions,
        assembly.source_map,
        assembly.functions,
        worst_steps,
        bound,
        tuple(checked.notes),
    )


def _worst_steps(checked: CheckedProgram, assembly: Assembly, max_steps: int) -> tuple[dict[str, int], int]:
    entry = assembly.codes[0]
    bound = compute_worst_steps(entry)
    handlers = [code for code in assembly.codes if code.is_handler]
    worst = {code.name: compute_worst_steps(entry, code) for code in handlers} or {entry.name: bound}
    if bound > max_steps:
        slow = ", ".join(f"{name} {steps}" for name, steps in worst.items() if steps > max_steps)
        raise Refused(
            checked.entry.location,
            f"one input may take {bound} steps, {max_steps} are allowed ({slow or entry.name})",
            "write smaller bounds of loops, or split the work into several inputs",
        )
    return worst, bound

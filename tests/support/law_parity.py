"""One law, three ways: natively, as a checked tree that is interpreted, and on the machine. All must
agree.
"""

import ast
import random
import sys
from dataclasses import dataclass

from optimist.provable import State
from optimist.provable.check.program import CheckedProgram
from optimist.provable.check.refusal import Refused
from optimist.provable.compiled import CompiledProgram
from optimist.provable.program import Program
from optimist.provable.record import RECORD_BYTES
from optimist.vm.fast import run
from tests.support.random_laws import RandomLaw, write_random_input
from tests.support.tree_interpreter import interpret

ABSENT = bytes(RECORD_BYTES)
INPUTS = 12  # each random law is given this many, one after the other


@dataclass
class Counts:
    """What a comparison has seen."""

    programs: int = 0
    refused: int = 0
    accepted: int = 0
    rejected: int = 0
    notes: int = 0


def compare_random_law(seed: int, counts: Counts) -> None:
    """Write the law of this seed and, unless it is refused, compare its faces. Raises AssertionError."""
    program = Program({"random_law": RandomLaw(seed).source}, "random_law.apply_input")
    try:
        compiled = program.compile()
    except Refused:
        counts.refused += 1
        return
    counts.programs += 1
    assert compiled.image == strip_notes(program).compile().image, "a note changed the image"
    rng = random.Random(seed)
    compare_faces(program, compiled, [write_random_input(rng) for _ in range(INPUTS)], State(), counts)


def compare_faces(
    program: Program, compiled: CompiledProgram, inputs: list[bytes], state: State, counts: Counts
) -> None:
    """Apply the inputs in order, each way. Raises AssertionError where two ways differ."""
    entry = program.native()
    tree = CheckedProgram(program.sources, program.files, program.entry).entry
    for data in inputs:
        before = dict(state.items())
        receipt = state.apply(entry, data)
        execution = run(compiled.image, before, data)
        code, writes, notes = interpret(tree, before, data)
        assert (execution.rejected, execution.code) == (receipt.rejected, receipt.code), data.hex()
        assert code == receipt.code, data.hex()
        changes = {key: new or ABSENT for key, (_, new) in receipt.writes.items()}
        assert _changes(before, execution.writes) == changes, data.hex()
        assert _changes(before, writes) == changes, data.hex()
        assert [note.record_words() for note in receipt.notes] == notes, data.hex()
        if not receipt.rejected:
            assert sorted(execution.writes) == sorted(receipt.keys), data.hex()
        assert execution.steps <= compiled.bound, data.hex()
        counts.accepted += not receipt.rejected
        counts.rejected += receipt.rejected
        counts.notes += len(receipt.notes)


def strip_notes(program: Program) -> Program:
    """The same law without its notes."""
    sources = {name: ast.unparse(_Silence().visit(ast.parse(text))) for name, text in program.sources.items()}
    return Program(sources, program.entry, program.files)


class _Silence(ast.NodeTransformer):
    """Takes out every call of note."""

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        match node.value:
            case ast.Call(func=ast.Name(id="note")):
                return ast.Pass()
            case _:
                return node


def _changes(before: dict[int, bytes], writes: dict[int, bytes]) -> dict[int, bytes]:
    return {key: data for key, data in writes.items() if data != before.get(key, ABSENT)}


def main() -> None:
    """Replay one seed: print the law and compare its faces."""
    seed = int(sys.argv[1])
    sys.stdout.write(RandomLaw(seed).source)
    counts = Counts()
    compare_random_law(seed, counts)
    sys.stdout.write(f"\n{counts}\n")


if __name__ == "__main__":
    main()

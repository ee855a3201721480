"""Steps of real traces, of every opcode and for every cause of rejection, ready to be asked of all faces.

`collect_steps` runs the law on workloads and other programs on their inputs, samples their states and, for
what no compiled program does, edits some of them. The law comes first; a part is left to other programs,
since their instructions are unlike the law's.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from optimist.vm.image import Image
from optimist.vm.isa import Op
from optimist.vm.step import step
from optimist.vm.walker import Walker
from tests.support.compiled_programs import (
    PROGRAMS,
    make_program_history,
    make_random_history,
)
from tests.support.law_steps import make_law_history
from tests.support.machine_cases import CELLS, ORDINARY, Cell
from tests.support.machine_faces import replayable
from tests.support.step_contract import StepContract
from tests.support.tampering import EDITS, TamperedProgram, tamper, tamper_program
from tests.support.trace_sample import Place, Survey, visit

LAW, OTHERS, TAMPERED, SYNTHETIC = "law", "other programs", "tampered", "synthetic"
KINDS: Final = (LAW, OTHERS, TAMPERED, SYNTHETIC)
TRACED: Final = (LAW, OTHERS, TAMPERED)  # what counts as taken from real traces

OTHERS_SHARE: Final = 4  # one in so many is taken from other programs, if they have it
EDITIONS: Final = 3  # differently edited programs for one cause and image


@dataclass(frozen=True)
class Sources:
    """Which histories to run, by seed, and how many steps to take of them."""

    workloads: Sequence[int]
    programs: Sequence[int]
    random_laws: Sequence[int]
    ordinary: int  # steps of each opcode
    rejected: int  # steps of each cause


@dataclass(frozen=True, slots=True)
class RealStep:
    """One step by the fast machine. `where` finds it again."""

    cell: Cell
    kind: str
    origin: Image  # of the program that came here; `image` is its edited copy, where it was edited
    pc: int
    image: Image
    pre: bytes
    proof: bytes
    post: bytes
    code: int
    where: str


@dataclass(frozen=True, slots=True)
class _Task:
    """What to do with a chosen place."""

    cell: Cell
    kind: str
    program: TamperedProgram | None = None


class Collector:
    """Chooses places for every opcode and cause, and takes the steps there."""

    def __init__(self, sources: Sources, seed: int) -> None:
        self.sources = sources
        self.law = [make_law_history(number) for number in sources.workloads]
        self.programs = [
            make_program_history(name, number) for name in PROGRAMS for number in sources.programs
        ]
        random_laws = [make_random_history(number) for number in sources.random_laws]
        self.others = self.programs + [history for history in random_laws if history is not None]
        self.histories = self.law + self.others
        self.survey = Survey(self.histories, seed, max(sources.ordinary, sources.rejected))
        self.tasks: defaultdict[Place, list[_Task]] = defaultdict(list)
        self._edited: dict[tuple[int, Cell, int], TamperedProgram] = {}

    def plan(self) -> None:
        """Choose for each opcode and cause."""
        for cell in CELLS:
            if cell in EDITS:
                self._plan_edits(cell)
            else:
                self._plan(cell, self.sources.ordinary if cell[1] == ORDINARY else self.sources.rejected)

    def _plan(self, cell: Cell, wanted: int) -> None:
        """A part from other programs, or all that the law does not have."""
        law = self.survey.choose((cell,), self.law, wanted)
        others = self.survey.choose((cell,), self.others, max(wanted // OTHERS_SHARE, wanted - len(law)))
        for kind, places in ((OTHERS, others), (LAW, law[: wanted - len(others)])):
            for place in places:
                self.tasks[place].append(_Task(cell, kind))

    def _plan_edits(self, cell: Cell) -> None:
        """States before the cell's opcode, or before any where the opcode is none."""
        op, wanted = cell[0], self.sources.rejected
        before = [(other, ORDINARY) for other in Op if op in (other, Op.ILL)]
        places = self.survey.choose(before, self.law, wanted)
        places += self.survey.choose(before, self.programs, wanted - len(places))
        for number, place in enumerate(places):
            program = self._edit(self.histories[place.history].image, cell, number % EDITIONS)
            self.tasks[place].append(_Task(cell, TAMPERED, program))

    def _edit(self, image: Image, cell: Cell, edition: int) -> TamperedProgram:
        """The same object for the same arguments: its contract is deployed once."""
        key = id(image), cell, edition
        if key not in self._edited:
            self._edited[key] = tamper_program(image, cell, edition)
        return self._edited[key]

    def take(self) -> dict[Op, list[RealStep]]:
        """Run the histories again and stop at the chosen places."""
        steps: defaultdict[Op, list[RealStep]] = defaultdict(list)
        for place, walker in visit(self.histories, self.tasks):
            where = f"step {place.step} of input {place.input} of {self.histories[place.history].name}"
            tasks = self.tasks[place]
            for task in sorted(
                tasks, key=lambda task: task.program is None
            ):  # the one without an edit moves it
                steps[task.cell[0]].append(_take(task, walker, place, where))
        return dict(steps)


def collect_steps(sources: Sources, seed: int = 0) -> dict[Op, list[RealStep]]:
    """Steps of every opcode, for each cause as many as `sources` ask for or as there are."""
    collector = Collector(sources, seed)
    collector.plan()
    return collector.take()


def _take(task: _Task, walker: Walker, place: Place, where: str) -> RealStep:
    origin, pc = walker.image, walker.core.pc
    if task.program is not None:
        walker = tamper(walker, task.program, place.step)
        where = f"{where}, edited: {task.cell[1]}"
    pre, proof = walker.compute_hash(), walker.prove()
    walker.advance()
    post = walker.compute_hash()
    code = walker.core.result
    return RealStep(task.cell, task.kind, origin, pc, walker.image, pre, proof, post, code, where)


def compare_steps(steps: Iterable[RealStep]) -> None:
    """The slow step and the contract must lead where the fast machine went. Raises AssertionError."""
    for real in steps:
        contract = _deploy(real.image)
        line = f"step(0x{real.pre.hex()}, 0x{real.proof.hex()}) -> 0x{real.post.hex()} by fast.py"
        with replayable(f"{real.where}\n{line}"):
            assert step(real.pre, real.proof, real.image.program_root) == real.post, "step.py differs"
            assert contract.step(real.pre, real.proof) == real.post, "Step.sol differs from fast.py"


@lru_cache(maxsize=64)  # steps come by program: few are met again after others
def _deploy(image: Image) -> StepContract:
    return StepContract(image)

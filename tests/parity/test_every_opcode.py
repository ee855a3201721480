"""Every opcode and every cause of rejection: fast machine, slow step and contract give one hash.

At least half of the steps are taken from real traces, the others from random states. A cause that no
compiled program rejects for is tried on states of real traces with one edit; why it cannot be reached
otherwise is found in the compiled code, and printed.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping

import pytest

from optimist.provable import State
from optimist.prove.law import load_law
from optimist.stf.law import PRESETS
from optimist.vm.isa import Instruction, Op
from optimist.vm.rare import CONTINUE, HALT
from tests.support.compiled_programs import (
    PROGRAMS,
    compile_random_law,
    get_program,
    make_program_history,
)
from tests.support.law_parity import Counts, compare_faces
from tests.support.law_steps import get_image
from tests.support.machine_cases import CELLS, ORDINARY, Cell, make_cases, make_grid
from tests.support.machine_faces import replayable, step_everywhere
from tests.support.real_steps import (
    LAW,
    SYNTHETIC,
    TAMPERED,
    TRACED,
    RealStep,
    Sources,
    collect_steps,
    compare_steps,
)
from tests.support.step_contract import StepContract
from tests.support.tampering import EDITS
from tests.support.trace_sample import share_evenly
from tests.support.unreachable import Code, explain

ORDINARY_STEPS = 2_000  # for each opcode, at least
REJECTED_STEPS = 200  # for each cause of rejection of each opcode, at least
CASES_PER_BENCH = 500  # then another memory, state and input
SOURCES = Sources(
    workloads=range(24), programs=range(8), random_laws=range(400), ordinary=1_600, rejected=120
)
ENDS = {Op.HALT: HALT}


@pytest.fixture(scope="module")
def real_steps() -> Mapping[Op, list[RealStep]]:
    """Steps of real traces by opcode."""
    return collect_steps(SOURCES)


def _split(cells: list[Cell]) -> Iterator[list[Cell]]:
    for start in range(0, len(cells), CASES_PER_BENCH):
        yield cells[start : start + CASES_PER_BENCH]


def check_end(cell: Cell, code: int) -> None:
    """A step rejects where it has a cause to, and only there."""
    op, cause = cell
    if cause != ORDINARY or op == Op.REJ:
        assert code >= 0, f"{op.name} did not reject: {cause}"
    else:
        assert code == ENDS.get(op, CONTINUE), f"{op.name} rejected: {code}"


def compare(seed: int, cells: list[Cell]) -> Counter[str]:
    """Compare one step on a random state for each cell; how many by cause."""
    compared: Counter[str] = Counter()
    image, cases = make_cases(seed, cells)
    contract = StepContract(image)
    for case in cases:
        check_end((case.op, case.cause), step_everywhere(image, contract, case.walker).code)
        compared[case.cause] += 1
    return compared


@pytest.mark.timeout(400)  # the first of these runs all the traces, some 25 s of one core
@pytest.mark.parametrize("op", list(Op), ids=lambda op: op.name)
def test_opcode_steps_to_the_same_state_in_all_faces(
    op: Op, real_steps: Mapping[Op, list[RealStep]], count_shares: Callable[[Cell, Counter[str], int], None]
) -> None:
    shares: defaultdict[str, Counter[str]] = defaultdict(Counter)
    cells = [
        cell
        for cell in CELLS
        if cell[0] == op
        for _ in range((ORDINARY_STEPS if cell[1] == ORDINARY else REJECTED_STEPS) // 2)
    ]
    for number, part in enumerate(_split(cells)):
        seed = op * 1_000 + number
        with replayable(f"make_cases({seed}, part {number} of opcode {op.name})"):
            for cause, count in compare(seed, part).items():
                shares[cause][SYNTHETIC] += count

    instructions: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    compare_steps(real_steps[op])
    for real in real_steps[op]:
        check_end(real.cell, real.code)
        shares[real.cell[1]][real.kind] += 1
        instructions[real.cell[1]].add((id(real.origin), real.pc))

    assert {(op, cause) for cause in shares} == {cell for cell in CELLS if cell[0] == op}
    for cause, share in shares.items():
        check_shares((op, cause), share)
        count_shares((op, cause), share, len(instructions[cause]))


def check_shares(cell: Cell, share: Counter[str]) -> None:
    """Enough steps, half of them from real traces; edited ones only where there are no others."""
    assert share.total() >= (ORDINARY_STEPS if cell[1] == ORDINARY else REJECTED_STEPS)
    assert 2 * sum(share[kind] for kind in TRACED) >= share.total()
    assert (share[TAMPERED] > 0) is (cell in EDITS)


def test_law_lends_steps_of_every_opcode_that_it_is_compiled_to(
    real_steps: Mapping[Op, list[RealStep]],
) -> None:
    lines = get_image().program
    used = {Op(Instruction.decode(line).op) for line in lines}
    lent = [real for steps in real_steps.values() for real in steps if real.kind == LAW]
    assert {real.cell[0] for real in lent} == used
    # Those that only edge cases reach are left, see test_law_parity.py.
    assert len({real.pc for real in lent}) > 0.9 * len(lines)


def test_compiler_leaves_no_way_to_the_causes_that_are_edited_in(
    record_reason: Callable[[Cell, str], None],
) -> None:
    compiled = [load_law(preset).compiled for preset in PRESETS]
    compiled += [get_program(name).compile() for name in PROGRAMS]
    compiled += [law for seed in range(100) if (law := compile_random_law(seed)) is not None]
    codes = [Code(program) for program in compiled]
    for cell in EDITS:
        record_reason(cell, explain(cell, codes))


@pytest.mark.parametrize("name", PROGRAMS)
def test_small_programs_behave_natively_as_on_the_machine(name: str) -> None:
    program, counts = get_program(name), Counts()
    for seed in range(2):
        inputs = make_program_history(name, seed).inputs
        compare_faces(program, program.compile(), list(inputs), State(), counts)
    assert min(counts.accepted, counts.rejected) > 10


def test_shares_are_even_up_to_what_there_is() -> None:
    assert share_evenly(10, [100, 1, 100]) == [4, 1, 5]
    assert share_evenly(9, [3, 3, 3]) == share_evenly(99, [3, 3, 3]) == [3, 3, 3]
    assert share_evenly(2, [1, 1, 1]) == [0, 1, 1]
    assert share_evenly(0, [5]) == [0]
    assert share_evenly(5, []) == []


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(6))
def test_many_real_steps_are_the_same_in_all_faces(
    chunk: int, count_steps: Callable[[str, int], None]
) -> None:
    sources = Sources(
        workloads=range(100 + 20 * chunk, 120 + 20 * chunk),
        programs=range(100 + 10 * chunk, 110 + 10 * chunk),
        random_laws=range(1_000 + 400 * chunk, 1_400 + 400 * chunk),
        ordinary=4_000,
        rejected=400,
    )
    for op, steps in collect_steps(sources, seed=chunk).items():
        compare_steps(steps)
        for real in steps:
            check_end(real.cell, real.code)
        count_steps(f"{op.name} of real traces", len(steps))


def test_pairs_of_edge_words_step_to_the_same_state(
    count_steps: Callable[[str, int], None],
) -> None:
    image, cases = make_grid()
    contract = StepContract(image)
    steps = 0
    for case in cases:
        step_everywhere(image, contract, case.walker)
        steps += 1
    assert steps >= 3_000
    count_steps("pairs of edge words", steps)

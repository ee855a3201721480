"""Every opcode and every cause of rejection: fast machine, slow step and contract give one hash."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from optimist.vm.isa import Op
from optimist.vm.rare import CONTINUE, HALT
from tests.support.machine_cases import CELLS, ORDINARY, Cell, make_cases, make_grid
from tests.support.machine_faces import replayable, step_everywhere
from tests.support.step_contract import StepContract

ORDINARY_STEPS = 2_000  # for each opcode
REJECTED_STEPS = 200  # for each cause of rejection of each opcode
CASES_PER_BENCH = 500  # then another memory, state and input


def _split(cells: list[Cell]) -> Iterator[list[Cell]]:
    for start in range(0, len(cells), CASES_PER_BENCH):
        yield cells[start : start + CASES_PER_BENCH]


def compare(seed: int, cells: list[Cell]) -> Counter[str]:
    """Compare one step for each cell; how many by cause."""
    compared: Counter[str] = Counter()
    image, cases = make_cases(seed, cells)
    contract = StepContract(image)
    for case in cases:
        code = step_everywhere(image, contract, case.walker).code
        if case.cause != ORDINARY:
            assert code >= 0, f"{case.op.name} did not reject: {case.cause}"
        elif case.op != Op.REJ:
            assert code == (HALT if case.op == Op.HALT else CONTINUE), f"{case.op.name} rejected: {code}"
        compared[case.cause] += 1
    return compared


@pytest.mark.parametrize("op", list(Op), ids=lambda op: op.name)
def test_opcode_steps_to_the_same_state_in_all_faces(op: Op, count_steps: Callable[[str, int], None]) -> None:
    cells = [
        cell
        for cell in CELLS
        if cell[0] == op
        for _ in range(ORDINARY_STEPS if cell[1] == ORDINARY else REJECTED_STEPS)
    ]
    compared: Counter[str] = Counter()
    for number, part in enumerate(_split(cells)):
        seed = op * 1_000 + number
        with replayable(f"make_cases({seed}, part {number} of opcode {op.name})"):
            compared += compare(seed, part)

    for cause in compared:
        assert compared[cause] >= (ORDINARY_STEPS if cause == ORDINARY else REJECTED_STEPS)
        count_steps(f"{op.name} {ORDINARY if cause == ORDINARY else 'rejected'}", compared[cause])


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

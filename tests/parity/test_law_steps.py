"""Steps of the law itself, taken from real workloads: every opcode that it is compiled to, in all faces."""

from collections import Counter
from collections.abc import Callable

import pytest

from optimist.vm.isa import Instruction, Op
from tests.support.law_steps import find_steps, get_image, get_next_op
from tests.support.machine_faces import replayable, step_everywhere
from tests.support.step_contract import StepContract

STEPS = 1_000  # of each opcode
USED = {Op(Instruction.decode(word).op) for word in get_image().program}


def compare(seeds: range, wanted: int) -> Counter[Op]:
    """Compare that many steps of each opcode, or as many as these workloads have."""
    contract = StepContract(get_image())
    seen: Counter[Op] = Counter()
    for seed in seeds:
        with replayable(f"find_steps({seed}, …)"):
            for walker in find_steps(seed, wanted, seen):
                op = get_next_op(walker)
                step_everywhere(walker.image, contract, walker)
                seen[op] += 1
    return seen


@pytest.mark.timeout(900)  # some 20 s of one core
def test_steps_of_the_law_are_the_same_in_all_faces(count_steps: Callable[[str, int], None]) -> None:
    seen = compare(range(3), STEPS)
    assert set(seen) == USED
    for op in sorted(seen):
        count_steps(f"{op.name} in the law", seen[op])
    assert seen.total() >= 25_000  # some opcodes are rare in the law: they come as often as they come


@pytest.mark.long
def test_many_steps_of_the_law_are_the_same_in_all_faces(count_steps: Callable[[str, int], None]) -> None:
    seen = compare(range(100, 130), 20_000)
    for op in sorted(seen):
        count_steps(f"{op.name} in the law", seen[op])
    assert set(seen) == USED
    assert seen.total() >= 200_000

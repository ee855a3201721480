"""Whole executions, step after step: the fast machine, the slow step and the contract never part."""

from collections.abc import Callable

import pytest

from optimist.vm.isa import Op
from optimist.vm.walker import Walker
from tests.support.machine_cases import ORDINARY, make_cases
from tests.support.machine_faces import replayable, step_everywhere
from tests.support.step_contract import StepContract

STREAM_STEPS = 40  # a random stream seldom lives longer: it divides by zero, or jumps to where nothing is
STREAMS_PER_BENCH = 200


def compare_traces(source: Callable[[int], list[Walker]], seeds: range) -> int:
    """Compare every step of every input of a source; the number of steps."""
    steps = 0
    for seed in seeds:
        for number, walker in enumerate(source(seed)):
            contract = StepContract(walker.image)
            with replayable(f"input {number} of seed {seed}"):
                while not walker.has_stopped:
                    step_everywhere(walker.image, contract, walker)
                    steps += 1
    return steps


def compare_streams(seeds: range) -> int:
    """Compare random streams of instructions on random memory; the number of steps."""
    cells = [(op, ORDINARY) for op in Op if op not in (Op.ILL, Op.HALT, Op.REJ)] * 40
    steps = 0
    for seed in seeds:
        image, cases = make_cases(seed, cells)
        contract = StepContract(image)
        for number, case in enumerate(cases):
            if number == STREAMS_PER_BENCH:
                break
            with replayable(f"stream {number} of seed {seed}"):
                while not case.walker.has_stopped and case.walker.core.steps < STREAM_STEPS:
                    step_everywhere(image, contract, case.walker)
                    steps += 1
    return steps


def test_traces_step_to_the_same_states_in_all_faces(
    traces: Callable[[int], list[Walker]],
    count_steps: Callable[[str, int], None],
    request: pytest.FixtureRequest,
) -> None:
    steps = compare_traces(traces, range(2))
    assert steps >= 1_000
    count_steps(f"trace {request.node.callspec.id}", steps)


@pytest.mark.long
def test_many_traces_step_to_the_same_states_in_all_faces(
    traces: Callable[[int], list[Walker]],
    count_steps: Callable[[str, int], None],
    request: pytest.FixtureRequest,
) -> None:
    steps = compare_traces(traces, range(100, 150))
    count_steps(f"trace {request.node.callspec.id}", steps)


def test_random_streams_step_to_the_same_states_in_all_faces(count_steps: Callable[[str, int], None]) -> None:
    steps = compare_streams(range(9_000, 9_010))
    assert steps >= 4_000
    count_steps("random streams", steps)


@pytest.mark.long
def test_many_random_streams_step_to_the_same_states_in_all_faces(
    count_steps: Callable[[str, int], None],
) -> None:
    count_steps("random streams", compare_streams(range(10_000, 10_200)))

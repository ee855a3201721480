from typing import Any

import pytest

from optimist.vm.fast import Execution, StepLimitExceeded, run
from optimist.vm.image import Image
from optimist.vm.isa import PROGRAM_WORDS, REJECT_ADDRESS, Instruction, Op
from optimist.vm.rare import Signatures
from optimist.vm.records import ABSENT, compute_record_key, pack_record
from optimist.vm.walker import Walker
from optimist.vm.word import to_bytes
from tests.support.machine_programs import make_sorting, make_transfers

COUNTDOWN = Image(
    tuple(
        line.encode()
        for line in (
            Instruction(Op.SUB, 0, 0, 1),
            Instruction(Op.BLT, a=2, b=0, imm=0),
            Instruction(Op.HALT),
        )
    ),
    (to_bytes(10), to_bytes(1), to_bytes(0)),
    0,
)


def program(*lines: Instruction, memory: tuple[int, ...] = ()) -> Image:
    return Image(tuple(line.encode() for line in lines), tuple(map(to_bytes, memory)), 0)


def test_run_counts_steps_and_leaves_the_image_as_it_was() -> None:
    for _ in range(2):
        execution = run(COUNTDOWN, {}, b"")
        assert (execution.rejected, execution.code, execution.steps, execution.writes) == (False, 0, 21, {})


def test_run_that_does_not_stop_is_an_error_and_no_result() -> None:
    with pytest.raises(StepLimitExceeded, match="100 steps, at pc 0"):
        run(program(Instruction(Op.JMP, imm=0)), {}, b"", step_limit=100)
    assert run(COUNTDOWN, {}, b"", step_limit=21).steps == 21
    with pytest.raises(StepLimitExceeded):
        run(COUNTDOWN, {}, b"", step_limit=20)


def test_rejected_run_writes_nothing() -> None:
    image = program(Instruction(Op.STR, 8, 0, 0, 1), Instruction(Op.REJ, imm=77), memory=(0,) * 8 + (5,))
    execution = run(image, {}, b"")
    assert (execution.rejected, execution.code, execution.steps, execution.writes) == (True, 77, 2, {})


def test_rejection_with_code_zero_is_a_rejection() -> None:
    execution = run(program(Instruction(Op.REJ)), {}, b"")
    assert (execution.rejected, execution.code) == (True, 0)


def test_run_reads_its_own_writes_and_not_the_callers_records() -> None:
    image = program(
        Instruction(Op.LDR, 8, 0, 0, 1),
        Instruction(Op.ADD, 8, 8, 1),
        Instruction(Op.STR, 8, 0, 0, 1),
        Instruction(Op.LDR, 16, 0, 0, 1),
        Instruction(Op.STR, 16, 1, 0, 2),
        Instruction(Op.STR, 24, 0, 0, 3),
        Instruction(Op.HALT),
        memory=(4, 1),
    )
    records = {compute_record_key(1, 4): pack_record([41]), compute_record_key(3, 4): pack_record([9])}
    before = dict(records)
    execution = run(image, records, b"")
    assert execution.writes == {
        compute_record_key(1, 4): pack_record([42]),
        compute_record_key(2, 1): pack_record([42]),
        compute_record_key(3, 4): ABSENT,
    }
    assert records == before


def test_run_off_the_end_of_the_program_rejects() -> None:
    image = Image((Instruction(Op.MOV).encode(),) * PROGRAM_WORDS, (), 0)
    execution = run(image, {}, b"")
    assert (execution.code, execution.steps) == (REJECT_ADDRESS, PROGRAM_WORDS + 1)


def test_coverage_counts_every_instruction_and_changes_nothing() -> None:
    coverage = [0] * PROGRAM_WORDS
    assert run(COUNTDOWN, {}, b"", coverage=coverage) == run(COUNTDOWN, {}, b"")
    assert coverage[:4] == [10, 10, 1, 0]


class Spy(dict[tuple[bytes, int, bytes, bytes], int]):
    """Knows nothing, remembers who was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[bytes, int, bytes, bytes]] = []

    def get(self, key: Any, default: Any = None) -> Any:
        self.asked.append(key)
        return default


def run_of(walker: Walker, signatures: Signatures | None = None) -> Execution:
    return run(walker.image, walker.core.records, walker.core.input, signatures=signatures)


def test_known_signatures_are_believed_and_others_recovered() -> None:
    walker = next(walker for walker in make_transfers(0) if not run_of(walker).rejected)
    spy = Spy()
    assert not run_of(walker, spy).rejected
    assert len(spy.asked) == 1
    assert run_of(walker, dict.fromkeys(spy.asked, 0)).rejected


def test_hand_written_programs_take_every_branch() -> None:
    codes = {run_of(walker).code for seed in range(3) for walker in make_transfers(seed)}
    assert {0, 16, 17, 18, 19} <= codes
    assert {0, 16, REJECT_ADDRESS} <= {
        run_of(walker).code for seed in range(3) for walker in make_sorting(seed)
    }

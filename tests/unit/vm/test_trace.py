import random
from itertools import pairwise

import pytest

from optimist.base.keccak import keccak
from optimist.vm.fast import StepLimitExceeded, run
from optimist.vm.image import Image
from optimist.vm.isa import Instruction, Op
from optimist.vm.rare import Core
from optimist.vm.records import build_state_tree, compute_record_key, compute_record_leaf, pack_record
from optimist.vm.state import compute_final_state, compute_initial_state, compute_input_hash
from optimist.vm.step import step
from optimist.vm.tamper import ROOTS, Edit
from optimist.vm.trace import Trace
from optimist.vm.walker import add_to_hash
from optimist.vm.witness import FalseWitness
from optimist.vm.word import to_bytes
from tests.support.machine_programs import PROGRAMS, TRANSFERS, make_transfers


def make_trace(edit: Edit | None = None, step_limit: int = 1 << 18) -> Trace:
    """A transfer that succeeds."""
    core = find_core(is_rejected=False)
    state = build_state_tree(core.records)
    return Trace(TRANSFERS, state, core.records, core.input, edit=edit, step_limit=step_limit)


def find_core(*, is_rejected: bool) -> Core:
    """A transfer that is rejected or not, before its first step."""
    cores = (walker.core for walker in make_transfers(0))
    return next(core for core in cores if run(TRANSFERS, core.records, core.input).rejected is is_rejected)


HONEST = make_trace()


def test_trace_begins_where_l1_begins_and_ends_where_the_records_end() -> None:
    core = find_core(is_rejected=False)
    tree = build_state_tree(core.records)
    assert HONEST.initial == compute_initial_state(TRANSFERS, tree.root, compute_input_hash(core.input))
    execution = run(TRANSFERS, core.records, core.input)
    assert HONEST.execution == execution
    assert len(HONEST) == execution.steps == len(HONEST.hashes)
    tree.update((key, compute_record_leaf(record)) for key, record in execution.writes.items())
    assert HONEST.hashes[-1] == compute_final_state(tree.root)


def test_trace_of_a_rejected_input_ends_in_the_root_before_it() -> None:
    core = find_core(is_rejected=True)
    state = build_state_tree(core.records)
    trace = Trace(TRANSFERS, state, core.records, core.input)
    assert trace.hashes[-1] == compute_final_state(state.root)
    assert trace.execution.rejected


def test_every_step_of_a_trace_has_its_proof() -> None:
    for index in range(len(HONEST)):
        proof = HONEST.proof(index)
        assert step(HONEST.get_state(index), proof, TRANSFERS.program_root) == HONEST.get_state(index + 1)


def test_walking_a_trace_gives_the_same_proofs() -> None:
    walked = list(HONEST.walk())
    assert [proof for _, proof, _ in walked] == [HONEST.proof(index) for index in range(len(HONEST))]
    assert [post for _, _, post in walked] == HONEST.hashes
    assert walked[0][0] == HONEST.initial


@pytest.mark.parametrize("program", sorted(PROGRAMS))
def test_steps_at_once_lead_where_single_steps_lead(program: str) -> None:
    rng = random.Random(program)
    for walker, single in zip(PROGRAMS[program](3), PROGRAMS[program](3), strict=True):
        while not walker.has_stopped:
            steps = rng.choice((1, 2, 5, 30))
            walker.skip(steps)
            for _ in range(steps):
                single.advance()
            assert walker.compute_hash() == single.compute_hash()
            assert walker.prove() == single.prove()


def test_trace_repeats_its_last_state_behind_its_end() -> None:
    for index in (len(HONEST), len(HONEST) + 1, 1 << 18):
        final = HONEST.get_state(index)
        assert final == HONEST.hashes[-1]
        assert step(final, HONEST.proof(index), TRANSFERS.program_root) == final


def test_trace_leaves_state_and_records_alone() -> None:
    core = make_transfers(0)[0].core
    state = build_state_tree(core.records)
    root, records = state.root, dict(core.records)
    trace = Trace(TRANSFERS, state, core.records, core.input)
    trace.proof(len(trace) - 1)
    assert state.root == root
    assert core.records == records


def test_trace_that_does_not_stop_is_an_error() -> None:
    with pytest.raises(StepLimitExceeded, match="50 steps"):
        Trace(Image((Instruction(Op.JMP).encode(),), (), 0), build_state_tree({}), {}, b"", step_limit=50)


# ------------------------------------------------------------------------------------------------- liars


def find_false_steps(trace: Trace) -> list[int]:
    """Steps whose honest successor is not the trace's. States without a preimage cannot be judged."""
    false = []
    for index in range(len(trace)):
        try:
            post = step(trace.get_state(index), trace.proof(index), TRANSFERS.program_root)
        except FalseWitness:
            continue
        if post != trace.get_state(index + 1):
            false.append(index)
    return false


@pytest.mark.parametrize("field", ["pc", "memory.3", "memory.40", "record.7.1.1", "record.200.5.7", *ROOTS])
@pytest.mark.parametrize("at", [0, 11, 30])
def test_edited_trace_has_exactly_one_false_step(field: str, at: int) -> None:
    edited = make_trace(Edit(at, field, 5))
    assert edited.initial == HONEST.initial
    assert edited.hashes[:at] == HONEST.hashes[:at]
    assert edited.hashes[at] != HONEST.hashes[at]
    assert find_false_steps(edited) == [at]


@pytest.mark.parametrize("field", ["pc", "memory.0", "record.7.1.1", *ROOTS])
def test_edit_of_the_last_step_changes_the_root(field: str) -> None:
    last = len(HONEST) - 1
    edited = make_trace(Edit(last, field, 5))
    assert len(edited) == len(HONEST)
    assert edited.hashes[:-1] == HONEST.hashes[:-1]
    assert edited.hashes[-1] != HONEST.hashes[-1]
    assert find_false_steps(edited) == [last]
    final = edited.hashes[-1]
    assert step(final, edited.proof(len(edited)), TRANSFERS.program_root) == final


def test_false_root_stays_false_by_the_same_amount() -> None:
    edited = make_trace(Edit(10, "state_root", -3))
    core = find_core(is_rejected=False)
    tree = build_state_tree(core.records)
    tree.update((key, compute_record_leaf(record)) for key, record in HONEST.execution.writes.items())
    assert edited.hashes[-1] == compute_final_state(add_to_hash(tree.root, -3))


def test_edited_record_is_what_later_steps_load() -> None:
    lines = (
        Instruction(Op.MOV, 0, 0),
        Instruction(Op.LDR, 8, 0, 0, 1),
        Instruction(Op.STR, 8, 0, 0, 2),
        Instruction(Op.HALT),
    )
    image = Image(tuple(line.encode() for line in lines), (), 0)
    records = {compute_record_key(1, 0): pack_record([10])}
    trace = Trace(image, build_state_tree(records), records, b"", edit=Edit(0, "record.1.0.0", 7))
    assert trace.execution.writes[compute_record_key(2, 0)] == pack_record([17])


def test_edited_machine_that_never_stops_is_said_to_have_stopped() -> None:
    lines = (Instruction(Op.SUB, 0, 0, 1), Instruction(Op.BNE, a=0, b=2, imm=0), Instruction(Op.HALT))
    image = Image(tuple(line.encode() for line in lines), (to_bytes(5), to_bytes(1)), 0)
    trace = Trace(image, build_state_tree({}), {}, b"", edit=Edit(1, "memory.0", -50), step_limit=100)
    assert len(trace) == 100
    assert trace.hashes[-1] == compute_final_state(bytes(32))


def test_random_edits_leave_one_false_step() -> None:
    rng = random.Random(4)
    for _ in range(25):
        at = rng.randrange(len(HONEST))
        record = f"record.{rng.randrange(256)}.9.{rng.randrange(8)}"
        field = rng.choice(("pc", f"memory.{rng.randrange(1024)}", record))
        edit = Edit(at, field, rng.choice((1, -1, rng.getrandbits(30) + 1)))
        edited = make_trace(edit, step_limit=400)
        honest = [index for index in find_false_steps(edited) if index != len(edited) - 1 or index == at]
        assert honest == [at], edit


@pytest.mark.parametrize(
    ("field", "delta", "message"),
    [
        ("nothing", 1, "no field 'nothing'"),
        ("memory", 1, "no field 'memory'"),
        ("memory.x", 1, "no field 'memory.x'"),
        ("memory.1024", 1, "1024 in 'memory.1024' is not below 1024"),
        ("record.1.2", 1, "no field 'record.1.2'"),
        ("record.256.0.0", 1, "256 in"),
        ("record.1.0.8", 1, "8 in"),
        ("pc.1", 1, "no field 'pc.1'"),
        ("pc", 0, "changes nothing"),
        ("pc", 1 << 40, "changes nothing"),
        ("memory.1", 1 << 256, "changes nothing"),
    ],
)
def test_edit_that_means_nothing_is_refused(field: str, delta: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Edit(0, field, delta)


def test_edit_of_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="counted from 0"):
        Edit(-1, "pc", 1)
    with pytest.raises(ValueError, match="the execution has"):
        make_trace(Edit(len(HONEST), "pc", 1))


def test_hash_moves_by_a_number_and_back() -> None:
    value = keccak(b"root")
    assert add_to_hash(add_to_hash(value, 12), -12) == value
    assert add_to_hash(b"\xff" * 32, 1) == bytes(32)


def test_states_of_a_trace_differ_from_step_to_step() -> None:
    assert all(before != after for before, after in pairwise([HONEST.initial, *HONEST.hashes]))

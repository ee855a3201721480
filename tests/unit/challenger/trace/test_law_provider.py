"""The truth by re-execution agrees with the node's ledger, with the machine, and with L1 after a reorg."""

import pytest

from challenger.game.types import Parameters
from challenger.trace import law
from challenger.trace.law import LawProvider, build_machine
from challenger.trace.replay import Before, Replay, load_base
from optimist.base.merkle import ZERO
from optimist.derive.batch import Batch
from optimist.derive.commitments import compute_chain_link, compute_leaf
from optimist.node.ledger import Ledger, UnknownBatch
from optimist.prove.law import load_law
from optimist.vm.state import compute_final_state
from optimist.vm.trace import Trace
from tests.support.workload import generate_workload

LAW = load_law("minimal")
INPUTS = [data for data in generate_workload(seed=5, count=40).inputs if 1 <= len(data) <= 1_024]


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(LAW.native)
    for part in (INPUTS[:1], INPUTS[1:12], INPUTS[12:25]):
        append(ledger, part)
    return ledger


def append(ledger: Ledger, inputs: list[bytes]) -> None:
    batch = Batch(ledger.batch_count + 1, tuple(inputs), ledger.get_accumulator())
    ledger.append(batch, 0, 0, 0)


def test_the_history_ends_in_the_ledgers_root(ledger: Ledger) -> None:
    provider = LawProvider(Parameters(), ledger, LAW)
    for start, to in ((0, 1), (0, 3), (1, 2), (1, 3), (2, 3)):
        root = ledger.get_end_root(to)
        assert root is not None
        assert provider.get_history(start, to).last_end == compute_leaf(root, to, ZERO)


def test_every_opening_opens_the_leaf_before_its_input_and_the_input(ledger: Ledger) -> None:
    provider = LawProvider(Parameters(), ledger, LAW)
    history = provider.get_history(1, 3)
    before = compute_leaf(ledger.get_end_root(1) or b"", 1, ZERO)
    for position in range(len(INPUTS[1:25])):
        opening = provider.get_opening(1, position)
        assert compute_leaf(opening.root, opening.batch, opening.rest) == before
        is_first = opening.rest == ZERO
        chain = ledger.get_batch(opening.batch + 1).head if is_first else opening.rest
        assert compute_chain_link(opening.input_hash, opening.next_rest) == chain
        before = history.end(position)


def test_every_trace_begins_and_ends_as_l1_asks_and_every_step_can_be_proven(ledger: Ledger) -> None:
    provider = LawProvider(Parameters(), ledger, LAW)
    machine = build_machine(LAW.image)
    for position in (0, 1, 5, 23):
        opening = provider.get_opening(1, position)
        trace = provider.get_trace(1, position)
        assert trace.last_end == compute_final_state(provider.get_root_after(1, position))
        before = machine.start(opening.root, opening.input_hash)
        for step in range(0, len(trace.ends), 7):
            pre = before if step == 0 else trace.end(step - 1)
            assert machine.step(pre, provider.get_step_proof(1, position, step)) == trace.end(step)
        beyond = len(trace.ends) + 3
        assert machine.step(trace.last_end, provider.get_step_proof(1, position, beyond)) == trace.last_end


def test_what_follows_a_confirmed_batch_can_be_disputed_when_all_before_it_is_forgotten(
    ledger: Ledger,
) -> None:
    whole = LawProvider(Parameters(), ledger, LAW)
    history, opening = whole.get_history(2, 3), whole.get_opening(2, 7)
    proof, root = whole.get_step_proof(2, 7, 50), whole.get_root_after(2, 7)
    whole.get_history(1, 3)
    ledger.forget(1)  # as after the confirmation of batch 2
    for provider in (whole, LawProvider(Parameters(), ledger, LAW)):
        found = provider.get_history(2, 3)
        assert (found.root, found.ends) == (history.root, history.ends)
        assert provider.get_opening(2, 7) == opening
        assert provider.get_step_proof(2, 7, 50) == proof
        assert provider.get_root_after(2, 7) == root
        assert [provider.get_end_root(number) for number in range(4)] == [
            ledger.get_end_root(number) for number in range(4)
        ]
    with pytest.raises(UnknownBatch, match="batch 1 is forgotten here"):
        LawProvider(Parameters(), ledger, LAW).get_history(1, 3)


def test_what_a_reorg_replaced_is_forgotten(ledger: Ledger) -> None:
    provider = LawProvider(Parameters(), ledger, LAW)
    provider.get_trace(1, 14)
    lost = provider.get_history(1, 3)
    ledger.take_back()
    append(ledger, INPUTS[13:30])
    found = provider.get_history(1, 3)
    fresh = LawProvider(Parameters(), ledger, LAW)
    assert found.root != lost.root
    assert found.root == fresh.get_history(1, 3).root
    assert provider.get_trace(1, 14).root == fresh.get_trace(1, 14).root
    ledger.take_back()
    ledger.take_back()
    append(ledger, INPUTS[3:9])
    assert provider.get_history(1, 2).root == LawProvider(Parameters(), ledger, LAW).get_history(1, 2).root


def test_an_unknown_range_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="batch 4 is not known here"):
        load_base(ledger, 4)
    with pytest.raises(LookupError):
        LawProvider(Parameters(), ledger, LAW).get_history(1, 4)


def test_a_fork_shares_what_came_before(ledger: Ledger) -> None:
    provider = LawProvider(Parameters(), ledger, LAW)
    whole = provider.get_replay(1, 3)
    for position in (0, 5, 11, 12, 20):
        fork = Replay.fork(whole, ledger, position, provider.apply)
        fork.extend(3)
        assert [each.root for each in fork.applied] == [each.root for each in whole.applied]
        assert fork.applied[0] is whole.applied[0] or position == 0


def note_executions(provider: LawProvider, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the inputs that the machine executes from now on."""
    executed: list[int] = []
    build = provider.build_trace

    def build_noted(before: Before) -> Trace:
        executed.append(before.number)
        return build(before)

    monkeypatch.setattr(provider, "build_trace", build_noted)
    return executed


def test_disputes_about_many_inputs_execute_each_of_them_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = LawProvider(Parameters(), ledger, LAW)
    executed = note_executions(provider, monkeypatch)
    machine = build_machine(LAW.image)
    positions = range(16)
    for _ in range(3):
        for position in positions:
            trace = provider.get_trace(1, position)
            step = len(trace.ends) // 2
            proof = provider.get_step_proof(1, position, step)
            assert machine.step(trace.end(step - 1), proof) == trace.end(step)
    assert sorted(executed) == [1 + position for position in positions]


def test_histories_of_traces_are_let_go_beyond_what_is_kept(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(law, "KEPT_STATES", 1)
    provider = LawProvider(Parameters(), ledger, LAW)
    executed = note_executions(provider, monkeypatch)
    fresh = LawProvider(Parameters(), ledger, LAW)
    for position in (4, 4, 5, 6, 7, 4):
        assert provider.get_trace(1, position).root == fresh.get_trace(1, position).root
    assert executed == [5, 6, 7, 8, 5]


def test_the_history_of_a_range_is_hashed_once(ledger: Ledger) -> None:
    provider = LawProvider(Parameters(), ledger, LAW)
    first = provider.get_history(1, 3)
    assert provider.get_history(1, 2) is not first
    assert provider.get_history(1, 3) is first
    ledger.take_back()
    append(ledger, INPUTS[13:30])
    assert provider.get_history(1, 3) is not first

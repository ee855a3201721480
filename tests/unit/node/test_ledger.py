"""The ledger: roots are those of the whole state, and going back leads to where one was."""

import pytest

from optimist.base.merkle import ZERO
from optimist.derive.actions import Init
from optimist.derive.batch import Batch, Header, build_batch
from optimist.node.execution import execute
from optimist.node.ledger import Ledger, UnknownBatch
from optimist.provable import State
from optimist.stf.law import get_law
from optimist.vm.records import build_state_tree
from tests.support.bench import DEPOSITS, ONE
from tests.support.world import START, World

LAW = get_law("minimal")


def day(world: World, number: int) -> list[bytes]:
    """The sequenced inputs of one batch: prices, and on even days a trade."""
    world.inputs.clear()
    world.second = START + 60 * number
    world.price(0, 100_000 + number)
    if number % 2 == 0:
        world.trade(1, 2, ONE // 10, 100_000 + number)
    world.act(world.price_update(0, [(0, 5)]))  # no quorum: an input that the law rejects
    return list(world.inputs)


def history(days: int) -> tuple[Ledger, list[Batch]]:
    world = World()
    for account in (1, 2, 3):
        world.deposit(account, 100_000)
    ledger = Ledger(LAW)
    init: Init = world.init
    batches = [Batch(1, (init.encode(),), ZERO)]
    ledger.append(batches[0], START, START, 0)
    for number in range(2, 2 + days):
        queue = DEPOSITS if number == 2 else ()
        header = Header(number, START + 60 * number, START + 60 * number)
        batch = build_batch(header, queue, day(world, number), ledger.get_accumulator())
        ledger.append(batch, header.first, header.last, len(queue))
        batches.append(batch)
    return ledger, batches


def test_roots_are_those_of_the_whole_state_at_every_batch_end() -> None:
    ledger, batches = history(5)
    state = State()
    count = 0
    for batch in batches:
        for data in batch.inputs:
            state.apply(LAW, data)
        count += len(batch.inputs)
        assert ledger.get_end_root(batch.number) == build_state_tree(dict(state.items())).root
        assert ledger.get_records(batch.number) == dict(state.items())
        assert ledger.get_input_count(batch.number) == count
    assert ledger.get_records(0) == {}
    assert ledger.get_end_root(0) == ZERO
    assert ledger.get_end_root(7) is None


def test_codes_say_what_the_law_rejected() -> None:
    ledger, _ = history(2)
    codes = ledger.get_applied(2).codes
    assert codes[-1] != 0
    assert set(codes[:-1]) == {0}


def test_taking_back_and_applying_again_leads_to_the_same_root() -> None:
    ledger, batches = history(5)
    roots = [ledger.get_end_root(number) for number in range(7)]
    while ledger.batch_count > 2:
        ledger.take_back()
        assert ledger.root == roots[ledger.batch_count]
        assert ledger.root == build_state_tree(dict(ledger.state.items())).root
    for batch in batches[2:]:
        applied = ledger.append(batch, batch.number, batch.number, 0)
        assert applied.root == roots[batch.number]


def test_kept_ledger_goes_on_where_it_was() -> None:
    ledger, batches = history(3)
    kept = [ledger.get_applied(number) for number in (1, 2, 3)]
    again = Ledger(LAW, kept, ledger.get_records(3))
    assert again.append(batches[3], 0, 0, 0).root == ledger.root
    with pytest.raises(ValueError, match="kept records hash to"):
        Ledger(LAW, kept, ledger.get_records(2))


def test_batch_out_of_order_and_unknown_batches_are_refused() -> None:
    ledger, batches = history(2)
    with pytest.raises(ValueError, match="does not follow"):
        ledger.append(batches[1], 0, 0, 0)
    with pytest.raises(UnknownBatch, match="the last one is 3"):
        ledger.get_batch(4)
    with pytest.raises(UnknownBatch):
        Ledger(LAW).take_back()


def test_soft_history_counts_sequenced_inputs_alone() -> None:
    ledger, batches = history(3)
    sequenced = sum(data[0] == 5 for batch in batches for data in batch.inputs)
    last = ledger.last
    assert last is not None
    assert last.soft_number == sequenced
    assert last.queue_next == len(DEPOSITS)


def test_forgotten_batches_leave_their_ends_and_every_later_state() -> None:
    whole, _ = history(6)
    ledger, _ = history(6)
    assert ledger.forget(3) == [whole.get_applied(number).end for number in (1, 2, 3)]
    assert ledger.forgotten == 3
    assert ledger.batch_count == whole.batch_count
    for number in range(8):
        assert ledger.get_end_root(number) == whole.get_end_root(number)
        assert ledger.get_accumulator(number) == whole.get_accumulator(number)
        assert ledger.get_input_count(number) == whole.get_input_count(number)
        if number:
            assert ledger.get_end(number) == whole.get_end(number)
        if number >= 3:
            assert ledger.get_records(number) == whole.get_records(number)
        if number >= 4:
            assert ledger.get_applied(number) == whole.get_applied(number)
    for ask in (ledger.get_applied, ledger.get_batch):
        with pytest.raises(UnknownBatch, match="batch 3 is forgotten here, as are all up to 3"):
            ask(3)
    for number in (0, 1, 2):
        with pytest.raises(UnknownBatch):
            ledger.get_records(number)


def test_forgetting_is_never_taken_back_and_never_reaches_the_last_batch() -> None:
    ledger, batches = history(4)
    assert ledger.forget(0) == ledger.forget(-1) == []
    assert [end.number for end in ledger.forget(2)] == [1, 2]
    assert ledger.forget(2) == ledger.forget(1) == []
    assert [end.number for end in ledger.forget(3)] == [3]
    last = ledger.take_back()
    assert ledger.root == ledger.get_end_root(4) == build_state_tree(dict(ledger.state.items())).root
    with pytest.raises(UnknownBatch, match="batch 4 stays for good"):
        ledger.take_back()
    assert ledger.append(batches[4], last.first, last.last, 0) == last
    assert [end.number for end in ledger.forget(99)] == [4]
    assert (ledger.forgotten, ledger.batch_count) == (4, 5)


def test_ledger_that_has_forgotten_goes_on_where_it_was() -> None:
    ledger, batches = history(5)
    last = ledger.take_back()
    ends = ledger.forget(2)
    whole = [ledger.get_applied(number) for number in range(3, 6)]
    again = Ledger(LAW, whole, ledger.get_records(5), ends)
    assert again.append(batches[5], last.first, last.last, 0) == last
    for wrong in (ends[:1], ends[::-1], []):
        with pytest.raises(ValueError, match="do not follow one another"):
            Ledger(LAW, whole, ledger.get_records(5), wrong)


def test_batch_that_was_executed_is_invisible_until_it_is_finished() -> None:
    ledger, batches = history(3)
    whole = ledger.get_applied(4)
    ledger.take_back()
    root, records = ledger.root, dict(ledger.state.items())
    execution, _ = execute(LAW, ledger.state.copy(), batches[3].inputs, whole.first)
    assert ledger.compute_root(execution) == whole.root
    assert (ledger.root, ledger.batch_count, dict(ledger.state.items())) == (root, 3, records)
    applied = ledger.finish(batches[3], whole.first, whole.last, 0, execution, whole.root)
    assert applied == whole
    assert ledger.root == whole.root


def test_rewind_leads_from_the_last_batch_to_the_state_after_any_kept_one() -> None:
    ledger, _ = history(5)
    ledger.forget(2)
    for number in range(2, 7):
        state = ledger.state.copy()
        for key, old in ledger.get_rewind(number).items():
            state.set_bytes(key, old)
        assert dict(state.items()) == ledger.get_records(number)
    with pytest.raises(UnknownBatch):
        ledger.get_rewind(1)

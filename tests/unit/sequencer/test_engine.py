"""The engine on the real law: its journal, replayed, leads to the same head; so does what it posts to L1."""

import pytest

from optimist.derive.account_actions import (
    Cancel,
    CancelAll,
    CancelAllRequest,
    CancelRequest,
    ForcedCancelAll,
    Transfer,
    TransferRequest,
)
from optimist.derive.actions import CloseMarket, Forced, Liquidate, Settle, encode_forced
from optimist.derive.batch import SealedBatch as SealedOnL1
from optimist.derive.batch import derive_batch
from optimist.derive.rows import encode_rows
from optimist.provable import State
from optimist.sequencer.entries import OrderDropped, OrderPlaced, decode_record
from optimist.stf.codes import Code
from optimist.stf.constants import FILL_OR_KILL, IMMEDIATE_OR_CANCEL
from optimist.stf.law import get_law
from tests.support.bench import DEPOSITS, ONE, Bench, fingerprint
from tests.support.world import START, USD, address


def test_order_meets_the_best_price_and_its_rest_waits() -> None:
    bench = Bench()
    assert bench.place(1, False, ONE // 10, 100_100).resting == ONE // 10
    assert bench.place(2, False, ONE // 10, 100_000).resting == ONE // 10
    outcome = bench.place(3, True, ONE // 4, 100_100)
    assert (outcome.filled, outcome.resting, len(outcome.inputs)) == (ONE // 5, ONE // 20, 2)
    assert bench.position(3) == ONE // 5
    assert bench.position(1) == bench.position(2) == -ONE // 10


def test_equal_prices_are_filled_in_order_of_arrival() -> None:
    bench = Bench()
    bench.place(1, False, ONE // 10, 100_000)
    bench.place(2, False, ONE // 10, 100_000)
    bench.place(3, True, ONE // 10, 100_000)
    assert (bench.position(1), bench.position(2)) == (-ONE // 10, 0)


def test_taker_whose_terms_the_law_refuses_leaves_the_book_as_it_was() -> None:
    bench = Bench()
    bench.place(1, False, ONE, 100_000)
    outcome = bench.place(3, True, ONE, 100_000, max_fee_ppm=0)
    assert (outcome.refusal, outcome.entries) == (Code.FEE_ABOVE_MAX, ())
    assert len(list(bench.engine.book(0))) == 1


def test_taker_that_runs_out_of_margin_keeps_its_fills_and_clears_nobody_s_order() -> None:
    bench = Bench()
    bench.place(1, False, 15 * ONE, 100_000)  # 100,000 USD carry at most 20 BTC at 5 %
    bench.place(2, False, 15 * ONE, 100_000)
    outcome = bench.place(3, True, 30 * ONE, 100_000)
    assert (outcome.filled, outcome.resting) == (15 * ONE, 0)
    assert outcome.refusal == Code.BELOW_INITIAL_MARGIN
    assert [each.account for each in bench.engine.book(0)] == [2]


def test_maker_that_cannot_pay_leaves_the_book_and_the_taker_meets_the_next() -> None:
    bench = Bench()
    bench.place(1, False, 10 * ONE, 100_000)
    bench.place(2, True, 10 * ONE, 100_000)
    beyond = bench.place(1, False, 100 * ONE, 100_000)  # resting is free; only a fill needs margin
    assert beyond.resting == 100 * ONE
    bench.place(2, False, ONE, 100_000)
    outcome = bench.place(3, True, 15 * ONE, 100_000, max_fee_ppm=1_000)
    dropped = [entry for entry in outcome.entries if isinstance(entry, OrderDropped)]
    assert [entry.code for entry in dropped] == [Code.BELOW_INITIAL_MARGIN]
    assert outcome.filled == ONE
    assert bench.position(1) == -10 * ONE


def test_expired_maker_leaves_the_book() -> None:
    bench = Bench()
    bench.place(1, False, ONE, 100_000, expiry=bench.world.second)
    bench.price(100_000)
    outcome = bench.place(3, True, ONE, 100_000)
    assert [type(entry) for entry in outcome.entries] == [OrderDropped, OrderPlaced]
    assert outcome.resting == ONE


def test_own_order_is_never_met_and_both_survive_in_the_taker_s_disfavour() -> None:
    bench = Bench()
    bench.place(1, False, ONE, 100_000)
    outcome = bench.place(1, True, ONE, 100_000)
    assert outcome.refusal == Code.SELF_TRADE
    assert [each.is_buy for each in bench.engine.book(0)] == [False]


def test_accounts_of_one_owner_never_meet() -> None:
    bench = Bench()
    transfer = TransferRequest(1, 1 << 32 | 1, 1_000 * USD, 0, 1)
    bench.act(Transfer(transfer, bench.world.sign(transfer, "trader 1")))
    bench.place(1, False, ONE, 100_000)
    outcome = bench.place(1 << 32 | 1, True, ONE, 100_000)
    assert (outcome.refusal, outcome.filled) == (Code.SELF_TRADE, 0)


# -------------------------------------------------------------------------------------- flags, cancellations


@pytest.mark.parametrize("time_in_force", [IMMEDIATE_OR_CANCEL, FILL_OR_KILL])
def test_immediate_order_takes_and_never_rests(time_in_force: int) -> None:
    bench = Bench()
    bench.place(1, False, ONE, 100_000)
    outcome = bench.place(3, True, ONE, 100_000, time_in_force=time_in_force)
    assert (outcome.filled, outcome.resting, outcome.refusal) == (ONE, 0, 0)


def test_immediate_order_takes_what_is_there() -> None:
    bench = Bench()
    bench.place(1, False, ONE, 100_000)
    bench.place(2, False, ONE, 101_000)
    outcome = bench.place(3, True, 5 * ONE, 100_000, time_in_force=IMMEDIATE_OR_CANCEL)
    assert (outcome.filled, outcome.resting, outcome.refusal) == (ONE, 0, 0)
    assert [each.account for each in bench.engine.book(0)] == [2]


def test_immediate_order_that_meets_nobody_leaves_no_trace() -> None:
    bench = Bench()
    outcome = bench.place(3, True, ONE, 100_000, time_in_force=IMMEDIATE_OR_CANCEL)
    assert (outcome.entries, outcome.filled, outcome.resting, outcome.refusal) == ((), 0, 0, 0)


@pytest.mark.parametrize("offered", [0, ONE // 2])
def test_fill_or_kill_order_that_is_not_filled_whole_is_refused(offered: int) -> None:
    bench = Bench()
    for account in (1, 2):
        if offered:
            bench.place(account, False, offered, 100_000)
    outcome = bench.place(3, True, ONE, 100_000, time_in_force=FILL_OR_KILL)
    assert (outcome.refusal, outcome.entries, outcome.filled) == (Code.FILL_OR_KILL, (), 0)
    assert len(list(bench.engine.book(0))) == (2 if offered else 0)


def test_resting_reduce_only_order_gives_no_more_than_the_position() -> None:
    bench = Bench()
    bench.place(1, True, ONE, 100_000)
    bench.place(2, False, ONE, 100_000)
    bench.place(1, False, 3 * ONE, 101_000, reduce_only=True)
    outcome = bench.place(3, True, 2 * ONE, 101_000)
    dropped = [entry.code for entry in outcome.entries if isinstance(entry, OrderDropped)]
    assert (outcome.filled, outcome.resting, dropped) == (ONE, ONE, [Code.REDUCE_ONLY])
    assert bench.position(1) == 0


def test_incoming_reduce_only_order_takes_no_more_than_the_position() -> None:
    bench = Bench()
    bench.place(1, True, ONE, 100_000)
    bench.place(2, False, ONE, 100_000)
    bench.place(3, True, 5 * ONE, 100_000)
    outcome = bench.place(1, False, 3 * ONE, 100_000, reduce_only=True)
    assert (outcome.filled, outcome.resting, outcome.refusal) == (ONE, 0, Code.REDUCE_ONLY)
    assert bench.position(1) == 0


def test_order_below_a_lot_is_refused_or_dropped() -> None:
    bench = Bench()
    bench.place(1, False, ONE + 300, 100_000)
    outcome = bench.place(3, True, ONE, 100_000)
    assert (outcome.filled, outcome.resting) == (ONE, 0)
    outcome = bench.place(3, True, ONE, 100_000)
    dropped = [entry.code for entry in outcome.entries if isinstance(entry, OrderDropped)]
    assert (dropped, outcome.resting) == ([Code.FILL_SIZE], ONE)
    assert bench.place(2, False, 300, 100_000).refusal == Code.FILL_SIZE


def test_cancelled_orders_leave_the_books_and_stay_out_after_a_restart() -> None:
    bench = Bench()
    for slot, nonce in ((0, 5), (0, 6), (1, 5)):
        bench.place(1, False, ONE, 100_000, slot=slot, nonce=nonce)
    bench.place(2, False, ONE, 100_000, nonce=1)
    bench.act(Cancel(request := CancelRequest(1, 0, 6), bench.world.sign(request, "trader 1")))
    assert [each.account for each in bench.engine.book(0)] == [1, 1, 2]
    bench.act(CancelAll(all_of := CancelAllRequest(1, 6), bench.world.sign(all_of, "trader 1")))
    assert [each.account for each in bench.engine.book(0)] == [1, 2]
    again = bench.fresh_engine()
    for record in bench.journal:
        for entry in decode_record(record):
            again.restore_book(entry)
    assert [each.order_id for each in again.book(0)] == [each.order_id for each in bench.engine.book(0)]


def test_dead_order_is_refused_before_it_rests() -> None:
    bench = Bench()
    bench.act(CancelAll(request := CancelAllRequest(1, 9), bench.world.sign(request, "trader 1")))
    assert bench.place(1, False, ONE, 100_000, nonce=8).refusal == Code.ORDER_CANCELLED
    bench.act(Cancel(one := CancelRequest(1, 0, 12), bench.world.sign(one, "trader 1")))
    assert bench.place(1, False, ONE, 100_000, nonce=11).refusal == Code.ORDER_NONCE
    assert bench.place(1, False, ONE, 100_000, nonce=12).resting == ONE


def test_order_that_was_cancelled_through_l1_is_dropped_when_it_is_met() -> None:
    bench = Bench()
    bench.place(1, False, ONE, 100_000, nonce=5)
    bench.engine.seal()
    forced = Forced(address("trader 1"), bench.world.second, ForcedCancelAll(1, 6).encode()).encode()
    bench.engine.open(bench.world.second, (forced,))
    outcome = bench.place(3, True, ONE, 100_000)
    dropped = [entry.code for entry in outcome.entries if isinstance(entry, OrderDropped)]
    assert (dropped, outcome.resting) == ([Code.ORDER_CANCELLED], ONE)


def test_what_is_forced_in_vain_stops_nobody() -> None:
    """A market that lives is not closed, a position that there is not is not settled: anyone may try."""
    bench = Bench()
    bench.place(1, False, ONE, 100_000)
    bench.place(3, True, ONE, 100_000)
    bench.engine.seal()
    wanted = (CloseMarket(0).encode(), encode_forced(Settle(1, 0)), encode_forced(Liquidate(2, 0)))
    items = [Forced(address("trader 9"), bench.world.second, each).encode() for each in wanted]
    before = dict(bench.engine.builder.head.state.items())
    bench.engine.open(bench.world.second, items)
    bench.price(100_001)
    _, sealed = bench.engine.seal()
    on_l1 = State(before)
    codes = [on_l1.apply(get_law("minimal"), data).code for data in sealed.batch.inputs]
    assert codes == [0, Code.NOT_DEAD, Code.STILL_OPEN, Code.NO_POSITION, 0]
    assert dict(on_l1.items()) == dict(bench.engine.builder.head.state.items())


def test_same_order_twice_is_refused() -> None:
    bench = Bench()
    order = bench.world.order(1, False, ONE, 100_000)
    bench.engine.place(order, bench.world.second)
    with pytest.raises(ValueError, match="rests already"):
        bench.engine.place(order, bench.world.second)


def test_refused_action_changes_nothing() -> None:
    bench = Bench()
    before = fingerprint(bench.engine)
    outcome = bench.engine.act(Liquidate(1, 0), bench.world.second)
    assert (outcome.refusal, outcome.entries) == (Code.NO_POSITION, ())
    assert fingerprint(bench.engine) == before


def test_a_batch_without_anything_in_it_can_be_taken_back() -> None:
    bench = Bench()
    bench.engine.seal()
    before = fingerprint(bench.engine)
    bench.engine.open(bench.world.second + 5, ())
    assert bench.engine.builder.abandon()
    assert fingerprint(bench.engine) == before
    bench.engine.open(bench.world.second + 5, ())
    bench.price(100_000)
    assert not bench.engine.builder.abandon()


def test_node_derives_the_same_state_from_l1() -> None:
    """The open batch ran with the largest limit; the posted one names its last second."""
    bench = Bench()
    bench.busy_day()
    _, sealed = bench.engine.seal()
    on_l1 = SealedOnL1(
        batch=2,
        accumulator=sealed.batch.accumulator,
        first=sealed.header.first,
        last=sealed.header.last,
        mode=0,
        queue_from=sealed.queue_from,
        queue_count=sealed.queue_count,
        rows=encode_rows(sealed.sequenced),
    )
    node = bench.fresh_head().state
    for data in derive_batch(on_l1, DEPOSITS, bytes(32)).inputs:
        assert not node.apply(get_law("minimal"), data).rejected
    assert dict(node.items()) == dict(bench.engine.builder.head.state.items())


def test_a_batch_cannot_begin_before_the_last_one_ended() -> None:
    bench = Bench()
    bench.engine.seal()
    bench.engine.open(START - 100, ())
    assert bench.engine.builder.open_batch is not None
    assert bench.engine.builder.open_batch.first == bench.world.second

"""The engine on the real law: its journal, replayed, leads to the same head; so does what it posts to L1."""

import pytest

from optimist.derive.actions import Liquidate
from optimist.derive.batch import SealedBatch as SealedOnL1
from optimist.derive.batch import derive_batch
from optimist.derive.rows import encode_rows
from optimist.sequencer.entries import OrderDropped, OrderPlaced
from optimist.stf.codes import Code
from optimist.stf.law import get_law
from tests.support.bench import DEPOSITS, ONE, Bench, fingerprint
from tests.support.world import START


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

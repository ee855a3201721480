"""Starting again: L1's last batch plus the journal is what was acknowledged, wherever the process died."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from optimist.derive.actions import Deposit
from optimist.derive.batch import Header
from optimist.node.history import Entry, NoHistory
from optimist.node.receipts import Place
from optimist.sequencer.builder import Builder, Head, HeadMismatch, SealedBatch
from optimist.sequencer.engine import Engine
from optimist.sequencer.entries import Voided, decode_record
from optimist.sequencer.recovery import Rebased, Recovered, Room, rebase, recover
from optimist.sequencer.views import get_account
from optimist.stf.inputs import MODE_PUBLIC
from optimist.stf.law import get_law
from tests.support.bench import DEPOSITS, GENESIS_ACCUMULATOR, ONE, Bench, fingerprint
from tests.support.world import START, USD, address


class L1:
    """What a node would say of an L1 with these batches behind batch 1."""

    timestamp = 0
    base_fee = 0

    def __init__(
        self, bench: Bench, sealed: Sequence[SealedBatch] = (), queue: Sequence[bytes] = DEPOSITS
    ) -> None:
        self._bench = bench
        self._sealed = list(sealed)
        self.queue = list(queue)

    @property
    def queue_length(self) -> int:
        return len(self.queue)

    @property
    def batch_count(self) -> int:
        return 1 + len(self._sealed)

    def accumulator(self, batch: int) -> bytes:
        return GENESIS_ACCUMULATOR if batch == 1 else self._sealed[batch - 2].batch.accumulator

    def is_public(self, batch: int) -> bool:
        return batch > 1 and self._sealed[batch - 2].header.mode == MODE_PUBLIC

    @property
    def final_batch(self) -> int:
        return self.batch_count

    def queue_inputs(self, start: int, count: int) -> Sequence[bytes]:
        return self.queue[start : start + count]

    def history(self, account: int, after: Place, limit: int) -> list[Entry]:
        raise NoHistory("this L1 has no node")

    def count_inputs(self) -> tuple[int, int, int]:
        return 0, 0, 0

    def head(self) -> Head:
        builder = Builder(get_law("minimal"), self._bench.fresh_head())
        for sealed in self._sealed:
            builder.open(sealed.header.first, self.queue_inputs(sealed.queue_from, sealed.queue_count))
            for data in sealed.sequenced:
                builder.apply_input(data)
            builder.seal()
        return builder.head


def start_again(bench: Bench, chain: L1, records: Sequence[bytes]) -> tuple[Engine, Recovered]:
    engine = Engine(Builder(get_law("minimal"), chain.head()), bench.world.domain)
    return engine, recover(engine, chain, [tuple(decode_record(record)) for record in records])


def test_open_batch_is_built_again() -> None:
    bench = Bench()
    bench.busy_day()
    engine, found = start_again(bench, L1(bench), bench.journal)
    assert fingerprint(engine) == fingerprint(bench.engine)
    assert (found.unposted, found.orphans, found.voided) == ([], [], 0)


def test_every_cut_of_the_journal_is_a_head_that_was() -> None:
    bench = Bench()
    bench.seen = [fingerprint(bench.engine)]
    bench.busy_day()
    for length in range(2, len(bench.journal) + 1):
        engine, _ = start_again(bench, L1(bench), bench.journal[:length])
        assert fingerprint(engine) == bench.seen[length - 2], f"cut after {length} records"


def test_sealed_batch_that_l1_does_not_have_is_posted_again_byte_for_byte() -> None:
    bench = Bench()
    bench.busy_day()
    entry, sealed = bench.engine.seal()
    bench.keep([entry])
    bench.keep([bench.engine.open(bench.world.second, ())])
    bench.price(99_000)
    engine, found = start_again(bench, L1(bench), bench.journal)
    assert found.unposted == [sealed]
    assert fingerprint(engine) == fingerprint(bench.engine)


def test_batch_that_l1_has_is_not_posted_again_and_the_book_is_still_known() -> None:
    bench = Bench()
    bench.busy_day()
    entry, sealed = bench.engine.seal()
    bench.keep([entry])
    engine, found = start_again(bench, L1(bench, [sealed]), bench.journal)
    assert (found.unposted, found.orphans) == ([], [])
    assert fingerprint(engine) == fingerprint(bench.engine)
    assert list(engine.resting()) == list(bench.engine.resting())


def sequenced(engine: Engine) -> list[bytes]:
    """The inputs in the open batch."""
    opened = engine.builder.open_batch
    assert opened is not None
    return list(opened.sequenced)


def public_batch(bench: Bench) -> SealedBatch:
    """What L1 has when somebody sealed the queue while we were gone."""
    builder = Builder(get_law("minimal"), bench.fresh_head())
    builder.open(bench.world.second + 100, DEPOSITS)
    sealed = builder.seal()
    return replace(sealed, header=replace(sealed.header, mode=MODE_PUBLIC))


ROOM = Room(row_bytes=100_000, inputs=4_032, queue_items=64)


def sequence_again(
    bench: Bench, chain: L1, engine: Engine, found: Recovered, seconds: int = 100, room: Room = ROOM
) -> Rebased:
    """Rebase, journal it, and check that a start finds the same and has nothing left to do."""
    resting = list(engine.resting())
    rebased = rebase(engine, chain, found, bench.world.second + seconds, room, resting)
    assert rebased.entries[0] == Voided(found.voided)
    assert list(engine.resting()) == resting
    bench.engine = engine
    bench.keep(rebased.entries)
    again, nothing = start_again(bench, chain, bench.journal)
    assert fingerprint(again) == fingerprint(engine)
    assert (nothing.orphans, nothing.voided) == ([], 0)
    assert nothing.unposted == [*found.unposted, *rebased.sealed]
    return rebased


@pytest.mark.parametrize("is_sealed", [False, True])
def test_foreign_batch_orphans_our_inputs_and_they_are_sequenced_again(is_sealed: bool) -> None:
    bench = Bench()
    bench.busy_day()
    positions = [bench.position(account) for account in (1, 2, 3)]
    resting = list(bench.engine.resting())
    acknowledged = sequenced(bench.engine)
    if is_sealed:
        bench.keep([bench.engine.seal()[0]])
    chain = L1(bench, [public_batch(bench)])
    engine, found = start_again(bench, chain, bench.journal)
    assert (found.orphans, found.voided) == (acknowledged, 2)
    assert list(engine.resting()) == resting

    rebased = sequence_again(bench, chain, engine, found)
    # Prices signed a hundred seconds ago are still newer than none; trades at stale prices are refused.
    assert len(rebased.lost) == len(acknowledged) - len(sequenced(engine)) > 0
    assert positions != [0, 0, 0]


def test_trades_that_are_sequenced_again_leave_the_books_as_they_were() -> None:
    bench = Bench()
    bench.busy_day()
    bench.price(100_000)
    bench.place(2, False, ONE // 4, 100_100)
    bench.place(3, True, ONE // 8, 100_100)
    positions = [bench.position(account) for account in (1, 2, 3)]
    public = public_batch(bench)
    public = replace(public, header=replace(public.header, first=bench.world.second))
    chain = L1(bench, [public])
    engine, found = start_again(bench, chain, bench.journal)
    rebased = sequence_again(bench, chain, engine, found, seconds=0)
    assert rebased.lost == []
    assert [bench.position(account) for account in (1, 2, 3)] == positions


def test_orphans_that_fill_more_than_one_batch_are_sequenced_in_several() -> None:
    bench = Bench()
    bench.busy_day()
    acknowledged = sequenced(bench.engine)
    public = replace(public_batch(bench), header=Header(2, START, START, MODE_PUBLIC))
    chain = L1(bench, [public])
    engine, found = start_again(bench, chain, bench.journal)
    room = Room(row_bytes=1, inputs=4_032, queue_items=64)
    rebased = sequence_again(bench, chain, engine, found, seconds=0, room=room)
    assert len(rebased.sealed) == len(acknowledged) - 1
    assert all(len(batch.sequenced) == 1 for batch in rebased.sealed)


def test_deposit_that_l1_takes_back_is_gone_and_with_it_only_what_it_paid_for() -> None:
    """The third deposit vanishes: the credit is no longer there, and the trade that it paid for is void."""
    bench = Bench()
    bench.busy_day()
    assert bench.position(3) != 0
    chain = L1(bench, queue=DEPOSITS[:2])
    engine, found = start_again(bench, chain, bench.journal)
    assert (found.voided, found.unposted) == (2, [])
    rebased = sequence_again(bench, chain, engine, found, seconds=0)
    assert get_account(engine.builder.head.state, 3).owner == 0
    assert bench.position(3) == 0
    assert len(rebased.lost) == 1
    assert bench.position(2) > 0, "who was not paid by it trades on"


def test_deposits_in_another_order_are_noticed_though_there_are_as_many() -> None:
    bench = Bench()
    bench.busy_day()
    bench.keep([bench.engine.seal()[0]])
    other = Deposit(3, address("somebody else"), 7 * USD).encode()
    chain = L1(bench, queue=[*DEPOSITS[:2], other])
    engine, found = start_again(bench, chain, bench.journal)
    assert found.voided == 2
    sequence_again(bench, chain, engine, found, seconds=0)
    assert get_account(engine.builder.head.state, 3).collateral == 7 * USD


def test_batches_before_the_one_that_lost_its_deposit_are_posted_as_they_were() -> None:
    """L1 goes back behind batch 2, and the deposit that batch 3 takes is not in its queue any more."""
    late = Deposit(4, address("trader 4"), 5 * USD).encode()
    bench = Bench()
    bench.busy_day()
    entry, second = bench.engine.seal()
    bench.keep([entry])
    bench.keep([bench.engine.open(bench.world.second, [late])])
    bench.price(98_000)
    acknowledged = sequenced(bench.engine)
    chain = L1(bench)
    engine, found = start_again(bench, chain, bench.journal)
    assert found.unposted == [second]
    assert (found.voided, found.orphans) == (3, acknowledged)
    rebased = sequence_again(bench, chain, engine, found, seconds=0)
    assert rebased.lost == []
    assert get_account(engine.builder.head.state, 4).owner == 0


def test_batch_that_comes_back_after_its_inputs_were_sequenced_again_is_not_executed_twice() -> None:
    """L1: ours, then somebody else's in its place, then ours again."""
    bench = Bench()
    bench.busy_day()
    bench.price(100_000)
    bench.place(2, False, ONE // 4, 100_100)
    bench.place(3, True, ONE // 8, 100_100)
    positions = [bench.position(account) for account in (1, 2, 3)]
    entry, ours = bench.engine.seal()
    bench.keep([entry])
    public = replace(public_batch(bench), header=Header(2, START, START, MODE_PUBLIC))
    foreign = L1(bench, [public])
    engine, found = start_again(bench, foreign, bench.journal)
    sequence_again(bench, foreign, engine, found, seconds=1)
    bench.price(101_000)  # and something that happened on the other side of the fork alone
    newest = sequenced(bench.engine)[-1]

    chain = L1(bench, [ours])
    engine, found = start_again(bench, chain, bench.journal)
    assert found.orphans == [newest]
    rebased = sequence_again(bench, chain, engine, found, seconds=1)
    assert rebased.lost == []
    assert [bench.position(account) for account in (1, 2, 3)] == positions


def test_journal_on_another_history_is_sequenced_again_on_that_of_l1() -> None:
    bench = Bench()
    bench.busy_day()
    acknowledged = sequenced(bench.engine)
    chain = L1(bench)
    engine = Engine(Builder(get_law("minimal"), chain.head()), bench.world.domain)
    engine.builder.head.accumulator = b"\1" * 32
    found = recover(engine, chain, [tuple(decode_record(record)) for record in bench.journal])
    assert (found.voided, found.orphans) == (2, acknowledged)


def test_rejected_acknowledgement_stops_the_start() -> None:
    """An acknowledged input that the law rejects means another law or history: never go on over it."""
    bench = Bench()
    bench.place(1, False, ONE, 100_000)
    bench.place(2, True, ONE, 100_000)
    chain = L1(bench)
    records = [record for index, record in enumerate(bench.journal) if index != 1]  # the price is missing
    with pytest.raises(HeadMismatch, match="rejects an acknowledged input"):
        start_again(bench, chain, records)

"""A start from any snapshot on a batch that L1 has is the start from the journal's very beginning."""

from collections.abc import Callable
from pathlib import Path

import pytest

from optimist.sequencer.builder import Builder, HeadMismatch, SealedBatch
from optimist.sequencer.engine import Engine
from optimist.sequencer.entries import Voided, decode_record, encode_record
from optimist.sequencer.recovery import JournalBehind, Recovered, recover
from optimist.sequencer.snapshots import ORDERS_A_RECORD, Snapshots
from optimist.stf.law import get_law
from optimist.store.segments import SegmentedJournal
from tests.support.bench import ONE, Bench, fingerprint
from tests.unit.sequencer.test_recovery import L1, public_batch


class Days:
    """A bench whose journal is on disk; every day is a batch, and ends with a snapshot."""

    def __init__(self, directory: Path) -> None:
        self.bench = Bench()
        self.journal = SegmentedJournal(directory / "journal", bytes(32))
        self.snapshots = Snapshots(self.journal)
        self.sealed: list[SealedBatch] = []

    def live(self, play: Callable[[Bench], None], *, final: int = 0) -> None:
        """A day; the batches up to `final` are final when it ends."""
        bench = self.bench
        if bench.engine.builder.open_batch is None:
            bench.keep([bench.engine.open(bench.world.second, ())])
        play(bench)
        entry, sealed = bench.engine.seal()
        bench.keep([entry])
        self.sealed.append(sealed)
        self.journal.append(bench.journal)
        bench.journal.clear()
        batch = sealed.batch
        self.snapshots.prepare(batch.number, batch.accumulator, list(bench.engine.resting()), final)()

    def start(self, chain: L1) -> tuple[int, Engine, Recovered]:
        """From the snapshot that fits to L1; also the number of the record where it is."""
        start = Snapshots(self.journal).find_start(chain)
        return start, *self.start_from(start, chain)

    def start_from(self, start: int, chain: L1) -> tuple[Engine, Recovered]:
        engine = Engine(Builder(get_law("minimal"), chain.head()), self.bench.world.domain)
        records = [tuple(decode_record(record)) for _, record in self.journal.read(start)]
        return engine, recover(engine, chain, records)


def trade(bench: Bench) -> None:
    bench.price(99_000)
    bench.place(1, False, ONE // 10, 99_100)
    bench.place(2, True, ONE // 20, 99_100)
    bench.place(3, False, ONE, 99_900)


def lose_a_maker(bench: Bench) -> None:
    bench.price(99_500)
    bench.place(3, True, ONE, 99_600)


@pytest.fixture
def days(tmp_path: Path) -> Days:
    days = Days(tmp_path)
    days.live(Bench.busy_day)
    days.live(trade)
    days.live(lose_a_maker)
    days.bench.keep([days.bench.engine.open(days.bench.world.second, ())])
    days.bench.price(99_400)
    days.journal.append(days.bench.journal)
    days.bench.journal.clear()
    return days


@pytest.mark.parametrize("posted", range(4))
def test_newest_snapshot_of_a_batch_on_l1_leads_to_the_same_head_and_books(days: Days, posted: int) -> None:
    chain = L1(days.bench, days.sealed[:posted])
    start, engine, found = days.start(chain)
    assert days.journal.starts.index(start) == posted
    assert fingerprint(engine) == fingerprint(days.bench.engine)
    assert list(engine.resting()) == list(days.bench.engine.resting())
    assert found.unposted == days.sealed[posted:]
    for earlier in days.journal.starts[:posted]:
        engine, again = days.start_from(earlier, chain)
        assert fingerprint(engine) == fingerprint(days.bench.engine)
        assert again.unposted == found.unposted


def test_files_behind_the_last_snapshot_of_a_final_batch_are_kept_and_all_before_are_deleted(
    days: Days,
) -> None:
    starts = days.journal.starts
    days.live(trade, final=3)  # the journal's second snapshot is of batch 3
    assert days.journal.starts[:2] == starts[2:4]
    assert fingerprint(days.start(L1(days.bench, days.sealed[:2]))[1]) == fingerprint(days.bench.engine)
    with pytest.raises(HeadMismatch, match="gone back further than it may"):
        days.start(L1(days.bench, days.sealed[:1]))


def test_public_batch_in_the_place_of_a_snapshot_is_met_from_an_older_one(days: Days) -> None:
    foreign = public_batch(days.bench)
    start, engine, found = days.start(L1(days.bench, [foreign]))
    assert (start, found.voided) == (0, 2)
    assert len(found.orphans) == sum(len(sealed.sequenced) for sealed in days.sealed) + 1
    assert list(engine.resting()) == list(days.bench.engine.resting())


def test_large_book_is_spread_over_records(days: Days) -> None:
    (order,) = list(days.bench.engine.resting())[:1]
    orders = [order] * (2 * ORDERS_A_RECORD)
    days.snapshots.prepare(9, bytes(32), orders, 0)()
    found = [list(decode_record(record)) for _, record in days.journal.read(days.journal.starts[-1])]
    assert [len(entries) for entries in found] == [ORDERS_A_RECORD, ORDERS_A_RECORD, 1]
    assert [entry for entries in found for entry in entries][1:] == orders


def test_full_disk_postpones_a_snapshot(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    starts = days.journal.starts
    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", fail)
        days.snapshots.prepare(5, bytes(32), (), 0)()
    assert days.journal.starts == starts
    days.snapshots.prepare(5, bytes(32), (), 0)()
    assert days.journal.starts[:-1] == starts


@pytest.mark.parametrize("kept", range(3))
def test_journal_that_has_lost_its_end_is_noticed_when_l1_has_more(days: Days, kept: int) -> None:
    """An old copy, or another process with the same key: what it acknowledged is not known here."""
    chain = L1(days.bench, days.sealed)
    records = [tuple(decode_record(record)) for _, record in days.journal.read(0)]
    seals = [index for index, entries in enumerate(records) if type(entries[-1]).__name__ == "Sealed"]
    engine = Engine(Builder(get_law("minimal"), chain.head()), days.bench.world.domain)
    with pytest.raises(JournalBehind, match=f"L1 has batch {kept + 2} of this sequencer"):
        recover(engine, chain, records[: seals[kept]])


def test_empty_journal_is_enough_where_l1_has_only_public_batches(days: Days) -> None:
    chain = L1(days.bench, [public_batch(days.bench)])
    engine = Engine(Builder(get_law("minimal"), chain.head()), days.bench.world.domain)
    assert recover(engine, chain, []) == Recovered()


def test_file_that_begins_without_a_snapshot_is_refused(days: Days) -> None:
    days.journal.roll([encode_record([Voided(5)])])
    with pytest.raises(HeadMismatch, match="begins without a snapshot"):
        Snapshots(days.journal)

"""Starting again: L1's last batch plus the journal is what was acknowledged, wherever the process died."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from optimist.node.history import Entry, NoHistory
from optimist.node.receipts import Place
from optimist.sequencer.builder import Builder, Head, HeadMismatch, SealedBatch
from optimist.sequencer.engine import Engine
from optimist.sequencer.entries import Voided, decode_record
from optimist.sequencer.recovery import Recovered, rebase, recover
from optimist.stf.inputs import MODE_PUBLIC
from optimist.stf.law import get_law
from tests.support.bench import DEPOSITS, GENESIS_ACCUMULATOR, ONE, Bench, fingerprint


class L1:
    """What a node would say of an L1 with these batches behind batch 1."""

    timestamp = 0
    queue_length = len(DEPOSITS)

    def __init__(self, bench: Bench, sealed: Sequence[SealedBatch] = ()) -> None:
        self._bench = bench
        self._sealed = list(sealed)

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
        return DEPOSITS[start : start + count]

    def history(self, account: int, after: Place, limit: int) -> list[Entry]:
        raise NoHistory("this L1 has no node")

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

    renewed = Engine(Builder(get_law("minimal"), chain.head()), bench.world.domain)
    entries, lost = rebase(renewed, found.orphans, found.voided, bench.world.second + 100, resting)
    assert isinstance(entries[0], Voided)
    bench.engine = renewed
    # Prices signed a hundred seconds ago are still newer than none; trades at stale prices are refused.
    assert len(lost) == len(acknowledged) - len(sequenced(renewed))
    assert positions != [0, 0, 0]

    bench.keep(entries)
    again, found = start_again(bench, chain, bench.journal)
    assert fingerprint(again) == fingerprint(renewed)
    assert (found.orphans, found.voided) == ([], 0)


def test_journal_of_another_history_is_refused() -> None:
    bench = Bench()
    chain = L1(bench)
    engine = Engine(Builder(get_law("minimal"), chain.head()), bench.world.domain)
    engine.builder.head.accumulator = b"\1" * 32
    with pytest.raises(HeadMismatch, match="does not follow"):
        recover(engine, chain, [tuple(decode_record(record)) for record in bench.journal])


def test_rejected_acknowledgement_stops_the_start() -> None:
    """An acknowledged input that the law rejects means another law or history: never go on over it."""
    bench = Bench()
    bench.place(1, False, ONE, 100_000)
    bench.place(2, True, ONE, 100_000)
    chain = L1(bench)
    records = [record for index, record in enumerate(bench.journal) if index != 1]  # the price is missing
    with pytest.raises(HeadMismatch, match="rejects an acknowledged input"):
        start_again(bench, chain, records)

"""Snapshots: a start reads the journal from the last one on, and what lies before it is deleted in time.

A snapshot says how the books stood when a batch was closed. Whoever finds that batch on L1 needs nothing of
the journal before it: the state comes from L1. While L1 may still take the batch back, the files before it
are kept; a start after such a reorg begins with an older one.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain as concatenate
from itertools import islice
from typing import Final

import structlog

from optimist.sequencer.builder import HeadMismatch
from optimist.sequencer.entries import Entry, Snapshot, decode_record, encode_record
from optimist.sequencer.ports import Chain
from optimist.store.journal import JournalFull
from optimist.store.segments import SegmentedJournal

log = structlog.get_logger(__name__)

ORDERS_A_RECORD: Final = 1_000


class Snapshots:
    """The snapshots in a journal: each at the beginning of one of its files."""

    def __init__(self, journal: SegmentedJournal) -> None:
        """Raises JournalCorrupt, or DecodingError for a file that begins with something else."""
        self._journal = journal
        self._kept: dict[int, Snapshot] = {}  # by the number of its record, oldest first
        for start in journal.starts:
            if start:
                _, record = next(journal.read(start))
                first = next(decode_record(record))
                if not isinstance(first, Snapshot):
                    raise HeadMismatch(f"the journal's file at record {start} begins without a snapshot")
                self._kept[start] = first

    def find_start(self, chain: Chain) -> int:
        """The record to start from: the newest snapshot of a batch that L1 has, or the very beginning.

        Raises HeadMismatch when L1 has gone back behind everything that is kept.
        """
        for start, snapshot in reversed(self._kept.items()):
            batch = snapshot.batch
            if batch <= chain.batch_count and chain.accumulator(batch) == snapshot.accumulator:
                return start
        if self._journal.starts[0]:
            oldest = self._kept[self._journal.starts[0]]
            raise HeadMismatch(
                f"L1 does not have batch {oldest.batch} of the oldest snapshot in the journal: "
                "is this the journal of another deployment, or has L1 gone back further than it may?"
            )
        return 0

    def prepare(
        self, batch: int, accumulator: bytes, orders: Sequence[Entry], final_batch: int
    ) -> Callable[[], None]:
        """What takes a snapshot when it is called behind the record that closes `batch`, in any thread.

        `orders`: the entries that put every resting order back. What lies before the newest snapshot of a
        batch up to `final_batch` is deleted. A full disk postpones all of that. It raises JournalBroken.
        """
        snapshot = Snapshot(batch, accumulator, len(orders))

        def take() -> None:
            try:
                start = self._journal.roll(_encode(snapshot, orders))
                self._kept[start] = snapshot
                self._forget(final_batch)
            except (JournalFull, OSError) as error:
                log.warning("snapshot_postponed", batch=batch, error=str(error))
            else:
                log.info("snapshot_taken", batch=batch, orders=len(orders), files=len(self._journal.starts))

        return take

    def _forget(self, final_batch: int) -> None:
        final = [start for start, snapshot in self._kept.items() if snapshot.batch <= final_batch]
        if final:
            self._journal.forget(final[-1])
            self._kept = {start: kept for start, kept in self._kept.items() if start >= final[-1]}


def _encode(snapshot: Snapshot, orders: Sequence[Entry]) -> Iterator[bytes]:
    entries: Iterator[Entry] = concatenate((snapshot,), orders)
    while part := list(islice(entries, ORDERS_A_RECORD)):
        yield encode_record(part)

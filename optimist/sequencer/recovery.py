"""From L1's last batch and the journal back to the head that was acknowledged. Pure.

The journal is read into the line of batches that it holds: those after the last VOIDED entry, and those
before it that it left standing. Then each of them in turn

    is on L1                        nothing to do
    goes on from what is there      built again byte for byte, to be posted
    does not                        its inputs are orphans, and so are those of all that follow

A batch goes on from what is there when it follows the last one, L1 does not have another one in its place,
and L1's queue still holds the very items that it takes. The same is done after a start and whenever L1 shows
that it has gone another way (a reorg, somebody sealed a public batch): one path, whatever happened.

The books are what all journal entries since the last VOIDED or SNAPSHOT one make of them. `rebase` sequences
orphans again, at the present second. What L1 has already is not sequenced a second time: a reorg can bring
back a batch whose inputs were sequenced again in the meantime.

Every batch of the sequencer's own that L1 has must be in the journal: otherwise its end is lost, or another
process posts with the same key, and what it has acknowledged is not known here (JournalBehind).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from optimist.derive.actions import Sequenced
from optimist.derive.batch import INIT_BATCH
from optimist.derive.commitments import compute_chain_links
from optimist.derive.decode import decode
from optimist.sequencer.builder import HeadMismatch, SealedBatch
from optimist.sequencer.engine import Engine
from optimist.sequencer.entries import Entry, InputAccepted, Opened, Sealed, Snapshot, Voided
from optimist.sequencer.ports import Chain
from optimist.stf.inputs import SEQUENCED_KIND_AT


class JournalBehind(HeadMismatch):
    """L1 has a batch of the sequencer's that the journal does not know."""


@dataclass(slots=True)
class Recovered:
    """What the journal held beyond L1: batches to post, and inputs that lost their batch.

    `sealed`: the accumulator of every batch that the journal says was closed, voided ones included.
    """

    unposted: list[SealedBatch] = field(default_factory=list)
    orphans: list[bytes] = field(default_factory=list)
    voided: int = 0  # the first batch that does not stand any more, 0 when there is none
    sealed: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Rebased:
    """Orphans in new batches: what to journal, batches that are full already, and what the law refused."""

    entries: list[Entry]
    sealed: list[SealedBatch] = field(default_factory=list)
    lost: list[tuple[bytes, int]] = field(default_factory=list)  # input, the law's code


@dataclass(frozen=True, slots=True)
class Room:
    """What a batch holds at most, queue items not counted in `row_bytes`."""

    row_bytes: int
    inputs: int
    queue_items: int

    def is_full(self, engine: Engine) -> bool:
        """Whether the open batch is to be closed before anything else goes into it."""
        opened = engine.builder.open_batch
        return opened is not None and (opened.row_bytes >= self.row_bytes or opened.count >= self.inputs)


@dataclass(slots=True)
class _Journaled:
    """A batch as the journal has it. `accumulator`: None while it is open."""

    opened: Opened
    inputs: list[bytes] = field(default_factory=list)
    accumulator: bytes | None = None


def recover(engine: Engine, chain: Chain, records: Iterable[Sequence[Entry]], given_up: int = 0) -> Recovered:
    """Bring a new engine on `chain.head()` to where the journal was. Raises HeadMismatch, JournalBehind.

    `records`: of the whole journal, or from a snapshot on whose batch L1 has (`snapshots.find_start`).
    `given_up`: this batch, and what follows it, is not built again though it could be; 0 for none.
    """
    journal = _Reading(engine, chain)
    for entries in records:
        for entry in entries:
            journal.read(entry)
    journal.require_known_batches()
    found = Recovered(sealed=journal.sealed)
    for batch in journal.line:
        if not found.voided and batch.accumulator == chain_accumulator(chain, batch.opened.batch):
            continue
        is_given_up = bool(given_up) and batch.opened.batch >= given_up
        if found.voided or is_given_up or not _goes_on(batch.opened, engine, chain):
            # What follows on L1 may be of an earlier number, when L1 has fewer batches than before.
            found.voided = found.voided or min(batch.opened.batch, engine.builder.head.batch + 1)
            found.orphans += batch.inputs
        else:
            sealed = _build(batch, engine, chain)
            if sealed is not None:
                found.unposted.append(sealed)
    found.orphans = _leave_out(found.orphans, journal.find_returned())
    return found


def chain_accumulator(chain: Chain, batch: int) -> bytes:
    """Acc of `batch`; empty when L1 does not have it."""
    return chain.accumulator(batch) if batch <= chain.batch_count else b""


class _Reading:
    """Walks over the journal: the books on the way, and the line of batches that stands at its end."""

    def __init__(self, engine: Engine, chain: Chain) -> None:
        self._engine = engine
        self._chain = chain
        self._known = INIT_BATCH  # up to this batch the journal knows what L1 has: where it begins
        self._retired: list[_Journaled] = []  # voided, with their accumulators
        self.line: list[_Journaled] = []
        self.sealed: list[bytes] = []

    def read(self, entry: Entry) -> None:
        """The next entry."""
        self._engine.restore_book(entry)
        match entry:
            case Snapshot(batch=batch, accumulator=accumulator):
                if accumulator == chain_accumulator(self._chain, batch):
                    self._known = batch
            case Voided(batch=first):
                self._retired += [each for each in self.line if each.opened.batch >= first]
                self.line = [each for each in self.line if each.opened.batch < first]
            case Opened():
                self.line.append(_Journaled(entry))
            case InputAccepted():
                self.line[-1].inputs.append(entry.data)
            case Sealed():
                self.line[-1].accumulator = entry.accumulator
                self.sealed.append(entry.accumulator)
            case _:
                pass  # the books' own business

    def require_known_batches(self) -> None:
        """Raises JournalBehind when L1 has a batch of ours that is not in the journal."""
        sealed = set(self.sealed)
        for batch in range(self._known + 1, self._chain.batch_count + 1):
            if not self._chain.is_public(batch) and self._chain.accumulator(batch) not in sealed:
                raise JournalBehind(
                    f"L1 has batch {batch} of this sequencer, which its journal does not know: the journal "
                    "has lost its end, is an old copy, or another process posts with the same key. Use the "
                    "newest journal; if it is lost for good, start once with --accept-lost-journal"
                )

    def find_returned(self) -> list[bytes]:
        """Inputs of voided batches that L1 has all the same, since a reorg brought them back."""
        return [
            data
            for batch in self._retired
            if batch.accumulator == chain_accumulator(self._chain, batch.opened.batch)
            for data in batch.inputs
        ]


def _goes_on(opened: Opened, engine: Engine, chain: Chain) -> bool:
    head = engine.builder.head
    if (opened.batch, opened.previous_accumulator) != (head.batch + 1, head.accumulator):
        return False
    items = chain.queue_inputs(opened.queue_from, opened.queue_count)
    return len(items) == opened.queue_count and compute_chain_links(items)[0] == opened.queue_head


def _build(batch: _Journaled, engine: Engine, chain: Chain) -> SealedBatch | None:
    """Apply a batch anew; what is ready for L1, or None when it was still open. Raises HeadMismatch."""
    opened = batch.opened
    engine.builder.open(opened.first, chain.queue_inputs(opened.queue_from, opened.queue_count))
    for data in batch.inputs:
        receipt = engine.builder.apply_input(data)
        if receipt.rejected:
            raise HeadMismatch(f"the law rejects an acknowledged input with code {receipt.code}")
    if batch.accumulator is None:
        return None
    sealed = engine.builder.seal()
    if sealed.batch.accumulator != batch.accumulator:
        raise HeadMismatch(f"batch {opened.batch} seals to another accumulator than was journaled")
    return sealed


def _leave_out(inputs: Sequence[bytes], done: Sequence[bytes]) -> list[bytes]:
    """`inputs` without those that do what one in `done` has done, each counted once; seconds may differ."""
    counts = Counter(data[SEQUENCED_KIND_AT:] for data in done)
    left = []
    for data in inputs:
        if counts[data[SEQUENCED_KIND_AT:]]:
            counts[data[SEQUENCED_KIND_AT:]] -= 1
        else:
            left.append(data)
    return left


def rebase(
    engine: Engine, chain: Chain, found: Recovered, second: int, room: Room, resting: Sequence[Entry]
) -> Rebased:
    """Sequence what `recover` found orphaned in new batches on its engine; the books keep `resting` orders.

    What the law no longer accepts is lost (an order that has expired, a withdrawal that a forced one
    overtook, whatever a deposit paid for that L1 has taken back): what was confirmed about it is void. The
    first batch takes what waits in L1's queue: deposits come before what they pay for.
    """
    rebased = Rebased([Voided(found.voided)])
    for data in found.orphans:
        match decode(data):
            case Sequenced(action=action):
                pass
            case _:
                raise HeadMismatch("the journal holds an input that no sequencer writes")
        if room.is_full(engine):
            entry, sealed = engine.seal()
            rebased.entries.append(entry)
            rebased.sealed.append(sealed)
        if engine.builder.open_batch is None:
            start = engine.builder.head.queue_next
            count = max(min(chain.queue_length - start, room.queue_items), 0)
            rebased.entries.append(engine.open(second, chain.queue_inputs(start, count)))
        renewed, receipt = engine.builder.apply(action, second)
        if receipt.rejected:
            rebased.lost.append((data, receipt.code))
        else:
            rebased.entries.append(InputAccepted(renewed))
    rebased.entries += resting
    return rebased

"""From L1's last batch and the journal back to the head that was acknowledged. Pure.

The books are what all journal entries since the last VOIDED or SNAPSHOT one make of them. The builder needs
only the entries of batches that L1 does not have yet. Inputs that were journaled for a batch which L1 has in
another form (somebody sealed a public batch while we were gone) are orphans: `rebase` sequences them again,
at the present second.

Every batch of the sequencer's own that L1 has must be in the journal: otherwise its end is lost, or another
process posts with the same key, and what it has acknowledged is not known here (JournalBehind).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from optimist.derive.actions import Sequenced
from optimist.derive.batch import INIT_BATCH
from optimist.derive.decode import decode
from optimist.sequencer.builder import HeadMismatch, SealedBatch
from optimist.sequencer.engine import Engine
from optimist.sequencer.entries import Entry, InputAccepted, Opened, Sealed, Snapshot, Voided
from optimist.sequencer.ports import Chain


class JournalBehind(HeadMismatch):
    """L1 has a batch of the sequencer's that the journal does not know."""


@dataclass(slots=True)
class Recovered:
    """What the journal held beyond L1: batches to post, and inputs that lost their batch.

    `sealed`: the accumulator of every batch that the journal says was closed, voided ones included.
    """

    unposted: list[SealedBatch] = field(default_factory=list)
    orphans: list[bytes] = field(default_factory=list)
    voided: int = 0  # the first batch of L1 that is not ours, 0 when there is none
    sealed: list[bytes] = field(default_factory=list)


def recover(engine: Engine, chain: Chain, records: Iterable[Sequence[Entry]]) -> Recovered:
    """Bring a new engine on `chain.head()` to where the journal was. Raises HeadMismatch, JournalBehind.

    `records`: of the whole journal, or from a snapshot on whose batch L1 has (`snapshots.find_start`).
    """
    replay = _Replay(engine, chain)
    for entries in records:
        for entry in entries:
            replay.redo(entry)
    replay.close_batch(None)
    sealed = set(replay.found.sealed)
    for batch in range(replay.known + 1, chain.batch_count + 1):
        if not chain.is_public(batch) and chain.accumulator(batch) not in sealed:
            raise JournalBehind(
                f"L1 has batch {batch} of this sequencer, which its journal does not know: the journal has "
                "lost its end, is an old copy, or another process posts with the same key. Use the newest "
                "journal; if it is lost for good, start once with --accept-lost-journal"
            )
    return replay.found


class _Replay:
    """Walks over the journal. A batch of it is on L1, or is built anew, or is lost."""

    def __init__(self, engine: Engine, chain: Chain) -> None:
        self._engine = engine
        self._chain = chain
        self._batch = 0
        self._is_built = False
        self._inputs: list[bytes] = []  # of a batch that is not built
        self.known = INIT_BATCH  # up to this batch the journal knows what L1 has: where it begins
        self.found = Recovered()

    def redo(self, entry: Entry) -> None:
        self._engine.restore_book(entry)
        match entry:
            case Snapshot(batch=batch, accumulator=accumulator):
                if accumulator == self._accumulator_on_l1(batch):
                    self.known = batch
            case Voided():
                self.found = Recovered(sealed=self.found.sealed)
                self._inputs = []
                self._batch = 0
            case Opened():
                self.close_batch(None)
                self._open(entry)
            case InputAccepted() if self._is_built:
                receipt = self._engine.builder.apply_input(entry.data)
                if receipt.rejected:
                    raise HeadMismatch(f"the law rejects an acknowledged input with code {receipt.code}")
            case InputAccepted():
                self._inputs.append(entry.data)
            case Sealed():
                self.found.sealed.append(entry.accumulator)
                self.close_batch(entry)
            case _:
                pass  # the books' own business

    def close_batch(self, sealed: Sealed | None) -> None:
        """The batch of the last OPENED ends; `sealed` says how, None that it never was."""
        if self._is_built:
            if sealed is not None:
                self._seal(sealed)
            return
        if self._batch and (sealed is None or sealed.accumulator != self._accumulator_on_l1(self._batch)):
            self.found.orphans += self._inputs
            self.found.voided = self.found.voided or self._batch
        self._batch, self._inputs = 0, []

    def _open(self, entry: Opened) -> None:
        builder, head = self._engine.builder, self._engine.builder.head
        self._batch = entry.batch
        self._is_built = entry.batch > self._chain.batch_count and not self.found.voided
        if not self._is_built:
            return
        if (entry.batch, entry.previous_accumulator) != (head.batch + 1, head.accumulator):
            raise HeadMismatch(
                f"batch {entry.batch} of the journal does not follow batch {head.batch} of L1: "
                "is this the journal of another deployment, or has L1 gone back further than it may?"
            )
        builder.open(entry.first, self._chain.queue_inputs(entry.queue_from, entry.queue_count))

    def _seal(self, entry: Sealed) -> None:
        sealed = self._engine.builder.seal()
        if sealed.batch.accumulator != entry.accumulator:
            raise HeadMismatch(f"batch {entry.batch} seals to another accumulator than was journaled")
        self.found.unposted.append(sealed)
        self._is_built, self._batch = False, 0

    def _accumulator_on_l1(self, batch: int) -> bytes | None:
        return self._chain.accumulator(batch) if batch <= self._chain.batch_count else None


def rebase(
    engine: Engine, orphans: Sequence[bytes], voided: int, second: int, resting: Sequence[Entry]
) -> tuple[list[Entry], list[tuple[bytes, int]]]:
    """Sequence orphans again in a new batch on `engine`, and put `resting` orders back.

    Returns the journal entries of all that, and the inputs that the law no longer accepts with its codes (an
    order that has expired, a withdrawal that a forced one overtook): the public batch that came between voids
    what was confirmed about them.
    """
    entries: list[Entry] = [Voided(voided)]
    lost: list[tuple[bytes, int]] = []
    if orphans:
        entries.append(engine.open(second, ()))
    for data in orphans:
        match decode(data):
            case Sequenced(action=action):
                renewed, receipt = engine.builder.apply(action, second)
                if receipt.rejected:
                    lost.append((data, receipt.code))
                else:
                    entries.append(InputAccepted(renewed))
            case _:
                raise HeadMismatch("the journal holds an input that no sequencer writes")
    for entry in resting:
        engine.restore_book(entry)
    return [*entries, *resting], lost

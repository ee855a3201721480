"""A journal in several files, so that what nobody needs any more can be deleted.

    journal/00000000000000000000    the first records
    journal/00000000000000051234    goes on at record 51,234, and begins with a snapshot

`roll` begins a new file with records that say all that the earlier ones amount to: whoever reads from its
beginning needs nothing before it. The new file is written beside the others and renamed once it is safe, so
a crash leaves either the old end of the journal or the new one, never half a snapshot. The chain of links
runs on from file to file.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from optimist.store.journal import (
    DRAFT,
    Journal,
    JournalBroken,
    JournalCorrupt,
    JournalFull,
    encode_file_header,
    encode_frame,
    sync_directory,
)

FRAME_BYTES: Final = 1 << 20  # records of a snapshot share frames of about this size
DURING_SNAPSHOT: Final = "during-snapshot"


class SegmentedJournal:
    """An open journal in a directory of its own. One writer; single-threaded, as `Journal`."""

    def __init__(
        self, directory: Path, identity: bytes, checkpoint: Callable[[str], None] = lambda _: None
    ) -> None:
        """Open the journal in `directory`, or begin one; checks every byte that is left of it.

        checkpoint: told `DURING_SNAPSHOT` three times in every `roll`; tests kill us there.
        Raises JournalCorrupt.
        """
        if not directory.exists():
            directory.mkdir(parents=True)
            sync_directory(directory.parent)
        self._directory = directory
        self._identity = identity
        self._checkpoint = checkpoint
        self._broken = False
        for draft in directory.glob("*" + DRAFT):
            draft.unlink()  # of a snapshot that a crash has cut short
        self._starts = sorted(int(path.name) for path in directory.iterdir() if path.name.isdecimal()) or [0]
        self._last = self._open(self._starts[0])
        for start in self._starts[1:]:
            earlier = self._last
            earlier.close()
            self._last = self._open(start)
            if self._last.begin != earlier.place:
                self._last.close()
                raise JournalCorrupt(f"{self._last.path} does not go on where {earlier.path} ends")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files. Idempotent."""
        self._last.close()

    @property
    def starts(self) -> Sequence[int]:
        """The sequence number with which each file begins, in order."""
        return tuple(self._starts)

    @property
    def next_sequence(self) -> int:
        """The number of the record that is appended next."""
        return self._last.next_sequence

    @property
    def size(self) -> int:
        """Bytes of the last file."""
        return self._last.size

    @property
    def dropped(self) -> int:
        """Bytes of a torn frame that was dropped at opening."""
        return self._last.dropped

    def append(self, records: Sequence[bytes]) -> int:
        """See `Journal.append`."""
        self._require_whole()
        return self._last.append(records)

    def has_room(self) -> bool:
        """See `Journal.has_room`."""
        return self._last.has_room()

    def read(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """(sequence, record) from `start` on, as far back as there are files. Raises JournalCorrupt."""
        for index, first in enumerate(self._starts):
            is_last = index == len(self._starts) - 1
            if not is_last and self._starts[index + 1] <= start:
                continue
            if is_last:
                yield from self._last.read(start)
            else:
                with Journal(self._path(first), self._identity, is_last=False) as earlier:
                    yield from earlier.read(start)

    def roll(self, records: Iterable[bytes]) -> int:
        """Begin a new file with `records`; the number of the first one, once they are safe on disk.

        Raises JournalFull (nothing happened) or JournalBroken.
        """
        self._require_whole()
        place = self._last.place
        path = self._path(place.sequence)
        draft = path.with_name(path.name + DRAFT)
        try:
            with draft.open("wb") as file:
                file.write(encode_file_header(self._identity, place))
                self._checkpoint(DURING_SNAPSHOT)
                end = place
                for group in _group(records):
                    frame, end = encode_frame(end, group)
                    file.write(frame)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise JournalFull(f"cannot write {draft}: {error}") from error
        self._checkpoint(DURING_SNAPSHOT)
        try:
            draft.rename(path)
            sync_directory(self._directory)
        except OSError as error:
            self._broken = True  # a crash now would decide which of the two files is the last
            raise JournalBroken(f"cannot make {path} safe: {error}") from error
        self._checkpoint(DURING_SNAPSHOT)
        self._last.close()
        self._last = Journal(path, self._identity)
        self._starts.append(place.sequence)
        return place.sequence

    def forget(self, before: int) -> int:
        """Delete the files that end before the one which begins at `before`; how many. Raises OSError."""
        gone = [start for start in self._starts if start < before]
        if before not in self._starts:
            raise ValueError(f"no file of the journal begins at record {before}")
        for start in gone:  # oldest first, so that a crash leaves no hole
            self._path(start).unlink()
            self._starts.remove(start)
        sync_directory(self._directory)
        return len(gone)

    def _path(self, start: int) -> Path:
        return self._directory / f"{start:020d}"

    def _open(self, start: int) -> Journal:
        journal = Journal(self._path(start), self._identity, is_last=start == self._starts[-1])
        if journal.begin.sequence != start:
            journal.close()
            raise JournalCorrupt(f"{journal.path} begins at record {journal.begin.sequence}: it was renamed")
        return journal

    def _require_whole(self) -> None:
        if self._broken:
            raise JournalBroken(f"{self._directory} failed before: open it again to learn what it holds")


def _group(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for record in records:
        if group and size + len(record) > FRAME_BYTES:
            yield group
            group, size = [], 0
        group.append(record)
        size += len(record)
    yield group

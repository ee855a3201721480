"""The journal: what was promised, in order, on disk before anybody was told.

    file   = magic:8 | identity:32 | crc32:4 | frame*
             magic:8 | identity:32 | first sequence:8 | link:32 | crc32:4 | frame*    goes on from a file
    frame  = body length:4 | first sequence:8 | crc32 of these:4 | body | link:32 | crc32 of both:4 | END
    body   = (length:4 | record)+                    the records of one group commit
    link   = K(JOURNAL | previous link | body)       the first previous link is K(JOURNAL | identity)

A frame is written only after the one before it is safely on disk, so only the LAST frame can be torn. At
opening, a frame that was cut short is dropped: nobody was told of it. Any other damage is an error: bytes
that were safe have changed, and to drop them would break promises in silence, as databases do. A frame whose
END is a zero byte counts as torn too (a file system may lengthen a file before it writes it), so END is a
byte that no single bit makes zero. What nobody can notice from the file alone is that whole frames vanished
from its end: that takes a comparison with L1.

    JournalError
    ├── JournalCorrupt      safe bytes have changed; restore the file from a copy, do not start without it
    ├── JournalFull         the disk took no more; nothing was written, try again when there is room
    └── JournalBroken       the disk failed while making a frame safe: nobody knows what is on it, stop
"""

import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from optimist.base.keccak import tagged
from optimist.base.tags import JOURNAL

MAGIC: Final = b"OPTJRNL\x01"
MAGIC_GOES_ON: Final = b"OPTJRNL\x02"
END: Final = 0xA5
IDENTITY_BYTES: Final = 32
LINK_BYTES: Final = 32
CRC_BYTES: Final = 4
PLACE_BYTES: Final = 8 + LINK_BYTES
FILE_HEADER_BYTES: Final = len(MAGIC) + IDENTITY_BYTES + CRC_BYTES
FRAME_HEADER_BYTES: Final = 4 + 8 + CRC_BYTES
FRAME_TAIL_BYTES: Final = LINK_BYTES + CRC_BYTES + 1
MAX_BODY_BYTES: Final = 1 << 24
PROBE_BYTES: Final = 1 << 16
DRAFT: Final = ".new"  # behind the name of a file that is not whole yet


class JournalError(Exception):
    """Root of everything that goes wrong with a journal."""


class JournalCorrupt(JournalError):
    """Bytes that were safe on disk have changed, or the file is no journal, or it is somebody else's."""


class JournalFull(JournalError):
    """The disk took no more. The journal is as it was before; appending again may succeed."""


class JournalBroken(JournalError):
    """The disk failed while a frame was made safe. What it holds is unknown until it is opened again."""


@dataclass(frozen=True, slots=True)
class _Frame:
    first: int
    records: list[bytes]
    link: bytes
    end: int  # offset of the byte after it


@dataclass(frozen=True, slots=True)
class Place:
    """Between two records: the next one's sequence number, and the link of the chain so far."""

    sequence: int
    link: bytes


class Journal:
    """An open journal. One writer; single-threaded (see `group_commit` for many waiters)."""

    def __init__(self, path: Path, identity: bytes, *, is_last: bool = True) -> None:
        """Open the journal at `path`, or begin one. `identity` (32 bytes) says what it is the journal of.

        Checks every byte, and drops a torn last frame (`dropped` counts its bytes). Where the journal goes on
        in another file (not `is_last`), a torn frame is damage. Raises JournalCorrupt.
        """
        if len(identity) != IDENTITY_BYTES:
            raise ValueError(f"an identity has {IDENTITY_BYTES} bytes, not {len(identity)}")
        self.path = path
        self.dropped = 0
        self._identity = identity
        self._broken = False
        if not path.exists():
            create(path, encode_file_header(identity))
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self.begin, self._end = self._read_file_header()
            self.next_sequence, self.link = self.begin.sequence, self.begin.link
            self._frames_at = self._end
            for frame in self._frames():
                self._end, self.link = frame.end, frame.link
                self.next_sequence = frame.first + len(frame.records)
            self.dropped = os.fstat(self._descriptor).st_size - self._end
            if self.dropped:
                self._drop_torn_frame(is_last)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Idempotent; everything that was appended is safe already."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._end

    @property
    def place(self) -> Place:
        """Behind the last record."""
        return Place(self.next_sequence, self.link)

    def append(self, records: Sequence[bytes]) -> int:
        """Write `records` as one group; returns the first one's sequence number once all are safe on disk.

        All or none of them survive a crash. Raises JournalFull (nothing happened) or JournalBroken.
        """
        if self._broken:
            raise JournalBroken(f"{self.path} failed before: open it again to learn what it holds")
        frame, end = encode_frame(self.place, records)
        self._write(frame)
        self._end += len(frame)
        first = self.next_sequence
        self.next_sequence, self.link = end.sequence, end.link
        return first

    def has_room(self) -> bool:
        """Whether the disk would take some more, found out by writing zeros behind the end.

        A crash meanwhile leaves them there; the next opening drops them like a torn frame.
        """
        try:
            written = os.pwrite(self._descriptor, bytes(PROBE_BYTES), self._end)
            os.fdatasync(self._descriptor)
        except OSError:
            written = 0
        os.ftruncate(self._descriptor, self._end)
        return written == PROBE_BYTES

    def read(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """(sequence, record) of every record from `start` on, checked again. Raises JournalCorrupt."""
        for frame in self._frames(self._end):
            for sequence, record in enumerate(frame.records, frame.first):
                if sequence >= start:
                    yield sequence, record

    def _drop_torn_frame(self, is_last: bool) -> None:
        if not is_last:
            raise JournalCorrupt(f"{self.path} was cut short at record {self.next_sequence}, but it went on")
        os.ftruncate(self._descriptor, self._end)
        os.fdatasync(self._descriptor)

    def _write(self, frame: bytes) -> None:
        try:
            written = 0
            while written < len(frame):
                written += os.pwrite(self._descriptor, frame[written:], self._end + written)
        except OSError as error:
            try:
                os.ftruncate(self._descriptor, self._end)
            except OSError:
                self._broken = True
                raise JournalBroken(f"cannot cut {self.path} back after: {error}") from error
            raise JournalFull(f"cannot write to {self.path}: {error}") from error
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            # After a failed sync the kernel may forget the dirty pages: a second sync would lie.
            self._broken = True
            raise JournalBroken(f"cannot make {self.path} safe: {error}") from error

    def _frames(self, end: int | None = None) -> Iterator[_Frame]:
        """Every whole frame up to `end` (default: of the file), checked; stops before a torn last one."""
        size = os.fstat(self._descriptor).st_size if end is None else end
        at, link, sequence = self._frames_at, self.begin.link, self.begin.sequence
        while at < size:
            frame = self._read_frame(at, size, link, sequence)
            if frame is None:
                return
            yield frame
            at, link, sequence = frame.end, frame.link, frame.first + len(frame.records)

    def _read_file_header(self) -> tuple[Place, int]:
        """Where the file's records begin: in the journal, and in the file."""
        header = os.pread(self._descriptor, FILE_HEADER_BYTES + PLACE_BYTES, 0)
        goes_on = header.startswith(MAGIC_GOES_ON)
        header = header[: FILE_HEADER_BYTES + (PLACE_BYTES if goes_on else 0)]
        content, identity = header[:-CRC_BYTES], header[len(MAGIC) : len(MAGIC) + IDENTITY_BYTES]
        if len(header) < FILE_HEADER_BYTES or header[-CRC_BYTES:] != _crc(content):
            raise JournalCorrupt(f"{self.path} does not begin like a journal: it is damaged or another file")
        if not goes_on and content[: len(MAGIC)] != MAGIC:
            raise JournalCorrupt(f"{self.path} is a journal of another version")
        if identity != self._identity:
            raise JournalCorrupt(
                f"{self.path} is the journal of another deployment: use another data directory"
            )
        if not goes_on:
            return Place(0, tagged(JOURNAL, identity)), len(header)
        place = content[len(MAGIC) + IDENTITY_BYTES :]
        return Place(int.from_bytes(place[:8], "big"), place[8:]), len(header)

    def _read_frame(self, at: int, size: int, link: bytes, sequence: int) -> _Frame | None:
        """The frame at offset `at`; None when it is the torn last one. Raises JournalCorrupt."""
        left = size - at
        header = os.pread(self._descriptor, min(left, FRAME_HEADER_BYTES), at)
        if left < FRAME_HEADER_BYTES:
            return None
        if header[12:] != _crc(header[:12]):
            if self._is_unwritten(at + FRAME_HEADER_BYTES, size):
                return None
            raise JournalCorrupt(f"{self.path}: damaged header of record {sequence} at offset {at}")
        length = int.from_bytes(header[:4], "big")
        total = FRAME_HEADER_BYTES + length + FRAME_TAIL_BYTES
        if left < total:
            return None
        frame = os.pread(self._descriptor, total, at)
        body, tail = frame[FRAME_HEADER_BYTES:-FRAME_TAIL_BYTES], frame[-FRAME_TAIL_BYTES:]
        if frame[-1] == 0 and left == total:
            return None
        is_whole = tail[LINK_BYTES:] == _crc(body + tail[:LINK_BYTES]) + bytes((END,))
        if not is_whole or tail[:LINK_BYTES] != tagged(JOURNAL, link, body):
            raise JournalCorrupt(
                f"{self.path}: record {sequence} at offset {at} is damaged or out of its place"
            )
        records = _split(body)
        if int.from_bytes(header[4:12], "big") != sequence or not records:
            raise JournalCorrupt(f"{self.path}: record {sequence} at offset {at} has another number")
        return _Frame(sequence, records, tail[:LINK_BYTES], at + total)

    def _is_unwritten(self, at: int, size: int) -> bool:
        """True when the file is all zeros from `at` on: lengthened, but never written."""
        while at < size:
            part = os.pread(self._descriptor, min(1 << 20, size - at), at)
            if part.count(0) != len(part):
                return False
            at += len(part)
        return True


def encode_file_header(identity: bytes, place: Place | None = None) -> bytes:
    """How a file begins: at the beginning of a journal, or at a later place of it."""
    if place is None:
        content = MAGIC + identity
    else:
        content = MAGIC_GOES_ON + identity + place.sequence.to_bytes(8, "big") + place.link
    return content + _crc(content)


def encode_frame(place: Place, records: Sequence[bytes]) -> tuple[bytes, Place]:
    """The frame of `records` at a place, and the place behind it. Raises ValueError when they do not fit."""
    body = b"".join(len(record).to_bytes(4, "big") + record for record in records)
    if not records or len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a group has 1 to {MAX_BODY_BYTES} bytes, not {len(body)}")
    header = len(body).to_bytes(4, "big") + place.sequence.to_bytes(8, "big")
    link = tagged(JOURNAL, place.link, body)
    frame = header + _crc(header) + body + link + _crc(body + link) + bytes((END,))
    return frame, Place(place.sequence + len(records), link)


def create(path: Path, *parts: bytes) -> None:
    """A new file appears whole or not at all. Raises OSError, and leaves nothing behind then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + DRAFT)
    try:
        with draft.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    draft.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make names that were created, changed or removed in a directory safe. Raises OSError."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(CRC_BYTES, "big")


def _split(body: bytes) -> list[bytes]:
    records, at = [], 0
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        records.append(body[at + 4 : at + 4 + length])
        at += 4 + length
    return records

"""The journal: what was promised, in order, on disk before anybody was told.

    file   = magic:8 | identity:32 | crc32:4 | frame*
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
END: Final = 0xA5
IDENTITY_BYTES: Final = 32
LINK_BYTES: Final = 32
CRC_BYTES: Final = 4
FILE_HEADER_BYTES: Final = len(MAGIC) + IDENTITY_BYTES + CRC_BYTES
FRAME_HEADER_BYTES: Final = 4 + 8 + CRC_BYTES
FRAME_TAIL_BYTES: Final = LINK_BYTES + CRC_BYTES + 1
MAX_BODY_BYTES: Final = 1 << 24


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


class Journal:
    """An open journal. One writer; single-threaded (see `group_commit` for many waiters)."""

    def __init__(self, path: Path, identity: bytes) -> None:
        """Open the journal at `path`, or begin one. `identity` (32 bytes) says what it is the journal of.

        Checks every byte, and drops a torn last frame (`dropped` counts its bytes). Raises JournalCorrupt.
        """
        if len(identity) != IDENTITY_BYTES:
            raise ValueError(f"an identity has {IDENTITY_BYTES} bytes, not {len(identity)}")
        self.path = path
        self.next_sequence = 0
        self.link = tagged(JOURNAL, identity)
        self.dropped = 0
        self._identity = identity
        self._broken = False
        if not path.exists():
            _create(path, identity)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._end = FILE_HEADER_BYTES
            for frame in self._frames():
                self._end, self.link = frame.end, frame.link
                self.next_sequence = frame.first + len(frame.records)
            self.dropped = os.fstat(self._descriptor).st_size - self._end
            if self.dropped:
                os.ftruncate(self._descriptor, self._end)
                os.fdatasync(self._descriptor)
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

    def append(self, records: Sequence[bytes]) -> int:
        """Write `records` as one group; returns the first one's sequence number once all are safe on disk.

        All or none of them survive a crash. Raises JournalFull (nothing happened) or JournalBroken.
        """
        if self._broken:
            raise JournalBroken(f"{self.path} failed before: open it again to learn what it holds")
        body = b"".join(len(record).to_bytes(4, "big") + record for record in records)
        if not records or len(body) > MAX_BODY_BYTES:
            raise ValueError(f"a group has 1 to {MAX_BODY_BYTES} bytes, not {len(body)}")
        first = self.next_sequence
        header = len(body).to_bytes(4, "big") + first.to_bytes(8, "big")
        link = tagged(JOURNAL, self.link, body)
        frame = header + _crc(header) + body + link + _crc(body + link) + bytes((END,))
        self._write(frame)
        self._end += len(frame)
        self.link = link
        self.next_sequence = first + len(records)
        return first

    def read(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """(sequence, record) of every record from `start` on, checked again. Raises JournalCorrupt."""
        for frame in self._frames(self._end):
            for sequence, record in enumerate(frame.records, frame.first):
                if sequence >= start:
                    yield sequence, record

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
        self._check_file_header()
        at, link, sequence = FILE_HEADER_BYTES, tagged(JOURNAL, self._identity), 0
        while at < size:
            frame = self._read_frame(at, size, link, sequence)
            if frame is None:
                return
            yield frame
            at, link, sequence = frame.end, frame.link, frame.first + len(frame.records)

    def _check_file_header(self) -> None:
        header = os.pread(self._descriptor, FILE_HEADER_BYTES, 0)
        content = header[:-CRC_BYTES]
        if len(header) < FILE_HEADER_BYTES or header[-CRC_BYTES:] != _crc(content):
            raise JournalCorrupt(f"{self.path} does not begin like a journal: it is damaged or another file")
        if content[: len(MAGIC)] != MAGIC:
            raise JournalCorrupt(f"{self.path} is a journal of another version")
        if content[len(MAGIC) :] != self._identity:
            raise JournalCorrupt(
                f"{self.path} is the journal of another deployment: use another data directory"
            )

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


def _create(path: Path, identity: bytes) -> None:
    """A new journal appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = MAGIC + identity
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(content + _crc(content))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
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

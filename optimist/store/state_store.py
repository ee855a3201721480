"""What a node has derived, on disk: a cache in RocksDB, from which a restart goes on without asking L1 again.

Only a cache: everything in it comes from L1, so whatever looks wrong is thrown away and derived anew. One
look at L1 is one atomic write, its cursor included; a crash, or a write-ahead log that lost its tail, leaves
an older state that is whole. The values are opaque here.

    0 | name            identity of the deployment, cursor
    1 | batch:8         a batch and its effects
    2 | key:6           a record of the state, 256 bytes
    3 | sequence:8      a log of L1
    4 | batch:8 | index:4               the receipt of an input
    5 | account:6 | batch:8 | index:4   nothing: this receipt belongs to the account's history

    StateDamaged        RocksDB found damage: `clear`, and derive anew
    StateUnwritable     the disk takes no more, or fails: make room, and start again
    ForeignState        the state of another rollup or law: use another data directory
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from rocksdict import Options, Rdict, WriteBatch

_LOCKED: Final = "lock"  # RocksDB calls it an IO error when another process has the database
WRITE_BUFFER: Final = 8 << 20  # bytes that wait in memory for a file; the default is 64 MiB
_META: Final = b"\x00"
_BATCH: Final = b"\x01"
_RECORD: Final = b"\x02"
_LOG: Final = b"\x03"
_RECEIPT: Final = b"\x04"
_HISTORY: Final = b"\x05"
_IDENTITY: Final = _META + b"identity"
_CURSOR: Final = _META + b"cursor"


class StateDamaged(Exception):
    """RocksDB found damage in its files. Everything in it can be derived anew."""


class StateUnwritable(Exception):
    """The disk took no more, or failed. What is on it is an older state that is whole."""


class ForeignState(Exception):
    """The directory holds the state of another deployment or another law: use another --datadir."""


@dataclass(slots=True)
class Change:
    """One atomic write. None deletes."""

    cursor: bytes
    batches: dict[int, bytes | None] = field(default_factory=dict)
    records: dict[int, bytes | None] = field(default_factory=dict)
    logs: dict[int, bytes | None] = field(default_factory=dict)
    receipts: dict[tuple[int, int], bytes | None] = field(default_factory=dict)  # by batch and index
    histories: dict[tuple[int, int, int], bytes | None] = field(default_factory=dict)  # and by account


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that is on disk; batches and logs in ascending order."""

    cursor: bytes
    batches: list[bytes]
    records: dict[int, bytes]
    logs: list[bytes]


class StateStore:
    """An open store. One process; see `lock`."""

    def __init__(self, path: Path, identity: bytes) -> None:
        """`identity`: what the state is derived from and with.

        Damaged files are thrown away and begun anew: `was_damaged` then says so. Raises ForeignState.
        """
        self._path = path
        self._identity = identity
        self.was_damaged = False
        try:
            self._db = self._open()
        except StateDamaged:
            self.was_damaged = True
            shutil.rmtree(path)
            self._db = self._open()

    def _open(self) -> Rdict:
        options = Options(raw_mode=True)
        options.set_write_buffer_size(WRITE_BUFFER)
        options.create_if_missing(True)
        with _noticing_damage():
            db = Rdict(str(self._path), options)
            known = db.get(_IDENTITY)
        if known is None:
            db[_IDENTITY] = self._identity
        elif known != self._identity:
            db.close()
            raise ForeignState(
                f"{self._path} holds the state of another deployment or law: use another data directory"
            )
        return db

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self) -> Kept | None:
        """Everything that was written; None when nothing was. Raises StateDamaged."""
        with _noticing_damage():
            cursor = self._db.get(_CURSOR)
            if cursor is None:
                return None
            return Kept(
                cursor=cursor,
                batches=[value for _, value in self._scan(_BATCH)],
                records={int.from_bytes(key, "big"): value for key, value in self._scan(_RECORD)},
                logs=[value for _, value in self._scan(_LOG)],
            )

    def write(self, change: Change) -> None:
        """Make all of a change, or, if the process dies, nothing of it. Raises StateUnwritable."""
        batch = WriteBatch(raw_mode=True)
        _fill(batch, _BATCH, 8, change.batches)
        _fill(batch, _RECORD, 6, change.records)
        _fill(batch, _LOG, 8, change.logs)
        _fill(batch, _RECEIPT, 12, {_join(place): value for place, value in change.receipts.items()})
        _fill(batch, _HISTORY, 18, {_join(place): value for place, value in change.histories.items()})
        batch.put(_CURSOR, change.cursor)
        with _noticing_damage():
            self._db.write(batch)

    def read_receipts(self, start: int) -> Iterator[tuple[int, int, bytes]]:
        """(batch, index, receipt) of every receipt from batch `start` on, as of now. Raises StateDamaged."""
        with _noticing_damage():
            for key, value in self._scan(_RECEIPT, start.to_bytes(8, "big")):
                yield (*_split(key), value)

    def read_history(
        self, account: int, after: tuple[int, int], count: int
    ) -> list[tuple[int, int, bytes | None]]:
        """The same, of an account's history and behind a place; None where the receipt is gone."""
        prefix = _HISTORY + account.to_bytes(6, "big")
        found: list[tuple[int, int, bytes | None]] = []
        with _noticing_damage():
            for key, _ in self._scan(prefix, (_join(after) + 1).to_bytes(12, "big")):
                if len(found) == count:
                    break
                found.append((*_split(key), self._db.get(_RECEIPT + key)))
        return found

    def clear(self) -> None:
        """Throw everything away, to derive it anew."""
        self._db.close()
        shutil.rmtree(self._path)
        self._db = self._open()

    def close(self) -> None:
        """Close the database. Raises StateUnwritable when the disk does not even take what was pending."""
        with _noticing_damage():
            self._db.close()

    def _scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """What is behind `prefix`, and its value, from `start` on."""
        cursor = self._db.iter()
        try:
            cursor.seek(prefix + start)
            while cursor.valid() and (key := bytes(cursor.key())).startswith(prefix):
                yield key[len(prefix) :], bytes(cursor.value())
                cursor.next()
            cursor.status()  # a damaged block ends an iteration as if there were no more: only this tells
        finally:
            # RocksDB keeps its lock while a cursor lives, and an exception on its way up keeps this frame:
            # without this, on Python 3.12, whoever handles the damage could not open the database again.
            del cursor


@contextmanager
def _noticing_damage() -> Iterator[None]:
    """RocksDB's words for damage and for a disk that fails, as exceptions of their own."""
    try:
        yield
    except Exception as error:
        if type(error) is Exception and str(error).startswith("Corruption"):  # rocksdict knows no other kind
            raise StateDamaged(str(error)) from error
        if type(error) is Exception and str(error).startswith("IO error") and _LOCKED not in str(error):
            raise StateUnwritable(
                f"the disk fails under the state: {error}; make room or mend it, then start again"
            ) from error
        raise


def _fill(batch: WriteBatch, prefix: bytes, width: int, values: Mapping[int, bytes | None]) -> None:
    for number, value in values.items():
        key = prefix + number.to_bytes(width, "big")
        if value is None:
            batch.delete(key)
        else:
            batch.put(key, value)


def _join(place: tuple[int, ...]) -> int:
    """(account,) batch and index as one number, in the same order."""
    *front, batch, index = place
    return (front[0] if front else 0) << 96 | batch << 32 | index


def _split(key: bytes) -> tuple[int, int]:
    """The batch and the index at the end of a key."""
    return int.from_bytes(key[-12:-4], "big"), int.from_bytes(key[-4:], "big")

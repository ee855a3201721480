"""The outbox of a sender: a journal of its attempts, written down before they are sent.

It would grow for ever. So whoever opens a long one first writes what is still needed into a file beside it,
which takes its place once it is safe: a crash leaves the one or the other.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec

from optimist.store.journal import DRAFT, Journal, JournalFull, sync_directory

T = TypeVar("T")

LONG: Final = 4 << 20  # bytes, of some 20,000 attempts
GROUP: Final = 1_000  # attempts that are written at once


class JournalOutbox(Generic[T]):
    """Attempts of type `kind` (any dataclass that JSON can hold) in a journal of their own."""

    def __init__(
        self,
        path: Path,
        identity: bytes,
        kind: type[T],
        keep: Callable[[Sequence[T]], Sequence[T]] = list,
        *,
        long: int = LONG,
    ) -> None:
        """`identity` (32 bytes) says whose outbox it is: chain and address. Raises JournalCorrupt.

        keep: which attempts are still needed, asked when the file has more than `long` bytes.
        """
        self._path = path
        self._identity = identity
        self._kind = kind
        self._journal = Journal(path, identity)
        self._lock = asyncio.Lock()
        self._draft = path.with_name(path.name + DRAFT)
        for left in path.parent.glob(self._draft.name + "*"):
            left.unlink()  # by a crash
        if self._journal.size > long:
            self._shorten(keep)

    def load(self) -> list[T]:
        """Every attempt that was recorded, oldest first."""
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._kind)
        return [decoder.decode(record) for _, record in self._journal.read()]

    async def record(self, attempt: T) -> None:
        """Returns once the attempt is safe on disk. Raises JournalFull or JournalBroken."""
        async with self._lock:
            await asyncio.to_thread(self._journal.append, [msgspec.json.encode(attempt)])

    def _shorten(self, keep: Callable[[Sequence[T]], Sequence[T]]) -> None:
        kept = keep(self.load())
        try:
            with Journal(self._draft, self._identity) as shorter:
                for start in range(0, len(kept), GROUP):
                    shorter.append([msgspec.json.encode(attempt) for attempt in kept[start : start + GROUP]])
        except (JournalFull, OSError):
            self._draft.unlink(missing_ok=True)  # another time: it is only long
            return
        self._journal.close()
        self._draft.rename(self._path)
        sync_directory(self._path.parent)
        self._journal = Journal(self._path, self._identity)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

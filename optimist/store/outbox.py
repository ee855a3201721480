"""The outbox of a sender: a journal of its attempts, written down before they are sent."""

import asyncio
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from optimist.store.journal import Journal

T = TypeVar("T")


class JournalOutbox(Generic[T]):
    """Attempts of type `kind` (any dataclass that JSON can hold) in a journal of their own."""

    def __init__(self, path: Path, identity: bytes, kind: type[T]) -> None:
        """`identity` (32 bytes) says whose outbox it is: chain and address. Raises JournalCorrupt."""
        self._journal = Journal(path, identity)
        self._kind = kind
        self._lock = asyncio.Lock()

    def load(self) -> list[T]:
        """Every attempt that was recorded, oldest first."""
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._kind)
        return [decoder.decode(record) for _, record in self._journal.read()]

    async def record(self, attempt: T) -> None:
        """Returns once the attempt is safe on disk. Raises JournalFull or JournalBroken."""
        async with self._lock:
            await asyncio.to_thread(self._journal.append, [msgspec.json.encode(attempt)])

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

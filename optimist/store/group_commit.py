"""Many waiters, one disk: what arrives while the disk is busy goes to it together, as one frame.

`await commit.append(record)` returns when the record is safe. One thread writes; the event loop never waits
for the disk. When the disk breaks, every waiter gets the error, and so does everybody who comes later.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from optimist.store.journal import Journal, JournalBroken, JournalFull
from optimist.store.segments import SegmentedJournal

MAX_GROUP_BYTES = 1 << 20  # a larger group would only delay those who came first


@dataclass(slots=True)
class _Waiting:
    """A record, who waits for it, and what is to be done to the journal right behind it."""

    record: bytes
    future: asyncio.Future[int]
    then: Callable[[], None] | None


class GroupCommit:
    """Asynchronous appends to one journal. Use from one event loop."""

    def __init__(self, journal: Journal | SegmentedJournal) -> None:
        self._journal = journal
        self._waiting: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._failed: JournalBroken | JournalFull | None = None
        self._closed = False

    @property
    def backlog(self) -> int:
        """Records that wait for the disk."""
        return len(self._waiting)

    async def append(self, record: bytes, then: Callable[[], None] | None = None) -> int:
        """Sequence number of `record`, once it is safe on disk. Raises JournalFull or JournalBroken.

        Records become safe in the order of the calls. A cancelled caller's record may still be written.
        `then` is called in the writing thread behind this record and before the next one is written; it may
        begin a new file of the journal, and raise JournalBroken.
        """
        return await asyncio.shield(self.put(record, then))

    def put(self, record: bytes, then: Callable[[], None] | None = None) -> "asyncio.Future[int]":
        """The same for those who must not wait: what `append` returns, or raises, later.

        Futures are done in the order of the calls. Raises what `append` raises, once nothing is taken.
        """
        if self._closed:
            raise JournalBroken("the journal is closed")
        if self._failed is not None:
            raise type(self._failed)(str(self._failed))
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(record, future, then))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="journal writer")
        return future

    def resume(self) -> None:
        """Take records again after JournalFull. Does nothing after JournalBroken: open the journal again."""
        if isinstance(self._failed, JournalFull):
            self._failed = None

    async def flush(self) -> None:
        """Return when everything that was appended before is written, or has failed."""
        if self._writer is not None:
            await asyncio.shield(self._writer)

    async def close(self) -> None:
        """Write what waits, then stop. The journal itself stays open."""
        self._closed = True
        if self._writer is not None:
            await self._writer
        self._thread.shutdown(wait=False)  # it is idle: the writer has finished

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group = self._take_group()
            try:
                first = await loop.run_in_executor(self._thread, self._write, group)
            except (JournalFull, JournalBroken) as error:
                self._failed = error
                _fail(group, error)
                _fail(list(self._waiting), error)
                self._waiting.clear()
            else:
                for sequence, each in enumerate(group, first):
                    if not each.future.done():  # its caller may have been cancelled
                        each.future.set_result(sequence)

    def _write(self, group: list[_Waiting]) -> int:
        first = self._journal.append([each.record for each in group])
        if (then := group[-1].then) is not None:
            then()
        return first

    def _take_group(self) -> list[_Waiting]:
        group = [self._waiting.popleft()]
        size = len(group[0].record)
        while (
            self._waiting
            and group[-1].then is None
            and size + len(self._waiting[0].record) <= MAX_GROUP_BYTES
        ):
            group.append(self._waiting.popleft())
            size += len(group[-1].record)
        return group


def _fail(group: list[_Waiting], error: JournalFull | JournalBroken) -> None:
    for each in group:
        if not each.future.done():
            each.future.set_exception(type(error)(str(error)))

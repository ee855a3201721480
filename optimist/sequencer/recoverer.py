"""Recovers signers in worker threads, in batches, first come first served.

Recovery is the dearest part of an action, and the library lets go of the interpreter while it works: the
event loop matches in the meantime. Answers come in the order of the questions, so whoever was at the door
first is matched first.
"""

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from optimist.base.signature import recover
from optimist.derive.typed_data import Signature

CHUNK: Final = 16  # signatures that one thread takes at a time: about a millisecond
MOST_THREADS: Final = 8

Asked = Sequence[tuple[bytes, Signature]]  # digest, signature


class Recoverer:
    """Use from one event loop; `close` at the end."""

    def __init__(self, threads: int | None = None) -> None:
        """`threads`: by default one less than there are processors, the event loop has the other."""
        self._threads = threads or max(1, min(MOST_THREADS, (os.cpu_count() or 2) - 1))
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="recover")
        self._waiting: deque[tuple[Asked, asyncio.Future[list[int]]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    @property
    def backlog(self) -> int:
        """Signatures that wait for a thread."""
        return sum(len(asked) for asked, _ in self._waiting)

    async def recover(self, asked: Asked) -> list[int]:
        """The address that made each signature; 0 for one that is no canonical signature."""
        if not asked:
            return []
        future: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="signatures")
        return await future

    def close(self) -> None:
        """Let the threads end."""
        if self._worker is not None:
            self._worker.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken = self._take()
            signatures = [each for asked, _ in taken for each in asked]
            parts = [signatures[at : at + CHUNK] for at in range(0, len(signatures), CHUNK)]
            jobs = [loop.run_in_executor(self._pool, _recover_all, part) for part in parts]
            found = [signer for part in await asyncio.gather(*jobs) for signer in part]
            at = 0
            for asked, future in taken:
                if not future.done():  # its caller may have been cancelled
                    future.set_result(found[at : at + len(asked)])
                at += len(asked)

    def _take(self) -> list[tuple[Asked, asyncio.Future[list[int]]]]:
        """What goes to the threads together: a chunk for each, or one large question."""
        taken = [self._waiting.popleft()]
        size = len(taken[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= CHUNK * self._threads:
            taken.append(self._waiting.popleft())
            size += len(taken[-1][0])
        return taken


def _recover_all(asked: Asked) -> list[int]:
    return [recover(digest, *signature) for digest, signature in asked]

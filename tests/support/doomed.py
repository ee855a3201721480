"""`python -m tests.support.doomed STEP …`: `challenger …`, which dies before that step of its event loop.

A step is what runs between two awaits of one task. The process dies as by kill -9: nothing is closed, nothing
written. Before that it says in its log at which awaits of our code its tasks stood.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import CoroutineType
from typing import Final

from challenger.cli import main

REPOSITORY: Final = Path(__file__).parent.parent.parent
OURS: Final = ("optimist", "challenger")


def arm(steps: int) -> None:
    """Kill this process before step `steps` of its event loop, counted from 1."""
    numbers = count(1)
    run = asyncio.Handle._run

    def run_or_die(handle: asyncio.Handle) -> None:
        if next(numbers) == steps:
            sys.stderr.write(
                json.dumps({"event": "killed", "step": steps, "at": sorted(set(find_awaits()))}) + "\n"
            )
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        run(handle)

    setattr(asyncio.Handle, "_run", run_or_die)  # noqa: B010 - a method of the standard library is replaced


def find_awaits() -> Iterator[str]:
    """Where the tasks of the running loop stand: the awaits in our own code, the outermost first."""
    for task in asyncio.all_tasks():
        places = []
        awaited: object = task.get_coro()
        while isinstance(awaited, CoroutineType):
            if awaited.cr_frame is not None and is_ours(awaited.cr_code.co_filename):
                places.append(f"{Path(awaited.cr_code.co_filename).stem}:{awaited.cr_frame.f_lineno}")
            awaited = awaited.cr_await
        if places:
            yield " ".join(places)


def is_ours(file: str) -> bool:
    """Whether a file belongs to our own packages."""
    path = Path(file)
    return path.is_relative_to(REPOSITORY) and path.relative_to(REPOSITORY).parts[0] in OURS


if __name__ == "__main__":
    arm(int(sys.argv.pop(1)))
    main()

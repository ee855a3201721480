"""Places where a test may kill this process, to see whether a crash there loses anything.

Inert unless armed, and armed only by a program that was started with --dev:

    OPTIMIST_FAILPOINT=after-journal        die at the first arrival
    OPTIMIST_FAILPOINT=after-journal:3      die at the third
"""

import os
import signal
from typing import Final

VARIABLE: Final = "OPTIMIST_FAILPOINT"
NAMES: Final = (
    "before-journal",  # the law has accepted, nothing is on disk
    "after-journal",  # on disk, not answered
    "before-state-write",  # the node has executed a batch of L1, the database does not know it
    "during-snapshot",  # three arrivals in each: begun, safe but not in its place, in its place
    "after-seal",  # a batch is closed and the journal says so, its transaction is not made
    "before-send",  # the transaction is written down, not sent
    "after-send",
    "after-inclusion",  # in a block that is not deep enough yet
)


class Failpoints:
    """Counts arrivals and kills the process, as kill -9 does, at the one that was asked for."""

    def __init__(self, armed: str = "") -> None:
        """`armed`: name, or name:count. Raises ValueError for a name that does not exist."""
        name, _, count = armed.partition(":")
        if name and name not in NAMES:
            raise ValueError(
                f"{VARIABLE}={armed}: there is no failpoint {name!r}; use one of {', '.join(NAMES)}"
            )
        self._name = name
        self._left = int(count or "1")

    @classmethod
    def from_environment(cls, *, dev: bool) -> "Failpoints":
        """What the environment asks for; nothing without --dev."""
        return cls(os.environ.get(VARIABLE, "") if dev else "")

    def reach(self, name: str) -> None:
        """Say that the program has come to `name`."""
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

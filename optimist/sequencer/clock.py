"""The sequencer's second: L1's time, carried on by this machine's monotonic clock.

A wrong wall clock must not decide whether a batch can be posted: the Inbox compares seconds with L1's own.
"""

from collections.abc import Callable


class L1Clock:
    """Seconds since the epoch as L1 counts them, never running backwards."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` gives seconds that never jump, such as `time.monotonic`."""
        self._monotonic = monotonic
        self._anchor_second = 0
        self._anchor_at = monotonic()
        self._latest = 0

    def observe(self, timestamp: int) -> None:
        """L1's newest block has this timestamp. An older one than known (a reorg) changes nothing."""
        if timestamp > self._anchor_second:
            self._anchor_second = timestamp
            self._anchor_at = self._monotonic()

    def now(self) -> int:
        """The present second; at most what has passed on this machine ahead of L1's newest block."""
        second = self._anchor_second + int(self._monotonic() - self._anchor_at)
        self._latest = max(self._latest, second)
        return self._latest

    def silence(self) -> float:
        """Seconds since L1's time last moved on."""
        return self._monotonic() - self._anchor_at

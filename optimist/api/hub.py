"""Who listens to which channel, and what waits to be sent to each: bounded, so that nobody slow costs memory.

    {"channel": "book:0", "sequence": 7, "type": "snapshot" | "update", "data": ...}

Sequence numbers of a channel rise by one with every update; a snapshot says after which number it was taken.
Whoever misses one subscribes again.
"""

import asyncio
from collections import deque
from typing import Any, Final

import msgspec

MOST_MESSAGES: Final = 1_000  # that wait for one listener
MOST_BYTES: Final = 8 << 20

_encoder = msgspec.json.Encoder()


class Outbox:
    """What waits to be sent over one connection. Overfull, it takes nothing more: the connection is to go."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self.overfull = asyncio.Event()

    def put(self, message: bytes) -> None:
        """Queue a message; too many for its reader make the box overfull for good."""
        if self.overfull.is_set():
            return
        if len(self._waiting) >= MOST_MESSAGES or self._bytes + len(message) > MOST_BYTES:
            self._waiting.clear()
            self._bytes = 0
            self.overfull.set()
            return
        self._waiting.append(message)
        self._bytes += len(message)
        self._some.set()

    async def get(self) -> bytes:
        """The next message."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message)
        return message


class Hub:
    """Channels and their listeners. A channel without listeners costs nothing."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Outbox]] = {}
        self._sequences: dict[str, int] = {}

    def __contains__(self, channel: str) -> bool:
        """Whether anybody listens."""
        return channel in self._listeners

    @property
    def channels(self) -> list[str]:
        """Those that somebody listens to."""
        return list(self._listeners)

    @property
    def subscriptions(self) -> int:
        """Pairs of a listener and a channel."""
        return sum(len(listeners) for listeners in self._listeners.values())

    def join(self, outbox: Outbox, channel: str, snapshot: Any) -> None:
        """Listen to a channel from now on; `snapshot` is sent first."""
        self._listeners.setdefault(channel, set()).add(outbox)
        outbox.put(_encode(channel, self._sequences.setdefault(channel, 0), "snapshot", snapshot))

    def leave(self, outbox: Outbox, channel: str) -> None:
        """Listen no more. Idempotent."""
        listeners = self._listeners.get(channel)
        if listeners is None:
            return
        listeners.discard(outbox)
        if not listeners:
            del self._listeners[channel]
            del self._sequences[channel]

    def publish(self, channel: str, data: Any, *, is_snapshot: bool = False) -> None:
        """Send an update, or a snapshot of what has been made anew, to everybody who listens."""
        listeners = self._listeners.get(channel)
        if not listeners:
            return
        self._sequences[channel] += 1
        kind = "snapshot" if is_snapshot else "update"
        message = _encode(channel, self._sequences[channel], kind, data)
        for outbox in listeners:
            outbox.put(message)


def _encode(channel: str, sequence: int, kind: str, data: Any) -> bytes:
    return _encoder.encode({"channel": channel, "sequence": sequence, "type": kind, "data": data})

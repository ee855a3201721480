"""How long the money of a key lasts: its balance against the pace at which its sender spends.

An operator has to hear of it before the key is empty: a sequencer that cannot post takes no orders after a
while, and a challenger without money loses its bond.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from optimist.l1.client import L1Client
from optimist.l1.errors import L1Error
from optimist.l1.sender import Sender

log = structlog.get_logger(__name__)

HOUR: Final = 3_600
PACE_OVER: Final = 6 * HOUR  # what is older says little about what gas costs now


@dataclass(frozen=True, slots=True)
class RunwayPolicy:
    """When to raise the alarm. `least_balance` in wei, times in seconds."""

    least_balance: int
    least_time: float
    poll: float = 60.0


class Runway:
    """Watches the balance of one key."""

    def __init__(
        self,
        client: L1Client,
        sender: Sender,
        policy: RunwayPolicy,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._sender = sender
        self._policy = policy
        self._clock = clock
        self._spent: deque[tuple[float, int]] = deque([(clock(), sender.spent)])
        self.balance: int | None = None  # wei, None until it was read
        self.is_short = False

    async def run(self) -> None:
        """Look for ever. L1's moods are waited out: whoever sends meets them too."""
        while True:
            try:
                await self.look()
            except L1Error as error:
                log.warning("l1_trouble", error=str(error))
            await asyncio.sleep(self._policy.poll)

    async def look(self) -> None:
        """Read the balance; an alarm at every look at which it is short, a word when it is not any more."""
        self.balance = await self._client.get_balance(self._sender.address)
        now = self._clock()
        self._spent.append((now, self._sender.spent))
        while self._spent[1][0] <= now - PACE_OVER:
            self._spent.popleft()
        left = self.estimate()
        was_short = self.is_short
        self.is_short = self.balance < self._policy.least_balance or (
            left is not None and left < self._policy.least_time
        )
        details = {
            "address": self._sender.address,
            "balance": self.balance,
            "hours_left": None if left is None else int(left // HOUR),
        }
        if self.is_short:
            log.error("runway_short", **details, advice="pay in: without money nothing reaches L1")
        elif was_short:
            log.info("runway_restored", **details)

    def estimate(self) -> float | None:
        """Seconds until the balance is gone at the pace of the last hours; None while nothing was spent."""
        (then, before), (now, after) = self._spent[0], self._spent[-1]
        if self.balance is None or after == before:
            return None
        return self.balance * (now - then) / (after - before)

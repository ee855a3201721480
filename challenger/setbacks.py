"""Acts that L1 took into a block and refused there: the gas is paid, nothing is done. When to try again.

Before an act is sent the node is asked what it would do, so most that cannot succeed cost nothing. Who is
overtaken on the way to the block pays once, and then wants something else: the act is known by its bytes,
which name the claim, the list or the position that it is about. An act that is wanted again with the same
bytes was refused by chance (a reorg, a race, too little gas), or will be refused for ever. Nobody can tell
which, so it is tried again

    at once             a few times: chance has no memory
    after a pause       then: it doubles with every refusal, up to a share of the challenge period
    before it is late   while a clock of ours runs no pause is more than a share of what is left on it: tries
                        become denser towards its end, down to every block, and are some dozens in all

Somebody who could have us refused again and again can neither silence us nor make us pay for every block.
Times are those of L1's blocks: a player that starts again finds in its outbox what it knew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from challenger.game.clock import SLOT
from optimist.l1.client import L1Client
from optimist.l1.outbox import Attempt

FORESEEN: Final = 32  # blocks: what a receipt says of one further ahead of ours is not waited for
TRIES_AT_ONCE: Final = 3
PERIOD_SHARE: Final = 16  # of the challenge period: the longest pause
CLOCK_SHARE: Final = 8  # of what is left on our own clock: the longest pause while it runs


@dataclass(frozen=True, slots=True)
class Setback:
    """What became of one act. `block`, `at`: the last block that refused it, and its timestamp."""

    times: int
    block: int
    at: int
    reason: str

    @property
    def is_lasting(self) -> bool:
        """Whether chance is no explanation any more."""
        return self.times >= TRIES_AT_ONCE

    def __str__(self) -> str:
        return (
            f"was refused by {self.times} blocks, each time after the node had said that it would succeed "
            f"({self.reason}): it is tried again after growing pauses. Compare the node with another one; "
            "see whether code stands at an address that the call pays"
        )


def compute_pause(times: int, challenge_period: int, left: int | None) -> int:
    """Seconds from the last refusal to the next try. `left`: on our own clock, None when none runs."""
    if times < TRIES_AT_ONCE:
        return 0
    longest = challenge_period // PERIOD_SHARE
    if left is not None:
        longest = min(longest, max(0, left) // CLOCK_SHARE)
    doublings = min(times - TRIES_AT_ONCE, longest.bit_length())  # beyond that it is the longest anyhow
    return min(SLOT << doublings, longest)


class Setbacks:
    """All acts of one key that a block has refused and that have not landed since, each under its name."""

    def __init__(self, challenge_period: int) -> None:
        self._period = challenge_period
        self._found: dict[str, Setback] = {}

    async def load(self, client: L1Client, attempts: Sequence[Attempt]) -> None:
        """Take up what happened before this process. Raises L1Error."""
        receipts = await client.get_receipts([attempt.hash for attempt in attempts])
        mined = [(a.purpose, receipt) for a, receipt in zip(attempts, receipts, strict=True) if receipt]
        landed = {purpose for purpose, receipt in mined if receipt.succeeded}
        refused = [(purpose, receipt.block) for purpose, receipt in mined if purpose not in landed]
        headers = await client.get_headers([block.hash for _, block in refused]) if refused else []
        for (purpose, block), header in zip(refused, headers, strict=True):
            if header is not None:
                self.note(purpose.rpartition(":")[0], block.number, header.timestamp, "before this start")

    def note(self, act: str, block: int, at: int, reason: str) -> Setback:
        """One more refusal, by a block and at its time."""
        before = self._found.get(act)
        found = self._found[act] = Setback(before.times + 1 if before else 1, block, at, reason)
        return found

    def forget(self, act: str) -> None:
        """It has landed."""
        self._found.pop(act, None)

    def get(self, act: str) -> Setback | None:
        """What is known of an act; None when no block ever refused it."""
        return self._found.get(act)

    def must_wait(self, act: str, head: int, now: int, closes: int | None) -> bool:
        """Whether an act has to wait, at block `head` of time `now`, when its clock ends at `closes`."""
        found = self._found.get(act)
        if found is None:
            return False
        if head < found.block <= head + FORESEEN:
            return True  # what refused it is in a block that we have not seen
        if found.at > now + FORESEEN * SLOT:
            return False  # made up: no endpoint may silence us with the date of a block
        left = None if closes is None else closes - now
        return now < found.at + compute_pause(found.times, self._period, left)

    def __len__(self) -> int:
        return len(self._found)

"""Clocks of the game. Seconds of L1 time (block.timestamp) come in as arguments; nothing here reads a clock.

Rule "pairwise from birth": the clock of a claim in a match runs from the birth of the OPPONENT's node.
Whoever brings a false end late therefore has little time himself, and takes none from those who answer him.
"""

from typing import Final

SLOT: Final = 12  # s from one L1 block to the next


def compute_budget(challenge_period: int, revealed_at: int, rival_born: int) -> int:
    """Seconds that a claim has for its moves in one match, never below 0.

    It had `challenge_period` from the birth of the rival's node and spent of it what passed until its own
    reveal. 0 is allowed: such a side is late on its first turn.
    """
    return max(0, challenge_period - max(0, revealed_at - rival_born))


def is_in_time(now: int, last: int, clock: int) -> bool:
    """Whether the side on turn may still move. Exactly one of in time and late holds at every second."""
    return now - last < clock


def compute_deadline(last: int, clock: int) -> int:
    """The first second at which the side on turn is late."""
    return last + clock

"""Which rounds a claim may still be made in: never on a new bond that could not be defended any more. Pure.

A clock of ours runs from the birth of a false end, whether we look or not. Who comes late has what is left of
it for everything: the bond, the claim, its history, and the moves of a match. If that is too little, a rival
who plays to the end wins by the clock whatever is true, and takes the bond.

    no bond yet             none is laid down for such a round, nor for rounds that only lead to it
    a bond that stands      is put on it all the same: it has nothing else to lose, the truth has, and whoever
                            stands there may be asleep
    a bond in a dispute     is not: it would be lost here, and with it what it defends elsewhere
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from challenger.game.types import Parameters

ENTRY_ACTS: Final = 3  # stake, assertState, reveal


@dataclass(frozen=True, slots=True)
class Entry:
    """One round of the true path, for somebody who wants a claim in it."""

    left: int | None  # seconds for which L1 takes our claim; None: as long as one likes, or it is there
    is_disputed: bool  # a false end lives in it
    is_held: bool  # our claim lives in it


def compute_defence_time(parameters: Parameters, latency: int) -> int:
    """Seconds that a whole defence takes, from laying down the bond to our last move of a match.

    latency: from when an act is possible until it has landed. A match is dissections, two commitments and the
    last step; the side that moves more often has half of them, rounded up. With a latency of a slot that is a
    slot more than the Rollup demands of its challenge period, for the bond.
    """
    moves = parameters.input_height + parameters.step_height + 1
    return latency * (-(-moves // 2) + ENTRY_ACTS)


def count_open(entries: Sequence[Entry], *, has_bond: bool, needed: int) -> int:
    """How many rounds, from the first on, to hold a claim in. `needed`: what a whole defence takes."""
    is_fighting = has_bond and any(entry.is_held and entry.is_disputed for entry in entries)
    least = 0 if has_bond and not is_fighting else needed
    late = (index for index, entry in enumerate(entries) if entry.left is not None and entry.left <= least)
    count = next(late, None)
    if count is None:
        return len(entries)
    while count and not has_bond and not entries[count - 1].is_disputed:
        count -= 1
    return count

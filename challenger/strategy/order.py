"""Which act goes first, and how many go at once. Pure.

Rivals come in any number, and a block of L1 holds only so much. So what is wanted is put in this order:

    1. URGENT   our clock runs in a match, and less than a quarter of the challenge period is left on it
    2. FIRST    what everything else stands on: our stake, our claims, our histories; and the confirmation
    3. RIVALS   all else about rivals: the most (allowance of the opponent + time the act has waited) first
    4. MONEY    refunds and payments

The opponent with the largest allowance left can delay the confirmation longest, so its clock has to run
first. The time waited is added so that nobody starves: an act that has waited for a whole challenge period
goes before any newcomer, for no allowance is larger than that.

Only RIVALS are held back by a limit. A bond is worth more than a crowded block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from challenger.game.clock import compute_budget, compute_deadline
from challenger.game.types import Claim, Match, Side
from challenger.strategy import acts
from challenger.strategy.view import Duel, View
from optimist.derive.commitments import compute_match_id

URGENT_SHARE: Final = 4  # of the challenge period: what is left of our clock when nothing else may go first


class Rank(IntEnum):
    """Which kind of act goes first."""

    URGENT = 0
    FIRST = 1
    RIVALS = 2
    MONEY = 3


@dataclass(frozen=True, slots=True, order=True)
class Priority:
    """Smaller goes first. `score` within a rank: seconds, smaller first."""

    rank: Rank
    score: int = 0

    @property
    def is_limited(self) -> bool:
        """Whether the act waits when too many are on their way."""
        return self.rank is Rank.RIVALS


def compute_priority(view: View, act: acts.Act) -> Priority:
    """The place of an act among all that are wanted now."""
    match act:
        case acts.Stake() | acts.AssertState() | acts.Reveal() | acts.Confirm() | acts.SetOperator():
            return Priority(Rank.FIRST)
        case acts.Collect() | acts.ClaimCredit() | acts.Withdraw():
            return Priority(Rank.MONEY)
        case acts.OpenMatch(left, right, first):
            return _rank_opening(view, first, right if first == left else left)
        case acts.TimeoutReveal(_, rival):
            period = view.facts.parameters.challenge_period
            born = view.get_node(view.state.claims[rival]).born
            return Priority(Rank.RIVALS, -(view.now - born - period))
        case acts.Prune(claim):
            return Priority(Rank.RIVALS, -(view.now - view.get_node(view.state.claims[claim]).born))
        case _:
            return _rank_move(view, get_match_id(act))


def compute_closing(view: View, act: acts.Act) -> int | None:
    """The second at which a clock of ours ends that only this act stops; None where none runs."""
    match act:
        case acts.Stake() | acts.AssertState():
            missing = [view.get_time_to_join(step) for step in view.path if not view.holds(step)]
            return min((view.now + left for left in missing if left is not None), default=None)
        case acts.Reveal(claim):
            return _compute_reveal_end(view, view.state.claims[claim])
        case _:
            match = view.state.matches.get(get_match_id(act))
            if match is None or match.turn is not _get_true_side(view, match):
                return None
            return compute_deadline(match.last, match.clocks[match.turn])


def _compute_reveal_end(view: View, claim: Claim) -> int | None:
    parent = view.get_node(claim).parent
    births = [
        view.get_node(rival).born
        for _, rival in view.claims_by_round.get(parent, [])
        if rival.node != claim.node
    ]
    return min(births) + view.facts.parameters.challenge_period if births else None


def compute_duel_priority(view: View, duel: Duel) -> Priority:
    """The place of whatever can be done now in a match."""
    return _rank_by_clock(view, duel.match, duel.side)


def choose(wanted: Sequence[Priority], room: int) -> list[int]:
    """Which of the acts to start, by index, when `room` more about rivals may be on their way."""
    limited = [index for index, priority in enumerate(wanted) if priority.is_limited]
    held_back = set(limited[max(0, room) :])
    return [index for index in range(len(wanted)) if index not in held_back]


def get_match_id(act: acts.Act) -> bytes:
    """The match that an act is about; empty for those that are about none."""
    match act:
        case acts.Dissect(fork) | acts.CommitTrace(fork) | acts.ProvePadding(fork) | acts.Prove(fork):
            return compute_match_id(*fork.claims)
        case acts.CommitSecondTrace(claims) | acts.Timeout(claims):
            return compute_match_id(*claims)
        case acts.OpenMatch(left, right):
            return compute_match_id(left, right)
        case _:
            return b""


def _rank_opening(view: View, opponent: bytes, own: bytes) -> Priority:
    claims = view.state.claims
    allowance = compute_budget(
        view.facts.parameters.challenge_period, claims[opponent].revealed_at, view.get_node(claims[own]).born
    )
    waited = view.now - max(claims[opponent].revealed_at, claims[own].revealed_at)
    return Priority(Rank.RIVALS, -(allowance + waited))


def _rank_move(view: View, match_id: bytes) -> Priority:
    match = view.state.matches[match_id]
    return _rank_by_clock(view, match, _get_true_side(view, match))


def _get_true_side(view: View, match: Match) -> Side:
    """Of a match that we play; the side on turn where neither is true any more."""
    return next((side for side in Side if view.is_true(view.state.claims[match.claims[side]])), match.turn)


def _rank_by_clock(view: View, match: Match, own: Side) -> Priority:
    """By the clocks as they stand: ours when we are on turn, else the opponent's and the time waited."""
    deadline = compute_deadline(match.last, match.clocks[match.turn])
    if match.turn is own:
        left = deadline - view.now
        if left * URGENT_SHARE <= view.facts.parameters.challenge_period:
            return Priority(Rank.URGENT, left)
        return Priority(Rank.RIVALS, -(match.clocks[own.other] + view.now - match.last))
    if view.is_in_time(match):  # what is left of its clock and the time waited add up to what it had
        return Priority(Rank.RIVALS, -match.clocks[own.other])
    return Priority(Rank.RIVALS, -(view.now - deadline))

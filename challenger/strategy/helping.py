"""What anybody may do for a true claim of somebody else: rules that need no bond and no claim of one's own.

Only an owner or an operator can reveal a history and commit to a trace. All the rest of a dispute is open to
everybody, and pays the same claim whoever does it: credit goes to the claim, never to the caller.
"""

from challenger.game.types import Claim
from challenger.strategy.acts import Confirm
from challenger.strategy.rule import Wishes
from challenger.strategy.view import View
from challenger.strategy.wishes import (
    collect,
    open_matches,
    pay,
    play_matches,
    time_out_hidden,
    time_out_late,
)


def time_out_hidden_claims_for_others(view: View) -> Wishes:
    """A claim without a history dies only when somebody says so; any live claim on the truth may be named."""
    for step in view.path:
        if not view.get_own_claims(step):
            yield from time_out_hidden(view, step, view.get_true_claims(step))


def open_matches_for_others(view: View) -> Wishes:
    """An owner who has revealed and fallen silent has no match that could be won for it until somebody opens
    one. The false side is on turn first, so that its clock runs.
    """
    for step in view.path:
        others = [each for each in view.get_true_claims(step) if not view.may_play_for(each[1])]
        yield from open_matches(view, step, others)


def play_for_others(view: View) -> Wishes:
    """A true claim dies with its owner's line unless somebody else moves for it; dissections, padding and the
    last step need nobody's key. A history that is not the one we compute is not a true claim's: left alone.
    """
    yield from play_matches(view, (duel for duel in view.duels if not duel.is_ours), is_alarming=False)


def time_out_late_opponents_of_others(view: View) -> Wishes:
    """A false claim that stops moving keeps its end alive until somebody ends the match."""
    yield from time_out_late(view, (duel for duel in view.duels if not duel.is_ours))


def confirm_the_truth(view: View) -> Wishes:
    """Withdrawals wait for a confirmation, and nothing confirms itself."""
    for step in view.path[:1]:  # a child can be confirmed only at a later look, when its parent is
        if view.is_ripe(step):
            yield Confirm(step.node)


def collect_for_others(view: View) -> Wishes:
    """Who plays for the truth and forgets its refund plays once; the pot can pay nobody else."""
    yield from collect(view, lambda claim: not view.may_play_for(claim))


def pay_others(view: View) -> Wishes:
    """Credit that nobody pulls stays in the contract for ever."""

    def is_another(claim: Claim) -> bool:
        return not view.may_play_for(claim)

    yield from pay(view, is_another)

"""What anybody may do for a true claim of somebody else: rules that need no bond and no claim of one's own.

Only an owner or an operator can reveal a history, commit to a trace and collect a refund. All the rest of a
dispute is open to everybody, and pays the same claim whoever does it: credit goes to the claim, never to the
caller.

What an owner is owed it pulls itself: `claimCredit` hands all our gas to the owner's code, which may burn it
and refuse, and be kind whenever it is only asked what it would cost.
"""

from challenger.strategy.acts import Confirm, OpenMatch
from challenger.strategy.rule import Wishes
from challenger.strategy.view import Duel, View
from challenger.strategy.wishes import (
    open_matches,
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
    one. One for each false claim, for whoever revealed first: else a liar with many true claims beside its
    false one could have us open a match for each, and collect the refunds.
    """
    faithful = _find_faithful_claims(view)
    matched = {duel.rival for duel in view.duels if duel.own in faithful}
    for step in view.path:
        truth = [each for each in view.get_true_claims(step) if each[0] in faithful]
        first = min(truth, key=lambda each: (each[1].revealed_at, each[0]), default=None)
        if first is not None and not view.may_play_for(first[1]):
            openings = open_matches(view, step, [first])
            yield from (
                each for each in openings if isinstance(each, OpenMatch) and each.first not in matched
            )


def play_for_others(view: View) -> Wishes:
    """A true claim dies with its owner's line unless somebody else moves for it; dissections, padding and the
    last step need nobody's key. Each false claim has to be beaten once: the match that is furthest is played.
    A claim whose history is not the one we compute is not the truth's: it is left alone.
    """
    faithful = _find_faithful_claims(view)
    furthest: dict[bytes, Duel] = {}
    for duel in view.duels:
        best = furthest.get(duel.rival)
        if duel.own in faithful and (best is None or _get_progress(duel) > _get_progress(best)):
            furthest[duel.rival] = duel
    yield from play_matches(view, (each for each in furthest.values() if not each.is_ours), is_alarming=False)


def _get_progress(duel: Duel) -> tuple[bool, int, int]:
    """How far a match is; our own are further than any of others."""
    return duel.is_ours, duel.match.stage, -duel.match.height


def _find_faithful_claims(view: View) -> set[bytes]:
    """Revealed claims on a true end, in rounds with a false one, whose history is the true one as well."""
    found: set[bytes] = set()
    for step in view.path:
        revealed = [each for each in view.get_true_claims(step) if each[1].revealed_at]
        if revealed and view.get_false_claims(step):
            top = view.get_true_top(step)
            found |= {claim_id for claim_id, claim in revealed if claim.top == top}
    return found


def time_out_late_opponents_of_others(view: View) -> Wishes:
    """A false claim that stops moving keeps its end alive until somebody ends the match."""
    yield from time_out_late(view, (duel for duel in view.duels if not duel.is_ours))


def confirm_the_truth(view: View) -> Wishes:
    """Withdrawals wait for a confirmation, and nothing confirms itself."""
    for step in view.path[:1]:  # a child can be confirmed only at a later look, when its parent is
        if view.is_ripe(step):
            yield Confirm(step.node)

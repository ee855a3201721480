"""The honest strategy, rule by rule: what a party does for the claims that it owns or operates.

Each rule says what it does and why leaving it out would lose. A rule is a pure function of the view. It
proposes every act that it wants now, whether or not it proposed the same at the last look: what has landed on
L1 is no longer wanted, so that nothing has to be remembered. A player's mode says which rules it follows.
"""

from challenger.strategy.acts import Confirm, Prune, Reveal, Withdraw
from challenger.strategy.rule import Wishes
from challenger.strategy.view import View
from challenger.strategy.wishes import (
    claim_ends,
    collect,
    open_matches,
    pay,
    play_matches,
    time_out_hidden,
    time_out_late,
)
from optimist.base.merkle import ZERO


def prune_claims_without_bond(view: View) -> Wishes:
    """A claim whose owner has lost the bond elsewhere cannot be fought, but keeps its end alive: nothing
    could be confirmed beside it.
    """
    for step in view.path:
        for claim_id, claim in view.claims_by_round.get(step.parent, []):
            if claim.node != step.node and view.state.stakers[claim.owner].out:
                yield Prune(claim_id)


def hold_the_true_path(view: View) -> Wishes:
    """Only one's own claim cannot be lost on purpose by somebody else. A false end is answered in its round,
    which needs a claim on every undecided node above it: one bond stands on one branch.
    """
    disputed = [i for i, step in enumerate(view.path) if view.get_false_claims(step)]
    if disputed:
        yield from claim_ends(view, view.path[: disputed[-1] + 1])


def assert_every_sealed_range(view: View) -> Wishes:
    """Somebody has to say what is true before anything can be confirmed. Who claims every range as soon as L1
    takes it is never late for a rival, and needs nobody else's claims to build on.
    """
    due = []
    for step in view.path:
        if not view.is_due(step):
            break
        due.append(step)
    yield from claim_ends(view, due)


def reveal_against_false_ends(view: View) -> Wishes:
    """Our clock runs from the birth of the rival's node until we reveal. Without a rival the history stays
    unsaid, and uncomputed.
    """
    for step in view.path:
        hidden = [claim_id for claim_id, claim in view.get_own_claims(step) if not claim.revealed_at]
        if hidden and view.get_false_claims(step):
            history = view.provider.get_history(step.start, step.round.to)
            for claim_id in hidden:
                yield Reveal(claim_id, history.words(history.height, 0))


def time_out_hidden_claims(view: View) -> Wishes:
    """A false end need not have a history at all; a claim that never opens one dies after the challenge
    period, but not by itself.
    """
    for step in view.path:
        yield from time_out_hidden(view, step, view.get_own_claims(step))


def open_every_match(view: View) -> Wishes:
    """Time between both reveals and the opening is nobody's: it only delays the decision. The opponent is on
    turn first, so that its clock runs.
    """
    for step in view.path:
        yield from open_matches(view, step, view.get_own_claims(step))


def play_every_match(view: View) -> Wishes:
    """Each false claim has to be beaten by a true one, and the claims of others on our end may be the liar's.
    The opponent with most time left bounds the delay; our own last minutes go before all.
    """
    yield from play_matches(view, (duel for duel in view.duels if duel.is_ours), is_alarming=True)


def time_out_late_opponents(view: View) -> Wishes:
    """A false claim that stops moving dies by its clock, but not by itself."""
    yield from time_out_late(view, (duel for duel in view.duels if duel.is_ours))


def confirm_what_we_hold(view: View) -> Wishes:
    """Bond, bounty and refunds are paid only when the end they stand on is confirmed."""
    for step in view.path[:1]:  # a child can be confirmed only at a later look, when its parent is
        if view.get_own_claims(step) and view.is_ripe(step):
            yield Confirm(step.node)


def collect_refunds(view: View) -> Wishes:
    """The loser's pot pays for our gas, whoever landed the last blow."""
    yield from collect(view)


def claim_what_we_are_owed(view: View) -> Wishes:
    """Payments are pulled: nobody sends us ours. Not those of whom we operate for: a payment runs the owner's
    code on our gas.
    """
    yield from pay(view)


def withdraw_an_idle_bond(view: View) -> Wishes:
    """A bond that backs nothing undecided while nothing false lives is money at risk for nothing: of a stolen
    key, of a fault of ours. It is back on L1 within a block when the next lie needs an answer.
    """
    staker = view.staker
    if not staker.bond or staker.out or any(view.get_false_claims(step) for step in view.path):
        return
    last = staker.last_claim
    if last == ZERO or view.rollup.is_confirmed(view.state.claims[last].node):
        yield Withdraw()

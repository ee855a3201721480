"""The honest strategy, rule by rule. Each rule says what it does and why leaving it out would lose.

A rule is a pure function of the view. It proposes every act that it wants now, whether or not it proposed the
same at the last look: what has landed on L1 is no longer wanted, so that nothing has to be remembered.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from challenger.game.clock import compute_budget
from challenger.game.types import Side, Staker, Status
from challenger.strategy.acts import (
    Act,
    AssertState,
    ClaimCredit,
    Collect,
    Confirm,
    OpenMatch,
    Prune,
    Reveal,
    Stake,
    Timeout,
    TimeoutReveal,
)
from challenger.strategy.moves import InconsistentHistoryError, compute_move
from challenger.strategy.view import View
from optimist.derive.commitments import compute_match_id


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that the player cannot mend: a person has to look."""

    text: str


Wishes = Iterator[Act | Alarm]


@dataclass(frozen=True, slots=True)
class Rule:
    """One habit of the honest player: its function's name, and the reason in its docstring."""

    propose: Callable[[View], Wishes]

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return self.propose.__name__.replace("_", " ")

    @property
    def rationale(self) -> str:
        """Why leaving it out would lose."""
        return " ".join((self.propose.__doc__ or "").split())


def prune_claims_without_bond(view: View) -> Wishes:
    """A claim whose owner has lost the bond elsewhere cannot be fought, but keeps its end alive: nothing
    could be confirmed beside it.
    """
    for step in view.open_steps():
        for claim_id, claim in view.claims_by_round.get(step.parent, []):
            if claim.node != step.node and view.state.stakers[claim.owner].out:
                yield Prune(claim_id)


def hold_the_true_path(view: View) -> Wishes:
    """Only one's own claim cannot be lost on purpose by somebody else. A false end is answered in its round,
    which needs a claim on every undecided node above it: one bond stands on one branch.
    """
    steps = list(view.open_steps())
    disputed = [i for i, step in enumerate(steps) if view.get_false_claims(step)]
    if not disputed:
        return
    staker = view.state.stakers.get(view.player, Staker())
    if staker.out:
        return
    staked = staker.bond > 0
    for step in steps[: disputed[-1] + 1]:
        if view.holds(step):
            continue
        if not staked:
            yield Stake()
            staked = True
        accumulator = view.state.batches[step.round.to].accumulator
        yield AssertState(step.parent, step.end_root, step.round.to, accumulator)


def reveal_against_false_ends(view: View) -> Wishes:
    """Our clock runs from the birth of the rival's node until we reveal. Without a rival the history stays
    unsaid, and uncomputed.
    """
    for step in view.open_steps():
        hidden = [claim_id for claim_id, claim in view.get_own_claims(step) if not claim.revealed_at]
        if hidden and view.get_false_claims(step):
            history = view.provider.get_history(step.start, step.round.to)
            for claim_id in hidden:
                yield Reveal(claim_id, history.words(history.height, 0))


def time_out_hidden_claims(view: View) -> Wishes:
    """A false end need not have a history at all; a claim that never opens one dies after the challenge
    period, but not by itself.
    """
    for step in view.open_steps():
        node = view.state.nodes.get(step.node)
        truth = [claim_id for claim_id, _ in view.get_own_claims(step)]
        if node is None or not truth or view.now - node.born < view.facts.parameters.challenge_period:
            continue
        for claim_id, claim in view.get_false_claims(step):
            if not claim.revealed_at:
                yield TimeoutReveal(claim_id, truth[0])


def open_every_match(view: View) -> Wishes:
    """Time between both reveals and the opening is nobody's: it only delays the decision. The opponent is on
    turn first, so that its clock runs. Those with the longest clock come first: they bound the delay.
    """
    period = view.facts.parameters.challenge_period
    for step in view.open_steps():
        ours = [claim_id for claim_id, claim in view.get_own_claims(step) if claim.revealed_at]
        if not ours:
            continue
        born = view.state.nodes[step.node].born
        theirs = [(i, claim) for i, claim in view.get_false_claims(step) if claim.revealed_at]
        theirs.sort(key=lambda item: -compute_budget(period, item[1].revealed_at, born))
        for claim_id, _ in theirs:
            for own in ours:
                if compute_match_id(own, claim_id) not in view.state.matches:
                    yield OpenMatch(min(own, claim_id), max(own, claim_id), first=claim_id)


def play_every_match(view: View) -> Wishes:
    """Each false claim has to be beaten by a true one, and the claims of others on our end may be the liar's.
    Before all else that costs time, because our clock runs.
    """
    for duel in view.get_duels():
        if view.is_in_time(duel.match):
            try:
                move = compute_move(view, duel)
            except InconsistentHistoryError as error:
                yield Alarm(str(error))
                continue
            if move is not None:
                yield move


def time_out_late_opponents(view: View) -> Wishes:
    """A false claim that stops moving dies by its clock, but not by itself."""
    for duel in view.get_duels():
        if not duel.is_our_turn and not view.is_in_time(duel.match):
            yield Timeout(duel.match.claims)


def confirm_what_we_hold(view: View) -> Wishes:
    """Bond, bounty and refunds are paid only when the end they stand on is confirmed."""
    for step in view.open_steps():
        node = view.state.nodes.get(step.node)
        if node is None or not view.get_own_claims(step) or not view.rollup.is_confirmed(step.parent):
            return
        if step.round.live_ends == 1 and node.live and view.now >= view.rollup.compute_ripe_at(step.node):
            yield Confirm(step.node)
        return  # a child can be confirmed only at a later look, when its parent is


def collect_refunds(view: View) -> Wishes:
    """The loser's pot pays for our gas, whoever landed the last blow."""
    for match in view.state.matches.values():
        for side in Side:
            claim_id, opponent = match.claims[side], match.claims[side.other]
            claim = view.state.claims[claim_id]
            owed = match.moves[side] and view.state.claims[opponent].pot
            lives = claim.status is Status.LIVE and not view.state.stakers[claim.owner].out
            if owed and lives and claim.node in view.true_nodes and view.may_play_for(claim):
                yield Collect(claim_id, opponent)


def claim_what_we_are_owed(view: View) -> Wishes:
    """Payments are pulled: nobody sends us ours."""
    for claim_id, claim in view.state.claims.items():
        ours = view.may_play_for(claim) and not view.state.stakers[claim.owner].out
        if claim.credit and ours and view.rollup.is_confirmed(claim.node):
            yield ClaimCredit(claim_id)


RULES: tuple[Rule, ...] = tuple(
    Rule(propose)
    for propose in (
        prune_claims_without_bond,
        play_every_match,
        hold_the_true_path,
        reveal_against_false_ends,
        time_out_hidden_claims,
        open_every_match,
        time_out_late_opponents,
        confirm_what_we_hold,
        collect_refunds,
        claim_what_we_are_owed,
    )
)

"""What the rules have in common: the acts that are due for whichever true claims they are asked about."""

from collections.abc import Iterable, Iterator, Sequence

from challenger.game.types import Claim, Side
from challenger.strategy.acts import (
    AssertState,
    ClaimCredit,
    Collect,
    OpenMatch,
    Stake,
    Timeout,
    TimeoutReveal,
)
from challenger.strategy.entry import Entry, compute_defence_time, count_open
from challenger.strategy.moves import InconsistentHistoryError, Move, compute_move
from challenger.strategy.order import URGENT_SHARE, compute_duel_priority
from challenger.strategy.rule import Alarm, Wishes
from challenger.strategy.view import Duel, PathStep, View
from optimist.derive.commitments import compute_match_id

Claims = list[tuple[bytes, Claim]]


def claim_ends(view: View, steps: Sequence[PathStep]) -> Wishes:
    """Our own claim on the true end of each round, from the first one on, and a bond to stand on."""
    if view.staker.out:
        return
    entries = [_view_entry(view, step) for step in steps]
    has_bond, needed = view.staker.bond > 0, compute_defence_time(view.facts.parameters, view.facts.latency)
    count = count_open(entries, has_bond=has_bond, needed=needed)
    for index, (step, entry) in enumerate(zip(steps, entries, strict=True)):
        if entry.left is not None:
            yield from _warn(view, step, entry.left, needed if index >= count else None)
    missing = [step for step, entry in zip(steps[:count], entries, strict=False) if not entry.is_held]
    if missing and not has_bond:
        yield Stake()
    for step in missing:
        accumulator = view.state.batches[step.round.to].accumulator
        yield AssertState(step.parent, step.end_root, step.round.to, accumulator)


def _view_entry(view: View, step: PathStep) -> Entry:
    is_held = view.holds(step)
    left = None if is_held else view.get_time_to_join(step)
    return Entry(left, is_disputed=bool(view.get_false_claims(step)), is_held=is_held)


def _warn(view: View, step: PathStep, left: int, needed: int | None) -> Iterator[Alarm]:
    """What a person has to hear when we are late for a round. `needed`: of a defence that is not begun."""
    name = step.parent.hex()
    if left <= 0:
        yield Alarm(f"we have come too late to join the truth in round {name}: others must defend it")
    elif needed is not None and left <= needed:
        yield Alarm(
            f"too little time is left to join the truth in round {name}: a defence takes {needed} s, "
            "and we lay down no bond that we could not defend; others must"
        )
    elif left * URGENT_SHARE <= view.facts.parameters.challenge_period:
        yield Alarm(
            f"most of the time to join the truth in round {name} is gone, our claim is not on L1: "
            "see what holds it back (endpoints, finality, gas)"
        )


def time_out_hidden(view: View, step: PathStep, truth: Claims) -> Wishes:
    """Eliminate the false claims of a round that are late to reveal, in the name of one of the true ones."""
    node = view.state.nodes.get(step.node)
    if node is None or not truth or view.now - node.born < view.facts.parameters.challenge_period:
        return
    for claim_id, claim in view.get_false_claims(step):
        if not claim.revealed_at:
            yield TimeoutReveal(claim_id, truth[0][0])


def open_matches(view: View, step: PathStep, truth: Claims) -> Wishes:
    """Open what is not open between these true claims of a round and all false ones."""
    ours = [claim_id for claim_id, claim in truth if claim.revealed_at]
    if not ours:
        return
    for claim_id, claim in view.get_false_claims(step):
        for own in ours if claim.revealed_at else ():
            if compute_match_id(own, claim_id) not in view.state.matches:
                yield OpenMatch(min(own, claim_id), max(own, claim_id), first=claim_id)


def play_matches(view: View, duels: Iterable[Duel], *, is_alarming: bool) -> Wishes:
    """The moves to make in these matches, best first: the rest up to the view's limit, urgent ones always.

    What a move needs (an execution, a trace) is computed for `at_once` of them in one look, urgent or not:
    with a hundred rivals the first move must not wait for the hundredth trace, least of all in a hurry.
    """
    ranked = [
        (compute_duel_priority(view, duel), duel)
        for duel in duels
        if duel.id not in view.busy and view.is_in_time(duel.match)
    ]
    found = 0
    for priority, duel in sorted(ranked, key=lambda item: item[0]):
        bounds = (view.limit if priority.is_limited else None, view.at_once)
        if any(bound is not None and found >= bound for bound in bounds):
            view.has_left_out = True
            return
        for move in _try_move(view, duel, is_alarming=is_alarming):
            found += isinstance(move, Move)
            yield move


def _try_move(view: View, duel: Duel, *, is_alarming: bool) -> Iterator[Move | Alarm]:
    try:
        move = compute_move(view, duel)
    except InconsistentHistoryError as error:
        if is_alarming:
            yield Alarm(str(error))
        return
    if move is not None:
        yield move


def time_out_late(view: View, duels: Iterable[Duel]) -> Wishes:
    """Eliminate each false claim that is on turn and late in one of these matches, once."""
    late = {
        duel.rival: Timeout(duel.match.claims)
        for duel in duels
        if not duel.is_our_turn and not view.is_in_time(duel.match)
    }
    yield from late.values()


def collect(view: View) -> Wishes:
    """Turn moves of the true claims that we play for into credit, where their opponent's owner is out."""
    pots = view.state.pots
    for match in view.state.matches.values():
        for side in Side:
            claim_id, opponent = match.claims[side], match.claims[side.other]
            claim = view.state.claims[claim_id]
            owed = match.moves[side] and view.state.claims[opponent].owner in pots
            if owed and view.may_play_for(claim) and view.may_be_paid(claim) and view.is_true(claim):
                yield Collect(claim_id, opponent)


def pay(view: View) -> Wishes:
    """Have the credit of our own claims paid, where their node is confirmed."""
    for claim_id, claim in view.state.claims.items():
        is_ours = claim.owner == view.player and view.may_be_paid(claim)
        if claim.credit and is_ours and view.rollup.is_confirmed(claim.node):
            yield ClaimCredit(claim_id)

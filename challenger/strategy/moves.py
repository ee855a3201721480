"""The next move of one match, for the side that tells the truth."""

from challenger.game.lists import History, Words, compute_first_difference, compute_list_hash
from challenger.game.types import Level, Phase
from challenger.strategy.acts import (
    CommitSecondTrace,
    CommitTrace,
    Dissect,
    Prove,
    ProvePadding,
)
from challenger.strategy.view import Duel, View


class InconsistentHistoryError(Exception):
    """What we committed to on L1 is not what we compute now: other data, another law, or a fault of ours.

    Nothing can be played for such a claim; a person has to look.
    """


def compute_move(
    view: View, duel: Duel
) -> Dissect | CommitTrace | CommitSecondTrace | ProvePadding | Prove | None:
    """The move to make now, or None while it is the opponent's turn and nothing can be decided without it."""
    match = duel.match
    if match.phase is Phase.SECOND_COMMIT:
        return _commit_second(view, duel) if duel.is_our_turn else None
    lists = _open_lists(view, duel)
    if lists is None:
        return None
    left, right = lists
    if match.height > 1:
        return _dissect(view, duel, left, right) if duel.is_our_turn else None
    child = compute_first_difference(left, right, 1)
    if child is None:
        raise InconsistentHistoryError(f"match {duel.id.hex()}: both lists of the last height are equal")
    position = match.position + child
    if match.level is Level.STEPS:  # anybody may prove, at any time
        disputed = view.facts.disputed[duel.id]
        return Prove(duel.id, left, right, view.provider.get_step_proof(duel.start, disputed, position))
    if position >= _get_input_count(view, duel):
        return ProvePadding(duel.id, left, right)
    if not duel.is_our_turn:
        return None
    opening = view.provider.get_opening(duel.start, position)
    trace = view.provider.get_trace(duel.start, position)
    return CommitTrace(duel.id, left, right, opening, trace.words(trace.height, 0))


def _dissect(view: View, duel: Duel, left: Words, right: Words) -> Dissect:
    match = duel.match
    child = compute_first_difference(left, right, match.height)
    if child is None:
        raise InconsistentHistoryError(
            f"match {duel.id.hex()}: both lists at height {match.height} are equal"
        )
    below = match.height - 1
    position = match.position + child * view.facts.parameters.arity**below
    return Dissect(duel.id, left, right, _get_history(view, duel).list_at(below, position))


def _commit_second(view: View, duel: Duel) -> CommitSecondTrace:
    position = duel.match.position
    opening = view.provider.get_opening(duel.start, position)
    trace = view.provider.get_trace(duel.start, position)
    return CommitSecondTrace(duel.id, opening.next_root, trace.words(trace.height, 0))


def _get_history(view: View, duel: Duel) -> History:
    if duel.match.level is Level.INPUTS:
        return view.provider.get_history(duel.start, duel.to)
    return view.provider.get_trace(duel.start, view.facts.disputed[duel.id])


def _open_lists(view: View, duel: Duel) -> tuple[Words, Words] | None:
    """The lists of sides A and B; None while the opponent has not opened its own."""
    match = duel.match
    theirs = view.facts.lists.get(match.nodes[duel.side.other])
    if theirs is None:
        return None
    ours = _get_history(view, duel).list_at(match.height, match.position)
    node = match.nodes[duel.side]
    if compute_list_hash(ours, view.facts.parameters.arity) != node:
        raise InconsistentHistoryError(
            f"match {duel.id.hex()} at height {match.height}, position {match.position}: "
            f"we stand on list {node.hex()}, but compute another one"
        )
    return (theirs, ours) if duel.side else (ours, theirs)


def _get_input_count(view: View, duel: Duel) -> int:
    batches = view.state.batches
    return batches[duel.to].cumulative - batches[duel.start].cumulative

"""The next move of one match, for the side that tells the truth."""

from challenger.game.dispute import Fork
from challenger.game.lists import History, compute_first_difference, compute_list_hash
from challenger.game.types import Stage
from challenger.strategy.acts import (
    CommitSecondTrace,
    CommitTrace,
    Dissect,
    Prove,
    ProvePadding,
)
from challenger.strategy.view import Duel, View

Move = Dissect | CommitTrace | CommitSecondTrace | ProvePadding | Prove


class InconsistentHistoryError(Exception):
    """What we committed to on L1 is not what we compute now: other data, another law, or a fault of ours.

    Nothing can be played for such a claim; a person has to look.
    """


def compute_move(view: View, duel: Duel) -> Move | None:
    """The move to make now, or None while nothing can be done without the opponent, or without the owner.

    Anybody may dissect, prove and decide padding; only the owner or the operator of a claim may commit.
    """
    match = duel.match
    if match.stage is Stage.HALF:
        return _commit_second(view, duel) if duel.is_our_turn and duel.is_ours else None
    if match.height > 1 and not duel.is_our_turn:
        return None
    fork = _open_lists(view, duel)
    if fork is None:
        return None
    child = compute_first_difference(*fork.lists, match.height)
    if child is None:
        raise InconsistentHistoryError(
            f"match {duel.id.hex()}: both lists at height {match.height} are equal"
        )
    if match.height > 1:
        return _dissect(view, duel, fork, child)
    position = match.start + child
    if match.stage is Stage.STEPS:  # anybody may prove, at any time
        disputed = view.facts.disputed[duel.id]
        return Prove(fork, view.provider.get_step_proof(duel.start, disputed, position))
    if position >= view.rollup.get_input_count(match.position.round):
        return ProvePadding(fork)
    return _commit_first(view, duel, fork, position) if duel.is_our_turn and duel.is_ours else None


def _dissect(view: View, duel: Duel, fork: Fork, child: int) -> Dissect:
    below = duel.match.height - 1
    position = duel.match.start + child * view.facts.parameters.arity**below
    return Dissect(fork, _get_history(view, duel).list_at(below, position))


def _commit_first(view: View, duel: Duel, fork: Fork, position: int) -> CommitTrace:
    opening = view.provider.get_opening(duel.start, position)
    next_root = view.provider.get_root_after(duel.start, position)
    trace = view.provider.get_trace(duel.start, position)
    return CommitTrace(fork, opening, next_root, trace.words(trace.height, 0))


def _commit_second(view: View, duel: Duel) -> CommitSecondTrace:
    match = duel.match
    next_root = view.provider.get_root_after(duel.start, match.start)
    trace = view.provider.get_trace(duel.start, match.start)
    return CommitSecondTrace(match.claims, match.position, next_root, trace.words(trace.height, 0))


def _get_history(view: View, duel: Duel) -> History:
    if duel.match.stage is Stage.INPUTS:
        return view.provider.get_history(duel.start, duel.to)
    return view.provider.get_trace(duel.start, view.facts.disputed[duel.id])


def _open_lists(view: View, duel: Duel) -> Fork | None:
    """The lists of both sides; None while the opponent has not opened its own."""
    match = duel.match
    theirs = view.facts.lists.get(match.position.nodes[duel.side.other])
    if theirs is None:
        return None
    ours = _get_history(view, duel).list_at(match.height, match.start)
    node = match.position.nodes[duel.side]
    if compute_list_hash(ours, view.facts.parameters.arity) != node:
        raise InconsistentHistoryError(
            f"match {duel.id.hex()} at height {match.height} from {match.start} on: "
            f"we stand on list {node.hex()}, but compute another one"
        )
    lists = (theirs, ours) if duel.side else (ours, theirs)
    return Fork(match.claims, match.position.round, match.position.prev, lists)

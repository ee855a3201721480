"""Matches: where they stand, whose turn it is, how long for, and who tells the truth."""

from challenger.game.clock import compute_deadline
from challenger.game.types import Match, Side, Stage
from challenger.monitor.shadow import count_moves_left
from challenger.monitor.snapshot import Snapshot
from challenger.monitor.views import MatchView, SideView
from challenger.watcher import Verdict


def view_matches(snapshot: Snapshot) -> list[MatchView]:
    """Every match that was ever opened, oldest first."""
    return [_view_match(snapshot, match_id, match) for match_id, match in snapshot.state.matches.items()]


def get_true_side(snapshot: Snapshot, match: Match) -> Side | None:
    """The side that tells the truth; None when neither does, or when we do not know."""
    verdicts = snapshot.get_side_verdicts(match)
    return next((side for side in Side if verdicts[side] is Verdict.AGREE), None)


def compute_clock(match: Match, side: Side, now: int) -> int:
    """Seconds that a side has left at `now`; never below 0."""
    spent = now - match.last if side is match.turn else 0
    return max(0, match.clocks[side] - spent)


def _view_match(snapshot: Snapshot, match_id: bytes, match: Match) -> MatchView:
    parameters, is_on = snapshot.parameters, snapshot.is_playable(match)
    deadline = compute_deadline(match.last, match.clocks[match.turn])
    true_side = get_true_side(snapshot, match)
    has_input = match.stage is not Stage.INPUTS
    disputed = match.start if match.stage is Stage.HALF else snapshot.disputed.get(match_id)
    return MatchView(
        match=match_id,
        round=match.position.round,
        status="on" if is_on else "over",
        stage=match.stage.name.lower(),
        height=match.height,
        start=match.start,
        width=1 if match.stage is Stage.HALF else parameters.arity**match.height,
        input=disputed if has_input else None,
        turn=match.turn.name.lower(),
        deadline=deadline,
        is_late=is_on and snapshot.now >= deadline,
        moves_left=count_moves_left(match, parameters) if is_on else 0,
        expected=None if true_side is None else true_side.name.lower(),
        a=_view_side(snapshot, match, Side.A, is_on=is_on),
        b=_view_side(snapshot, match, Side.B, is_on=is_on),
    )


def _view_side(snapshot: Snapshot, match: Match, side: Side, *, is_on: bool) -> SideView:
    claim = snapshot.state.claims[match.claims[side]]
    return SideView(
        claim=match.claims[side],
        owner=claim.owner,
        verdict=snapshot.get_verdict(claim.node),
        clock=compute_clock(match, side, snapshot.now) if is_on else match.clocks[side],
        moves=match.moves[side],
    )

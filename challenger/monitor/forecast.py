"""When each undecided round can be confirmed, at the earliest and at the latest, and for whom."""

from dataclasses import dataclass
from typing import Final

from challenger.monitor.assertions import get_round_state
from challenger.monitor.future import Decision, Future, Habit, foresee
from challenger.monitor.shadow import Decide, Move
from challenger.monitor.snapshot import Snapshot, Step, is_standing
from challenger.monitor.views import ForecastView, OutcomeView, StepView
from challenger.strategy import acts
from challenger.watcher import Verdict
from optimist.base.keccak import keccak
from optimist.derive.commitments import compute_match_id

NEWCOMER: Final = keccak(b"somebody honest who has not staked yet")[12:]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Three futures of the same moment."""

    defenders: frozenset[bytes]
    concede: Future
    silent: Future
    last_second: Future

    @property
    def futures(self) -> tuple[Future, Future, Future]:
        """From the earliest to the latest."""
        return self.concede, self.silent, self.last_second


def forecast(snapshot: Snapshot, latency: int, defender: bytes | None = None) -> Forecast:
    """Play the game on from `snapshot`; honest acts land `latency` seconds after they are possible.

    defender: the one address that may be relied on. By default everybody who stands on the truth defends it,
    and somebody new does where nobody stands.
    """
    defenders = find_defenders(snapshot) if defender is None else frozenset([defender])
    futures = {habit: foresee(snapshot, defenders, habit, latency) for habit in Habit}
    return Forecast(defenders, futures[Habit.CONCEDE], futures[Habit.SILENT], futures[Habit.LAST_SECOND])


def find_defenders(snapshot: Snapshot) -> frozenset[bytes]:
    """Whoever stands on a true end of an undecided round; a newcomer where a false end has no rival."""
    found: set[bytes] = set()
    for step in snapshot.path:
        owners = {
            claim.owner
            for _, claim in snapshot.claims.get(step.node, [])
            if is_standing(snapshot.state, claim)
        }
        found |= owners or ({NEWCOMER} if get_false_claims(snapshot, step) else set())
    return frozenset(found)


def get_false_claims(snapshot: Snapshot, step: Step) -> list[bytes]:
    """Claims on false ends of a round of the true path that can still win it."""
    return [
        claim_id
        for end in snapshot.ends.get(step.parent, [])
        for claim_id, claim in snapshot.claims.get(end, [])
        if end != step.node and is_standing(snapshot.state, claim)
    ]


def view_forecast(snapshot: Snapshot, found: Forecast) -> list[ForecastView]:
    """All rounds of the true path that somebody has answered."""
    views = []
    for step in snapshot.path:
        if step.parent not in snapshot.ends:
            continue
        decisions = [future.decided.get(step.parent) for future in found.futures]
        earliest, silent, latest = (_view_outcome(step, decision) for decision in decisions)
        views.append(
            ForecastView(
                round=step.parent,
                first_batch=snapshot.state.nodes[step.parent].batch + 1,
                last_batch=step.to,
                state=get_round_state(snapshot, step.parent),
                expected=step.node,
                earliest=earliest,
                if_silent=silent,
                latest=latest,
                is_safe=all(decision is not None and decision.node == step.node for decision in decisions),
            )
        )
    return views


def _view_outcome(step: Step, decision: Decision | None) -> OutcomeView:
    if decision is None:
        return OutcomeView(None, None, None)
    verdict = Verdict.AGREE if decision.node == step.node else Verdict.DISAGREE
    return OutcomeView(decision.node, verdict, decision.at)


def view_timeline(future: Future) -> list[StepView]:
    """Everything that happens in a future, in order."""
    return [
        StepView(
            at=happening.at,
            act=type(happening.act).__name__,
            subject=_get_subject(happening.by, happening.act),
            by=happening.by or None,
            is_honest=happening.is_honest,
        )
        for happening in future.happenings
    ]


def _get_subject(by: bytes, act: object) -> bytes:
    """What an act is about: a claim, a match, or an assertion."""
    match act:
        case Move(found) | Decide(found):
            return found
        case acts.OpenMatch(left, right, _):
            return compute_match_id(left, right)
        case acts.Timeout(claims):
            return compute_match_id(*claims)
        case acts.Reveal(claim) | acts.TimeoutReveal(claim) | acts.Prune(claim):
            return claim
        case acts.AssertState(parent):
            return parent
        case acts.Confirm(node):
            return node
        case _:
            return by

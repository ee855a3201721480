"""Rounds, the assertions that answer them, and who stands on these."""

from collections.abc import Iterator

from challenger.game.types import NOBODY, Claim, Round
from challenger.game.types import Status as ClaimStatus
from challenger.monitor.snapshot import Snapshot
from challenger.monitor.views import ClaimView, EndView, RoundState, RoundView, Wei
from challenger.watcher import Status, Verdict
from optimist.base.merkle import ZERO


def view_rounds(snapshot: Snapshot) -> list[RoundView]:
    """Every question that was ever asked, oldest first. Questions below genesis only: it answers none."""
    return [_view_round(snapshot, round_id) for round_id in snapshot.state.nodes]


def get_round_state(snapshot: Snapshot, round_id: bytes) -> RoundState:
    """How a question stands."""
    asked = snapshot.state.rounds[round_id]
    if asked.confirmed != ZERO:
        return RoundState.DECIDED
    if snapshot.statuses[round_id] is Status.REJECTED:
        return RoundState.VOID
    if asked.live_ends:
        return RoundState.DISPUTED if asked.live_ends > 1 else RoundState.UNDISPUTED
    return RoundState.ABANDONED if round_id in snapshot.ends else RoundState.WAITING


def _view_round(snapshot: Snapshot, round_id: bytes) -> RoundView:
    state, asked = snapshot.state, snapshot.state.rounds[round_id]
    expected, reason = _find_expected(snapshot, round_id)
    is_sealed = asked.to <= state.batch_count
    return RoundView(
        round=round_id,
        first_batch=state.nodes[round_id].batch + 1,
        last_batch=asked.to,
        inputs=snapshot.rollup.get_input_count(round_id) if is_sealed else None,
        is_full=asked.full,
        state=get_round_state(snapshot, round_id),
        expected=expected,
        reason=reason,
        ends=tuple(_view_end(snapshot, node_id) for node_id in snapshot.ends.get(round_id, [])),
    )


def _find_expected(snapshot: Snapshot, round_id: bytes) -> tuple[bytes | None, str]:
    """The true answer of a round, and why we think so."""
    step = next((step for step in snapshot.path if step.parent == round_id), None)
    if step is not None:
        return step.node, f"our own execution of batch {step.to}"
    asked, opinion = snapshot.state.rounds[round_id], snapshot.opinions[round_id]
    if opinion.verdict is Verdict.DISAGREE:
        return None, "no answer is true below a false assertion"
    if asked.confirmed != ZERO:
        is_true = snapshot.get_verdict(asked.confirmed) is Verdict.AGREE
        return (
            (asked.confirmed, "confirmed, and we agree")
            if is_true
            else (None, "confirmed, and we do not agree")
        )
    if asked.to > snapshot.state.batch_count:
        return None, f"batch {asked.to} is not sealed yet"
    if snapshot.statuses[round_id] is Status.REJECTED:
        return None, "what it follows was rejected"
    return None, f"batch {asked.to} is not executed here yet"


def _view_end(snapshot: Snapshot, node_id: bytes) -> EndView:
    node = snapshot.state.nodes[node_id]
    opinion, status = snapshot.opinions[node_id], snapshot.statuses[node_id]
    asked = snapshot.state.rounds[node.parent]
    is_joinable, until = _find_window(snapshot, asked, node_id)
    is_alone = status is Status.OPEN and asked.live_ends == 1 and asked.xor_live == node_id
    claims = snapshot.claims.get(node_id, [])
    return EndView(
        node=node_id,
        batch=node.batch,
        claimed_root=snapshot.claimed.get(node_id),
        own_root=opinion.own,
        verdict=opinion.verdict,
        reason=opinion.reason,
        culprit=opinion.culprit,
        status=status,
        created_at=node.created_at,
        born=node.born,
        live_claims=node.live,
        is_joinable=is_joinable and status is Status.OPEN,
        joinable_until=until,
        confirmable_at=snapshot.rollup.compute_ripe_at(node_id) if is_alone else None,
        claims=tuple(_view_claim(snapshot, claim_id, claim) for claim_id, claim in claims),
    )


def _find_window(snapshot: Snapshot, asked: Round, node_id: bytes) -> tuple[bool, int | None]:
    """Whether an end can be claimed now, and until when; None: as long as nothing changes."""
    until = snapshot.rollup.compute_join_end(asked, node_id)
    return until is None or snapshot.now < until, until


def describe_claim(snapshot: Snapshot, claim: Claim) -> str:
    """live, out or dead."""
    if claim.status is ClaimStatus.DEAD:
        return "dead"
    return "out" if snapshot.state.stakers[claim.owner].out else "live"


def get_rival_births(snapshot: Snapshot, claim: Claim) -> Iterator[int]:
    """When the living rivals of a claim were born."""
    parent = snapshot.state.nodes[claim.node].parent
    for rival in snapshot.ends[parent]:
        claims = snapshot.claims.get(rival, [])
        if rival != claim.node and any(snapshot.rollup.is_live(claim_id) for claim_id, _ in claims):
            yield snapshot.state.nodes[rival].born


def _view_claim(snapshot: Snapshot, claim_id: bytes, claim: Claim) -> ClaimView:
    births = []
    if not claim.revealed_at and snapshot.rollup.is_live(claim_id):
        births = list(get_rival_births(snapshot, claim))
    return ClaimView(
        claim=claim_id,
        owner=claim.owner,
        operator=None if claim.operator == NOBODY else claim.operator,
        status=describe_claim(snapshot, claim),
        is_revealed=bool(claim.revealed_at),
        reveal_by=min(births) + snapshot.parameters.challenge_period if births else None,
        credit=Wei(claim.credit),
        pot=Wei(claim.pot),
    )

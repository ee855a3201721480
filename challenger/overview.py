"""What there is to see: assertions with who stands on them, and matches with their clocks. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from challenger.chain.reading import Game
from challenger.game.clock import compute_deadline
from challenger.game.rollup import Rollup
from challenger.game.types import Claim, Match, Parameters, Side, Stage, Status
from challenger.watcher import Judgement


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One staker's stand on an assertion."""

    claim: bytes
    owner: bytes
    status: str  # live, out (the bond was lost elsewhere) or dead
    is_revealed: bool


@dataclass(frozen=True, slots=True)
class MatchView:
    """A dispute between two claims. Side a is the smaller claim id; times in seconds of L1."""

    match: bytes
    owners: tuple[bytes, bytes]
    status: str  # on (both claims live) or over
    stage: str
    height: int
    start: int
    turn: str
    deadline: int
    moves: int


def get_claims(game: Game, judgement: Judgement) -> Iterator[ClaimView]:
    """Who stands, or stood, on an assertion."""
    for claim_id, claim in game.state.claims.items():
        if claim.node == judgement.node:
            yield ClaimView(claim_id, claim.owner, _describe_claim(game, claim), bool(claim.revealed_at))


def get_matches(game: Game, parameters: Parameters) -> Iterator[MatchView]:
    """Every match that was ever opened."""
    rollup = Rollup(parameters, game.state, 0)
    for match_id, match in game.state.matches.items():
        is_on = all(map(rollup.is_live, match.claims))
        yield MatchView(
            match=match_id,
            owners=_get_owners(game, match),
            status="on" if is_on else "over",
            stage=Stage(match.stage).name.lower(),
            height=match.height,
            start=match.start,
            turn=Side(match.turn).name.lower(),
            deadline=compute_deadline(match.last, match.clocks[match.turn]),
            moves=sum(match.moves),
        )


def to_json(value: Any) -> Any:
    """A view for machines: bytes as 0x…, dataclasses as objects."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: to_json(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def _describe_claim(game: Game, claim: Claim) -> str:
    if claim.status is Status.DEAD:
        return "dead"
    return "out" if game.state.stakers[claim.owner].out else "live"


def _get_owners(game: Game, match: Match) -> tuple[bytes, bytes]:
    a, b = (game.state.claims[claim_id].owner for claim_id in match.claims)
    return a, b

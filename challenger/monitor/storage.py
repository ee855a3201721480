"""What L1 has to hold in storage if its events told everything: a second source for the same facts.

An endpoint that leaves out logs, or serves those of another fork, would let the monitor judge a game that
does not exist. What can still change is compared: undecided rounds, their answers and claims, matches, bonds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from challenger.game.types import Side
from challenger.monitor.snapshot import Snapshot
from challenger.watcher import Status


@dataclass(frozen=True, slots=True)
class Expectation:
    """A read of one of the contracts, and the fields that it has to return."""

    contract: str
    function: str
    subject: bytes
    fields: Mapping[str, Any]


def list_expectations(snapshot: Snapshot) -> list[Expectation]:
    """Everything that the events say about what is undecided."""
    return [*_expect_rounds(snapshot), *_expect_claims(snapshot), *_expect_matches(snapshot)]


def compare(
    expected: Sequence[Expectation], found: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[bytes, str]]:
    """Subjects whose storage says something else than the events, and what."""
    for each, values in zip(expected, found, strict=True):
        wrong = [
            f"{name} is {_show(values[name])} in storage, {_show(wanted)} by the events"
            for name, wanted in each.fields.items()
            if values[name] != wanted
        ]
        if wrong:
            yield each.subject, f"{each.contract}.{each.function}: {'; '.join(wrong)}"


def _expect_rounds(snapshot: Snapshot) -> Iterator[Expectation]:
    for node_id, node in snapshot.state.nodes.items():
        if snapshot.statuses[node_id] is Status.OPEN:
            fields = {"batch": node.batch, "born": node.born, "live": node.live, "parent": node.parent}
            yield Expectation("Rollup", "getNode", node_id, fields)
        asked = snapshot.state.rounds[node_id]
        if snapshot.rollup.is_open(node_id):
            rival = {"incumbent": asked.incumbent, "rival_at": asked.rival_at, "until": asked.until}
            fields = {"to": asked.to, "live_ends": asked.live_ends, "xor_live": asked.xor_live}
            decision = {"confirmed": asked.confirmed, "decided_at": asked.decided_at}
            yield Expectation("Rollup", "getRound", node_id, fields | rival | decision)


def _expect_claims(snapshot: Snapshot) -> Iterator[Expectation]:
    for claim_id, claim in snapshot.state.claims.items():
        if snapshot.statuses[claim.node] is Status.OPEN:
            fields = {"owner": claim.owner, "revealed_at": claim.revealed_at, "status": claim.status}
            money = {"credit": claim.credit, "pot": claim.pot}
            yield Expectation("Rollup", "getClaim", claim_id, fields | money)
    for address, staker in snapshot.state.stakers.items():
        if staker.bond:
            yield Expectation("Rollup", "getStaker", address, {"bond": staker.bond, "out": staker.out})


def _expect_matches(snapshot: Snapshot) -> Iterator[Expectation]:
    for match_id, match in snapshot.state.matches.items():
        if snapshot.is_playable(match):
            place = {"start": match.start, "height": match.height, "stage": match.stage}
            time = {"last": match.last, "clock_a": match.clocks[Side.A], "clock_b": match.clocks[Side.B]}
            fields = place | time | {"turn_b": match.turn is Side.B}
            yield Expectation("Dispute", "getMatch", match_id, fields)


def _show(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)

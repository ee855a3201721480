"""`challenger show`: one identifier, and everything that has to do with it."""

from dataclasses import dataclass

from challenger.game.types import State


class NotFound(Exception):
    """Nothing in the game has this identifier."""


@dataclass(frozen=True, slots=True)
class Related:
    """What belongs to a subject. A round has the id of the assertion that asks it."""

    subject: bytes
    kind: str  # assertion, claim, match or staker
    rounds: frozenset[bytes]
    matches: frozenset[bytes]
    stakers: frozenset[bytes]


def find_subject(state: State, prefix: str) -> bytes:
    """The one assertion, claim, match or staker whose identifier begins so (hexadecimal, 0x or not).

    Raises NotFound when there is none, or more than one.
    """
    wanted = prefix.lower().removeprefix("0x")
    every = (*state.nodes, *state.claims, *state.matches, *state.stakers)
    found = [each for each in every if wanted and each.hex().startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"{len(found)} identifiers begin with {prefix}: write more of it")
    raise NotFound(f"no assertion, claim, match or staker begins with {prefix}: see `challenger list`")


def find_related(state: State, subject: bytes) -> Related:
    """The rounds that a subject answers (and, as an assertion, asks), its matches, and who is in them."""
    kind, claims = _find_claims(state, subject)
    rounds = {state.nodes[state.claims[claim].node].parent for claim in claims}
    if kind == "assertion":
        rounds |= {subject, state.nodes[subject].parent} & state.nodes.keys()
    matches = {match_id for match_id, match in state.matches.items() if claims & set(match.claims)}
    return Related(
        subject=subject,
        kind=kind,
        rounds=frozenset(rounds),
        matches=frozenset([subject] if kind == "match" else matches),
        stakers=frozenset(
            {state.claims[claim].owner for claim in claims} | ({subject} & state.stakers.keys())
        ),
    )


def _find_claims(state: State, subject: bytes) -> tuple[str, set[bytes]]:
    """What a subject is, and the claims that it is about."""
    if subject in state.nodes:
        return "assertion", {claim_id for claim_id, claim in state.claims.items() if claim.node == subject}
    if subject in state.claims:
        return "claim", {subject}
    if subject in state.matches:
        return "match", set(state.matches[subject].claims)
    return "staker", {claim_id for claim_id, claim in state.claims.items() if claim.owner == subject}

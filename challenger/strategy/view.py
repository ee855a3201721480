"""What L1 says, seen by one player who knows the truth: the question each rule of the strategy asks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from challenger.game.clock import is_in_time
from challenger.game.lists import Words
from challenger.game.rollup import Rollup
from challenger.game.types import Claim, Match, Node, Parameters, Round, Side, State, Status
from challenger.trace.provider import TraceProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    compute_assertion_id,
    compute_claim_id,
    compute_leaf,
)


@dataclass(frozen=True)
class Facts:
    """Everything that L1 says at one block."""

    parameters: Parameters
    state: State
    now: int  # the time of the block in which an act would land
    lists: Mapping[bytes, Words] = field(default_factory=dict)  # every list that was opened, by hash
    disputed: Mapping[bytes, int] = field(default_factory=dict)  # by match at level 2: position of the input


@dataclass(frozen=True)
class Duel:
    """A match between a claim that one may play for and a false one."""

    id: bytes
    match: Match
    side: Side  # the true one
    start: int  # batch after which the disputed range begins
    to: int

    @property
    def is_our_turn(self) -> bool:
        """Whether the true side has to move."""
        return self.match.turn is self.side


@dataclass(frozen=True)
class PathStep:
    """One round on the true path: its parent is true and exists on L1; the true end may be missing."""

    parent: bytes
    start: int  # batch after which the range begins
    round: Round
    node: bytes  # id of the true end
    end_root: bytes


class View:
    """Facts in the light of the truth. Built anew for every look; keeps nothing."""

    def __init__(self, facts: Facts, provider: TraceProvider, player: bytes) -> None:
        """`player` is the address that acts; it may play for claims that it owns or operates."""
        self.facts = facts
        self.provider = provider
        self.player = player
        self.state = facts.state
        self.now = facts.now
        self.rollup = Rollup(facts.parameters, facts.state, facts.now)

    @cached_property
    def path(self) -> list[PathStep]:
        """The rounds along the true path, from genesis to the first that cannot be answered yet."""
        steps: list[PathStep] = []
        parent = GENESIS_ASSERTION
        while parent in self.state.nodes:
            asked = self.state.rounds[parent]
            end_root = self.provider.get_end_root(asked.to) if asked.to <= self.state.batch_count else None
            if end_root is None:
                break
            node = compute_assertion_id(parent, compute_leaf(end_root, asked.to, ZERO))
            steps.append(PathStep(parent, self.state.nodes[parent].batch, asked, node, end_root))
            parent = node
        return steps

    @cached_property
    def true_nodes(self) -> frozenset[bytes]:
        """Ids of all ends on the true path, whether anybody has claimed them or not."""
        return frozenset(step.node for step in self.path)

    @cached_property
    def claims_by_round(self) -> dict[bytes, list[tuple[bytes, Claim]]]:
        """LIVE claims, grouped by the id of their round."""
        found: dict[bytes, list[tuple[bytes, Claim]]] = {}
        for claim_id, claim in self.state.claims.items():
            if claim.status is Status.LIVE:
                found.setdefault(self.get_node(claim).parent, []).append((claim_id, claim))
        return found

    def get_node(self, claim: Claim) -> Node:
        """The node that a claim stands on."""
        return self.state.nodes[claim.node]

    def open_steps(self) -> Iterator[PathStep]:
        """Rounds of the true path that are not decided."""
        return (step for step in self.path if self.rollup.is_open(step.parent))

    def get_false_claims(self, step: PathStep) -> list[tuple[bytes, Claim]]:
        """Live claims on false ends of a round."""
        return [
            (claim_id, claim)
            for claim_id, claim in self.claims_by_round.get(step.parent, [])
            if claim.node != step.node and self.rollup.is_live(claim_id)
        ]

    def get_own_claims(self, step: PathStep) -> list[tuple[bytes, Claim]]:
        """Live claims on the true end of a round that the player may play for."""
        return [
            (claim_id, claim)
            for claim_id, claim in self.claims_by_round.get(step.parent, [])
            if claim.node == step.node and self.may_play_for(claim) and self.rollup.is_live(claim_id)
        ]

    def may_play_for(self, claim: Claim) -> bool:
        """Whether the player owns or operates the claim."""
        return self.player in (claim.owner, claim.operator)

    def holds(self, step: PathStep) -> bool:
        """Whether the player has its OWN live claim on the true end of a round."""
        claim_id = compute_claim_id(step.node, self.player)
        return self.rollup.is_live(claim_id)

    def get_duels(self) -> Iterator[Duel]:
        """Playable matches of true claims that the player may play for."""
        rounds = {step.node: step for step in self.path}
        for match_id, match in self.state.matches.items():
            claims = [self.state.claims[claim_id] for claim_id in match.claims]
            for side in Side:
                step = rounds.get(claims[side].node)
                if step is None or not self.may_play_for(claims[side]):
                    continue
                if all(map(self.rollup.is_live, match.claims)):
                    yield Duel(match_id, match, side, step.start, step.round.to)

    def is_in_time(self, match: Match) -> bool:
        """Whether the side on turn may still move."""
        return is_in_time(self.now, match.last, match.clocks[match.turn])

"""What L1 says, seen by one player who knows the truth: the question each rule of the strategy asks."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from challenger.game.clock import is_in_time
from challenger.game.lists import Words, compute_list_hash
from challenger.game.rollup import Rollup
from challenger.game.types import Claim, Match, Node, Parameters, Round, Side, Staker, State, Status
from challenger.trace.provider import TraceProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    compute_assertion_id,
    compute_claim_id,
    compute_leaf,
)
from optimist.derive.timing import compute_due_at


@dataclass(frozen=True)
class Facts:
    """Everything that L1 says at one block."""

    parameters: Parameters
    state: State
    now: int  # the time of the block in which an act would land
    lists: Mapping[bytes, Words] = field(default_factory=dict)  # every list that was opened, by hash
    disputed: Mapping[bytes, int] = field(default_factory=dict)  # by match at level 2: position of the input
    latency: int = 0  # s from when an act is possible until L1 has taken it in


@dataclass(frozen=True)
class Duel:
    """A match between a true claim and a false one."""

    id: bytes
    match: Match
    side: Side  # the true one
    is_ours: bool  # the player plays for the true claim: it may commit for it
    start: int  # batch after which the disputed range begins
    to: int

    @property
    def own(self) -> bytes:
        """The true claim."""
        return self.match.claims[self.side]

    @property
    def rival(self) -> bytes:
        """The false claim."""
        return self.match.claims[self.side.other]

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

    def __init__(
        self,
        facts: Facts,
        provider: TraceProvider,
        player: bytes,
        *,
        owners: AbstractSet[bytes] = frozenset(),
        limit: int | None = None,
        at_once: int | None = None,
        busy: AbstractSet[bytes] = frozenset(),
    ) -> None:
        """`player` is the address that acts; it plays for claims that it owns or operates for `owners`.

        limit: moves to compute, of those that may wait; at_once: of all, however urgent (None: all). busy:
        matches in which our move is on its way.
        """
        self.owners = owners
        self.limit = limit
        self.at_once = at_once
        self.has_left_out = False  # set by whoever computes no move because of the limit
        self.busy = busy
        self.facts = facts
        self.provider = provider
        self.player = player
        self.state = facts.state
        self.now = facts.now
        self._tops: dict[bytes, bytes] = {}
        self.rollup = Rollup(facts.parameters, facts.state, facts.now)

    @cached_property
    def confirmed(self) -> list[bytes]:
        """Ids of what L1 has confirmed, from genesis to the last one."""
        chain = [GENESIS_ASSERTION]
        while (after := self.state.rounds[chain[-1]].confirmed) != ZERO:
            chain.append(after)
        return chain

    @cached_property
    def path(self) -> list[PathStep]:
        """The undecided rounds along the true path, from the last confirmed node to the first that cannot be
        answered yet. Empty when the last confirmed node is false: nothing true can follow it.
        """
        steps: list[PathStep] = []
        parent = self.confirmed[-1]
        if not self.is_true_end(parent):
            return steps
        while parent in self.state.nodes:
            asked = self.state.rounds[parent]
            end_root = self.provider.get_end_root(asked.to) if asked.to <= self.state.batch_count else None
            if end_root is None:
                break
            node = compute_assertion_id(parent, _compute_end(end_root, asked.to))
            steps.append(PathStep(parent, self.state.nodes[parent].batch, asked, node, end_root))
            parent = node
        return steps

    def is_true_end(self, node_id: bytes) -> bool:
        """Whether a node ends in the root that we know; its ancestors may still be false."""
        node = self.state.nodes[node_id]
        end_root = self.provider.get_end_root(node.batch)
        return end_root is not None and node.end == _compute_end(end_root, node.batch)

    @cached_property
    def true_nodes(self) -> frozenset[bytes]:
        """Ids of all ends of undecided rounds on the true path, whether anybody has claimed them or not."""
        return frozenset(step.node for step in self.path)

    def is_true(self, claim: Claim) -> bool:
        """Whether a claim stands on what L1 has confirmed, or on the true path behind it."""
        return claim.node in self.true_nodes or self.rollup.is_confirmed(claim.node)

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

    def get_false_claims(self, step: PathStep) -> list[tuple[bytes, Claim]]:
        """Live claims on false ends of a round."""
        return [
            (claim_id, claim)
            for claim_id, claim in self.claims_by_round.get(step.parent, [])
            if claim.node != step.node and self.rollup.is_live(claim_id)
        ]

    def get_true_claims(self, step: PathStep) -> list[tuple[bytes, Claim]]:
        """Live claims on the true end of a round, whoever owns them."""
        return [
            (claim_id, claim)
            for claim_id, claim in self.claims_by_round.get(step.parent, [])
            if claim.node == step.node and self.rollup.is_live(claim_id)
        ]

    def get_own_claims(self, step: PathStep) -> list[tuple[bytes, Claim]]:
        """Live claims on the true end of a round that the player may play for."""
        return [each for each in self.get_true_claims(step) if self.may_play_for(each[1])]

    @property
    def staker(self) -> Staker:
        """The player's own bond, if it has one."""
        return self.state.stakers.get(self.player, Staker())

    def may_play_for(self, claim: Claim) -> bool:
        """Whether the player owns the claim, or has agreed to operate it.

        Anybody can name anybody as operator. An owner whom we do not know cannot make us reveal, dissect and
        commit for it: that gas would be ours, and its refund the owner's.
        """
        return claim.owner == self.player or (claim.operator == self.player and claim.owner in self.owners)

    def holds(self, step: PathStep) -> bool:
        """Whether the player has its OWN live claim on the true end of a round."""
        claim_id = compute_claim_id(step.node, self.player)
        return self.rollup.is_live(claim_id)

    def get_true_top(self, step: PathStep) -> bytes:
        """What commits to the true history of a round. Computed once a view: it executes the whole range."""
        if step.node not in self._tops:
            history = self.provider.get_history(step.start, step.round.to)
            words = history.words(history.height, 0)
            self._tops[step.node] = compute_list_hash(words, self.facts.parameters.arity)
        return self._tops[step.node]

    def may_be_paid(self, claim: Claim) -> bool:
        """Whether credit of the claim can reach its owner: it is alive, and the owner has lost no bond."""
        return claim.status is Status.LIVE and not self.state.stakers[claim.owner].out

    def is_due(self, step: PathStep) -> bool:
        """Whether L1 takes a claim on the true end of a round now: its node is there, or may be made."""
        created_at, min_period = self.state.nodes[step.parent].created_at, self.facts.parameters.min_period
        due = compute_due_at(created_at, min_period, is_full=step.round.full)
        return step.node in self.state.nodes or self.now >= due

    def get_time_to_join(self, step: PathStep) -> int | None:
        """Seconds for which L1 still takes a claim on the true end of a round; None: as long as one likes."""
        closes = self.rollup.compute_join_end(step.round, step.node)
        return None if closes is None else closes - self.now

    def is_ripe(self, step: PathStep) -> bool:
        """Whether L1 would confirm the true end of a round now."""
        node = self.state.nodes.get(step.node)
        if node is None or not node.live or step.round.live_ends != 1:
            return False
        is_next = self.rollup.is_confirmed(step.parent)
        return is_next and self.now >= self.rollup.compute_ripe_at(step.node)

    @cached_property
    def duels(self) -> list[Duel]:
        """Playable matches of true claims, ours and others'."""
        rounds = {step.node: step for step in self.path}
        found = []
        for match_id, match in self.state.matches.items():
            claims = [self.state.claims[claim_id] for claim_id in match.claims]
            for side in Side:
                step = rounds.get(claims[side].node)
                if step is not None and all(map(self.rollup.is_live, match.claims)):
                    is_ours = self.may_play_for(claims[side])
                    found.append(Duel(match_id, match, side, is_ours, step.start, step.round.to))
        return found

    def is_in_time(self, match: Match) -> bool:
        """Whether the side on turn may still move."""
        return is_in_time(self.now, match.last, match.clocks[match.turn])


@lru_cache(maxsize=1 << 16)  # every look asks for the ends of all that was ever confirmed
def _compute_end(end_root: bytes, batch: int) -> bytes:
    return compute_leaf(end_root, batch, ZERO)

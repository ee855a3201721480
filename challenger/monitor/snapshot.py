"""Everything the monitor judges from: what L1 holds at one block, and what our own execution gives."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from challenger.game.rollup import Rollup
from challenger.game.types import Claim, Match, Parameters, Side, State
from challenger.game.types import Status as ClaimStatus
from challenger.watcher import Opinion, Roots, Status, Verdict, compute_opinion
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf


@dataclass(frozen=True, slots=True)
class Step:
    """A round whose parent is true: its true answer may be missing on L1."""

    parent: bytes
    node: bytes  # id of the true end
    end_root: bytes
    to: int


@dataclass(frozen=True)
class Snapshot:
    """What L1 holds at one block, `now`, and our own roots. Times are seconds of L1, money is wei."""

    parameters: Parameters
    state: State
    now: int
    roots: Roots
    claimed: Mapping[bytes, bytes] = field(default_factory=dict)  # state root that a node claims
    disputed: Mapping[bytes, int] = field(default_factory=dict)  # by match at level 2: position of the input
    opened: Container[bytes] = frozenset()  # hashes of all lists that were opened
    latest: int | None = None  # time of L1's newest block; None: it is `now`
    balance: int | None = None  # of the Rollup contract; None: not looked up
    mismatches: tuple[tuple[bytes, str], ...] = ()  # where storage and events of L1 differ

    @cached_property
    def rollup(self) -> Rollup:
        """The twin's questions about the state."""
        return Rollup(self.parameters, self.state, self.now)

    @cached_property
    def opinions(self) -> dict[bytes, Opinion]:
        """What we think of every node, along its whole path. Parents come before their children."""
        found = {GENESIS_ASSERTION: Opinion(Verdict.AGREE, "everything begins here", ZERO)}
        for node_id, node in self.state.nodes.items():
            if node_id != GENESIS_ASSERTION:
                above = found[node.parent]
                found[node_id] = compute_opinion(node_id, node.end, node.batch, self.roots, above)
        return found

    @cached_property
    def statuses(self) -> dict[bytes, Status]:
        """What L1 has decided about every node."""
        found = {GENESIS_ASSERTION: Status.CONFIRMED}
        for node_id, node in self.state.nodes.items():
            if node_id == GENESIS_ASSERTION:
                continue
            winner = self.state.rounds[node.parent].confirmed
            if winner == node_id:
                found[node_id] = Status.CONFIRMED
            elif winner == ZERO and found[node.parent] is not Status.REJECTED:
                found[node_id] = Status.OPEN
            else:
                found[node_id] = Status.REJECTED
        return found

    @cached_property
    def path(self) -> list[Step]:
        """The undecided rounds of the true path."""
        return compute_path(self.state, self.roots)

    @cached_property
    def ends(self) -> dict[bytes, list[bytes]]:
        """Nodes by the round that they answer."""
        found: dict[bytes, list[bytes]] = {}
        for node_id, node in self.state.nodes.items():
            if node_id != GENESIS_ASSERTION:
                found.setdefault(node.parent, []).append(node_id)
        return found

    @cached_property
    def claims(self) -> dict[bytes, list[tuple[bytes, Claim]]]:
        """Claims by the node that they stand on."""
        found: dict[bytes, list[tuple[bytes, Claim]]] = {}
        for claim_id, claim in self.state.claims.items():
            found.setdefault(claim.node, []).append((claim_id, claim))
        return found

    def get_verdict(self, node_id: bytes) -> Verdict:
        """What we think of a node."""
        return self.opinions[node_id].verdict

    def is_playable(self, match: Match) -> bool:
        """Whether both claims of a match live, so that it can still decide something."""
        return all(map(self.rollup.is_live, match.claims))

    def get_side_verdicts(self, match: Match) -> tuple[Verdict, Verdict]:
        """What we think of the ends that the two claims of a match stand on."""
        a, b = (self.get_verdict(self.state.claims[match.claims[side]].node) for side in Side)
        return a, b


def compute_path(state: State, roots: Roots, start: bytes = GENESIS_ASSERTION) -> list[Step]:
    """The undecided rounds behind the last confirmed node, as far as their truth is known.

    Empty when a false node was confirmed: nothing true can follow it. start: a true node that is confirmed.
    """
    parent = start
    while (after := state.rounds[parent].confirmed) != ZERO:
        node = state.nodes[after]
        root = roots.get_end_root(node.batch)
        if root is None or compute_leaf(root, node.batch, ZERO) != node.end:
            return []
        parent = after
    steps: list[Step] = []
    while parent in state.nodes:
        to = state.rounds[parent].to
        root = roots.get_end_root(to) if to <= state.batch_count else None
        if root is None:
            break
        node_id = compute_assertion_id(parent, compute_leaf(root, to, ZERO))
        steps.append(Step(parent, node_id, root, to))
        parent = node_id
    return steps


def is_standing(state: State, claim: Claim) -> bool:
    """Whether a claim can still be played for: not dead, its owner not out. Its round may be closed."""
    return claim.status is ClaimStatus.LIVE and not state.stakers[claim.owner].out

"""A small law, one honest claim, one adversary's claim: the surroundings of all matches between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any, Final

from challenger.game.dispute import Machine, Opening
from challenger.game.lists import Words, compute_list_hash
from challenger.game.types import (
    NOBODY,
    Claim,
    Match,
    Node,
    Parameters,
    Position,
    Round,
    Side,
    Stage,
    Staker,
    State,
)
from challenger.strategy.view import Facts, View
from challenger.trace.alphabet import MACHINE_RULES
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    GENESIS_LEAF,
    compute_assertion_id,
    compute_claim_id,
    compute_leaf,
    compute_match_id,
)
from optimist.vm.state import compute_final_state
from tests.model.world import ARITY, HONEST, Truth, find_input
from tests.support.arena import address
from tests.support.twin_source import SHIPPED, Protocol

HEIGHT: Final = 2
WIDTH: Final = ARITY**HEIGHT
NOW: Final = 1000
FALSE_ROOT: Final = keccak(b"a false root")  # a state that somebody can open, and no law leads to
GARBAGE: Final = keccak(b"garbage")  # a hash that nobody can open
PARAMETERS: Final = Parameters(
    arity=ARITY, input_height=HEIGHT, step_height=HEIGHT, challenge_period=10, grace=1, min_period=0, bond=100
)


@dataclass(frozen=True, slots=True)
class Law:
    """Inputs of the one range: how many steps each takes, and whether it is rejected."""

    steps: tuple[int, ...]  # 1 to WIDTH each; fewer inputs than WIDTH leave padding
    rejected: tuple[int, ...] = ()  # positions of inputs that change nothing

    def __str__(self) -> str:
        marks = (f"{steps}{'r' if i in self.rejected else ''}" for i, steps in enumerate(self.steps))
        return f"steps {'-'.join(marks)}"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a match. What came before it does not matter; clocks are left out."""

    position: Position
    start: int
    height: int
    stage: Stage
    turn: Side
    disputed: int = -1  # position of the input that the traces are about


class Ring:
    """One law, one side for the honest claim, one false end."""

    def __init__(
        self,
        law: Law,
        honest: Side,
        false_root: bytes,
        protocol: Protocol = SHIPPED,
        machine: Machine = MACHINE_RULES,
    ) -> None:
        self.law = law
        self.honest = honest
        self.protocol = protocol
        self.machine = machine
        inputs = [find_input(steps, rejected=i in law.rejected, skip=i) for i, steps in enumerate(law.steps)]
        self.truth = Truth(PARAMETERS, [inputs])
        self.history = self.truth.get_history(0, 1)
        end_root = self.truth.end_roots[1]
        self.true_node = self._name_node(end_root)
        self.false_root = false_root
        self.false_node = self._name_node(false_root)
        self.ours = compute_claim_id(self.true_node, HONEST)
        self.adversary, self.theirs = self._find_adversary()
        self.claims = (self.theirs, self.ours) if honest else (self.ours, self.theirs)
        self.match_id = compute_match_id(*self.claims)
        self.leaves = {self.true_node: compute_leaf(end_root, 1, ZERO)}
        self.leaves[self.false_node] = compute_leaf(false_root, 1, ZERO)

    def _name_node(self, root: bytes) -> bytes:
        return compute_assertion_id(GENESIS_ASSERTION, compute_leaf(root, 1, ZERO))

    def _find_adversary(self) -> tuple[bytes, bytes]:
        """An address whose claim's id is on the wanted side of ours."""
        for number in count(100):
            claim_id = compute_claim_id(self.false_node, address(number))
            if (claim_id < self.ours) == bool(self.honest):
                return address(number), claim_id
        raise AssertionError("unreachable")

    @property
    def evil(self) -> Side:
        """The adversary's side."""
        return self.honest.other

    # --------------------------------------------------------------------------------------------- states

    def place(self, spot: Spot | None) -> Any:
        """A dispute of its own in which the match stands at a spot; without one it is not open yet, and the
        adversary has not revealed. Both claims live.
        """
        state = State()
        state.batches = self.truth.batches
        state.nodes[GENESIS_ASSERTION] = Node(ZERO, GENESIS_LEAF, 0, NOW, NOW)
        union = bytes(a ^ b for a, b in zip(self.true_node, self.false_node, strict=True))
        state.rounds[GENESIS_ASSERTION] = Round(1, full=False, live_ends=2, xor_live=union)
        for node in (self.true_node, self.false_node):
            state.nodes[node] = Node(GENESIS_ASSERTION, self.leaves[node], 1, NOW, NOW, live=1)
            state.rounds[node] = Round(2, full=False)
        state.claims[self.ours] = Claim(self.true_node, HONEST, NOBODY, self.history.root, NOW)
        state.claims[self.theirs] = Claim(self.false_node, self.adversary, NOBODY)
        state.stakers[HONEST] = Staker(100, self.ours)
        state.stakers[self.adversary] = Staker(100, self.theirs)
        state.balance = 200
        if spot is not None:
            clocks = (PARAMETERS.challenge_period, PARAMETERS.challenge_period)
            state.matches[self.match_id] = Match(
                self.claims, spot.position, spot.start, spot.height, spot.stage, spot.turn, NOW, clocks
            )
        return self.protocol.dispute(self.protocol.rollup(PARAMETERS, state, NOW), self.machine)

    def read(self, state: State, before: Spot | None = None) -> Spot:
        """Where the match stands."""
        match = state.matches[self.match_id]
        disputed = -1 if before is None else before.disputed
        if match.stage is Stage.HALF:
            disputed = match.start
        return Spot(match.position, match.start, match.height, match.stage, match.turn, disputed)

    def look(self, spot: Spot, state: State, lists: Mapping[bytes, Words]) -> View:
        """What the honest player sees: the lists that this match has opened."""
        disputed = {self.match_id: spot.disputed} if spot.disputed >= 0 else {}
        return View(Facts(PARAMETERS, state, NOW, lists, disputed), self.truth, HONEST)

    # ------------------------------------------------------------------------------------------ alphabets

    @cached_property
    def true_leaves(self) -> list[bytes]:
        """The true leaf after each of the WIDTH positions."""
        return [self.history.end(i) for i in range(WIDTH)]

    def get_opening(self, position: int) -> Opening:
        """What opens the leaf before an input."""
        return self.truth.openings[position]

    @cached_property
    def forms(self) -> dict[bytes, tuple[bytes, int, bytes]]:
        """Leaves that the adversary can open, with root, batch and rest."""
        forms = {GENESIS_LEAF: (ZERO, 0, ZERO)}
        before = ZERO
        for opening, root in zip(self.truth.openings, self.truth.roots, strict=True):
            rest = opening.next_rest
            for claimed in (root, FALSE_ROOT, before, self.false_root):
                for batch in (1, 2):
                    forms[compute_leaf(claimed, batch, rest)] = (claimed, batch, rest)
            before = root
        return forms

    @cached_property
    def names(self) -> dict[bytes, str]:
        """Words of the adversary's alphabet, in print."""
        roots = {FALSE_ROOT: "S'", self.false_root: "S'", ZERO: "S0"}
        roots |= {root: f"S{i}" for i, root in enumerate(self.truth.roots, 1)}
        names = {compute_final_state(root): f"F({name})" for root, name in roots.items()} | roots
        for i, opening in enumerate(self.truth.openings, 1):
            trace = self.truth.get_trace(0, i - 1)
            names[self.machine.start(opening.root, opening.input_hash)] = f"{i}.0"
            names |= {end: f"{i}.{step}" for step, end in enumerate(trace.ends[:-1], 1)}
            for root, name in roots.items():
                names[compute_leaf(root, 1, opening.next_rest)] = f"L{i}({name})"
                names[compute_leaf(root, 2, opening.next_rest)] = f"L{i}(batch 2)"
        names |= {leaf: f"L{i}" for i, leaf in reversed(list(enumerate(self.true_leaves, 1)))}
        return names | {GENESIS_LEAF: "L0", self.leaves[self.false_node]: "L'", GARBAGE: "garbage"}

    def list_leaves(self, position: int, *, is_thin: bool = False) -> list[bytes]:
        """What may be claimed after a position: truth, a false root, garbage, a wrong batch, no change.

        Thin: not the last two.
        """
        rest, root = ZERO, self.truth.end_roots[1]
        if position < len(self.law.steps):
            rest, root = self.truth.openings[position].next_rest, self.truth.roots[position]
        before = self.true_leaves[position - 1] if position else GENESIS_LEAF
        letters = [
            self.true_leaves[position],
            compute_leaf(FALSE_ROOT, 1, rest),
            GARBAGE,
            *(() if is_thin else (compute_leaf(root, 2, rest), before)),
        ]
        if position == WIDTH - 1:
            letters.append(self.leaves[self.false_node])
        return list(dict.fromkeys(letters))

    def list_states(self, position: int, step: int, root: bytes, *, is_thin: bool = False) -> list[bytes]:
        """What may be claimed after a step: truth, the end that is claimed, garbage, the beginning.

        Thin: not the last two.
        """
        opening = self.get_opening(position)
        true = self.truth.get_trace(0, position).end(step)
        start = self.machine.start(opening.root, opening.input_hash)
        letters = (true, compute_final_state(root), *(() if is_thin else (GARBAGE, start)))
        return list(dict.fromkeys(letters))


def hash_of(words: Words) -> bytes:
    """Hash of a list of the small world."""
    return compute_list_hash(words, ARITY)

"""Matches against lists that no history leads to: garbage, copies, ends that do not belong to their children.

A liar need not have a history. It may commit to any words, copy the honest nodes, promise children that
do not exist. Whatever it does, the honest side must always have a legal move, never be proven wrong, and win.
"""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from challenger.game.dispute import Fork
from challenger.game.lists import History, Words, compute_first_difference, compute_list_hash
from challenger.game.types import Match, Parameters, Side, Stage
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider, get_steps
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    compute_input_hash,
    compute_leaf,
    compute_match_id,
)
from optimist.vm.state import compute_final_state
from tests.support.arena import Arena, address

HONEST = address(1)
PARAMETERS = Parameters(arity=2, input_height=2, step_height=2, challenge_period=100, grace=0, min_period=0)
MOVES = (acts.Dissect, acts.CommitTrace, acts.CommitSecondTrace, acts.Prove, acts.ProvePadding)
FALSE_ROOT = keccak(b"a root that nothing leads to")
GARBAGE = keccak(b"no preimage")


def find_inputs(count: int, most_steps: int) -> list[bytes]:
    """Inputs that take at most so many steps: a trace of this game has four positions."""
    found: list[bytes] = []
    number = 0
    while len(found) < count:
        data = number.to_bytes(4, "big")
        if get_steps(compute_input_hash(data)) <= most_steps:
            found.append(data)
        number += 1
    return found


@dataclass
class Forger:
    """Commits to random words, and knows the preimages of what it made up itself or saw."""

    rng: random.Random
    truth: AlphabetProvider
    preimages: dict[bytes, Words] = field(default_factory=dict)

    def forge(self, height: int, ends: list[bytes], true: History, index: int, last: bytes) -> Words:
        """A list of `height` with any ends in it and any children below; it ends in `last`."""
        words: list[bytes] = []
        for child in range(2):
            is_last = child == 1
            end = (
                last
                if is_last
                else self.rng.choice([*ends, true.end((2 * index + child + 1) * 2 ** (height - 1) - 1)])
            )
            if height > 1:
                words += (self.choose_sub(height - 1, ends, true, 2 * index + child, end), end)
            else:
                words.append(end)
        self.preimages[compute_list_hash(words, 2)] = tuple(words)
        return tuple(words)

    def choose_sub(self, height: int, ends: list[bytes], true: History, index: int, end: bytes) -> bytes:
        """A child: the honest one, one that ends where it should, one that ends elsewhere, or none at all."""
        kind = self.rng.randrange(8)
        if kind == 0:
            return GARBAGE
        if kind <= 2:
            return true.node(height, index)
        last = end if kind <= 6 else self.rng.choice(ends)
        return compute_list_hash(self.forge(height, ends, true, index, last), 2)


@dataclass
class Fight:
    """One match, moved by hand for the liar and by the strategy for the honest side."""

    rng: random.Random
    liar: bytes  # address; which side it plays on depends on it
    arena: Arena
    truth: AlphabetProvider
    forger: Forger
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def claims(self) -> tuple[bytes, bytes]:
        """Honest, liar."""
        nodes = self.arena.state.claims
        honest = next(i for i, claim in nodes.items() if claim.owner == HONEST)
        return honest, next(i for i, claim in nodes.items() if claim.owner == self.liar)

    @property
    def match(self) -> Match:
        return self.arena.state.matches[compute_match_id(*self.claims)]

    def get_fork(self) -> Fork | None:
        """Both lists, as far as the liar can know them."""
        match = self.match
        known = {**self.arena.lists, **self.forger.preimages}
        lists = [known.get(node) for node in match.position.nodes]
        if lists[0] is None or lists[1] is None:
            return None
        return Fork(match.claims, match.position.round, match.position.prev, (lists[0], lists[1]))

    def move_as_liar(self, side: Side) -> bool:
        """Any legal move, if there is one."""
        match = self.match
        if match.stage is Stage.HALF:
            return self.commit_second(side)
        fork = self.get_fork()
        if fork is None:
            return False
        child = compute_first_difference(*fork.lists, match.height)
        if child is None:
            return False
        if match.height > 1:
            following = {**self.arena.lists, **self.forger.preimages}.get(fork.lists[side][2 * child])
            return following is not None and self.play(acts.Dissect(fork, following))
        if match.stage is Stage.INPUTS:
            return self.commit_first(fork, match.start + child)
        return False

    def commit_first(self, fork: Fork, position: int) -> bool:
        if position >= len(self.truth.openings):
            return False
        opening = self.truth.get_opening(0, position)
        return any(
            self.play(acts.CommitTrace(fork, opening, root, self.forge_trace(position, root)))
            for root in (FALSE_ROOT, self.truth.roots[position])
        )

    def commit_second(self, side: Side) -> bool:
        del side
        position = self.match.start
        return any(
            self.play(
                acts.CommitSecondTrace(
                    self.match.claims, self.match.position, root, self.forge_trace(position, root)
                )
            )
            for root in (FALSE_ROOT, self.truth.roots[position])
        )

    def forge_trace(self, position: int, root: bytes) -> Words:
        true = self.truth.get_trace(0, position)
        if self.rng.randrange(4) == 0:
            return true.words(2, 0)  # the honest trace
        opening = self.truth.get_opening(0, position)
        ends = [GARBAGE, compute_final_state(root), compute_final_state(opening.root), *true.ends]
        return self.forger.forge(2, ends, true, 0, compute_final_state(root))

    def play(self, act: acts.Act) -> bool:
        return self.arena.play(self.liar, act) == ""


def begin(seed: int) -> Fight:
    """Both stand, have revealed, and are in a match."""
    rng = random.Random(seed)
    inputs = [find_inputs(rng.randint(1, 4), 4)]
    truth = AlphabetProvider(PARAMETERS, inputs)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches, now=10)
    forger = Forger(rng, truth)
    accumulator = truth.batches[1].accumulator
    history = truth.get_history(0, 1)
    liar = address(2 + rng.randrange(50))
    for player, root in ((HONEST, truth.end_roots[1]), (liar, FALSE_ROOT)):
        arena.play(player, acts.Stake())
        assert arena.play(player, acts.AssertState(GENESIS_ASSERTION, root, 1, accumulator)) == ""
    last = compute_leaf(FALSE_ROOT, 1, ZERO)
    forms = [compute_leaf(FALSE_ROOT, 1, opening.next_rest) for opening in truth.openings]
    top = forger.forge(2, [GARBAGE, last, *forms, *history.ends], history, 0, last)
    fight = Fight(rng, liar, arena, truth, forger)
    mine, theirs = fight.claims
    assert arena.play(liar, acts.Reveal(theirs, top)) == ""
    assert arena.play(HONEST, acts.Reveal(mine, history.words(2, 0))) == ""
    first = rng.choice((mine, theirs))
    assert arena.play(liar, acts.OpenMatch(min(mine, theirs), max(mine, theirs), first)) == ""
    return fight


def play_out(seed: int) -> Counter[str]:
    """The whole match. The honest side must land every move that it plans."""
    fight = begin(seed)
    arena, (honest, liar) = fight.arena, fight.claims
    side = Side.A if honest < liar else Side.B
    for _ in range(20):
        arena.now += 1
        plan = arena.plan(HONEST, fight.truth)
        assert plan.alarms == [], f"seed {seed}: {plan.alarms}"
        moves = [
            a
            for a in plan.acts
            if isinstance(
                a, acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace | acts.Prove | acts.ProvePadding
            )
        ]
        if fight.match.turn is side:
            assert moves, f"seed {seed}: the honest side has no move at {fight.match}"
        for act in moves:
            assert arena.play(HONEST, act) == "", f"seed {seed}: refused {act}"
            fight.counts[type(act).__name__] += 1
        if arena.state.stakers[fight.liar].out:
            break
        if fight.match.turn is not side and not fight.move_as_liar(side.other):
            arena.now += PARAMETERS.challenge_period
            assert arena.play(HONEST, acts.Timeout(fight.match.claims)) == ""
            fight.counts["Timeout"] += 1
            break
    assert arena.state.stakers[fight.liar].out, f"seed {seed}: the liar lives"
    assert not arena.state.stakers[HONEST].out, f"seed {seed}: the honest bond is lost"
    return fight.counts


def test_the_honest_side_always_has_a_move_and_wins() -> None:
    counts = Counter[str]()
    for seed in range(3_000):
        counts += play_out(seed)
    assert (
        min(counts[name] for name in ("Prove", "ProvePadding", "Timeout", "CommitTrace", "Dissect")) > 50
    ), counts


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_honest_side_always_has_a_move_and_wins_a_hundred_thousand_times() -> None:
    for seed in range(10_000, 110_000):
        play_out(seed)


def test_a_forged_list_is_refused_where_it_contradicts_itself() -> None:
    """The forger does lie in the ways that it claims to: L1 refuses some of its moves."""
    refused = Counter[str]()
    for seed in range(300):
        fight = begin(seed)
        fight.move_as_liar(Side.A if fight.claims[1] < fight.claims[0] else Side.B)
        refused.update(error for _, sender, _, error in fight.arena.log if sender == fight.liar and error)
    assert refused["WrongEnd"] > 0, refused

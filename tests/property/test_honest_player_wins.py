"""One honest bond against random adversaries with many: no false end is confirmed, no honest bond is lost.

Replay one run: `pytest tests/property/test_honest_player_wins.py -k "seed-1234"` after adding 1234 to SEEDS.
"""

import random

import pytest

from challenger.game.types import Parameters, Status
from challenger.strategy.acts import AssertState, Stake
from challenger.strategy.modes import DEFEND, PROPOSE, RESOLVE, Mode
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from tests.support.adversary import Adversary
from tests.support.alphabet_liar import LeafLiar, PaddingLiar, StepLiar
from tests.support.arena import Arena, address

HONEST, HELPER = address(1), address(2)
CENSORED = 2  # ticks in which the honest player cannot land anything
NEEDED = 8  # ticks that it needs at most: join, reveal, open, and half of the moves of a match
PARAMETERS = Parameters(
    arity=2, input_height=2, step_height=4, challenge_period=CENSORED + NEEDED + 2, grace=1, min_period=1
)
INPUTS = [[b"a"], [b"b", b"c"], [b"d", b"e", b"f"], [b"g"], [b"h", b"i"]]
ATTACK = 45  # ticks in which the adversary brings new claims

SEEDS = range(60)
LONG_SEEDS = range(1000, 3000)


def build_lies(rng: random.Random) -> list[AlphabetProvider]:
    """Three histories, each false somewhere."""
    return [
        StepLiar(PARAMETERS, INPUTS, rng.randrange(9), rng.randrange(13), salt=rng.randrange(1, 9)),
        rng.choice(
            (
                StepLiar(PARAMETERS, INPUTS, rng.randrange(9), 0, salt=99),
                PaddingLiar(PARAMETERS, INPUTS, 2, 3),
                LeafLiar(PARAMETERS, INPUTS, rng.randrange(3), batch_delta=1),
            )
        ),
        StepLiar(PARAMETERS, INPUTS, 0, 0, salt=77),
    ]


def run(seed: int, mode: Mode = DEFEND, *, is_helped: bool = False) -> Arena:
    """One whole attack, and the quiet time after it; checks at every tick. Helped: by one without a bond."""
    rng = random.Random(seed)
    truth = AlphabetProvider(PARAMETERS, INPUTS)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches)
    adversary = Adversary(rng, arena, [truth, *build_lies(rng)], accounts=rng.randint(2, 8))
    true_ends = {compute_leaf(truth.end_roots[b], b, ZERO) for b in range(len(truth.end_roots))}
    censored = set(rng.sample(range(ATTACK), CENSORED)) if rng.random() < 0.7 else set()
    quiet = 4 * (PARAMETERS.challenge_period + CENSORED + NEEDED)
    for tick in range(ATTACK + quiet):
        arena.now += 1
        before = rng.random() < 0.5
        if before:
            adversary.act(may_assert=tick < ATTACK)
        if tick not in censored:
            plan = arena.plan(HONEST, truth, mode)
            assert plan.alarms == [], f"seed {seed} tick {tick}: {plan.alarms}"
            for act in plan.acts:
                arena.play(HONEST, act)
        if is_helped:
            helping = arena.plan(HELPER, truth, RESOLVE)
            assert helping.alarms == [], f"seed {seed} tick {tick}: {helping.alarms}"
            for act in helping.acts:
                arena.play(HELPER, act)
        if not before:
            adversary.act(may_assert=tick < ATTACK)
        arena.check_ledger()
        for node in arena.get_confirmed():
            assert arena.state.nodes[node].end in true_ends, f"seed {seed} tick {tick}: false end confirmed"
    return arena


def assert_settled(arena: Arena, seed: int) -> None:
    """Nothing is stuck: along the true path, every round that was ever disputed is decided."""
    truth = AlphabetProvider(PARAMETERS, INPUTS)
    parent = GENESIS_ASSERTION
    while parent in arena.state.nodes:
        asked = arena.state.rounds[parent]
        children = [i for i, node in arena.state.nodes.items() if node.parent == parent]
        root = truth.get_end_root(asked.to)
        if root is None:
            return
        true_child = compute_assertion_id(parent, compute_leaf(root, asked.to, ZERO))
        for child in children:
            if child != true_child and asked.confirmed == ZERO:
                living = [
                    c for c in arena.state.claims.values() if c.node == child and c.status is Status.LIVE
                ]
                assert not living, f"seed {seed}: a false claim lives for ever"
        parent = true_child


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed-{seed}")
def test_honest_player_wins(seed: int) -> None:
    assert_settled(run(seed), seed)


@pytest.mark.parametrize("seed", SEEDS[:20], ids=lambda seed: f"seed-{seed}")
def test_who_claims_every_range_wins_as_well(seed: int) -> None:
    """The other habit: not to wait for a lie. Its bond never comes back, and every range is decided."""
    arena = run(seed, PROPOSE)
    assert_settled(arena, seed)
    assert arena.state.stakers[HONEST].bond == PARAMETERS.bond
    parent = GENESIS_ASSERTION
    while arena.state.rounds[parent].to < len(arena.state.batches):
        parent = arena.state.rounds[parent].confirmed
        assert parent != ZERO, f"seed {seed}: a range that was claimed is undecided"


@pytest.mark.parametrize("seed", SEEDS[:20], ids=lambda seed: f"seed-{seed}")
def test_a_helper_without_a_bond_harms_nobody(seed: int) -> None:
    """It plays for true claims of anybody, the adversary's copies included."""
    arena = run(seed, is_helped=True)
    assert_settled(arena, seed)
    assert HELPER not in arena.state.stakers
    assert not any(who == HELPER and isinstance(act, Stake | AssertState) for _, who, act, _ in arena.log)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", [DEFEND, PROPOSE], ids=lambda mode: mode.name)
def test_honest_player_wins_many_times(mode: Mode) -> None:
    for seed in LONG_SEEDS:
        assert_settled(run(seed, mode), seed)


def test_the_runs_are_real_fights() -> None:
    """The suite would be worthless if the adversary never got far."""
    counts: dict[str, int] = {}
    for seed in range(12):
        for _, _, act, error in run(seed).log:
            if not error:
                counts[type(act).__name__] = counts.get(type(act).__name__, 0) + 1
    wanted = {"OpenMatch", "Dissect", "CommitTrace", "CommitSecondTrace", "Prove", "Timeout", "TimeoutReveal"}
    assert wanted | {"Prune", "Confirm", "Collect", "ClaimCredit"} <= counts.keys(), counts

"""The twin and the real contracts under random games: same outcomes, same state, all of it in the events.

The adversary of `tests/support/adversary.py` calls everything in every order, mostly in vain: refusals are
compared as well, by the name of the custom error.
"""

import random

import pytest

from challenger.game.types import Parameters
from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider
from tests.support.adversary import Adversary
from tests.support.alphabet_liar import LeafLiar, PaddingLiar, StepLiar
from tests.support.arena import address
from tests.support.mirror import MirrorArena, scale

HONEST = address(1)
TICK = 12  # s
PARAMETERS = scale(
    Parameters(arity=2, input_height=2, step_height=4, challenge_period=12, grace=1, min_period=1), TICK
)
ROWS = [[b"\x05b"], [b"\x05d", b"\x05e"], [b"\x05g"], [b"\x05h", b"\x05i"]]
FUNCTIONS = {
    kind.__name__
    for kind in (
        acts.Stake,
        acts.SetOperator,
        acts.AssertState,
        acts.Reveal,
        acts.TimeoutReveal,
        acts.OpenMatch,
        acts.Dissect,
        acts.CommitTrace,
        acts.CommitSecondTrace,
        acts.ProvePadding,
        acts.Prove,
        acts.Timeout,
        acts.Prune,
        acts.Confirm,
        acts.Collect,
        acts.ClaimCredit,
        acts.Withdraw,
    )
}


def run(seed: int, ticks: int = 90) -> MirrorArena:
    rng = random.Random(seed)
    arena = MirrorArena(PARAMETERS, ROWS, max_batch=4)
    truth = AlphabetProvider(PARAMETERS, arena.inputs)
    count = len(truth.openings)
    lies = [
        StepLiar(PARAMETERS, arena.inputs, rng.randrange(count), rng.randrange(13), salt=rng.randrange(1, 9)),
        rng.choice(
            (
                StepLiar(PARAMETERS, arena.inputs, rng.randrange(count), 0, salt=99),
                PaddingLiar(PARAMETERS, arena.inputs, 1, rng.randrange(1, 4)),
                LeafLiar(PARAMETERS, arena.inputs, rng.randrange(count), batch_delta=1),
            )
        ),
    ]
    adversary = Adversary(rng, arena, [truth, *lies], accounts=rng.randint(3, 7))
    try:
        for tick in range(ticks):
            arena.now += TICK
            adversary.act(may_assert=tick < ticks // 2)
            arena.look_and_act(HONEST, truth)
            if rng.random() < 0.1:
                arena.play(rng.choice((HONEST, *adversary.accounts)), acts.Withdraw())
            if tick % 10 == 9:
                arena.compare()
        arena.compare()
        arena.compare_events()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, second {arena.now}: {error}") from error
    return arena


def count_successes(seeds: range) -> dict[str, int]:
    counts: dict[str, int] = {}
    for seed in seeds:
        for name, count in run(seed).successes.items():
            counts[name] = counts.get(name, 0) + count
    return counts


@pytest.mark.timeout(600)
def test_random_games_are_the_same_in_both(capsys: pytest.CaptureFixture[str]) -> None:
    counts = count_successes(range(25))
    with capsys.disabled():
        print(f"\ncalls that landed alike in twin and contracts: {dict(sorted(counts.items()))}")
    assert counts.keys() == FUNCTIONS, FUNCTIONS - counts.keys()


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_many_random_games_are_the_same_in_both(capsys: pytest.CaptureFixture[str]) -> None:
    counts = count_successes(range(1000, 3500))
    with capsys.disabled():
        print(f"\ncalls that landed alike in twin and contracts: {dict(sorted(counts.items()))}")
    assert min(counts.values()) >= 500, counts
    assert counts.keys() == FUNCTIONS, FUNCTIONS - counts.keys()

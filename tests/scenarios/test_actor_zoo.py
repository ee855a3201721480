"""The hero against the whole zoo: every habit alone on the contracts, many pairs and all of them on the twin.

What must hold in every play is checked after every block (tests/actors/actor.py): no false end is confirmed,
and every wei is accounted for. Here: the hero keeps its bond, in time, and the others lose what they must.
"""

import random
from itertools import combinations

import pytest

from challenger.game.types import Round, Status
from optimist.base.merkle import ZERO
from tests.actors.actor import Actor, Delayed, assert_hero_won, play
from tests.actors.crowds import GraceHolder
from tests.actors.honest import Amnesiac, Hero, Proposer
from tests.actors.liars import DeepLiar, Liar
from tests.actors.zoo import ZOO, make
from tests.support.arena import address
from tests.support.scene import E1, HONEST, PARAMETERS, SLOT, Scene, T
from tests.support.spoiling import Cut

MOVES = 5 * SLOT  # s that the hero's own acts take: join, reveal, two moves and what L1 has to say last
CENSORED = 5 * SLOT
BOUND = T + CENSORED + MOVES + PARAMETERS.grace  # s from the birth of the true end
BOND = PARAMETERS.bond
EMPTY = Round(to=0, full=False)

FORGETFUL = ("last-second mover", "decoy proposer with three hands", "refund sniper", "censor")
SINGLES = [(name, hero) for name in ZOO for hero in (Hero, Proposer)] + [(n, Amnesiac) for n in FORGETFUL]
PAIRS = list(combinations(ZOO, 2))
SOME_PAIRS = [*sorted(random.Random(31).sample(PAIRS, 30)), ("misled challenger", "censor")]


def assert_in_time(scene: Scene, seconds: int) -> None:
    born = scene.arena.state.nodes[scene.node(scene.truth)].born - scene.start
    assert seconds <= born + BOUND, (seconds, born)


def assert_every_lie_is_dead(scene: Scene) -> None:
    state, truth = scene.arena.state, scene.node(scene.truth)
    rivals = {i for i, node in state.nodes.items() if node.parent == scene.base and i != truth}
    living = [
        claim for claim in state.claims.values() if claim.status is Status.LIVE and claim.node in rivals
    ]
    assert living == []


@pytest.mark.parametrize(("name", "hero"), SINGLES, ids=[f"{name}-{hero.__name__}" for name, hero in SINGLES])
def test_the_hero_beats_it_on_the_contracts(name: str, hero: type[Hero]) -> None:
    scene, beast, actor = Scene(), ZOO[name], make(name)
    liars = [Liar()] if beast.needs_a_liar else []
    seconds = play(scene, [*liars, actor, hero()])
    assert_hero_won(scene)
    assert_in_time(scene, seconds)
    assert_every_lie_is_dead(scene)
    scene.stage.compare()
    hands = [account for one in (*liars, actor) for account in one.accounts]
    out = sum(scene.is_out(account) for account in hands)
    assert out >= beast.loses + len(liars), "a lie that costs nothing"
    # A bounty and all refunds together never give back more than half of what was lost.
    play(scene, [*liars, actor, hero()], until=lambda: scene.second >= seconds + 3 * SLOT)
    assert scene.stage.get_profit(*hands) <= -out * BOND // 2


@pytest.mark.parametrize("pair", SOME_PAIRS, ids=" + ".join)
def test_the_hero_beats_two_of_them(pair: tuple[str, str]) -> None:
    beat_both(pair)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_hero_beats_every_two_of_them() -> None:
    for pair in PAIRS:
        beat_both(pair)


def beat_both(pair: tuple[str, str]) -> None:
    scene = Scene(twin_only=True)
    cast: list[Actor] = [make(name, number) for number, name in enumerate(pair)]
    if all(ZOO[name].needs_a_liar for name in pair):
        cast.insert(0, Liar())
    beat(scene, [*cast, Hero()])


def beat(scene: Scene, cast: list[Actor]) -> None:
    """Let them play. Liars can kill one another before the hero is heard: then somebody has to propose."""

    def is_over() -> bool:
        asked = scene.arena.state.rounds[scene.base]
        return asked.confirmed != ZERO or (scene.second > 2 * T and asked.live_ends == 0)

    seconds = play(scene, cast, until=is_over)
    if scene.confirmed() == ZERO:
        play(scene, [Proposer()])
    else:
        assert_in_time(scene, seconds)
    assert_hero_won(scene)
    assert_every_lie_is_dead(scene)


def test_the_hero_beats_half_of_the_zoo_at_once() -> None:
    beat(Scene(twin_only=True), [*make_all()[::2], Hero()])


@pytest.mark.long
@pytest.mark.parametrize("hero_first", [True, False])
def test_the_hero_beats_the_whole_zoo_at_once_on_the_contracts(hero_first: bool) -> None:
    scene = Scene()
    beat(scene, [Hero(), *make_all()] if hero_first else [*make_all(), Hero()])
    scene.stage.compare()


SEEDS = range(25)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed-{seed}")
def test_the_hero_beats_a_random_cast(seed: int) -> None:
    """Replay one: `pytest tests/scenarios/test_actor_zoo.py -k "seed-7"`, after adding its seed to SEEDS."""
    beat_random_cast(seed)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_the_hero_beats_a_thousand_random_casts() -> None:
    for seed in range(1_000, 2_000):
        beat_random_cast(seed)


def make_random_cast(rng: random.Random) -> list[Actor]:
    """Some of the zoo, each from a second of its own on."""
    cast: list[Actor] = [DeepLiar(rng.randint(1, 2), joins=rng.randrange(T))]
    names = rng.sample(sorted(ZOO), rng.randint(2, 6))
    if "censor" in names and "censor of reveals" in names:
        names.remove("censor")  # both together are more than the parameters leave room for
    for number, name in enumerate(names):
        begins = rng.choice((0, 0, rng.randrange(T), T - rng.randrange(1, 2 * SLOT)))
        cast.append(Delayed(make(name, number), begins))
    return cast


def beat_random_cast(seed: int) -> None:
    """In any order within a block, the hero among them."""
    rng = random.Random(seed)
    scene, cast = Scene(twin_only=True), [*make_random_cast(rng), Hero(latency=rng.randrange(3))]
    rng.shuffle(cast)
    try:
        beat(scene, cast)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


def test_without_the_hero_random_casts_do_harm() -> None:
    harmed = 0
    for seed in range(12):
        try:
            play(Scene(twin_only=True), make_random_cast(random.Random(seed)))
        except AssertionError:  # a false end was confirmed, or nothing ever was
            harmed += 1
    assert harmed >= 3, harmed


def make_all() -> list[Actor]:
    return [make(name, number) for number, name in enumerate(ZOO)]


@pytest.mark.parametrize("joins", [0, T // 2, T - SLOT, T - 1])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("beside", [None, "decoy proposer", "last-second mover"])
def test_a_lie_below_the_truth_dies_like_one_beside_it(depth: int, joins: int, beside: str | None) -> None:
    scene, liar = Scene(), DeepLiar(depth, joins=joins)
    cast: list[Actor] = [liar, *([make(beside)] if beside else []), Hero()]

    def is_over() -> bool:
        below = scene.arena.state.rounds.get(liar.get_parent(scene), EMPTY)
        return scene.is_out(E1) and scene.confirmed() != ZERO and below.live_ends <= 1

    seconds = play(scene, cast, until=is_over)
    assert_hero_won(scene)
    state, parent = scene.arena.state, liar.get_parent(scene)
    living = {node for node, found in state.nodes.items() if found.parent == parent and found.live}
    assert living <= {scene.node(scene.truth, parent)}
    assert seconds <= 2 * T + CENSORED + MOVES + PARAMETERS.grace


# ------------------------------------------------------------------------------------- what it costs the hero


def count_heros_acts(*others: Actor) -> int:
    scene = Scene()
    play(scene, [Liar(), *others, Hero()])
    return sum(not error for _, who, _, error in scene.arena.log if who == HONEST)


def test_nobody_can_make_the_hero_work_by_naming_it_operator() -> None:
    assert count_heros_acts(make("operator namer")) == count_heros_acts()


# -------------------------------------------------------------------------- what supporters can do to a round

EVERY_DEATH = Cut(
    "            asked.xor_live = _xor(asked.xor_live, claim.node)\n            asked.decided_at = now",
    "            asked.xor_live = _xor(asked.xor_live, claim.node)\n        asked.decided_at = now",
)


def hold_back(losers: int, *cuts: Cut) -> tuple[int, GraceHolder]:
    """Seconds until the truth is confirmed, while nobody claims anything else in its round."""
    scene, holder = Scene(cuts=cuts), GraceHolder(*(address(500 + i) for i in range(losers + 1)))
    return play(scene, [holder, Proposer()]), holder


def test_a_round_without_a_rival_is_confirmed_in_time_whatever_supporters_lose() -> None:
    seconds, holder = hold_back(8)
    assert holder.pruned, "the holder has to try"
    assert seconds == hold_back(0)[0] == T


def test_if_every_death_began_the_grace_period_supporters_would_hold_the_round_back() -> None:
    assert hold_back(8, EVERY_DEATH)[0] > T

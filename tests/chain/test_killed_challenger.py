"""kill -9 of the challenger between any two awaits, again and again in one dispute: the result is right.

The judge is L1: the truth is confirmed, the liar has lost its bond, ours was laid down and taken back, and
every credit and refund of ours was paid.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.liar.faults import parse_fault
from devnet.network import Devnet
from tests.support.executioner import Record, draw_lives, fight_killed, no_disturbance
from tests.support.ringside import Town
from tests.support.upheaval import Disturb, Earthquakes, Grounds

LEAST_DEATHS = 3  # of a game: the player ends well before it has died as often as was drawn
LIES = ("step:9:400:memory.100:1", "state:17:1:0:6:-1", "step:21:20:base_root:-5")


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    with Grounds(tmp_path_factory.mktemp("grounds")) as grounds:
        yield grounds


def play(
    grounds: Grounds,
    seed: int,
    kills: int,
    datadir: Path | None,
    disturb: Disturb = no_disturbance,
    wait: float | None = None,
) -> Record:
    fault = parse_fault(random.Random(seed).choice(LIES))

    async def inside(network: Devnet, town: Town) -> Record:
        async with network.connect() as client:
            lives = draw_lives(seed, kills)
            return await fight_killed(
                network, client, town, fault, lives, datadir=datadir, disturb=disturb, wait=wait
            )

    with grounds.open() as (network, town):
        record = asyncio.run(inside(network, town))
    places = "\n".join(sorted(record.awaits))
    print(f"seed {seed}: killed before the steps {record.deaths}, at {len(record.awaits)} places:\n{places}")
    assert len(record.deaths) >= LEAST_DEATHS
    return record


@pytest.mark.parametrize(
    ("seed", "kills"), [(1, 3), *(pytest.param(seed, 12, marks=pytest.mark.long) for seed in range(2, 8))]
)
@pytest.mark.timeout(900)
def test_a_challenger_with_a_memory_survives_any_death(
    grounds: Grounds, tmp_path: Path, seed: int, kills: int
) -> None:
    play(grounds, seed, kills, tmp_path / "data")


@pytest.mark.long
@pytest.mark.parametrize(("seed", "kills"), [(seed, 12) for seed in range(101, 105)])
@pytest.mark.timeout(900)
def test_a_challenger_that_forgets_everything_survives_any_death(
    grounds: Grounds, seed: int, kills: int
) -> None:
    play(grounds, seed, kills, None)


@pytest.mark.long
@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize(("seed", "kills"), [(seed, 12) for seed in range(301, 304)])
@pytest.mark.timeout(900)
def test_a_challenger_survives_deaths_while_its_transactions_wait(
    grounds: Grounds, tmp_path: Path, seed: int, kills: int, forgets: bool
) -> None:
    play(grounds, seed, kills, None if forgets else tmp_path / "data", wait=1.0)


@pytest.mark.long
@pytest.mark.parametrize(("seed", "kills"), [(seed, 8) for seed in range(201, 205)])
@pytest.mark.timeout(900)
def test_a_challenger_survives_deaths_and_reorgs_at_once(
    grounds: Grounds, tmp_path: Path, seed: int, kills: int
) -> None:
    quakes = Earthquakes(seed, count=6)
    play(grounds, seed, kills, tmp_path / "data", quakes)
    print(f"seed {seed}: reorgs of {quakes.depths} blocks")

"""kill -9, again and again, under load: nothing acknowledged is lost, nothing happens twice."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.network import Devnet
from tests.support.campaign_check import check_campaign
from tests.support.kill_campaign import FAILPOINTS, Campaign


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Devnet]:
    with Devnet.start(directory=tmp_path / "devnet", block_time=1) as network:
        yield network


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize(
    ("at_random", "each", "seed"),
    [
        pytest.param(2, 1, 1, id="few"),
        pytest.param(200, 3, 2, id="200", marks=pytest.mark.long),
    ],
)
def test_killed_again_and_again_the_sequencer_keeps_every_promise(
    network: Devnet, tmp_path: Path, at_random: int, each: int, seed: int
) -> None:
    campaign = Campaign(network, tmp_path, seed=seed)
    try:
        for _ in range(each):
            for fault, names in FAILPOINTS.items():
                for name in names:
                    campaign.kill_at(fault, name)
        while campaign.deaths["at random"] < at_random:
            campaign.kill_some_time()
        evidence = campaign.finish()
    finally:
        campaign.close()
    figures = asyncio.run(check_campaign(network, evidence))
    print(f"\nkill campaign, seed {seed}:\n{figures}")
    assert all(
        evidence.deaths[f"{fault} {name}"] >= each for fault in FAILPOINTS for name in FAILPOINTS[fault]
    )

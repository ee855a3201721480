"""The fixtures that third parties build on: isolation, time control, two at once."""

import asyncio
from dataclasses import replace

from devnet.network import Devnet
from devnet.pytest_plugin import StartDevnet
from optimist.base.presets import MINIMAL
from optimist.l1.deployment import Deployment, check_deployment

USD = 10**6


async def open_account(network: Devnet) -> int:
    async with network.connect() as client:
        wallet = network.get_wallet(client, network.cast.traders[0])
        account, _ = await network.get_bank().open_account(wallet, USD)
        return account


def test_what_a_test_does_is_undone_for_the_next_one(devnet: Devnet) -> None:
    assert asyncio.run(open_account(devnet)) == 1
    devnet.anvil.increase_time(10_000)


def test_the_next_test_finds_the_devnet_as_deployed(devnet: Devnet) -> None:
    assert asyncio.run(open_account(devnet)) == 1
    before = devnet.anvil.get_time()
    assert devnet.anvil.increase_time(100) >= before + 100


def test_two_devnets_at_once_are_two_rollups(start_devnet: StartDevnet) -> None:
    one, other = start_devnet(), start_devnet(preset=replace(MINIMAL, challenge_period=500))
    assert one.anvil.url != other.anvil.url
    assert asyncio.run(open_account(one)) == 1
    for network, period in ((one, 600), (other, 500)):
        deployment = Deployment.load(network.deployment_file)
        assert deployment == network.deployment
        assert deployment.preset.challenge_period == period

        async def check(network: Devnet = network, deployment: Deployment = deployment) -> None:
            async with network.connect() as client:
                await check_deployment(client, deployment, network.law.image.root)

        asyncio.run(check())
    assert asyncio.run(open_account(other)) == 1

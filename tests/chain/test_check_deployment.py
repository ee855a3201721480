"""A program refuses to work on another rollup than the one that it was told about."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from devnet.network import Devnet
from optimist.base.presets import MAINNET
from optimist.l1.deployment import ADDRESSES, PARAMETERS, Deployment, DeploymentMismatch, check_deployment


def check(network: Devnet, deployment: Deployment, image_root: bytes | None = None) -> None:
    async def inside() -> None:
        async with network.connect() as client:
            await check_deployment(client, deployment, image_root or deployment.image_root)

    asyncio.run(inside())


def test_what_was_deployed_passes(devnet: Devnet) -> None:
    check(devnet, Deployment.load(devnet.deployment_file), devnet.law.image.root)


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_is_compared(devnet: Devnet, name: str) -> None:
    changes: dict[str, Any] = {name: getattr(devnet.deployment.preset, name) + 1}
    with pytest.raises(DeploymentMismatch) as mismatch:
        check(devnet, replace(devnet.deployment, preset=replace(devnet.deployment.preset, **changes)))
    assert len(mismatch.value.differences) == 1


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_address_is_compared(devnet: Devnet, name: str) -> None:
    others = {"Vault": "Inbox", "Inbox": "Vault", "Rollup": "Dispute", "Dispute": "Rollup", "Step": "Vault"}
    wrong = devnet.deployment.addresses[others.get(name, "Step")]
    with pytest.raises(DeploymentMismatch):
        check(devnet, replace(devnet.deployment, addresses={**devnet.deployment.addresses, name: wrong}))


def test_address_without_code_is_named(devnet: Devnet) -> None:
    addresses = {**devnet.deployment.addresses, "Rollup": b"\x99" * 20}
    with pytest.raises(DeploymentMismatch, match="Rollup: no code at 0x9999"):
        check(devnet, replace(devnet.deployment, addresses=addresses))


def test_other_law_chain_or_preset_is_refused(devnet: Devnet) -> None:
    deployment = devnet.deployment
    with pytest.raises(DeploymentMismatch, match="use the release that the rollup runs"):
        check(devnet, deployment, b"\x11" * 32)
    with pytest.raises(DeploymentMismatch, match=r"Step\.imageRoot"):
        check(devnet, replace(deployment, image_root=b"\x11" * 32))
    with pytest.raises(DeploymentMismatch, match="the chain is 31337, not 1"):
        check(devnet, replace(deployment, chain_id=1))
    with pytest.raises(DeploymentMismatch) as mismatch:
        check(devnet, replace(deployment, preset=MAINNET))
    assert len(mismatch.value.differences) >= 5

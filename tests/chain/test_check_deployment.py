"""A program refuses to work on another rollup than the one that it was told about."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from devnet.accounts import Actor
from devnet.network import Devnet
from optimist.base.presets import MAINNET
from optimist.l1.bytecode import load_runtimes
from optimist.l1.client import require_header
from optimist.l1.deployment import (
    ADDRESSES,
    CONTRACTS,
    PARAMETERS,
    Deployment,
    DeploymentMismatch,
    check_deployment,
)
from optimist.l1.types import to_hex
from tests.support.deployed_code import flip, put, to_word

PATIENCE = 90  # s


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
    places = [f"{contract}.{immutable}" for contract, immutable in PARAMETERS[name]]
    wanted = [*places, "Rollup.MAX_INPUTS"] if name in {"k", "h1"} else places
    assert sorted(line.split(" is ")[0] for line in mismatch.value.differences) == sorted(wanted)


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


@pytest.mark.parametrize("name", CONTRACTS)
def test_one_altered_byte_is_refused_in_any_contract(devnet: Devnet, name: str) -> None:
    """No getter would tell: all answer as before."""
    alter(devnet, name, lambda code: flip(code, len(code) // 2))
    with pytest.raises(DeploymentMismatch) as mismatch:
        check(devnet, devnet.deployment)
    (line,) = mismatch.value.differences
    assert line.startswith(f"{name} at {to_hex(devnet.deployment.addresses[name])} is not ours")


def test_immutable_that_its_getter_does_not_tell_is_refused(devnet: Devnet) -> None:
    """The Vault asks another Rollup than the one that it names: a back door that only the code shows."""
    truth = devnet.deployment.addresses["Rollup"]
    places = load_runtimes()["Vault"].immutables["ROLLUP"]
    told = []
    for place in places:
        with devnet.anvil.snapshot():
            alter(devnet, "Vault", partial(put, place=place, data=to_word(devnet.cast.liar.address)))
            told.append(asyncio.run(read_rollup_of_vault(devnet)))
            with pytest.raises(DeploymentMismatch, match="ROLLUP has 2 values in the 3 places of its code"):
                check(devnet, devnet.deployment)
    assert told.count(truth) == len(places) - 1, "the getter tells what stands at its own place"


def test_programs_refuse_altered_contracts_and_say_which(devnet: Devnet, tmp_path: Path) -> None:
    alter(devnet, "Rollup", lambda code: flip(code, 5_000))
    programs = {
        "sequencer": (["optimist", "sequencer", "--dev", "--api.port", "0"], devnet.cast.sequencer),
        "exit": (["optimist", "exit", "--plan", "--account", "1"], None),
        "watch": (["challenger", "watch", "--once"], None),
    }
    running = {
        name: start(devnet, tmp_path / name, command, key) for name, (command, key) in programs.items()
    }
    for name, process in running.items():
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2, f"{name}: {output}"
        words = " ".join(output.split())
        assert f"Rollup at {to_hex(devnet.deployment.addresses['Rollup'])} is not ours" in words, name
        assert "from byte 5000 on" in words, name
        assert "use the release that it was deployed with" in words, name


def start(
    network: Devnet, directory: Path, command: Sequence[str], key: Actor | None
) -> "subprocess.Popen[str]":
    environment = {**os.environ, "COLUMNS": "400"}
    if key is not None:
        environment["OPTIMIST_KEY_SECRET"] = key.hex_secret
    where = ["--l1-rpc", network.anvil.url, "--deployment", str(network.deployment_file)]
    if "--dev" in command:
        where += ["--datadir", str(directory)]
    return subprocess.Popen(
        [sys.executable, "-m", *command, *where],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def alter(network: Devnet, name: str, change: Callable[[bytes], bytes]) -> None:
    """Put other code where a contract stands."""
    address = to_hex(network.deployment.addresses[name])
    code = bytes.fromhex(network.anvil.call("eth_getCode", address, "latest")[2:])
    changed = change(code)
    assert changed != code
    network.anvil.call("anvil_setCode", address, to_hex(changed))
    network.anvil.mine()  # programs ask for the state after a block


async def read_rollup_of_vault(network: Devnet) -> bytes:
    async with network.connect() as client:
        head = require_header(await client.get_header("latest"), "latest")
        found: bytes = await network.get_contract("Vault").read(client, head.hash, "ROLLUP")
        return found

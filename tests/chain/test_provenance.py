"""Our code over a storage that somebody has prepared: nothing in the code tells, what created it does."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devnet.accounts import get_cast
from devnet.anvil import Anvil
from devnet.compile import compile_contracts
from devnet.deploy import deploy_token
from devnet.genesis import make_init
from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.base.presets import MINIMAL
from optimist.l1.bytecode import load_runtimes
from optimist.l1.client import L1Client
from optimist.l1.creation import Choices, create_rollup, load_code
from optimist.l1.deployment import Deployment, DeploymentMismatch, check_deployment
from optimist.l1.provenance import check_provenance
from optimist.l1.types import Receipt, from_hex
from optimist.prove.law import load_law
from tests.support.deployed_code import fill, make_values, prepare

SLOT = 3  # of Vault: nextAccount and held
PLANTED = 0x1234
PATIENCE = 90  # s


@pytest.fixture(scope="module")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with Anvil(tmp_path_factory.mktemp("anvil")) as anvil:
        yield anvil


async def deploy_with_a_back_door(anvil: Anvil) -> Deployment:
    """All five contracts with our code; but the Dispute's storage is not empty."""
    cast, law = get_cast(), load_law(MINIMAL.name)
    anvil.set_balance(cast.deployer.hex_address, 10**20)
    async with L1Client([anvil.url]) as client:
        wallet = Wallet(client, cast.deployer)
        token = await deploy_token(wallet, compile_contracts())
        signers = [key.address for key in cast.oracle]
        init = make_init(
            chain_id=31337, vault=bytes(20), second=0, backstop_owner=cast.backstop.address, signers=signers
        )
        choices = Choices(token, cast.sequencer.address, cast.backstop.address, init.encode_body())
        known: dict[str, bytes] = {}

        async def create(name: str, data: bytes) -> tuple[bytes, Receipt]:
            if name == "Dispute":
                data = prepare(fill(load_runtimes()[name], name, make_values(draft())), {SLOT: PLANTED})
            known[name], receipt = await wallet.create(data)
            return known[name], receipt

        def draft() -> Deployment:
            addresses = {**known, "Dispute": bytes(20), "token": token}
            return Deployment(31337, 0, law.image.root, addresses, MINIMAL, {})

        deployed = await create_rollup(
            client, cast.deployer.address, create, load_code(), MINIMAL, law.image, choices
        )
        addresses = {**deployed.addresses, "token": token}
        return replace(
            draft(), block=deployed.first_block, addresses=addresses, transactions=deployed.transactions
        )


def test_storage_that_was_prepared_passes_for_code_and_not_for_creation(anvil: Anvil, tmp_path: Path) -> None:
    deployment = asyncio.run(deploy_with_a_back_door(anvil))
    address = f"0x{deployment.addresses['Dispute'].hex()}"
    stored = from_hex(anvil.call("eth_getStorageAt", address, hex(SLOT), "latest"))
    assert int.from_bytes(stored, "big") == PLANTED

    async def look() -> None:
        async with L1Client([anvil.url]) as client:
            await check_deployment(client, deployment, deployment.image_root)
            await check_provenance(client, deployment)

    with pytest.raises(DeploymentMismatch) as mismatch:
        asyncio.run(look())
    (line,) = mismatch.value.differences
    assert line.startswith(f"Dispute: other code than ours created {address}")
    file = tmp_path / "deployment.json"
    file.write_bytes(deployment.encode())
    result = watch(anvil.url, file)
    assert result.returncode == 2, result.stderr
    assert "other code than ours created" in " ".join(result.stderr.split())


def test_transactions_of_the_file_are_asked_for(devnet: Devnet) -> None:
    async def look(deployment: Deployment) -> None:
        async with devnet.connect() as client:
            await check_provenance(client, deployment)

    true = devnet.deployment
    asyncio.run(look(true))
    swapped = {**true.transactions, "Vault": true.transactions["Inbox"]}
    with pytest.raises(DeploymentMismatch, match=r"Vault: transaction 0x\w+ did not create the contract"):
        asyncio.run(look(replace(true, transactions=swapped)))
    unknown = {**true.transactions, "Step": b"\x99" * 32}
    with pytest.raises(DeploymentMismatch, match="Step: this endpoint does not know transaction 0x9999"):
        asyncio.run(look(replace(true, transactions=unknown)))


def watch(url: str, deployment: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "challenger", "watch", "--once", "--l1-tag", "latest"]
    where = ["--l1-rpc", url, "--deployment", str(deployment)]
    return subprocess.run([*command, *where], capture_output=True, text=True, check=False, timeout=PATIENCE)

"""`optimist deploy`: five contracts on any L1, and the deployment.json that every program is started with."""

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import structlog
from pydantic import Field

from optimist.base.presets import get_preset
from optimist.l1.client import L1Client
from optimist.l1.creation import Choices, compute_create_address, create_rollup, load_code, predict_addresses
from optimist.l1.deployment import Deployment, check_deployment
from optimist.l1.errors import L1Unavailable
from optimist.l1.keys import open_key
from optimist.l1.outbox import MemoryOutbox
from optimist.l1.provenance import check_provenance
from optimist.l1.sender import Call, Sender, SendPolicy
from optimist.l1.types import Receipt, to_hex
from optimist.operator.rollup_file import RollupFile, check_init
from optimist.ops.sending import make_policy
from optimist.ops.settings import KeyedSettings
from optimist.prove.law import load_law

log = structlog.get_logger(__name__)


class DeploySettings(KeyedSettings):
    """The key pays for the deployment, and has no power over the rollup afterwards."""

    preset: Literal["minimal", "mainnet"] = "mainnet"
    """Sizes, periods and the bond: docs/PROTOCOL.md section 7. minimal is for tests."""
    rollup: Path
    """rollup.toml: token, sequencer, oracle, markets."""
    output: Path = Path("deployment.json")
    """Where to write what every program needs. It must not exist."""
    dry_run: bool = False
    """Check everything and say what would be created, but send nothing."""
    confirmations: int = Field(default=2, ge=1)
    """Blocks on top of a creation, its own included, before the next one is sent."""


class DeploymentExists(Exception):
    """There is a file already where the result would go."""


class NoToken(Exception):
    """There is nothing at the token's address that could be deposited."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The deployment, and the gas it took (0: nothing was sent)."""

    deployment: Deployment
    gas: int


async def deploy(settings: DeploySettings) -> Outcome:
    """Deploy and write the file. Raises BadRollupFile, BadInit, KeyProblem, L1Error, and the errors above."""
    if settings.output.exists():
        raise DeploymentExists(f"{settings.output} exists: move it away, or choose another --output")
    preset, law = get_preset(settings.preset), load_law(settings.preset)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(L1Client(settings.l1_rpc, timeout=settings.l1_timeout))
        signer = await open_key(settings.key, stack)
        chain_id = await client.get_chain_id()
        rollup = await asyncio.to_thread(RollupFile.load, settings.rollup, chain_id)
        check_init(law.native, rollup.init)
        await _check_token(client, rollup.token)
        choices = Choices(rollup.token, rollup.sequencer, rollup.backstop_owner, rollup.init.encode_body())
        if settings.dry_run:
            addresses = predict_addresses(signer.address, await client.get_nonce(signer.address))
            addresses["token"] = rollup.token
            return Outcome(Deployment(chain_id, 0, law.image.root, addresses, preset, {}), 0)
        sender = Sender(client, signer, MemoryOutbox(), _make_policy(settings), chain_id=chain_id)
        stack.push_async_callback(sender.close)

        async def create(name: str, data: bytes) -> tuple[bytes, Receipt]:
            nonce = await client.get_nonce(signer.address)
            receipt = await sender.send(Call(f"create:{name}", b"", data))
            log.info("contract_created", name=name, transaction=receipt.transaction, gas=receipt.gas_used)
            return compute_create_address(signer.address, nonce), receipt

        deployed = await create_rollup(
            client, signer.address, create, load_code(), preset, law.image, choices
        )
        deployment = Deployment(
            chain_id=chain_id,
            block=deployed.first_block,
            image_root=law.image.root,
            addresses={**deployed.addresses, "token": rollup.token},
            preset=preset,
            transactions=deployed.transactions,
        )
        await check_deployment(client, deployment, law.image.root)
        await check_provenance(client, deployment)
    await asyncio.to_thread(_write, settings.output, deployment.encode())
    return Outcome(deployment, sum(receipt.gas_used for receipt in deployed.receipts.values()))


def _make_policy(settings: DeploySettings) -> SendPolicy:
    policy = make_policy(settings.tx, min(settings.l1_poll, 1.0))
    return replace(policy, confirmations=settings.confirmations, max_pending=1)


async def _check_token(client: L1Client, token: bytes) -> None:
    head = await client.get_header("latest")
    if head is None:
        raise L1Unavailable("L1 has no block yet")
    if not await client.get_code(token, head.hash):
        raise NoToken(f"there is no contract at {to_hex(token)}: is it the token of another chain?")


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and never over something else."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(data)

"""A running devnet: anvil, a deployed rollup, and everybody's keys."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from devnet.accounts import Actor, get_cast
from devnet.actors.bank import Bank
from devnet.anvil import Anvil
from devnet.compile import compile_contracts
from devnet.deploy import deploy_rollup, deploy_token
from devnet.genesis import make_init
from devnet.history import RollupHistory, read_history
from devnet.wallet import Wallet
from optimist.base.presets import MINIMAL, Preset
from optimist.derive.actions import Init
from optimist.l1.client import L1Client, require_header
from optimist.l1.contracts import Contract
from optimist.l1.creation import Choices
from optimist.l1.deployment import Deployment, check_deployment
from optimist.l1.events import EventReader
from optimist.l1.follower import Follower
from optimist.l1.types import Receipt
from optimist.node.node import Node
from optimist.operator.rollup_file import check_init
from optimist.prove.law import Law, load_law

FUNDS = 10_000 * 10**18  # wei for everybody who may send L1 transactions


class Devnet:
    """One L1 and one rollup on it, in a directory of their own. Use as a context manager, or call `stop`."""

    def __init__(
        self,
        anvil: Anvil,
        deployment: Deployment,
        init: Init,
        creations: Mapping[str, Receipt],
        directory: Path,
    ) -> None:
        """Use `start`. `creations`: the receipt of each contract's creation."""
        self.anvil = anvil
        self.deployment = deployment
        self.init = init
        self.creations = creations
        self.directory = directory
        self.cast = get_cast()
        self._is_temporary = False

    @classmethod
    def start(
        cls,
        *,
        directory: Path | None = None,
        preset: Preset = MINIMAL,
        block_time: int | None = None,
        epoch: int = 1,
        dump_state: Path | None = None,
    ) -> Self:
        """Start anvil, deploy, and write `deployment.json` into `directory`.

        directory: for logs and state; by default a new temporary one, which `stop` removes.
        preset: parameters; `dataclasses.replace` one of the named presets to change some.
        block_time, epoch, dump_state: see `Anvil`. Without a block time L1's time stands still between
        transactions.
        """
        folder = directory or Path(tempfile.mkdtemp(prefix="devnet-"))
        anvil = Anvil(folder, block_time=block_time, epoch=epoch, dump_state=dump_state)
        try:
            network = cls(anvil, *asyncio.run(_deploy(anvil, preset)), folder)
            network.deployment_file.write_bytes(network.deployment.encode())
        except BaseException:
            anvil.stop()
            raise
        network._is_temporary = directory is None
        return network

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End anvil. Idempotent."""
        self.anvil.stop()
        if self._is_temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def deployment_file(self) -> Path:
        """What services are started with."""
        return self.directory / "deployment.json"

    @property
    def law(self) -> Law:
        """The law of this rollup."""
        return load_law(self.deployment.preset.name)

    # ------------------------------------------------------------------------------------------- for actors

    def connect(self) -> L1Client:
        """A connection to L1 for one event loop: `async with network.connect() as client`."""
        return L1Client([self.anvil.url])

    def get_wallet(self, client: L1Client, actor: Actor) -> Wallet:
        """An actor's wallet on `client`."""
        return Wallet(client, actor)

    def get_contract(self, name: str) -> Contract:
        """Vault, Inbox, Rollup, Dispute or Step."""
        return self.deployment.get_contract(name)

    def get_bank(self) -> Bank:
        """Deposits, forced inputs and payments."""
        return Bank(
            self.get_contract("Vault"), self.get_contract("Inbox"), self.deployment.addresses["token"]
        )

    def make_node(self, client: L1Client) -> Node:
        """A node in memory that follows the latest block, and has not looked yet."""
        reader = EventReader(self.deployment.addresses)
        follower = Follower(client, reader, start=self.deployment.block)
        return Node(client, follower, reader, self.law.native)

    async def read_history(self, client: L1Client) -> RollupHistory:
        """Everything that happened, executed again from L1 alone."""
        return await read_history(client, self.deployment.addresses, self.deployment.block, self.law.native)


async def _deploy(anvil: Anvil, preset: Preset) -> tuple[Deployment, Init, Mapping[str, Receipt]]:
    cast = get_cast()
    law = load_law(preset.name)
    for actor in cast.everybody():
        anvil.set_balance(actor.hex_address, FUNDS)
    async with L1Client([anvil.url]) as client:
        wallet = Wallet(client, cast.deployer)
        contracts = compile_contracts()
        token = await deploy_token(wallet, contracts)
        chain_id = await client.get_chain_id()
        init = make_init(
            chain_id=chain_id,
            vault=bytes(20),  # of no matter for the body; the Inbox writes the envelope
            second=0,
            backstop_owner=cast.backstop.address,
            signers=[key.address for key in cast.oracle],
            governor=cast.governor.address,
            # Whoever dislikes new rules can force his money out, and have it, before they bind.
            timelock=preset.forced_deadline + preset.challenge_period,
        )
        check_init(law.native, init)
        choices = Choices(token, cast.sequencer.address, cast.backstop.address, init.encode_body())
        deployed = await deploy_rollup(client, wallet, contracts, preset, law.image, choices)
        sealed = require_header(await client.get_header(deployed.receipts["Inbox"].block.number), "Inbox")
        deployment = Deployment(
            chain_id=chain_id,
            block=deployed.first_block,
            image_root=law.image.root,
            addresses={**deployed.addresses, "token": token},
            preset=preset,
            transactions=deployed.transactions,
        )
        await check_deployment(client, deployment, law.image.root)
    init = replace(init, vault=deployed.addresses["Vault"], second=sealed.timestamp)
    return deployment, init, deployed.receipts

"""A running devnet: anvil, a deployed rollup, and everybody's keys."""

import asyncio
import shutil
import tempfile
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from devnet.accounts import Actor, Cast, get_cast
from devnet.actors.bank import Bank
from devnet.anvil import Anvil
from devnet.compile import compile_contracts
from devnet.deploy import Choices, Deployed, deploy_rollup, deploy_token
from devnet.genesis import make_init
from devnet.history import RollupHistory, read_history
from devnet.wallet import Wallet
from optimist.base.presets import MINIMAL, Preset
from optimist.derive.actions import Init
from optimist.l1.client import L1Client, require_header
from optimist.l1.contracts import Contract
from optimist.stf.law import get_law
from optimist.vm.image import Image

FUNDS = 10_000 * 10**18  # wei for everybody who may send L1 transactions


@dataclass(frozen=True, slots=True)
class Rollup:
    """What was deployed, as the devnet's own tools need it. Services read `deployment.json` instead."""

    preset: Preset
    image: Image
    init: Init
    token: bytes
    deployed: Deployed

    @property
    def addresses(self) -> dict[str, bytes]:
        """Contracts by name."""
        return self.deployed.addresses


class Devnet:
    """One L1 and one rollup on it, in a directory of their own. Use as a context manager, or call `stop`."""

    def __init__(self, directory: Path, anvil: Anvil, rollup: Rollup, *, temporary: bool = False) -> None:
        self.directory = directory
        self._temporary = temporary
        self.anvil = anvil
        self.rollup = rollup
        self.cast: Cast = get_cast()

    @classmethod
    def start(
        cls,
        image: Image,
        *,
        directory: Path | None = None,
        preset: Preset = MINIMAL,
        block_time: int | None = None,
        dump_state: Path | None = None,
    ) -> Self:
        """Start anvil and deploy. `directory`: for logs and state, by default a new temporary one that `stop`
        removes. `block_time`: see `Anvil`; None lets L1's time stand still between transactions.
        """
        temporary = directory is None
        directory = directory or Path(tempfile.mkdtemp(prefix="devnet-"))
        anvil = Anvil(directory, block_time=block_time, dump_state=dump_state)
        try:
            rollup = asyncio.run(_deploy(anvil, preset, image))
        except BaseException:
            anvil.stop()
            raise
        return cls(directory, anvil, rollup, temporary=temporary)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End anvil. Idempotent."""
        self.anvil.stop()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    # ------------------------------------------------------------------------------------------- for actors

    def connect(self) -> AbstractAsyncContextManager[L1Client]:
        """A connection to L1 for one event loop: `async with network.connect() as client`."""
        return L1Client([self.anvil.url])

    def get_wallet(self, client: L1Client, actor: Actor) -> Wallet:
        """An actor's wallet on `client`."""
        return Wallet(client, actor)

    def get_contract(self, name: str) -> Contract:
        """Vault, Inbox, Rollup, Dispute or Step."""
        return Contract.named(name, self.rollup.addresses[name])

    def get_bank(self) -> Bank:
        """Deposits, forced inputs and payments."""
        return Bank(self.get_contract("Vault"), self.get_contract("Inbox"), self.rollup.token)

    async def read_history(self, client: L1Client) -> RollupHistory:
        """Everything that happened, executed again from L1 alone."""
        return await read_history(
            client,
            self.rollup.addresses,
            self.rollup.deployed.first_block,
            get_law(self.rollup.preset.name),
        )


async def _deploy(anvil: Anvil, preset: Preset, image: Image) -> Rollup:
    cast = get_cast()
    for actor in cast.everybody():
        anvil.set_balance(actor.hex_address, FUNDS)
    async with L1Client([anvil.url]) as client:
        wallet = Wallet(client, cast.deployer)
        contracts = compile_contracts()
        token = await deploy_token(wallet, contracts)
        init = make_init(
            chain_id=await client.get_chain_id(),
            vault=bytes(20),
            second=0,
            backstop_owner=cast.backstop.address,
            signers=[key.address for key in cast.oracle],
        )
        choices = Choices(token, cast.sequencer.address, cast.backstop.address, init.encode_body())
        deployed = await deploy_rollup(client, wallet, contracts, preset, image, choices)
        sealed = require_header(await client.get_header(deployed.receipts["Inbox"].block.number), "Inbox")
        init = replace(init, vault=deployed.addresses["Vault"], second=sealed.timestamp)
    return Rollup(preset, image, init, token, deployed)

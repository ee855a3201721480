"""Deploys to a devnet: the same plan as `optimist deploy`, by a wallet, and a token that anybody may mint."""

from collections.abc import Mapping

from devnet.compile import Contract
from devnet.wallet import Wallet
from optimist.base.presets import Preset
from optimist.l1.client import L1Client
from optimist.l1.creation import Choices, Deployed, create_rollup, encode_creation
from optimist.l1.types import Receipt
from optimist.vm.image import Image


async def deploy_token(wallet: Wallet, contracts: Mapping[str, Contract]) -> bytes:
    """Create a settlement token that anybody may mint, for the devnet only; its address."""
    address, _ = await wallet.create(encode_creation(contracts["TestToken"]))
    return address


async def deploy_rollup(
    client: L1Client,
    wallet: Wallet,
    contracts: Mapping[str, Contract],
    preset: Preset,
    image: Image,
    choices: Choices,
) -> Deployed:
    """Create the five contracts with the wallet's next five transactions. Raises as `create_rollup`."""

    async def create(name: str, data: bytes) -> tuple[bytes, Receipt]:
        del name
        return await wallet.create(data)

    return await create_rollup(client, wallet.actor.address, create, contracts, preset, image, choices)

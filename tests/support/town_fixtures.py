"""A town in which something can be disputed, as fixtures: built once for a module, undone after each test."""

import asyncio
from collections.abc import Iterator

import pytest

from devnet.network import Devnet
from tests.support.ringside import Town, build_town


@pytest.fixture(scope="module")
def town(shared_devnet: Devnet) -> Iterator[Town]:
    """What `build_town` makes on the shared devnet; undone with the module."""
    with shared_devnet.anvil.snapshot():

        async def build() -> Town:
            async with shared_devnet.connect() as client:
                return await build_town(shared_devnet, client)

        yield asyncio.run(build())


@pytest.fixture
def network(shared_devnet: Devnet, town: Town) -> Iterator[Devnet]:
    """The devnet with the town; what a test does to it is undone."""
    with shared_devnet.anvil.snapshot():
        yield shared_devnet

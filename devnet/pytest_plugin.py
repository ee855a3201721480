"""Fixtures for integration tests, ours and other people's.

# conftest.py
pytest_plugins = ["devnet.pytest_plugin"]

def test_deposit_arrives(devnet):
    devnet.anvil.url                        # an Ethereum node
    devnet.deployment_file                  # for programs that follow the rollup
    devnet.cast.traders[0].hex_secret       # somebody with ether
    devnet.anvil.increase_time(600)         # time control
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from devnet.network import Devnet
from optimist.base.presets import MINIMAL, Preset

StartDevnet = Callable[..., Devnet]


@pytest.fixture(scope="session")
def shared_devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """One devnet for all tests of a session, whatever they have done to it. Most tests want `devnet`."""
    with Devnet.start(directory=tmp_path_factory.mktemp("devnet")) as network:
        yield network


@pytest.fixture
def devnet(shared_devnet: Devnet) -> Iterator[Devnet]:
    """A freshly deployed rollup on an L1 whose time stands still; what a test does to it is undone.

    L1's clock alone is not turned back: a later test may begin at a later second.
    """
    with shared_devnet.anvil.snapshot():
        yield shared_devnet


@pytest.fixture
def start_devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartDevnet]:
    """Starts any number of devnets, each with its own L1, and ends them with the test.

    `start_devnet(preset=…, block_time=…, epoch=…)` takes what `Devnet.start` takes.
    """
    with ExitStack() as stack:

        def start(*, preset: Preset = MINIMAL, block_time: int | None = None, epoch: int = 1) -> Devnet:
            directory = tmp_path_factory.mktemp("devnet")
            return stack.enter_context(
                Devnet.start(directory=directory, preset=preset, block_time=block_time, epoch=epoch)
            )

        yield start

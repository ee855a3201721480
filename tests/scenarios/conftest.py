"""The devnet's fixtures, as anybody else would use them, and a town on it to dispute about."""

from devnet.pytest_plugin import devnet, shared_devnet, start_devnet
from tests.support.town_fixtures import network, town

__all__ = ["devnet", "network", "shared_devnet", "start_devnet", "town"]

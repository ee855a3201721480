"""The devnet's fixtures, as anybody else would use them."""

from devnet.pytest_plugin import devnet, shared_devnet, start_devnet

__all__ = ["devnet", "shared_devnet", "start_devnet"]

"""What can go wrong with L1. The class decides what to do about it.

    L1Error
    ├── L1Unavailable           no usable answer, after all attempts: wait, warn, try again later
    │   └── SignerUnavailable   the remote signer gave no signature (`remote_signer`)
    ├── L1Inconsistent          the answers contradict each other: use none of them, look again
    ├── FinalizedReorg          a block that was final is gone: stop, a person must look
    ├── RpcError                the node understood and refused (code, message, data)
    └── Reverted                the contract refused, and said why

A transaction has more ways to fail: see `sender`.
"""

from collections.abc import Mapping
from typing import Any


class L1Error(Exception):
    """Root of everything that goes wrong with L1."""


class L1Unavailable(L1Error):
    """No endpoint gave a usable answer in time."""


class L1Inconsistent(L1Error):
    """What L1 said does not fit together, for example because it changed between two questions."""


class FinalizedReorg(L1Error):
    """L1 replaced a block that it had called final. Nothing that rests on it can be trusted."""


class RpcError(L1Error):
    """The node answered with an error."""

    def __init__(self, method: str, code: int, message: str, data: bytes | None = None) -> None:
        super().__init__(f"{method}: {message} (code {code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class Reverted(L1Error):
    """A contract refused. `name` is that of its custom error (or Error, Panic, Unknown)."""

    def __init__(self, name: str, arguments: Mapping[str, Any], data: bytes = b"") -> None:
        super().__init__(f"{name}({', '.join(f'{key}={_show(value)}' for key, value in arguments.items())})")
        self.name = name
        self.arguments = dict(arguments)
        self.data = data


def _show(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)

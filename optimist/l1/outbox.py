"""What a sender must not forget: every transaction, written down before it is sent."""

from dataclasses import dataclass
from typing import Protocol

from optimist.base.keccak import keccak
from optimist.l1.fees import Fees


@dataclass(frozen=True, slots=True)
class Attempt:
    """A signed transaction. What it calls is not kept: who asks for the same purpose again says it again."""

    nonce: int
    purpose: str
    hash: bytes
    gas: int
    fees: Fees


class Outbox(Protocol):
    """Remembers attempts through any crash."""

    def load(self) -> list[Attempt]:
        """Every attempt that was ever recorded, oldest first."""
        ...

    async def record(self, attempt: Attempt) -> None:
        """Returns once the attempt is safe on disk."""
        ...


def compute_outbox_identity(chain_id: int, address: bytes) -> bytes:
    """32 bytes that say whose outbox it is, so that no key takes up the transactions of another."""
    return keccak(b"outbox" + chain_id.to_bytes(32, "big") + address)


class MemoryOutbox:
    """Forgets with the process: for tests, and for keys whose every act is idempotent on L1."""

    def __init__(self) -> None:
        self._attempts: list[Attempt] = []

    def load(self) -> list[Attempt]:
        """See `Outbox`."""
        return list(self._attempts)

    async def record(self, attempt: Attempt) -> None:
        """See `Outbox`."""
        self._attempts.append(attempt)

"""What a sender must not forget: every transaction, written down before it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from optimist.base.keccak import keccak
from optimist.l1.fees import Fees

KEPT_NONCES: Final = 10_000  # more than a key uses before L1 calls them final, by a wide margin


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


def keep_recent(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Those that may still be asked for: what is older is final on L1, or its nonce was used by another."""
    newest = max((attempt.nonce for attempt in attempts), default=0)
    return [attempt for attempt in attempts if attempt.nonce > newest - KEPT_NONCES]


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

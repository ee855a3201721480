"""EIP-1559 transactions as bytes: what is signed, and what is sent."""

from dataclasses import dataclass
from typing import Any, Final

import rlp

from optimist.base.keccak import keccak
from optimist.l1.signer import SigningKey

_TYPE: Final = b"\x02"
_NO_ACCESS_LIST: Final[list[Any]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction that nobody has signed yet. Fees in wei per gas; `to` is empty to create a contract."""

    chain_id: int
    nonce: int
    to: bytes
    value: int
    data: bytes
    gas: int
    max_fee: int
    tip: int

    @property
    def preimage(self) -> bytes:
        """The bytes whose hash is signed."""
        return _TYPE + _encode(self._fields)

    async def sign(self, key: SigningKey) -> tuple[bytes, bytes]:
        """(raw bytes, hash). Raises SignerUnavailable."""
        v, r, s = await key.sign(self.preimage)
        raw = _TYPE + _encode([*self._fields, v - 27, r, s])
        return raw, keccak(raw)

    @property
    def _fields(self) -> list[Any]:
        return [
            self.chain_id,
            self.nonce,
            self.tip,
            self.max_fee,
            self.gas,
            self.to,
            self.value,
            self.data,
            _NO_ACCESS_LIST,
        ]


def _encode(fields: list[Any]) -> bytes:
    return bytes(rlp.encode(fields))

"""The key of a program: read from a keystore, used to sign, never shown.

    KeyProblem      the key cannot be read: which file, and what to do

A signer never prints its secret: not in `repr`, not in errors, not in logs. A key that never comes near this
process is a `RemoteSigner` (remote_signer.py).
"""

from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from optimist.base.keccak import keccak
from optimist.base.signature import address_of, sign

log = structlog.get_logger(__name__)


class KeyProblem(Exception):
    """A key cannot be read. Never holds the key or the password."""


class SigningKey(Protocol):
    """A key that signs, wherever it is kept."""

    @property
    def address(self) -> bytes:
        """20 bytes."""
        ...

    async def sign(self, preimage: bytes) -> tuple[int, int, int]:
        """(v, r, s) over keccak(preimage), v in 27..28 and s low. Raises SignerUnavailable."""
        ...


class Signer:
    """A private key in memory."""

    __slots__ = ("address", "_secret")

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 bytes. Raises KeyProblem when they are no private key."""
        if len(secret) != 32:
            raise KeyProblem(f"a private key has 32 bytes, not {len(secret)}")
        try:
            self.address = address_of(secret)
        except ValueError:
            raise KeyProblem(
                "these 32 bytes are no private key: zero, or not below the curve's order"
            ) from None
        self._secret = secret

    def __repr__(self) -> str:
        return f"<Signer 0x{self.address.hex()}>"

    async def sign(self, preimage: bytes) -> tuple[int, int, int]:
        """See `SigningKey`. The same preimage gives the same signature (RFC 6979)."""
        return sign(keccak(preimage), self._secret)


def load_keystore(file: Path, password_file: Path) -> Signer:
    """The key in a Web3 Secret Storage file, opened with the first line of `password_file`. Takes seconds.

    Raises KeyProblem.
    """
    from eth_account import Account

    for path in (file, password_file):
        if not path.is_file():
            raise KeyProblem(f"there is no file {path}")
    if password_file.stat().st_mode & 0o077:
        log.warning("password_file_is_readable_by_others", file=str(password_file), advice="chmod 600")
    lines = password_file.read_text().splitlines()
    if not lines:
        raise KeyProblem(f"{password_file} is empty: its first line must be the password of {file}")
    try:
        content = msgspec.json.decode(file.read_bytes())
        return Signer(bytes(Account.decrypt(content, lines[0])))
    except msgspec.DecodeError:
        raise KeyProblem(f"{file} is no keystore: it must be JSON (Web3 Secret Storage, version 3)") from None
    except (KeyError, TypeError, NotImplementedError):
        raise KeyProblem(f"{file} is no keystore of version 3") from None
    except ValueError:  # eth-keyfile: the message authentication code differs
        raise KeyProblem(f"the password in {password_file} does not open {file}") from None


def read_secret(text: str) -> Signer:
    """The key written as 64 hexadecimal digits, with or without 0x: for development. Raises KeyProblem."""
    try:
        return Signer(bytes.fromhex(text.strip().removeprefix("0x")))
    except ValueError:
        raise KeyProblem("the private key must be 64 hexadecimal digits") from None

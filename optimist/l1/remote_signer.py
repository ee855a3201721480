"""A key in another process, which speaks the API of web3signer (eth1): this process never sees the secret.

    GET  /api/v1/eth1/publicKeys            ["0x04...", ...]
    POST /api/v1/eth1/sign/{public key}     {"data": "0x..."} -> "0x" r s v, over keccak(data)

    SignerUnavailable (L1Unavailable)       no signature now: wait, warn, try again later

What comes back is checked: a signature that is not the named key's is not used.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec

from optimist.base.keccak import keccak
from optimist.base.signature import CURVE_ORDER, HALF_ORDER, recover
from optimist.l1.errors import L1Unavailable
from optimist.l1.signer import KeyProblem
from optimist.l1.types import from_hex, to_hex

TIMEOUT: Final = 10.0  # s, for one signature
MAX_ANSWER_BYTES: Final = 1 << 20
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class SignerUnavailable(L1Unavailable):
    """The remote signer gave no usable signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a remote signer is. `client_file`: certificate and key with which we prove who we are, PEM."""

    url: str
    address: bytes  # of the key
    ca_file: Path | None = None  # whose certificates to trust; None: those of the system
    client_file: Path | None = None


class RemoteSigner:
    """One key of a remote signer. Use `open`, and close it."""

    def __init__(self, endpoint: Endpoint, session: aiohttp.ClientSession, identifier: str) -> None:
        self.address = endpoint.address
        self._base = endpoint.url.rstrip("/")
        self._session = session
        self._identifier = identifier

    def __repr__(self) -> str:
        return f"<RemoteSigner {to_hex(self.address)}>"

    @classmethod
    async def open(cls, endpoint: Endpoint) -> Self:
        """Find the key among those that the signer has. Raises KeyProblem or SignerUnavailable."""
        parts = urlsplit(endpoint.url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
            raise KeyProblem(
                f"the remote signer {parts.scheme}://{parts.hostname} must be https, or on this machine: "
                "whoever is between could have anything signed"
            )
        connector = aiohttp.TCPConnector(ssl=_make_context(endpoint)) if parts.scheme == "https" else None
        session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT), trust_env=False
        )
        try:
            listed = await _ask(session, "GET", f"{endpoint.url.rstrip('/')}/api/v1/eth1/publicKeys")
            identifier = _find(listed, endpoint.address)
        except BaseException:
            await session.close()
            raise
        return cls(endpoint, session, identifier)

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._session.close()

    async def sign(self, preimage: bytes) -> tuple[int, int, int]:
        """See `SigningKey`. Raises SignerUnavailable."""
        where = f"{self._base}/api/v1/eth1/sign/{quote(self._identifier)}"
        answer = await _ask(self._session, "POST", where, {"data": to_hex(preimage)})
        try:
            signature = from_hex(answer.strip().strip('"'))
        except ValueError:
            raise SignerUnavailable(
                "the remote signer answered with something that is no signature"
            ) from None
        if len(signature) != 65:
            raise SignerUnavailable(f"the remote signer's signature has {len(signature)} bytes, not 65")
        v, r, s = _normalize(signature)
        if recover(keccak(preimage), v, r, s) != int.from_bytes(self.address, "big"):
            raise SignerUnavailable(f"the remote signer's signature is not that of {to_hex(self.address)}")
        return v, r, s


def _normalize(signature: bytes) -> tuple[int, int, int]:
    """R s v to (v, r, s): v may begin at 0 or 27, and a high s has a low twin."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    v = signature[64] + 27 if signature[64] < 27 else signature[64]
    return (55 - v, r, CURVE_ORDER - s) if s > HALF_ORDER else (v, r, s)


def _find(listed: str, address: bytes) -> str:
    """The identifier of the key with that address. Raises KeyProblem or SignerUnavailable."""
    try:
        keys = msgspec.json.decode(listed, type=list[str])
        addresses = {keccak(from_hex(key)[-64:])[12:]: key for key in keys}
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError):
        raise SignerUnavailable("the remote signer does not list its public keys") from None
    if address not in addresses:
        known = ", ".join(map(to_hex, addresses)) or "none"
        raise KeyProblem(f"the remote signer has no key with address {to_hex(address)}; it has: {known}")
    return addresses[address]


def _make_context(endpoint: Endpoint) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=endpoint.ca_file)
        if endpoint.client_file is not None:
            context.load_cert_chain(endpoint.client_file)
    except OSError as error:  # ssl.SSLError is one
        raise KeyProblem(f"cannot read the certificates for the remote signer: {error}") from None
    return context


async def _ask(
    session: aiohttp.ClientSession, method: str, url: str, body: dict[str, Any] | None = None
) -> str:
    try:
        async with session.request(method, url, json=body, allow_redirects=False) as response:
            answer = await response.content.read(MAX_ANSWER_BYTES)
            if response.status != 200:
                raise SignerUnavailable(f"the remote signer answered {method} with HTTP {response.status}")
    except TimeoutError:
        raise SignerUnavailable(f"the remote signer gave no answer within {TIMEOUT:g} s") from None
    except aiohttp.ClientError as error:
        raise SignerUnavailable(f"the remote signer: {type(error).__name__}") from None
    return answer.decode(errors="replace")

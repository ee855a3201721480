"""A signing server with the eth1 API of web3signer, holding real keys: for whoever has to live without them.

Like the original it hashes what it signs, answers with r s v as hexadecimal text, lists uncompressed public
keys, and knows nothing of what is done with a signature.
"""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from coincurve import PrivateKey

from optimist.base.keccak import keccak
from optimist.base.signature import CURVE_ORDER, sign


@dataclass
class Web3Signer:
    """What it does, and how a test makes it misbehave."""

    secrets: Sequence[bytes]
    url: str = ""
    signed: list[bytes] = field(default_factory=list)
    is_silent: bool = False  # answers HTTP 500
    uses_high_s: bool = False  # the malleable twin of each signature
    swaps_keys: bool = False  # signs with another key than it was asked for

    def make_application(self) -> web.Application:
        by_identifier = {identify(secret): secret for secret in self.secrets}

        async def get_public_keys(_: web.Request) -> web.Response:
            return web.json_response(list(by_identifier))

        async def post_sign(request: web.Request) -> web.Response:
            if self.is_silent:
                return web.Response(status=500)
            secret = by_identifier.get(request.match_info["identifier"])
            if secret is None:
                return web.Response(status=404)
            data = bytes.fromhex((await request.json())["data"].removeprefix("0x"))
            self.signed.append(data)
            v, r, s = sign(keccak(data), b"\x77" * 32 if self.swaps_keys else secret)
            if self.uses_high_s:
                v, s = 55 - v, CURVE_ORDER - s
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((v,))
            return web.Response(text=f"0x{signature.hex()}")

        async def get_upcheck(_: web.Request) -> web.Response:
            return web.Response(text="OK")

        application = web.Application(client_max_size=1 << 20)
        application.add_routes(
            [
                web.get("/api/v1/eth1/publicKeys", get_public_keys),
                web.post("/api/v1/eth1/sign/{identifier}", post_sign),
                web.get("/upcheck", get_upcheck),
            ]
        )
        return application


def identify(secret: bytes) -> str:
    """The uncompressed public key without its prefix, as web3signer names a key."""
    return "0x" + PrivateKey(secret).public_key.format(compressed=False)[1:].hex()


@asynccontextmanager
async def serve_keys(*secrets: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[Web3Signer]:
    """The server on a free port of this machine, with TLS where a context is given."""
    server = Web3Signer(secrets)
    runner = web.AppRunner(server.make_application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    server.url = f"{'https' if context else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()

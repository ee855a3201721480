import re
from dataclasses import replace
from pathlib import Path

import pytest

from optimist.base.keccak import keccak
from optimist.base.signature import recover
from optimist.l1.errors import L1Unavailable
from optimist.l1.remote_signer import Endpoint, RemoteSigner, SignerUnavailable
from optimist.l1.signer import KeyProblem, Signer
from tests.support.web3signer import Web3Signer, serve_keys

SECRET = b"\x11" * 32
OTHER = b"\x22" * 32
ADDRESS = Signer(SECRET).address


def endpoint(server: Web3Signer) -> Endpoint:
    return Endpoint(url=server.url, address=ADDRESS)


@pytest.mark.asyncio
async def test_remote_key_signs_as_the_same_key_in_memory_does() -> None:
    async with serve_keys(OTHER, SECRET) as server:
        signer = await RemoteSigner.open(endpoint(server))
        preimage = b"\x02" + bytes(range(256)) * 400  # as large as a batch
        assert await signer.sign(preimage) == await Signer(SECRET).sign(preimage)
        assert server.signed == [preimage]
        await signer.close()


@pytest.mark.asyncio
async def test_malleable_twin_is_made_canonical() -> None:
    async with serve_keys(SECRET) as server:
        server.uses_high_s = True
        signer = await RemoteSigner.open(endpoint(server))
        v, r, s = await signer.sign(b"message")
        assert recover(keccak(b"message"), v, r, s) == int.from_bytes(ADDRESS, "big")
        await signer.close()


@pytest.mark.asyncio
async def test_signature_of_another_key_is_not_used() -> None:
    async with serve_keys(SECRET) as server:
        server.swaps_keys = True
        signer = await RemoteSigner.open(endpoint(server))
        with pytest.raises(SignerUnavailable, match="not that of 0x"):
            await signer.sign(b"message")
        await signer.close()


@pytest.mark.asyncio
async def test_silent_signer_is_waited_for_like_a_silent_l1() -> None:
    async with serve_keys(SECRET) as server:
        signer = await RemoteSigner.open(endpoint(server))
        server.is_silent = True
        with pytest.raises(L1Unavailable, match="HTTP 500"):
            await signer.sign(b"message")
        server.is_silent = False
        assert await signer.sign(b"message")
        await signer.close()
    with pytest.raises(L1Unavailable):
        await RemoteSigner.open(endpoint(server))  # nobody listens there any more


@pytest.mark.asyncio
async def test_key_that_the_signer_does_not_have_is_named_with_those_it_has() -> None:
    async with serve_keys(OTHER) as server:
        with pytest.raises(KeyProblem, match=re.escape("0x" + Signer(OTHER).address.hex())):
            await RemoteSigner.open(endpoint(server))


@pytest.mark.asyncio
async def test_plain_http_to_another_machine_is_refused() -> None:
    for url in ("http://signer.example:9000", "http://10.0.0.7:9000"):
        with pytest.raises(KeyProblem, match="must be https"):
            await RemoteSigner.open(Endpoint(url=url, address=ADDRESS))


@pytest.mark.asyncio
async def test_missing_certificates_are_named() -> None:
    async with serve_keys(SECRET) as server:
        wrong = replace(endpoint(server), url="https://127.0.0.1:1")
        with pytest.raises(KeyProblem, match="certificates"):
            await RemoteSigner.open(replace(wrong, client_file=Path("/nowhere.pem")))

"""A sequencer and a proposer whose keys are elsewhere: batches, confirmations and bonds all the same."""

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devnet.actors.client import SequencerClient
from devnet.actors.oracle import Oracle
from devnet.genesis import QUORUM
from devnet.network import Devnet
from devnet.processes import Process
from optimist.api.errors import ApiError
from optimist.derive.typed_data import Domain, Signature, SoftConfirmation
from tests.support.running import find_url
from tests.support.web3signer import Web3Signer, serve_keys


@contextmanager
def run_signer(*secrets: bytes) -> Iterator[Web3Signer]:
    """The signing server, in a thread with a loop of its own."""
    started, stop = threading.Event(), threading.Event()
    servers: list[Web3Signer] = []

    async def serve() -> None:
        async with serve_keys(*secrets) as server:
            servers.append(server)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(30)
    try:
        yield servers[0]
    finally:
        stop.set()
        thread.join()


def start(network: Devnet, directory: Path, url: str) -> Process:
    command = [sys.executable, "-m", "optimist", "sequencer", "--l1-rpc", network.anvil.url]
    command += ["--deployment", str(network.deployment_file), "--datadir", str(directory)]
    command += ["--l1-tag", "latest", "--l1-poll", "0.2", "--batch.age", "0.5", "--api.port", "0"]
    command += ["--key.url", url, "--key.address", network.cast.sequencer.hex_address]
    command += ["--proposer.url", url, "--proposer.address", network.cast.proposer.hex_address]
    command += ["--proposer.poll", "0.5", "--log.format", "json", "--log.level", "debug"]
    return Process("sequencer", command, directory.with_name("sequencer.log"))


async def publish(network: Devnet, url: str, second: int) -> bytes:
    """Publish a price; the address that has signed its confirmation."""
    domain = Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])
    oracle = Oracle(domain, network.cast.oracle, QUORUM)
    async with SequencerClient(url) as api:
        confirmation = (await api.submit(oracle.sign(0, 60_000 * 10**8, second))).confirmation
    raw = bytes.fromhex(confirmation.signature[2:])
    signature = Signature(raw[64], int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))
    history = bytes.fromhex(confirmation.history[2:])
    return SoftConfirmation(confirmation.number, history).recover(domain, signature)


def test_all_that_a_sequencer_signs_is_signed_by_the_remote_signer(tmp_path: Path) -> None:
    with Devnet.start(directory=tmp_path / "devnet", block_time=1) as network:
        cast = network.cast
        with run_signer(cast.sequencer.secret, cast.proposer.secret) as signer:
            process = start(network, tmp_path / "sequencer", signer.url)
            try:
                url, now = find_url(process), network.anvil.get_time()
                assert asyncio.run(publish(network, url, now)) == cast.sequencer.address
                process.wait_for_line('"event": "batch_posted"', 60)
                process.wait_for_line('"event": "state_asserted"', 60)
                assert len(signer.signed) >= 4, "a confirmation, a batch, a bond, an assertion"

                signer.is_silent = True
                refused = ""
                try:
                    asyncio.run(publish(network, url, now + 1))
                except ApiError as error:
                    refused = error.name
                assert refused == "UNCONFIRMED"
                time.sleep(1)
                assert process.exit_code is None, "a silent signer is waited for"

                signer.is_silent = False
                assert asyncio.run(publish(network, url, now + 2)) == cast.sequencer.address
                assert process.stop(20) == 0
                for actor in (cast.sequencer, cast.proposer):
                    assert actor.secret.hex() not in process.read_log()
            finally:
                process.kill()

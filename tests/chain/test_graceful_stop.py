"""SIGTERM under load: the door closes, what was taken is on disk, and the next start goes on where it was."""

import asyncio
import socket
import time
from pathlib import Path

import aiohttp
import pytest

from devnet.actors.client import SequencerClient
from devnet.actors.oracle import Oracle
from devnet.genesis import BTC, ETH, QUORUM
from devnet.network import Devnet
from devnet.processes import Process
from optimist.api.errors import ApiError
from optimist.derive.typed_data import Domain
from tests.support.running import find_url, start_sequencer

LONGEST_STOP = 5.0  # s
EARLIER = 30_000  # s: each update of a market must be newer than the one before


class Load:
    """Two streams of price updates, as fast as they are answered; what was confirmed to them."""

    def __init__(self, network: Devnet, api: SequencerClient) -> None:
        domain = Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])
        self._oracle = Oracle(domain, network.cast.oracle, QUORUM)
        self._api = api
        self._begin = network.anvil.get_time() - EARLIER
        self.confirmed: list[int] = []

    async def publish(self, market: int) -> None:
        """Until nobody answers any more."""
        for second in range(self._begin, self._begin + EARLIER):
            try:
                answer = await self._api.submit(self._oracle.sign(market, 60_000 * 10**8, second))
            except ApiError as error:
                if error.name != "NOT_READY":
                    raise
                return
            except aiohttp.ClientError:
                return
            self.confirmed.append(answer.confirmation.number)
        raise AssertionError("the sequencer was never stopped")


async def stop_under_load(network: Devnet, process: Process) -> tuple[float, list[int]]:
    """Seconds until the process is gone, and the confirmations it gave."""
    async with SequencerClient(find_url(process)) as api:
        load = Load(network, api)
        streams = [asyncio.create_task(load.publish(market)) for market in (BTC, ETH)]
        while len(load.confirmed) < 40:
            assert not any(stream.done() for stream in streams)
            await asyncio.sleep(0.02)
        begun = time.monotonic()
        code = await asyncio.to_thread(process.stop, 20)
        seconds = time.monotonic() - begun
        assert code == 0, process.read_log()[-2_000:]
        await asyncio.gather(*streams)
        return seconds, load.confirmed


async def count_inputs(process: Process) -> int:
    async with SequencerClient(find_url(process)) as api:
        return int((await api.get_status())["softInputs"])


def test_systemd_is_told_when_it_is_ready_alive_and_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        Devnet.start(directory=tmp_path / "devnet", block_time=1) as network,
    ):
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "60000000")
        process = start_sequencer(network, tmp_path / "sequencer")
        try:
            find_url(process)
            told = {systemd.recv(100) for _ in range(3)}
            assert told == {b"WATCHDOG=1", b"READY=1"}
        finally:
            assert process.stop(20) == 0
        while (state := systemd.recv(100)) != b"STOPPING=1":
            assert state == b"WATCHDOG=1"


def test_sigterm_under_load_ends_within_five_seconds_and_loses_nothing(tmp_path: Path) -> None:
    with Devnet.start(directory=tmp_path / "devnet", block_time=1) as network:
        process = start_sequencer(network, tmp_path / "sequencer", batch_age="1")
        seconds, confirmed = asyncio.run(stop_under_load(network, process))
        assert seconds < LONGEST_STOP
        assert '"event": "sequencer_stopped"' in process.read_log()
        assert "stop_forced" not in process.read_log()
        assert confirmed == sorted(confirmed), "two streams, one order"
        again = start_sequencer(network, tmp_path / "sequencer", name="again")
        try:
            assert asyncio.run(count_inputs(again)) >= max(confirmed)
            assert "torn_record_dropped" not in again.read_log()
        finally:
            assert again.stop(20) == 0

"""The process in which a sequencer executes batches once more: killed, left behind, and never missed."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.actors.client import SequencerClient
from devnet.network import Devnet
from devnet.processes import Process
from tests.support.running import find_url, start_sequencer
from tests.support.trading import Scene, fund, has_account, history_inputs
from tests.support.waiting import until

BUG = 1  # exit code: its supervisor starts it again


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Devnet]:
    with Devnet.start(directory=tmp_path / "devnet", block_time=1) as network:
        yield network


def find_worker(process: Process) -> int:
    """The only child of a sequencer."""
    (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(worker)


async def ask(process: Process) -> None:
    """Have it answer something."""
    async with SequencerClient(find_url(process)) as api:
        await api.get_status()


def wait_for_end(pid: int) -> None:
    """Until there is no such process, or only its remains."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} is still there")


def test_sequencer_whose_worker_is_killed_ends_and_says_why_and_the_next_one_posts_everything(
    network: Devnet, tmp_path: Path
) -> None:
    acknowledged: list[str] = []

    async def trade(process: Process, usd: int, *, is_first: bool) -> None:
        async with network.connect() as client, SequencerClient(find_url(process)) as api:
            scene = Scene(network, client, api)
            if is_first:
                await fund(network, client)
                await until(lambda: has_account(api, 2))
            acknowledged.extend((await scene.publish(usd)).inputs)
            if is_first:
                os.kill(find_worker(process), signal.SIGKILL)
                return
            await until(api.has_posted_all)
            posted = ["0x" + data.hex() for data in await history_inputs(network, client)]
            assert posted == acknowledged

    process = start_sequencer(network, tmp_path / "data", batch_age="1")
    asyncio.run(trade(process, 100_000, is_first=True))
    assert process._process.wait(30) == BUG
    assert "the process that executes batches ended with code -9: start again" in process.read_log()

    again = start_sequencer(network, tmp_path / "data", name="again", batch_age="1")
    try:
        asyncio.run(trade(again, 100_001, is_first=False))
    finally:
        again.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_worker_never_outlives_its_sequencer(network: Devnet, tmp_path: Path, number: signal.Signals) -> None:
    process = start_sequencer(network, tmp_path / "data")
    process.wait_for_line('"event": "sequencer_ready"', timeout=60)
    asyncio.run(ask(process))  # and it has come to where it heeds signals
    worker = find_worker(process)
    os.kill(process.pid, number)
    assert process._process.wait(30) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    wait_for_end(worker)

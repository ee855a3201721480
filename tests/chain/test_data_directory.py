"""What an operator's disk does to a sequencer: it fills up, fails, is copied to another machine, gets old."""

import asyncio
import json
import resource
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devnet.actors.client import SequencerClient
from devnet.network import Devnet
from devnet.processes import Process
from optimist.api.errors import ApiError
from tests.support.running import find_url, start_sequencer
from tests.support.trading import Scene, fund, has_account, history_inputs
from tests.support.waiting import until

LOT = 10_000
DATA = 4  # exit code: local data


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Devnet]:
    with Devnet.start(directory=tmp_path / "devnet", block_time=1) as network:
        yield network


@pytest.fixture
def still_network(tmp_path: Path) -> Iterator[Devnet]:
    """L1 stands still between transactions, so that a node has nothing to write."""
    with Devnet.start(directory=tmp_path / "devnet") as network:
        yield network


def live(
    network: Devnet, process: Process, story: Callable[[Scene], Awaitable[None]], *, first: bool = False
) -> None:
    """Two traders and an oracle, before a sequencer that runs."""

    async def run() -> None:
        async with network.connect() as client, SequencerClient(find_url(process)) as api:
            if first:
                await fund(network, client)
            await until(lambda: has_account(api, 2))
            await story(Scene(network, client, api))

    asyncio.run(run())


def set_file_limit(process: Process, limit: int) -> None:
    """No file of the process may grow beyond `limit` bytes: a full disk, as any user can have it."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, hard))


async def refused(action: Awaitable[object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await action
    return caught.value


def events(process: Process) -> list[dict[str, Any]]:
    lines = [line for line in process.read_log().splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def test_full_disk_under_the_journal_refuses_actions_and_takes_them_again_when_there_is_room(
    still_network: Devnet, tmp_path: Path
) -> None:
    network = still_network
    process = start_sequencer(network, tmp_path / "data", batch_age="0.5", more=("--batch.stopped",))
    journal = tmp_path / "data" / "journal" / f"{0:020d}"

    async def story(scene: Scene) -> None:
        kept = (await scene.publish(100_000)).inputs
        await scene.order(0, is_buy=False, lots=5, usd=100_000)
        set_file_limit(process, journal.stat().st_size + 50)
        error = await refused(scene.order(1, is_buy=True, lots=3, usd=100_000))
        assert (error.name, error.status) == ("JOURNAL_FULL", 503)
        assert (await refused(scene.order(1, is_buy=True, lots=3, usd=100_000))).name == "NOT_READY"
        await until(lambda: fell_back(scene))
        assert (await scene.api.get_account(1))["positions"] == [], "what was not kept is not told either"
        set_file_limit(process, resource.RLIM_INFINITY)
        await until(lambda: is_ready(scene.api))
        scene.published += 1
        kept += (await scene.publish(100_000)).inputs
        answer = await scene.order(1, is_buy=True, lots=3, usd=100_000, slot=1)
        assert answer.filled == str(3 * LOT), "the order that rested before is still there"
        assert answer.confirmation.number == len(kept) + 1
        kept += answer.inputs
        assert process.stop() == 0
        await finish(network, scene, tmp_path / "data", kept)

    async def fell_back(scene: Scene) -> bool:
        status = await scene.api.get_status()
        return (status["reason"], status["softInputs"]) == ("the disk is full", 1)

    try:
        live(network, process, story, first=True)
    finally:
        process.kill()


async def is_ready(api: SequencerClient) -> bool:
    ready: bool = (await api.get_status())["ready"]
    return ready


async def finish(network: Devnet, scene: Scene, directory: Path, kept: list[str]) -> None:
    """A start on the same directory posts everything that was acknowledged, and nothing else."""
    again = start_sequencer(network, directory, name="again", batch_age="0.3")
    try:
        url = await asyncio.to_thread(find_url, again)
        async with SequencerClient(url) as api:
            await until(api.has_posted_all)
        on_l1 = ["0x" + data.hex() for data in await history_inputs(network, scene.client)]
        assert on_l1 == kept
    finally:
        again.kill()


def test_full_disk_under_the_state_ends_the_process_with_a_word_and_costs_nothing_acknowledged(
    network: Devnet, tmp_path: Path
) -> None:
    process = start_sequencer(network, tmp_path / "data", name="first")

    async def story(scene: Scene) -> None:
        kept = (await scene.publish(100_000)).inputs
        set_file_limit(process, 100)  # the database writes at every block of L1
        assert await asyncio.to_thread(process._process.wait, 30) == DATA
        await finish(network, scene, tmp_path / "data", kept)

    try:
        live(network, process, story, first=True)
    finally:
        process.kill()


def test_directory_is_handed_over_to_another_machine_and_the_old_one_cannot_come_back(
    network: Devnet, tmp_path: Path
) -> None:
    """Stop, copy, start: a drill. The copy that was left behind is a danger to nobody."""
    first = start_sequencer(network, tmp_path / "old", name="first")
    kept: list[str] = []

    async def before(scene: Scene) -> None:
        kept.extend((await scene.publish(100_000)).inputs)
        await scene.order(0, is_buy=False, lots=5, usd=100_000)
        kept.extend((await scene.order(1, is_buy=True, lots=2, usd=100_000)).inputs)

    async def after(scene: Scene) -> None:
        error = await refused(scene.order(1, is_buy=True, lots=3, usd=100_000, slot=1))
        assert (error.name, error.details) == ("NOT_READY", {"market": 0}), "no price since the start"
        assert 0 in (await scene.api.get_status())["marketsWithoutFreshPrice"]
        kept.extend((await scene.publish(100_000)).inputs)
        answer = await scene.order(1, is_buy=True, lots=3, usd=100_000, slot=2)
        assert answer.filled == str(3 * LOT), "the order that rested on the other machine"
        kept.extend(answer.inputs)
        await until(scene.api.has_posted_all)
        assert ["0x" + data.hex() for data in await history_inputs(network, scene.client)] == kept

    try:
        live(network, first, before, first=True)
        assert first.stop() == 0
        shutil.copytree(tmp_path / "old", tmp_path / "new")
        second = start_sequencer(network, tmp_path / "new", name="second")
        try:
            live(network, second, after)
            late = start_sequencer(network, tmp_path / "old", name="late")
            assert late._process.wait(60) == DATA
            assert "another process posts with the same key" in late.read_log()
            second.check_alive()
        finally:
            second.kill()
        check_lost_journal(network, tmp_path / "old")
    finally:
        first.kill()


def check_lost_journal(network: Devnet, directory: Path) -> None:
    """With the newest journal lost for good, an operator goes on behind L1, knowing what that costs."""
    process = start_sequencer(network, directory, name="anew", more=("--accept-lost-journal",))

    async def story(scene: Scene) -> None:
        assert (await scene.api.get_market(0))["asks"] == []
        scene.published = await scene.now() + 1
        await scene.publish(100_000)
        await until(scene.api.has_posted_all)

    try:
        live(network, process, story)
        assert any(event["event"] == "journal_given_up" for event in events(process))
        assert process.stop() == 0
    finally:
        process.kill()


def test_two_processes_on_copies_of_one_directory_cannot_both_go_on(network: Devnet, tmp_path: Path) -> None:
    first = start_sequencer(network, tmp_path / "data", name="first")

    async def story(scene: Scene) -> None:
        await scene.publish(100_000)
        await until(scene.api.has_posted_all)
        shutil.copytree(tmp_path / "data", tmp_path / "copy")
        second = start_sequencer(network, tmp_path / "copy", name="second")
        try:
            async with SequencerClient(await asyncio.to_thread(find_url, second)) as other:
                scene.api, mine = other, scene.api
                await scene.publish(100_100)
                await until(other.has_posted_all)
                scene.api = mine
            assert await asyncio.to_thread(first._process.wait, 30) == DATA
            assert "another process posts with the same key" in first.read_log()
            second.check_alive()
        finally:
            second.kill()
        sealed = [record.batch.number for record in (await network.read_history(scene.client)).batches]
        assert sealed == list(range(1, len(sealed) + 1))

    try:
        live(network, first, story, first=True)
    finally:
        first.kill()

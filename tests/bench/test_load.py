"""Signed orders over WebSocket into durable acknowledgement, side by side with the same trades on anvil."""

import asyncio
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from devnet.actors.client import SequencerClient
from devnet.actors.oracle import Oracle
from devnet.genesis import QUORUM
from devnet.network import Devnet
from devnet.processes import Process
from devnet.services import Service, start_sequencer
from optimist.base.presets import MINIMAL, Preset
from optimist.derive.actions import SignedOrder
from tests.support.contract_load import ContractLoad
from tests.support.load import (
    INDEX,
    MARKET,
    PAIRS_IN_FRAME,
    PRICE,
    Connection,
    Pair,
    Timings,
    count_fills,
    make_frame,
    open_pairs,
)
from tests.support.waiting import until

pytestmark = pytest.mark.bench

PAIRS: Final = 6
IN_FLIGHT: Final = 2  # frames of a connection, and requests of a relayer
FRAMES: Final = 30  # of each pair in a round
ROUNDS: Final = 3
PAIRS_IN_SMALL_FRAME: Final = 2
CHALLENGE_PERIOD: Final = 120  # s
NUISANCE_SECONDS: Final = 8.0
NUISANCE_RATE: Final = 40.0  # trades a second

Trades = Sequence[tuple[SignedOrder, SignedOrder]]


@dataclass
class Scene:
    """A sequencer that runs, and who trades there."""

    network: Devnet
    service: Service
    url: str
    pairs: list[Pair]
    session: aiohttp.ClientSession
    api: SequencerClient
    oracle: Oracle
    published: int = 0

    async def publish(self) -> None:
        """A price, so that trading goes on."""
        status = await self.api.get_status()
        self.published = max(self.published + 1, status["second"])
        await self.api.submit(self.oracle.sign(MARKET, INDEX * PRICE, self.published))


def play(directory: Path, story: Callable[[Scene], Awaitable[None]], preset: Preset = MINIMAL) -> None:
    """A devnet, a sequencer as a process with the defaults of an operator, and funded pairs of traders."""
    with Devnet.start(directory=directory, block_time=1, preset=preset) as network:
        service, url = start_sequencer(network, batch_age=10, options=["--api.proxied"])
        try:
            asyncio.run(_tell(network, service, url, story))
        finally:
            service.stop()


async def _tell(
    network: Devnet, service: Service, url: str, story: Callable[[Scene], Awaitable[None]]
) -> None:
    async with network.connect() as client, aiohttp.ClientSession() as session, SequencerClient(url) as api:
        pairs = await open_pairs(network, client, PAIRS)
        await until(lambda: is_funded(api), 60)
        oracle = Oracle(pairs[0].domain, network.cast.oracle, QUORUM)
        scene = Scene(network, service, url, pairs, session, api, oracle)
        await scene.publish()
        await story(scene)


async def is_funded(api: SequencerClient) -> bool:
    """Whether everybody's deposits are sequenced."""
    return bool((await api.get_status())["queueNext"] >= 2 * PAIRS)


async def in_turns(count: int, jobs: Sequence[Any]) -> None:
    """Run coroutines in their order, at most `count` at once."""
    free = asyncio.Semaphore(count)

    async def run(job: Any) -> None:
        try:
            await job
        finally:
            free.release()

    async with asyncio.TaskGroup() as group:
        for job in jobs:
            await free.acquire()
            group.create_task(run(job))


async def trade_on_sequencer(scene: Scene, work: dict[int, list[Trades]], timings: Timings) -> float:
    """Trades a second."""
    frames = {
        number: [make_frame(at, trades) for at, trades in enumerate(listed)]
        for number, listed in work.items()
    }
    async with AsyncExitStack() as stack:
        connections = {
            number: await stack.enter_async_context(Connection.open(scene.session, scene.url, number))
            for number in work
        }
        filled = 0

        async def send(number: int, at: int) -> None:
            nonlocal filled
            answer = await connections[number].submit(at, frames[number][at], timings)
            filled += count_fills(answer)

        begun = time.perf_counter()
        await asyncio.gather(
            *(in_turns(IN_FLIGHT, [send(number, at) for at in range(len(frames[number]))]) for number in work)
        )
        seconds = time.perf_counter() - begun
    wanted = sum(len(trades) for listed in work.values() for trades in listed)
    assert filled == wanted
    return wanted / seconds


async def trade_on_anvil(
    contract: ContractLoad, pairs: Sequence[Pair], work: dict[int, list[Trades]], timings: dict[str, Timings]
) -> float:
    """Transactions a second."""
    signed = {
        pair.number: [contract.sign_trades(pair, trades) for trades in work[pair.number]] for pair in pairs
    }
    ends = {
        pair.number: [
            contract.get_nonce(pair) - sum(map(len, signed[pair.number][at + 1 :]))
            for at in range(len(signed[pair.number]))
        ]
        for pair in pairs
    }
    begun = time.perf_counter()
    await asyncio.gather(
        *(
            in_turns(
                IN_FLIGHT,
                [
                    contract.submit(pair, batch, timings["accepted"], timings["mined"], end)
                    for batch, end in zip(signed[pair.number], ends[pair.number], strict=True)
                ],
            )
            for pair in pairs
        )
    )
    seconds = time.perf_counter() - begun
    return sum(len(batch) for listed in signed.values() for batch in listed) / seconds


def test_trades_a_second_beside_a_contract_on_anvil(tmp_path: Path) -> None:
    """Alternating rounds of the very same signed orders; both must end with the same money and positions.

    A round of ours takes seconds, in which batches are closed, executed again and posted as ever.
    """

    async def story(scene: Scene) -> None:
        async with AsyncExitStack() as stack:
            contracts = {
                "a block a second": await stack.enter_async_context(ContractLoad(tmp_path / "interval", 1)),
                "a block a transaction": await stack.enter_async_context(
                    ContractLoad(tmp_path / "auto", None)
                ),
            }
            for contract in contracts.values():
                await contract.prepare(scene.pairs)
            ours: list[float] = []
            theirs: dict[str, list[float]] = {name: [] for name in contracts}
            work_of: dict[str, float] = defaultdict(float)  # processor seconds
            acknowledged = Timings()
            timings = {name: {"accepted": Timings(), "mined": Timings()} for name in contracts}
            for _ in range(ROUNDS):
                work: dict[int, list[Trades]] = {
                    pair.number: [pair.sign(PAIRS_IN_FRAME) for _ in range(FRAMES)] for pair in scene.pairs
                }
                await scene.publish()
                before = read_processor_seconds(scene.service.process.pid)
                ours.append(await trade_on_sequencer(scene, work, acknowledged))
                await until(scene.api.has_posted_all, 120)  # anvil gets the machine for itself, as we did
                work_of["sequencer"] += read_processor_seconds(scene.service.process.pid) - before
                for name, contract in contracts.items():
                    before = read_processor_seconds(contract.pid)
                    theirs[name].append(await trade_on_anvil(contract, scene.pairs, work, timings[name]))
                    work_of[name] += read_processor_seconds(contract.pid) - before
            trades = ROUNDS * FRAMES * PAIRS * PAIRS_IN_FRAME
            print(f"\n  sequencer: {describe(ours)} trades/s on disk and confirmed; {acknowledged}")
            print(f"    {work_of['sequencer'] / trades * 1_000:.2f} ms of a processor each, with posting")
            for name, contract in contracts.items():
                gas = await contract.read_gas()
                print(f"  anvil, {name}: {describe(theirs[name])} transactions/s of {gas:,} gas")
                print(f"    in the pool {timings[name]['accepted']}; in a block {timings[name]['mined']}")
                print(f"    {work_of[name] / trades * 1_000:.2f} ms of a processor each")
            best = max(statistics.median(rates) for rates in theirs.values())
            print(f"  ratio to the better one: {statistics.median(ours) / best:.2f}")
            for contract in contracts.values():
                await compare(scene, contract)

    play(tmp_path / "devnet", story)


def describe(rates: Sequence[float]) -> str:
    """Median, and the rounds that it is of."""
    return f"{statistics.median(rates):,.0f} ({', '.join(f'{rate:,.0f}' for rate in rates)})"


@pytest.mark.parametrize("kind", ["silent", "slow", "garbage", "forged"])
def test_nuisances_and_the_acknowledgements_of_others(kind: str, tmp_path: Path) -> None:
    """Turns with and without a nuisance; what counts is how much later others' p99 comes."""

    async def story(scene: Scene) -> None:
        refused = 0

        async def measure() -> Timings:
            nonlocal refused
            timings = Timings()
            await scene.publish()
            turn = await trade_steadily(scene, scene.pairs[:4], NUISANCE_RATE, NUISANCE_SECONDS, timings)
            refused += turn
            return timings

        await measure()  # everything is warm afterwards
        quiet, disturbed = Timings(), Timings()
        for _ in range(ROUNDS):
            quiet.seconds += (await measure()).seconds
            command = [sys.executable, "-m", "tests.support.nuisance", kind, scene.url]
            nuisance = Process(kind, command, tmp_path / f"{kind}.log")
            try:
                await asyncio.sleep(2)
                disturbed.seconds += (await measure()).seconds
            finally:
                nuisance.kill()
        ratio = disturbed.get(99) / quiet.get(99)
        print(f"\n  {kind}: {disturbed}; without: {quiet}; p99 times {ratio:.2f}")
        print(f"    {refused} of {len(disturbed.seconds)} frames found the door full")

    play(tmp_path / "devnet", story)


@pytest.mark.timeout(7200)
def test_memory_under_a_steady_load(tmp_path: Path) -> None:
    """LOAD_SECONDS=1800 make bench: half an hour. Batches are posted, claimed and confirmed meanwhile."""
    seconds = float(os.environ.get("LOAD_SECONDS", "60"))
    rate = float(os.environ.get("LOAD_TRADES", "40"))

    async def story(scene: Scene) -> None:
        sizes: list[tuple[float, int]] = []
        timings = Timings()
        begun = time.monotonic()
        pid = scene.service.process.pid

        async def watch() -> None:
            while True:
                await scene.publish()
                sizes.append((time.monotonic() - begun, read_resident_bytes(pid)))
                await asyncio.sleep(seconds / 60)

        watching = asyncio.create_task(watch())
        assert await trade_steadily(scene, scene.pairs[:4], rate, seconds, timings) == 0
        watching.cancel()
        status = await scene.api.get_status()
        trades = len(timings.seconds) * PAIRS_IN_SMALL_FRAME
        print(f"\n  {trades} trades in {seconds:,.0f} s; {timings}; {status['unposted']} batches unposted")
        print(
            "  resident: "
            + ", ".join(f"{at:,.0f} s {size >> 20} MiB" for at, size in sizes[:: len(sizes) // 12])
        )
        halves = [size for at, size in sizes if at > seconds / 3]
        early, late = halves[: len(halves) // 2], halves[len(halves) // 2 :]
        growth = statistics.median(late) / statistics.median(early) - 1
        print(f"  second and last third: {growth:+.1%}")

    # Confirmed soon, as they would be after a week: what nobody can dispute any more is forgotten.
    play(tmp_path / "devnet", story, replace(MINIMAL, challenge_period=CHALLENGE_PERIOD))


async def trade_steadily(
    scene: Scene, pairs: Sequence[Pair], rate: float, seconds: float, timings: Timings
) -> int:
    """Small frames at an even pace, whatever the answers take; how many were refused: too much at once."""
    pause = len(pairs) * PAIRS_IN_SMALL_FRAME / rate
    refused = 0

    def judge(answer: dict[str, Any]) -> None:
        nonlocal refused
        if "error" in answer and answer["error"]["name"] == "OVERLOADED":
            refused += 1
        else:
            assert count_fills(answer) == PAIRS_IN_SMALL_FRAME

    async def run(pair: Pair) -> None:
        async with Connection.open(scene.session, scene.url, pair.number) as connection:
            waiting: set[asyncio.Task[Any]] = set()
            begun = time.monotonic()
            number = 0
            while time.monotonic() - begun < seconds:
                number += 1
                frame = make_frame(number, pair.sign(PAIRS_IN_SMALL_FRAME))
                waiting.add(asyncio.create_task(connection.submit(number, frame, timings)))
                done = {each for each in waiting if each.done()}
                for each in done:
                    judge(each.result())
                waiting -= done
                await asyncio.sleep(max(0.0, begun + number * pause - time.monotonic()))
            for answer in await asyncio.gather(*waiting):
                judge(answer)

    await asyncio.gather(*(run(pair) for pair in pairs))
    return refused


def find_family(pid: int) -> list[int]:
    """A process and its children: a sequencer and its worker."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def read_processor_seconds(pid: int) -> float:
    """User and system time of a process and its children, all threads."""
    ticks = 0
    for each in find_family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def read_resident_bytes(pid: int) -> int:
    """Memory that a process and its children have."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in find_family(pid))
    return pages * os.sysconf("SC_PAGESIZE")


async def compare(scene: Scene, contract: ContractLoad) -> None:
    """Hold collateral and positions against each other."""
    for pair in scene.pairs:
        for account in pair.accounts:
            told = await scene.api.get_account(account)
            assert int(told["collateral"]) == await contract.read_collateral(account)
            positions = {each["market"]: int(each["size"]) for each in told["positions"]}
            assert positions.get(MARKET, 0) == await contract.read_position(account)

"""A sequencer that is killed again and again under the load of a client that keeps its own log.

    campaign = Campaign(network, directory, seed=7)
    campaign.kill_at("after-journal")       at a place of its own
    campaign.kill_some_time()               at a random moment, its start included
    evidence = campaign.finish()            then compare: `tests/support/campaign_check.py`

The sequencer is the real process on a real anvil; SIGKILL is all that ever ends it before `finish`.
"""

import asyncio
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from devnet.actors.client import SequencerClient
from devnet.network import Devnet
from devnet.processes import Process, ProcessFailed
from devnet.wallet import Wallet
from optimist.api.errors import ApiError
from tests.support.patient_client import Plan, write_plan
from tests.support.running import start_sequencer

USD: Final = 10**6
DEPOSIT: Final = 1_000_000 * USD
# Faults F1 to F7 of docs/FAULTS.md, and how many arrivals to let pass at most: so no two deaths are alike.
FAILPOINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "F1": ("before-journal",),
    "F2": ("after-journal",),
    "F3": ("before-state-write",),
    "F4": ("during-snapshot",),
    "F5": ("after-seal", "before-send"),
    "F6": ("after-send",),
    "F7": ("after-inclusion",),
}
PASSES: Final = {"before-journal": 25, "after-journal": 25, "during-snapshot": 3}
FLAGS: Final = {"batch_age": "0.4", "l1_poll": "0.2", "tx_confirmations": "2"}
SEGMENT_BYTES: Final = 12_000  # a snapshot every second or two


@dataclass(frozen=True)
class Evidence:
    """What is left when everybody has stopped."""

    datadir: Path
    diary: Path
    market: dict[str, Any]  # the book as the sequencer told it last
    traders: int
    deaths: Counter[str]
    settled_in: float  # seconds from the last start until everything was on L1


class Campaign:
    """One devnet, one data directory, one client, many lives of a sequencer."""

    def __init__(self, network: Devnet, directory: Path, *, seed: int, traders: int = 4) -> None:
        """Funds the traders and starts sequencer and client. `seed` decides loads and moments of death."""
        self._network = network
        self._directory = directory
        self._random = Random(seed)
        self._traders = traders
        self._lives = 0
        self._port = find_port()
        self.deaths: Counter[str] = Counter()
        asyncio.run(self._fund())
        self._sequencer: Process | None = None
        self._await_ready(self._ensure_alive())
        asyncio.run(self._await_accounts())
        self._client = self._start_client(seed)

    @property
    def url(self) -> str:
        """Where every life of the sequencer listens."""
        return f"http://127.0.0.1:{self._port}"

    def close(self) -> None:
        """End what is still running."""
        self._client.kill()
        if self._sequencer is not None:
            self._sequencer.kill()

    # ------------------------------------------------------------------------------------------------- deaths

    def kill_some_time(self) -> None:
        """A life that ends at a random moment: one in five before it is ready."""
        alive = self._ensure_alive()
        if self._random.random() < 0.2:
            time.sleep(self._random.uniform(0.0, 2.5))
        else:
            self._await_ready(alive)
            time.sleep(self._random.uniform(0.0, 2.0))
        self._kill()

    def kill_at(self, fault: str, failpoint: str) -> None:
        """A life that ends at `failpoint`."""
        if self._sequencer is not None:
            self._kill()
        count = self._random.randint(1, PASSES.get(failpoint, 2))
        doomed = self._start(f"{failpoint}:{count}")
        try:
            code = doomed._process.wait(60)
        finally:
            doomed.kill()
        assert code == -signal.SIGKILL, doomed.failure(f"should have died at {failpoint}")
        self.deaths[f"{fault} {failpoint}"] += 1

    def finish(self) -> Evidence:
        """Let the client settle what is open and everything reach L1, then stop all as an operator would."""
        begun = time.monotonic()
        alive = self._ensure_alive()
        self._await_ready(alive)
        assert self._client.exit_code is None, self._client.failure("should be trading still")
        time.sleep(1.0)
        assert self._client.stop(timeout=60) == 0, self._client.failure("should end in peace")
        market = asyncio.run(self._settle())
        settled_in = time.monotonic() - begun
        assert alive.stop() == 0, alive.failure("should end in peace")
        return Evidence(
            self._directory / "data",
            self._directory / "diary",
            market,
            self._traders,
            self.deaths,
            settled_in,
        )

    # ----------------------------------------------------------------------------------------------- starting

    def _start(self, failpoint: str = "") -> Process:
        self._lives += 1
        return start_sequencer(
            self._network,
            self._directory / "data",
            failpoint=failpoint,
            name=f"life-{self._lives}",
            more=("--journal.segment-bytes", str(SEGMENT_BYTES)),
            api_port=str(self._port),
            **FLAGS,
        )

    def _start_client(self, seed: int) -> Process:
        deployment = self._network.deployment
        plan = self._directory / "plan.json"
        write_plan(
            plan,
            Plan(
                url=self.url,
                log=str(self._directory / "diary"),
                chain_id=deployment.chain_id,
                vault=deployment.addresses["Vault"].hex(),
                traders=self._traders,
                seed=seed,
                pace=0.05,
            ),
        )
        command = [sys.executable, "-m", "tests.support.patient_client", str(plan)]
        return Process("client", command, self._directory / "client.log")

    def _await_ready(self, process: Process) -> None:
        process.wait_for_line('"event": "sequencer_ready"', timeout=90)

    def _ensure_alive(self) -> Process:
        if self._sequencer is None:
            self._sequencer = self._start()
        return self._sequencer

    def _kill(self) -> None:
        alive = self._ensure_alive()
        if alive.exit_code is not None:
            raise alive.failure("ended before anybody killed it")
        alive.kill()
        self.deaths["at random"] += 1
        self._sequencer = None

    async def _fund(self) -> None:
        async with self._network.connect() as client:
            for number, actor in enumerate(self._network.cast.traders[: self._traders], 1):
                wallet = Wallet(client, actor)
                account, _ = await self._network.get_bank().open_account(wallet, DEPOSIT)
                assert account == number

    async def _await_accounts(self) -> None:
        async with SequencerClient(self.url) as api:
            for _ in range(300):
                try:
                    await api.get_account(self._traders)
                except ApiError as error:
                    assert error.name == "UNKNOWN_ACCOUNT"  # noqa: PT017 - anything else is a failure
                    await asyncio.sleep(0.1)
                else:
                    return
        raise ProcessFailed("the deposits were not sequenced within 30 s")

    async def _settle(self) -> dict[str, Any]:
        """Wait until L1 has everything; the market as it is then."""
        async with SequencerClient(self.url) as api:
            for _ in range(600):
                if await api.has_posted_all():
                    return await api.get_market(0)
                await asyncio.sleep(0.1)
            raise ProcessFailed(f"not everything was posted within 60 s: {await api.get_status()}")


def find_port() -> int:
    """A free port, for every life of the sequencer: a client keeps its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

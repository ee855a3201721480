"""A real sequencer behind its real API on a port of 127.0.0.1, over the bench's L1, in the test's process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from optimist.api.http import start_server
from optimist.api.limits import Limits
from optimist.base.presets import MINIMAL
from optimist.l1.signer import Signer
from optimist.ops.failpoints import Failpoints
from optimist.sequencer.cadence import Cadence
from optimist.sequencer.clock import L1Clock
from optimist.sequencer.confirmations import Confirmer
from optimist.sequencer.front import Front
from optimist.sequencer.sequencer import Sequencer
from optimist.sequencer.terms import Terms
from optimist.stf.law import get_law
from optimist.store.segments import SegmentedJournal
from tests.support.bench import Bench
from tests.support.world import PRICE, START, secret
from tests.unit.sequencer.test_recovery import L1


@dataclass
class Now:
    """Monotonic seconds that a test moves on."""

    value: float = 0.0

    def __call__(self) -> float:
        return self.value


@dataclass
class Town:
    """What a test needs to trade: `bench` signs, `url` answers, `now` is the time."""

    bench: Bench
    sequencer: Sequencer
    journal: SegmentedJournal
    front: Front
    url: str
    now: Now
    session: aiohttp.ClientSession
    nonces: dict[tuple[int, int], int] = field(default_factory=dict)

    async def get(self, path: str, status: int = 200) -> Any:
        """The JSON of an answer with this status."""
        async with self.session.get(self.url + path) as response:
            answer = await response.json()
            assert response.status == status, answer
            return answer

    async def post(self, body: Any, status: int = 200) -> Any:
        """The JSON of an answer to POST /v1/actions."""
        async with self.session.post(self.url + "/v1/actions", json=body) as response:
            answer = await response.json()
            assert response.status == status, answer
            return answer

    def stream(self) -> Any:
        """A WebSocket."""
        return self.session.ws_connect(self.url + "/v1/stream")


@asynccontextmanager
async def open_town(directory: Path, limits: Limits | None = None, **cadence: Any) -> AsyncIterator[Town]:
    """Three funded accounts, a price of 100,000 USD, an open door."""
    bench, now = Bench(), Now()
    clock = L1Clock(now)
    clock.observe(START + 1)
    journal = SegmentedJournal(directory / "journal", bytes(32))
    sequencer = Sequencer(
        Terms(law=get_law("minimal"), preset=MINIMAL, domain=bench.world.domain, image_root=bytes(32)),
        L1(bench),
        journal,
        Confirmer(bench.world.domain, Signer(secret("sequencer"))),
        clock,
        Cadence(**{"age": 1e9, **cadence}),
        Failpoints(),
    )
    front = Front(sequencer)
    sequencer.recover()
    bench.world.second = START + 1
    signed = [(key, 100_000 * PRICE) for key in (0, 1, 2)]
    await sequencer.submit(bench.world.price_update(0, signed, at=START + 1))
    runner, port = await start_server(front.get_parts(limits or Limits()), "127.0.0.1", 0)
    loops = [asyncio.create_task(front.run()), asyncio.create_task(_tick(sequencer))]
    try:
        async with aiohttp.ClientSession() as session:
            yield Town(bench, sequencer, journal, front, f"http://127.0.0.1:{port}", now, session)
    finally:
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        await runner.cleanup()
        await sequencer.close()
        journal.close()


async def _tick(sequencer: Sequencer) -> None:
    while True:
        await sequencer.seal_if_due()
        await asyncio.sleep(0.02)

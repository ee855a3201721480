"""Puts together what an operator sees and does: metrics, health, switches, their door, the heartbeat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from optimist.ops.health import Health
from optimist.ops.lifecycle import Switch, Work
from optimist.ops.logs import listen
from optimist.ops.metrics import Metrics
from optimist.ops.server import Surface, load_token, start_ops_server
from optimist.ops.settings import OpsSettings
from optimist.ops.systemd import get_watchdog_seconds, notify

BEAT: Final = 1.0  # s
VERSION: Final = version("optimist")


@dataclass(slots=True)
class Station:
    """What a program tells its operator, and takes from him."""

    metrics: Metrics
    health: Health
    switches: dict[str, Switch] = field(default_factory=dict)
    heart: asyncio.Task[None] | None = None
    has_started: bool = False
    port: int = 0

    def add_switch(self, name: str, work: Work, *, is_on: bool) -> Switch:
        """A part that the operator can stop and start."""
        switch = Switch(name, work, is_on=is_on)
        self.switches[name] = switch
        return switch

    def tell_ready(self) -> None:
        """The program does now what it is there for."""
        self.has_started = True
        notify("READY=1")

    async def run(self) -> None:
        """A part of the program: ends only when the heartbeat fails, with its error."""
        if self.heart is not None:
            await asyncio.shield(self.heart)


@asynccontextmanager
async def open_station(
    settings: OpsSettings, metrics: Metrics, program: str, *, datadir: Path | None, is_unsafe: bool = False
) -> AsyncIterator[Station]:
    """Listen from now on, even while the program still reads L1. Raises OpsPortTaken.

    datadir: for the admin token; without one there is nothing to switch. is_unsafe: started with --dev.
    """
    health = Health()
    station = Station(metrics, health)
    health.add("start", lambda: "" if station.has_started else "still starting")
    metrics.watch("ready", "1 when /readyz says so.", lambda: float(not health.find_reasons()))
    metrics.watch("unsafe_flags", "1 when started with --dev.", lambda: float(is_unsafe))
    metrics.watch_many(
        "part_running",
        "1 for what runs, 0 for what was stopped.",
        ("part",),
        lambda: [((name,), float(switch.is_on)) for name, switch in station.switches.items()],
    )
    surface = Surface(
        program=program,
        version=VERSION,
        metrics=metrics,
        health=health,
        switches=station.switches,
        token="" if datadir is None else await asyncio.to_thread(load_token, datadir),
    )
    async with AsyncExitStack() as stack:
        stack.callback(listen(metrics.observe))
        runner, station.port = await start_ops_server(surface, settings.host, settings.port)
        stack.push_async_callback(runner.cleanup)
        station.heart = asyncio.create_task(_beat(health), name="heartbeat")
        stack.push_async_callback(_end, station.heart)
        stack.callback(notify, "STOPPING=1")
        yield station


async def _beat(health: Health) -> None:
    """Once a second: say what has changed, and tell systemd that the loop turns."""
    watchdog = get_watchdog_seconds() is not None
    while True:
        health.report_changes()
        if watchdog:
            notify("WATCHDOG=1")
        await asyncio.sleep(BEAT)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

"""How a program runs and ends.

part        something that runs for ever; when it fails, the program ends with its error
switch      a part that an operator can stop and start while the program runs
signal      the first SIGTERM or SIGINT: stop in good order; the second one: stop now
deadline    whoever has not stopped in good order by then is stopped all the same. Every program is safe to
be killed at any time (what it has promised is on disk), so this loses nothing but patience.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
STOP_SECONDS: Final = 4.5  # an orderly end takes less; supervisors wait ten and more
EXIT_FORCED: Final = 70

Work = Callable[[], Coroutine[Any, Any, None]]


class PartEnded(Exception):
    """A part that should run for ever has come to an end."""


class Switch:
    """A part that can be stopped and started again. What runs in it must be safe to cancel anywhere."""

    def __init__(self, name: str, work: Work, *, is_on: bool = True) -> None:
        """`work` makes the coroutine anew for every start."""
        self.name = name
        self._work = work
        self._on = asyncio.Event()
        self._off = asyncio.Event()
        (self._on if is_on else self._off).set()

    @property
    def is_on(self) -> bool:
        """Whether it runs, or should."""
        return self._on.is_set()

    def start(self) -> None:
        """Idempotent."""
        self._off.clear()
        self._on.set()
        log.info("part_started", part=self.name)

    def stop(self) -> None:
        """What is on its way to L1 already goes on. Idempotent."""
        self._on.clear()
        self._off.set()
        log.warning("part_stopped", part=self.name)

    async def run(self) -> None:
        """Work while it is on, for ever. Raises what the work raises, or PartEnded."""
        while True:
            await self._on.wait()
            work = asyncio.create_task(self._work(), name=self.name)
            turned_off = asyncio.create_task(self._off.wait())
            try:
                await asyncio.wait({work, turned_off}, return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
                    raise PartEnded(f"the {self.name} has ended")
            finally:
                for task in (work, turned_off):
                    task.cancel()
                await asyncio.gather(work, turned_off, return_exceptions=True)


async def run_until_signal(parts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run the parts until SIGTERM or SIGINT. A part that ends or fails ends all, with its error."""
    stop = asyncio.Event()

    def on_signal(number: int) -> None:
        log.info("stopping", signal=signal.Signals(number).name, advice="once more: at once")
        for each in SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        _force_end_after(STOP_SECONDS)
        stop.set()

    loop = asyncio.get_running_loop()
    for each in SIGNALS:
        loop.add_signal_handler(each, on_signal, each)
    tasks = [asyncio.create_task(part) for part in parts]
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, stopped):
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def _force_end_after(seconds: float) -> None:
    """End the process by then, whatever waits for whatever: a thread of its own, which keeps nobody alive."""

    def end() -> None:
        log.error("stop_forced", after=seconds)
        os._exit(EXIT_FORCED)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()

"""What the watcher's inspections leave in its metrics and its log."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from challenger import observing
from challenger.observing import Inspector
from challenger.strategy import acts
from optimist.base.presets import MINIMAL
from optimist.l1.errors import L1Unavailable
from optimist.ops.health import Health
from optimist.ops.metrics import Metrics
from optimist.ops.station import Station
from tests.support.watched_game import HONEST, LIAR, PERIOD, WatchedGame


class Inspected:
    """An inspector of a toy game, whose L1 can be taken away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.game = WatchedGame()
        self.outages: Iterator[bool] = iter(())
        self.metrics = Metrics("watcher", "1")
        node = SimpleNamespace(is_caught_up=True, head=object())
        opened: Any = SimpleNamespace(node=node, deployment=SimpleNamespace(preset=MINIMAL))
        self.inspector = Inspector(Station(self.metrics, Health()), opened, "latest")
        monkeypatch.setattr(observing, "look", self.look)
        monkeypatch.setattr(observing, "INSPECTION", 0)

    async def look(self, *_: Any, **__: Any) -> Any:
        is_away = next(self.outages, None)
        if is_away is None:
            raise asyncio.CancelledError
        if is_away:
            raise L1Unavailable("429")
        return SimpleNamespace(snapshot=self.game.look())

    def read(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"optimist_{name}", labels)


@pytest.mark.asyncio
async def test_gauges_follow_a_lie_from_its_bond_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    inspected = Inspected(monkeypatch)
    game = inspected.game
    inspected.outages = iter([False] * 3)
    true = game.claim(HONEST, game.truth)
    await inspected.inspector.inspect()
    assert (inspected.read("false_claims"), inspected.read("game_alarms", level="disagree")) == (0, 0)
    false = game.claim(LIAR, game.x)
    await inspected.inspector.inspect()
    assert (inspected.read("false_claims"), inspected.read("game_alarms", level="disagree")) == (1, 1)
    game.reveal(HONEST, game.truth)
    game.at(PERIOD)
    game.land(HONEST, acts.TimeoutReveal(false, true))
    await inspected.inspector.inspect()
    assert (inspected.read("false_claims"), inspected.read("game_alarms", level="disagree")) == (0, 1)
    assert inspected.read("inspected_timestamp_seconds") == game.arena.now


@pytest.mark.asyncio
async def test_watcher_that_cannot_read_the_game_says_so_once_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inspected = Inspected(monkeypatch)
    inspected.outages = iter([False, True, True, True, False, True, True])
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await inspected.inspector.run()
    levels = [each["log_level"] for each in logs if each["event"] == "not_inspected"]
    assert levels == ["warning", "debug", "debug", "warning", "debug"]


@pytest.mark.asyncio
async def test_an_observer_that_fails_says_so_and_ends_nobody_else() -> None:
    async def fail() -> None:
        raise RecursionError("a forecast that has no end")

    with capture_logs() as logs, pytest.raises(TimeoutError):
        await asyncio.wait_for(observing.outlive(fail()), 0.05)
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("observer_failed", "error")
    assert isinstance(line["exc_info"], RecursionError)


@pytest.mark.asyncio
async def test_an_observer_ends_with_its_program() -> None:
    ended = []

    async def look_for_ever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    task = asyncio.create_task(observing.outlive(look_for_ever()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    assert ended == [True]

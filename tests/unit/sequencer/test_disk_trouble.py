"""A disk that is slow, and one that fails: who is told what, and what a start finds."""

import asyncio
import os
from pathlib import Path

import pytest

from optimist.api.errors import ApiError
from optimist.derive.decode import decode_order
from optimist.sequencer.entries import OrderPlaced
from optimist.sequencer.sequencer import Sequencer
from optimist.store.journal import JournalBroken
from optimist.store.segments import SegmentedJournal
from tests.support.bench import ONE, Bench
from tests.support.world import PRICE, START
from tests.unit.sequencer.test_recovery import L1
from tests.unit.sequencer.test_sequencer import SlowDisk, disk, start

__all__ = ["disk"]  # a fixture
ORDERS = 40


async def open_market(sequencer: Sequencer, bench: Bench) -> None:
    signed = [(key, 100_000 * PRICE) for key in (0, 1, 2)]
    await sequencer.submit(bench.world.price_update(0, signed, at=START + 1))


def test_disk_that_stalls_delays_answers_and_loses_none(tmp_path: Path, disk: SlowDisk) -> None:
    bench = Bench()
    told: list[int] = []

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal)
        await open_market(sequencer, bench)
        sequencer.watchers.add(lambda made: told.append(len(made)), lambda: None)
        disk.free.clear()
        orders = [bench.world.order(1, False, ONE, 100_001 + i, slot=i % 4) for i in range(ORDERS)]
        waiting = [asyncio.create_task(sequencer.submit(order)) for order in orders]
        for _ in range(40):
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in waiting), "nobody is answered before the disk is"
        assert not told, "nor told through the market data"
        assert sequencer.status()["ready"], "to wait is no reason to refuse"
        disk.free.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        kept = [answer for answer in answers if not isinstance(answer, BaseException)]
        assert len(kept) == ORDERS, answers
        assert sum(told) == ORDERS
        await sequencer.close()

    async def play_again(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal)
        assert len(list(sequencer.engine.resting())) == ORDERS
        await sequencer.close()

    for story in (play, play_again):
        with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
            asyncio.run(story(journal))


def test_who_comes_while_the_disk_stalls_is_turned_away_beyond_a_bound(
    tmp_path: Path, disk: SlowDisk
) -> None:
    bench = Bench()

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal)
        await open_market(sequencer, bench)
        limit = sequencer._cadence.waiting
        disk.free.clear()
        orders = [bench.world.order(1, False, ONE, 100_001 + i, slot=i % 4) for i in range(3)]
        waiting = [asyncio.create_task(sequencer.submit(order)) for order in orders]
        await asyncio.sleep(0.05)
        with pytest.raises(ApiError, match="too many actions at once"):
            await sequencer.submit_all(orders * (limit // 3))
        disk.free.set()
        await asyncio.gather(*waiting)
        await sequencer.close()

    with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
        asyncio.run(play(journal))


def test_disk_that_fails_closes_the_door_and_ends_the_process_and_a_start_finds_what_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()

    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal)
        await open_market(sequencer, bench)
        await sequencer.submit(bench.world.order(1, False, ONE, 100_001))
        with monkeypatch.context() as broken:
            broken.setattr(os, "fdatasync", fail)
            with pytest.raises(ApiError, match="nobody knows whether the action was taken"):
                await sequencer.submit(bench.world.order(1, False, ONE, 100_002, slot=1))
        with pytest.raises(ApiError, match="takes no actions: the journal is broken"):
            await sequencer.submit(bench.world.order(1, False, ONE, 100_003, slot=2))
        assert sequencer.status()["reason"] == "the journal is broken"
        with pytest.raises(JournalBroken, match="start again to learn what it holds"):
            await sequencer.seal_if_due()
        await sequencer.close()

    async def play_again(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal)
        placed = [entry for entry in sequencer.engine.resting() if isinstance(entry, OrderPlaced)]
        prices = [decode_order(entry.order, 0).order.price // PRICE for entry in placed]
        assert prices in ([100_001], [100_001, 100_002])
        await sequencer.close()

    for story in (play, play_again):
        with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
            asyncio.run(story(journal))

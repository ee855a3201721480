"""The moment between closing a batch and the journal's word for it."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from optimist.api.errors import ApiError
from optimist.base.presets import MINIMAL
from optimist.l1.signer import Signer
from optimist.ops.failpoints import Failpoints
from optimist.sequencer.cadence import Cadence
from optimist.sequencer.clock import L1Clock
from optimist.sequencer.confirmations import Confirmer
from optimist.sequencer.sequencer import Sequencer
from optimist.sequencer.terms import Terms
from optimist.stf.constants import IMMEDIATE_OR_CANCEL, PERPETUAL_FEED
from optimist.stf.law import get_law
from optimist.store.segments import SegmentedJournal
from tests.support.bench import ONE, Bench
from tests.support.world import PRICE, START, secret
from tests.unit.sequencer.test_recovery import L1, public_batch


class SlowDisk:
    """fdatasync that waits while `blocked`."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()

    def sync(self, descriptor: int) -> None:
        self.free.wait(10)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    disk = SlowDisk()
    monkeypatch.setattr(os, "fdatasync", disk.sync)
    yield disk
    disk.free.set()


class Now:
    def __init__(self) -> None:
        self.value = 0.0

    def __call__(self) -> float:
        return self.value


def start(
    bench: Bench,
    chain: L1,
    journal: SegmentedJournal,
    now: Now | None = None,
    heartbeat: float = 1e9,
    **cadence: Any,
) -> Sequencer:
    clock = L1Clock(now or Now())
    clock.observe(START + 1)
    sequencer = Sequencer(
        Terms(law=get_law("minimal"), preset=MINIMAL, domain=bench.world.domain, image_root=bytes(32)),
        chain,
        journal,
        Confirmer(bench.world.domain, Signer(secret("sequencer"))),
        clock,
        Cadence(age=0.0, heartbeat=heartbeat, **cadence),
        Failpoints(),
    )
    sequencer.recover()
    return sequencer


async def close_batch_slowly(sequencer: Sequencer, disk: SlowDisk, bench: Bench) -> asyncio.Task[bool]:
    """A batch with one acknowledged input is closed, and the disk has not said so yet."""
    update = bench.world.price_update(0, [(key, 100_000 * PRICE) for key in (0, 1, 2)], at=START + 1)
    await sequencer.submit(update)
    disk.free.clear()
    closing = asyncio.create_task(sequencer.seal_if_due())
    await asyncio.sleep(0.05)
    assert not closing.done()
    return closing


def test_closed_batch_waits_for_the_journal_and_is_not_taken_for_posted(
    tmp_path: Path, disk: SlowDisk
) -> None:
    bench = Bench()

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal)
        closing = await close_batch_slowly(sequencer, disk, bench)
        assert sequencer.unposted == [], "the batcher must not post what a crash would forget"
        assert sequencer.status()["unposted"] == 1, "nor may anybody take it for posted"
        disk.free.set()
        assert await closing
        assert [sealed.header.batch for sealed in sequencer.unposted] == [2]
        await sequencer.close()

    with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
        asyncio.run(play(journal))


def test_foreign_batch_meanwhile_costs_no_acknowledged_input(tmp_path: Path, disk: SlowDisk) -> None:
    bench = Bench()
    chain = L1(bench)

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, chain, journal)
        closing = await close_batch_slowly(sequencer, disk, bench)
        chain._sealed.append(public_batch(bench))
        sequencer.observe_l1()
        disk.free.set()
        assert await closing
        assert sequencer.unposted == []
        with pytest.raises(ApiError, match="L1 has gone another way"):
            await sequencer.submit(bench.world.price_update(0, [(0, PRICE)], at=START + 2))
        assert not await sequencer.seal_if_due()
        status = sequencer.status()
        assert status["voided"] == {"batch": 2, "inputs": 1, "lost": 0}
        assert (status["openBatch"], status["softInputs"]) == (3, 1), "sequenced again behind the public one"
        await sequencer.close()

    with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
        asyncio.run(play(journal))


def test_prices_of_perpetuals_elsewhere_are_taken_for_every_market_that_there_is(tmp_path: Path) -> None:
    bench = Bench()

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal)
        signed = [(key, 100_000 * PRICE) for key in (0, 1, 2)]
        for feed in (PERPETUAL_FEED, PERPETUAL_FEED + 1):
            await sequencer.submit(bench.world.price_update(feed, signed, at=START + 1))
        for feed in (2, PERPETUAL_FEED + 2):
            with pytest.raises(ApiError, match="there is no market 2"):
                await sequencer.submit(bench.world.price_update(feed, signed, at=START + 1))
        await sequencer.close()

    with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
        asyncio.run(play(journal))


def test_order_sent_again_by_somebody_who_missed_the_answer_is_filled_once(tmp_path: Path) -> None:
    bench = Bench()

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal)
        await sequencer.submit(
            bench.world.price_update(0, [(key, 100_000 * PRICE) for key in (0, 1, 2)], at=START + 1)
        )
        maker = bench.world.order(1, False, ONE, 100_000)
        taker = bench.world.order(2, True, ONE // 2, 100_000)
        immediate = bench.world.order(3, True, ONE, 100_000, time_in_force=IMMEDIATE_OR_CANCEL)
        await sequencer.submit(maker)
        for order in (taker, immediate):
            assert (await sequencer.submit(order)).filled == str(ONE // 2)
        await sequencer.submit(bench.world.order(1, False, ONE, 100_000, slot=1))
        for order in (maker, taker, immediate):
            with pytest.raises(ApiError) as refused:
                await sequencer.submit(order)
            assert refused.value.name == "ORDER_HAD_ITS_TURN"
        await sequencer.close()

    with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
        asyncio.run(play(journal))


def test_what_is_to_be_sequenced_again_is_not_told_to_be_on_l1(tmp_path: Path) -> None:
    bench = Bench()

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, L1(bench), journal, longest_age=0)
        await sequencer.submit(
            bench.world.price_update(0, [(key, 100_000 * PRICE) for key in (0, 1, 2)], at=START + 1)
        )
        assert await sequencer.seal_if_due()
        sequencer.give_up(2, "too late for the Inbox")
        assert sequencer.unposted == [], "the batcher must not post it any more"
        status = sequencer.status()
        assert (status["ready"], status["openBatch"], status["unposted"]) == (False, None, 1)
        await sequencer.seal_if_due()
        status = sequencer.status()
        assert (status["ready"], status["openBatch"], status["unposted"]) == (True, 2, 0)
        await sequencer.close()

    with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
        asyncio.run(play(journal))


def test_idle_chain_gets_one_empty_batch_a_heartbeat_and_none_while_l1_is_away(tmp_path: Path) -> None:
    bench, now = Bench(), Now()

    async def seal(sequencer: Sequencer) -> list[int]:
        for _ in range(3):
            await sequencer.seal_if_due()
        return [sealed.header.batch for sealed in sequencer.unposted]

    async def play(journal: SegmentedJournal) -> None:
        chain = L1(bench, queue=())
        sequencer = start(bench, chain, journal, now, heartbeat=60)
        begin = sequencer.engine.builder.head.last
        now.value = begin + 59.0 - (START + 1)
        assert await seal(sequencer) == []
        now.value += 1
        assert await seal(sequencer) == [2]
        (sealed,) = sequencer.unposted
        assert (sealed.batch.inputs[1:], sealed.header.first) == ((), begin + 60)
        now.value += 1_000
        assert await seal(sequencer) == [2], "L1 does not even have the last one"
        chain._sealed.append(sealed)
        assert await seal(sequencer) == [3]
        await sequencer.close()

    with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
        asyncio.run(play(journal))


def test_open_batch_waits_while_l1_is_dear_and_is_closed_when_it_is_cheap(tmp_path: Path) -> None:
    bench = Bench()
    chain = L1(bench)

    async def play(journal: SegmentedJournal) -> None:
        sequencer = start(bench, chain, journal, longest_age=1e9, cheap_base_fee=20)
        await sequencer.submit(
            bench.world.price_update(0, [(key, 100_000 * PRICE) for key in (0, 1, 2)], at=START + 1)
        )
        chain.base_fee = 21
        assert not await sequencer.seal_if_due()
        assert sequencer.status()["openBatch"] == 2
        chain.base_fee = 20
        assert await sequencer.seal_if_due()
        assert [sealed.header.batch for sealed in sequencer.unposted] == [2]
        await sequencer.close()

    with SegmentedJournal(tmp_path / "journal", bytes(32)) as journal:
        asyncio.run(play(journal))

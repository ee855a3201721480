"""Wherever the law runs, the same comes of a batch; and whoever runs it finds its way after every reorg."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence

import pytest

from optimist.derive.batch import Batch, Header, build_batch
from optimist.node.executors import BaseMoved, Executor, LocalExecutor, WorkerDied, WorkerExecutor
from optimist.node.ledger import Ledger, UnknownBatch
from optimist.node.receipts import decode_receipt
from optimist.sequencer.builder import NO_LIMIT
from optimist.stf.law import get_law
from optimist.vm.records import build_state_tree
from tests.support.bench import DEPOSITS
from tests.support.world import START, World

LAW = get_law("minimal")
Story = Callable[[WorkerExecutor], Awaitable[None]]


class Rollup:
    """A ledger and what comes next: prices of a market, and trades at them, on any branch."""

    def __init__(self, days: int = 4) -> None:
        self.world = World()
        self.ledger = Ledger(LAW)
        self._append(Batch(1, (self.world.init.encode(),), bytes(32)))
        for _ in range(days):
            self.go_on()

    def next_batch(self, usd: int = 100_000) -> Batch:
        """A batch that may follow the last one."""
        number = self.ledger.batch_count + 1
        world, second = self.world, START + 60 * number
        world.inputs.clear()
        world.state, world.second = self.ledger.get_state(number - 1), second
        assert not world.state.apply(LAW, Header(number, second, NO_LIMIT).encode()).rejected
        queue = DEPOSITS if number == 2 else ()
        for data in queue:
            assert not world.state.apply(LAW, data).rejected
        assert world.price(0, usd) == 0
        assert world.trade(1, 2, 10**6, usd, maker_buys=number % 2 == 0) == 0
        world.act(world.price_update(0, [(0, 5)]))  # no quorum: an input that the law rejects
        header = Header(number, second, second)
        return build_batch(header, queue, list(world.inputs), self.ledger.get_accumulator())

    def go_on(self, usd: int = 100_000) -> Batch:
        """Append the next batch."""
        batch = self.next_batch(usd)
        self._append(batch)
        return batch

    def _append(self, batch: Batch) -> None:
        second = START + 60 * batch.number
        self.ledger.append(batch, second, second, 0)


async def execute_and_finish(executor: Executor, ledger: Ledger, batch: Batch) -> bytes:
    second = START + 60 * batch.number
    execution = await executor.execute(ledger, batch, second)
    ledger.finish(batch, second, second, 0, execution, ledger.compute_root(execution))
    return ledger.root


def with_worker(story: Story) -> None:
    async def run() -> None:
        async with WorkerExecutor.open("minimal", keeps_receipts=True) as worker:
            await story(worker)

    asyncio.run(run())


def test_worker_and_this_process_come_to_the_same() -> None:
    rollup = Rollup()
    local = LocalExecutor(LAW, keeps_receipts=True)

    async def story(worker: WorkerExecutor) -> None:
        for usd in (100_000, 101_000, 99_000):
            batch = rollup.next_batch(usd)
            second = START + 60 * batch.number
            ours = await local.execute(rollup.ledger, batch, second)
            assert await worker.execute(rollup.ledger, batch, second) == ours
            assert ours.codes[-1] != 0
            assert {decode_receipt(kept).second for kept, _ in ours.receipts.values()} == {second}
            assert ours.receipts.keys() < {index for index, code in enumerate(ours.codes) if code == 0}
            untouched = dict(rollup.ledger.state.items())
            await execute_and_finish(worker, rollup.ledger, batch)
            assert rollup.ledger.root == build_state_tree(dict(rollup.ledger.state.items())).root
            assert untouched != dict(rollup.ledger.state.items())
            assert rollup.ledger.get_records(batch.number - 1) == untouched

    with_worker(story)


def test_receipts_are_kept_where_somebody_wants_them() -> None:
    rollup = Rollup()
    batch = rollup.next_batch()
    silent = asyncio.run(LocalExecutor(LAW).execute(rollup.ledger, batch, 0))
    assert silent.receipts == {}


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_reorg_of_any_depth_leads_to_the_same_root_as_never_having_been_there(depth: int) -> None:
    """The worker takes back what it did, or begins anew; also when it ran ahead of L1 by a batch."""
    rollup = Rollup(0)
    lived, fresh = rollup.ledger, Ledger(LAW)

    async def story(worker: WorkerExecutor) -> None:
        for usd in (100_000, 100_500, 101_000, 101_500):
            await execute_and_finish(worker, lived, rollup.next_batch(usd))
        await worker.execute(lived, rollup.next_batch(102_000), 0)
        for _ in range(depth):
            lived.take_back()
        for usd in (98_000, 97_000):
            await execute_and_finish(worker, lived, rollup.next_batch(usd))
        for number in range(1, lived.batch_count + 1):
            fresh.append(lived.get_batch(number), 0, 0, 0)
            assert fresh.root == lived.get_end_root(number)

    with_worker(story)


def test_root_of_a_range_is_computed_anew_wherever_the_worker_stands() -> None:
    rollup = Rollup()
    ledger = rollup.ledger

    async def compute(executor: Executor, numbers: Sequence[int]) -> bytes:
        return await executor.compute_root_again(ledger, numbers)

    async def story(worker: WorkerExecutor) -> None:
        for numbers in (range(1, 6), range(3, 5), range(5, 6)):
            expected = ledger.get_end_root(numbers[-1])
            for executor in (LocalExecutor(LAW), worker):
                assert await compute(executor, numbers) == expected
        await worker.execute(ledger, rollup.next_batch(), 0)  # ahead of the ledger by a batch
        assert await compute(worker, range(2, 6)) == ledger.get_end_root(5)
        ledger.forget(4)
        with pytest.raises(UnknownBatch):
            await compute(worker, range(3, 6))

    with_worker(story)


def test_fault_in_the_memory_of_the_ledger_is_not_in_the_workers() -> None:
    """The door's process would sign a root of what its memory holds; the worker does not share it."""
    rollup = Rollup()
    ledger = rollup.ledger

    async def story(worker: WorkerExecutor) -> None:
        await execute_and_finish(worker, ledger, rollup.next_batch())
        numbers, expected = range(ledger.batch_count, ledger.batch_count + 1), ledger.root
        changed = ledger.get_applied(ledger.batch_count).undo
        key, record = next((key, record) for key, record in ledger.state.items() if key not in changed)
        ledger.state.set_bytes(key, record[:-1] + bytes((record[-1] ^ 1,)))
        assert await LocalExecutor(LAW).compute_root_again(ledger, numbers) != expected
        assert await worker.compute_root_again(ledger, numbers) == expected

    with_worker(story)


def test_batch_that_does_not_follow_the_ledger_is_not_executed() -> None:
    rollup = Rollup()
    batch = rollup.next_batch()
    rollup.ledger.take_back()

    async def story(worker: WorkerExecutor) -> None:
        for executor in (LocalExecutor(LAW), worker):
            with pytest.raises(BaseMoved):
                await executor.execute(rollup.ledger, batch, 0)

    with_worker(story)


def test_worker_that_was_never_asked_or_left_behind_begins_anew() -> None:
    rollup = Rollup()

    async def story(worker: WorkerExecutor) -> None:
        await execute_and_finish(worker, rollup.ledger, rollup.next_batch())
        for _ in range(3):
            rollup.go_on()  # without the worker
        await execute_and_finish(worker, rollup.ledger, rollup.next_batch())
        assert rollup.ledger.root == build_state_tree(dict(rollup.ledger.state.items())).root

    with_worker(story)


def test_whoever_gives_up_waiting_spoils_nothing_for_the_next() -> None:
    rollup = Rollup()

    async def story(worker: WorkerExecutor) -> None:
        batch = rollup.next_batch()
        impatient = [asyncio.create_task(worker.execute(rollup.ledger, batch, 0)) for _ in range(3)]
        await asyncio.sleep(0)
        for task in impatient:
            task.cancel()
        await asyncio.gather(*impatient, return_exceptions=True)
        other = rollup.next_batch(90_000)
        root = await execute_and_finish(worker, rollup.ledger, other)
        assert root == build_state_tree(dict(rollup.ledger.state.items())).root

    with_worker(story)


def test_worker_that_is_gone_is_no_silence() -> None:
    rollup = Rollup()

    async def story(worker: WorkerExecutor) -> None:
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerDied, match="ended with code -9"):
            await worker.execute(rollup.ledger, rollup.next_batch(), 0)

    with_worker(story)


def test_worker_heeds_no_signal_but_ends_with_whoever_asks() -> None:
    async def run() -> None:
        rollup = Rollup()
        async with WorkerExecutor.open("minimal", keeps_receipts=False) as worker:
            await worker.execute(rollup.ledger, rollup.next_batch(), 0)
            for number in (signal.SIGINT, signal.SIGTERM):
                os.kill(worker.pid, number)
            await execute_and_finish(worker, rollup.ledger, rollup.next_batch(99_000))
            pid = worker.pid
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    asyncio.run(run())

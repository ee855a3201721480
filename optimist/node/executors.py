"""Where a node has the law run: among everything else that its process does, or in a process of its own.

    LocalExecutor     a slice at a time, on a copy of the ledger's state
    WorkerExecutor    a process beside this one, with a state of its own that follows the ledger

A sequencer runs the law three times for every input: at the door, before it signs the batch, and before it
asserts a root. The door is what traders wait for, so the other two are the worker's
(`docs/adr/0062-the-law-runs-again-in-another-process.md`).
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

from optimist.derive.batch import Batch
from optimist.node.execution import Executing, Execution, hash_anew
from optimist.node.ledger import Ledger
from optimist.node.worker import (
    LENGTH_BYTES,
    Answer,
    Begin,
    ComputeRoot,
    Execute,
    Executed,
    Request,
    RootComputed,
    decode_answer,
    encode,
)

SLICE: Final = 64  # inputs applied before others get their turn: some milliseconds
KEPT_EXECUTIONS: Final = 16  # a batch is executed before it is posted, and asked for again when L1 has it


class BaseMoved(Exception):
    """The ledger is not where the batch begins any more: L1 has gone another way meanwhile."""


class WorkerDied(Exception):
    """The process that executes batches is gone: nothing is lost, start again."""


class Executor(Protocol):
    """Runs the law for a node. Nothing of the ledger is changed."""

    async def execute(self, ledger: Ledger, batch: Batch, first: int) -> Execution:
        """What `batch`, whose first second is `first`, does to the ledger's state.

        Raises BaseMoved when it does not follow the ledger's last batch.
        """

    async def compute_root_again(self, ledger: Ledger, numbers: Sequence[int]) -> bytes:
        """State root after the last of consecutive batches, from the records before them and their inputs.

        Nothing that the ledger has computed of these batches is used: neither their effects nor its tree.
        Raises UnknownBatch when they are not all there.
        """


class LocalExecutor:
    """Runs the law in this process, and lets others have their turn in between."""

    def __init__(self, law: Callable[[], None], *, keeps_receipts: bool = False) -> None:
        """`law`: its native entry."""
        self._law = law
        self._keeps_receipts = keeps_receipts

    async def execute(self, ledger: Ledger, batch: Batch, first: int) -> Execution:
        """See `Executor`."""
        _require_base(ledger, batch)
        executing = Executing(
            self._law, ledger.state.copy(), batch.inputs, first, keeps_receipts=self._keeps_receipts
        )
        for _ in range(0, len(batch.inputs), SLICE):
            executing.apply_some(SLICE)
            await asyncio.sleep(0)
        return executing.finish()[0]

    async def compute_root_again(self, ledger: Ledger, numbers: Sequence[int]) -> bytes:
        """See `Executor`."""
        state = ledger.get_state(numbers[0] - 1)
        # At once: a reorg may come between.
        inputs = [data for number in numbers for data in ledger.get_batch(number).inputs]
        for at, data in enumerate(inputs, start=1):
            state.apply(self._law, data)
            if at % SLICE == 0:
                await asyncio.sleep(0)
        return await asyncio.to_thread(hash_anew, state)


class WorkerExecutor:
    """Runs the law in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Made by `open`."""
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - asked for
        self._process = process
        self._requests, self._answers = process.stdin, process.stdout
        self._turn = asyncio.Lock()
        self._kept: dict[bytes, Execution] = {}  # accumulator of a batch -> what came of it
        self._asking: set[asyncio.Task[Answer]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, preset: str, *, keeps_receipts: bool) -> AsyncIterator["WorkerExecutor"]:
        """A worker that runs the law of `preset`; gone at the end."""
        options = ["--receipts"] if keeps_receipts else []
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "optimist.node.worker",
            preset,
            *options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        executor = cls(process)
        try:
            yield executor
        finally:
            await executor._close()

    @property
    def pid(self) -> int:
        """Of the worker's process."""
        return self._process.pid

    async def execute(self, ledger: Ledger, batch: Batch, first: int) -> Execution:
        """See `Executor`. What was executed a moment ago is not executed again. Raises WorkerDied."""
        kept = self._kept.get(batch.accumulator)
        if kept is not None:
            return kept
        request = Execute(batch.previous_accumulator, batch.accumulator, list(batch.inputs), first)
        while True:
            _require_base(ledger, batch)
            match await self._ask(request):
                case Executed(execution):
                    self._keep(batch.accumulator, execution)
                    return execution
                case _:
                    await self._begin(ledger)

    async def compute_root_again(self, ledger: Ledger, numbers: Sequence[int]) -> bytes:
        """See `Executor`. Raises WorkerDied."""
        inputs = [data for number in numbers for data in ledger.get_batch(number).inputs]
        request = ComputeRoot(ledger.get_accumulator(), ledger.get_rewind(numbers[0] - 1), inputs)
        while True:
            match await self._ask(request):
                case RootComputed(root):
                    return root
                case _ if ledger.get_accumulator() == request.accumulator:
                    await self._begin(ledger)
                case _:
                    raise BaseMoved(f"batch {numbers[-1]} is not the one any more that was to be executed")

    async def _begin(self, ledger: Ledger) -> None:
        await self._ask(Begin(ledger.get_accumulator(), dict(ledger.state.items())))

    def _keep(self, accumulator: bytes, execution: Execution) -> None:
        self._kept[accumulator] = execution
        while len(self._kept) > KEPT_EXECUTIONS:
            del self._kept[next(iter(self._kept))]

    async def _ask(self, request: Request) -> Answer:
        """One after the other. An asker that is cancelled leaves its answer to be read all the same."""
        task = asyncio.create_task(self._exchange(encode(request)))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return await asyncio.shield(task)

    async def _exchange(self, request: bytes) -> Answer:
        async with self._turn:
            try:
                self._requests.write(len(request).to_bytes(LENGTH_BYTES, "big") + request)
                await self._requests.drain()
                length = int.from_bytes(await self._answers.readexactly(LENGTH_BYTES), "big")
                return decode_answer(await self._answers.readexactly(length))
            except (asyncio.IncompleteReadError, OSError) as error:
                code = await self._process.wait()
                raise WorkerDied(
                    f"the process that executes batches ended with code {code}: start again"
                ) from error

    async def _close(self) -> None:
        """At once: a root of a large state takes long, and nobody wants it any more."""
        for task in self._asking:
            task.cancel()
        self._requests.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def _require_base(ledger: Ledger, batch: Batch) -> None:
    if (ledger.batch_count + 1, ledger.get_accumulator()) != (batch.number, batch.previous_accumulator):
        raise BaseMoved(f"batch {batch.number} does not follow batch {ledger.batch_count}")

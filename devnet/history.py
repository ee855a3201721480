"""The whole history of a rollup, read from L1 alone and executed again: events, batches, states, receipts.

For devnets, which are small: it keeps the records after every batch. A node that runs for years is
`optimist/node`; this one shares only the derivation and the law with it, so that each can testify to the
other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from optimist.base.merkle import ZERO
from optimist.derive.batch import Batch, derive_batch
from optimist.l1.client import L1Client, require_header
from optimist.l1.events import BatchSealed, EventReader, Located, QueueItem
from optimist.provable import State
from optimist.vm.records import build_state_tree

Law = Callable[[], None]


@dataclass(frozen=True, slots=True)
class AppliedInput:
    """One input and what the law made of it.

    `code` is 0 when it was accepted; `writes`: (old, new) of every record that changed, by key.
    """

    data: bytes
    code: int
    writes: Mapping[int, tuple[bytes | None, bytes | None]]


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch with its effects. `records`: the whole state after it."""

    batch: Batch
    inputs: tuple[AppliedInput, ...]
    root: bytes
    records: Mapping[int, bytes]
    sealed: Located


@dataclass(slots=True)
class RollupHistory:
    """Everything up to one block. Also a source of batches for whoever replays a range."""

    block: int
    events: list[Located] = field(default_factory=list)
    batches: list[BatchRecord] = field(default_factory=list)  # batch 1 first

    @property
    def batch_count(self) -> int:
        """Number of the last sealed batch."""
        return len(self.batches)

    def get_end_root(self, batch: int) -> bytes | None:
        """State root after `batch`; None while it is not sealed."""
        if batch > len(self.batches):
            return None
        return self.batches[batch - 1].root if batch else ZERO

    def get_batch(self, number: int) -> Batch:
        """The inputs of a batch."""
        return self.batches[number - 1].batch

    def get_input_count(self, batch: int) -> int:
        """Inputs up to and with `batch`."""
        return sum(len(record.inputs) for record in self.batches[:batch])

    def get_records(self, batch: int) -> Mapping[int, bytes]:
        """All records after `batch`, 256 bytes by key."""
        return self.batches[batch - 1].records if batch else {}


async def read_history(
    client: L1Client, addresses: Mapping[str, bytes], first_block: int, law: Law
) -> RollupHistory:
    """All of it up to L1's latest block. Raises DerivationError when what L1 says does not fit together."""
    head = require_header(await client.get_header("latest"), "latest")
    reader = EventReader(dict(addresses))
    logs = await client.get_logs(reader.addresses, first=first_block, last=head.number)
    return replay_history([reader.read(log) for log in logs], head.number, law)


def replay_history(events: Sequence[Located], block: int, law: Law) -> RollupHistory:
    """The history that these events tell, `block` being the last one looked at. Raises DerivationError."""
    history = RollupHistory(block, list(events))
    queue: dict[int, bytes] = {}
    state = State()
    accumulator = ZERO
    for located in events:
        match located.event:
            case QueueItem() as item:
                queue[item.index] = item.input
            case BatchSealed() as sealed:
                taken = range(sealed.queue_from, sealed.queue_from + sealed.queue_count)
                items = [queue[index] for index in taken if index in queue]
                batch = derive_batch(sealed.to_sealed_batch(), items, accumulator)
                accumulator = batch.accumulator
                inputs = tuple(
                    AppliedInput(data, receipt.code, receipt.writes)
                    for data, receipt in ((data, state.apply(law, data)) for data in batch.inputs)
                )
                records = dict(state.items())
                root = build_state_tree(records).root
                history.batches.append(BatchRecord(batch, inputs, root, records, located))
            case _:
                pass
    return history

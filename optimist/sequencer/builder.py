"""Batches in the making: applies inputs to the law's state, one open batch at a time. Pure.

A batch's header names the second of its last input, which is unknown until the batch is sealed. Only the
law's time check reads it, and it stands in a record of its own (BatchLimit): the open batch runs with the
largest limit, and sealing puts the real one into that record. A node that derives the batch from L1 comes to
the same state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from optimist.derive.actions import Action, Sequenced
from optimist.derive.batch import Batch, Header, build_batch
from optimist.derive.commitments import compute_input_hash, compute_soft_history
from optimist.derive.rows import LENGTH_BYTES
from optimist.node.execution import compute_effect
from optimist.provable import Receipt, State
from optimist.stf.inputs import SEQUENCED_KIND_AT, SEQUENCED_SECOND_AT

NO_LIMIT = (1 << 40) - 1  # the largest second that a header can hold
BATCH_LIMIT_KEY = 2 << 40  # table 2, row 0 of the state


class HeadMismatch(Exception):
    """Something belongs to another history than the one it is applied to."""


@dataclass(slots=True)
class Head:
    """The state after a batch, and where the next one goes on: `last` in seconds, `queue_next` an index."""

    state: State
    batch: int
    accumulator: bytes
    last: int
    queue_next: int
    soft_number: int = 0
    soft_history: bytes = bytes(32)


@dataclass(slots=True)
class OpenBatch:
    """The batch that is being filled. `last`: second of its last input, `row_bytes`: its calldata so far."""

    number: int
    first: int
    queue_items: tuple[bytes, ...]
    last: int
    sequenced: list[bytes] = field(default_factory=list)
    row_bytes: int = 0
    stored: set[int] = field(default_factory=set)  # keys of the records that its inputs have stored

    @property
    def count(self) -> int:
        """Inputs so far, header and queue items included."""
        return 1 + len(self.queue_items) + len(self.sequenced)


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A closed batch, ready for the Inbox: `batch` holds its inputs and the accumulator to expect.

    `effect`: of its inputs on the state (`execution.compute_effect`).
    """

    header: Header
    queue_from: int
    queue_count: int
    sequenced: tuple[bytes, ...]
    batch: Batch
    effect: bytes


class Builder:
    """Applies inputs on top of a head; one batch open at a time."""

    def __init__(self, law: Callable[[], None], head: Head) -> None:
        """`law` is the native entry of the law. The builder owns `head` and its state from now on."""
        self._law = law
        self.head = head
        self.open_batch: OpenBatch | None = None
        self._header_receipt: Receipt | None = None  # of the open batch

    @property
    def clock(self) -> int:
        """No input may act before this second."""
        return self.open_batch.last if self.open_batch else self.head.last

    def open(self, first: int, queue_items: Sequence[bytes]) -> OpenBatch:
        """Begin the next batch at `first` with the next items of the queue. Raises HeadMismatch."""
        if self.open_batch is not None:
            raise HeadMismatch(f"batch {self.open_batch.number} is open already")
        if first < self.head.last:
            raise HeadMismatch(
                f"a batch cannot begin at {first}, before the last one ended at {self.head.last}"
            )
        number = self.head.batch + 1
        header = Header(number, first, NO_LIMIT)
        self._header_receipt = self._apply_header(header)
        stored = set(self._header_receipt.keys)
        for data in queue_items:
            # The law may reject it: a settlement that came twice, say. It is in the batch all the same.
            stored.update(self.head.state.apply(self._law, data).keys)
        self.open_batch = OpenBatch(number, first, tuple(queue_items), first, stored=stored)
        return self.open_batch

    def abandon(self) -> bool:
        """Take back an open batch that holds nothing but its header; False when it holds more."""
        batch = self._require_open()
        if batch.count > 1 or self._header_receipt is None:
            return False
        self.head.state.undo(self._header_receipt)
        self.open_batch = None
        return True

    def apply(self, action: Action, second: int) -> tuple[bytes, Receipt]:
        """Sequence an action at `second`, or at the clock if later. A rejected one is not in the batch."""
        data = Sequenced(max(second, self.clock), action).encode()
        return data, self.apply_input(data)

    def apply_input(self, data: bytes) -> Receipt:
        """The same with the input's bytes."""
        batch = self._require_open()
        receipt = self.head.state.apply(self._law, data)
        if not receipt.rejected:
            batch.sequenced.append(data)
            batch.stored.update(receipt.keys)
            batch.row_bytes += LENGTH_BYTES + len(data)
            batch.last = int.from_bytes(data[SEQUENCED_SECOND_AT:SEQUENCED_KIND_AT], "big")
            head = self.head
            head.soft_number += 1
            head.soft_history = compute_soft_history(head.soft_history, compute_input_hash(data))
        return receipt

    def seal(self) -> SealedBatch:
        """Close the open batch at the second of its last input; the next one may be opened."""
        opened = self._require_open()
        head = self.head
        header = Header(opened.number, opened.first, opened.last)
        batch = build_batch(header, opened.queue_items, opened.sequenced, head.accumulator)
        head.state.set_bytes(BATCH_LIMIT_KEY, opened.last.to_bytes(32, "big").ljust(256, b"\0"))
        effect = compute_effect(head.state, opened.stored)
        sequenced = tuple(opened.sequenced)
        sealed = SealedBatch(header, head.queue_next, len(opened.queue_items), sequenced, batch, effect)
        head.batch, head.accumulator, head.last = opened.number, batch.accumulator, opened.last
        head.queue_next += len(opened.queue_items)
        self.open_batch = None
        return sealed

    def _apply_header(self, header: Header) -> Receipt:
        receipt = self.head.state.apply(self._law, header.encode())
        if receipt.rejected:
            raise HeadMismatch(f"the law rejects the header of batch {header.batch} with code {receipt.code}")
        return receipt

    def _require_open(self) -> OpenBatch:
        if self.open_batch is None:
            raise HeadMismatch("no batch is open")
        return self.open_batch

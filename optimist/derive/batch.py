"""A batch: from what L1 says to its ordered inputs, checked; and from inputs to what one posts. PROTOCOL §4.

A batch is [HEADER, queue items, sequenced inputs]; batch 1 is [INIT]. The Inbox commits to all of it in acc,
so `derive_batch` checks every byte that an L1 node told us against one hash that the Inbox computed itself.

    DerivationError     what L1 said does not fit together: an event is missing, altered, of another history
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from optimist.derive.commitments import (
    BATCH_BYTES,
    compute_accumulator,
    compute_chain_links,
    compute_leaf,
)
from optimist.derive.octets import DecodingError, pack_uint
from optimist.derive.rows import decode_rows
from optimist.stf.inputs import MODE_PUBLIC, MODE_SEQUENCER, ORIGIN_HEADER, ORIGIN_INIT, ORIGIN_SEQUENCED

INIT_BATCH: Final = 1
SECOND_BYTES: Final = 5


class DerivationError(ValueError):
    """What L1 said about a batch does not fit together."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the Inbox writes in front of every batch but the first. Seconds; mode 0 sequencer, 1 public."""

    batch: int
    first: int
    last: int
    mode: int = MODE_SEQUENCER

    def encode(self) -> bytes:
        """The HEADER input: 20 bytes."""
        return (
            bytes((ORIGIN_HEADER,))
            + pack_uint("batch", self.batch, BATCH_BYTES)
            + pack_uint("first", self.first, SECOND_BYTES)
            + pack_uint("last", self.last, SECOND_BYTES)
            + pack_uint("mode", self.mode, 1)
        )


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """What the Inbox says when it seals a batch. `rows`: its sequenced inputs (batch 1: the INIT input)."""

    batch: int
    accumulator: bytes
    first: int
    last: int
    mode: int
    queue_from: int
    queue_count: int
    rows: bytes


@dataclass(frozen=True)
class Batch:
    """The ordered inputs of one batch, and the commitments to them."""

    number: int
    inputs: tuple[bytes, ...]
    previous_accumulator: bytes

    @cached_property
    def links(self) -> list[bytes]:
        """[c(0), ..., c(n)]."""
        return compute_chain_links(self.inputs)

    @property
    def head(self) -> bytes:
        """c(0)."""
        return self.links[0]

    @cached_property
    def accumulator(self) -> bytes:
        """The accumulator acc(b): commits to this batch and to all before it."""
        return compute_accumulator(self.previous_accumulator, self.head, len(self.inputs))

    def compute_leaf(self, root: bytes, index: int) -> bytes:
        """The leaf after input `index` (from 0), where the state root is `root`."""
        return compute_leaf(root, self.number, self.links[index + 1])


def build_batch(
    header: Header, queue_items: Sequence[bytes], sequenced: Sequence[bytes], previous_accumulator: bytes
) -> Batch:
    """The batch that the Inbox will make of these parts; appendBatch must expect its `accumulator`."""
    inputs = (header.encode(), *queue_items, *sequenced)
    return Batch(number=header.batch, inputs=inputs, previous_accumulator=previous_accumulator)


def derive_batch(sealed: SealedBatch, queue_items: Sequence[bytes], previous_accumulator: bytes) -> Batch:
    """The batch that `sealed` announces. `queue_items` are the inputs of the items that it took, in order.

    Raises DerivationError unless it hashes to the accumulator that the Inbox computed.
    """
    if len(queue_items) != sealed.queue_count:
        raise DerivationError(
            f"batch {sealed.batch} takes {sealed.queue_count} queue items from {sealed.queue_from} on, "
            f"but L1 showed only {len(queue_items)} of them"
        )
    try:
        rows = decode_rows(sealed.rows)
    except DecodingError as error:
        raise DerivationError(f"rows of batch {sealed.batch}: {error}") from error
    if sealed.batch == INIT_BATCH:
        batch = Batch(INIT_BATCH, _check_init(sealed, rows), previous_accumulator)
    else:
        _check_origins(sealed, rows)
        header = Header(sealed.batch, sealed.first, sealed.last, sealed.mode)
        batch = build_batch(header, queue_items, rows, previous_accumulator)
    if batch.accumulator != sealed.accumulator:
        raise DerivationError(
            f"batch {sealed.batch} hashes to 0x{batch.accumulator.hex()}, "
            f"but the Inbox says 0x{sealed.accumulator.hex()}: "
            "an event is missing, altered or of another history"
        )
    return batch


def _check_init(sealed: SealedBatch, rows: list[bytes]) -> tuple[bytes, ...]:
    if len(rows) != 1 or rows[0][0] != ORIGIN_INIT or sealed.queue_count:
        raise DerivationError("batch 1 must be the single INIT input that the Inbox wrote")
    return tuple(rows)


def _check_origins(sealed: SealedBatch, rows: list[bytes]) -> None:
    if sealed.mode not in (MODE_SEQUENCER, MODE_PUBLIC):
        raise DerivationError(f"batch {sealed.batch} has the unknown mode {sealed.mode}")
    if sealed.mode == MODE_PUBLIC and rows:
        raise DerivationError(f"public batch {sealed.batch} must not hold sequenced inputs")
    for index, data in enumerate(rows):
        if data[0] != ORIGIN_SEQUENCED:
            raise DerivationError(
                f"row {index} of batch {sealed.batch} has origin {data[0]}, not {ORIGIN_SEQUENCED}"
            )

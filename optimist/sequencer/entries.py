"""What the sequencer's journal remembers, and its bytes. Pure.

One journal record is everything that one action caused, so that a crash keeps all of it or nothing:

    record = (kind:1 | length:2 | payload)+

    OPENED    a batch was opened: its first second and which queue items it takes, with a hash of them: a
              reorg may put others in their place
    ORDER     what remained of a signed order went into the book
    DROPPED   a resting order left the book without being filled
    INPUT     a sequenced input that the law accepted
    SEALED    the open batch was closed at `last`; `accumulator` is what the Inbox must compute
    VOIDED    what was journaled for batch `batch` and after it counts no more: L1 has another one in its
              place, or no longer has the queue items in it. What could be saved follows in the same record,
              all resting orders and switches included
    SNAPSHOT  nothing before this record is needed by whoever finds batch `batch` on L1: the resting orders
              and switches at its end follow, `orders` of them
    SWITCH    an account's dead-man switch was set; deadline 0: it is off
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import msgspec

from optimist.derive.octets import DecodingError, Reader, pack_bytes, pack_uint

HASH_BYTES: Final = 32


class Opened(msgspec.Struct, frozen=True):
    """Batch `batch` begins: it acts at `first` on queue items queue_from .. queue_from + queue_count - 1.

    `queue_head`: of these items alone (`commitments.compute_chain_links`).
    """

    KIND: ClassVar[int] = 1

    batch: int
    first: int
    queue_from: int
    queue_count: int
    queue_head: bytes
    previous_accumulator: bytes

    def encode(self) -> bytes:
        """The payload."""
        return (
            pack_uint("batch", self.batch, 8)
            + pack_uint("first", self.first, 5)
            + pack_uint("queue from", self.queue_from, 8)
            + pack_uint("queue count", self.queue_count, 2)
            + pack_bytes("queue head", self.queue_head, HASH_BYTES)
            + pack_bytes("previous accumulator", self.previous_accumulator, HASH_BYTES)
        )


class OrderPlaced(msgspec.Struct, frozen=True):
    """An order went into the book with `remaining` unfilled; `order` is `SignedOrder.encode`."""

    KIND: ClassVar[int] = 2

    market: int
    remaining: int
    order: bytes

    def encode(self) -> bytes:
        """The payload."""
        return pack_uint("market", self.market, 2) + pack_uint("remaining", self.remaining, 8) + self.order


class OrderDropped(msgspec.Struct, frozen=True):
    """A resting order left the book; `code` is the law's reason, or one of `api/errors.py`."""

    KIND: ClassVar[int] = 3

    order_id: bytes
    code: int

    def encode(self) -> bytes:
        """The payload."""
        return pack_bytes("order id", self.order_id, HASH_BYTES) + pack_uint("code", self.code, 2)


class InputAccepted(msgspec.Struct, frozen=True):
    """A sequenced input, whole."""

    KIND: ClassVar[int] = 4

    data: bytes

    def encode(self) -> bytes:
        """The payload."""
        return self.data


class Sealed(msgspec.Struct, frozen=True):
    """The open batch is closed."""

    KIND: ClassVar[int] = 5

    batch: int
    last: int
    accumulator: bytes

    def encode(self) -> bytes:
        """The payload."""
        return (
            pack_uint("batch", self.batch, 8)
            + pack_uint("last", self.last, 5)
            + pack_bytes("accumulator", self.accumulator, HASH_BYTES)
        )


class Voided(msgspec.Struct, frozen=True):
    """Batch `batch` of ours, and what follows it, cannot be posted any more."""

    KIND: ClassVar[int] = 6

    batch: int

    def encode(self) -> bytes:
        """The payload."""
        return pack_uint("batch", self.batch, 8)


class Snapshot(msgspec.Struct, frozen=True):
    """Batch `batch` is sealed, none is open; `orders` entries follow that make the books as they are."""

    KIND: ClassVar[int] = 7

    batch: int
    accumulator: bytes
    orders: int

    def encode(self) -> bytes:
        """The payload."""
        return (
            pack_uint("batch", self.batch, 8)
            + pack_bytes("accumulator", self.accumulator, HASH_BYTES)
            + pack_uint("orders", self.orders, 8)
        )


class SwitchSet(msgspec.Struct, frozen=True):
    """After second `deadline` all orders of the account leave the books. `nonce` only rises."""

    KIND: ClassVar[int] = 8

    account: int
    deadline: int
    nonce: int

    def encode(self) -> bytes:
        """The payload."""
        return (
            pack_uint("account", self.account, 5)
            + pack_uint("deadline", self.deadline, 5)
            + pack_uint("nonce", self.nonce, 8)
        )


Entry = Opened | OrderPlaced | OrderDropped | InputAccepted | Sealed | Voided | Snapshot | SwitchSet


def encode_record(entries: Sequence[Entry]) -> bytes:
    """The journal record of everything that one action caused. Raises ValueError when that is nothing."""
    if not entries:
        raise ValueError("a journal record of nothing")
    parts = []
    for entry in entries:
        payload = entry.encode()
        parts.append(bytes((entry.KIND,)) + pack_uint("length", len(payload), 2) + payload)
    return b"".join(parts)


def decode_record(record: bytes) -> Iterator[Entry]:
    """The entries of one journal record. Raises DecodingError for bytes that this module did not write."""
    reader = Reader(record)
    at = 0
    while at < len(record):
        kind = reader.uint("kind", 1)
        length = reader.uint("length", 2)
        yield _decode_entry(kind, reader.bytes("payload", length))
        at += 3 + length


def _decode_entry(kind: int, payload: bytes) -> Entry:
    reader = Reader(payload)
    entry: Entry
    match kind:
        case Opened.KIND:
            entry = Opened(
                reader.uint("batch", 8),
                reader.uint("first", 5),
                reader.uint("queue from", 8),
                reader.uint("queue count", 2),
                reader.bytes("queue head", HASH_BYTES),
                reader.bytes("previous accumulator", HASH_BYTES),
            )
        case OrderPlaced.KIND:
            entry = OrderPlaced(
                reader.uint("market", 2),
                reader.uint("remaining", 8),
                reader.bytes("order", len(payload) - 10),
            )
        case OrderDropped.KIND:
            entry = OrderDropped(reader.bytes("order id", HASH_BYTES), reader.uint("code", 2))
        case InputAccepted.KIND:
            entry = InputAccepted(reader.bytes("input", len(payload)))
        case Sealed.KIND:
            entry = Sealed(
                reader.uint("batch", 8), reader.uint("last", 5), reader.bytes("accumulator", HASH_BYTES)
            )
        case Voided.KIND:
            entry = Voided(reader.uint("batch", 8))
        case Snapshot.KIND:
            entry = Snapshot(
                reader.uint("batch", 8), reader.bytes("accumulator", HASH_BYTES), reader.uint("orders", 8)
            )
        case SwitchSet.KIND:
            entry = SwitchSet(reader.uint("account", 5), reader.uint("deadline", 5), reader.uint("nonce", 8))
        case _:
            raise DecodingError(f"journal entry of unknown kind {kind}: written by a newer version?")
    reader.end()
    return entry

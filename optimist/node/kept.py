"""Batches and logs as the state store keeps them."""

import msgspec

from optimist.l1.types import Log
from optimist.node.ledger import AppliedBatch

_batches: msgspec.msgpack.Decoder[AppliedBatch] = msgspec.msgpack.Decoder(AppliedBatch)
_logs: msgspec.msgpack.Decoder[Log] = msgspec.msgpack.Decoder(Log)


def encode_batch(applied: AppliedBatch) -> bytes:
    """A batch and its effects."""
    return msgspec.msgpack.encode(applied)


def decode_batch(data: bytes) -> AppliedBatch:
    """The inverse of `encode_batch`. Raises ValueError on bytes that it did not write."""
    return _batches.decode(data)


def encode_log(entry: Log) -> bytes:
    """A log of L1."""
    return msgspec.msgpack.encode(entry)


def decode_log(data: bytes) -> Log:
    """The inverse of `encode_log`. Raises ValueError on bytes that it did not write."""
    return _logs.decode(data)

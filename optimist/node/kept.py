"""Batches and logs as the state store keeps them. A byte before a batch says whether it is forgotten."""

from typing import Final

import msgspec

from optimist.l1.types import Log
from optimist.node.ledger import AppliedBatch, BatchEnd

_WHOLE: Final = b"\x00"
_END: Final = b"\x01"
_batches: msgspec.msgpack.Decoder[AppliedBatch] = msgspec.msgpack.Decoder(AppliedBatch)
_ends: msgspec.msgpack.Decoder[BatchEnd] = msgspec.msgpack.Decoder(BatchEnd)
_logs: msgspec.msgpack.Decoder[Log] = msgspec.msgpack.Decoder(Log)


def encode_batch(batch: AppliedBatch | BatchEnd) -> bytes:
    """A batch and its effects, or where it ended when it is forgotten."""
    tag = _END if isinstance(batch, BatchEnd) else _WHOLE
    return tag + msgspec.msgpack.encode(batch)


def decode_batch(data: bytes) -> AppliedBatch | BatchEnd:
    """The inverse of `encode_batch`. Raises ValueError on bytes that it did not write."""
    match data[:1]:
        case tag if tag == _WHOLE:
            return _batches.decode(data[1:])
        case tag if tag == _END:
            return _ends.decode(data[1:])
        case tag:
            raise ValueError(f"a kept batch begins with {tag!r}: another version has written it")


def encode_log(entry: Log) -> bytes:
    """A log of L1."""
    return msgspec.msgpack.encode(entry)


def decode_log(data: bytes) -> Log:
    """The inverse of `encode_log`. Raises ValueError on bytes that it did not write."""
    return _logs.decode(data)

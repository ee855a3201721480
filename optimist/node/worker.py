"""The process in which a sequencer executes batches once more: `python -m optimist.node.worker PRESET`.

Requests come in on stdin, answers go out on stdout, each behind its length. It ends when stdin does, so it
never outlives whoever asks; signals meant for the whole group are theirs to obey. It runs at a lower priority
than its parent, whose traders wait.
"""

import os
import signal
import sys
from typing import BinaryIO, Final

import msgspec

from optimist.node.execution import Execution
from optimist.node.replica import Replica
from optimist.prove.law import load_law

LENGTH_BYTES: Final = 8
NICENESS: Final = 5


class Begin(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Follow a ledger whose last batch has this accumulator, from these records on."""

    accumulator: bytes
    records: dict[int, bytes]


class Execute(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Execute the batch of these inputs behind the one with the accumulator `previous`."""

    previous: bytes
    accumulator: bytes
    inputs: list[bytes]
    first: int


class ComputeRoot(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """State root after inputs, executed where `rewind` leads from behind `accumulator`."""

    accumulator: bytes
    rewind: dict[int, bytes]
    inputs: list[bytes]


class Begun(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Ready."""


class Executed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What came of a batch."""

    execution: Execution


class RootComputed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A state root."""

    root: bytes


class Unknown(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The batch to begin behind is not known here: begin anew."""


Request = Begin | Execute | ComputeRoot
Answer = Begun | Executed | RootComputed | Unknown

encode = msgspec.msgpack.Encoder().encode
_request_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def decode_answer(data: bytes) -> Answer:
    """What a worker has answered. Raises msgspec.ValidationError."""
    return _answer_decoder.decode(data)


def answer(replica: Replica, request: Request) -> Answer:
    """Do what is asked."""
    match request:
        case Begin():
            replica.begin(request.accumulator, request.records)
            return Begun()
        case Execute():
            execution = replica.execute(request.previous, request.accumulator, request.inputs, request.first)
            return Unknown() if execution is None else Executed(execution)
        case ComputeRoot():
            root = replica.compute_root(request.accumulator, request.rewind, request.inputs)
            return Unknown() if root is None else RootComputed(root)


def serve(requests: BinaryIO, answers: BinaryIO, replica: Replica) -> None:
    """Answer until nobody asks any more, even in the middle of a question: then its asker was killed."""
    while head := requests.read(LENGTH_BYTES):
        length = int.from_bytes(head, "big")
        body = requests.read(length)
        if len(head) < LENGTH_BYTES or len(body) < length:
            return
        data = encode(answer(replica, _request_decoder.decode(body)))
        answers.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
        answers.flush()


def main(arguments: list[str]) -> None:
    """Serve on stdin and stdout. `arguments`: the preset, and --receipts when receipts are kept."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICENESS)
    preset, *options = arguments
    replica = Replica(load_law(preset).native, keeps_receipts="--receipts" in options)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer, replica)
    except BrokenPipeError:
        os._exit(0)  # whoever asked is gone: nobody is there to take what would be flushed


if __name__ == "__main__":
    main(sys.argv[1:])

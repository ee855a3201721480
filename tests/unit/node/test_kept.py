"""What the store keeps of a batch reads back as it was, whole or forgotten."""

import pytest

from optimist.derive.batch import Batch
from optimist.node.kept import decode_batch, encode_batch
from optimist.node.ledger import AppliedBatch

APPLIED = AppliedBatch(
    batch=Batch(7, (b"\x01header", b"\x05trade"), b"\x0a" * 32),
    first=100,
    last=120,
    root=b"\x0b" * 32,
    codes=(0, 21),
    undo={5 << 40 | 3: b"\x0c" * 256},
    input_count=90,
    queue_next=4,
    soft_number=60,
    soft_history=b"\x0d" * 32,
)


def test_batch_reads_back_whole_or_forgotten() -> None:
    for batch in (APPLIED, APPLIED.end):
        assert decode_batch(encode_batch(batch)) == batch


def test_end_of_a_batch_says_where_it_ended_and_holds_nothing_of_it() -> None:
    end = APPLIED.end
    assert (end.number, end.root, end.input_count, end.queue_next) == (7, b"\x0b" * 32, 90, 4)
    assert (end.accumulator, end.rejected) == (APPLIED.batch.accumulator, 1)
    assert len(encode_batch(end)) < 200 < len(encode_batch(APPLIED))


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x00", b"\x01\x80", b"\x01" + encode_batch(APPLIED)[1:]])
def test_bytes_that_nobody_wrote_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_batch(data)

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.batch import Batch, DerivationError, Header, SealedBatch, build_batch, derive_batch
from optimist.derive.commitments import ZERO, compute_accumulator, compute_chain_links, compute_leaf
from optimist.derive.rows import encode_rows

PREVIOUS = b"\x77" * 32
INIT = b"\x01" + b"init"
QUEUE = (b"\x03" + bytes(33), b"\x04" + bytes(40))
SEQUENCED = (b"\x05" + bytes(5) + b"a", b"\x05")


def seal(batch: Batch, header: Header, queue: int, sequenced: tuple[bytes, ...]) -> SealedBatch:
    return SealedBatch(
        batch=batch.number,
        accumulator=batch.accumulator,
        first=header.first,
        last=header.last,
        mode=header.mode,
        queue_from=0,
        queue_count=queue,
        rows=encode_rows(sequenced),
    )


def make(
    queue: tuple[bytes, ...] = QUEUE, sequenced: tuple[bytes, ...] = SEQUENCED, mode: int = 0
) -> SealedBatch:
    header = Header(batch=2, first=1_000, last=1_010, mode=mode)
    return seal(build_batch(header, queue, sequenced, PREVIOUS), header, len(queue), sequenced)


def test_header_bytes() -> None:
    assert (
        Header(batch=258, first=1, last=2, mode=1).encode().hex() == "020000000000000102000000000100000000"
        "0201"
    )


def test_batch_is_header_then_queue_then_sequenced() -> None:
    batch = derive_batch(make(), QUEUE, PREVIOUS)
    assert batch.inputs == (Header(2, 1_000, 1_010, 0).encode(), *QUEUE, *SEQUENCED)
    assert batch.head == compute_chain_links(batch.inputs)[0]
    assert batch.accumulator == compute_accumulator(PREVIOUS, batch.head, 5)


def test_leaf_after_the_last_input_of_a_batch_has_the_zero_link() -> None:
    batch = derive_batch(make(), QUEUE, PREVIOUS)
    assert batch.compute_leaf(b"\x01" * 32, 4) == compute_leaf(b"\x01" * 32, 2, ZERO)
    assert batch.compute_leaf(b"\x01" * 32, 0) == compute_leaf(b"\x01" * 32, 2, batch.links[1])


def test_batch_one_is_the_init_input_alone() -> None:
    batch = Batch(1, (INIT,), ZERO)
    sealed = SealedBatch(1, batch.accumulator, 5, 5, 0, 0, 0, encode_rows([INIT]))
    assert derive_batch(sealed, (), ZERO).inputs == (INIT,)
    for rows in ([], [INIT, INIT], [b"\x05init"]):
        with pytest.raises(DerivationError, match="single INIT"):
            derive_batch(replace(sealed, rows=encode_rows(rows)), (), ZERO)


def test_missing_queue_item_is_noticed() -> None:
    with pytest.raises(DerivationError, match="showed only 1"):
        derive_batch(make(), QUEUE[:1], PREVIOUS)


def test_swapped_queue_items_are_noticed() -> None:
    with pytest.raises(DerivationError, match="missing, altered or of another history"):
        derive_batch(make(), QUEUE[::-1], PREVIOUS)


def test_batch_on_another_history_is_noticed() -> None:
    with pytest.raises(DerivationError, match="another history"):
        derive_batch(make(), QUEUE, b"\x78" * 32)


@given(st.sampled_from(["batch", "first", "last", "mode"]))
def test_altered_header_field_is_noticed(field: str) -> None:
    sealed = make(sequenced=())
    with pytest.raises(DerivationError):
        derive_batch(replace(sealed, **{field: getattr(sealed, field) + 1}), QUEUE, PREVIOUS)


@given(st.data())
def test_any_flipped_bit_of_the_rows_is_noticed(data: st.DataObject) -> None:
    sealed = make()
    bit = data.draw(st.integers(0, 8 * len(sealed.rows) - 1))
    rows = bytearray(sealed.rows)
    rows[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DerivationError):
        derive_batch(replace(sealed, rows=bytes(rows)), QUEUE, PREVIOUS)


@pytest.mark.parametrize("origin", [0, 1, 2, 3, 4, 6, 255])
def test_sequenced_input_of_another_origin_is_refused_even_with_a_true_accumulator(origin: int) -> None:
    with pytest.raises(DerivationError, match=f"origin {origin}"):
        derive_batch(make(sequenced=(bytes((origin,)),)), QUEUE, PREVIOUS)


def test_public_batch_holds_nothing_sequenced() -> None:
    with pytest.raises(DerivationError, match="must not hold sequenced"):
        derive_batch(make(mode=1), QUEUE, PREVIOUS)
    assert len(derive_batch(make(sequenced=(), mode=1), QUEUE, PREVIOUS).inputs) == 3

"""Any bytes at all before the batch decoder: refused in words, or understood exactly, and in bounds."""

import time
import tracemalloc
from collections.abc import Callable

import pytest

from optimist.derive.batch import DerivationError, SealedBatch, derive_batch
from optimist.derive.decode import decode
from optimist.derive.octets import DecodingError
from optimist.derive.rows import decode_rows
from optimist.stf.inputs import ORIGIN_INIT, ORIGIN_SEQUENCED
from tests.support.decoder_fuzz import DecoderFuzz

CALLDATA = 128 * 1024  # what one transaction can carry


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    ("cases", "machine_every"), [(12_000, 60), pytest.param(1_000_000, 200, marks=pytest.mark.long)]
)
def test_spoilt_bytes_are_refused_or_understood_exactly(cases: int, machine_every: int) -> None:
    seed = int(time.time())
    fuzz = DecoderFuzz(seed, machine_every=machine_every)
    fuzz.run(cases)
    figures = "\n".join(f"  {name:<28s}{count:>9d}" for name, count in sorted(fuzz.figures.items()))
    print(f"\ndecoder fuzz, seed {seed}: {cases / fuzz.seconds:,.0f} cases/s\n{figures}")
    for name in (
        "rows decoded",
        "rows refused",
        "batches derived",
        "batches refused",
        "inputs decoded",
        "inputs refused",
        "forced payloads decoded",
        "forced payloads refused",
        "journal records decoded",
        "journal records refused",
        "accepted by the law",
        "rejected by the law",
        "the same on the machine",
    ):
        assert fuzz.figures[name] > cases // 5_000, f"hardly ever {name}: the fuzz tests nothing"


def measure(work: Callable[[], object]) -> tuple[int, float]:
    """(peak bytes, seconds) of a piece of work."""
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1], seconds
    finally:
        tracemalloc.stop()


def refuse(rows: bytes) -> None:
    with pytest.raises(DecodingError):
        decode_rows(rows)


def refuse_init(count: int) -> None:
    """An INIT that claims so many markets: its count is the byte before them."""
    with pytest.raises(DecodingError):
        decode(bytes((ORIGIN_INIT,)) + bytes(53) + bytes((3, 255, count)) + bytes(900))


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda: decode_rows(b"\0\1\5" * (CALLDATA // 3)), id="as many inputs as fit"),
        pytest.param(
            lambda: refuse(b"\0\1\5" * (CALLDATA // 3) + b"\0"), id="the same and one byte too many"
        ),
        pytest.param(lambda: refuse(b"\xff" * CALLDATA), id="lengths beyond the rules"),
        pytest.param(lambda: refuse(b"\4\0"), id="a length and nothing behind it"),
        pytest.param(lambda: refuse(bytes(CALLDATA)), id="empty inputs"),
        pytest.param(lambda: refuse_init(255), id="255 markets that are not there"),
    ],
)
def test_memory_and_time_are_bounded_by_the_bytes_that_are_present(work: Callable[[], object]) -> None:
    """There is no compression, and no count is believed: the worst is one small object for three bytes."""
    peak, seconds = measure(work)
    assert peak < 40 * CALLDATA
    assert seconds < 0.5


def test_batch_of_the_worst_rows_is_derived_within_its_bounds() -> None:
    rows = bytes((0, 1, ORIGIN_SEQUENCED)) * (CALLDATA // 3)
    sealed = SealedBatch(2, bytes(32), 5, 9, 0, 0, 0, rows)

    def work() -> None:
        with pytest.raises(DerivationError, match="hashes to"):
            derive_batch(sealed, (), bytes(32))

    peak, seconds = measure(work)
    assert peak < 200 * CALLDATA
    assert seconds < 2

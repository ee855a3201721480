"""Price files are read exactly or refused with a reason; the generated crash is one."""

from pathlib import Path

import pytest

from devnet.prices import (
    PRICE_SCALE,
    BadPriceFile,
    Bar,
    compress,
    compute_ticks,
    generate_crash,
    read_bars,
)

ROWS = """\
1760129580000,115708.60,115827.50,115007.00,115059.90,4643.973,57917
1760129640000,115059.80,115373.00,115005.10,115328.10,1975.863,38715
"""
HEADER = "open_time_ms,open,high,low,close,volume_btc,trades\n"
BARS = [
    Bar(1760129580, 11570860000000, 11582750000000, 11500700000000, 11505990000000),
    Bar(1760129640, 11505980000000, 11537300000000, 11500510000000, 11532810000000),
]


def write(folder: Path, text: str) -> Path:
    path = folder / "klines.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", [ROWS, HEADER + ROWS, HEADER + ROWS.replace("\n", "\r\n") + "\r\n"])
def test_klines_are_read_exactly_with_and_without_header(tmp_path: Path, text: str) -> None:
    assert read_bars(write(tmp_path, text)) == BARS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no bar"),
        (HEADER, "holds no bar"),
        (HEADER + "1,2,3\n", "line 2: 3 columns"),
        (HEADER + "soon,2,3,1,2\n", "line 2: open time 'soon'"),
        (HEADER + "1,2,3,1,NaN\n", "line 2: 'NaN' is not a positive price"),
        (HEADER + "1,2,3,1,x\n", "line 2: 'x' is not a price"),
        (HEADER + "1,2,3,-1,2\n", "'-1' is not a positive price"),
        (HEADER + "1,2,3,1,1.000000001\n", "at most 8 decimals"),
        (HEADER + "1,2,3,2.5,2\n", "not between low 2.5 and high 3"),
        (ROWS + ROWS, "line 3: opens at 1760129580, not after 1760129640"),
    ],
)
def test_what_is_not_a_price_file_is_refused_with_line_and_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(BadPriceFile, match=reason):
        read_bars(write(tmp_path, text))


def test_generated_crash_is_repeatable_falls_and_recovers_in_part() -> None:
    bars = generate_crash(7)
    assert bars == generate_crash(7) != generate_crash(8)
    start, bottom, end = bars[0].open, min(bar.low for bar in bars), bars[-1].close
    assert start == 100_000 * PRICE_SCALE
    assert bottom < start * 87 // 100
    assert bottom * 103 // 100 < end < start * 98 // 100
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)


@pytest.mark.parametrize("count", [1, 7, 39, 40, 100])
def test_compress_keeps_ends_and_range(count: int) -> None:
    bars = generate_crash(1)
    short = compress(bars, count)
    assert len(short) == min(count, len(bars))
    assert (short[0].open, short[-1].close) == (bars[0].open, bars[-1].close)
    assert min(bar.low for bar in short) == min(bar.low for bar in bars)
    assert max(bar.high for bar in short) == max(bar.high for bar in bars)


def test_ticks_visit_the_low_of_a_falling_bar_and_the_high_of_a_rising_one() -> None:
    falling, rising, at_its_low = Bar(0, 10, 12, 5, 6), Bar(60, 6, 11, 4, 9), Bar(120, 9, 9, 3, 3)
    assert compute_ticks([falling, rising, at_its_low]) == [5, 6, 11, 9, 3]

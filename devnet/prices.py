"""The price path that drives the devnet's market: bars from a file of an exchange, or a crash from a seed.

Prices are integers in 1e-8 USD, as the law wants them; nothing here is a float.
"""

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

PRICE_SCALE = 10**8  # 1e-8 USD
PPM = 10**6
MINUTE = 60  # s
COLUMNS = ("open_time_ms", "open", "high", "low", "close")


class BadPriceFile(ValueError):
    """The file is not what an exchange exports as klines; the message names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a market did in one stretch of time. `time`: its opening in seconds; prices in 1e-8 USD."""

    time: int
    open: int
    high: int
    low: int
    close: int


def read_bars(path: Path) -> list[Bar]:
    """Bars of a CSV file of klines: open_time_ms,open,high,low,close,… with or without a header.

    Raises BadPriceFile when a line is not a bar, the times do not increase, or there is no bar at all.
    """
    bars: list[Bar] = []
    with path.open(newline="") as file:
        for number, row in enumerate(csv.reader(file), start=1):
            if not row or (number == 1 and not row[0].strip().isdigit()):
                continue  # blank, or the header
            try:
                bar = _parse_row(row)
            except ValueError as error:
                raise BadPriceFile(f"{path}, line {number}: {error}") from error
            if bars and bar.time <= bars[-1].time:
                raise BadPriceFile(f"{path}, line {number}: opens at {bar.time}, not after {bars[-1].time}")
            bars.append(bar)
    if not bars:
        raise BadPriceFile(f"{path} holds no bar; expected lines of {','.join(COLUMNS)}")
    return bars


def generate_crash(
    seed: int, *, bars: int = 40, start: int = 100_000 * PRICE_SCALE, depth_ppm: int = 160_000
) -> list[Bar]:
    """A market that idles, falls by about `depth_ppm` in a third of the time, and recovers half of that.

    The same seed gives the same bars on every machine. `start` in 1e-8 USD; one bar is a minute.
    """
    if bars < 6:
        raise ValueError(f"a crash takes at least 6 bars, not {bars}")
    chance = random.Random(seed)
    idle, fall = bars // 3, bars // 3
    recover = bars - idle - fall
    drifts = [0] * idle + [-depth_ppm // fall] * fall + [depth_ppm // (2 * recover)] * recover
    result = []
    price = start
    for number, drift in enumerate(drifts):
        noise = chance.randint(-2_000, 2_000)  # ppm (= 0.2 %)
        close = price * (PPM + drift + noise) // PPM
        wick = [chance.randint(0, 3_000) for _ in range(2)]  # ppm
        high = max(price, close) * (PPM + wick[0]) // PPM
        low = min(price, close) * (PPM - wick[1]) // PPM
        result.append(Bar(number * MINUTE, price, high, low, close))
        price = close
    return result


def compress(bars: Sequence[Bar], count: int) -> list[Bar]:
    """The same market in at most `count` longer bars. Highs and lows survive."""
    if count < 1:
        raise ValueError(f"cannot compress to {count} bars")
    if len(bars) <= count:
        return list(bars)
    edges = [number * len(bars) // count for number in range(count + 1)]
    return [_merge(bars[first:last]) for first, last in pairwise(edges)]


def compute_ticks(bars: Iterable[Bar]) -> list[int]:
    """Prices in the order of trading: each bar's extreme on the side of its move, then its close.

    One or two ticks a bar (the extreme is left out when it is the close).
    """
    ticks = []
    for bar in bars:
        extreme = bar.low if bar.close < bar.open else bar.high
        if extreme != bar.close:
            ticks.append(extreme)
        ticks.append(bar.close)
    return ticks


def _parse_row(row: Sequence[str]) -> Bar:
    if len(row) < len(COLUMNS):
        raise ValueError(f"{len(row)} columns; expected {','.join(COLUMNS)}")
    time_ms = row[0].strip()
    if not time_ms.isdigit():
        raise ValueError(f"open time {time_ms!r} is not a number of milliseconds")
    opened, high, low, close = (_parse_price(cell) for cell in row[1:5])
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError(f"open {row[1]} and close {row[4]} are not between low {row[3]} and high {row[2]}")
    return Bar(int(time_ms) // 1000, opened, high, low, close)


def _parse_price(cell: str) -> int:
    """A decimal in USD as 1e-8 USD. Raises ValueError when it is no positive price of at most 8 decimals."""
    try:
        scaled = Decimal(cell.strip()) * PRICE_SCALE
    except InvalidOperation as error:
        raise ValueError(f"{cell!r} is not a price") from error
    if not scaled.is_finite() or scaled <= 0 or scaled != int(scaled) or scaled >= 1 << 60:
        raise ValueError(f"{cell!r} is not a positive price of at most 8 decimals")
    return int(scaled)


def _merge(bars: Sequence[Bar]) -> Bar:
    return Bar(
        bars[0].time,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
    )

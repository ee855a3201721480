"""Funding figures of other exchanges, replayed on our law: whole inputs wherever a case can be told in them.

See `tests/support/external_cases.py` for where they are. Where we differ on purpose the test pins down both
figures, and docs/adr/0034 says why.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from optimist.derive.actions import MarketParameters
from optimist.provable import State
from optimist.stf.codes import Code
from optimist.stf.constants import BILLION, MAX_FUNDING_RATE, PERPETUAL_FEED
from optimist.stf.funding import compute_premium, compute_rate
from optimist.stf.law import get_law
from optimist.stf.records import FundingRule
from tests.support.external_cases import exact, read_cases, replays
from tests.support.world import FREE, OK, PRICE, USD, World, build_init

HOUR = 3_600
PERCENT = 10_000_000  # in 1e-9: with size decimals 2 an hour of it pays size * price / 10^6

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    return {case["id"]: case for case in read_cases()}


class Venue:
    """One market without fees at an index of `price` (1e-8 USD); nothing moves but funding."""

    def __init__(self, price: int, **terms: Any) -> None:
        market: MarketParameters = replace(
            FREE,
            lot=1,
            gap_seconds=10**6,
            max_rate=MAX_FUNDING_RATE,
            smoothing_seconds=60,
            max_premium=BILLION,
        )
        self.index = price
        self.world = World(
            markets=(replace(market, **terms),), trade_heartbeat=10**6, liquidation_heartbeat=10**6
        )
        for account in range(1, 7):
            self.world.deposit(account, 10**7)
        self.tick(0)

    @classmethod
    def with_interest(cls, rate: int, price: int, decimals: int = 8) -> "Venue":
        """An hourly `rate` (1e-9) from interest alone."""
        return cls(price, interest=8 * rate, damper=8 * rate, size_decimals=decimals)

    def tick(self, seconds: int) -> None:
        """A round of the index, `seconds` later."""
        self.world.second += seconds
        assert self.world.price(0, Fraction(self.index, PRICE)) == OK

    def trade(self, buyer: int, seller: int, size: int, price: int | None = None) -> None:
        assert self.world.trade(buyer, seller, size, Fraction(price or self.index, PRICE)) == OK

    def set_premium(self, premium: int) -> None:
        """Let the last fill and the world outside agree on a premium of 1e-9, for a minute."""
        price = Fraction(self.index * (BILLION + premium), BILLION)
        assert price.denominator == 1
        self.trade(5, 6, 1, int(price))
        assert self.world.price(PERPETUAL_FEED, price / PRICE) == OK
        self.tick(60)

    def hold(self, sizes: dict[int, int], seconds: int, premium: int | None = None) -> dict[int, int]:
        """What accounts are paid (1e-6 USD) who hold `sizes` for so long; the last one is the counterpart."""
        *holders, counterpart = sizes
        for holder in holders:
            self._change(holder, counterpart, sizes[holder])
        if premium is not None:
            self.set_premium(premium)
        before = {account: self.world.account(account).collateral for account in sizes}
        for _ in range(seconds // HOUR):
            self.tick(HOUR)
        if seconds % HOUR:
            self.tick(seconds % HOUR)
        for holder in holders:
            self._change(holder, counterpart, -sizes[holder])
        self.world.check()
        return {
            account: self.world.account(account).collateral - before[account] - self._value(size)
            for account, size in sizes.items()
        }

    @property
    def unit(self) -> int:
        """Units of size in 1.0."""
        return self.world.market(0).notional_divisor // 100

    def _value(self, size: int) -> int:
        """What closing brings, 1e-6 USD: both sides of a fill round down."""
        return size * self.index // (100 * self.unit)

    def _change(self, holder: int, counterpart: int, size: int) -> None:
        buyer, seller = (holder, counterpart) if size > 0 else (counterpart, holder)
        self.trade(buyer, seller, abs(size))


@replays("DYDX4-FUNDING-INDEX")
def test_dydx_funding_index_without_its_division(cases: dict[str, Any]) -> None:
    """A difference: dYdX v4 truncates its index to 1e-6 of a quote quantum, ours divides nothing (ADR 19).

    Their index for one base quantum of an asset at 1,000 USD says 1001, and loses the rest of 1001.999.
    Their rates reach 100 % in 8 hours, ours 4 % in one: the same product is accrued at a fifth of it.
    """
    differ = 0
    for case in cases["DYDX4-FUNDING-INDEX"]["inputs"]:
        price = case["price"] * 10 ** case["price_exponent"]
        rate = Fraction(case["rate_8h_ppm"] * 1_000, 5 * 8)
        venue = Venue.with_interest(max(int(rate), 0), price * PRICE)
        one = venue.unit
        held = venue.hold({1: one, 2: -one}, 5 * case["seconds"], int(8 * rate) if rate < 0 else None)
        scale = Fraction(10 ** -case["atomic_resolution"], 10**6)  # 1.0 in base quanta, ppm
        ours = -held[1] / scale
        assert ours == Fraction(price * case["rate_8h_ppm"] * case["seconds"], 28_800) / scale
        assert int(ours) == case["delta"]
        assert held[2] == -held[1]
        differ += ours != case["delta"]
    assert differ == 1


@replays("DYDX4-FUNDING-SETTLE")
def test_dydx_funding_settlement(cases: dict[str, Any]) -> None:
    """-(index now - index then) * size in ppm of a quote quantum, floored: an hour at 1 % of that index."""
    for case in cases["DYDX4-FUNDING-SETTLE"]["inputs"]:
        moved, size = case["index_now"] - case["index_then"], case["quantums"]
        rate = PERCENT if moved > 0 else 0
        venue = Venue.with_interest(rate, abs(moved), decimals=2)
        held = venue.hold({1: size, 2: -size}, HOUR, None if moved > 0 else -8 * PERCENT)
        assert held == {1: case["settlement_ppm"] // 10**6, 2: -case["settlement_ppm"] // 10**6}


@replays("DYDX4-PREMIUM")
def test_dydx_premium_from_a_book_that_our_law_does_not_see(cases: dict[str, Any]) -> None:
    """A difference: the formula is theirs to the last digit, our prices are fills and a second feed (ADR 19).

    Whoever quotes a book can quote any book. An order of 5,000 USD that walks it leaves its last fill;
    without a second witness it moves nobody's money.
    """
    figures = []
    for case in cases["DYDX4-PREMIUM"]["inputs"]:
        impact, last = walk_book(case["bids"] or case["asks"], 5_000)
        index = int(exact(case["index"]) * PRICE)
        elsewhere = compute_premium(impact, index, BILLION)
        assert int(Fraction(elsewhere, 1_000)) == case["premium_ppm"]
        venue = Venue(index)
        venue.trade(1, 2, 10**6, last)
        venue.tick(60)
        assert venue.world.funding(0).rate == 0, "one witness"
        assert venue.world.price(PERPETUAL_FEED, Fraction(impact, PRICE)) == OK
        venue.tick(60)
        assert (
            venue.world.funding(0).rate == min(venue.world.funding(0).fill_premium, elsewhere, key=abs) // 8
        )
        figures.append((case["premium_ppm"], venue.world.funding(0).fill_premium))
    assert figures == [(110_911, 110_888_888), (-89, -89_983)]


def walk_book(levels: list[list[float]], usd: int) -> tuple[int, int]:
    """Average price, and price of the last fill (1e-8 USD), of an order of so many USD."""
    left, base = Fraction(usd), Fraction(0)
    for price, size in levels:
        taken = min(exact(size), left / exact(price))
        base, left = base + taken, left - taken * exact(price)
        if not left:
            return int(usd / base * PRICE), int(exact(price) * PRICE)
    raise AssertionError("the book is too thin")


@replays("DYDX4-CLAMP")
def test_dydx_clamp_is_a_parameter_of_ours_and_has_a_bound(cases: dict[str, Any]) -> None:
    """Their largest rate follows from the margins, ours is stated, at most 4 % an hour (ADR 34)."""
    possible, refused = cases["DYDX4-CLAMP"]["inputs"]
    margins = [
        row["imf_ppm"] - row["imf_ppm"] * row["maint_fraction_ppm"] // 10**6 for row in (possible, refused)
    ]
    assert [
        margin * row["factor_ppm"] // 10**6 for margin, row in zip(margins, (possible, refused), strict=True)
    ] == [
        possible["max_abs_rate_ppm"],
        refused["max_abs_rate_ppm"],
    ]

    largest = possible["max_abs_rate_ppm"] * 1_000 // 8  # 1e-9 an hour
    rule = FundingRule(interest=0, damper=0, max_rate=largest, max_premium=BILLION, smoothing_seconds=60)
    assert compute_rate(BILLION, rule) == largest
    assert compute_rate(-BILLION, rule) == -largest
    for premium, rate in ((300_000_000, largest), (-300_000_000, -largest)):
        venue = Venue(100 * PRICE, max_rate=largest)
        venue.set_premium(premium)
        assert venue.world.funding(0).rate == rate

    too_large = refused["max_abs_rate_ppm"] * 1_000 // 8
    assert (too_large, MAX_FUNDING_RATE) == (17_185_182_375, 40_000_000)
    assert _judge_market(max_rate=MAX_FUNDING_RATE) == OK
    assert _judge_market(max_rate=MAX_FUNDING_RATE + 1) == Code.BAD_FUNDING_RULE


def _judge_market(**terms: Any) -> int:
    return State().apply(get_law("minimal"), build_init(markets=(replace(FREE, **terms),)).encode()).code


@replays("STARKEX-FUNDING-DUST")
def test_starkex_dust_stays_with_the_system(cases: dict[str, Any]) -> None:
    """Half a unit each from two longs and a whole one to the short: 1 is left, and the fund has it."""
    case = cases["STARKEX-FUNDING-DUST"]
    halves = [int(2 * exact(part)) for part in case["inputs"]["unrounded"]]  # -1, -1, 2: minus their sizes
    venue = Venue.with_interest(PERCENT, 500_000, decimals=2)
    held = venue.hold({account: -half for account, half in enumerate(halves, 1)}, HOUR)
    assert list(held.values()) == case["expected"]["applied"]
    kept = venue.world.deposited - sum(venue.world.account(account).collateral for account in range(7))
    assert kept == case["expected"]["dust_kept_by_system"]


@replays("EXTENDED-FUNDING-FLOOR")
def test_extended_funding_is_floored(cases: dict[str, Any]) -> None:
    """floor(index * balance / 2^32): an hour at 1 %, of a price that makes index / 2^32 to 12 digits."""
    for case in cases["EXTENDED-FUNDING-FLOOR"]["inputs"]:
        moved = Fraction(abs(case["index"]), 2**32)  # 1e-6 USD a unit of size
        size = -case["balance"] if case["index"] > 0 else case["balance"]
        venue = Venue.with_interest(PERCENT, round(moved * 10**12))
        assert abs(venue.index / 10**12 - moved) * abs(size) < Fraction(1, 10**3)
        venue.world.deposit(1, 10**9)
        venue.world.deposit(2, 10**9)
        received, _ = venue.hold({1: size, 2: -size}, HOUR).values()
        assert received == case["result"]


@replays("PARADEX-FUNDING")
def test_paradex_rate_and_payment(cases: dict[str, Any]) -> None:
    """(premium + clamp(interest - premium)) over eight hours, accrued by the second, on half a bitcoin."""
    inputs, expected = cases["PARADEX-FUNDING"]["inputs"], cases["PARADEX-FUNDING"]["expected"]
    premium, interest, damper = (
        int(exact(inputs[key]) * BILLION) for key in ("premium", "interest", "clamp")
    )
    venue = Venue(inputs["spot"] * PRICE, interest=interest, damper=damper)
    venue.set_premium(premium)
    assert Fraction(venue.world.funding(0).rate * 8, BILLION) == exact(expected["rate_8h"])
    size = int(exact(inputs["position_btc"]) * venue.unit)
    held = venue.hold({1: size, 2: -size}, inputs["seconds"])
    assert held[1] == -exact(expected["payment_60s"]) * USD
    assert Fraction(-held[1], USD) / exact(inputs["position_btc"]) == exact(expected["index_increment_60s"])

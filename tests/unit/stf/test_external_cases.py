"""Margin and liquidation figures of other exchanges, replayed on our formulas.

See `tests/support/external_cases.py` for where they are; those about funding: `test_external_funding.py`.
Where we differ on purpose the test pins down both figures, and docs/adr/0034 says why.
"""

import importlib
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from optimist.provable import zero
from optimist.stf.codes import Code
from optimist.stf.constants import ONE
from optimist.stf.liquidation import compute_charge, compute_closing_size
from optimist.stf.margin import (
    Margin,
    compute_fraction,
    compute_notional,
    compute_value,
    is_allowed,
)
from optimist.stf.records import Market, Position, Side
from optimist.stf.tiers import compute_initial
from tests.support.external_cases import PPM, exact, get_replayed, is_perpetual, ppm, read_cases, replays
from tests.support.schedules import build_schedule, read_schedule
from tests.support.world import FREE, OK, PRICE, START, USD, World, confirmed_price

BTC = 10**8  # units of size

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def cases() -> dict[str, Any]:
    return {case["id"]: case["inputs"] for case in read_cases()}


def test_every_perpetuals_case_of_the_file_is_replayed() -> None:
    """A file without cases fails as well: nothing would have been replayed."""
    importlib.import_module("tests.unit.stf.test_external_funding")
    assert sorted(get_replayed()) == sorted(case["id"] for case in read_cases() if is_perpetual(case))
    assert get_replayed()


@replays("DYDX4-NOTIONAL")
def test_dydx_notional(cases: dict[str, Any]) -> None:
    """quote = base * price * 10^(price exponent + atomic resolution + 6): here 10^15 as divisor.

    dYdX v4 truncates what a position is worth, as our value of a long does; its requirement we round up.
    """
    for case in cases["DYDX4-NOTIONAL"]:
        divisor = 10 ** -(case["price_exponent"] + case["atomic_resolution"] + 6)
        assert compute_value(case["quantums"] * ONE, case["price"], divisor) == case["quote_quantums"]
        assert compute_notional(case["quantums"] * ONE, case["price"], divisor) == case["quote_quantums"] + 1


@replays("DYDX4-MARGIN-ROUND-UP")
def test_dydx_margin_rounds_up(cases: dict[str, Any]) -> None:
    """With open interest between two bounds the fraction rises to 100 %, and stays there above."""
    for case in cases["DYDX4-MARGIN-ROUND-UP"]:
        fraction = case.get("imf_ppm", case.get("base_imf_ppm"))
        lower, upper = case.get("oi_lower", 0), case.get("oi_upper", 0)
        interest = case.get("oi", 0)
        if interest == "above upper cap":
            lower, upper, interest = 1, 2, 3
        market = replace(
            FREE,
            size_decimals=0,
            lot=1,
            initial_margin_ppm=fraction,
            open_interest_lower=lower,
            open_interest_upper=upper,
        )
        world = World(markets=(market,))
        world.put(0, Side(shares=interest, multiplier=ONE, index=0, epoch=0))
        world.put(0, confirmed_price(100, START))  # a unit of size is worth 1e-6 USD
        schedule = read_schedule(world.state, 0, 100)
        assert schedule.initial[0] == case.get("scaled_imf_ppm", fraction)
        if "imr" in case:
            assert compute_initial(schedule, case["notional"]) == case["imr"]


def held(usdc: float, *positions: tuple[float, int], initial: float, maintenance: float) -> World:
    """Account 1 with USDC and positions (size, price) in markets of one margin, made by hand."""
    market = replace(FREE, initial_margin_ppm=ppm(initial), maintenance_margin_ppm=ppm(maintenance))
    world = World(markets=(market,) * max(len(positions), 1), liquidation_buffer_ppm=0)
    world.deposit(0, 1_000_000)
    world.put_collateral(1, int(exact(usdc) * USD))
    for index, (size, price) in enumerate(positions):
        world.price(index, price)
        world.put_position(1, index, index, int(exact(size) * BTC))
    return world


@replays("DYDX4-LIQUIDATABLE")
def test_dydx_liquidatable(cases: dict[str, Any]) -> None:
    """Equality is safe."""
    for case in cases["DYDX4-LIQUIDATABLE"]:
        world = held(
            case["usdc"],
            (case["long_btc"], case["btc_price"]),
            initial=case["imf"],
            maintenance=case["mmf"],
        )
        assert world.liquidate(1) == (OK if case["liquidatable"] else Code.NOT_LIQUIDATABLE)


@replays("DYDX4-UNDERCOLLATERALISED-TRANSITION")
def test_dydx_undercollateralised_transition(cases: dict[str, Any]) -> None:
    """With MMR 0 before there is no position to reduce, and none may be opened below initial margin."""
    for case in cases["DYDX4-UNDERCOLLATERALISED-TRANSITION"]:
        before = Margin(value=case["old_nc"], maintenance=case["old_mmr"], initial=10**9)
        after = Margin(value=case["new_nc"], maintenance=case["new_mmr"], initial=10**9)
        sizes = (0, 1) if case["old_mmr"] == 0 else (2, 1)
        assert is_allowed(before, after, *sizes) is case["allowed"]


@replays("DYDX4-BANKRUPTCY")
def test_dydx_bankruptcy_quote_is_our_zero_price(cases: dict[str, Any]) -> None:
    """Closing at the bankruptcy price brings what closing at the last price does, less our largest charge.

    quote = -size * price - floor(TV * MMR of the position / MMR); ours is ceil(TV0 * MMR1 / MMR0) for what
    remains.
    """
    inputs = cases["DYDX4-BANKRUPTCY"]
    btc, eth, maintenance = inputs["btc_price"], inputs["eth_price"], inputs["mmf"]
    for case in inputs["cases"]:
        if case["pos"].startswith("long 0.1"):
            positions, closed = [(0.1, btc)], 0
        else:
            positions, closed = [(-0.004, btc), (-0.1, eth)], 1
        world = held(case["usdc"], *positions, initial=maintenance, maintenance=maintenance)
        size, price = exact(positions[closed][0]), positions[closed][1]
        before = world.rounded_margin(1)
        world.put((1 << 4) + closed, zero(Position))
        at_last_price = size * price * USD
        account = world.account(1)
        world.put_collateral(1, int(account.collateral + at_last_price))
        after = world.rounded_margin(1)
        taken = compute_charge(before, after, 10**30)
        assert at_last_price - taken == exact(case["bankruptcy_quote"]) * USD


@replays("DYDX4-INSURANCE")
def test_dydx_insurance_delta_is_our_charge(cases: dict[str, Any]) -> None:
    """min(fill - bankruptcy, max fee * |quote|) for an account that is closed whole at the fill price."""
    for case in cases["DYDX4-INSURANCE"]:
        side, size, _, _, usdc = case["position"].split()
        value = exact(size) * case["fill_price"] * USD
        worth = int(usdc) * USD + (value if side == "long" else -value)
        before = Margin(value=int(worth), maintenance=int(value / 10), initial=int(value / 10))
        after = Margin(value=int(worth), maintenance=0, initial=0)
        penalty = compute_fraction(int(value), ppm(case["max_fee"]))
        assert compute_charge(before, after, penalty) == exact(case["delta"]) * USD


@replays("EXTENDED-TVTR")
def test_extended_value_and_risk(cases: dict[str, Any]) -> None:
    """TV and TR of whole numbers: the figures are upstream's, scaled to units of 1e-6."""
    for case in cases["EXTENDED-TVTR"]:
        value, risk = case["coll"] * USD, 0
        for balance, price, factor in case["positions"]:
            value += compute_value(balance * BTC * ONE, price * PRICE, 10**10)
            notional = compute_notional(balance * BTC * ONE, price * PRICE, 10**10)
            risk += compute_fraction(notional, ppm(factor))
        assert (value, risk) == (case["tv"] * USD, case["tr"] * USD)


@replays("DRIFT-LIQ-SIZE")
def test_drift_liquidation_size(cases: dict[str, Any]) -> None:
    """base = shortage / (price * (margin ratio - fees)) in 1e-9; Drift rounds down, we round up to lots."""
    for case in cases["DRIFT-LIQ-SIZE"]:
        market = Market(
            notional_divisor=10**11,  # 9 size decimals
            lot=1,
            initial_margin_ppm=PPM,
            maintenance_margin_ppm=ppm(case["margin_ratio"]),
            liquidation_penalty_ppm=ppm(case.get("liq_fee", 0)) + ppm(case.get("if_fee", 0)),
            max_position=2**61 - 1,
        )
        maintenance = 1_000 * USD
        before = Margin(
            value=maintenance - case["shortage"] * USD, maintenance=maintenance, initial=maintenance
        )
        # Our collateral is the dollar itself: what is worth 1.01 USD there makes the price 1 % higher here.
        price = confirmed_price(int(case["price"] * exact(case.get("quote_price", 1)) * PRICE), 1)
        schedule = build_schedule([(0, PPM, market.maintenance_margin_ppm)])
        size = compute_closing_size(before, schedule, 10**15 * ONE, market, price, 0)
        assert case["base_1e9"] <= size <= case["base_1e9"] + 1


@replays("DYDX4-FILLABLE")
def test_dydx_fillable_price_is_where_they_begin_and_our_penalty_ends(cases: dict[str, Any]) -> None:
    """A difference: dYdX v4 offers a long to the book, from the last price down, ours sells at once (ADR 3).

    Their limit leaves the last price by a share of the maintenance margin that grows as the account's health
    falls, at most SMMR * MMF. We close at the last price and charge a penalty of just as much; for less than
    the whole account only as far as the zero price allows, and a bankrupt one is given what it lacks.
    """
    inputs = cases["DYDX4-FILLABLE"]
    price, size, maintenance = 50_000, Fraction(1, 10), ppm(0.1)
    figures = []
    for case in inputs["cases"]:
        value = (price * size + case["usdc"]) * USD
        required = compute_fraction(int(price * size) * USD, maintenance)
        before = Margin(value=int(value), maintenance=required, initial=required)
        after = Margin(value=int(value), maintenance=0, initial=0)
        spread = maintenance * case.get("smmr_ppm", inputs["default_smmr_ppm"]) // PPM
        charge = compute_charge(before, after, compute_fraction(int(price * size) * USD, spread))
        figures.append((case["price_usd"], int(price - Fraction(charge, USD) / size)))
    assert figures == [(49_999, 49_500), (49_998, 49_000), (49_500, 55_000)]

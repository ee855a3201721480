"""docs/LAW.md says what the law does: its links lead to functions, and its examples are run."""

import ast
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from optimist.derive.actions import Settle, Tier
from optimist.node.what_if import compute_prospect
from optimist.prove.law import load_law
from optimist.stf.codes import Code
from optimist.stf.constants import PERPETUAL_FEED
from optimist.stf.records import WindDown
from tests.support.world import ETH, FREE, OK, PRICE, USD, World

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/LAW.md").read_text(encoding="utf-8")
SAID = [line.removeprefix("> ") for line in TEXT.splitlines() if line.startswith("> ")]
BTC_01 = 10**7
RICH = 1_000_000


def usd(amount: int | Fraction) -> str:
    """1e-6 USD as people write it."""
    exact = Fraction(amount) / USD
    assert exact * 10**6 % 1 == 0
    text = f"{abs(float(exact)):,.6f}".rstrip("0").rstrip(".")
    return f"-{text}" if exact < 0 else text


def dollars(price: int) -> str:
    """1e-8 USD as people write it."""
    whole, rest = divmod(price, PRICE)
    return f"{whole:,}.{rest:08}".rstrip("0")


def at(price: int, collateral: int = 1_000, **changes: Any) -> World:
    """Account 1 holds 0.1 BTC from 50,000 behind `collateral`; now the price is `price`."""
    world = World(markets=(replace(FREE, **changes), replace(ETH, taker_fee_ppm=0)))
    world.deposit(0, RICH)
    world.deposit(1, collateral)
    world.deposit(2, RICH)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, price)
    return world


def alone(price: int, fund: int = 0) -> World:
    """The same behind 300 without a backstop, against shorts of 0.025, 0.075 and, by another long, 0.1."""
    world = World(markets=(FREE,))
    for account in range(1, 10):
        world.deposit(account, 300 if account == 1 else RICH)
    world.price(0, 50_000)
    for maker, taker, size in ((1, 2, BTC_01 // 4), (1, 3, 3 * BTC_01 // 4), (9, 8, BTC_01)):
        assert world.trade(maker, taker, size, 50_000) == OK
    put_fund(world, fund)
    world.second += 1
    world.price(0, price)
    return world


def put_fund(world: World, amount: int) -> None:
    world.put_fund(amount * USD)
    group = world.group()
    group.money += amount * USD
    world.put(0, group)


def tell_worth() -> list[str]:
    world = at(50_000)
    collateral, value = world.account(1).collateral, world.rounded_margin(1).value
    return [
        (
            f"Ada deposits 1,000 USD and buys 0.1 BTC at 50,000: collateral {usd(collateral)}, "
            f"position {usd(value - collateral)}, value {usd(value)}."
        ),
        (
            f"At 51,000 she is worth {usd(at(51_000).rounded_margin(1).value)}, "
            f"at 47,500 she is worth {usd(at(47_500).rounded_margin(1).value)}."
        ),
    ]


def tell_margin() -> list[str]:
    margin = at(50_000).rounded_margin(1)
    tiers = (Tier(10_000 * USD, 100_000, 50_000), Tier(50_000 * USD, 250_000, 100_000))
    world = World(markets=(replace(FREE, tiers=tiers),))
    for account in (1, 2):
        world.deposit(account, RICH)
    world.price(0, 50_000)
    assert world.trade(1, 2, 12 * BTC_01, 50_000) == OK
    return [
        (
            f"5 % initial and 3 % maintenance of 5,000: IMR {usd(margin.initial)}, "
            f"MMR {usd(margin.maintenance)}."
        ),
        (
            "3 % up to 10,000, 5 % up to 50,000 and 10 % beyond ask "
            f"{usd(world.rounded_margin(1).maintenance)} of 60,000."
        ),
    ]


def tell_liquidation_price() -> list[str]:
    world = at(50_000, collateral=300)
    world.deposit(3, 300)
    assert world.trade(1, 2, BTC_01, 50_000, maker_buys=False) == OK
    assert world.trade(1, 3, BTC_01, 50_000) == OK
    found = [compute_prospect(load_law("minimal"), world.state, account) for account in (1, 3)]
    (ada,), (bob,) = (prospect.liquidation_prices for prospect in found)
    held = [usd(prospect.before.collateral) for prospect in found]
    assert (ada.above, bob.below) == (None, None)
    assert ada.below is not None
    assert bob.above is not None
    return [
        (
            f"Long 0.1 BTC from 50,000 behind 300, Ada's collateral is {held[0]}: "
            f"she is liquidatable at {dollars(ada.below)} and below."
        ),
        (
            f"Bob is short the same behind 300, his collateral is {held[1]}: "
            f"he is liquidatable at {dollars(bob.above)} and above."
        ),
    ]


def tell_fees() -> list[str]:
    world = at(50_000, taker_fee_ppm=500, maker_fee_ppm=200)
    paid = {}
    before = {account: world.account(account).collateral for account in (1, 2)}
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    for account, quote in ((1, -5_000 * USD), (2, 5_000 * USD)):
        paid[account] = usd(before[account] + quote - world.account(account).collateral)
    return [f"0.05 % for the taker and 0.02 % for the maker of 0.1 BTC at 50,000: {paid[2]} and {paid[1]}."]


def tell_price() -> list[str]:
    told = []
    for print_, words in ((Fraction(1, 100), "0.01"), (47_000, "47,000")):
        world = at(50_000, step_ppm=50_000, halt_ppm=250_000, halt_seconds=60, gap_seconds=600)
        found = []
        for _ in range(2):
            world.second += 1
            assert world.price(0, print_) == OK
            price = world.stored_price(0)
            found.append((price.status, usd(price.confirmed // 100)))
            assert world.liquidate(1) == (Code.NOT_LIQUIDATABLE if price.status == 0 else Code.PRICE_STALE)
        (first, used), (second, then) = found
        if words == "0.01":
            told.append(
                f"With a step of 5 %, a print of {words} after 50,000 liquidates nobody: "
                f"status {first}, price used {used}."
            )
        else:
            told.append(
                f"{words} after 50,000 waits for one round: status {first} and {used}, "
                f"then status {second} and {then}."
            )
    return told


def quiet_market(elsewhere: int) -> World:
    """An index of 100, and fills at 104 for long enough."""
    market = replace(
        FREE, gap_seconds=10**6, max_rate=5_000_000, max_premium=50_000_000, smoothing_seconds=60
    )
    world = World(markets=(market,), trade_heartbeat=10**6, liquidation_heartbeat=10**6)
    for account in range(1, 5):
        world.deposit(account, 10_000)
    world.price(0, 100)
    assert world.trade(1, 2, 10**8, 100) == OK
    assert world.trade(3, 4, 10**6, 104) == OK
    world.price(PERPETUAL_FEED, elsewhere)
    world.second += 60
    world.price(0, 100)
    return world


def tell_mark() -> list[str]:
    high, low = (quiet_market(price).stored_price(0).mark // PRICE for price in (103, 100))
    return [
        f"Index 100, fills here at 104, elsewhere 103: mark {high}. If elsewhere says 100, the mark is {low}."
    ]


def tell_funding() -> list[str]:
    world = quiet_market(103)
    before = [world.unpaid(account, 0) for account in (1, 2)]
    world.second += 3_600
    world.price(0, 100)
    paid, received = (world.unpaid(account, 0) - before[account - 1] for account in (1, 2))
    return [
        (
            "3 % above an index of 100, an hour long, one unit of size: the long owes "
            f"{usd(-paid)}, the short is owed {usd(received)}."
        )
    ]


def tell_liquidation() -> list[str]:
    safe = at(48_454, collateral=300)
    assert safe.liquidate(1) == Code.NOT_LIQUIDATABLE
    was = safe.rounded_margin(1)
    world = at(48_000, collateral=300)
    before = world.rounded_margin(1)
    assert world.liquidate(1) == OK
    after = world.rounded_margin(1)
    closed = float((BTC_01 - world.position(1, 0)) / 10**8)
    bankrupt = at(46_000, collateral=300)
    put_fund(bankrupt, 40)
    short = -bankrupt.rounded_margin(1).value
    backstop = bankrupt.account(0).collateral
    assert bankrupt.liquidate(1) == OK
    paid = backstop - bankrupt.account(0).collateral - 4_600 * USD
    return [
        (
            "0.1 BTC from 50,000 behind 300, buffer 15 %, penalty 1 %. At 48,454 Ada is safe: "
            f"{usd(was.value)} against {usd(was.maintenance)}."
        ),
        (
            f"At 48,000 she has {usd(before.value)} and needs {usd(before.maintenance)}: "
            f"{closed} BTC are closed, "
            f"the penalty is {usd(before.value - after.value)}, she is left with {usd(after.value)} against "
            f"{usd(after.maintenance)}."
        ),
        (
            f"At 46,000 she is {usd(short)} short. With 40 in the fund, the fund pays {usd(40 * USD)} "
            f"and the backstop {usd(paid)}; her collateral is {usd(bankrupt.account(1).collateral)}."
        ),
    ]


def tell_deleveraging() -> list[str]:
    world = alone(46_500, fund=30)
    before = {account: world.health(account)[0] for account in (2, 3, 8)}
    short = -world.rounded_margin(1).value
    assert world.liquidate(1) == OK
    kept = [float(-world.position(account, 0) / 10**8) for account in before]
    lost = [usd(value - world.health(account)[0]) for account, value in before.items()]
    fund = 30 * USD - world.fund
    ruin = alone(40_000)
    missing = -ruin.rounded_margin(1).value
    whole = sum(ruin.health(account)[0] for account in (2, 3, 8))
    assert ruin.liquidate(1) == OK
    borne = whole - sum(ruin.health(account)[0] for account in (2, 3, 8))
    return [
        (
            "0.1 BTC goes bankrupt against three shorts of 0.025, 0.075 and 0.1 BTC: each keeps half, "
            f"{kept[0]}, {kept[1]} and {kept[2]}."
        ),
        (
            f"At 46,500 with 30 in the fund, {usd(short)} are missing: the fund pays {usd(fund)}, they bear "
            f"{lost[0]}, {lost[1]} and {lost[2]}."
        ),
        (
            f"At 40,000, {usd(missing)} are missing: the other side bears {usd(borne)}, "
            f"and the group has a loss of "
            f"{usd(-ruin.fund)}."
        ),
    ]


def tell_leaving() -> list[str]:
    world = World(markets=(FREE,))
    for account in (1, 2, 3):
        world.deposit(account, 1_000)
    group = world.group()
    group.fund, group.money = -750 * USD, 2_250 * USD
    world.put(0, group)
    assert world.withdraw(1, 500 * USD) == OK
    return [f"With 2,250 left of 3,000, taking out 500 pays {usd(world.withdrawal(1).amount)}."]


def tell_withdrawing() -> list[str]:
    world = at(50_000)
    margin = world.rounded_margin(1)
    free = margin.value - margin.initial
    assert world.withdraw(1, free + 1) == Code.BELOW_INITIAL_MARGIN
    assert world.withdraw(1, free) == OK
    return [f"Ada with 1,000 and 0.1 BTC from 50,000 may take out {usd(free)} and not a millionth more."]


def tell_wind_down() -> list[str]:
    even, ruin = end(51_000), end(70_000)
    assert even.force_withdraw(1, 1_100 * USD) == even.force_withdraw(2, 900 * USD) == OK
    assert even.force_withdraw(1, 1) == even.force_withdraw(2, 1) == Code.BELOW_INITIAL_MARGIN
    taken = [usd(even.withdrawal(row).amount) for row in (1, 2)]
    assert ruin.force_action(Settle(2, 0)) == OK
    owed = usd(-ruin.fund)
    assert ruin.force_withdraw(1, 1_000 * USD) == OK
    return [
        (
            "Ada is long 0.1 BTC from 50,000, Bob short, 1,000 each. "
            f"Closed at 51,000: Ada may take out {taken[0]}, Bob {taken[1]}."
        ),
        (
            f"Closed at 70,000 Bob owes {owed} more than he has: of Ada's 3,000 and the 2,000 of others, "
            f"whoever takes out 1,000 is paid {usd(ruin.withdrawal(1).amount)}."
        ),
    ]


def end(price: int) -> World:
    """Account 1 is long, 2 short; at `price` the market dies, is closed, and money may leave."""
    world = World(markets=(FREE,))
    for account in range(4):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, price)
    rule = world.record(WindDown, 0)
    for wait in (rule.silence, rule.window):
        world.pass_silence(wait)
        assert world.close() == OK
    world.pass_silence(rule.window)
    return world


TELLERS = (
    tell_worth,
    tell_margin,
    tell_liquidation_price,
    tell_fees,
    tell_price,
    tell_mark,
    tell_funding,
    tell_liquidation,
    tell_deleveraging,
    tell_leaving,
    tell_wind_down,
    tell_withdrawing,
)


@pytest.mark.parametrize("tell", TELLERS, ids=lambda tell: tell.__name__)
def test_examples_are_what_the_law_does(tell: object) -> None:
    assert callable(tell)
    for line in tell():
        assert line in SAID


def test_no_example_is_left_unrun() -> None:
    assert sorted(line for tell in TELLERS for line in tell()) == sorted(SAID)


def test_every_section_links_the_functions_that_are_the_rule() -> None:
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    assert len(sections) >= 6
    for section in sections:
        links = re.findall(r"\[`(\w+\.py)`\]\((\S+?)\)(?:: ((?:`\w+`(?:, )?)+))?", section)
        assert links, section[:40]
        for name, path, functions in links:
            file = (ROOT / "docs" / path).resolve()
            assert file.name == name
            tree = ast.parse(file.read_text(encoding="utf-8"))
            defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            for function in re.findall(r"`(\w+)`", functions):
                assert function in defined, f"{name}: {function}"

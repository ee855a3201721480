"""What-if: the law's own answers, on a copy that nobody else sees."""

from fractions import Fraction

import pytest

from optimist.derive.actions import Liquidate, Sequenced, Trade
from optimist.node.what_if import (
    HypotheticalTrade,
    Prospect,
    UnknownToTheLaw,
    compute_prospect,
    describe_prospect,
)
from optimist.prove.law import load_law
from optimist.stf.codes import Code
from optimist.stf.constants import MAX_PRICE, PRICE_CONFIRMED
from tests.support.workload import TRADERS, Storm
from tests.support.world import BTC, ETH, OK, PRICE, USD, World

LAW = load_law("minimal")
ONE = 10**8  # BTC


def make_world() -> World:
    """Account 1 holds 1 BTC, account 2 the other side, at 50,000 USD."""
    world = World(markets=(BTC, ETH))
    for account in range(4):
        world.deposit(account, 10_000)
    world.price(0, 50_000)
    world.price(1, 2_000)
    assert world.trade(2, 1, ONE, 50_000, maker_buys=False) == OK
    return world


def ask(world: World, account: int, trade: HypotheticalTrade | None = None, **prices: int) -> Prospect:
    """`m0=...`: the price of market 0, in 1e-8 USD."""
    by_market = {int(name[1:]): price for name, price in prices.items()}
    return compute_prospect(LAW, world.state, account, trade, by_market)


def liquidate_at(world: World, account: int, price: int, market: int = 0) -> int:
    """The code of a real liquidation after a real price, on a copy; a second later, so that both count."""
    state, second = world.state.copy(), world.second + 1
    update = world.price_update(market, [(key, price) for key in (0, 1, 2)], at=second)
    assert state.apply(world.law, Sequenced(second, update).encode()).code == OK
    return state.apply(world.law, Sequenced(second, Liquidate(account, market)).encode()).code


def test_health_is_what_the_law_computes() -> None:
    world = make_world()
    found = ask(world, 1)
    margin = world.rounded_margin(1)
    assert found.before == found.after
    assert (found.after.value, found.after.maintenance, found.after.initial) == (
        margin.value,
        margin.maintenance,
        margin.initial,
    )
    assert found.after.collateral == world.account(1).collateral
    assert found.after.state == "healthy"


@pytest.mark.parametrize("account", [1, 2])
def test_liquidation_price_is_exact_to_the_last_digit(account: int) -> None:
    """A real liquidation at that price is due, and one at the next price is not."""
    world = make_world()
    [found] = ask(world, account).liquidation_prices
    assert found.price == 50_000 * PRICE
    if account == 1:
        assert found.below is not None
        assert found.above is None
        limit, safe = found.below, found.below + 1
    else:
        assert found.above is not None
        assert found.below is None
        limit, safe = found.above, found.above - 1
    assert liquidate_at(world, account, limit) == OK
    assert liquidate_at(world, account, safe) == Code.NOT_LIQUIDATABLE


def test_liquidation_price_by_hand() -> None:
    """10,000 USD less a fee of 25 behind 1 BTC at 50,000: 40,025 = 97 % of p."""
    [found] = ask(make_world(), 1).liquidation_prices
    assert found.below is not None
    assert abs(Fraction(found.below, PRICE) - Fraction(40_025) / Fraction(97, 100)) < Fraction(1, 10_000)


def test_trade_leaves_the_account_where_the_real_one_does() -> None:
    world = make_world()
    world.second += 1
    found = ask(world, 1, HypotheticalTrade(1, 3 * 10**6, 2_010 * PRICE))
    records = world.records
    assert found.code == OK
    assert world.trade(3, 1, 3 * 10**6, 2_010, maker_buys=False, market=1) == OK
    margin = world.rounded_margin(1)
    assert (found.after.collateral, found.after.value, found.after.maintenance, found.after.initial) == (
        world.account(1).collateral,
        margin.value,
        margin.maintenance,
        margin.initial,
    )
    [filled] = [note for note in found.notes if note["type"] == "Filled"]
    assert (filled["account"], filled["size"], filled["isMaker"]) == (1, str(3 * 10**6), False)
    assert records != world.records


def test_closing_needs_no_margin_and_leaves_no_liquidation_price() -> None:
    found = ask(make_world(), 1, HypotheticalTrade(0, -ONE, 50_000 * PRICE))
    assert found.code == OK
    assert found.liquidation_prices == []
    assert (found.after.maintenance, found.after.initial) == (0, 0)


def test_refused_trade_says_why_and_changes_nothing() -> None:
    found = ask(make_world(), 1, HypotheticalTrade(0, 100 * ONE, 50_000 * PRICE))
    assert found.code == Code.BELOW_INITIAL_MARGIN
    assert found.after == found.before
    assert found.notes == []
    assert ask(make_world(), 1, HypotheticalTrade(0, 1, 50_000 * PRICE)).code == Code.FILL_SIZE


def test_price_moves_value_and_state() -> None:
    world = make_world()
    expected = {
        60_000: "healthy",
        42_000: "reduce-only",
        41_000: "liquidatable",
        40_500: "close-out",
        30_000: "bankrupt",
    }
    assert {usd: ask(world, 1, m0=usd * PRICE).after.state for usd in expected} == expected
    found = ask(world, 1, m0=41_000 * PRICE)
    assert found.after.value - found.before.value == -9_000 * USD
    assert found.liquidation_prices[0].below is None, "it is liquidatable already"


def test_asking_changes_nothing_and_stale_prices_do_not_matter() -> None:
    world = make_world()
    world.second += 10**5
    assert world.open_batch(last=world.second + 9) == OK
    before, known = world.records, dict(world.state.signatures)
    found = ask(world, 1, HypotheticalTrade(0, ONE // 10, 50_000 * PRICE), m0=55_000 * PRICE)
    assert found.code == OK
    assert (world.records, world.state.signatures) == (before, known)


def test_what_is_unknown_is_refused() -> None:
    world = make_world()
    with pytest.raises(UnknownToTheLaw, match="account 9"):
        ask(world, 9)
    with pytest.raises(UnknownToTheLaw, match="no market 5"):
        ask(world, 1, HypotheticalTrade(5, ONE, PRICE))
    with pytest.raises(UnknownToTheLaw, match="no market 5"):
        ask(world, 1, m5=PRICE)
    with pytest.raises(UnknownToTheLaw, match="a price lies in"):
        ask(world, 1, m0=MAX_PRICE + 1)


def test_answer_is_exact_in_json() -> None:
    told = describe_prospect(ask(make_world(), 1))
    assert told["after"]["value"] == str(9_975 * USD)
    assert told["liquidationPrices"] == [
        {
            "market": 0,
            "price": str(50_000 * PRICE),
            "below": "4126288659799",
            "above": None,
        }
    ]


@pytest.mark.parametrize("seed", range(4))
def test_in_random_markets_margin_fails_exactly_where_it_is_foretold(seed: int) -> None:
    """Every account of a workload, at every tenth step."""
    storm, checked = Storm(seed, "minimal"), 0
    for step in range(120):
        storm.step()
        if step % 10:
            continue
        for account in TRADERS:
            checked += check_account(storm.world, account)
    assert checked > 5


def check_account(world: World, account: int) -> int:
    """Ask again at each foretold price of an account, and beside it; how many there were."""
    state, compared = world.state, 0
    found = compute_prospect(LAW, state, account)
    for each in found.liquidation_prices:
        for limit, step in ((each.below, 1), (each.above, -1)):
            if limit is not None:
                at, near = (
                    compute_prospect(LAW, state, account, None, {each.market: price}).after
                    for price in (limit, limit + step)
                )
                assert at.value < at.maintenance
                assert near.value >= near.maintenance
                compared += 1
    return compared


@pytest.mark.parametrize("seed", range(4))
def test_in_random_markets_a_trade_ends_as_it_is_foretold(seed: int) -> None:
    """Refusals with their codes, fees, margins: against a trade with somebody rich, on the real state."""
    storm, codes = Storm(seed, "minimal"), []
    world = storm.world
    for step in range(120):
        storm.step()
        if step % 4:
            continue
        storm.tick()
        markets = range(len(world.init.markets))
        if all(is_usable(world, market) for market in markets):
            codes.append(check_trade(storm, 1_000 + step))
    assert len(codes) > 10
    assert codes.count(OK) > 3
    assert len(codes) > codes.count(OK), "nothing was ever refused"


def is_usable(world: World, market: int) -> bool:
    price = world.stored_price(market)
    return price.status == PRICE_CONFIRMED and price.publish_time + 9 >= world.second


def check_trade(storm: Storm, rich: int) -> int:
    """Foretell a random trade, then make it; its code."""
    world, random = storm.world, storm.random
    market, account = random.randrange(len(world.init.markets)), random.choice(TRADERS)
    size = storm.random_size(account, market) * random.choice((1, 1, 3)) * random.choice((1, -1))
    price = storm.prices[market] * random.randint(980, 1_020) // 1_000
    world.deposit(rich, 10**8)
    found = compute_prospect(LAW, world.state, account, HypotheticalTrade(market, size, price))
    terms = {"market": market, "max_fee_ppm": 10**6}
    maker = world.order_units(rich, size < 0, abs(size), price, **terms)
    taker = world.order_units(account, size > 0, abs(size), price, slot=0, nonce=2**64 - 1, **terms)
    before = world.state.copy()
    code = world.act(Trade(abs(size), price, maker, taker))
    assert found.code == code
    margin = world.rounded_margin(account)
    after = found.after
    assert (after.value, after.maintenance) == (margin.value, margin.maintenance)
    assert after.collateral == world.account(account).collateral
    world.state = before  # nobody has used up his last nonce
    return code

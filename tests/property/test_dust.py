"""What rounding leaves of very many very small fills: counted to the last unit, and never anybody's gain."""

import random
from fractions import Fraction

import pytest

from tests.support.world import FREE, PRICE, USD, World

MONEY = 1_000_000  # USD


def trade_dust(seed: int, trades: int) -> None:
    pick = random.Random(seed)
    world = World(markets=(FREE,))
    for account in (1, 2):
        assert world.deposit(account, MONEY) == 0
    usd = Fraction(pick.randrange(10**6, 10**12), 10**8) + 50_000
    assert world.price(0, usd) == 0
    divisor = 10 ** (FREE.size_decimals + 2)
    dust = 0
    for _ in range(trades):
        price = int(usd * PRICE) + pick.randrange(-1_000, 1_000)
        dust += FREE.lot * price % divisor != 0  # the buyer pays the ceiling, the seller has the floor
        maker_buys = pick.random() < 0.5
        code = world.trade(1, 2, FREE.lot, Fraction(price, PRICE), maker_buys=maker_buys)
        assert code == 0, f"seed {seed}: {code}"
    world.check()
    assert world.group().fund == dust
    assert sum(world.account(account).collateral for account in (1, 2)) == 2 * MONEY * USD - dust


@pytest.mark.parametrize("seed", range(2))
def test_every_unit_that_fills_of_one_lot_lose_to_rounding_is_in_the_fund(seed: int) -> None:
    trade_dust(seed, 200)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_unit_that_a_hundred_thousand_fills_lose_to_rounding_is_in_the_fund() -> None:
    trade_dust(random.randrange(1 << 32), 100_000)

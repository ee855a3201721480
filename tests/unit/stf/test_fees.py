"""Fee tiers: who may list them, that they only make a fill cheaper, and where a rebate comes from."""

import pytest

from optimist.stf.codes import Code
from optimist.stf.records import FeeManager, FeeTier
from tests.support.world import BTC, OK, USD, World

BTC_01 = 10**7  # at 50,000 USD: 5,000 USD; tier 0 pays 1 USD as maker, 2.50 as taker


@pytest.fixture
def world() -> World:
    world = World(markets=(BTC,))
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    return world


def pay(world: World) -> tuple[int, int]:
    """What account 1 as maker and account 2 as taker pay for 0.1 BTC, 1e-6 USD."""
    before = [world.account(account).collateral for account in (1, 2)]
    insurance = world.fund
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    maker = before[0] - world.account(1).collateral - 5_000 * USD
    taker = before[1] - world.account(2).collateral + 5_000 * USD
    assert world.fund - insurance == maker + taker
    world.check()
    return maker, taker


def test_tier_0_is_that_of_init(world: World) -> None:
    assert pay(world) == (1 * USD, 2_500_000)


def test_account_pays_what_its_tier_says(world: World) -> None:
    assert world.list_fees(0, 1, 50, 100) == OK
    assert world.put_in_tier(1, 1) == OK
    assert pay(world) == (250_000, 2_500_000)
    assert world.put_in_tier(2, 1) == OK
    assert pay(world) == (250_000, 500_000)
    assert world.put_in_tier(2, 0) == OK
    assert pay(world) == (250_000, 2_500_000)


def test_tier_that_is_not_listed_is_tier_0(world: World) -> None:
    assert world.put_in_tier(1, 7) == OK
    assert pay(world) == (1 * USD, 2_500_000)


def test_tier_of_nothing_pays_nothing(world: World) -> None:
    assert world.list_fees(0, 7, 0, 0) == OK
    assert world.put_in_tier(1, 7) == world.put_in_tier(2, 7) == OK
    assert pay(world) == (0, 0)


def test_rebate_is_paid_out_of_the_taker_s_fee(world: World) -> None:
    assert world.list_fees(0, 1, -300, 100) == OK
    assert world.put_in_tier(1, 1) == OK
    assert pay(world) == (-1_500_000, 2_500_000)
    assert world.put_in_tier(2, 1) == OK
    assert pay(world) == (-500_000, 500_000)  # 1.50 USD are promised, 0.50 are there


def test_rebate_rounds_down(world: World) -> None:
    """0.00001 BTC at 50,000.12 USD is 0.5000012 USD: 300 ppm of 500,001 is 150.0003."""
    assert world.list_fees(0, 1, -300, 500) == OK
    assert world.put_in_tier(1, 1) == OK
    before = world.account(1).collateral
    assert world.trade(1, 2, 1_000, 50_000) == OK
    assert world.account(1).collateral - before == -500_000 + 150


def test_tier_never_pays_more_than_tier_0(world: World) -> None:
    """Not even where tier 0 became cheaper than a listed one."""
    assert world.list_fees(0, 1, 200, 500) == OK
    world.put(0, FeeTier(is_listed=1, maker_ppm=20, taker_ppm=50))
    assert world.put_in_tier(1, 1) == world.put_in_tier(2, 1) == OK
    assert pay(world) == (100_000, 250_000)


@pytest.mark.parametrize(
    ("tier", "maker", "taker"),
    [(0, 0, 0), (8, 0, 0), (255, 0, 0), (1, 201, 0), (1, 0, 501), (1, -501, 0), (1, -(1 << 31), 0)],
)
def test_unsound_tier_is_rejected(world: World, tier: int, maker: int, taker: int) -> None:
    assert world.list_fees(0, tier, maker, taker) == Code.BAD_FEE_TIER


def test_tier_at_its_bounds_is_listed(world: World) -> None:
    assert world.list_fees(0, 1, 200, 500) == OK
    assert world.list_fees(0, 7, -500, 0) == OK
    assert world.list_fees(1, 1, 0, 0) == Code.UNKNOWN_MARKET


def test_account_is_put_into_tiers_that_exist(world: World) -> None:
    assert world.put_in_tier(1, 7) == OK
    assert world.put_in_tier(1, 8) == Code.BAD_FEE_TIER
    for account in (7, 1 << 36):
        assert world.put_in_tier(account, 1) == Code.UNKNOWN_ACCOUNT


def test_only_the_fee_manager_says_so_and_each_word_once(world: World) -> None:
    assert world.list_fees(0, 1, 0, 0, signer="trader 1") == Code.NOT_FEE_MANAGER
    assert world.put_in_tier(1, 1, signer="trader 1") == Code.NOT_FEE_MANAGER
    assert world.list_fees(0, 1, 0, 0, nonce=5) == OK
    assert world.record(FeeManager, 0).nonce == 5
    assert world.apply_bytes(world.inputs[-1]).code == Code.NONCE_USED
    assert world.put_in_tier(1, 1, nonce=5) == Code.NONCE_USED


def test_without_a_fee_manager_nobody_lists_anything() -> None:
    """An invalid signature recovers to 0, which is what an absent manager is."""
    world = World(fee_manager=bytes(20))
    world.deposit(1, 10)
    assert world.put_in_tier(1, 1) == Code.NOT_FEE_MANAGER
    data = bytearray(world.inputs[-1])
    data[-65] = 0  # v
    assert world.apply_bytes(bytes(data)).code == Code.NOT_FEE_MANAGER

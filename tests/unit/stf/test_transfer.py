"""TRANSFER: between accounts of one owner, as much as might be withdrawn."""

import pytest

from optimist.stf.codes import Code
from tests.support.world import FREE, OK, USD, World

GROUP_1 = 1 << 32
BTC_01 = 10**7


@pytest.fixture
def world() -> World:
    world = World(markets=(FREE,))
    for account in (0, 1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    return world


def test_transfer_opens_the_account_of_the_same_number_in_another_group(world: World) -> None:
    assert world.transfer(1, GROUP_1 | 1, 300 * USD) == OK
    assert world.account(1).collateral == 700 * USD
    assert world.account(GROUP_1 | 1).collateral == 300 * USD
    assert world.account(GROUP_1 | 1).owner == world.account(1).owner
    world.check()


def test_money_comes_back_by_the_signature_of_the_same_owner(world: World) -> None:
    assert world.transfer(1, GROUP_1 | 1, 300 * USD) == OK
    assert world.transfer(GROUP_1 | 1, 1, 300 * USD) == OK
    assert world.account(1).collateral == 1_000 * USD


def test_transfer_between_two_accounts_of_the_vault(world: World) -> None:
    world.deposit(3, 1, owner="trader 1")
    assert world.transfer(1, 3, 300 * USD) == OK
    assert world.account(3).collateral == 301 * USD
    assert world.transfer(3, 2, USD, signer="trader 1") == Code.OTHER_OWNER


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (1, Code.SAME_ACCOUNT),
        (2, Code.OTHER_OWNER),
        (GROUP_1 | 2, Code.OTHER_OWNER),
        (7, Code.OTHER_OWNER),
        (GROUP_1 | 7, Code.OTHER_OWNER),
        (GROUP_1, Code.OTHER_OWNER),
        (1 << 36, Code.UNKNOWN_ACCOUNT),
        ((1 << 40) - 1, Code.UNKNOWN_ACCOUNT),
    ],
)
def test_transfer_reaches_no_account_of_anybody_else(world: World, target: int, code: int) -> None:
    """Nor one that nobody owns: whoever opened it would own what is deposited there next."""
    assert world.transfer(1, target, USD) == code


def test_owner_of_the_backstop_opens_the_first_account_of_a_group(world: World) -> None:
    assert world.transfer(0, GROUP_1, 300 * USD) == OK
    assert world.account(GROUP_1).owner == world.account(0).owner


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 0}, Code.AMOUNT_ZERO),
        ({"signer": "trader 2"}, Code.NOT_SIGNED_BY_OWNER),
        ({"nonce": 0}, Code.NONCE_USED),
    ],
)
def test_unsound_transfer_is_rejected(world: World, changes: dict[str, object], code: int) -> None:
    amount = changes.pop("amount", USD)
    assert isinstance(amount, int)
    assert world.transfer(1, GROUP_1 | 1, amount, **changes) == code


def test_source_must_exist(world: World) -> None:
    assert world.transfer(7, GROUP_1 | 7, USD) == Code.UNKNOWN_ACCOUNT
    assert world.transfer(1 << 36, 1, USD) == Code.UNKNOWN_ACCOUNT


def test_source_keeps_its_initial_margin(world: World) -> None:
    """0.1 BTC at 50,000: 5,000 USD at 5 %."""
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    assert world.transfer(1, GROUP_1 | 1, 750 * USD + 1) == Code.BELOW_INITIAL_MARGIN
    assert world.transfer(1, GROUP_1 | 1, 750 * USD) == OK
    assert world.transfer(1, GROUP_1 | 1, 1) == Code.BELOW_INITIAL_MARGIN


def test_source_with_positions_needs_a_fresh_price(world: World) -> None:
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    world.second += 11
    assert world.transfer(1, GROUP_1 | 1, USD) == Code.PRICE_STALE
    assert world.transfer(0, GROUP_1, USD) == OK


def test_replayed_transfer_is_rejected(world: World) -> None:
    assert world.transfer(1, GROUP_1 | 1, USD) == OK
    assert world.apply_bytes(world.inputs[-1]).code == Code.NONCE_USED

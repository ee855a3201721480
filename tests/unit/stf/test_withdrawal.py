"""WITHDRAW: signed, once, and never below initial margin."""

from dataclasses import replace
from typing import Any

import pytest

from optimist.derive.actions import Sequenced, Withdraw
from optimist.derive.typed_data import WithdrawRequest
from optimist.stf.codes import Code
from optimist.stf.constants import REASON_SIGNED
from tests.support.world import FREE, OK, START, USD, World, address, secret

BTC_01 = 10**7


@pytest.fixture
def world() -> World:
    world = World(markets=(FREE,))
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    return world


def test_withdrawal_writes_a_record_for_the_vault(world: World) -> None:
    assert world.withdraw(1, 400 * USD) == OK
    record = world.withdrawal(1)
    assert (record.recipient, record.amount) == (int.from_bytes(address("recipient"), "big"), 400 * USD)
    assert (record.account, record.reason) == (1, REASON_SIGNED)
    assert world.account(1).collateral == 600 * USD
    assert (world.account(1).nonce, world.system.next_withdrawal) == (1, 2)
    world.check()


def test_rows_of_withdrawals_are_never_used_twice(world: World) -> None:
    for expected in (1, 2, 3):
        assert world.withdraw(1, USD) == OK
        assert world.system.next_withdrawal == expected + 1
    assert [world.withdrawal(row).amount for row in (1, 2, 3, 4)] == [USD, USD, USD, 0]


def test_everything_can_leave_an_account_without_positions(world: World) -> None:
    assert world.withdraw(1, 1_000 * USD + 1) == Code.BELOW_INITIAL_MARGIN
    assert world.withdraw(1, 1_000 * USD) == OK


def test_account_without_positions_needs_no_price(world: World) -> None:
    world.second += 1_000
    assert world.withdraw(1, USD) == OK


@pytest.mark.parametrize("usd", [0, 1_000])
def test_initial_margin_must_stay(world: World, usd: int) -> None:
    """0.1 BTC at 50,000 needs 250 USD; at 51,000 the long has won 100 and needs 255."""
    world.trade(1, 2, BTC_01, 50_000)
    free = 750 * USD
    if usd:
        world.second += 1
        world.price(0, 51_000)
        free = (1_000 + 100 - 255) * USD
    assert world.withdraw(1, free + 1) == Code.BELOW_INITIAL_MARGIN
    assert world.withdraw(1, free) == OK
    assert world.withdraw(1, 1) == Code.BELOW_INITIAL_MARGIN
    value, _, initial = world.health(1)
    assert value == initial


def test_prices_of_positions_must_be_fresh(world: World) -> None:
    world.trade(1, 2, BTC_01, 50_000)
    world.second += 10
    assert world.withdraw(1, USD) == OK
    world.second += 1
    assert world.withdraw(1, USD) == Code.PRICE_STALE


def test_nonce_must_rise(world: World) -> None:
    assert world.withdraw(1, USD, nonce=5) == OK
    for nonce in (0, 4, 5):
        assert world.withdraw(1, USD, nonce=nonce) == Code.NONCE_USED
    assert world.withdraw(1, USD, nonce=2**64 - 1) == OK
    assert world.account(1).nonce == 2**64 - 1


def test_replayed_withdrawal_is_rejected(world: World) -> None:
    request = WithdrawRequest(1, USD, USD, address("recipient"), 1)
    action = Withdraw(request, request.sign(world.domain, secret("trader 1")))
    assert world.act(action) == OK
    assert world.act(action) == Code.NONCE_USED


def test_only_the_owner_can_withdraw(world: World) -> None:
    assert world.withdraw(1, USD, signer="trader 2") == Code.NOT_SIGNED_BY_OWNER


@pytest.mark.parametrize(
    "change", [{"amount": 2 * USD}, {"least_paid": 0}, {"recipient": address("thief")}, {"nonce": 9}]
)
def test_signature_covers_every_field(world: World, change: dict[str, Any]) -> None:
    request = WithdrawRequest(1, USD, USD, address("recipient"), 1)
    signature = request.sign(world.domain, secret("trader 1"))
    altered = replace(request, **change)
    assert world.act(Withdraw(altered, signature)) == Code.NOT_SIGNED_BY_OWNER


@pytest.mark.parametrize(
    ("account", "amount", "recipient", "code"),
    [
        (1, 0, address("recipient"), Code.AMOUNT_ZERO),
        (1, USD, bytes(20), Code.RECIPIENT_ZERO),
        (9, USD, address("recipient"), Code.UNKNOWN_ACCOUNT),
        (2**36, USD, address("recipient"), Code.UNKNOWN_ACCOUNT),
    ],
)
def test_senseless_withdrawal_is_rejected(
    world: World, account: int, amount: int, recipient: bytes, code: Code
) -> None:
    assert world.withdraw(account, amount, recipient=recipient) == code


def test_collateral_has_a_lower_bound(world: World) -> None:
    world.put_collateral(1, -(2**63 - 1))
    assert world.withdraw(1, 1) == Code.COLLATERAL_BOUND


def test_wrong_length_is_rejected(world: World) -> None:
    request = WithdrawRequest(1, USD, USD, address("recipient"), 1)
    action = Withdraw(request, request.sign(world.domain, secret("trader 1")))
    data = Sequenced(START, action).encode()
    for wrong in (data[:-1], data + b"\0"):
        assert world.apply_bytes(wrong).code == Code.MALFORMED


def test_backstop_can_withdraw_too(world: World) -> None:
    world.deposit(0, 10)
    assert world.withdraw(0, 10 * USD) == OK

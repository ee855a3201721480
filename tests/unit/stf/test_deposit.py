"""DEPOSIT has no way to be rejected; money that cannot be credited goes back."""

import pytest

from optimist.stf.codes import Code
from optimist.stf.constants import REASON_DEPOSIT_REFUSED
from tests.support.world import OK, World, address


def number(name: str) -> int:
    return int.from_bytes(address(name), "big")


def test_first_deposit_sets_owner_and_further_ones_add() -> None:
    world = World()
    assert world.deposit_units(5, 70) == OK
    assert world.deposit_units(5, 30) == OK
    account = world.account(5)
    assert (account.owner, account.collateral, account.nonce) == (number("trader 5"), 100, 0)
    world.check()


def test_deposit_for_another_owner_goes_back_to_the_one_it_names() -> None:
    world = World()
    world.deposit_units(5, 70)
    assert world.deposit_units(5, 30, owner="stranger") == OK
    assert world.account(5).collateral == 70
    withdrawal = world.withdrawal(1)
    assert (withdrawal.recipient, withdrawal.amount) == (number("stranger"), 30)
    assert (withdrawal.account, withdrawal.reason) == (5, REASON_DEPOSIT_REFUSED)
    assert world.system.next_withdrawal == 2
    world.check()


@pytest.mark.parametrize("account", [2**36, 2**40 - 1])
def test_deposit_beyond_the_last_account_goes_back(account: int) -> None:
    world = World()
    assert world.deposit_units(account, 9, owner="somebody") == OK
    assert (world.withdrawal(1).recipient, world.withdrawal(1).amount) == (number("somebody"), 9)
    assert world.account(account).owner == 0
    world.check()


def test_last_account_can_be_credited() -> None:
    world = World()
    world.deposit_units(2**36 - 1, 9)
    assert world.account(2**36 - 1).collateral == 9


def test_collateral_at_its_bound_sends_the_deposit_back() -> None:
    world = World()
    world.put_collateral(1, 2**63 - 10)
    assert world.deposit_units(1, 9) == OK
    assert world.account(1).collateral == 2**63 - 1
    assert world.deposit_units(1, 1) == OK
    assert world.account(1).collateral == 2**63 - 1
    assert world.withdrawal(1).amount == 1


def test_deposit_heals_a_negative_account() -> None:
    world = World()
    world.put_collateral(1, -(2**63 - 1))
    assert world.deposit_units(1, 2**64 - 2) == OK
    assert world.account(1).collateral == 2**63 - 1


def test_counter_of_withdrawals_ends_after_2_to_the_40() -> None:
    world = World()
    system = world.system
    system.next_withdrawal = 2**40 - 1
    world.put(0, system)
    assert world.deposit_units(2**36, 9, owner="somebody") == Code.COUNTER_EXHAUSTED

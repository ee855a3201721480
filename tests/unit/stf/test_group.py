"""Risk groups: their own fund, backstop and losses, and what of them whoever leaves must leave."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.provable import State
from optimist.stf.codes import Code
from optimist.stf.group import compute_haircut, get_backstop, get_group
from optimist.stf.law import get_law
from optimist.stf.records import Group, Listing
from tests.support.world import FREE, OK, USD, World, address, build_init

BTC_01 = 10**7
ISOLATED = (FREE, replace(FREE, group=3))
IN_3 = 3 << 32  # the backstop of group 3; its accounts follow


def split() -> World:
    """Market 0 in group 0 and market 1 in group 3, the same people in both."""
    world = World(markets=ISOLATED)
    for group in (0, IN_3):
        world.deposit(group, 1_000, owner="backstop")
        for account in (1, 2, 3):
            world.deposit(group | account, 1_000)
    for market in (0, 1):
        world.price(market, 50_000)
    return world


def test_number_of_an_account_names_its_group() -> None:
    assert get_group(7) == 0
    assert get_group(IN_3 | 7) == 3
    assert get_backstop(3) == IN_3


def test_init_lists_markets_and_opens_backstops() -> None:
    world = World(markets=ISOLATED)
    assert world.record(Listing, 1).group == 3
    owner = int.from_bytes(address("backstop"), "big")
    assert world.account(0).owner == world.account(IN_3).owner == owner


def test_there_are_sixteen_groups() -> None:
    for group, code in ((15, OK), (16, Code.BAD_MARKETS)):
        data = build_init(markets=(replace(FREE, group=group),)).encode()
        assert State().apply(get_law("minimal"), data).code == code


@pytest.mark.parametrize(("market", "accounts"), [(0, (1, IN_3 | 2)), (1, (1, 2)), (1, (IN_3 | 1, 2))])
def test_account_holds_only_markets_of_its_group(market: int, accounts: tuple[int, int]) -> None:
    assert split().trade(*accounts, 1_000, 50_000, market=market) == Code.OTHER_GROUP


def test_fees_and_losses_stay_in_the_group() -> None:
    """A crash in market 1 ruins group 3; not a record of group 0 changes."""
    world = split()
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    assert world.trade(IN_3 | 1, IN_3 | 2, 3 * BTC_01, 50_000, market=1) == OK
    world.second += 1
    world.price(0, 50_000)
    world.price(1, 30_000)
    untouched = {account: world.account(account) for account in range(4)}
    rest = world.group(0), world.positions(2)
    assert world.liquidate(IN_3 | 1, 1) == OK
    assert world.group(3).fund < 0
    assert {account: world.account(account) for account in range(4)} == untouched
    assert (world.group(0), world.positions(2)) == rest
    world.check()


def test_backstop_of_the_group_takes_over() -> None:
    world = split()
    world.deposit(IN_3, 100_000, owner="backstop")
    assert world.trade(IN_3 | 1, IN_3 | 2, BTC_01, 50_000, market=1) == OK
    account = world.account(IN_3 | 1)
    world.put_collateral(IN_3 | 1, account.collateral - 900 * USD)
    assert world.liquidate(IN_3 | 1, 1) == OK
    assert world.positions(0) == {}
    assert world.position(IN_3, 1) > 0
    assert world.liquidate(IN_3, 1) == Code.NOT_LIQUIDATABLE


# --------------------------------------------------------------------------------------------------- haircut


def losing(loss: int) -> World:
    """Three accounts claim 3,000 USD; `loss` of it (USD) is gone."""
    world = World(markets=(FREE,))
    for account in (1, 2, 3):
        world.deposit(account, 1_000)
    group = world.group()
    group.fund = -loss * USD
    group.money -= loss * USD
    world.put(0, group)
    world.deposited -= loss * USD
    return world


def test_whoever_leaves_leaves_its_part_of_the_loss() -> None:
    """750 of 3,000: a quarter. 500 pays 375, and the share of those who stay is what it was."""
    world = losing(750)
    assert world.withdraw(1, 500 * USD) == OK
    assert world.withdrawal(1).amount == 375 * USD
    assert world.account(1).collateral == 500 * USD
    assert world.group() == Group(fund=-625 * USD, money=(2_250 - 375) * USD, held_until=0)
    assert world.force_withdraw(2, 1_000 * USD) == OK
    assert world.withdrawal(2).amount == 750 * USD
    world.check()


def test_nobody_is_paid_less_than_he_signed_for() -> None:
    """500 pays 375: whoever wants more keeps his 500, and its nonce."""
    world = losing(750)
    before = dict(world.state.items())
    assert world.withdraw(1, 500 * USD, least_paid=375 * USD + 1) == Code.PAID_TOO_LITTLE
    assert world.transfer(1, 1 << 32 | 1, 500 * USD, least_paid=375 * USD + 1) == Code.PAID_TOO_LITTLE
    assert dict(world.state.items()) == before
    assert world.force_withdraw(1, 500 * USD, least_paid=375 * USD + 1) == Code.PAID_TOO_LITTLE
    assert world.account(1).collateral == 1_000 * USD
    assert world.transfer(1, 1 << 32 | 1, 500 * USD, least_paid=375 * USD) == OK
    assert world.account(1 << 32 | 1).collateral == 375 * USD
    assert world.withdraw(2, 500 * USD, least_paid=375 * USD) == OK
    assert world.force_withdraw(3, 500 * USD, least_paid=375 * USD) == OK
    world.check()


def test_more_than_the_amount_is_never_paid() -> None:
    world = losing(0)
    assert world.withdraw(1, USD, least_paid=USD + 1) == Code.PAID_TOO_LITTLE
    assert world.force_withdraw(1, USD, least_paid=USD + 1) == Code.PAID_TOO_LITTLE
    assert world.transfer(1, 1 << 32 | 1, USD, least_paid=USD + 1) == Code.PAID_TOO_LITTLE
    assert world.transfer(1, 1 << 32 | 1, USD, least_paid=USD) == OK


def test_everyone_can_leave_and_nobody_is_left_with_more_of_the_loss() -> None:
    world = losing(750)
    for account in (3, 1, 2):
        assert world.withdraw(account, 1_000 * USD) == OK
    assert [world.withdrawal(row).amount for row in (1, 2, 3)] == [750 * USD] * 3
    assert world.group() == Group(fund=0, money=0, held_until=0)
    world.check()


def test_fees_fill_the_fund_up_again() -> None:
    world = losing(1)
    world.price(0, 50_000)
    group = world.group()
    world.trade(1, 2, 1_000, 50_000)
    assert world.group().fund >= group.fund


def test_group_without_a_loss_pays_in_full() -> None:
    world = losing(0)
    assert world.withdraw(1, 999_999_999) == OK
    assert world.withdrawal(1).amount == 999_999_999


def test_nothing_is_paid_that_the_group_does_not_hold() -> None:
    """Somebody's profit is there, and whoever owes it has not been liquidated yet."""
    world = World(markets=(FREE,))
    world.deposit(1, 300)
    world.deposit(2, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, 20_000)
    assert world.withdraw(2, 1_301 * USD) == Code.GROUP_SHORT
    assert world.force_withdraw(2, 1_301 * USD) == Code.GROUP_SHORT
    assert world.withdraw(2, 1_300 * USD) == OK
    world.check()


def test_part_that_is_all_loss_pays_nothing_and_writes_no_record() -> None:
    world = losing(3_000)
    assert world.withdraw(1, 5) == OK
    assert world.withdrawal(1).amount == 0
    assert world.system.next_withdrawal == 1


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.lists(st.integers(1, 2**40), max_size=6))
def test_haircut_is_the_same_part_for_all_and_rounds_against_who_leaves(
    money: int, loss: int, amounts: list[int]
) -> None:
    group = Group(fund=-loss, money=money, held_until=0)
    for amount in amounts:
        claims = group.money - group.fund
        if amount > claims:
            continue
        haircut = compute_haircut(group, amount)
        exact = Fraction(amount * -group.fund, claims)
        assert 0 <= haircut - exact < 1
        assert group.money >= amount - haircut
        group.money -= amount - haircut
        group.fund += haircut
        assert group.fund <= 0

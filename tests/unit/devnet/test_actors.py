"""What the actors sign is what the law accepts, and the keeper judges accounts as the law does."""

from dataclasses import replace
from typing import Any

import pytest

from devnet.accounts import get_cast
from devnet.actors.governor import Governor
from devnet.actors.keeper import choose_liquidation
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.genesis import BTC, ETH, QUORUM, make_init
from devnet.prices import PRICE_SCALE
from optimist.derive.actions import (
    Action,
    Deposit,
    EnactMarket,
    Header,
    Init,
    Liquidate,
    Sequenced,
    SignedOrder,
    Trade,
)
from optimist.node.what_if import compute_prospect, describe_prospect
from optimist.provable import Receipt, State
from optimist.prove.law import load_law
from optimist.sequencer.views import describe_account, describe_market, get_record
from optimist.stf.codes import Code
from optimist.stf.law import get_law
from optimist.stf.records import System, Withdrawal

START = 1_700_000_000
USD = 10**6
BITCOIN = 10**8
VAULT = bytes(range(20))


class World:
    """A devnet's law without any L1: the state, and everybody in it."""

    def __init__(self) -> None:
        self.cast = get_cast()
        self.init: Init = make_init(
            chain_id=31337,
            vault=VAULT,
            second=START,
            backstop_owner=self.cast.backstop.address,
            signers=[key.address for key in self.cast.oracle],
            governor=self.cast.governor.address,
            timelock=100,
        )
        self.state = State()
        self.apply(self.init.encode())
        self.apply(Header(2, START, START + 1000).encode())
        self.oracle = Oracle(self.init.domain, self.cast.oracle, QUORUM)
        self.deposit(0, self.cast.backstop.address, 10**6 * USD)
        self.maker = self.open_account(1, 10**6 * USD)
        self.taker = self.open_account(2, 50_000 * USD)

    def apply(self, data: bytes) -> Receipt:
        return self.state.apply(get_law("minimal"), data)

    def act(self, action: Action) -> Receipt:
        return self.apply(Sequenced(START + 1, action).encode())

    def deposit(self, account: int, owner: bytes, amount: int) -> None:
        assert not self.apply(Deposit(account, owner, amount).encode()).rejected

    def open_account(self, account: int, amount: int) -> Trader:
        actor = self.cast.traders[account]
        self.deposit(account, actor.address, amount)
        return Trader(self.init.domain, actor, account)

    def publish(self, market: int, dollars: int, publish_time: int) -> Receipt:
        return self.act(self.oracle.sign(market, dollars * PRICE_SCALE, publish_time))

    def trade(self, maker: SignedOrder, taker: SignedOrder) -> Receipt:
        return self.act(Trade(min(maker.order.size, taker.order.size), maker.order.price, maker, taker))

    def buy(self, size: int, dollars: int, slot: int = 1) -> Receipt:
        terms: dict[str, Any] = {
            "market": BTC,
            "size": size,
            "price": dollars * PRICE_SCALE,
            "expiry": START + 60,
            "slot": slot,
        }
        return self.trade(
            self.maker.sign_order(is_buy=False, **terms), self.taker.sign_order(is_buy=True, **terms)
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("quorum", [4, 5, 6, 7])
def test_the_median_of_what_the_oracle_signs_is_the_price(world: World, quorum: int) -> None:
    world.init = replace(world.init, quorum=quorum)
    world.oracle = Oracle(world.init.domain, world.cast.oracle, quorum)
    receipt = world.publish(ETH, 4_321, START)
    assert receipt.rejected == (quorum < QUORUM)
    expected = 4_321 * PRICE_SCALE if quorum >= QUORUM else 0
    assert describe_market(world.state, ETH)["price"] == str(expected)


def test_oracle_refuses_a_quorum_that_it_cannot_reach() -> None:
    world = World()
    with pytest.raises(ValueError, match="quorum of 8"):
        Oracle(world.init.domain, world.cast.oracle, 8)


def test_orders_of_one_slot_replace_each_other(world: World) -> None:
    world.publish(BTC, 100_000, START)
    assert not world.buy(BITCOIN, 100_000).rejected
    assert not world.buy(BITCOIN, 100_000).rejected
    assert describe_account(world.state, 2, 4)["positions"] == [
        {"market": BTC, "size": str(2 * BITCOIN), "funding": "0"}
    ]


def test_signed_withdrawal_is_paid_to_the_owner_and_nonces_grow(world: World) -> None:
    for row in (1, 2):
        assert not world.act(world.taker.sign_withdrawal(1_000 * USD)).rejected
        withdrawal = get_record(world.state, Withdrawal, row)
        assert withdrawal.recipient == int.from_bytes(world.taker.actor.address, "big")
    assert get_record(world.state, System, 0).next_withdrawal == 3


def test_keeper_and_law_agree_dollar_by_dollar_on_who_is_liquidated(world: World) -> None:
    world.publish(BTC, 100_000, START)
    assert not world.buy(48 * BITCOIN // 10, 100_000).rejected  # 9.6 times leverage
    verdicts = []
    for number, dollars in enumerate(range(94_500, 94_200, -25)):
        world.publish(BTC, dollars, START + 1 + number)
        account = describe_account(world.state, 2, 4)
        prospect = describe_prospect(compute_prospect(load_law("minimal"), world.state, 2))
        choice = choose_liquidation(account, prospect, world.init.markets, [dollars * PRICE_SCALE, 0])
        verdicts.append(choice is not None)
        receipt = world.act(choice or Liquidate(2, BTC))
        assert receipt.rejected == (choice is None)
        assert choice is not None or receipt.code == Code.NOT_LIQUIDATABLE
        if choice is not None:
            assert choice == Liquidate(2, BTC)
            break
    assert verdicts[0] is False
    assert verdicts[-1] is True


def test_keeper_names_the_largest_position_and_leaves_the_healthy_alone(world: World) -> None:
    account = {
        "account": 7,
        "positions": [
            {"market": BTC, "size": "3"},
            {"market": ETH, "size": "-100"},
            {"market": 2, "size": "0"},
        ],
    }
    markets, marks = world.init.markets, [100 * PRICE_SCALE, 4 * PRICE_SCALE]
    for state in ("liquidatable", "close-out", "bankrupt"):
        asked = choose_liquidation(account, {"before": {"state": state}}, markets, marks)
        assert asked == Liquidate(7, ETH)
    for state in ("healthy", "reduce-only"):
        assert choose_liquidation(account, {"before": {"state": state}}, markets, marks) is None


def test_session_key_signs_orders_and_cancellations_once_it_is_lent(world: World) -> None:
    """And money stays the owner's to move."""
    world.publish(BTC, 100_000, START)
    assert not world.act(world.taker.lend_key(START + 60)).rejected
    assert not world.buy(BITCOIN, 100_000).rejected
    assert world.taker.sign_cancel(1).key == 1
    assert not world.act(world.taker.sign_cancel(1)).rejected
    assert not world.act(world.taker.sign_cancel_all()).rejected
    assert not world.buy(BITCOIN, 100_000).rejected
    assert not world.buy(BITCOIN, 100_000, slot=3).rejected  # nor is a slot dead that was never used
    assert not world.act(world.taker.sign_transfer(1 << 32 | 2, USD)).rejected
    assert not world.act(world.taker.sign_withdrawal(USD)).rejected


def test_governor_proposes_and_the_timelock_is_waited_for(world: World) -> None:
    governor = Governor(world.init.domain, world.cast.governor)
    for fee in (400, 300):
        rules = replace(world.init.markets[BTC], taker_fee_ppm=fee)
        assert not world.act(governor.propose(BTC, rules)).rejected
    assert world.act(EnactMarket(BTC)).code == Code.PROPOSAL_NOT_DUE
    assert not world.apply(Sequenced(START + 101, EnactMarket(BTC)).encode()).rejected
    assert describe_market(world.state, BTC)["takerFeePpm"] == 300

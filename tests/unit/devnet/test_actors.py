"""What the actors sign is what the law accepts, and the keeper judges accounts as the law does."""

from dataclasses import replace

import pytest

from devnet.accounts import get_cast
from devnet.actors.keeper import choose_liquidation, compute_health
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.genesis import BTC, ETH, QUORUM, make_init
from devnet.prices import PRICE_SCALE
from optimist.derive.actions import (
    Action,
    Deposit,
    Header,
    Init,
    Liquidate,
    Sequenced,
    SignedOrder,
    Trade,
)
from optimist.provable import Receipt, State
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

    def buy(self, size: int, dollars: int) -> Receipt:
        terms = {"market": BTC, "size": size, "price": dollars * PRICE_SCALE, "expiry": START + 60, "slot": 1}
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
        prices = [dollars * PRICE_SCALE, 0]
        choice = choose_liquidation(account, world.init.markets, prices)
        verdicts.append(choice is not None)
        assert compute_health(account, world.init.markets, prices).is_liquidatable == verdicts[-1]
        receipt = world.act(choice or Liquidate(2, BTC))
        assert receipt.rejected == (choice is None)
        assert choice is not None or receipt.code == Code.NOT_LIQUIDATABLE
        if choice is not None:
            assert choice == Liquidate(2, BTC)
            break
    assert verdicts[0] is False
    assert verdicts[-1] is True

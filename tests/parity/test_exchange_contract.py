"""The contract that anvil is measured with does what the law does: same fills, same refusals, same money."""

import random
from dataclasses import replace
from typing import Any

import pytest
from pyrevm import EVM, BlockEnv

from optimist.derive.actions import SignedOrder, Tier, Trade
from optimist.stf.records import Volatility
from tests.support.exchange_contract import (
    ACCOUNTS,
    FUND,
    POSITION,
    decode_last,
    encode_creation,
    encode_list,
    encode_open,
    encode_question,
    encode_trade,
)
from tests.support.world import BTC, ETH, PRICE, START, USD, World, address, trader

SENDER = "0x" + "5e" * 20
ACCOUNT_NUMBERS = (1, 2, 3, 4)
TRADES = 150
MARKETS = (
    replace(
        BTC,
        tiers=(Tier(20_000 * USD, 100_000, 60_000), Tier(100_000 * USD, 400_000, 200_000)),
        max_open_interest=20 * 10**8,
        open_interest_lower=300_000 * USD,
        open_interest_upper=1_500_000 * USD,
    ),
    replace(ETH, max_position=60 * 10**6),
)
PRICES = (50_000, 2_000)  # USD


class Twin:
    """The law and the contract, side by side."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World(markets=MARKETS)
        self.evm: Any = EVM(spec_id="OSAKA")
        self.evm.set_balance(SENDER, 10**30)
        self.evm.set_block_env(BlockEnv(timestamp=START))
        parameters = self.world.parameters
        creation = encode_creation(self.world.domain, parameters.trade_heartbeat, 4, 4)
        self.address = self.evm.deploy(SENDER, creation)
        for account in ACCOUNT_NUMBERS:
            usd = self.random.choice((2_000, 20_000, 500_000))
            assert self.world.deposit(account, usd) == 0
            self.call(encode_open(account, address(trader(account)), usd * USD))
        for market, usd in enumerate(PRICES):
            assert self.world.price(market, usd) == 0
            floor = self.world.record(Volatility, market).floor_ppm
            mark = self.world.stored_price(market).mark
            self.call(encode_list(market, MARKETS[market], mark, START, floor))

    def call(self, data: bytes) -> bytes:
        return bytes(self.evm.message_call(SENDER, self.address, calldata=data))

    def trade(self, size: int, price: int, maker: SignedOrder, taker: SignedOrder) -> bool:
        """Whether both took it."""
        code = self.world.act(Trade(size, price, maker, taker))
        is_taken = True
        try:
            self.call(encode_trade(size, price, maker, taker))
        except RuntimeError as error:
            if "Revert" not in str(error):
                raise
            is_taken = False
        assert is_taken == (code == 0), f"the law says {code}, the contract takes it: {is_taken}"
        return is_taken

    def compare(self) -> None:
        for account in ACCOUNT_NUMBERS:
            collateral = decode_last(self.call(encode_question(ACCOUNTS, account)))
            assert collateral == self.world.account(account).collateral
            for market in range(len(MARKETS)):
                size = decode_last(self.call(encode_question(POSITION, account, market)))
                assert size == self.world.position(account, market)
        assert decode_last(self.call(encode_question(FUND))) == self.world.group(0).fund

    def make_trade(self) -> tuple[int, int, SignedOrder, SignedOrder]:
        """Mostly possible, sometimes not: too large, past its limit, forged, used up."""
        pick = self.random
        maker, taker = pick.sample(ACCOUNT_NUMBERS, 2)
        market = pick.randrange(len(MARKETS))
        size = MARKETS[market].lot * pick.randrange(1, pick.choice((10, 1_000, 40_000)))
        price = PRICES[market] * PRICE * pick.randrange(980_000, 1_020_001) // 10**6
        maker_buys = pick.random() < 0.5
        terms: dict[str, Any] = {"market": market, "slot": pick.randrange(5 if pick.random() < 0.1 else 4)}
        terms["reduce_only"] = pick.random() < 0.2
        terms["time_in_force"] = pick.choice((0, 0, 0, 1, 2))
        if pick.random() < 0.05:
            terms["signer"] = "somebody"
        if pick.random() < 0.05:
            terms["nonce"] = 1
        first = self.world.order_units(maker, maker_buys, size, price, market=market, slot=pick.randrange(4))
        limit = price * pick.choice((990, 1_000, 1_000, 1_010)) // 1_000
        second = self.world.order_units(taker, not maker_buys, size, limit, **terms)
        filled = size if pick.random() < 0.7 else max(size // 2, 1)
        return filled, price, first, second


@pytest.mark.parametrize("seed", range(3))
def test_contract_and_law_take_and_refuse_the_same_trades(seed: int) -> None:
    twin = Twin(seed)
    taken = 0
    for _ in range(TRADES):
        taken += twin.trade(*twin.make_trade())
        twin.compare()
    assert TRADES // 10 < taken < TRADES, "some of both, or the comparison is of little worth"

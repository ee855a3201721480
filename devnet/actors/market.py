"""A market day: an oracle, a market maker, traders and a keeper, driven tick by tick along a price path.

Everything goes through the sequencer's API, as anybody's actions would.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devnet.actors.client import SequencerClient
from devnet.actors.keeper import choose_liquidation
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.genesis import BTC, ETH
from devnet.prices import PPM
from optimist.api.errors import ApiError
from optimist.api.schema import ParsedAction
from optimist.derive.actions import MarketParameters, SignedOrder
from optimist.stf.codes import Code
from optimist.stf.constants import (
    FILL_OR_KILL,
    GOOD_TILL_CANCELLED,
    GROUP_BITS,
    IMMEDIATE_OR_CANCEL,
    PERPETUAL_FEED,
)

ETH_PER_BTC_PPM = 36_000  # the second market follows the first at a fixed ratio
PREMIUM_PPM = 50  # (= 0.005 %): perpetuals elsewhere cost a little more than the index
HALF_SPREAD_PPM = 400  # what a trader gives for being filled at once
ORDER_LIFETIME = 30  # s
KEY_LIFETIME = 86_400  # s
FAR_SLOT = 2  # of a trader's, for orders that nobody will meet
SAVINGS = 5_000_000  # 1e-6 USD (= 5)
MOST_LIQUIDATIONS = 8  # of one account at one tick; each restores 20 % more than maintenance


@dataclass(frozen=True, slots=True)
class Liquidation:
    """A liquidation that the sequencer acknowledged. `size`: what was closed, signed as the position was."""

    account: int
    market: int
    size: int
    price: int  # 1e-8 USD


@dataclass(slots=True)
class Tick:
    """What happened at one tick. `prices` and `marks` (what the law values at) in 1e-8 USD by market."""

    prices: tuple[int, ...]
    marks: tuple[int, ...] = ()
    trades: int = 0
    liquidations: list[Liquidation] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)  # what owners did besides, by kind
    refusals: list[str] = field(default_factory=list)


class MarketDay:
    """Plays ticks. The same seed and the same path give the same orders."""

    def __init__(
        self,
        client: SequencerClient,
        *,
        now: Callable[[], Awaitable[int]],
        oracle: Oracle,
        markets: Sequence[MarketParameters],
        maker: Trader,
        traders: Sequence[Trader],
        seed: int,
    ) -> None:
        """`now`: the second of L1; `traders` trade at random, small against what they own."""
        self._client = client
        self._now = now
        self._oracle = oracle
        self._markets = list(markets)
        self._maker = maker
        self._traders = list(traders)
        self._chance = random.Random(seed)
        self._turn = 0
        self.published = 0  # publish time of the last prices
        self.watched = [trader.account for trader in traders]  # accounts that the keeper looks at

    async def play(self, btc_price: int) -> Tick:
        """Publish, trade, liquidate. `btc_price` in 1e-8 USD. Raises ApiError when refused for bad."""
        tick = Tick(self.derive_prices(btc_price))
        await self.publish(tick.prices)
        tick.marks = await self.get_marks()
        trader = self._chance.choice(self._traders)
        market = self._chance.choice((BTC, ETH))
        notional = self._chance.randint(500, 3_000)
        is_buy = self._chance.random() < 0.5
        size = self.compute_size(market, notional, tick.prices[market])
        await self.trade(tick, trader, market, is_buy=is_buy, size=size)
        await self._manage(tick, trader, market)
        for account in self.watched:
            await self._keep(tick, account)
        return tick

    @staticmethod
    def derive_prices(btc_price: int) -> tuple[int, ...]:
        """Prices of all markets when this is the first one's."""
        return btc_price, btc_price * ETH_PER_BTC_PPM // PPM

    async def publish(self, prices: Sequence[int]) -> None:
        """New prices (1e-8 USD) of all markets and their perpetuals elsewhere, newer than the last ones."""
        self.published = max(self.published + 1, await self._now())
        for market, price in enumerate(prices):
            elsewhere = price * (PPM + PREMIUM_PPM) // PPM
            await self._client.submit(self._oracle.sign(PERPETUAL_FEED + market, elsewhere, self.published))
            await self._client.submit(self._oracle.sign(market, price, self.published))

    async def get_marks(self) -> tuple[int, ...]:
        """What the law values each market at, 1e-8 USD."""
        found = [await self._client.get_market(market) for market in range(len(self._markets))]
        return tuple(int(each["mark"]) for each in found)

    async def trade(self, tick: Tick, trader: Trader, market: int, *, is_buy: bool, size: int) -> None:
        """A trader bids or offers a little away from the last price; the market maker takes all of it."""
        away = HALF_SPREAD_PPM if is_buy else -HALF_SPREAD_PPM
        terms: dict[str, Any] = {
            "market": market,
            "size": size,
            "price": tick.prices[market] * (PPM + away) // PPM,
            "expiry": await self._now() + ORDER_LIFETIME,
        }
        await self._submit(tick, trader.sign_order(is_buy=is_buy, slot=market, **terms))
        await self._submit(tick, self._maker_order(market, not is_buy, terms, IMMEDIATE_OR_CANCEL))

    def _maker_order(
        self, market: int, is_buy: bool, terms: Mapping[str, Any], time_in_force: int
    ) -> SignedOrder:
        slot = 2 * market + (not is_buy)
        return self._maker.sign_order(is_buy=is_buy, slot=slot, time_in_force=time_in_force, **terms)

    async def _manage(self, tick: Tick, trader: Trader, market: int) -> None:
        """What owners do besides trading: something else at every tick, in turn."""
        acts = (self._lend_key, self._reduce, self._change_mind, self._leave_the_book, self._save)
        await acts[self._turn % len(acts)](tick, trader, market)
        self._turn += 1

    async def _lend_key(self, tick: Tick, trader: Trader, _: int) -> None:
        await self._act(tick, "SESSION_KEY", trader.lend_key(await self._now() + KEY_LIFETIME))

    async def _reduce(self, tick: Tick, trader: Trader, market: int) -> None:
        """Close what can be closed in whole lots, at once or not at all."""
        held = get_size(await self._client.get_account(trader.account), market)
        lot = self._markets[market].lot
        if size := abs(held) // lot * lot:
            expiry = await self._now() + ORDER_LIFETIME
            price = tick.prices[market]
            terms: dict[str, Any] = {"market": market, "size": size, "price": price, "expiry": expiry}
            await self._submit(tick, self._maker_order(market, held > 0, terms, GOOD_TILL_CANCELLED))
            terms |= {"reduce_only": True, "time_in_force": FILL_OR_KILL}
            await self._submit(tick, trader.sign_order(is_buy=held < 0, slot=market, **terms))

    async def _change_mind(self, tick: Tick, trader: Trader, market: int) -> None:
        """Bid far below the market, and take it back."""
        await self._submit(tick, await self._sign_far_bid(tick, trader, market))
        await self._act(tick, "CANCEL", trader.sign_cancel(FAR_SLOT))

    async def _leave_the_book(self, tick: Tick, trader: Trader, market: int) -> None:
        """The same with everything that is in the books."""
        await self._submit(tick, await self._sign_far_bid(tick, trader, market))
        await self._act(tick, "CANCEL_ALL", trader.sign_cancel_all())

    async def _sign_far_bid(self, tick: Tick, trader: Trader, market: int) -> SignedOrder:
        return trader.sign_order(
            market=market,
            is_buy=True,
            size=self._markets[market].lot,
            price=tick.prices[market] // 2,
            expiry=await self._now() + ORDER_LIFETIME,
            slot=FAR_SLOT,
        )

    async def _save(self, tick: Tick, trader: Trader, _: int) -> None:
        """Put something aside in a risk group where nothing is traded yet."""
        await self._act(tick, "TRANSFER", trader.sign_transfer(1 << GROUP_BITS | trader.account, SAVINGS))

    async def _act(self, tick: Tick, kind: str, action: ParsedAction) -> None:
        if await self._submit(tick, action):
            tick.others[kind] += 1

    def compute_size(self, market: int, notional: int, price: int) -> int:
        """Whole lots worth about `notional` USD at `price` (1e-8 USD), at least one."""
        parameters = self._markets[market]
        size = notional * 10 ** (8 + parameters.size_decimals) // price
        lots: int = max(size // parameters.lot, 1)
        return lots * parameters.lot

    async def _submit(self, tick: Tick, action: ParsedAction) -> bool:
        """Whether it was taken."""
        try:
            answer = await self._client.submit(action)
        except ApiError as error:
            if error.status >= 500:
                raise
            tick.refusals.append(error.name)  # a crash leaves some without margin: part of the day
            return False
        if isinstance(action, SignedOrder):
            tick.trades += len(answer.inputs)
        return True

    async def _keep(self, tick: Tick, account: int) -> None:
        for _ in range(MOST_LIQUIDATIONS):
            found = await self._client.get_account(account)
            prospect = await self._client.get_what_if(account)
            wanted = choose_liquidation(found, prospect, self._markets, tick.marks)
            if wanted is None:
                return
            try:
                await self._client.submit(wanted)
            except ApiError as error:
                if error.number != Code.NOT_LIQUIDATABLE:
                    raise
                return  # healthy by a hair's breadth: the law's median differs from ours in the last digit
            left = get_size(await self._client.get_account(account), wanted.market)
            closed = get_size(found, wanted.market) - left
            price = tick.marks[wanted.market]
            tick.liquidations.append(Liquidation(account, wanted.market, closed, price))


def get_size(account: Mapping[str, Any], market: int) -> int:
    """Signed size of a position of an account as the API describes it; 0 when there is none."""
    sizes = [int(position["size"]) for position in account["positions"] if position["market"] == market]
    return sizes[0] if sizes else 0

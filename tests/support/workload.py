"""Random workloads for the law: seeded, real signatures, markets that crash, and people who mean ill.

    for data in generate_workload(seed=7).inputs: state.apply(law, data)

A workload begins on the empty state, so its inputs are all there is to it: the same bytes go to the native
law, to the machine, or through the contracts. About two in three inputs are accepted. `edge_cases.py` has the
states that no sequence of inputs reaches.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Any, Final, TypeVar

from optimist.derive.actions import EnactMarket, Liquidate, Settle, SignedOrder, Tier, Trade
from optimist.derive.order_tree import OrderTree
from optimist.stf.constants import GROUP_BITS, PERPETUAL_FEED, SLOT_BITS
from optimist.stf.law import Apply
from optimist.stf.records import Proposal, SessionKey, WindDown
from tests.support import hostile
from tests.support.attacks import attack
from tests.support.ledger import Ledger
from tests.support.world import BTC, ETH, OK, PRICE, USD, World, address, secret, trader

DEFAULT_COUNT: Final = 220
TRADERS: Final = (1, 2, 3, 4, 5, 6)
# A tick may move a price by 4 %, a jump by more.
BTC_STRICT: Final = replace(
    BTC,
    step_ppm=100_000,
    halt_ppm=250_000,
    halt_seconds=3,
    gap_seconds=60,
    interest=10**8,
    damper=10**7,
    max_rate=4 * 10**7,
    max_premium=10**9,
    smoothing_seconds=5,
    tiers=(
        Tier(5_000 * USD, 60_000, 35_000),
        Tier(20_000 * USD, 100_000, 60_000),
        Tier(60_000 * USD, 200_000, 60_000),
    ),
    max_open_interest=10**8,
    open_interest_lower=50_000 * USD,
    open_interest_upper=500_000 * USD,
    mark_cap_ppm=20_000,
    volatility_multiplier_ppm=200_000,
    volatility_horizon=3_600,
    volatility_window=600,
    volatility_sample=3,
)
ETH_STRICT: Final = replace(
    ETH,
    step_ppm=80_000,
    halt_ppm=80_000,
    halt_seconds=0,
    gap_seconds=60,
    max_rate=10**6,
    max_premium=10**6,
    smoothing_seconds=60,
    tiers=(Tier(10_000 * USD, 150_000, 80_000),),
    mark_cap_ppm=500,
    volatility_multiplier_ppm=2_000_000,
    volatility_horizon=100,
    volatility_window=1_000,
    volatility_sample=0,
)
MARKETS: Final = (BTC_STRICT, ETH_STRICT)
ISOLATED: Final = (BTC_STRICT, replace(ETH_STRICT, group=1))
SESSION: Final = 3  # index of the session key that a trader may have lent
T = TypeVar("T")
# What a governor may think of: tighter and looser rules, with and without a floor.
RULE_CHANGES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"volatility_multiplier_ppm": 0},
    {"max_position": 5 * 10**7, "max_open_interest": 5 * 10**7},
    {"tiers": (), "max_premium": 10**5, "max_rate": 10**4},
    {"initial_margin_ppm": 120_000, "maintenance_margin_ppm": 60_000, "tiers": ()},
)
FIRST_PRICES: Final = (50_000 * PRICE, 2_000 * PRICE)


@dataclass(frozen=True)
class Workload:
    """Inputs in order, from the empty state; `codes` are what the native law said to each."""

    seed: int
    preset: str
    inputs: tuple[bytes, ...]
    codes: tuple[int, ...]

    def __str__(self) -> str:
        return f"generate_workload(seed={self.seed}, count={len(self.inputs)}, preset={self.preset!r})"


@cache
def generate_workload(seed: int, count: int = DEFAULT_COUNT, preset: str = "minimal") -> Workload:
    """A workload of exactly `count` inputs. Equal arguments give equal bytes."""
    storm = Storm(seed, preset)
    while len(storm.world.inputs) < count:
        storm.step()
    return Workload(seed, preset, tuple(storm.world.inputs[:count]), tuple(storm.world.codes[:count]))


class Storm:
    """A market with a life of its own, and people who mean it well or ill."""

    def __init__(self, seed: int, preset: str, law: Apply | None = None) -> None:
        self.random = Random(seed)
        self.seed = seed
        self.turns: Counter[str] = Counter()
        before = hostile.before_init(seed)
        # A poor backstop cannot take over what a crash leaves behind.
        backstop = self.random.choice((10, 300, 20_000, 500_000))
        self.world = World(preset, law, before=before, **build_changes(self.random))
        self.read: Callable[[], Ledger] = lambda: self.world  # whoever keeps the state decoded is faster
        self.prices = list(FIRST_PRICES)
        self.crash = 0  # ticks that it still lasts; negative: a rise
        self.resting: list[SignedOrder] = []
        self.world.deposit(0, backstop)
        for account in TRADERS:
            self.world.deposit(account, self.random.randint(200, 5_000))
        if self.is_isolated:
            self.world.deposit(1 << 32, backstop)
            for account in TRADERS:
                self.world.deposit(1 << 32 | account, self.random.randint(200, 5_000))
        self.tick()
        self.tick()

    @property
    def is_isolated(self) -> bool:
        """Market 1 is traded in a risk group of its own."""
        return len(self.world.init.markets) > 1 and self.world.init.markets[1].group == 1

    @property
    def traders(self) -> tuple[int, ...]:
        """Everybody but the backstops."""
        return (*TRADERS, *(1 << 32 | account for account in TRADERS)) if self.is_isolated else TRADERS

    def members(self, market: int) -> tuple[int, ...]:
        """Everybody who may hold a market, the backstop first."""
        group = self.world.init.markets[market].group
        return tuple(group << 32 | account for account in (0, *TRADERS))

    def step(self) -> None:
        """One or a few inputs."""
        acts: list[tuple[int, Callable[[], object]]] = [
            (20, self.tick),
            (30, self.trade),
            (12, self.liquidate_unhealthy),
            (4, self.withdraw),
            (4, self.deposit),
            (3, self.force_withdraw),
            (2, self.next_batch),
            (2, self.settle),
            (4, self.arrange),
            (3, self.govern),
            (1, self.fall_silent),
            (30, lambda: attack(self)),
        ]
        weights, choices = zip(*acts, strict=True)
        self.random.choices(choices, weights)[0]()

    def turn(self, name: str, options: Sequence[T]) -> T:
        """One of `options`, each in its turn. Seeds begin at different ones: a few seeds see them all."""
        index = self.seed + self.turns[name]
        self.turns[name] += 1
        return options[index % len(options)]

    # -------------------------------------------------------------------------------------------- markets

    def tick(self) -> None:
        """A second or more passes, prices move, a random quorum signs them."""
        self.world.second += self.random.choice((1, 1, 1, 2, 5))
        if self.crash == 0 and self.random.random() < 0.06:
            self.crash = self.random.choice((-12, -8, -5, 4, 7, 12))
        drift = -0.025 if self.crash > 0 else 0.025 if self.crash < 0 else 0.0
        self.crash -= (self.crash > 0) - (self.crash < 0)
        markets = range(len(self.world.init.markets))
        for market in markets:
            if self.random.random() < 0.9:
                move = 1 + drift * self.random.uniform(0.5, 1.5) + self.random.gauss(0, 0.002)
                self.prices[market] = max(int(self.prices[market] * move), PRICE)
            if (
                self.random.random() < 0.02
            ):  # beyond the step rule, sometimes beyond the halt; it may be an error
                jumped = int(self.prices[market] * self.random.choice((0.7, 0.88, 0.88, 1.12, 1.4)))
                self.publish(market, jumped)
                self.world.second += self.random.choice((1, 1, 4))
                if self.random.random() < 0.5:
                    self.prices[market] = jumped
            self.publish(market)
            if self.random.random() < 0.3:  # what the perpetual costs elsewhere
                premium = self.random.choice((0.9, 0.999, 1.0, 1.0005, 1.03))
                self.publish(PERPETUAL_FEED + market, int(self.prices[market] * premium))

    def publish(self, market: int, price: int | None = None) -> int:
        """Keys sign prices around the true one, or `price`; sometimes they have to go through L1."""
        price = price or self.prices[market]
        keys = list(range(len(self.world.init.signers)))
        count = self.random.randint(self.world.init.quorum, len(keys))
        around = [
            (key, price + self.random.randint(-PRICE, PRICE) // 100)
            for key in self.random.sample(keys, count)
        ]
        ordered = sorted(around, key=lambda one: one[1])
        update = self.world.price_update(market, ordered)
        return self.world.force_action(update) if self.random.random() < 0.05 else self.world.act(update)

    def random_size(self, account: int, market: int) -> int:
        """A number of lots that uses up a part of the account's free margin, rarely more than all of it."""
        value, _, initial = self.read().health(account)
        parameters = self.world.init.markets[market]
        budget = max(int(value - initial), USD) * 10**6 // parameters.initial_margin_ppm
        divisor = 10 ** (parameters.size_decimals + 2)
        size: int = int(budget * self.random.uniform(0.02, 1.05)) * divisor // self.prices[market]
        return max(size // parameters.lot, 1) * parameters.lot

    def trade(self) -> int:
        """Two traders meet near the last price; sometimes a resting order is met again."""
        market = self.random.randrange(len(self.world.init.markets))
        maker, taker = self.random.sample(self.members(market), 2)
        price = int(self.prices[market] * self.random.uniform(0.999, 1.001))
        held = self.read().position(taker, market)
        if held and self.random.random() < 0.4:  # somebody closes, or a part of it
            lot = self.world.init.markets[market].lot
            buys, size = held < 0, max(int(abs(held)) // lot, 1) * lot
        else:
            buys, size = self.random.random() < 0.5, self.random_size(taker, market)
        again = self.open_orders(market, taker)
        if again and self.random.random() < 0.4:
            first = self.random.choice(again)
            buys, price = not first.order.is_buy, first.order.price
            size = min(size, first.order.size - self.filled(first))
        else:
            terms = {"market": market, "slot": self.random.randrange(4)}
            size = min(size, self.random_size(maker, market) * 2)
            first = self.limit(maker, not buys, size * self.random.choice((1, 1, 2, 3)), price, **terms)
            self.resting.append(first)
        flags = {
            "time_in_force": self.random.choice((0, 0, 1, 2)),
            "reduce_only": self.random.random() < 0.7 and abs(held) >= size and (held < 0) == buys,
        }
        second = self.limit(taker, buys, size, price, market=market, slot=self.random.randrange(4), **flags)
        return self.world.act(Trade(size, price, first, second))

    def open_orders(self, market: int, taker: int) -> list[SignedOrder]:
        """Orders of others in a market, near its price, that have something left."""
        near = self.prices[market] // 100
        return [
            order
            for order in self.resting
            if order.order.market == market
            and order.order.account != taker
            and abs(order.order.price - self.prices[market]) < near
            and self.filled(order) < order.order.size
        ]

    def filled(self, signed: SignedOrder) -> int:
        """How much of an order is used up: all of it when its nonce is dead."""
        order = signed.order
        slot = self.world.order_slot(order.account, order.slot)
        if slot.nonce > order.nonce:
            return order.size
        return min(slot.filled, order.size) if slot.nonce == order.nonce else 0

    def limit(self, account: int, is_buy: bool, size: int, price: int, **terms: int) -> SignedOrder:
        """An order that the fill price satisfies, some with room to spare.

        Some are signed by a session key, some with others under one signature.
        """
        room = self.random.choice((0, 0, price // 200))
        limit = price + room if is_buy else price - room
        key = SESSION if self.world.record(SessionKey, account << SLOT_BITS | SESSION).rights & 1 else 0
        signer = f"session of {account}" if key else trader(account)
        count = self.random.choice((1, 1, 1, 2, 4, 8))
        signed = [
            self.world.order_units(account, is_buy, size, limit, signer=signer, key=key, **terms)
            for _ in range(count)
        ]
        if count == 1:
            return signed[0]
        tree = OrderTree(tuple(one.order for one in signed))
        return self.random.choice(tree.split(tree.sign(self.world.domain, secret(signer))[0].signature, key))

    # ------------------------------------------------------------------------------------------- accounts

    def liquidate_unhealthy(self) -> object:
        """Whoever is below maintenance margin; rarely anyone else."""
        unhealthy = [
            account
            for account in self.traders
            if self.world.positions(account) and self.world.health(account)[0] < self.world.health(account)[1]
        ]
        if not unhealthy and self.random.random() < 0.8:
            self.tick()
            return None
        account = self.random.choice(unhealthy or list(self.traders))
        held = list(self.world.positions(account)) or [0]
        due = Liquidate(account, self.random.choice(held))
        return self.world.force_action(due) if self.random.random() < 0.2 else self.world.act(due)

    def withdraw(self) -> int:
        """What is free above initial margin, or a little more."""
        account = self.random.choice(self.traders)
        value, _, initial = self.world.health(account)
        free = max(int(value - initial), 0)
        amount = self.random.choice((free, free // 3, free + USD)) + 1
        return self.world.withdraw(account, amount, least_paid=self.turn("least", (0, amount, amount // 2)))

    def force_withdraw(self) -> int:
        account = self.random.choice(self.traders)
        value, _, initial = self.world.health(account)
        amount = self.random.choice((max(int(value - initial), 0) // 2 + 1, 10**12))
        least_paid = self.turn("least", (0, amount, amount // 2))
        return self.world.force_withdraw(
            account, amount, enqueued_at=self.world.second - 5, least_paid=least_paid
        )

    def arrange(self) -> object:
        """What an owner does besides trading, and what the fee manager does."""
        world, random = self.world, self.random
        account = random.choice(TRADERS)
        market = random.randrange(len(world.init.markets))
        parameters = world.init.markets[market]
        sibling = random.randint(1, 2) << GROUP_BITS | account
        acts: list[Callable[[], object]] = [
            lambda: world.cancel(account, random.randrange(4), max(self.nonce() - random.randint(0, 9), 0)),
            lambda: world.cancel_all(account, max(self.nonce() - random.randint(5, 40), 1)),
            lambda: world.force_cancel_all(account, max(self.nonce() - random.randint(5, 40), 1)),
            lambda: world.lend_key(account, SESSION, f"session of {account}", rights=random.choice((1, 3))),
            lambda: world.cancel(account, 0, self.nonce(), f"session of {account}", SESSION),
            lambda: world.lend_key(account, SESSION, None),
            lambda: world.force_session_end(account, SESSION),
            lambda: world.transfer(account, sibling, random.randint(1, 50 * USD)),
            lambda: world.transfer(sibling, account, max(world.account(sibling).collateral // 2, 0) + 1),
            lambda: world.list_fees(market, random.randint(1, 2), -parameters.taker_fee_ppm, 100),
            lambda: world.list_fees(market, random.randint(1, 2), 0, parameters.taker_fee_ppm // 2),
            lambda: world.put_in_tier(account, random.randint(0, 3)),
        ]
        return self.turn("arrange", acts)()

    def nonce(self) -> int:
        """The newest nonce that an order has."""
        return max((one.order.nonce for one in self.resting), default=1)

    def deposit(self) -> int:
        return self.world.deposit(self.random.choice((*self.traders, 0)), self.random.randint(1, 2_000))

    def settle(self) -> int:
        """Whoever has something to settle, or anybody."""
        closed = [
            (account, market)
            for account in (*self.traders, 0)
            for market in self.world.markets_of(account)
            if market not in self.world.positions(account)
        ]
        due = Settle(*self.random.choice(closed or [(self.random.choice(self.traders), 0)]))
        return self.world.force_action(due) if self.random.random() < 0.2 else self.world.act(due)

    def govern(self) -> int:
        """Rules that wait are enacted when they are due; else new ones are proposed, rarely a new market."""
        world = self.world
        for market, proposal in world.all_records(Proposal).items():
            if proposal.not_before <= world.second:
                due = EnactMarket(market)
                return world.force_action(due) if self.random.random() < 0.3 else world.act(due)
        market = self.random.randrange(len(world.init.markets) + 1)
        rules = (*world.init.markets, ETH_STRICT)[market]
        changes = self.turn("govern", RULE_CHANGES)
        wanted = world.proposal(market, replace(rules, **changes))
        return world.force_action(wanted) if self.random.random() < 0.3 else world.act(wanted)

    def fall_silent(self) -> None:
        """The sequencer, or the oracle of a market, is gone for long; a market is closed; it comes back."""
        world, random = self.world, self.random
        rule, market = world.record(WindDown, 0), random.randrange(len(world.init.markets))
        world.pass_silence(rule.silence)
        if random.random() < 0.3:  # only the oracle
            world.cancel_all(1, 0)
        world.close(market)
        world.close(random.choice((market, 16)))
        if random.random() < 0.7:  # somebody has newer prices
            self.prices[market] = self.prices[market] * random.choice((80, 100, 120)) // 100
            for _ in range(2):
                world.second += 1
                self.publish(market)
        world.pass_silence(rule.window - random.choice((0, 0, 0, 10)))
        if world.close(market) == OK:
            for _ in range(random.randint(2, 12)):
                self.settle()
            world.force_withdraw(random.choice(self.traders), USD)
            self.withdraw()
            world.pass_silence(rule.window)
            self.settle()
            world.force_withdraw(random.choice(self.traders), USD)
        self.tick()
        self.tick()

    def next_batch(self) -> int:
        self.world.second += self.random.randint(0, 3)
        return self.world.open_batch(mode=self.random.choice((0, 0, 1)))


def build_changes(random: Random) -> dict[str, object]:
    """Fields of INIT that vary between workloads."""
    keys = random.choice((3, 5, 7))
    return {
        "quorum": random.randint(keys // 2 + 1, keys),
        "signers": tuple(address(f"oracle {i}") for i in range(keys)),
        "liquidation_buffer_ppm": random.choice((0, 150_000, 500_000)),
        "timelock": random.choice((1, 20)),
        "silence": random.choice((600, 10_000)),
        "window": random.choice((20, 500)),
        "markets": random.choice(
            (MARKETS, MARKETS, ISOLATED, (replace(BTC_STRICT, volatility_multiplier_ppm=0),))
        ),
    }

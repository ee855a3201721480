"""Replays: a thousand accounts, a price path, a keeper that liquidates whatever is due; then a report.

    DATA=<folder> python -m tests.support.replay        writes tests/vectors/replays.json, to be reviewed

A report has integers only, and the same seed gives the same one: it is compared with the reviewed snapshot.
All figures come from the receipts of the law and its state.
"""

import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from devnet.prices import read_bars
from optimist.derive.actions import MarketParameters, Trade
from optimist.provable import Receipt
from optimist.stf.codes import Code
from optimist.stf.constants import PERPETUAL_FEED, SLOT_BITS
from optimist.stf.records import Account, Position
from tests.support.world import OK, PRICE, USD, World

SNAPSHOT: Final = Path(__file__).parents[1] / "vectors" / "replays.json"
FUNDING: Final = "supervik_BTC-USDT_binance_funding_2020-2024.csv"
CRASH: Final = "binance_usdm_BTCUSDT_1m_2025-10-10_crash.csv"
FOUR_YEARS: Final = "four years of funding"
ACCOUNTS: Final = 1_000
SEED: Final = 7
BTC: Final = MarketParameters(
    size_decimals=8,
    lot=1_000,
    initial_margin_ppm=20_000,
    maintenance_margin_ppm=10_000,
    maker_fee_ppm=200,
    taker_fee_ppm=500,
    liquidation_penalty_ppm=5_000,
    max_position=10**13,
    step_ppm=50_000,
    halt_ppm=250_000,
    halt_seconds=60,
    gap_seconds=600,
)


class Tick(NamedTuple):
    """What the market does next."""

    seconds: int  # since the last one
    price: int  # 1e-8 USD
    is_told: bool = True  # False: the oracle is silent


@dataclass(frozen=True)
class Scenario:
    """What happens, and who pays for it."""

    ticks: tuple[Tick, ...]
    backstop: int = 50_000_000  # USD
    fund: int = 1_000_000  # USD
    leverage: tuple[int, int] = (2, 45)  # of longs
    market: MarketParameters = BTC
    trades: int = 10  # attempted at every tick
    all_close: bool = False  # in the end, one after the other: the last trade closes the open interest


class Opening(NamedTuple):
    """What a long begins with."""

    collateral: int  # 1e-6 USD
    size: int  # units


@dataclass
class Replay:
    """A world in which a scenario is played."""

    scenario: Scenario
    counts: Counter[str] = field(default_factory=Counter)
    openings: list[Opening] = field(default_factory=list)  # of the longs, in the order of their accounts
    due_since: dict[int, int] = field(default_factory=dict)  # account -> second
    waits: list[int] = field(default_factory=list)  # s, of every account that was liquidated, and each time
    liquidated: set[int] = field(default_factory=set)
    before: dict[str, int] = field(default_factory=dict)  # when all have opened

    def __post_init__(self) -> None:
        self.random = Random(SEED)
        self.world = World(markets=(self.scenario.market,), trade_heartbeat=60, liquidation_heartbeat=60)
        self._apply = self.world.apply_bytes
        self.world.apply_bytes = self.apply_bytes  # type: ignore[method-assign]  # to count what it does

    def apply_bytes(self, data: bytes) -> Receipt:
        """Apply, and count what the receipt says."""
        receipt = self._apply(data)
        self.counts["inputs"] += 1
        self.counts["accepted"] += receipt.code == OK
        for note in receipt.notes:
            named: Any = note
            self.count(named.record_layout.name, named)
        return receipt

    def count(self, kind: str, note: Any) -> None:
        """What a note adds to the report. Who lacks something: `bad debt`; who pays it: one of four."""
        counts = self.counts
        if kind == "Filled":
            counts["fills"] += 1
            counts["volume"] += abs(note.quote)
            counts["fees"] += note.fee
        elif kind == "TakenOver":
            counts["paid by the backstop"] += note.shortfall
            counts["paid by the fund"] -= note.shortfall
        elif kind == "Liquidated":
            counts["liquidations"] += 1
            counts["liquidated notional"] += abs(note.quote)
            counts["penalties"] += max(note.charge, 0)
            counts["bad debt"] += max(-note.charge, 0)
            counts["paid by the fund"] += max(-note.charge, 0)
            self.liquidated.add(note.account)
        elif kind == "Deleveraged":
            counts["deleveragings"] += 1
            counts["deleveraged notional"] += abs(note.quote)
            counts["left to counterparts"] += max(note.charge, 0)
            counts["bad debt"] += max(-note.charge, 0)
            counts["paid by the fund"] += note.from_fund
            counts["paid by counterparts"] += max(-note.charge, 0) - note.from_fund - note.lost
            counts["socialised"] += note.lost
            self.liquidated.add(note.account)

    def run(self) -> dict[str, int]:
        """Play it all; the report."""
        self.open()
        for number, tick in enumerate(self.scenario.ticks):
            self.world.second += tick.seconds
            if tick.is_told:
                self.publish(tick.price)
            self.watch(tick.price)
            if tick.is_told:
                self.liquidate()
                self.trade(tick.price)
            if number % 50 == 0:
                self.world.check()
        if self.scenario.all_close:
            self.close(tick.price)
        self.world.check()
        return self.report()

    def close(self, price: int) -> None:
        """Every long sells to the one who is short against it; the last trade ends the open interest."""
        for long in range(1, ACCOUNTS // 2 + 1):
            size = int(self.world.position(long, 0))
            assert self.world.open_interest(0) >= size > 0
            orders = (
                self.world.order_units(long, False, size, price),
                self.world.order_units(ACCOUNTS // 2 + long, True, size, price),
            )
            assert self.fill(size, price, orders) == OK
        assert self.world.total(0, False) == self.world.total(0, True) == 0

    def publish(self, price: int) -> None:
        """The index, and what it costs elsewhere: the same."""
        for feed in (PERPETUAL_FEED, 0):
            self.publish_to(feed, price)

    def publish_to(self, feed: int, price: int) -> None:
        """One round of a feed."""
        assert self.world.act(self.world.price_update(feed, [(key, price) for key in range(3)])) == OK

    def open(self) -> None:
        """Half are long with leverage, each against one who is short with much less."""
        scenario, world, half = self.scenario, self.world, ACCOUNTS // 2
        if scenario.backstop:
            world.deposit(0, scenario.backstop)
        if scenario.fund:
            world.put_fund(scenario.fund * USD)
            group = world.group()
            group.money += scenario.fund * USD
            world.put(0, group)
            world.deposited += scenario.fund * USD
        first = scenario.ticks[0].price
        self.publish(first)
        for long in range(1, half + 1):
            collateral = int(100 * 10 ** self.random.uniform(0, 3))
            notional = collateral * self.random.uniform(*scenario.leverage)
            size = int(notional * PRICE * 10**8) // first // 1_000 * 1_000
            world.deposit(long, collateral)
            world.deposit(half + long, int(notional * self.random.uniform(0.3, 1)) + 100)
            self.openings.append(Opening(collateral * USD, size))
            orders = (
                world.order_units(half + long, False, size, first),
                world.order_units(long, True, size, first),
            )
            assert self.fill(size, first, orders) == OK
        if not scenario.fund:
            self.empty_fund()
        self.before = {"fund before": self.world.fund, "fees before": self.counts["fees"]}

    def empty_fund(self) -> None:
        """Take the fees of the opening out of the world: whatever comes finds nothing in the fund."""
        group = self.world.group()
        self.world.deposited -= group.fund
        group.money -= group.fund
        group.fund = 0
        self.world.put(0, group)

    def fill(self, size: int, price: int, orders: Any) -> int:
        return self.world.act(Trade(size, price, *orders))

    def trade(self, price: int) -> None:
        """Some meet at the last price, whoever can."""
        for _ in range(self.scenario.trades):
            maker, taker = self.random.sample(range(1, ACCOUNTS + 1), 2)
            size = self.random.randint(1, 50) * 1_000
            buys = self.random.random() < 0.5
            orders = (
                self.world.order_units(maker, not buys, size, price),
                self.world.order_units(taker, buys, size, price),
            )
            self.fill(size, price, orders)

    def watch(self, price: int) -> None:
        """Note who is due at what the market costs, whatever the oracle says, and since when."""
        due = set(self.find_due(price))
        for account in self.due_since.keys() - due:
            del self.due_since[account]
        for account in due:
            self.due_since.setdefault(account, self.world.second)

    def liquidate(self) -> None:
        """Whoever is due by the law's price, until nobody is or nothing helps."""
        for _ in range(20):
            done = 0
            for account in list(self.find_due(self.world.stored_price(0).mark)):
                code = self.world.liquidate(account)
                if code == OK:
                    done += 1
                    self.waits.append(self.world.second - self.due_since.pop(account, self.world.second))
                else:
                    self.counts[f"refused: {Code(code).name}"] += 1
            if not done:
                return

    def find_due(self, price: int) -> Iterator[int]:
        """Accounts whose value is below their maintenance margin when the market costs `price`."""
        sides = {is_short: self.world.side(0, is_short) for is_short in (False, True)}
        divisor, unit = self.world.market(0).notional_divisor, self.world.funding_unit(0)
        for account in range(1, ACCOUNTS + 1):
            position = self.world.record(Position, account << SLOT_BITS)
            side = sides[position.shares < 0]
            if not position.shares or position.epoch != side.epoch:
                continue  # who trades one market holds it in his first slot
            parts = position.shares * side.multiplier
            owed = abs(position.shares) * (side.index - position.index) // unit
            value = self.world.account(account).collateral + owed + parts * price // (divisor << 48)
            notional = -(-abs(parts) * price // (divisor << 48))
            if value * 10**6 < notional * self.scenario.market.maintenance_margin_ppm:
                yield account

    def report(self) -> dict[str, int]:
        """All that happened, in units of 1e-6 USD, seconds and counts."""
        world = self.world
        empty = [
            account.collateral
            for row, account in world.all_records(Account).items()
            if row and not world.positions(row)
        ]
        return {
            **{name: amount for name, amount in sorted(self.counts.items()) if amount},
            **self.before,
            "accounts liquidated": len(self.liquidated),
            "longest wait": max(self.waits, default=0),
            "liquidated late": sum(1 for waited in self.waits if waited),
            "still due": sum(1 for _ in self.find_due(world.stored_price(0).mark)),
            "owed by empty accounts": -sum(min(collateral, 0) for collateral in empty),
            "paid in": world.group().money,
            "accounted for": int(self.add_up()),
            "fund after": world.fund,
            "open interest": world.open_interest(0),
        }

    def add_up(self) -> Fraction:
        """Collateral, what sides owe, the fund and what rounding left: to the last part of 1e-6 USD."""
        world = self.world
        total = Fraction(world.fund) + Fraction(world.funding(0).remainder, world.funding_unit(0))
        for account, record in world.all_records(Account).items():
            total += record.collateral + world.unpaid(account, 0)
        return total


def pay_funding(folder: Path) -> dict[str, int]:
    """Four years of an exchange's funding, every eight hours, paid by the hour among a thousand accounts.

    Fills here and the price elsewhere agree on the premium of each period. The index never moves: what
    liquidates is funding alone, and a keeper looks every eight hours.
    """
    market = replace(
        BTC,
        interest=0,
        damper=0,
        max_rate=40_000_000,
        max_premium=50_000_000,
        smoothing_seconds=1,
        gap_seconds=40_000,
    )
    index = 50_000 * PRICE
    replay = Replay(Scenario((Tick(15, index),), leverage=(1, 2), market=market, trades=0))
    world = replay.world
    parameters = world.parameters
    parameters.liquidation_heartbeat = 40_000  # what it costs elsewhere is said every eight hours
    world.put(0, parameters)
    world.open_batch(last=world.second + 10**9)
    replay.open()
    for account in (ACCOUNTS + 1, ACCOUNTS + 2):
        world.deposit(account, 100_000)
    paid = expected = 0
    for number, rate in enumerate(read_rates(folder)):
        price = index * (10**9 + rate) // 10**9
        world.second += 1
        replay.publish_to(0, index)
        orders = [
            world.order_units(ACCOUNTS + 1 + i, (number + i) % 2 == 0, 1_000, price, expiry=1 << 39)
            for i in range(2)
        ]
        assert replay.fill(1_000, price, orders) == OK
        replay.publish_to(PERPETUAL_FEED, price)
        world.second += 1
        replay.publish_to(0, index)
        before = world.side(0, True).index
        for _ in range(8):
            world.second += 3_600
            replay.publish_to(0, index)
        paid += world.side(0, True).index - before
        expected += world.funding(0).rate * index * 8 * 3_600
        replay.liquidate()
        if number % 500 == 0:
            world.check()
    assert paid == expected << 48, "an index is the sum of rate, price and time"
    world.check()
    report = replay.report()
    del report["longest wait"], report["liquidated late"]  # between two rounds of the keeper nobody looks
    return {**report, "index": world.side(0, True).index >> 48}


def read_rates(folder: Path) -> list[int]:
    """The rates of eight hours, 1e-9."""
    with (folder / FUNDING).open(newline="") as file:
        return [int(Fraction(row["Funding Rate"]) * 10**9) for row in csv.DictReader(file)]


def read_crash(folder: Path) -> tuple[Tick, ...]:
    """Four prices a minute: open, then the extreme against the close, the other one, the close."""
    ticks = []
    for bar in read_bars(folder / CRASH):
        falls = bar.close < bar.open
        path = (bar.open, bar.high, bar.low, bar.close) if falls else (bar.open, bar.low, bar.high, bar.close)
        ticks += [Tick(15, price) for price in path]
    return tuple(ticks)


def fall_in_a_day(rng: Random) -> tuple[Tick, ...]:
    """47 % within a day, a price every five minutes, noise on the way, and 8 % of it between two prices."""
    count, gap = 288, 20
    ticks = []
    for i in range(count + 1):
        fallen = 3_081 * i / count + (632 if i >= gap else 0)
        price = int((7_900 - fallen) * (1 + rng.gauss(0, 0.002)) * PRICE)
        ticks.append(Tick(300 if i else 15, price))
    return tuple(ticks)


def silence(ticks: Sequence[Tick], begins: int, ends: int) -> tuple[Tick, ...]:
    """The oracle says nothing from one tick to another."""
    return tuple(tick._replace(is_told=not begins <= i < ends) for i, tick in enumerate(ticks))


def build_scenarios(folder: Path) -> dict[str, Callable[[], Scenario]]:
    """Name -> scenario, all that are compared with the snapshot."""
    slow = replace(BTC, gap_seconds=3_600)
    return {
        "crash of 2025-10-10": lambda: Scenario(read_crash(folder)),
        "crash of 2025-10-10, nobody to pay": lambda: Scenario(read_crash(folder), backstop=0, fund=0),
        "47 % in a day": lambda: Scenario(fall_in_a_day(Random(SEED)), market=slow),
        "47 % in a day, nobody to pay": lambda: Scenario(
            fall_in_a_day(Random(SEED)), backstop=0, fund=0, market=slow
        ),
        "oracle silent in the crash": lambda: Scenario(silence(read_crash(folder), 80, 108)),
        "oracle silent in the crash, nobody to pay": lambda: Scenario(
            silence(read_crash(folder), 80, 108), backstop=0, fund=0
        ),
        "everybody leaves": lambda: Scenario((Tick(15, 50_000 * PRICE),), trades=0, all_close=True),
    }


def play(name: str, folder: Path) -> dict[str, int]:
    """The report of a scenario."""
    if name == FOUR_YEARS:
        return pay_funding(folder)
    return Replay(build_scenarios(folder)[name]()).run()


def main() -> None:
    """Write the snapshot, or the scenarios that are named."""
    folder = Path(os.environ["DATA"])
    reports = json.loads(SNAPSHOT.read_text(encoding="utf-8")) if SNAPSHOT.exists() else {}
    for name in sys.argv[1:] or (*build_scenarios(folder), FOUR_YEARS):
        reports[name] = play(name, folder)
        sys.stdout.write(f"{name}: {json.dumps(reports[name], indent=1)}\n")
    SNAPSHOT.write_text(json.dumps(reports, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

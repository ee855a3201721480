"""Reads a state: records by name, an account's health in exact fractions, the invariants over all of it."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeVar, cast

from optimist.stf.constants import SLOT_BITS
from optimist.stf.margin import Margin
from optimist.stf.records import (
    Account,
    Funding,
    Group,
    Listing,
    MarginTier,
    Market,
    OrderSlot,
    Parameters,
    Position,
    Price,
    RiskRule,
    Side,
    SideEnd,
    System,
    Volatility,
    Withdrawal,
)
from tests.support.judging import judging

R = TypeVar("R")


class Ledger:
    """A state of the law, read-only: key -> 256 bytes."""

    def __init__(self, records: Mapping[int, bytes]) -> None:
        self._records = records

    @property
    def records(self) -> Mapping[int, bytes]:
        """Key -> 256 bytes of every record that is not absent."""
        return self._records

    def record(self, kind: type[R], row: int) -> R:
        """A record of the state; zeros when absent."""
        made: Any = kind
        data = self.records.get(made.record_base + row)
        return cast("R", made.record_zero if data is None else made.record_from_bytes(data))

    @property
    def system(self) -> System:
        return self.record(System, 0)

    @property
    def parameters(self) -> Parameters:
        return self.record(Parameters, 0)

    def account(self, account: int) -> Account:
        return self.record(Account, account)

    def market(self, market: int) -> Market:
        return self.record(Market, market)

    def stored_price(self, market: int) -> Price:
        return self.record(Price, market)

    def positions(self, account: int) -> dict[int, Fraction]:
        """Market -> size of every position that an account holds."""
        held: dict[int, Fraction] = {}
        for slot in range(1 << SLOT_BITS):
            position = self.record(Position, account << SLOT_BITS | slot)
            if position.market_plus_one:
                assert position.shares != 0
                assert position.market_plus_one - 1 not in held, "a market in two slots"
                held[position.market_plus_one - 1] = self.size(position)
        return {market: size for market, size in held.items() if size}

    def position(self, account: int, market: int) -> Fraction:
        """Signed size in units, to the last part; 0 when there is none."""
        return self.positions(account).get(market, Fraction(0))

    def side(self, market: int, is_short: bool) -> Side:
        return self.record(Side, market << 1 | is_short)

    def size(self, position: Position) -> Fraction:
        """Signed size in units, to the last part; 0 once the whole side has been deleveraged."""
        side = self.side(position.market_plus_one - 1, position.shares < 0)
        if position.epoch != side.epoch:
            return Fraction(0)
        return Fraction(position.shares * side.multiplier, 1 << 48)

    def total(self, market: int, is_short: bool) -> Fraction:
        """Size of a whole side."""
        side = self.side(market, is_short)
        return Fraction(side.shares * side.multiplier, 1 << 48)

    def group_of(self, market: int) -> int:
        return self.record(Listing, market).group

    def group(self, group: int = 0) -> Group:
        return self.record(Group, group)

    def share_of_loss(self, group: int, amount: int) -> int:
        """What stays behind of an amount that leaves a group, rounded up."""
        found = self.group(group)
        loss = max(-found.fund, 0)
        return -int(-Fraction(amount * loss, max(found.money + loss, 1)) // 1)

    @property
    def fund(self) -> int:
        """The fund of group 0."""
        return self.group().fund

    def order_slot(self, account: int, slot: int = 0) -> OrderSlot:
        return self.record(OrderSlot, account << SLOT_BITS | slot)

    def withdrawal(self, row: int) -> Withdrawal:
        return self.record(Withdrawal, row)

    def all_records(self, kind: type[R]) -> dict[int, R]:
        """Row -> record of every record of a table that is not absent."""
        made: Any = kind
        table = made.record_base >> 40
        return {
            key & (1 << 40) - 1: made.record_from_bytes(data)
            for key, data in self.records.items()
            if key >> 40 == table
        }

    def funding(self, market: int) -> Funding:
        return self.record(Funding, market)

    def funding_unit(self, market: int) -> int:
        """How many 1e-17 USD-hours, times a unit of size, make 1e-6 USD (by its seconds)."""
        return 3_600 * 10**9 * self.market(market).notional_divisor << 48

    def unpaid(self, account: int, market: int) -> Fraction:
        """What its side owes a position, 1e-6 USD, not rounded."""
        for slot in range(1 << SLOT_BITS):
            position = self.record(Position, account << SLOT_BITS | slot)
            if position.market_plus_one == market + 1:
                row = market << 1 | (position.shares < 0)
                side = self.record(Side, row)
                end = self.record(SideEnd, row << 24 | position.epoch)
                index = side.index if side.epoch == position.epoch else end.index
                moved = index - position.index
                return Fraction(abs(position.shares) * moved, self.funding_unit(market))
        return Fraction(0)

    def health(self, account: int) -> tuple[Fraction, Fraction, Fraction]:
        """(TV, MMR, IMR) of an account by the formulas in rational numbers, without any rounding."""
        value = Fraction(self.account(account).collateral)
        maintenance = initial = Fraction(0)
        for market_id in self.markets_of(account):
            value += self.unpaid(account, market_id)
        for market_id, size in self.positions(account).items():
            market, price = self.market(market_id), self.stored_price(market_id).mark
            worth = size * price / market.notional_divisor
            value += worth
            maintenance += self.requirement(market_id, abs(worth), is_initial=False)
            initial += self.requirement(market_id, abs(worth), is_initial=True)
        return value, maintenance, initial

    def requirement(
        self, market: int, notional: Fraction | int, *, is_initial: bool, before: "Ledger | None" = None
    ) -> Fraction:
        """What the tiers of a market ask for a position: each its fraction of its own part."""
        found = self.market(market)
        tiers = [(0, found.initial_margin_ppm if is_initial else found.maintenance_margin_ppm)]
        for row in range(1, 4):
            tier = self.record(MarginTier, market << 3 | row)
            if tier.from_notional:
                ppm = tier.initial_margin_ppm if is_initial else tier.maintenance_margin_ppm
                tiers.append((tier.from_notional, ppm))
        ends = [begins for begins, _ in tiers[1:]] + [notional]
        total: Fraction | int = 0
        for (begins, ppm), end in zip(tiers, ends, strict=True):
            if notional > begins:
                fraction = self.raised_ppm(market, ppm, before or self) if is_initial else ppm
                total += (min(end, notional) - begins) * fraction
        return Fraction(total, 10**6)

    def risk_rule(self, market: int) -> RiskRule:
        return self.record(RiskRule, market)

    def open_interest(self, market: int) -> int:
        """The sum of all long positions, in whole units."""
        positions = self.all_records(Position).values()
        sizes = [self.size(one) for one in positions if one.market_plus_one == market + 1]
        return int(sum(size for size in sizes if size > 0))

    def raised_ppm(self, market: int, ppm: int, before: "Ledger") -> int:
        """An initial fraction, raised by open interest, each of two steps rounded up; not below the floor."""
        rule, floor = self.record(RiskRule, market), self.record(Volatility, market).floor_ppm
        if not rule.open_interest_upper:
            return max(ppm, floor)
        size = before.open_interest(market)
        notional = -(-size * self.stored_price(market).mark // self.market(market).notional_divisor)
        span = rule.open_interest_upper - rule.open_interest_lower
        above = min(max(notional - rule.open_interest_lower, 0), span)
        share_ppm = -(-above * 10**6 // span)
        return max(ppm - (-(10**6 - ppm) * share_ppm // 10**6), floor)

    def markets_of(self, account: int) -> list[int]:
        """Every market of a slot, also one whose position the whole side's deleveraging has closed."""
        slots = [self.record(Position, account << SLOT_BITS | slot) for slot in range(1 << SLOT_BITS)]
        return [position.market_plus_one - 1 for position in slots if position.market_plus_one]

    def check_conservation(self, deposited: int) -> None:
        """I1 and I2.

        In every group: collateral + fund + what sides owe = the group's money, to the last part of a unit.
        Money of all groups + withdrawals = deposits. A side has the shares of its positions, and shorts are
        what longs are, or larger (by how much, see `audit.check_excess`).
        """
        held: Counter[int] = Counter()
        for row, account in self.all_records(Account).items():
            held[row >> 32] += account.collateral
        exact: dict[int, Fraction] = {group: Fraction(amount) for group, amount in held.items()}
        for row, position in self.all_records(Position).items():
            market = position.market_plus_one - 1
            assert self.group_of(market) == row >> 36, "a market of another group"
            exact[row >> 36] += self.unpaid(row >> SLOT_BITS, market)
        for market, funding in self.all_records(Funding).items():
            exact[self.group_of(market)] += Fraction(funding.remainder, self.funding_unit(market))
        groups = self.all_records(Group)
        with judging("I1"):
            for group, amount in exact.items():
                assert amount + self.group(group).fund == self.group(group).money, f"group {group}"
            paid = sum(withdrawal.amount for withdrawal in self.all_records(Withdrawal).values())
            assert sum(group.money for group in groups.values()) + paid == deposited
        self.check_sides()

    @judging("I2")
    def check_sides(self) -> None:
        """A side is the sum of its positions, and what is long is short."""
        shares: Counter[int] = Counter()
        for position in self.all_records(Position).values():
            row = position.market_plus_one - 1 << 1 | (position.shares < 0)
            if position.epoch == self.record(Side, row).epoch:
                shares[row] += abs(position.shares)
        for row, side in self.all_records(Side).items():
            assert side.shares == shares[row]
            assert 1 << 24 <= side.multiplier <= 1 << 48
        for market in range(self.parameters.markets):
            assert self.excess(market) >= 0, "longs that no short stands against"

    def excess(self, market: int) -> Fraction:
        """By how much shorts are more than longs: what roundings left since somebody was deleveraged."""
        return self.total(market, True) - self.total(market, False)

    def rounded_margin(self, account: int, before: "Ledger | None" = None) -> Margin:
        """(TV, MMR, IMR) as the law rounds them, position by position.

        `before`: the state before the input, whose open interest judges the one after it.
        """
        value = Fraction(self.account(account).collateral)
        maintenance = initial = Fraction(0)
        for market_id in self.markets_of(account):
            value += self.unpaid(account, market_id) // 1
        for market_id, size in self.positions(account).items():
            market, price = self.market(market_id), self.stored_price(market_id).mark
            exact = size * price / market.notional_divisor
            notional = -(-abs(exact) // 1)
            value += exact // 1
            maintenance += -(-self.requirement(market_id, notional, is_initial=False) // 1)
            initial += -(-self.requirement(market_id, notional, is_initial=True, before=before) // 1)
        return Margin(value=int(value), maintenance=int(maintenance), initial=int(initial))

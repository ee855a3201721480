"""Reads a state: records by name, an account's health in exact fractions, the invariants over all of it."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeVar, cast

from optimist.stf.constants import SLOT_BITS
from optimist.stf.margin import Margin
from optimist.stf.records import (
    Account,
    Funding,
    MarginTier,
    Market,
    OpenInterest,
    OrderSlot,
    Parameters,
    Position,
    Price,
    RiskRule,
    System,
    Volatility,
    Withdrawal,
)

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

    def positions(self, account: int) -> dict[int, int]:
        """Market -> size of every position that an account holds."""
        held: dict[int, int] = {}
        for slot in range(1 << SLOT_BITS):
            position = self.record(Position, account << SLOT_BITS | slot)
            if position.market_plus_one:
                assert position.size != 0
                assert position.market_plus_one - 1 not in held, "a market in two slots"
                held[position.market_plus_one - 1] = position.size
        return held

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
        return 3_600 * 10**9 * self.market(market).notional_divisor

    def unpaid_funding(self, account: int, market: int) -> Fraction:
        """What a position is to receive, 1e-6 USD, not rounded."""
        for slot in range(1 << SLOT_BITS):
            position = self.record(Position, account << SLOT_BITS | slot)
            if position.market_plus_one == market + 1:
                moved = self.funding(market).index - position.funding_index
                return Fraction(-position.size * moved, self.funding_unit(market))
        return Fraction(0)

    def health(self, account: int) -> tuple[Fraction, Fraction, Fraction]:
        """(TV, MMR, IMR) of an account by the formulas in rational numbers, without any rounding."""
        value = Fraction(self.account(account).collateral)
        maintenance = initial = Fraction(0)
        for market_id, size in self.positions(account).items():
            value += self.unpaid_funding(account, market_id)
            market, price = self.market(market_id), self.stored_price(market_id).mark
            worth = Fraction(size * price, market.notional_divisor)
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
        total = Fraction(0)
        for (begins, ppm), end in zip(tiers, ends, strict=True):
            fraction = self.raised_ppm(market, ppm, before or self) if is_initial else ppm
            total += max(min(end, notional) - begins, 0) * Fraction(fraction, 10**6)
        return total

    def risk_rule(self, market: int) -> RiskRule:
        return self.record(RiskRule, market)

    def open_interest(self, market: int) -> int:
        """The sum of all long positions."""
        positions = self.all_records(Position).values()
        return sum(max(one.size, 0) for one in positions if one.market_plus_one == market + 1)

    def raised_ppm(self, market: int, ppm: int, before: "Ledger") -> int:
        """An initial fraction, raised by open interest, each of two steps rounded up; not below the floor."""
        rule, floor = self.record(RiskRule, market), self.record(Volatility, market).floor_ppm
        if not rule.open_interest_upper:
            return max(ppm, floor)
        size = before.record(OpenInterest, market).size
        notional = Fraction(size * self.stored_price(market).mark, self.market(market).notional_divisor)
        span = rule.open_interest_upper - rule.open_interest_lower
        share = Fraction(-(-notional // 1) - rule.open_interest_lower, span)
        share_ppm = -(-min(max(share, Fraction(0)), Fraction(1)) * 10**6 // 1)
        return max(int(ppm - (-(10**6 - ppm) * share_ppm // 10**6)), floor)

    def check_conservation(self, deposited: int) -> None:
        """Collateral + insurance + withdrawals + unpaid funding = deposits, to the last part of a unit; sizes
        sum to zero.
        """
        held = sum(account.collateral for account in self.all_records(Account).values())
        paid = sum(withdrawal.amount for withdrawal in self.all_records(Withdrawal).values())
        unpaid = Fraction(0)
        for row, position in self.all_records(Position).items():
            unpaid += self.unpaid_funding(row >> SLOT_BITS, position.market_plus_one - 1)
        for market, funding in self.all_records(Funding).items():
            unpaid += Fraction(funding.remainder, self.funding_unit(market))
            assert 0 <= funding.remainder < self.funding_unit(market)
        assert held + self.system.insurance + paid + unpaid == deposited
        sizes: dict[int, int] = {}
        for position in self.all_records(Position).values():
            market = position.market_plus_one - 1
            sizes[market] = sizes.get(market, 0) + position.size
        assert not any(sizes.values()), sizes
        for market in sizes:
            assert self.record(OpenInterest, market).size == self.open_interest(market)
        assert self.system.insurance >= 0

    def rounded_margin(self, account: int, before: "Ledger | None" = None) -> Margin:
        """(TV, MMR, IMR) as the law rounds them, position by position.

        `before`: the state before the input, whose open interest judges the one after it.
        """
        value = Fraction(self.account(account).collateral)
        maintenance = initial = Fraction(0)
        for market_id, size in self.positions(account).items():
            market, price = self.market(market_id), self.stored_price(market_id).mark
            exact = Fraction(size * price, market.notional_divisor)
            notional = -(-abs(exact) // 1)
            value += exact // 1 + self.unpaid_funding(account, market_id) // 1
            maintenance += -(-self.requirement(market_id, notional, is_initial=False) // 1)
            initial += -(-self.requirement(market_id, notional, is_initial=True, before=before) // 1)
        return Margin(value=int(value), maintenance=int(maintenance), initial=int(initial))

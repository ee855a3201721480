"""Whether a state is sound, and what money it owes. Pure; asked before a sequencer starts.

    per risk group   collateral + fund + what sides owe = money of the group, to the last part of a unit
    per market       a side has the shares of its positions; shorts are what longs are, or more by what
                     deleveraging has rounded
    all groups       money + withdrawals ever recorded = deposits ever sequenced, which L1 knows

The law keeps all of that by itself. What is asked here is whether THIS state is one that the law has made: a
damaged disk, a bad migration or a bug of ours would show, before anybody trades on it.
"""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, TypeVar, cast

from optimist.provable import State
from optimist.stf.constants import EPOCH_BITS, GROUP_BITS, ONE, SLOT_BITS
from optimist.stf.records import (
    Account,
    Funding,
    Group,
    Listing,
    Market,
    Position,
    Side,
    SideEnd,
    Withdrawal,
)
from optimist.stf.sides import compute_unit, get_side_row

R = TypeVar("R")
ROW_BITS = 40


class Audit:
    """The records of a state by table, read once."""

    def __init__(self, state: State) -> None:
        self._tables: dict[int, dict[int, bytes]] = {}
        for key, data in state.items():
            self._tables.setdefault(key >> ROW_BITS, {})[key & (1 << ROW_BITS) - 1] = data

    def find_faults(self) -> list[str]:
        """What cannot be true of a state that the law has made, one line each; empty when it is sound."""
        return [*self._check_groups(), *self._check_sides()]

    def compute_owed(self) -> int:
        """All money of the state, 1e-6 USD: of every group, and in withdrawals, paid already or not."""
        groups = sum(group.money for _, group in self._read(Group))
        return groups + sum(withdrawal.amount for _, withdrawal in self._read(Withdrawal))

    # ----------------------------------------------------------------------------------------------- checking

    def _check_groups(self) -> Iterator[str]:
        listings = {market: listing.group for market, listing in self._read(Listing)}
        units = {market: compute_unit(found.notional_divisor) for market, found in self._read(Market)}
        held: Counter[int] = Counter()
        parts: Counter[int] = Counter()  # by market, of its unit
        for row, account in self._read(Account):
            held[row >> GROUP_BITS] += account.collateral
        for row, position in self._read(Position):
            market = position.market_plus_one - 1
            parts[market] += self._compute_owed_parts(position)
            if listings.get(market, 0) != row >> SLOT_BITS + GROUP_BITS:
                yield f"account {row >> SLOT_BITS} holds market {market}, which belongs to another group"
        for market, funding in self._read(Funding):
            parts[market] += funding.remainder
        owed = {group: Fraction(amount) for group, amount in held.items()}
        for market, amount in parts.items():
            group = listings.get(market, 0)
            owed[group] = owed.get(group, Fraction(0)) + Fraction(amount, units.get(market, 1))
        for group, found in self._read(Group):
            total = owed.pop(group, Fraction(0)) + found.fund
            if total != found.money:
                yield f"group {group} has {found.money}, but owes {total}"
        yield from (f"group {group} owes {total} and has nothing" for group, total in owed.items() if total)

    def _compute_owed_parts(self, position: Position) -> int:
        """What its side has not paid a position yet, in parts of the market's unit."""
        row = get_side_row(position.market_plus_one - 1, position.shares < 0)
        side = self._get(Side, row)
        end = self._get(SideEnd, row << EPOCH_BITS | position.epoch)
        index = side.index if position.epoch == side.epoch else end.index
        return int(abs(position.shares) * (index - position.index))

    def _check_sides(self) -> Iterator[str]:
        shares: Counter[int] = Counter()
        for _, position in self._read(Position):
            row = get_side_row(position.market_plus_one - 1, position.shares < 0)
            if position.epoch == self._get(Side, row).epoch:
                shares[row] += abs(position.shares)
        for row, side in self._read(Side):
            if side.shares != shares[row]:
                yield f"side {row} has {side.shares} shares, its positions have {shares[row]}"
        for market, _ in self._read(Market):
            longs, shorts = (self._get(Side, get_side_row(market, is_short)) for is_short in (False, True))
            excess = shorts.shares * shorts.multiplier - longs.shares * longs.multiplier
            was_rounded = any(side.epoch or side.multiplier not in (0, ONE) for side in (longs, shorts))
            if excess < 0 or (excess and not was_rounded):
                yield f"market {market}: shorts are {Fraction(excess, ONE)} units more than longs"

    def _read(self, kind: type[R]) -> Iterator[tuple[int, R]]:
        typed = cast("Any", kind)
        for row, data in self._tables.get(typed.record_base >> ROW_BITS, {}).items():
            yield row, typed.record_from_bytes(data)

    def _get(self, kind: type[R], row: int) -> R:
        typed = cast("Any", kind)
        data = self._tables.get(typed.record_base >> ROW_BITS, {}).get(row)
        found: R = typed.record_zero if data is None else typed.record_from_bytes(data)
        return found

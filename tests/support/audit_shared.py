"""What all parts of the audit ask: who was touched, at which prices, with which margin afterwards."""

from fractions import Fraction
from typing import Final

from optimist.stf.constants import PRICE_CONFIRMED
from optimist.stf.records import Account, Position
from tests.support.judging import judging
from tests.support.ledger import Ledger

PPM: Final = 10**6


@judging("frame")
def check_only(before: Ledger, after: Ledger, accounts: set[int]) -> None:
    """No other account's money or positions changed."""
    old, new = before.all_records(Account), after.all_records(Account)
    changed = {row for row in old.keys() | new.keys() if old.get(row) != new.get(row)}
    held, holds = before.all_records(Position), after.all_records(Position)
    changed |= {row >> 4 for row in held.keys() | holds.keys() if held.get(row) != holds.get(row)}
    assert changed <= accounts, changed


@judging("I11")
def check_fresh(ledger: Ledger, account: int, now: int, heartbeat: int) -> None:
    """I11 for every market that an account holds."""
    for market in ledger.positions(account):
        price = ledger.stored_price(market)
        assert price.price > 0
        assert price.status == PRICE_CONFIRMED
        assert max(0, now - price.publish_time) <= heartbeat


def find_swept(before: Ledger, market: int, *accounts: int) -> int:
    """What settling positions gives the fund of what rounding has left, 1e-6 USD; below 0: what it takes."""
    settled = [owed for account in accounts if (owed := before.unpaid(account, market))]
    left = Fraction(before.funding(market).remainder, before.funding_unit(market))
    return (left + sum(owed - owed // 1 for owed in settled)) // 1 if settled else 0


def check_margin(before: Ledger, after: Ledger, account: int, market: int) -> None:
    """I4: who met the initial margin still does. I5: who did not may do so now, or has only improved."""
    old, new = before.rounded_margin(account), after.rounded_margin(account, before)
    if new.value >= new.initial:
        return
    size, now = before.position(account, market), after.position(account, market)
    is_reduced = abs(now) < abs(size) and now * size >= 0
    with judging("I4" if old.value >= old.initial else "I5"):
        assert is_reduced, f"account {account} below its initial margin: {old} -> {new}"
        assert new.value * old.maintenance >= old.value * new.maintenance, f"{account}: {old} -> {new}"


def ceil(value: Fraction) -> int:
    return -int(-value // 1)

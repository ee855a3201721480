"""Judges what an accepted input did to a state, from the input's meaning and the two states alone.

Shares nothing with the law but record layouts: inputs are read by `optimist.derive.decode`, margins are
computed in fractions, signers recovered through the typed messages. Each check says which invariant of
docs/INVARIANTS.md it is (`judging.py`).
"""

from fractions import Fraction

from optimist.derive.account_actions import Transfer
from optimist.derive.actions import (
    Action,
    Deposit,
    EnactMarket,
    Forced,
    ForcedService,
    Header,
    Init,
    Liquidate,
    PriceUpdate,
    ProposeMarket,
    Sequenced,
    Settle,
    Trade,
    Withdraw,
)
from optimist.derive.decode import FORCED_SERVICES, decode, decode_forced
from optimist.derive.typed_data import Domain
from optimist.stf.inputs import KIND_CLOSE_MARKET, KIND_TRANSFER
from optimist.stf.records import Account, Funding, FundingRule, Group, OrderSlot, Position
from tests.support.audit_accounts import check_account_action
from tests.support.audit_endings import check_closing, check_held, check_settlement
from tests.support.audit_liquidation import check_liquidation, check_nobody_sinks
from tests.support.audit_money import check_deposit, check_forced, check_withdrawal
from tests.support.audit_prices import check_price
from tests.support.audit_rules import check_enactment, check_proposal, check_rules_unchanged
from tests.support.audit_shared import check_fresh
from tests.support.audit_trades import check_trade
from tests.support.judging import judging
from tests.support.ledger import Ledger


@judging("frame")
def audit(domain: Domain, data: bytes, before: Ledger, after: Ledger) -> None:
    """Check one accepted input. Raises AssertionError."""
    check_nonces(before, after)
    check_funding(before, after)
    check_dust(before, after)
    check_excess(before, after)
    check_groups(data, before, after)
    check_nobody_sinks(before, after)
    check_held(data, before, after)
    if data[0] == 4 and data[26:27] == bytes((KIND_CLOSE_MARKET,)):
        check_rules_unchanged(before, after, set())
        enqueued_at = int.from_bytes(data[21:26], "big")
        check_closing(int.from_bytes(data[27:29], "big"), enqueued_at, before, after)
        return
    if data[0] == 4 and data[26:27] not in FORCED_SERVICES:
        check_forced(data, before, after)
        return
    value = decode(data)
    match value:
        case Init():
            assert before.records == {}
        case Header():
            assert (after.system.batch, after.system.clock) == (value.batch, value.first)
            assert after.system.clock >= before.system.clock
        case Deposit():
            check_deposit(value, before, after)
        case Sequenced(second, action):
            assert before.system.clock <= second == after.system.clock
            check_action(domain, action, before, after)
        case Forced(payload=payload):
            service = decode_forced(payload)
            assert isinstance(service, ForcedService)
            assert after.system.next_forced == before.system.next_forced
            check_action(domain, service, before, after)


def check_action(domain: Domain, action: Action, before: Ledger, after: Ledger) -> None:
    """An action that the law has accepted, from whomever it came."""
    if not isinstance(action, ProposeMarket | EnactMarket):
        check_rules_unchanged(before, after, set())
    match action:
        case Trade():
            check_trade(domain, action, before, after)
        case PriceUpdate():
            check_price(domain, action, before, after)
        case Withdraw():
            check_withdrawal(domain, action, before, after)
        case Liquidate():
            check_liquidation(action, before, after)
        case Settle():
            check_settlement(action, before, after)
        case ProposeMarket():
            check_proposal(domain, action, before, after)
        case EnactMarket():
            check_enactment(action, before, after)
        case _:
            check_account_action(domain, action, before, after)
            if isinstance(action, Transfer):
                source = action.request.source
                check_fresh(before, source, after.system.clock, before.parameters.trade_heartbeat)
                with judging("I4"):
                    assert after.rounded_margin(source).value >= after.rounded_margin(source).initial


@judging("I12")
def check_nonces(before: Ledger, after: Ledger) -> None:
    """No nonce falls, and an order slot forgets nothing of the order that it is used by."""
    for row, account in before.all_records(Account).items():
        assert after.account(row).nonce >= account.nonce
    for row, slot in before.all_records(OrderSlot).items():
        now = after.record(OrderSlot, row)
        assert (now.nonce, now.filled) >= (slot.nonce, slot.filled)


@judging("frame")
def check_groups(data: bytes, before: Ledger, after: Ledger) -> None:
    """A group's money changes by deposits, withdrawals and transfers alone; only these touch two groups."""
    old, new = before.all_records(Group), after.all_records(Group)
    touched = {row for row in old.keys() | new.keys() if old.get(row) != new.get(row)}
    is_transfer = data[0] == 5 and data[6] == KIND_TRANSFER
    assert len(touched) <= 1 or is_transfer, touched
    is_payment = data[0] == 3 or after.system.next_withdrawal != before.system.next_withdrawal or is_transfer
    for row in touched:
        assert is_payment or before.group(row).money == after.group(row).money


@judging("I9")
def check_funding(before: Ledger, after: Ledger) -> None:
    """An index moves only as far as its rate and the time since then allow, and is never reset.

    Deleveraging moves the index of the side that it closes as well: `check_deleveraging`.
    """
    for market, new in after.all_records(Funding).items():
        old, rule = before.funding(market), after.record(FundingRule, market)
        # Where a rule has been tightened, what was found under the old one stands until it is found anew.
        assert new.rate == old.rate or abs(new.rate) <= rule.max_rate
        assert new.last_premium == old.last_premium or abs(new.last_premium) <= rule.max_premium
        assert abs(new.fill_premium) <= max(abs(old.fill_premium), abs(old.last_premium))
        assert new.accrued_at in (old.accrued_at, after.system.clock)
        assert new.accrued_at >= old.accrued_at
        seconds = min(new.accrued_at - old.accrued_at, 3_600) if old.accrued_at else 0
        moved = old.rate * before.stored_price(market).confirmed * seconds
        for is_short, sign in ((False, -1), (True, 1)):
            side, now = before.side(market, is_short), after.side(market, is_short)
            was_deleveraged = (now.multiplier, now.epoch) != (side.multiplier, side.epoch)
            if not was_deleveraged or new.accrued_at != old.accrued_at:
                assert now.index - side.index == sign * moved * side.multiplier
    for market in before.all_records(Funding):
        assert after.funding(market).accrued_at, "a market's funding has disappeared"


@judging("I2")
def check_excess(before: Ledger, after: Ledger) -> None:
    """Shorts grow with longs, but for less than a unit for each position of no whole number of units."""
    held, holds = before.all_records(Position), after.all_records(Position)
    touched = {row for row in held.keys() | holds.keys() if held.get(row) != holds.get(row)}
    for market in range(after.parameters.markets):
        moved = before.excess(market) != after.excess(market)
        sides = [(ledger.side(market, side)) for ledger in (before, after) for side in (False, True)]
        if not moved or any(side.epoch != sides[i % 2].epoch for i, side in enumerate(sides)):
            continue  # where a whole side was closed, so was what it was larger by
        sizes = [ledger.position(row >> 4, market) for ledger in (before, after) for row in touched]
        is_scaled = any(side.multiplier not in (0, 1 << 48) for side in sides)
        assert is_scaled or any(size % 1 for size in sizes), f"market {market}: {after.excess(market)}"
        worth = max(Fraction(side.shares, 1 << 48) for side in sides)
        assert abs(after.excess(market) - before.excess(market)) <= 2 * len(sizes) + worth


@judging("I3")
def check_dust(before: Ledger, after: Ledger) -> None:
    """What funding pays, to the last part of a unit: nothing is made, and rounding keeps less than a unit.

    Where no position of a market was touched, what longs pay is what shorts receive and what is left over.
    Where some were settled, less than one unit is left over that the fund has not received.
    """
    held, holds = before.all_records(Position), after.all_records(Position)
    touched = {row for row in held.keys() | holds.keys() if held.get(row) != holds.get(row)}
    moved = {(held.get(row) or holds[row]).market_plus_one - 1 for row in touched}
    for market, funding in after.all_records(Funding).items():
        old = before.funding(market)
        if market in moved:
            is_scaled = any(
                before.side(market, side).multiplier != after.side(market, side).multiplier
                or before.side(market, side).epoch != after.side(market, side).epoch
                for side in (False, True)
            )
            if not is_scaled and funding.remainder != old.remainder:
                assert 0 <= funding.remainder < after.funding_unit(market)
        elif funding.accrued_at != old.accrued_at:
            paid = sum(
                (after.unpaid(row >> 4, market) - before.unpaid(row >> 4, market))
                for row, position in holds.items()
                if position.market_plus_one == market + 1
            )
            left = Fraction(funding.remainder - old.remainder, after.funding_unit(market))
            assert paid + left == 0, f"funding of market {market} pays {paid} and keeps {left}"

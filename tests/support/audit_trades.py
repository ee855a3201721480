"""Judges trades: what both orders allow, what everybody pays, and where it leaves them."""

from fractions import Fraction

from optimist.derive.actions import SignedOrder, Trade
from optimist.derive.order_tree import recover_signer
from optimist.derive.typed_data import Domain
from optimist.stf.constants import RIGHT_TRADE
from optimist.stf.records import RiskRule
from tests.support.audit_accounts import find_fee, find_signer
from tests.support.audit_shared import PPM, ceil, check_fresh, check_margin, check_only
from tests.support.judging import judging
from tests.support.ledger import Ledger


def check_trade(domain: Domain, trade: Trade, before: Ledger, after: Ledger) -> None:
    """What orders and margins allow, and what everybody pays: the taker first, a rebate out of its fee."""
    accounts = {signed.order.account for signed in (trade.maker, trade.taker)}
    with judging("authority"):
        assert len({before.account(account).owner for account in accounts}) == 2
    check_only(before, after, accounts)
    now, heartbeat = after.system.clock, after.parameters.trade_heartbeat
    for signed in (trade.taker, trade.maker):
        account = signed.order.account
        fee_ppm = find_fee(before, trade.market, account, is_maker=signed is trade.maker)
        check_order(domain, signed, trade, fee_ppm, before, after)
        check_flags(signed, trade, before, after)
        check_fresh(before, account, now, heartbeat)
        check_fresh(after, account, now, heartbeat)
        check_margin(before, after, account, trade.market)
        with judging("frame"):
            assert before.group_of(trade.market) == account >> 32
        with judging("I3"):
            assert after.unpaid(account, trade.market) == 0
        check_moved(before, after, account, trade.market, trade.size if signed.order.is_buy else -trade.size)
    check_payments(trade, before, after)
    interest, bound = after.open_interest(trade.market), after.record(RiskRule, trade.market)
    with judging("rules"):
        assert interest <= max(before.open_interest(trade.market), bound.max_open_interest)
    ends = [
        signed.order.reduce_only and trade.market not in after.positions(signed.order.account)
        for signed in (trade.maker, trade.taker)
    ]
    with judging("I13"):
        assert trade.size % before.market(trade.market).lot == 0 or any(ends)


@judging("fees")
def check_payments(trade: Trade, before: Ledger, after: Ledger) -> None:
    """Both quotes, both fees, and what the fund of the group receives of them and of rounding."""
    market = before.market(trade.market)
    quote = Fraction(trade.size * trade.price, market.notional_divisor)
    fees, left = 0, Fraction(before.funding(trade.market).remainder, before.funding_unit(trade.market))
    is_settled = False  # what is left over stays where it is until a side owes one of the two something
    for signed in (trade.taker, trade.maker):
        account = signed.order.account
        fee_ppm = find_fee(before, trade.market, account, is_maker=signed is trade.maker)
        moved = after.account(account).collateral - before.account(account).collateral
        owed = before.unpaid(account, trade.market)
        is_settled = is_settled or owed != 0
        left += owed - owed // 1
        fee = (-ceil(quote) if signed.order.is_buy else int(quote // 1)) + owed // 1 - moved
        full = ceil(Fraction(ceil(quote) * fee_ppm, PPM))
        if fee_ppm < 0:
            full = -min(-fee_ppm * int(quote // 1) // PPM, fees)
        check_fee(before, after, account, trade.market, fee, full)
        fees += fee
    remainder = ceil(quote) - int(quote // 1)
    group = before.group_of(trade.market)
    assert fees >= 0
    assert after.group(group).fund - before.group(group).fund == fees + remainder + (
        left // 1 if is_settled else 0
    )


def check_fee(before: Ledger, after: Ledger, account: int, market: int, fee: int, full: int) -> None:
    """All of it; less only where all of it would keep an account below initial margin from reducing."""
    size, now = before.position(account, market), after.position(account, market)
    old, new = before.rounded_margin(account), after.rounded_margin(account, before)
    value = new.value + fee
    is_reduced = abs(now) < abs(size) and now * size >= 0
    if full > 0 and is_reduced and value - full < new.initial:
        kept = ceil(Fraction(old.value * new.maintenance, old.maintenance))
        full = max(min(full, value - kept), 0)
    assert fee == full


@judging("I2")
def check_moved(before: Ledger, after: Ledger, account: int, market: int, moved: int) -> None:
    """A position moved by what was traded; by less than a unit less once a side has been deleveraged."""
    wanted = before.position(account, market) + moved
    now = after.position(account, market)
    assert 0 <= wanted - now < 1
    if after.side(market, now < 0).multiplier == 1 << 48 and wanted % 1 == 0:
        assert wanted == now


@judging("I13")
def check_order(
    domain: Domain, signed: SignedOrder, trade: Trade, fee_ppm: int, before: Ledger, after: Ledger
) -> None:
    """Signed by who may, alive, filled within its size, at its price or better, for its fee at most."""
    order = signed.order
    with judging("authority"):
        now = after.system.clock
        signer = find_signer(before, order.account, signed.key, RIGHT_TRADE, order.nonce, now)
        assert recover_signer(signed, domain) == signer
    assert trade.price <= order.price if order.is_buy else trade.price >= order.price
    assert fee_ppm <= order.max_fee_ppm
    assert after.system.clock <= order.expiry
    slot, used = before.order_slot(order.account, order.slot), after.order_slot(order.account, order.slot)
    with judging("I12"):
        assert order.nonce >= before.account(order.account).order_floor
        assert used.nonce == order.nonce >= slot.nonce
    assert used.filled == trade.size + (slot.filled if slot.nonce == order.nonce else 0)
    assert used.filled <= order.size, f"{used.filled} of {order.size}"


@judging("I15")
def check_flags(signed: SignedOrder, trade: Trade, before: Ledger, after: Ledger) -> None:
    """An immediate order only takes, fill-or-kill is filled whole, reduce-only reduces."""
    order = signed.order
    if order.time_in_force:
        assert signed is trade.taker
        assert order.time_in_force == 1 or trade.size == order.size
    if order.reduce_only:
        size = before.position(order.account, trade.market)
        now = after.position(order.account, trade.market)
        assert abs(now) < abs(size)
        assert now * size >= 0

"""Judges liquidations: of whom, how much, at what price, and who carries what is missing."""

from fractions import Fraction

from optimist.derive.actions import Liquidate
from optimist.stf.constants import CLOSE_OUT_PPM, SLOT_BITS
from optimist.stf.margin import Margin
from optimist.stf.records import Account, Group, Position
from tests.support.audit_shared import PPM, ceil, check_fresh, check_margin, check_only, find_swept
from tests.support.judging import judging
from tests.support.ledger import Ledger

ROUNDING = 4  # units of 1e-6 USD that roundings of one liquidation may come to


@judging("I6")
def check_liquidation(action: Liquidate, before: Ledger, after: Ledger) -> None:
    """The account's side, and the backstop's own I4 and I5; or I8 when nobody takes over."""
    account, market_id = action.account, action.market
    backstop = account >> 32 << 32
    now, heartbeat = after.system.clock, after.parameters.liquidation_heartbeat
    check_fresh(before, account, now, heartbeat)
    size, rest = before.position(account, market_id), after.position(account, market_id)
    # Deleveraging changes sides, and no position but the account's. Nobody takes over from a backstop.
    held, holds = before.all_records(Position), after.all_records(Position)
    slots = range(backstop << SLOT_BITS, backstop + 1 << SLOT_BITS)
    is_taken_over = account != backstop and any(held.get(row) != holds.get(row) for row in slots)
    if is_taken_over:
        check_fresh(after, backstop, now, heartbeat)
        check_only(before, after, {account, backstop})
        check_margin(before, after, backstop, market_id)
        fund, was = after.group(account >> 32).fund, before.group(account >> 32).fund
        with judging("I8"):
            swept = min(find_swept(before, market_id, account, backstop), 0)
            assert fund >= min(was, 0) + swept - ROUNDING, "everybody bears what the backstop could"
        penalty_limit = Fraction(before.market(market_id).liquidation_penalty_ppm, PPM)
    else:
        check_only(before, after, {account})
        with judging("I8"):
            assert rest == 0
        check_deleveraging(account, market_id, before, after)
        penalty_limit = Fraction(1)
    old, new = before.rounded_margin(account), after.rounded_margin(account)
    assert old.value < old.maintenance, f"nothing calls for it: {old}"
    assert new.maintenance < old.maintenance
    assert abs(rest) < abs(size)
    assert rest * size >= 0
    if after.positions(account):
        assert new.value * old.maintenance >= old.value * new.maintenance, "worse than the zero price"
    with judging("I7"):
        if not after.positions(account):  # what another side still has to pay it counts
            assert new.value >= 0, "closed, and it still owes something"
    if old.value >= 0:
        with judging("I7"):
            assert new.value >= 0
        price = before.stored_price(market_id).mark
        # What is left of a long is rounded down to its shares, of a short up: by less than a unit.
        closed = abs((size - rest) // 1) if is_taken_over else abs(size - rest)
        notional = closed * price / before.market(market_id).notional_divisor
        dropped = worth_of_a_unit(before, market_id) if size % 1 or rest % 1 else 0
        assert old.value - new.value <= notional * penalty_limit + ROUNDING + dropped
    else:
        assert rest == 0
        assert new.value <= 0, "a bankrupt account was given more than it lacked"
    if is_taken_over and old.value < old.maintenance:
        check_amount(action, old, new, before, after)


def worth_of_a_unit(ledger: Ledger, market: int) -> int:
    """1e-6 USD, rounded up: what may be dropped of a position that is no whole number of units."""
    return ceil(Fraction(ledger.stored_price(market).mark, ledger.market(market).notional_divisor))


@judging("I6")
def check_amount(action: Liquidate, old: Margin, new: Margin, before: Ledger, after: Ledger) -> None:
    """No more than the buffer asks for, but for a lot, and no less; all of it below the close-out margin."""
    size, rest = before.position(action.account, action.market), after.position(action.account, action.market)
    restored = Fraction(PPM + before.parameters.liquidation_buffer_ppm, PPM)
    if old.value * PPM < old.maintenance * CLOSE_OUT_PPM:
        assert rest == 0
        return
    # On a side that was deleveraged a position is rounded to its shares, which are no whole units.
    slack = ROUNDING + (2 * worth_of_a_unit(before, action.market) if size % 1 or rest % 1 else 0)
    if rest:
        assert new.value + slack >= new.maintenance * restored, f"too little of {size}: {old} -> {new}"
    market, price = before.market(action.market), before.stored_price(action.market).mark
    one_less = abs(size - rest) - market.lot
    if one_less <= 0:
        return
    worth = Fraction(price, market.notional_divisor)
    left = ceil((abs(size) - one_less) * worth)
    whole = ceil(abs(size) * worth)
    freed = ceil(before.requirement(action.market, whole, is_initial=False)) - ceil(
        before.requirement(action.market, left, is_initial=False)
    )
    if freed == 0:  # a few 1e-6 USD of notional: rounding hides what closing would change
        return
    penalty = one_less * worth * market.liquidation_penalty_ppm / PPM
    needed = (old.maintenance - freed) * restored
    assert old.value - penalty < needed + slack, f"more than needed of {size}: {size - rest}"


@judging("I8")
def check_deleveraging(account: int, market: int, before: Ledger, after: Ledger) -> None:
    """Everyone on the other side is reduced, not flipped, by the same part, and paid the same per share.

    Nobody loses more than the maintenance margin of what was closed, and whoever was healthy still is. The
    account is closed at its zero price.
    """
    old, new = before.rounded_margin(account), after.rounded_margin(account)
    assert old.value * PPM < old.maintenance * CLOSE_OUT_PPM, "above its close-out margin"
    if old.value >= 0:
        now, heartbeat = after.system.clock, after.parameters.liquidation_heartbeat
        check_fresh(before, account >> 32 << 32, now, heartbeat)
    assert new.value == ceil(Fraction(old.value * new.maintenance, old.maintenance)), "not at the zero price"
    size = before.positions(account)[market]
    is_short = size > 0
    closed = before.total(market, is_short) - after.total(market, is_short)
    is_last = before.total(market, not is_short) == abs(size)
    is_worn_out = after.side(market, not is_short).epoch > before.side(market, not is_short).epoch
    if is_last or is_worn_out:
        assert closed == before.total(market, is_short)
    else:
        assert abs(closed - abs(size)) <= Fraction(before.side(market, is_short).shares, 1 << 48)
    price, divisor = before.stored_price(market).mark, before.market(market).notional_divisor
    if is_worn_out:
        check_worn_out(account, market, before, after)
    share = closed / before.total(market, is_short)
    borne = Fraction(0)
    for row, position in before.all_records(Position).items():
        other = row >> 4
        held = before.position(other, market)
        if position.market_plus_one != market + 1 or held == 0 or (held < 0) != is_short:
            continue
        left = after.position(other, market)
        assert left == held * (1 - share)
        worth = (held - left) * price / divisor
        paid = after.unpaid(other, market) - before.unpaid(other, market)
        lost = worth - paid
        borne += lost
        maintenance = Fraction(before.market(market).maintenance_margin_ppm, PPM)
        rounded_off = Fraction(0)
        if (
            is_worn_out
        ):  # the rest of it was closed at the mark, each share less than a part smaller than it was
            worth *= abs(size) / before.total(market, is_short)
            rounded_off = Fraction(abs(position.shares) * price, divisor << 48)
        assert lost <= abs(worth) * maintenance + 2 + rounded_off
        healthy, then = before.rounded_margin(other), after.rounded_margin(other)
        if healthy.value >= healthy.maintenance:
            assert then.value + 3 >= then.maintenance, "deleveraging made a healthy account liquidatable"
    # The last of a side closes the other one whole: also what roundings made shorts larger by.
    surplus = abs(closed - abs(size)) if is_last else Fraction(0)
    rounded = (1 + surplus) * worth_of_a_unit(before, market) + ROUNDING
    bearable = abs(size) * price / divisor * before.market(market).maintenance_margin_ppm / PPM
    swept = min(find_swept(before, market, account), 0)
    check_bearers(before.group(account >> 32), after.group(account >> 32), swept, borne, bearable, rounded)
    if after.group(account >> 32).fund < min(before.group(account >> 32).fund, 0) + swept:
        assert old.value < 0, "a loss of nobody's"


@judging("I8")
def check_worn_out(account: int, market: int, before: Ledger, after: Ledger) -> None:
    """Too little of the other side would have been left: all that is left of both is closed, at the mark."""
    size = before.position(account, market)
    side = before.side(market, size > 0)
    left = before.total(market, size > 0) - abs(size)
    assert left * (1 << 48) < side.shares << 24, "enough would have been left"
    worth = Fraction(before.stored_price(market).mark, before.market(market).notional_divisor)
    for row, position in before.all_records(Position).items():
        other = row >> 4
        held = before.position(other, market)
        if position.market_plus_one == market + 1 and held * size > 0 and other != account:
            assert after.position(other, market) == 0
            assert after.unpaid(other, market) - before.unpaid(other, market) == held * worth


@judging("I8")
def check_bearers(
    was: Group, now: Group, swept: int, borne: Fraction, bearable: Fraction, rounded: Fraction
) -> None:
    """The fund pays first, then the other side what it can bear, then everybody in the group. 1e-6 USD.

    `swept`: what settling has taken from the fund, 0 or less.
    """
    if borne > rounded:
        assert now.fund <= ROUNDING, "the other side bears what the fund could pay"
    if now.fund < min(was.fund, 0) + swept - ROUNDING:
        assert borne + rounded >= bearable, "everybody bears what the other side could"


@judging("I7")
def check_nobody_sinks(before: Ledger, after: Ledger) -> None:
    """Whose record or position an input touches is not below zero afterwards, or was further below before.

    Prices are what else makes a value negative: they touch nobody's record.
    """
    old, new = before.all_records(Account), after.all_records(Account)
    touched = {row for row, account in new.items() if old.get(row) != account}
    held, holds = before.all_records(Position), after.all_records(Position)
    touched |= {row >> 4 for row in held.keys() | holds.keys() if held.get(row) != holds.get(row)}
    for row in touched:
        assert after.rounded_margin(row).value >= min(0, before.rounded_margin(row).value), f"account {row}"

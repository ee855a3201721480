"""Judges what an accepted input did to a state, from the input's meaning and the two states alone.

Shares nothing with the law but record layouts: inputs are read by `optimist.derive.decode`, margins are
computed in fractions, signers recovered through the typed messages. Each check names the invariant that it
is.

    I4   a user's act leaves the account at its initial margin, or
    I5   below it the account only improved: position smaller, not flipped, TV / MMR not lower
    I8   deleveraging: pro rata, at the zero price, nobody flipped, the healthy stay healthy
    I6   liquidation: TV < MMR before; MMR strictly lower after, TV / MMR not lower; TV never below 0
    I10  a price: a quorum of distinct keys, the lower median of what they signed, strictly newer
    I11  no price older than the heartbeat of the act
    I12  nonces only rise
    I13  an order is filled within its size, its limit price, its fee and its time
    I15  reduce-only reduces, an immediate order only takes, fill-or-kill is filled whole
    I21  money leaves a group with a loss only less its part of it
    I22  a forced input always ends in an outcome, and in the right one
"""

from fractions import Fraction
from math import isqrt
from typing import Final

from optimist.derive.account_actions import ForcedCancelAll, ForcedReduce, ForcedSessionEnd, Transfer
from optimist.derive.actions import (
    Action,
    Deposit,
    EnactMarket,
    Forced,
    ForcedService,
    ForcedWithdraw,
    Header,
    Init,
    Liquidate,
    PriceUpdate,
    ProposeMarket,
    Sequenced,
    Settle,
    SignedOrder,
    Trade,
    Withdraw,
)
from optimist.derive.decode import FORCED_SERVICES, decode, decode_forced
from optimist.derive.octets import DecodingError
from optimist.derive.order_tree import recover_signer
from optimist.derive.typed_data import Domain, PriceReport
from optimist.stf.codes import Code
from optimist.stf.constants import CLOSE_OUT_PPM, PERPETUAL_FEED, PRICE_CONFIRMED, PRICE_HALTED, RIGHT_TRADE
from optimist.stf.inputs import KIND_CANCEL_ALL, KIND_REDUCE, KIND_SESSION_KEY, KIND_TRANSFER
from optimist.stf.records import (
    Account,
    ForcedOutcome,
    Funding,
    FundingRule,
    Group,
    OracleSigner,
    OrderSlot,
    Position,
    PriceRule,
    RiskRule,
    SessionKey,
    Volatility,
)
from tests.support.audit_accounts import (
    check_account,
    check_account_action,
    check_changes,
    check_reduction,
    find_fee,
    find_signer,
    judge_payment,
    judge_reduction,
)
from tests.support.audit_rules import check_enactment, check_proposal, check_rules_unchanged
from tests.support.ledger import Ledger

PPM: Final = 10**6
# How a forced reduction may end that nothing but margins stands against.
UNDECIDED: Final = (Code.BELOW_INITIAL_MARGIN, Code.BACKSTOP_UNABLE, Code.COLLATERAL_BOUND)


def audit(domain: Domain, data: bytes, before: Ledger, after: Ledger) -> None:
    """Check one accepted input. Raises AssertionError."""
    check_nonces(before, after)
    check_funding(before, after)
    check_groups(data, before, after)
    if data[0] == 4:
        check_forced(domain, data, before, after)
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
        case Forced():
            raise AssertionError("handled above")


def check_action(domain: Domain, action: Action, before: Ledger, after: Ledger) -> None:
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
                assert after.rounded_margin(source).value >= after.rounded_margin(source).initial


# ------------------------------------------------------------------------------------------------- shared


def check_only(before: Ledger, after: Ledger, accounts: set[int]) -> None:
    """No other account's money or positions changed."""
    old, new = before.all_records(Account), after.all_records(Account)
    changed = {row for row in old.keys() | new.keys() if old.get(row) != new.get(row)}
    held, holds = before.all_records(Position), after.all_records(Position)
    changed |= {row >> 4 for row in held.keys() | holds.keys() if held.get(row) != holds.get(row)}
    assert changed <= accounts, changed


def check_nonces(before: Ledger, after: Ledger) -> None:
    """I12."""
    for row, account in before.all_records(Account).items():
        assert after.account(row).nonce >= account.nonce
    for row, slot in before.all_records(OrderSlot).items():
        now = after.record(OrderSlot, row)
        assert (now.nonce, now.filled) >= (slot.nonce, slot.filled)


def check_groups(data: bytes, before: Ledger, after: Ledger) -> None:
    """A group's money changes by deposits, withdrawals and transfers alone; only these touch two groups."""
    old, new = before.all_records(Group), after.all_records(Group)
    touched = {row for row in old.keys() | new.keys() if old.get(row) != new.get(row)}
    is_transfer = data[0] == 5 and data[6] == KIND_TRANSFER
    assert len(touched) <= 1 or is_transfer, touched
    is_payment = data[0] == 3 or after.system.next_withdrawal != before.system.next_withdrawal or is_transfer
    for row in touched:
        assert is_payment or before.group(row).money == after.group(row).money


def check_funding(before: Ledger, after: Ledger) -> None:
    """I9: an index moves only as far as its rate and time allow, and is never reset. I3: dust is counted.

    Deleveraging moves the index of the side that it closes as well: `check_deleveraging`.
    """
    for market, new in after.all_records(Funding).items():
        old, rule = before.funding(market), after.record(FundingRule, market)
        # Where a rule has been tightened, what was found under the old one stands until it is found anew.
        assert new.rate == old.rate or abs(new.rate) <= rule.max_rate
        assert new.last_premium == old.last_premium or abs(new.last_premium) <= rule.max_premium
        assert abs(new.fill_premium) <= max(abs(old.fill_premium), abs(old.last_premium))
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


def check_fresh(ledger: Ledger, account: int, now: int, heartbeat: int) -> None:
    """I11 for every market that an account holds."""
    for market in ledger.positions(account):
        price = ledger.stored_price(market)
        assert price.price > 0
        assert price.status == PRICE_CONFIRMED
        assert max(0, now - price.publish_time) <= heartbeat


def check_margin(before: Ledger, after: Ledger, account: int, market: int) -> None:
    """I4, I5."""
    old, new = before.rounded_margin(account), after.rounded_margin(account, before)
    if new.value >= new.initial:
        return
    size, now = before.position(account, market), after.position(account, market)
    assert abs(now) < abs(size)
    assert now * size >= 0
    assert new.value * old.maintenance >= old.value * new.maintenance


def ceil(value: Fraction) -> int:
    return -int(-value // 1)


# ------------------------------------------------------------------------------------------------- trades


def check_trade(domain: Domain, trade: Trade, before: Ledger, after: Ledger) -> None:
    """I4, I5, I13, I15, and what everybody pays: the taker first, a maker's rebate out of the taker's fee."""
    market = before.market(trade.market)
    accounts = {signed.order.account for signed in (trade.maker, trade.taker)}
    assert len({before.account(account).owner for account in accounts}) == 2
    check_only(before, after, accounts)
    now, heartbeat = after.system.clock, after.parameters.trade_heartbeat
    quote = Fraction(trade.size * trade.price, market.notional_divisor)
    group = before.group_of(trade.market)
    fees, left = 0, Fraction(before.funding(trade.market).remainder, before.funding_unit(trade.market))
    for signed in (trade.taker, trade.maker):
        account = signed.order.account
        fee_ppm = find_fee(before, trade.market, account, is_maker=signed is trade.maker)
        check_order(domain, signed, trade, fee_ppm, before, after)
        check_fresh(before, account, now, heartbeat)
        check_fresh(after, account, now, heartbeat)
        check_margin(before, after, account, trade.market)
        moved = after.account(account).collateral - before.account(account).collateral
        assert group == account >> 32
        owed = before.unpaid(account, trade.market)
        left += owed - owed // 1
        fee = (-ceil(quote) if signed.order.is_buy else int(quote // 1)) + owed // 1 - moved
        full = ceil(Fraction(ceil(quote) * fee_ppm, PPM))
        if fee_ppm < 0:
            full = -min(-fee_ppm * int(quote // 1) // PPM, fees)
        check_fee(before, after, account, trade.market, fee, full)
        fees += fee
        assert after.unpaid(account, trade.market) == 0
        check_moved(before, after, account, trade.market, trade.size if signed.order.is_buy else -trade.size)
    interest, bound = after.open_interest(trade.market), after.record(RiskRule, trade.market)
    assert interest <= max(before.open_interest(trade.market), bound.max_open_interest)
    remainder = ceil(quote) - int(quote // 1)
    assert fees >= 0
    assert after.group(group).fund - before.group(group).fund == fees + remainder + left // 1
    ends = [
        signed.order.reduce_only and trade.market not in after.positions(signed.order.account)
        for signed in (trade.maker, trade.taker)
    ]
    assert trade.size % market.lot == 0 or any(ends)


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


def check_moved(before: Ledger, after: Ledger, account: int, market: int, moved: int) -> None:
    """A position moved by what was traded; by less than a unit less once a side has been deleveraged."""
    wanted = before.position(account, market) + moved
    now = after.position(account, market)
    assert 0 <= wanted - now < 1
    if after.side(market, now < 0).multiplier == 1 << 48 and wanted % 1 == 0:
        assert wanted == now


def check_order(
    domain: Domain, signed: SignedOrder, trade: Trade, fee_ppm: int, before: Ledger, after: Ledger
) -> None:
    """I13, I15."""
    order = signed.order
    signer = find_signer(before, order.account, signed.key, RIGHT_TRADE, after.system.clock)
    assert recover_signer(signed, domain) == signer
    assert order.nonce >= before.account(order.account).order_floor
    assert trade.price <= order.price if order.is_buy else trade.price >= order.price
    assert fee_ppm <= order.max_fee_ppm
    assert after.system.clock <= order.expiry
    slot, used = before.order_slot(order.account, order.slot), after.order_slot(order.account, order.slot)
    assert used.nonce == order.nonce >= slot.nonce
    assert used.filled == trade.size + (slot.filled if slot.nonce == order.nonce else 0)
    assert used.filled <= order.size
    if order.time_in_force:
        assert signed is trade.taker
        assert order.time_in_force == 1 or trade.size == order.size
    if order.reduce_only:
        size = before.position(order.account, trade.market)
        now = after.position(order.account, trade.market)
        assert abs(now) < abs(size)
        assert now * size >= 0


# ------------------------------------------------------------------------------------------------- prices


def check_price(domain: Domain, update: PriceUpdate, before: Ledger, after: Ledger) -> None:
    """I10."""
    check_only(before, after, set())
    parameters = before.parameters
    keys = [one.signer for one in update.prices]
    assert len(set(keys)) == len(keys)
    assert parameters.quorum <= len(keys) <= parameters.signers
    for one in update.prices:
        report = PriceReport(update.market, one.price, update.publish_time)
        signer = before.record(OracleSigner, one.signer).signer
        assert report.recover(domain, one.signature) == signer.to_bytes(20, "big")
    stored = after.stored_price(update.market)
    signed = sorted(one.price for one in update.prices)
    assert stored.price == signed[(len(signed) - 1) // 2]
    assert stored.publish_time == update.publish_time > before.stored_price(update.market).publish_time
    assert update.publish_time <= after.system.clock + parameters.future_tolerance
    check_status(update.market, before, after)
    if update.market < PERPETUAL_FEED:
        check_mark(update.market, before, after)
        check_volatility(update.market, before, after)


def check_mark(market: int, before: Ledger, after: Ledger) -> None:
    """The median of the index, the perpetual elsewhere and the average fill here, within the cap."""
    index, elsewhere = after.stored_price(market), after.stored_price(PERPETUAL_FEED + market)
    if index.status != PRICE_CONFIRMED:
        assert index.mark == before.stored_price(market).mark
        return
    limit = after.record(FundingRule, market).max_premium
    age = after.system.clock - elsewhere.publish_time
    is_witness = elsewhere.price and elsewhere.status == PRICE_CONFIRMED
    there = Fraction(0)
    if is_witness and age <= after.parameters.liquidation_heartbeat:
        there = Fraction(elsewhere.confirmed, index.price) - 1
        there = max(min(there, Fraction(limit, 10**9)), Fraction(-limit, 10**9))
    here = Fraction(after.funding(market).fill_premium, 10**9)
    premium = sorted((Fraction(0), there, here))[1]
    cap = Fraction(after.risk_rule(market).mark_cap_ppm, PPM)
    wanted = index.price * (1 + max(min(premium, cap), -cap))
    wanted = max(min(wanted, Fraction(2**60 - 1)), Fraction(1))
    assert 0 <= wanted - index.mark < 1 + Fraction(index.price, 10**9), (wanted, index.mark)


def check_volatility(market: int, before: Ledger, after: Ledger) -> None:
    """A floor of initial margin from the highest variance, and no other record of volatility changed."""
    rule, stored = after.risk_rule(market), after.stored_price(market)
    old, new = before.record(Volatility, market), after.record(Volatility, market)
    if stored.status != PRICE_CONFIRMED or rule.volatility_multiplier_ppm == 0:
        assert new == old
        return
    window, variance, peak = rule.volatility_window, 0, old.peak
    if old.sampled_price:
        seconds = stored.publish_time - old.sampled_at
        moved = min(ceil(abs(Fraction(stored.price, old.sampled_price) - 1) * 10**9), 10**9)
        variance = ceil(Fraction(old.variance * window + moved**2, window + seconds))
        forgotten = ceil(Fraction(old.peak * window, window + stored.publish_time - old.peak_at))
        peak = max(forgotten, variance)
        assert new.peak_at == stored.publish_time
    assert new.peak == peak
    is_sample = old.sampled_price == 0 or stored.publish_time - old.sampled_at >= rule.volatility_sample
    sampled = (stored.price, stored.publish_time, variance)
    unchanged = (old.sampled_price, old.sampled_at, old.variance)
    assert (new.sampled_price, new.sampled_at, new.variance) == (sampled if is_sample else unchanged)
    sigma = isqrt(max(peak * rule.volatility_horizon - 1, 0)) + 1 if peak else 0
    assert new.floor_ppm == min(-(-rule.volatility_multiplier_ppm * sigma // 10**9), PPM)


def check_status(market: int, before: Ledger, after: Ledger) -> None:
    """I10, the step rule in rational numbers."""
    rule = before.record(PriceRule, market % PERPETUAL_FEED)
    old, new = before.stored_price(market), after.stored_price(market)
    if old.price == 0:
        assert (new.status, new.confirmed) == (PRICE_CONFIRMED, new.price)
        return
    step, halt = Fraction(rule.step_ppm, PPM), Fraction(rule.halt_ppm, PPM)
    from_last = abs(Fraction(new.price, old.price) - 1)
    from_confirmed = abs(Fraction(new.price, old.confirmed) - 1)
    silence = new.publish_time - old.publish_time > rule.gap_seconds
    if new.status == PRICE_CONFIRMED:
        assert new.confirmed == new.price
        assert not silence
        assert min(from_last, from_confirmed) <= step
        if old.status == PRICE_HALTED:
            assert from_last <= step
            assert after.system.clock >= old.halted_at + rule.halt_seconds
        else:
            assert from_confirmed <= halt
    else:
        assert new.confirmed == old.confirmed
        is_new_halt = old.status != PRICE_HALTED and from_confirmed > halt
        assert new.halted_at == (after.system.clock if is_new_halt else old.halted_at)
        assert new.status == PRICE_HALTED or old.status != PRICE_HALTED
        assert (new.status == PRICE_HALTED) == (is_new_halt or old.status == PRICE_HALTED)
        if new.status != PRICE_HALTED and not silence:
            assert from_confirmed > step


# -------------------------------------------------------------------------------------------------- money


def check_deposit(deposit: Deposit, before: Ledger, after: Ledger) -> None:
    """The money is in the account, or on its way back to the owner that the deposit names."""
    owner = int.from_bytes(deposit.owner, "big")
    account = before.account(deposit.account)
    is_credited = after.account(deposit.account).collateral != account.collateral
    assert is_credited == (
        deposit.account < 1 << 36
        and account.owner in (0, owner)
        and account.collateral + deposit.amount < 1 << 63
    )
    check_only(before, after, {deposit.account} if is_credited else set())
    if is_credited:
        assert after.account(deposit.account).owner == owner
        assert after.account(deposit.account).collateral == account.collateral + deposit.amount
        assert after.system.next_withdrawal == before.system.next_withdrawal
    else:
        back = after.withdrawal(before.system.next_withdrawal)
        assert (back.recipient, back.amount) == (owner, deposit.amount)


def check_withdrawal(domain: Domain, action: Withdraw, before: Ledger, after: Ledger) -> None:
    request = action.request
    account = before.account(request.account)
    check_only(before, after, {request.account})
    assert request.recover(domain, action.signature) == account.owner.to_bytes(20, "big") != bytes(20)
    assert after.account(request.account).nonce == request.nonce > account.nonce
    check_paid(before, after, request.account, request.amount, int.from_bytes(request.recipient, "big"))
    assert request.amount - before.share_of_loss(request.account >> 32, request.amount) >= request.least_paid
    check_fresh(before, request.account, after.system.clock, before.parameters.trade_heartbeat)
    new = after.rounded_margin(request.account)
    assert new.value >= new.initial


def check_paid(before: Ledger, after: Ledger, account: int, amount: int, recipient: int) -> None:
    """I21. The account paid, its part of the group's loss stayed, one record was written, in the next row."""
    assert before.account(account).collateral - after.account(account).collateral == amount > 0
    group, row = before.group(account >> 32), before.system.next_withdrawal
    paid = amount - before.share_of_loss(account >> 32, amount)
    assert after.group(account >> 32).money == group.money - paid
    assert after.group(account >> 32).fund == group.fund + amount - paid
    assert before.withdrawal(row).amount == 0
    if paid:
        assert after.system.next_withdrawal == row + 1
        assert (after.withdrawal(row).recipient, after.withdrawal(row).amount) == (recipient, paid)
    else:
        assert after.system.next_withdrawal == row
    assert recipient != 0


def check_forced(domain: Domain, data: bytes, before: Ledger, after: Ledger) -> None:
    """I22, or what the same action would have to be from the sequencer."""
    if data[26:27] in FORCED_SERVICES:
        forced = decode(data)
        assert isinstance(forced, Forced)
        action = decode_forced(forced.payload)
        assert isinstance(action, ForcedService)
        assert after.system.next_forced == before.system.next_forced
        check_action(domain, action, before, after)
        return
    row = before.system.next_forced
    assert after.system.next_forced == row + 1
    outcome = after.record(ForcedOutcome, row)
    wanted = judge_forced(data, before)
    assert outcome.code == wanted or (wanted == 0 and data[26] == KIND_REDUCE and outcome.code in UNDECIDED)
    if outcome.code == 0 and data[26] == KIND_CANCEL_ALL:
        floor = max(before.account(outcome.account).order_floor, outcome.amount)
        check_changes(before, after, {(7, outcome.account), (11, row)})
        check_account(before, after, outcome.account, order_floor=floor)
    elif outcome.code == 0 and data[26] == KIND_SESSION_KEY:
        session = outcome.account << 4 | data[32]
        check_changes(before, after, {(21, session), (11, row)})
        assert after.record(SessionKey, session).key == 0
    elif outcome.code == 0 and data[26] == KIND_REDUCE:
        account, market_id = outcome.account, int.from_bytes(data[32:34], "big")
        check_only(before, after, {account, account >> 32 << 32})
        for who in (account, account >> 32 << 32):
            check_margin(before, after, who, market_id)
        check_reduction(data, before, after)
    elif outcome.code == 0:
        check_paid(before, after, outcome.account, outcome.amount, before.account(outcome.account).owner)
        check_only(before, after, {outcome.account})
    else:
        check_only(before, after, set())
        assert after.system.next_withdrawal == before.system.next_withdrawal


def judge_forced(data: bytes, before: Ledger) -> int:
    """The outcome that a forced input must have."""
    try:
        forced = decode(data)
        assert isinstance(forced, Forced)
        wanted = decode_forced(forced.payload)
        assert isinstance(wanted, ForcedWithdraw | ForcedCancelAll | ForcedReduce | ForcedSessionEnd)
    except DecodingError:
        return Code.MALFORMED
    if wanted.account >= 1 << 36 or before.account(wanted.account).owner == 0:
        return Code.UNKNOWN_ACCOUNT
    account = before.account(wanted.account)
    if account.owner != int.from_bytes(forced.sender, "big"):
        return Code.NOT_OWNER
    match wanted:
        case ForcedCancelAll():
            return 0
        case ForcedReduce():
            return judge_reduction(wanted, forced.enqueued_at, before)
        case ForcedSessionEnd():
            return 0 if 1 <= wanted.index <= 15 else Code.BAD_SESSION
        case _:
            return judge_payment(wanted, forced.enqueued_at, before)


# -------------------------------------------------------------------------------------------- liquidation


def check_liquidation(action: Liquidate, before: Ledger, after: Ledger) -> None:
    """I6, and the backstop's own I4, I5; or I8 when nobody takes over."""
    account, market_id = action.account, action.market
    backstop = account >> 32 << 32
    now, heartbeat = after.system.clock, after.parameters.liquidation_heartbeat
    for who in (account, backstop):
        check_fresh(before, who, now, heartbeat)
        check_fresh(after, who, now, heartbeat)
    size = before.positions(account)[market_id]
    rest = after.position(account, market_id)
    old_side, new_side = before.side(market_id, size > 0), after.side(market_id, size > 0)
    if (old_side.multiplier, old_side.epoch) == (new_side.multiplier, new_side.epoch):
        check_only(before, after, {account, backstop})
        check_margin(before, after, backstop, market_id)
        penalty_limit = Fraction(before.market(market_id).liquidation_penalty_ppm, PPM)
    else:
        check_only(before, after, {account})
        assert rest == 0
        check_deleveraging(account, market_id, before, after)
        penalty_limit = Fraction(1)
    old, new = before.rounded_margin(account), after.rounded_margin(account)
    assert old.value < old.maintenance
    assert new.maintenance < old.maintenance
    assert new.value * old.maintenance >= old.value * new.maintenance
    assert abs(rest) < abs(size)
    assert rest * size >= 0
    if old.value >= 0:
        assert new.value >= 0
        price = before.stored_price(market_id).mark
        notional = abs(size - rest) * price / before.market(market_id).notional_divisor
        assert old.value - new.value <= notional * penalty_limit + 3  # three roundings of a unit
    else:
        assert rest == 0
        assert new.value <= 0
    if not after.positions(account):
        assert after.account(account).collateral >= 0


def check_deleveraging(account: int, market: int, before: Ledger, after: Ledger) -> None:
    """I8: everyone on the other side is reduced, not flipped, by the same part, and paid the same per share.

    Nobody loses more than the maintenance margin of what was closed, and whoever was healthy still is.
    """
    old = before.rounded_margin(account)
    assert old.value * PPM < old.maintenance * CLOSE_OUT_PPM, "above its close-out margin"
    size = before.positions(account)[market]
    is_short = size > 0
    closed = before.total(market, is_short) - after.total(market, is_short)
    is_last = before.total(market, not is_short) == abs(size)
    if is_last:
        assert closed == before.total(market, is_short)
    else:
        assert abs(closed - abs(size)) <= Fraction(before.side(market, is_short).shares, 1 << 48)
    price, divisor = before.stored_price(market).mark, before.market(market).notional_divisor
    share = closed / before.total(market, is_short)
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
        maintenance = Fraction(before.market(market).maintenance_margin_ppm, PPM)
        assert lost <= abs(worth) * maintenance + 2
        healthy, then = before.rounded_margin(other), after.rounded_margin(other)
        if healthy.value >= healthy.maintenance:
            assert then.value + 3 >= then.maintenance, "deleveraging made a healthy account liquidatable"
    group, was = after.group(account >> 32), before.group(account >> 32)
    if group.fund < min(was.fund, 0):
        assert old.value < 0, "a loss of nobody's"


def check_settlement(action: Settle, before: Ledger, after: Ledger) -> None:
    """A position that was closed is paid; nobody else is touched."""
    check_only(before, after, {action.account})
    assert action.market in before.markets_of(action.account)
    assert action.market not in before.positions(action.account)
    assert action.market not in after.markets_of(action.account)
    moved = after.account(action.account).collateral - before.account(action.account).collateral
    assert moved == before.unpaid(action.account, action.market) // 1

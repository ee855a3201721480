"""Judges prices: who signed them, which one is taken, what it may be used for, and what follows from it."""

from fractions import Fraction
from math import isqrt

from optimist.derive.actions import PriceUpdate
from optimist.derive.typed_data import Domain, PriceReport
from optimist.stf.constants import PERPETUAL_FEED, PRICE_CONFIRMED, PRICE_HALTED
from optimist.stf.records import FundingRule, OracleSigner, PriceRule, Volatility
from tests.support.audit_shared import PPM, ceil, check_only
from tests.support.judging import judging
from tests.support.ledger import Ledger


@judging("I10")
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


@judging("mark")
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


@judging("mark")
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


@judging("I10")
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

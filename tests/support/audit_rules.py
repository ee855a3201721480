"""Judges what an accepted input did to the rules of markets: part of `audit.py`."""

from typing import Any, Final

from optimist.derive.actions import EnactMarket, ProposeMarket
from optimist.derive.typed_data import Domain
from optimist.stf.constants import PROPOSED, TIER_BITS
from optimist.stf.records import (
    FeeTier,
    FundingRule,
    Governance,
    MarginTier,
    Market,
    PriceRule,
    Proposal,
    RiskRule,
)
from tests.support.judging import judging
from tests.support.ledger import Ledger

RULES: Final[tuple[type[Any], ...]] = (Market, PriceRule, FundingRule, RiskRule)


def read_rules(ledger: Ledger, row: int) -> tuple[Any, ...]:
    """All rules in the rows of a market, or in the shadow rows of a proposal."""
    tiers = tuple(ledger.record(MarginTier, row << TIER_BITS | i) for i in range(1, 4))
    fees = ledger.record(FeeTier, row << TIER_BITS)
    return (*(ledger.record(kind, row) for kind in RULES), fees, *tiers)


@judging("rules")
def check_rules_unchanged(before: Ledger, after: Ledger, rows: set[int]) -> None:
    """The rules of markets, proposed or in force, are what they were but in these rows."""
    for kind in RULES:
        old, new = before.all_records(kind), after.all_records(kind)
        assert {row for row in old.keys() | new.keys() if old.get(row) != new.get(row)} <= rows
    old, new = before.all_records(MarginTier), after.all_records(MarginTier)
    changed = {row >> TIER_BITS for row in old.keys() | new.keys() if old.get(row) != new.get(row)}
    assert changed <= rows
    old, new = before.all_records(FeeTier), after.all_records(FeeTier)
    dearest = {row for row in old.keys() | new.keys() if row % (1 << TIER_BITS) == 0}
    assert {row >> TIER_BITS for row in dearest if old.get(row) != new.get(row)} <= rows


@judging("rules")
def check_proposal(domain: Domain, action: ProposeMarket, before: Ledger, after: Ledger) -> None:
    """Signed by the governor, new, and waiting for the whole timelock."""
    old, new = before.record(Governance, 0), after.record(Governance, 0)
    with judging("authority"):
        signer = action.message.recover(domain, action.signature)
        assert signer == old.governor.to_bytes(20, "big") != bytes(20)
    assert (new.governor, new.timelock) == (old.governor, old.timelock)
    with judging("I12"):
        assert new.nonce == action.nonce > old.nonce
    assert after.record(Proposal, action.market).not_before == after.system.clock + old.timelock
    assert action.market <= before.parameters.markets == after.parameters.markets
    check_rules_unchanged(before, after, {PROPOSED + action.market})
    found, rules = after.market(PROPOSED + action.market), action.rules
    assert (found.lot, found.max_position) == (rules.lot, rules.max_position)
    assert found.maintenance_margin_ppm == rules.maintenance_margin_ppm
    if action.market < before.parameters.markets:
        live = before.market(action.market)
        assert (found.lot, found.notional_divisor) == (live.lot, live.notional_divisor)


@judging("rules")
def check_enactment(action: EnactMarket, before: Ledger, after: Ledger) -> None:
    """What waited is in force, it was due, and nothing waits any more."""
    market = action.market
    assert 0 < before.record(Proposal, market).not_before <= after.system.clock
    assert after.record(Proposal, market).not_before == 0
    check_rules_unchanged(before, after, {market, PROPOSED + market})
    assert read_rules(after, market) == read_rules(before, PROPOSED + market)
    assert read_rules(after, PROPOSED + market) == read_rules(Ledger({}), 0)
    assert after.parameters.markets == max(before.parameters.markets, market + 1)
    assert before.record(Governance, 0) == after.record(Governance, 0)

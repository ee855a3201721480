"""Parameters: who may change them, when they take effect, and what never changes."""

from dataclasses import replace
from typing import Any

import pytest

from optimist.derive.actions import EnactMarket, MarketParameters, Sequenced, Tier
from optimist.node.receipts import describe_note, find_accounts
from optimist.stf.codes import Code
from optimist.stf.constants import PROPOSED
from optimist.stf.records import FeeTier, Governance, Market, Proposal, Volatility
from tests.support.audit_rules import read_rules
from tests.support.ledger import Ledger
from tests.support.world import BTC, ETH, FREE, OK, START, USD, World, address

BTC_1 = 10**8
SLOW = 100  # s, the timelock
OTHER = replace(
    BTC,
    initial_margin_ppm=200_000,
    maintenance_margin_ppm=100_000,
    maker_fee_ppm=7,
    taker_fee_ppm=8,
    liquidation_penalty_ppm=9,
    max_position=10**10,
    step_ppm=11,
    halt_ppm=12,
    halt_seconds=13,
    gap_seconds=14,
    interest=15,
    damper=16,
    max_rate=17,
    max_premium=18,
    smoothing_seconds=19,
    tiers=(Tier(20, 210_000, 110_000), Tier(21, 220_000, 120_000), Tier(22, 230_000, 130_000)),
    max_open_interest=23,
    open_interest_lower=24,
    open_interest_upper=25,
    mark_cap_ppm=26,
    volatility_multiplier_ppm=27,
    volatility_horizon=28,
    volatility_window=29,
    volatility_sample=10,
)


def enacted(market: int, rules: MarketParameters, world: World | None = None) -> World:
    """The world after these rules took effect."""
    world = world or World()
    assert world.propose(market, rules) == OK
    world.second += SLOW
    assert world.enact(market) == OK
    return world


def test_rules_that_are_enacted_are_what_init_would_have_written() -> None:
    """Every field of them; and nothing is left in the shadow."""
    there = World(markets=(OTHER, ETH))
    world = enacted(0, OTHER)
    assert read_rules(world, 0) == read_rules(there, 0)
    assert read_rules(world, 1) == read_rules(there, 1)
    assert read_rules(world, PROPOSED) == read_rules(Ledger({}), 0)
    assert world.all_records(Proposal) == {}


def test_everybody_is_told_of_new_rules_before_and_when_they_bind() -> None:
    world = World()
    proposed = world.apply_bytes(Sequenced(world.second, world.proposal(0, OTHER)).encode())
    world.second += SLOW
    in_force = world.apply_bytes(Sequenced(world.second, EnactMarket(0)).encode())
    notes = [describe_note(note) for note in (*proposed.notes, *in_force.notes)]
    assert notes == [
        {"type": "MarketProposed", "market": 0, "notBefore": START + SLOW},
        {"type": "MarketEnacted", "market": 0},
    ]
    assert find_accounts(notes) == (set(), True)


def test_proposed_rules_wait_for_the_timelock() -> None:
    world = World()
    before = read_rules(world, 0)
    assert world.propose(0, OTHER) == OK
    assert world.record(Proposal, 0).not_before == START + SLOW
    world.second += SLOW - 1
    assert world.enact(0) == Code.PROPOSAL_NOT_DUE
    assert read_rules(world, 0) == before
    world.second += 1
    assert world.enact(0) == OK


def test_a_newer_proposal_waits_from_the_start() -> None:
    world = World()
    world.propose(0, OTHER)
    world.second += SLOW
    assert world.propose(0, replace(OTHER, maker_fee_ppm=1)) == OK
    assert world.enact(0) == Code.PROPOSAL_NOT_DUE
    world.second += SLOW
    assert world.enact(0) == OK
    assert world.record(FeeTier, 0).maker_ppm == 1


def test_rules_are_enacted_once() -> None:
    world = enacted(0, OTHER)
    assert world.enact(0) == Code.NO_PROPOSAL
    assert world.enact(1) == Code.NO_PROPOSAL


def test_both_may_be_forced_by_anyone() -> None:
    world = World()
    assert world.force_action(world.proposal(0, OTHER), sender="anyone") == OK
    world.second += SLOW
    world.open_batch()
    assert world.force_action(EnactMarket(0), sender="somebody else") == OK
    assert world.record(FeeTier, 0).maker_ppm == 7


def test_only_the_governor_may_propose() -> None:
    world = World()
    proposal = world.proposal(0, OTHER)
    for wrong in (
        world.proposal(0, OTHER, signer="backstop"),
        replace(proposal, market=1),
        replace(proposal, nonce=2),
        replace(proposal, rules=replace(OTHER, maker_fee_ppm=8)),
        replace(proposal, rules=replace(OTHER, volatility_sample=9)),
    ):
        assert world.act(wrong) == Code.NOT_SIGNED_BY_GOVERNOR
    assert world.act(proposal) == OK


def test_nobody_governs_where_init_names_nobody() -> None:
    """An invalid signature recovers to the zero address, which is not the governor either."""
    world = World(governor=bytes(20))
    proposal = world.proposal(0, OTHER)
    for signature in (proposal.signature, proposal.signature._replace(r=0, s=0)):
        assert world.act(replace(proposal, signature=signature)) == Code.NOT_SIGNED_BY_GOVERNOR


def test_a_proposal_is_used_once() -> None:
    world = World()
    proposal = world.proposal(0, OTHER)
    assert world.act(proposal) == OK
    assert world.act(proposal) == Code.NONCE_USED
    assert world.propose(0, OTHER, nonce=9) == OK
    assert world.propose(0, OTHER, nonce=8) == Code.NONCE_USED
    assert world.record(Governance, 0).nonce == 9


@pytest.mark.parametrize(
    "changes", [{"size_decimals": 7}, {"size_decimals": 9}, {"lot": 500}, {"lot": 2_000}]
)
def test_size_decimals_and_lot_never_change(changes: dict[str, Any]) -> None:
    assert World().propose(0, replace(OTHER, **changes)) == Code.MARKET_FIXED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"maintenance_margin_ppm": 0}, Code.BAD_MARGIN),
        ({"taker_fee_ppm": 100_001}, Code.BAD_FEE),
        ({"max_position": 2**61}, Code.BAD_MARKETS),
        ({"tiers": (Tier(20, 1, 1),)}, Code.BAD_TIERS),
        ({"step_ppm": 0}, Code.BAD_PRICE_RULE),
        ({"max_rate": 40_000_001}, Code.BAD_FUNDING_RULE),
        ({"max_open_interest": 0}, Code.BAD_OPEN_INTEREST),
        ({"mark_cap_ppm": 1_000_001}, Code.BAD_MARK_RULE),
        ({"volatility_window": 0}, Code.BAD_VOLATILITY_RULE),
    ],
)
def test_what_init_refuses_cannot_be_proposed(changes: dict[str, Any], code: Code) -> None:
    world = World()
    before = world.records
    assert world.propose(0, replace(OTHER, **changes)) == code
    assert world.records == before


@pytest.mark.parametrize("cut", [slice(None, -1), slice(None, 7)])
def test_wrong_length_is_rejected(cut: slice) -> None:
    world = World()
    for action in (world.proposal(0, OTHER), EnactMarket(0)):
        data = Sequenced(world.second, action).encode()
        assert world.apply_bytes(data[cut]).code == Code.MALFORMED
        assert world.apply_bytes(data + b"\0").code == Code.MALFORMED


# ------------------------------------------------------------------------------------------------ new markets


def test_a_market_can_be_added() -> None:
    """It has no price and no feed before; afterwards it is a market like any other."""
    world = World(markets=(FREE,))
    world.propose(1, replace(ETH, taker_fee_ppm=0))
    assert world.price(1, 2_000) == Code.UNKNOWN_MARKET
    world.second += SLOW
    assert world.enact(1) == OK
    assert world.parameters.markets == 2
    assert world.price(1, 2_000) == OK
    for account in (1, 2):
        world.deposit(account, 1_000)
    assert world.trade(1, 2, 10**6, 2_000, market=1) == OK
    world.check()


def test_markets_are_added_one_after_the_other_up_to_sixteen() -> None:
    world = World(markets=(FREE,))
    assert world.propose(2, FREE) == Code.UNKNOWN_MARKET
    for market in range(1, 16):
        enacted(market, FREE, world)
    assert world.parameters.markets == 16
    assert world.propose(16, FREE) == Code.UNKNOWN_MARKET
    assert world.enact(16) == Code.UNKNOWN_MARKET
    assert set(world.all_records(Market)) == set(range(16))


def test_shadow_rows_are_no_market() -> None:
    world = World()
    world.propose(0, OTHER)
    assert world.price(PROPOSED, 5) == Code.UNKNOWN_MARKET
    assert world.liquidate(1, PROPOSED) == Code.UNKNOWN_MARKET


# --------------------------------------------------------------------------------------- positions meanwhile


def held(**changes: Any) -> World:
    """Account 1 is long a BTC, account 2 short; then the rules change."""
    world = World(markets=(FREE, ETH), trade_heartbeat=10**6, liquidation_heartbeat=10**6)
    for account in (0, 1, 2):
        world.deposit(account, 20_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_1, 50_000) == OK
    return enacted(0, replace(FREE, **changes), world)


def test_a_position_beyond_a_lowered_bound_can_shrink_but_not_grow() -> None:
    world = held(max_position=BTC_1 // 2)
    assert world.trade(1, 2, 1_000, 50_000) == Code.POSITION_BOUND
    assert world.trade(2, 1, 1_000, 50_000) == OK
    assert world.trade(2, 1, 2 * BTC_1 - 2_000, 50_000) == Code.POSITION_BOUND, (
        "the other side counts as well"
    )
    assert world.trade(2, 1, BTC_1 - 1_000, 50_000) == OK


def test_a_position_beyond_a_lowered_bound_can_be_liquidated_in_part() -> None:
    world = held(max_position=BTC_1 // 2, initial_margin_ppm=500_000, maintenance_margin_ppm=450_000)
    assert world.liquidate(1) == OK
    assert BTC_1 // 2 < world.positions(1)[0] < BTC_1


def test_a_raised_margin_takes_effect_only_when_it_is_enacted() -> None:
    """The holder had the timelock to add money."""
    world = held()
    world.propose(0, replace(FREE, initial_margin_ppm=500_000, maintenance_margin_ppm=450_000))
    assert world.liquidate(1) == Code.NOT_LIQUIDATABLE
    world.second += SLOW
    world.enact(0)
    assert world.liquidate(1) == OK


def test_a_floor_that_is_switched_off_is_gone() -> None:
    """Nobody would ever lower it again."""
    world = held(volatility_multiplier_ppm=3_000_000)
    world.price(0, 51_000)
    world.second += 60
    world.price(0, 53_000)
    assert world.record(Volatility, 0).floor_ppm > 50_000
    enacted(0, replace(FREE, volatility_multiplier_ppm=0), world)
    assert world.all_records(Volatility) == {}
    assert world.health(1)[2] == 53_000 * USD // 20


def test_the_timelock_is_part_of_init() -> None:
    world = World(timelock=7, governor=address("somebody"))
    governance = world.record(Governance, 0)
    assert (governance.timelock, governance.nonce) == (7, 0)
    assert governance.governor == int.from_bytes(address("somebody"), "big")

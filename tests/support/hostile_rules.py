"""Rules of markets that nobody may have: in INIT, proposed, or enacted too early; a live market closed."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from optimist.derive.actions import NO_TIER, EnactMarket, MarketParameters, Tier
from optimist.stf.records import Governance
from tests.support.world import BTC

if TYPE_CHECKING:
    from tests.support.workload import Storm


def unsound_markets() -> list[MarketParameters]:
    """One market for every rule that markets have."""
    changes: list[dict[str, Any]] = [
        {"size_decimals": 11},
        {"max_position": 1 << 61},
        {"lot": 0},
        {"lot": BTC.max_position + 1},
        {"size_decimals": 0, "max_position": (1 << 61) - 1},
        {"initial_margin_ppm": 1_000_001},
        {"maintenance_margin_ppm": 0},
        {"maintenance_margin_ppm": 50_001},
        {"maker_fee_ppm": 30_001},
        {"taker_fee_ppm": 30_001},
        {"liquidation_penalty_ppm": 30_001},
        {"step_ppm": 0},
        {"step_ppm": 2, "halt_ppm": 1},
        {"halt_ppm": 1_000_001},
        {"gap_seconds": 0},
        {"interest": 1_000_000_001},
        {"damper": 1_000_000_001},
        {"max_rate": 40_000_001},
        {"max_premium": 1_000_000_001},
        {"smoothing_seconds": 0},
        {"group": 16},
        {"max_open_interest": 0},
        {"max_open_interest": 1 << 61},
        {"open_interest_lower": 1, "open_interest_upper": 1},
        {"open_interest_lower": 1},
        {"mark_cap_ppm": 1_000_001},
        {"volatility_multiplier_ppm": 1, "volatility_horizon": 0},
        {"volatility_multiplier_ppm": 1, "volatility_window": 0, "volatility_sample": 0},
        {"volatility_sample": 86_401},
    ]
    return [
        *(replace(BTC, **change) for change in changes),
        *(replace(BTC, tiers=tiers) for tiers in unsound_tiers()),
    ]


def unsound_tiers() -> list[tuple[Tier, ...]]:
    """Tiers for every rule that tiers have, beyond the first one of BTC."""
    first, second = Tier(10, 60_000, 40_000), Tier(20, 70_000, 50_000)
    return [
        (replace(first, maintenance_margin_ppm=60_001),),
        (replace(first, initial_margin_ppm=1_000_001),),
        (replace(first, initial_margin_ppm=1_000_000, maintenance_margin_ppm=1_000_001),),
        (replace(first, initial_margin_ppm=49_999),),
        (replace(first, maintenance_margin_ppm=29_999),),
        (replace(first, from_notional=0),),
        (replace(first, from_notional=0, initial_margin_ppm=0),),
        (NO_TIER, second),
        (first, replace(second, from_notional=10)),
        (first, replace(second, initial_margin_ppm=59_999)),
        (first, replace(second, maintenance_margin_ppm=39_999)),
    ]


def wrong_rules(storm: "Storm") -> None:
    """Rules that nobody may propose, and rules that nobody may enact yet."""
    world = storm.world
    markets = world.parameters.markets
    sound = world.init.markets[0]
    unsound = [{"size_decimals": sound.size_decimals - 1}, {"lot": sound.lot * 2}, {"maker_fee_ppm": 30_001}]
    wrong: list[Callable[[], object]] = [
        lambda: world.propose(0, sound, signer="stranger"),
        lambda: world.propose(0, sound, nonce=world.record(Governance, 0).nonce),
        lambda: world.propose(markets + 1, sound),
        lambda: world.propose(65_535, sound),
        *(lambda change=change: world.propose(0, replace(sound, **change)) for change in unsound),
        lambda: world.act(replace(world.proposal(0, sound), market=1)),
        lambda: world.act(replace(world.proposal(0, sound), rules=replace(sound, taker_fee_ppm=1))),
        lambda: world.enact(markets),
        lambda: world.enact(16),
        lambda: world.force_action(EnactMarket(65_535)),
        lambda: (world.propose(0, sound), world.enact(0)),
        lambda: world.close(storm.random.randrange(len(world.init.markets))),
        lambda: world.close(65_535),
    ]
    storm.turn("wrong_rules", wrong)()


ATTACKS: Final[tuple[Callable[["Storm"], None], ...]] = (wrong_rules, wrong_rules)

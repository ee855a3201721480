"""Tiers: brackets that are marginal, and how much a liquidation closes under them."""

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from optimist.derive.actions import Tier
from optimist.provable import State
from optimist.stf.codes import Code
from optimist.stf.constants import CLOSE_OUT_PPM, MAX_TIERS, ONE
from optimist.stf.law import get_law
from optimist.stf.liquidation import compute_closing_size
from optimist.stf.margin import Margin, compute_fraction, compute_notional
from optimist.stf.records import MarginTier, Market
from optimist.stf.tiers import MarginSchedule, compute_initial, compute_maintenance
from tests.support.hostile_rules import unsound_tiers
from tests.support.schedules import build_schedule
from tests.support.world import BTC, ETH, FREE, OK, USD, World, build_init, confirmed_price

PPM = 10**6
TIERS = (Tier(10_000 * USD, 100_000, 50_000), Tier(50_000 * USD, 250_000, 100_000))


beginnings = st.one_of(st.integers(1, 2**64 - 1), st.integers(1, 10**5).map(lambda usd: usd * USD))
fractions = st.one_of(st.integers(1, PPM), st.integers(1, 20).map(lambda percent: percent * 10_000))


@st.composite
def tiers(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """One to four sound tiers."""
    count = draw(st.integers(1, MAX_TIERS))
    begins = [0, *sorted(draw(st.sets(beginnings, min_size=count - 1, max_size=count - 1)))]
    maintenance = sorted(draw(st.lists(fractions, min_size=count, max_size=count)))
    initial, before = [], 0
    for least in maintenance:
        before = draw(st.integers(max(least, before), PPM))
        initial.append(before)
    return list(zip(begins, initial, maintenance, strict=True))


def exact(listed: list[tuple[int, int, int]], column: int, notional: Fraction | int) -> Fraction:
    """The sum over the tiers of what each asks of the part that lies in it."""
    total = Fraction(0)
    for i, tier in enumerate(listed):
        end = listed[i + 1][0] if i + 1 < len(listed) else notional
        total += max(min(end, notional) - tier[0], 0) * Fraction(tier[column], PPM)
    return total


def test_requirement_by_hand() -> None:
    """3 % up to 10,000, 5 % up to 50,000, 10 % beyond: 300 + 2,000 + 1,000 of 60,000."""
    schedule = build_schedule(
        [(0, 50_000, 30_000), (10**10, 100_000, 50_000), (5 * 10**10, 250_000, 100_000)]
    )
    for usd, maintenance, initial in (
        (0, 0, 0),
        (10_000, 300, 500),
        (10_010, Fraction(3005, 10), 501),
        (50_000, 2_300, 4_500),
        (60_000, 3_300, 7_000),
    ):
        assert compute_maintenance(schedule, usd * USD) == maintenance * USD
        assert compute_initial(schedule, usd * USD) == initial * USD


@given(tiers(), st.integers(0, 2**106))
def test_requirement_is_the_sum_over_the_tiers_rounded_up_once(
    listed: list[tuple[int, int, int]], notional: int
) -> None:
    schedule = build_schedule(listed)
    assert 0 <= compute_initial(schedule, notional) - exact(listed, 1, notional) < 1
    assert 0 <= compute_maintenance(schedule, notional) - exact(listed, 2, notional) < 1
    assert compute_maintenance(schedule, notional) <= compute_initial(schedule, notional) <= notional


@given(st.integers(0, 2**106), st.integers(0, PPM))
def test_one_tier_asks_a_fraction(notional: int, ppm: int) -> None:
    assert compute_initial(build_schedule([(0, ppm, ppm)]), notional) == compute_fraction(notional, ppm)


@given(tiers(), st.integers(0, 2**105), st.integers(0, 2**64))
def test_requirement_never_jumps(listed: list[tuple[int, int, int]], notional: int, more: int) -> None:
    """A little more notional asks at most the highest fraction of it more, and never less."""
    schedule = build_schedule(listed)
    risen = compute_initial(schedule, notional + more) - compute_initial(schedule, notional)
    assert 0 <= risen <= compute_fraction(more, listed[-1][1]) + 1


@given(tiers(), st.integers(0, 2**105), st.integers(0, 2**105))
def test_halves_never_need_more_than_the_whole(listed: list[tuple[int, int, int]], a: int, b: int) -> None:
    """Convex from 0; each part rounds up by less than a unit."""
    schedule = build_schedule(listed)
    for compute in (compute_initial, compute_maintenance):
        assert compute(schedule, a) + compute(schedule, b) <= compute(schedule, a + b) + 1


# ------------------------------------------------------------------------------------------------ liquidation


@dataclass(frozen=True)
class Distress:
    """An account below its maintenance margin, with `lots` in one market and `other` asked elsewhere."""

    listed: list[tuple[int, int, int]]
    market: Market
    price: int
    lots: int
    buffer_ppm: int
    other: int
    ratio: Fraction  # of its value to its maintenance margin

    @property
    def schedule(self) -> MarginSchedule:
        return build_schedule(self.listed)

    @property
    def before(self) -> Margin:
        whole = compute_maintenance(self.schedule, self.notional(self.lots)) + self.other
        return Margin(value=int(whole * self.ratio), maintenance=whole, initial=whole)

    def notional(self, lots: int) -> int:
        return compute_notional(lots * self.market.lot * ONE, self.price, self.market.notional_divisor)

    def is_restored_by(self, lots: int) -> bool:
        """Whether the law's own rounded figures show the buffer after closing `lots` at the last price."""
        closed = Fraction(lots * self.market.lot * self.price, self.market.notional_divisor)
        value = self.before.value - closed * self.market.liquidation_penalty_ppm / PPM
        needed = self.other + compute_maintenance(self.schedule, self.notional(self.lots - lots))
        return value * PPM >= needed * (PPM + self.buffer_ppm)

    def search(self) -> int:
        """The least number of lots that restores the buffer; one more than there are when none does."""
        low, high = 0, self.lots + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.is_restored_by(middle) else (middle, high)
        return high

    def spare_lots(self) -> int:
        """One lot, and those whose closing brings what four roundings of a unit can have taken."""
        buffer = 1 + Fraction(self.buffer_ppm, PPM)
        penalty = Fraction(self.market.liquidation_penalty_ppm, PPM)
        relief = Fraction(self.listed[0][2], PPM) * buffer - penalty
        a_lot = Fraction(self.market.lot * self.price, self.market.notional_divisor)
        return 1 + int(4 * buffer / (relief * a_lot)) if relief > 0 else self.lots


@st.composite
def distress(draw: st.DrawFn) -> Distress:
    """Around the beginnings of the tiers, so that all of them are met."""
    listed = draw(tiers())
    divisor = 10 ** (draw(st.integers(0, 8)) + 2)
    lot, price = draw(st.integers(1, 1_000)), draw(st.integers(1, 2**50))
    notional = draw(st.one_of(st.integers(1, 2 * listed[-1][0] + 10**12), st.integers(1, 2**90)))
    lots = max(notional * divisor // (lot * price), 1)
    market = Market(
        notional_divisor=divisor,
        lot=lot,
        initial_margin_ppm=listed[0][1],
        maintenance_margin_ppm=listed[0][2],
        liquidation_penalty_ppm=draw(st.integers(0, 10)) * listed[0][2] // 10,
        max_position=2**61 - 1,
    )
    other, buffer_ppm = draw(st.sampled_from((0, 0, 1, notional))), draw(st.sampled_from((0, 10**5, PPM)))
    ratio = Fraction(draw(st.integers(40, 99)), 100)
    return Distress(listed, market, price, min(lots, (2**61 - 1) // lot), buffer_ppm, other, ratio)


@given(distress())
def test_size_is_the_least_number_of_lots_by_search(case: Distress) -> None:
    """Against a bisection of the rounded requirement itself: the same, but for roundings of a unit."""
    before, size, market = case.before, case.lots * case.market.lot, case.market
    assume(before.value < before.maintenance)
    price = confirmed_price(case.price, 1)
    closing = compute_closing_size(before, case.schedule, size * ONE, market, price, case.buffer_ppm)
    assert 0 < closing <= size
    assert closing % market.lot == 0
    is_close_out = before.value * PPM < before.maintenance * CLOSE_OUT_PPM
    least = case.lots if is_close_out else min(case.search(), case.lots)
    event(f"{len(case.listed)} tiers, {'all' if closing == size else 'a part'}")
    assert abs(closing // market.lot - least) <= case.spare_lots()


def test_liquidation_closes_the_highest_tier_first() -> None:
    """1.2 BTC at 50,000 with 3,000 USD, MMR 3,300 of 60,000; b = 15 %, penalty 1 %.

    Short of 3,300 * 1.15 - 3,000 = 795. The third tier brings 0.115 - 0.01 = 0.105 a USD: 7,571.43 USD of the
    10,000 that lie in it, 0.15143 BTC in lots of 0.00001.
    """
    world = World(markets=(replace(FREE, tiers=TIERS),))
    world.deposit(0, 1_000_000)
    world.deposit(1, 7_000)
    world.deposit(2, 1_000_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, 12 * 10**7, 50_000) == OK
    account = world.account(1)
    world.put_collateral(1, account.collateral - 4_000 * USD)
    assert world.liquidate(1) == OK
    assert world.positions(1) == {0: 12 * 10**7 - 15_143_000}
    value, maintenance, _ = world.health(1)
    assert Fraction(115, 100) <= value / maintenance < Fraction(11502, 10000)


def test_liquidation_goes_on_in_the_tier_below() -> None:
    """With 2,300 USD: short of 1,495; the third tier brings 1,050, 9,368.42 USD of the second the rest."""
    world = World(markets=(replace(FREE, tiers=TIERS),))
    world.deposit(0, 1_000_000)
    world.deposit(1, 7_000)
    world.deposit(2, 1_000_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, 12 * 10**7, 50_000) == OK
    account = world.account(1)
    world.put_collateral(1, account.collateral - 4_700 * USD)
    assert world.liquidate(1) == OK
    assert world.positions(1) == {0: 12 * 10**7 - 38_737_000}  # ceil of (10,000 + 445 / 0.0475) / 50,000


# ------------------------------------------------------------------------------------------------------ state


def test_init_writes_the_tiers() -> None:
    world = World(markets=(BTC, replace(ETH, tiers=TIERS)))
    assert world.all_records(MarginTier) == {
        1 << 3 | 1: MarginTier(
            from_notional=10_000 * USD, initial_margin_ppm=100_000, maintenance_margin_ppm=50_000
        ),
        1 << 3 | 2: MarginTier(
            from_notional=50_000 * USD, initial_margin_ppm=250_000, maintenance_margin_ppm=100_000
        ),
    }


@pytest.mark.parametrize("listed", unsound_tiers())
def test_unsound_tiers_are_refused(listed: tuple[Tier, ...]) -> None:
    data = build_init(markets=(ETH, replace(BTC, tiers=listed))).encode()
    assert State().apply(get_law("minimal"), data).code == Code.BAD_TIERS


@pytest.mark.parametrize(
    "listed",
    [
        (Tier(1, 50_000, 30_000),),  # no more than the tier before
        (Tier(1, 50_000, 50_000), Tier(2, 50_000, 50_000), Tier(2**64 - 1, PPM, PPM)),
    ],
)
def test_tiers_at_their_bounds_are_accepted(listed: tuple[Tier, ...]) -> None:
    assert World(markets=(replace(BTC, tiers=listed),)).codes == [OK, OK]


@pytest.mark.parametrize(("usd", "code"), [(4_500, OK), (4_499, Code.BELOW_INITIAL_MARGIN)])
def test_a_large_position_needs_the_margin_of_its_tiers(usd: int, code: int) -> None:
    """1 BTC at 50,000: 500 for the first 10,000, 4,000 for the rest."""
    world = World(markets=(replace(FREE, tiers=TIERS), ETH))
    world.deposit(1, usd)
    world.deposit(2, 1_000_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, 10**8, 50_000) == code


def test_tiers_count_in_every_market_that_an_account_holds() -> None:
    """4,500 for 1 BTC and 200 for 1 ETH."""
    for usd, code in ((4_700, OK), (4_699, Code.BELOW_INITIAL_MARGIN)):
        world = World(markets=(replace(FREE, tiers=TIERS), replace(ETH, taker_fee_ppm=0)))
        world.deposit(1, usd)
        world.deposit(2, 1_000_000)
        world.price(0, 50_000)
        world.price(1, 2_000)
        assert world.trade(1, 2, 10**8, 50_000) == OK
        assert world.trade(1, 2, 10**6, 2_000, market=1) == code

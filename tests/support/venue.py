"""A whole venue, driven by Hypothesis: markets that crash, people who trade well or badly, and hostile ones.

Each rule is one thing that somebody does; the details come from a seed that Hypothesis draws, so a failure is
shrunk to the fewest rules that lead to it. After every rule the auditor has judged every new input.
"""

import random
from collections.abc import Iterable
from typing import ClassVar, Final
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from optimist.derive.actions import Liquidate, Trade
from optimist.provable import State
from optimist.prove.law import Patch, load_law
from optimist.stf.law import Apply
from tests.support.attacks import attack
from tests.support.audited import Auditor
from tests.support.census import Census
from tests.support.judging import judging
from tests.support.snapshot import Snapshot
from tests.support.workload import TRADERS, Storm
from tests.support.world import USD

REPLAY: Final = "VENUE_SEED"  # the environment variable that names a seed to be replayed
TESTS: Final = "tests/property/test_stateful_venue.py"
SHRUNK: Final = (Phase.generate, Phase.shrink)
# Hypothesis likes to try numbers that stand in the modules that happen to be loaded.
LOCAL_CONSTANTS: Final = "hypothesis.internal.conjecture.providers._get_local_constants"
DICE: Final = st.integers(0, 2**64 - 1)


class Venue(RuleBasedStateMachine):
    """One venue from its first input on."""

    census: ClassVar[Census] = Census()
    patches: ClassVar[tuple[Patch, ...]] = ()  # what is different in the law

    @initialize(number=st.integers(0, 2**32 - 1))
    def open(self, number: int) -> None:
        """INIT, the first deposits and prices."""
        self.law: Apply = load_law("minimal", self.patches).native
        self.storm = Storm(number, "minimal", self.law)
        self.world = self.storm.world
        self.auditor = Auditor(self.world.domain)
        self.judged = 0
        self.storm.read = lambda: self.now
        type(self).census.histories += 1
        self.judge()

    def judge(self) -> None:
        """Judge and count what has happened since the last time."""
        while self.judged < len(self.world.inputs):
            data, receipt = self.world.inputs[self.judged], self.world.receipts[self.judged]
            type(self).census.count(data, receipt)
            self.auditor.judge(data, receipt)
            self.judged += 1

    @property
    def now(self) -> Snapshot:
        """The state after the last input, which is judged."""
        self.judge()
        return self.auditor.before

    def act(self, dice: int) -> random.Random:
        """Whatever is random from here on comes from the dice."""
        self.storm.random = random.Random(dice)
        return self.storm.random

    # -------------------------------------------------------------------------------------------- markets

    @rule(dice=DICE)
    def time_passes(self, dice: int) -> None:
        """Seconds, prices, what perpetuals cost elsewhere; and people trade."""
        self.act(dice)
        self.storm.tick()
        for _ in range(3):
            self.storm.trade()
        self.judge()

    @rule(dice=DICE, length=st.integers(4, 12), is_fall=st.booleans(), gamblers=st.integers(1, 6))
    def gamblers_meet_a_crash(self, dice: int, length: int, is_fall: bool, gamblers: int) -> None:
        """2.5 % a tick, down or up, after some have bet all that they have. Keepers do not always keep up."""
        rng = self.act(dice)
        for _ in range(gamblers):
            self.gamble(rng)
        self.storm.crash = -length if is_fall else length
        for _ in range(length):
            self.storm.tick()
            if rng.random() < 0.5:
                self.liquidate_all(rng)
        self.judge()

    @rule(dice=DICE)
    def batch_begins(self, dice: int) -> None:
        """A header, by the sequencer or by anybody."""
        self.act(dice)
        self.storm.next_batch()
        self.judge()

    # -------------------------------------------------------------------------------------------- traders

    @rule(dice=DICE, count=st.integers(4, 10))
    def people_trade(self, dice: int, count: int) -> None:
        """They open, close, meet resting orders, with flags, session keys and trees of orders."""
        self.act(dice)
        for _ in range(count):
            self.storm.trade()
        self.judge()

    def gamble(self, rng: random.Random) -> None:
        """Somebody trades as much as the margin allows, at the last price."""
        market = rng.randrange(len(self.world.init.markets))
        maker, taker = rng.sample(self.storm.members(market)[1:], 2)
        now, found = self.now, self.now.market(market)
        value, _, initial = now.health(taker)
        price = now.stored_price(market).price or self.storm.prices[market]
        fraction = now.raised_ppm(market, found.initial_margin_ppm, now)
        budget = max(int(value - initial), USD) * 10**6 // fraction
        lots = budget * 95 // 100 * found.notional_divisor // price // found.lot
        size, is_buy = max(lots, 1) * found.lot, rng.random() < 0.5
        terms = {"market": market, "slot": rng.randrange(4)}
        orders = (
            self.world.order_units(maker, not is_buy, size, price, **terms),
            self.world.order_units(taker, is_buy, size, price, **terms),
        )
        self.world.act(Trade(size, price, *orders))

    @rule(dice=DICE)
    def keepers_liquidate(self, dice: int) -> None:
        """Whoever is below the maintenance margin, in every market."""
        self.liquidate_all(self.act(dice))
        self.judge()

    def liquidate_all(self, rng: random.Random) -> None:
        """Every liquidation that is due, some of them through L1."""
        for account in self.storm.traders:
            for market in self.now.positions(account):
                value, maintenance, _ = self.now.health(account)
                if value < maintenance:
                    due = Liquidate(account, market)
                    _ = self.world.force_action(due) if rng.random() < 0.2 else self.world.act(due)

    @precondition(lambda self: self.judged > 250)
    @rule(dice=DICE)
    def everybody_falls_silent(self, dice: int) -> None:
        """For long: a market is closed by whoever cares, and comes back, or does not."""
        self.act(dice)
        self.storm.fall_silent()
        self.judge()

    # ------------------------------------------------------------------------------------------- accounts

    @rule(dice=DICE)
    def money_comes(self, dice: int) -> None:
        """A deposit, to a trader or to the backstop."""
        self.act(dice)
        self.storm.deposit()
        self.judge()

    @rule(dice=DICE)
    def money_goes(self, dice: int) -> None:
        """What is free, or a little more."""
        self.act(dice)
        self.storm.withdraw()
        self.judge()

    @rule(dice=DICE)
    def backstop_leaves(self, dice: int) -> None:
        """Its owner takes out most of what is free: what is liquidated next has to be deleveraged."""
        rng = self.act(dice)
        backstop = rng.choice([0, 1 << 32] if self.storm.is_isolated else [0])
        value, _, initial = self.world.health(backstop)
        self.world.withdraw(backstop, max(int(value - initial) * rng.randint(5, 10) // 10, 1))
        self.judge()

    @rule(dice=DICE)
    def owners_arrange(self, dice: int) -> None:
        """Cancellations, session keys, transfers, fee tiers."""
        self.act(dice)
        for _ in range(3):
            self.storm.arrange()
        self.judge()

    @rule(dice=DICE)
    def positions_are_settled(self, dice: int) -> None:
        """Of accounts that deleveraging has closed."""
        self.act(dice)
        for account in (*self.storm.traders, 0):
            for market in self.world.markets_of(account):
                if market not in self.world.positions(account):
                    self.world.settle(account, market)
        self.judge()

    @rule(dice=DICE)
    def governor_acts(self, dice: int) -> None:
        """New rules are proposed, or enacted when they are due."""
        self.act(dice)
        self.storm.govern()
        self.judge()

    @rule(dice=DICE)
    def owners_go_through_l1(self, dice: int) -> None:
        """Forced withdrawals, and reductions of positions against the backstop."""
        rng = self.act(dice)
        self.storm.force_withdraw()
        account = rng.choice(self.storm.traders)
        for market, size in list(self.world.positions(account).items()):
            usd = 1 if size > 0 else 10**9
            self.world.force_reduce(account, int(abs(size)) // rng.choice((1, 3)) + 1, usd, market)
        self.judge()

    # -------------------------------------------------------------------------------------------- hostile

    @rule(dice=DICE, count=st.integers(1, 12))
    def somebody_means_ill(self, dice: int, count: int) -> None:
        """All attacks in turn."""
        self.act(dice)
        for _ in range(count):
            attack(self.storm)
        self.judge()

    @precondition(lambda self: self.storm.is_isolated)
    @rule(dice=DICE)
    def somebody_trades_elsewhere(self, dice: int) -> None:
        """In the market of another group."""
        rng = self.act(dice)
        maker, taker = rng.sample(TRADERS, 2)
        self.world.trade(maker, taker, 100, self.storm.prices[1] // 10**8, market=1)
        self.judge()

    @judging("I20")
    def teardown(self) -> None:
        """The same bytes once more lead to the same records and codes."""
        again = State()
        codes = [again.apply(self.law, data).code for data in self.world.inputs]
        assert codes == self.world.codes
        assert dict(again.items()) == dict(self.world.state.items())


def run_venue(
    number: int, examples: int, steps: int, *, machine: type[Venue] = Venue, phases: Iterable[Phase] = SHRUNK
) -> Census:
    """`examples` venues of one seed, each of `steps` rules; a failure says how to replay it."""
    machine.census = Census()
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=tuple(phases),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        with patch(LOCAL_CONSTANTS, Constants):  # what is loaded besides must not change what a seed leads to
            run_state_machine_as_test(seed(number)(machine), settings=profile)
    except Exception as error:
        error.add_note(f"replay: {REPLAY}={number},{examples},{steps} pytest {TESTS} -k one_seed")
        raise
    return machine.census

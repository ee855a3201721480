"""Forced REDUCE: out of the market past the sequencer, against the backstop, at the mark."""

from fractions import Fraction

import pytest

from optimist.derive.actions import Header
from optimist.stf.codes import Code
from optimist.stf.records import ForcedOutcome
from tests.support.world import BTC, FREE, OK, PRICE, USD, World

BTC_01 = 10**7
LOW, HIGH = 1, 10**9


@pytest.fixture
def world() -> World:
    """1 is long 0.2 BTC at 50,000 against 2; the backstop has 10,000 USD."""
    world = World(markets=(FREE,))
    world.deposit(0, 10_000)
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, 2 * BTC_01, 50_000) == OK
    return world


def test_long_is_closed_at_the_mark(world: World) -> None:
    row = world.system.next_forced
    assert world.force_reduce(1, 2 * BTC_01, 50_000) == OK
    assert world.positions(1) == {}
    assert world.account(1).collateral == 1_000 * USD
    assert world.positions(0) == {0: 2 * BTC_01}
    outcome = world.record(ForcedOutcome, row)
    assert (outcome.account, outcome.amount) == (1, 2 * BTC_01)
    world.check()


def test_short_is_reduced_in_part(world: World) -> None:
    assert world.force_reduce(2, BTC_01 + 7, HIGH) == OK
    assert world.positions(2) == {0: -BTC_01 + 7}
    assert world.positions(0) == {0: -BTC_01 - 7}
    world.check()


def test_no_more_than_the_position_is_closed(world: World) -> None:
    assert world.force_reduce(1, (1 << 64) - 1, LOW) == OK
    assert world.positions(1) == {}
    assert world.force_reduce(1, 1, LOW) == Code.NO_POSITION


@pytest.mark.parametrize(
    ("account", "usd", "code"),
    [
        (1, 50_000, OK),
        (1, 50_001, Code.LIMIT_PRICE),
        (2, 50_000, OK),
        (2, 49_999, Code.LIMIT_PRICE),
    ],
)
def test_limit_is_kept(world: World, account: int, usd: int, code: int) -> None:
    assert world.force_reduce(account, BTC_01, usd) == code


def test_taker_fee_is_paid() -> None:
    world = World(markets=(BTC,))
    world.deposit(0, 10_000)
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, 2 * BTC_01, 50_000) == OK
    before, fund = world.account(1).collateral, world.fund
    assert world.force_reduce(1, BTC_01, LOW) == OK
    assert world.account(1).collateral - before == (5_000 * USD) - 2_500_000
    assert world.fund - fund == 2_500_000
    world.check()


def test_account_that_may_be_liquidated_still_gets_out(world: World) -> None:
    """TV 200 of MMR 276: the fee is capped, and there is none in this market."""
    world.second += 1
    world.price(0, 46_000)
    value, maintenance, _ = world.health(1)
    assert 0 < value < maintenance
    assert world.force_reduce(1, 2 * BTC_01, LOW) == OK
    assert world.account(1).collateral == value


def test_bankrupt_account_does_not_leave_its_debt(world: World) -> None:
    world.second += 1
    world.price(0, 44_000)
    assert world.health(1)[0] < 0
    assert world.force_reduce(1, 2 * BTC_01, LOW) == Code.BELOW_INITIAL_MARGIN


def test_backstop_takes_what_its_margin_allows() -> None:
    world = World(markets=(FREE,))
    world.deposit(0, 100)
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, 2 * BTC_01, 50_000) == OK
    before = dict(world.records)
    assert world.force_reduce(1, 2 * BTC_01, LOW) == Code.BACKSTOP_UNABLE
    changed = {key >> 40 for key in world.records if before.get(key) != world.records[key]}
    assert changed == {1, 11}  # System and the ForcedOutcome
    assert world.force_reduce(1, BTC_01 // 5, LOW) == OK


def test_censor_with_a_poor_backstop_holds_a_position_until_anybody_pays_the_backstop() -> None:
    """What docs/RISKS.md admits: signs of life of a sequencer keep a market from being wound down."""
    world = World(markets=(FREE,))
    world.deposit(0, 1)
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    for _ in range(8):  # twice INIT's silence; prices are all that is sequenced
        world.pass_silence(2_500, mode=0)
        world.price(0, 50_000)
        assert world.force_reduce(1, BTC_01, LOW) == Code.BACKSTOP_UNABLE
        assert world.close() == Code.NOT_DEAD
    assert world.force_withdraw(1, 1_000 * USD) == Code.BELOW_INITIAL_MARGIN
    assert world.force_withdraw(1, 750 * USD) == OK, "what no position needs leaves all the same"
    world.deposit(0, 1_000)  # as anybody may (Vault.topUp)
    assert world.force_reduce(1, BTC_01, LOW) == OK
    assert world.force_withdraw(1, 250 * USD) == OK
    world.check()


@pytest.mark.parametrize(
    ("account", "size", "market", "sender", "code"),
    [
        (1, BTC_01, 0, "trader 2", Code.NOT_OWNER),
        (7, BTC_01, 0, None, Code.UNKNOWN_ACCOUNT),
        (1 << 36, BTC_01, 0, None, Code.UNKNOWN_ACCOUNT),
        (0, BTC_01, 0, None, Code.BACKSTOP_ITSELF),
        (1, BTC_01, 1, None, Code.UNKNOWN_MARKET),
        (1, 0, 0, None, Code.AMOUNT_ZERO),
    ],
)
def test_unsound_reduction_ends_in_an_outcome(
    world: World, account: int, size: int, market: int, sender: str | None, code: int
) -> None:
    assert world.force_reduce(account, size, LOW, market, sender) == code


def test_price_is_fresh_at_the_clock_whenever_it_was_enqueued(world: World) -> None:
    """Else a sequencer could keep prices back and let a friend close at an old one."""
    at = world.second
    world.second += 31
    assert world.open_batch() == OK
    assert world.force_reduce(1, BTC_01, LOW, enqueued_at=at) == Code.PRICE_STALE
    world.price(0, 50_000)
    assert world.force_reduce(1, BTC_01, LOW, enqueued_at=at) == OK


def test_sequencer_that_plays_dead_lets_no_friend_close_at_yesterdays_price(world: World) -> None:
    """It could choose a day later whether the reduction is carried out by itself or in a public batch."""
    at = world.second + 5
    header = Header(world.system.batch + 1, world.second + 86_400, world.second + 86_400, mode=1)
    assert world.apply_bytes(header.encode()).code == OK
    assert world.force_reduce(1, BTC_01, LOW, enqueued_at=at) == Code.PRICE_STALE


def test_in_a_public_batch_whoever_brings_a_fresh_price_gets_out(world: World) -> None:
    """The sequencer is dead; price, reduction and seal can be one transaction."""
    world.pass_silence(86_400)
    for _ in range(2):  # the first one after a long silence must be confirmed
        update = world.price_update(0, [(key, 50_000 * PRICE) for key in (0, 1, 2)])
        assert world.force_action(update) == OK
        world.pass_silence(1)
    assert world.force_reduce(1, 2 * BTC_01, LOW) == OK
    assert world.positions(1) == {}


def test_wrong_length_is_malformed(world: World) -> None:
    for length in (0, 22, 24):
        assert world.force(b"\x07" + bytes(length), "trader 1") == Code.MALFORMED


def test_price_far_away_is_a_whole_number(world: World) -> None:
    assert world.force_reduce(1, BTC_01, Fraction(1, 10**8)) == OK

"""PRICE: a quorum of distinct keys, ascending prices, the lower median, strictly newer; the step rule."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.actions import PriceUpdate, Sequenced, SignedPrice
from optimist.stf.codes import Code
from optimist.stf.constants import PRICE_CONFIRMED, PRICE_HALTED, PRICE_UNCONFIRMED
from tests.support.world import FREE, OK, PRICE, START, World, address, forge


@pytest.fixture
def world() -> World:
    world = World()
    world.second = START + 100
    return world


@pytest.mark.parametrize(
    ("prices", "median"),
    [
        ([1, 2, 9], 2),
        ([1, 2, 3, 9], 2),  # four: the lower of the two in the middle
        ([1, 1, 7, 8, 9], 7),
        ([5, 5, 5], 5),
    ],
)
def test_price_is_the_lower_median(world: World, prices: list[int], median: int) -> None:
    assert world.act(world.price_update(0, list(enumerate(prices)))) == OK
    stored = world.stored_price(0)
    assert (stored.price, stored.publish_time) == (median, START + 100)


def test_any_keys_in_any_order_make_a_quorum(world: World) -> None:
    assert world.act(world.price_update(0, [(4, 10), (0, 10), (2, 11)])) == OK


def test_single_key_is_a_quorum_of_one() -> None:
    world = World(signers=World().init.signers[:1], quorum=1)
    assert world.act(world.price_update(1, [(0, 77)])) == OK
    assert world.stored_price(1).price == 77


@pytest.mark.parametrize("keys", [(), (0, 1)])
def test_less_than_a_quorum_is_rejected(world: World, keys: tuple[int, ...]) -> None:
    assert world.price(0, 5, keys=keys) == Code.NO_QUORUM


def test_more_prices_than_keys_are_rejected(world: World) -> None:
    assert world.price(0, 5, keys=(0, 1, 2, 3, 4, 4)) == Code.NO_QUORUM


def test_key_counts_once(world: World) -> None:
    assert world.price(0, 5, keys=(0, 1, 1)) == Code.REPEATED_SIGNER
    assert world.price(0, 5, keys=(1, 0, 1, 2)) == Code.REPEATED_SIGNER


def test_unknown_key_is_rejected(world: World) -> None:
    assert world.price(0, 5, keys=(0, 1, 5)) == Code.UNKNOWN_SIGNER
    assert world.price(0, 5, keys=(0, 1, 255)) == Code.UNKNOWN_SIGNER


def test_prices_out_of_order_are_rejected(world: World) -> None:
    assert world.act(world.price_update(0, [(0, 3), (1, 2), (2, 4)])) == Code.PRICES_NOT_ASCENDING


@pytest.mark.parametrize("price", [0, 2**60, 2**64 - 1])
def test_price_out_of_bounds_is_rejected(world: World, price: int) -> None:
    assert world.act(world.price_update(0, [(0, price), (1, price), (2, price)])) == Code.PRICE_BOUND


def test_largest_price_is_accepted(world: World) -> None:
    assert world.act(world.price_update(0, [(key, 2**60 - 1) for key in range(3)])) == OK


@pytest.mark.parametrize("quorum", [4, 5, 6, 7])
@pytest.mark.parametrize("lie", [1, 5_000 * PRICE, 500_000 * PRICE, 2**60 - 1])
def test_less_than_half_of_a_quorum_cannot_leave_the_range_of_the_others(quorum: int, lie: int) -> None:
    """Nor can half of it upwards: of two in the middle the lower one counts. More than that can."""
    world = World(signers=tuple(address(f"oracle {key}") for key in range(7)), quorum=quorum)
    for liars in range(quorum):
        world.second += 1
        said = [lie if key < liars else 50_000 * PRICE + key for key in range(quorum)]
        signed = sorted(enumerate(said), key=lambda one: one[1])
        assert world.act(world.price_update(0, signed)) == OK
        honest = said[liars:]
        allowed = quorum // 2 if lie > honest[-1] else (quorum - 1) // 2
        assert (honest[0] <= world.stored_price(0).price <= honest[-1]) == (liars <= allowed)


def test_each_key_must_have_signed_its_own_price(world: World) -> None:
    update = world.price_update(0, [(0, 5), (1, 6), (2, 7)])
    first, second, third = update.prices
    forged = replace(second, signature=forge(second.signature))
    assert world.act(replace(update, prices=(first, forged, third))) == Code.PRICE_SIGNATURE
    other = replace(second, price=5)  # signed 6
    assert world.act(replace(update, prices=(first, other, third))) == Code.PRICE_SIGNATURE
    stolen = replace(first, signer=3)  # signed by key 0
    assert world.act(replace(update, prices=(stolen, second, third))) == Code.PRICE_SIGNATURE
    assert world.act(update) == OK


def test_signature_covers_market_and_time(world: World) -> None:
    update = world.price_update(0, [(0, 5), (1, 5), (2, 5)])
    assert world.act(replace(update, market=1)) == Code.PRICE_SIGNATURE
    assert world.act(replace(update, publish_time=START + 99)) == Code.PRICE_SIGNATURE


def test_signature_for_another_rollup_is_rejected(world: World) -> None:
    elsewhere = World(chain_id=1)
    elsewhere.second = world.second
    assert world.act(elsewhere.price_update(0, [(0, 5), (1, 5), (2, 5)])) == Code.PRICE_SIGNATURE


def test_price_must_be_strictly_newer(world: World) -> None:
    assert world.price(0, 5) == OK
    assert world.price(0, 6) == Code.PRICE_NOT_NEWER
    assert world.price(0, 6, at=START + 99) == Code.PRICE_NOT_NEWER
    assert world.price(0, 6, at=START + 101) == OK
    assert world.price(1, 6) == OK  # each market has its own time


def test_publish_time_may_lie_ahead_of_the_clock_by_the_tolerance(world: World) -> None:
    assert world.price(0, 5, at=START + 161) == Code.PRICE_FROM_FUTURE
    assert world.price(0, 5, at=START + 160) == OK


def test_unknown_market_is_rejected(world: World) -> None:
    assert world.price(2, 5) == Code.UNKNOWN_MARKET
    assert world.price(65_535, 5) == Code.UNKNOWN_MARKET


def test_wrong_length_is_rejected(world: World) -> None:
    data = Sequenced(world.second, world.price_update(0, [(0, 5), (1, 5), (2, 5)])).encode()
    for wrong in (data[:-1], data + b"\0", data[:20]):
        assert world.apply_bytes(wrong).code == Code.MALFORMED


def test_count_that_lies_about_the_list_is_rejected(world: World) -> None:
    listed = world.price_update(0, [(0, 5), (1, 5), (2, 5)]).prices

    class Lying(PriceUpdate):
        def encode_body(self) -> bytes:
            body = bytearray(super().encode_body())
            body[7] = 4
            return bytes(body)

    assert world.act(Lying(0, START + 100, listed)) == Code.MALFORMED
    assert all(isinstance(one, SignedPrice) for one in listed)


def test_price_of_a_crash_is_taken_as_it_is(world: World) -> None:
    """Where the step rule allows for everything, a quorum that says 1 USD is believed."""
    world.price(0, 50_000)
    world.second += 1
    assert world.price(0, 1) == OK
    assert world.stored_price(0).price == PRICE


# ---------------------------------------------------------------------------------------- the step rule

TENTH = replace(FREE, step_ppm=100_000, halt_ppm=250_000, halt_seconds=60, gap_seconds=300)


class Feed:
    """Market 0 under the step rule: one round a second unless told otherwise."""

    def __init__(self) -> None:
        self.world = World(markets=(TENTH,))

    def say(self, usd: int | Fraction, after: int = 1) -> int:
        """A round `after` seconds; what the price may be used for now."""
        self.world.second += after
        assert self.world.price(0, usd) == OK
        return self.world.stored_price(0).status

    def confirmed(self) -> Fraction:
        return Fraction(self.world.stored_price(0).confirmed, PRICE)


def test_first_price_and_small_steps_are_believed_at_once() -> None:
    feed = Feed()
    said = [feed.say(usd) for usd in (100, 110, 99, 100)]  # 99 is exactly a tenth below 110
    assert said == [PRICE_CONFIRMED] * 4
    assert feed.confirmed() == 100


@pytest.mark.parametrize("usd", [Fraction(11_000_001, 100_000), Fraction(8_999_999, 100_000)])
def test_step_beyond_the_rule_waits_for_the_next_round(usd: Fraction) -> None:
    feed = Feed()
    feed.say(100)
    assert feed.say(usd) == PRICE_UNCONFIRMED
    assert feed.confirmed() == 100
    assert feed.say(usd) == PRICE_CONFIRMED
    assert feed.confirmed() == usd


def test_single_absurd_print_is_forgotten() -> None:
    feed = Feed()
    feed.say(100)
    assert feed.say(85) == PRICE_UNCONFIRMED
    assert feed.say(101) == PRICE_CONFIRMED
    assert feed.confirmed() == 101


def test_rounds_that_do_not_agree_confirm_nothing() -> None:
    feed = Feed()
    feed.say(100)
    assert [feed.say(usd) for usd in (115, 86, 115)] == [PRICE_UNCONFIRMED] * 3


def test_crash_of_a_tenth_a_round_is_followed_one_round_late() -> None:
    """The worst minute of 2025-10-10 closed 5.0 % lower, that of 2021-05-19 6.3 %: no halt."""
    feed = Feed()
    feed.say(100_000)
    assert [feed.say(usd) for usd in (94_000, 88_000, 82_700)] == [PRICE_CONFIRMED] * 3
    assert feed.say(73_000) == PRICE_UNCONFIRMED
    assert feed.say(72_000) == PRICE_CONFIRMED


def test_first_round_after_a_silence_needs_the_second() -> None:
    feed = Feed()
    feed.say(100)
    assert feed.say(100, after=300) == PRICE_CONFIRMED
    assert feed.say(100, after=301) == PRICE_UNCONFIRMED
    assert feed.say(100, after=301) == PRICE_UNCONFIRMED, "two words with a silence between them"
    assert feed.say(100) == PRICE_CONFIRMED


def test_fall_beyond_the_halt_stops_the_market_until_it_has_calmed_down() -> None:
    feed = Feed()
    feed.say(100)
    assert feed.say(75) == PRICE_UNCONFIRMED  # exactly a quarter
    assert feed.say(100) == PRICE_CONFIRMED
    assert feed.say(Fraction(7_499_999, 100_000)) == PRICE_HALTED
    assert feed.say(100, after=59) == PRICE_HALTED, "back, but not for a minute yet"
    assert feed.say(50) == PRICE_HALTED, "a minute, but this round does not agree with the last"
    assert feed.say(51) == PRICE_CONFIRMED
    assert feed.confirmed() == 51


def test_halt_lasts_as_long_as_rounds_disagree_or_are_missing() -> None:
    feed = Feed()
    feed.say(100)
    assert feed.say(1) == PRICE_HALTED
    assert feed.say(1, after=301) == PRICE_HALTED, "a minute has passed, but the two rounds are far apart"
    assert feed.say(1) == PRICE_CONFIRMED


@pytest.mark.parametrize("usd", [85, 60])
def test_nothing_happens_on_a_price_that_is_not_confirmed(usd: int) -> None:
    """Neither liquidation, nor trade, nor money out: on an unconfirmed price and in a halted market."""
    feed = Feed()
    world = feed.world
    feed.say(100)
    world.deposit(0, 100_000)
    for account in (1, 2):
        world.deposit(account, 1_000)
    assert world.trade(1, 2, 60 * 10**8, 100) == OK  # account 1 is long 60 units: 6,000 USD
    assert feed.say(usd) != PRICE_CONFIRMED
    assert world.liquidate(1) == Code.PRICE_STALE
    assert world.trade(1, 2, 10**8, usd) == Code.PRICE_STALE
    assert world.withdraw(2, 1) == Code.PRICE_STALE
    assert world.force_withdraw(2, 1) == Code.PRICE_STALE
    feed.say(usd)
    feed.say(usd, after=60)
    assert world.liquidate(1) == OK


@given(st.lists(st.tuples(st.integers(40, 160), st.sampled_from((1, 1, 1, 30, 61, 301))), max_size=25))
def test_no_price_is_used_that_the_one_before_does_not_support(rounds: list[tuple[int, int]]) -> None:
    """Whatever is said: a confirmed price is near the last confirmed one, or near the round before it."""
    feed = Feed()
    feed.say(100)
    for usd, after in rounds:
        before, confirmed = feed.world.stored_price(0).price, feed.confirmed()
        if feed.say(usd, after) == PRICE_CONFIRMED:
            distances = [
                abs(usd - Fraction(before, PRICE)) * PRICE / before,
                abs(usd - confirmed) / confirmed,
            ]
            assert min(distances) <= Fraction(1, 10)
            assert after <= 300
        else:
            assert feed.confirmed() == confirmed

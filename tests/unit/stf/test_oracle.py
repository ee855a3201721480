"""PRICE: a quorum of distinct keys, ascending prices, the lower median, strictly newer."""

from dataclasses import replace

import pytest

from optimist.derive.actions import PriceUpdate, Sequenced, SignedPrice
from optimist.stf.codes import Code
from tests.support.world import OK, PRICE, START, World, forge


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
    """No step cap yet: a quorum that says 1 USD is believed."""
    world.price(0, 50_000)
    world.second += 1
    assert world.price(0, 1) == OK
    assert world.stored_price(0).price == PRICE

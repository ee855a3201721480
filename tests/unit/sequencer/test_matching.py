"""The book: price first, then arrival; a resting order is never filled beyond its size."""

import random

import pytest

from optimist.sequencer.matching import Book


def order_id(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_better_price_goes_first_and_equal_prices_in_order_of_arrival() -> None:
    book = Book()
    book.rest(order_id(1), 1, is_buy=False, price=101, remaining=5)
    book.rest(order_id(2), 2, is_buy=False, price=100, remaining=5)
    book.rest(order_id(3), 3, is_buy=False, price=100, remaining=5)
    met = []
    while best := book.best_against(is_buy=True, limit=101):
        met.append(best.order_id)
        book.remove(best.order_id)
    assert met == [order_id(2), order_id(3), order_id(1)]


def test_bids_rank_by_the_higher_price() -> None:
    book = Book()
    book.rest(order_id(1), 1, is_buy=True, price=99, remaining=5)
    book.rest(order_id(2), 2, is_buy=True, price=100, remaining=5)
    best = book.best_against(is_buy=False, limit=99)
    assert best is not None
    assert best.order_id == order_id(2)


def test_limit_that_meets_nobody_finds_nobody() -> None:
    book = Book()
    book.rest(order_id(1), 1, is_buy=False, price=101, remaining=5)
    assert book.best_against(is_buy=True, limit=100) is None
    assert book.best_against(is_buy=False, limit=1) is None


def test_filled_order_leaves_the_book_and_a_part_stays_in_its_place() -> None:
    book = Book()
    book.rest(order_id(1), 1, is_buy=False, price=100, remaining=5)
    book.rest(order_id(2), 2, is_buy=False, price=100, remaining=5)
    book.reduce(order_id(1), 3)
    first = book.best_against(is_buy=True, limit=100)
    assert first is not None
    assert (first.order_id, first.remaining) == (order_id(1), 2)
    book.reduce(order_id(1), 2)
    second = book.best_against(is_buy=True, limit=100)
    assert second is not None
    assert second.order_id == order_id(2)
    assert order_id(1) not in book.by_id


def test_overfill_and_double_rest_are_refused() -> None:
    book = Book()
    book.rest(order_id(1), 1, is_buy=True, price=100, remaining=5)
    with pytest.raises(ValueError, match="exceeds the remaining 5"):
        book.reduce(order_id(1), 6)
    with pytest.raises(ValueError, match="rests already"):
        book.rest(order_id(1), 1, is_buy=True, price=100, remaining=5)


@pytest.mark.parametrize("seed", range(20))
def test_random_book_agrees_with_sorting_everything(seed: int) -> None:
    """The incremental book against the plain definition: sort all live orders each time."""
    rng = random.Random(seed)
    book = Book()
    live: dict[bytes, tuple[bool, int, int]] = {}
    for number in range(200):
        if live and rng.random() < 0.3:
            gone = rng.choice(sorted(live))
            book.remove(gone)
            del live[gone]
        is_buy, price = rng.random() < 0.5, rng.randrange(90, 110)
        book.rest(order_id(number), 0, is_buy=is_buy, price=price, remaining=1)
        live[order_id(number)] = (is_buy, price, number)
        for side in (True, False):
            expected = [
                each
                for each, _ in sorted(
                    ((each, entry) for each, entry in live.items() if entry[0] is side),
                    key=lambda item: ((-item[1][1] if item[1][0] else item[1][1]), item[1][2]),
                )
            ]
            assert [each.order_id for each in book if each.is_buy is side] == expected, f"seed {seed}"

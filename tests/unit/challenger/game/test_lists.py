"""History commitments against a plain definition that lays every leaf out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from challenger.game.lists import History, compute_first_difference, compute_list_hash, get_end, get_sub
from optimist.base.keccak import keccak


def lay_out(arity: int, height: int, ends: list[bytes]) -> tuple[bytes, dict[tuple[int, int], list[bytes]]]:
    """Root and all lists, from the definition in docs/PROTOCOL.md section 1, every leaf written out."""
    full = ends + [ends[-1]] * (arity**height - len(ends))
    lists: dict[tuple[int, int], list[bytes]] = {}
    subs: list[bytes] = []
    for h in range(1, height + 1):
        span = arity ** (h - 1)
        above = []
        for i in range(arity ** (height - h)):
            children = range(i * arity, (i + 1) * arity)
            words: list[bytes] = []
            for child in children:
                words += [full[child]] if h == 1 else [subs[child], full[(child + 1) * span - 1]]
            lists[h, i] = words
            above.append(keccak((b"\x0a" if h == 1 else b"\x09") + b"".join(words)))
        subs = above
    return subs[0], lists


words_of = st.integers(0, 255).map(lambda i: bytes([i]) * 32)


@given(st.data(), st.integers(2, 4), st.integers(1, 4))
def test_every_list_equals_the_definition(data: st.DataObject, arity: int, height: int) -> None:
    count = data.draw(st.integers(1, min(arity**height, 40)))
    ends = data.draw(st.lists(words_of, min_size=count, max_size=count))
    root, lists = lay_out(arity, height, ends)
    history = History(arity, height, ends)
    assert history.root == root
    for (h, index), words in lists.items():
        assert list(history.words(h, index)) == words
        assert history.node(h, index) == compute_list_hash(words, arity)
        assert history.list_at(h, index * arity**h + arity**h - 1) == tuple(words)


def test_a_wide_history_with_few_ends_costs_little() -> None:
    history = History(8, 6, [b"\x01" * 32, b"\x02" * 32])
    kept = sum(len(row) for row in history._subs)
    assert kept == 6  # one node a height; 262,144 positions are never laid out
    assert history.words(1, 8**5 - 1) == (b"\x02" * 32,) * 8
    assert get_sub(history.words(6, 0), 7) == history.node(5, 7) == history.node(5, 1)
    assert get_end(history.words(6, 0), 0, 6) == b"\x02" * 32


def test_the_first_difference_counts_pairs_above_height_1() -> None:
    left = [b"a" * 32, b"b" * 32, b"c" * 32, b"d" * 32]
    same_sub = [b"a" * 32, b"b" * 32, b"c" * 32, b"x" * 32]
    assert compute_first_difference(left, same_sub, 2) == 1
    assert compute_first_difference(left, same_sub, 1) == 3
    assert compute_first_difference(left, list(left), 2) is None


@pytest.mark.parametrize(("arity", "height", "count"), [(1, 3, 1), (2, 0, 1), (2, 3, 0), (2, 3, 9)])
def test_ends_that_do_not_fit_are_refused(arity: int, height: int, count: int) -> None:
    with pytest.raises(ValueError, match=r"arity|fit"):
        History(arity, height, [b"\x00" * 32] * count)


def test_a_list_of_another_length_has_no_hash() -> None:
    with pytest.raises(ValueError, match="a list has 4 or 8 words, not 5"):
        compute_list_hash([b"\x00" * 32] * 5, 4)

"""The reductions of the exploration leave nothing out: the same small worlds without them."""

from dataclasses import replace

from tests.model.board import Board
from tests.model.codec import Codec, Key
from tests.model.explore import Explorer, explore
from tests.model.world import Config

ONE = Config(adversaries=1, period=4, censored=0, heights=(1, 1))
TWO = Config(adversaries=2, period=4, censored=0, heights=(1, 1), lean=True)


class UnsortedCodec(Codec):
    """Adversaries keep their places."""

    def sort(self, blobs: list[bytes]) -> list[bytes]:
        return blobs


def canonise(explorer: Explorer, other: Explorer) -> set[Key]:
    """The states that one search has visited, under the keys of another."""
    return {other.codec.encode(explorer.codec.decode(key, explorer.protocol)) for key in explorer.numbers}


def assert_same_states(config: Config, depth: int) -> None:
    """Exact keys and canonical ones reach the same states in so many acts."""
    canonical, exact = Explorer(config), Explorer(config, exact=True)
    canonical.run(max_depth=depth)
    exact.run(max_depth=depth)
    assert len(exact.numbers) > len(canonical.numbers)
    assert canonise(exact, canonical) == set(canonical.numbers)


def test_canonical_keys_reach_the_states_of_exact_ones() -> None:
    assert_same_states(ONE, depth=12)
    assert_same_states(replace(ONE, habit="always", censored=1, period=5), depth=9)
    assert_same_states(replace(TWO, lean=False), depth=7)


def test_adversaries_are_alike() -> None:
    sorted_, unsorted = Explorer(TWO), Explorer(TWO)
    unsorted.codec = unsorted.rounds.codec = UnsortedCodec(unsorted.world)
    sorted_.run(max_depth=10)
    unsorted.run(max_depth=10)
    assert len(unsorted.numbers) > len(sorted_.numbers)
    assert canonise(unsorted, sorted_) == set(sorted_.numbers)


def test_who_moves_only_after_the_honest_look_can_do_no_less_harm() -> None:
    full, lean = explore(ONE), explore(replace(ONE, lean=True))
    assert full.is_complete
    assert lean.is_complete
    assert full.states > lean.states
    assert full.delay == lean.delay


def test_a_tick_less_is_lost_with_and_without_the_reduction() -> None:
    for lean in (False, True):
        report = explore(replace(ONE, period=3, lean=lean))
        assert report.violation == "lost bond: the honest player is eliminated", report


def test_a_state_survives_its_key() -> None:
    explorer = Explorer(TWO)
    explorer.run(max_depth=9)
    for key in explorer.numbers:
        board: Board = explorer.codec.decode(key, explorer.protocol)
        assert explorer.codec.encode(board) == key

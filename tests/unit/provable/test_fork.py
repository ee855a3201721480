"""A forked state is what a copy would be, costs nothing to make, and leaves the one below as it is."""

from random import Random

import pytest

from optimist.provable import State
from optimist.stf.law import get_law
from tests.support.workload import generate_workload


@pytest.mark.parametrize("seed", range(3))
def test_law_does_the_same_on_a_fork_and_on_a_copy(seed: int) -> None:
    law, random = get_law("minimal"), Random(seed)
    inputs = list(generate_workload(seed).inputs)
    state = State()
    accepted = rejected = 0
    for number, data in enumerate(inputs):
        if number % 25 == 0:
            before, fork, copy = dict(state.items()), state.fork(), state.copy()
            for each in inputs[number : number + 20] + random.choices(inputs, k=5):
                mine, other = fork.apply(law, each), copy.apply(law, each)
                assert (mine.code, mine.writes, mine.reached) == (other.code, other.writes, other.reached)
                accepted, rejected = accepted + (not mine.rejected), rejected + mine.rejected
                if random.random() < 0.3:
                    fork.undo(mine)
                    copy.undo(other)
                key = random.choice([*before, 1])
                if random.random() < 0.1:
                    fork.set_bytes(key, None)
                    copy.set_bytes(key, None)
                assert fork.get_bytes(key) == copy.get_bytes(key)
            assert all(fork.get_bytes(key) == copy.get_bytes(key) for key in before)
            assert dict(state.items()) == before
        state.apply(law, data)
    assert min(accepted, rejected) > 20


def test_fork_of_a_fork_reads_through_both_and_none_can_be_listed() -> None:
    state = State({1: bytes(255) + b"\1", 2: bytes(255) + b"\2"})
    fork = state.fork()
    fork.set_bytes(1, None)
    again = fork.fork()
    again.set_bytes(2, bytes(255) + b"\3")
    read = [[each.get_bytes(key) for key in (1, 2)] for each in (state, fork, again)]
    last = [[None if data is None else data[-1] for data in row] for row in read]
    assert last == [[1, 2], [None, 2], [None, 3]]
    for listing in (lambda: dict(fork.items()), fork.copy):
        with pytest.raises(NotImplementedError, match="copy the state instead"):
            listing()

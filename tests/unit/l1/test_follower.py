import asyncio
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.l1.errors import FinalizedReorg, L1Inconsistent
from optimist.l1.events import EventReader, QueueItem
from optimist.l1.follower import MIN_TRAIL, Advance, Cursor, Follower
from optimist.l1.types import BlockRef
from tests.support.scripted_chain import ADDRESSES, ScriptedChain, ScriptedClient


class Consumer:
    """Does with an Advance what a node does: takes back, takes, remembers the cursor."""

    def __init__(self, chain: ScriptedChain, *, start: int = 1, chunk: int = 4) -> None:
        self.client = ScriptedClient(chain)
        self.follower = Follower(self.client, EventReader(ADDRESSES), start=start, chunk=chunk)
        self.cursor: Cursor | None = None
        self.items: list[tuple[int, int]] = []

    def look(self) -> Advance | None:
        advance = asyncio.run(self.follower.look(self.cursor))
        if advance is not None:
            self.take(advance)
        return advance

    def take(self, advance: Advance) -> None:
        if advance.rollback_to is not None:
            self.items = [item for item in self.items if item[0] <= advance.rollback_to.number]
        for located in advance.events:
            assert isinstance(located.event, QueueItem)
            self.items.append((located.block.number, located.event.index))
        self.cursor = Cursor.decode(advance.cursor.encode())

    def catch_up(self) -> None:
        for _ in range(200):
            advance = self.look()
            if advance is None or advance.is_caught_up:
                return
        pytest.fail("never caught up")


def test_takes_every_event_once_in_order() -> None:
    chain = ScriptedChain()
    chain.extend([(0,), (), (1, 2), (), (), (), (3,), (4,), ()])
    consumer = Consumer(chain)
    consumer.catch_up()
    assert consumer.items == chain.items() == [(1, 0), (3, 1), (3, 2), (7, 3), (8, 4)]
    assert consumer.look() is None


@pytest.mark.parametrize("is_in_order", [True, False])
def test_log_that_comes_twice_is_not_taken_in_twice(is_in_order: bool) -> None:
    """A claim that counted twice would never be dead, and its round never decided."""
    chain = ScriptedChain()
    chain.extend([(0, 1), (2,)])
    answer = chain.answer

    def stutter(method: str, params: Sequence[Any]) -> Any:
        found = answer(method, params)
        if method != "eth_getLogs":
            return found
        return [*found, found[0]] if is_in_order else [found[-1], *found]

    consumer = Consumer(chain)
    stutterer: Any = SimpleNamespace(answer=stutter)
    consumer.client.chain = stutterer
    with pytest.raises(L1Inconsistent, match="two logs"):
        consumer.look()
    consumer.client.chain = chain
    consumer.catch_up()
    assert consumer.items == chain.items()


def test_starts_at_the_block_of_the_deployment() -> None:
    chain = ScriptedChain()
    chain.extend([(9,), (0,), (1,)])
    consumer = Consumer(chain, start=2)
    consumer.catch_up()
    assert consumer.items == [(2, 0), (3, 1)]


def test_reorg_takes_back_exactly_what_is_gone() -> None:
    chain = ScriptedChain()
    chain.extend([(0,), (1,), (2,), (3,)])
    consumer = Consumer(chain)
    consumer.catch_up()
    chain.drop(2)
    chain.extend([(7,), (), (8,)])
    advance = consumer.look()
    assert advance is not None
    assert advance.rollback_to == BlockRef(2, chain.blocks[2].hash)
    assert consumer.items == chain.items() == [(1, 0), (2, 1), (3, 7), (5, 8)]


def test_events_that_come_back_after_a_flip_flop_are_taken_again() -> None:
    chain = ScriptedChain()
    chain.extend([(0,), (1,)])
    consumer = Consumer(chain)
    consumer.catch_up()
    first = list(chain.blocks)
    chain.drop(1)
    chain.extend([(5,)])
    consumer.catch_up()
    chain.blocks[:] = first
    chain.extend([(2,)])
    consumer.catch_up()
    assert consumer.items == [(1, 0), (2, 1), (3, 2)]


def test_chain_that_only_shrank_or_an_endpoint_that_lags_changes_nothing() -> None:
    chain = ScriptedChain()
    chain.extend([(0,), (1,), (2,)])
    consumer = Consumer(chain)
    consumer.catch_up()
    chain.drop(2)
    assert consumer.look() is None
    assert consumer.items == [(1, 0), (2, 1), (3, 2)]
    chain.extend([(), ()])
    consumer.catch_up()
    assert consumer.items == [(1, 0)]


COUNTS = st.lists(st.integers(0, 2), max_size=9)


@given(
    st.lists(st.tuples(st.sampled_from(["extend", "reorg", "look"]), st.integers(1, 12), COUNTS), max_size=25)
)
def test_any_history_of_blocks_reorgs_and_looks_ends_with_the_canonical_events(
    script: list[tuple[str, int, list[int]]],
) -> None:
    chain = ScriptedChain()
    consumer = Consumer(chain, chunk=3)
    made = 0

    def extend(counts: list[int]) -> None:
        nonlocal made
        for count in counts:
            chain.extend([tuple(range(made, made + count))])
            made += count

    for kind, depth, counts in script:
        if kind == "look":
            consumer.look()
            continue
        if kind == "reorg":
            chain.drop(depth)
        extend(counts)
    extend([1])  # a chain that ends shorter than it was is only noticed with its next block
    while len(chain.blocks) <= (consumer.cursor.tip.number if consumer.cursor else 0):
        extend([1])
    consumer.catch_up()
    assert consumer.items == chain.items()


def test_reorg_below_a_final_block_stops_the_follower() -> None:
    chain = ScriptedChain(finality=3)
    chain.extend([()] * 10)
    consumer = Consumer(chain)
    consumer.catch_up()
    chain.drop(5)
    chain.extend([()] * 6)
    with pytest.raises(FinalizedReorg, match="had called block 7 final"):
        consumer.look()


def test_reorg_down_to_the_final_block_is_allowed() -> None:
    chain = ScriptedChain(finality=3)
    chain.extend([()] * 10)
    consumer = Consumer(chain)
    consumer.catch_up()
    chain.drop(3)
    chain.extend([(1,)] * 4)
    consumer.catch_up()
    assert consumer.items == chain.items()


def test_another_chain_altogether_stops_the_follower() -> None:
    chain = ScriptedChain()
    chain.extend([()] * 5)
    consumer = Consumer(chain)
    consumer.catch_up()
    other = ScriptedChain(made=1_000)
    other.extend([()] * 9)
    consumer.client.chain = other
    with pytest.raises(FinalizedReorg, match="another chain"):
        consumer.look()


def test_logs_that_a_node_leaves_out_of_a_range_are_found_by_the_bloom_filter() -> None:
    chain = ScriptedChain(hide_logs_by_range={2})
    chain.extend([(0,), (1, 2), (), (3,)])
    consumer = Consumer(chain)
    consumer.catch_up()
    assert consumer.items == chain.items()
    assert consumer.client.requests.count("eth_getLogs") == 2


@pytest.mark.parametrize("requests_before", [0, 1, 2])
def test_reorg_between_two_questions_of_one_look_is_inconsistent(requests_before: int) -> None:
    chain = ScriptedChain()
    chain.extend([(0,), (1,), (2,)])
    consumer = Consumer(chain)
    consumer.catch_up()
    chain.extend([(3,), (4,)])

    def race() -> None:
        chain.drop(2)
        chain.extend([(5,), (6,), (7,)])

    def wait(left: int) -> None:
        consumer.client.between = race if left == 0 else lambda: wait(left - 1)

    wait(requests_before)
    with pytest.raises(L1Inconsistent):
        consumer.look()
    assert consumer.items == [(1, 0), (2, 1), (3, 2)]
    consumer.catch_up()
    assert consumer.items == chain.items()


def test_final_block_of_another_fork_is_inconsistent() -> None:
    chain = ScriptedChain(finality=2)
    chain.extend([(), (), ()])
    consumer = Consumer(chain)
    consumer.catch_up()
    chain.extend([()])
    original = chain.answer

    def two_forks(method: str, params: list[object]) -> object:
        answer = original(method, params)
        return {**answer, "hash": "0x" + "ab" * 32} if params[0] == "finalized" else answer

    chain.answer = two_forks  # type: ignore[method-assign,assignment]  # the test's own fault
    with pytest.raises(L1Inconsistent, match="not on the chain of the head"):
        consumer.look()


def test_trail_is_bounded_and_reaches_below_the_final_block() -> None:
    chain = ScriptedChain(finality=5)
    chain.extend([()] * (3 * MIN_TRAIL))
    consumer = Consumer(chain, chunk=100)
    consumer.catch_up()
    assert consumer.cursor is not None
    assert len(consumer.cursor.trail) == MIN_TRAIL + 1
    assert consumer.cursor.finalized == 3 * MIN_TRAIL - 5
    slow = Consumer(replace(chain, finality=2 * MIN_TRAIL), chunk=100)
    slow.catch_up()
    assert slow.cursor is not None
    assert len(slow.cursor.trail) == 2 * MIN_TRAIL + 1


def test_head_before_the_deployment_is_inconsistent() -> None:
    with pytest.raises(L1Inconsistent, match="contracts are of block 50"):
        Consumer(ScriptedChain(), start=50).look()

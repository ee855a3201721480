"""A node whose first endpoint answers, but not what the others say: whoever looks, the next one is asked."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from optimist.l1.errors import L1Inconsistent, RpcError
from optimist.l1.events import EventReader
from optimist.l1.follower import Follower
from optimist.l1.heads import AgreedHeads
from optimist.l1.sources import Source
from optimist.node.node import Node
from tests.support.scripted_chain import ADDRESSES, ScriptedChain, ScriptedClient


class Endpoints(ScriptedClient):
    """One client of several chains: the first URL is asked."""

    def __init__(self, chains: dict[str, ScriptedChain | None]) -> None:
        super().__init__(ScriptedChain())
        self._urls = list(chains)
        self.chains = chains

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        chain = self.chains[self._urls[0]]
        if chain is None:
            return [RpcError(calls[0][0], -32601, "the method does not exist")]
        return [chain.answer(method, params) for method, params in calls]


def make_chain(blocks: int, made: int = 0) -> ScriptedChain:
    chain = ScriptedChain(made=made)
    chain.extend([()] * blocks)
    return chain


def make_node(first: ScriptedChain | None, *, is_second_good: bool = True) -> tuple[Node, ScriptedChain]:
    """A node with two endpoints, and the chain that the others agree about."""
    good = make_chain(40)
    client = Endpoints({"first": first, "second": good if is_second_good else None})
    heads = AgreedHeads([Source(str(i), ScriptedClient(good)) for i in range(2)])
    follower = Follower(client, EventReader(ADDRESSES), start=20, heads=heads)
    return Node(client, follower, EventReader(ADDRESSES), lambda: None), good


@pytest.mark.parametrize(
    ("first", "what"),
    [
        pytest.param(make_chain(12), "L1 has no block", id="stands still"),
        pytest.param(make_chain(40, made=1_000), "the head 40 changed", id="on a fork"),
        pytest.param(None, "does not exist", id="refuses"),
    ],
)
def test_endpoint_whose_answers_do_not_fit_is_turned_away_from(
    first: ScriptedChain | None, what: str
) -> None:
    """By `advance` itself: a player looks by it, and has no other loop than its own."""
    node, good = make_node(first)

    async def inside() -> None:
        with pytest.raises((L1Inconsistent, RpcError), match=what):
            await node.advance()
        assert await node.advance()

    asyncio.run(inside())
    assert node.head is not None
    assert node.head.hash == good.blocks[-1].hash


def test_who_looks_once_asks_the_next_endpoint_and_gives_up_after_the_last() -> None:
    """A monitor that cron starts would else fail at the same one every time."""
    node, good = make_node(make_chain(12))
    asyncio.run(node.catch_up())
    assert node.head is not None
    assert node.head.hash == good.blocks[-1].hash
    node, _ = make_node(make_chain(12), is_second_good=False)
    with pytest.raises(RpcError):
        asyncio.run(node.catch_up())

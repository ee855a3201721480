"""Several endpoints, one head: what most of them have, whoever is silent, slow, stuck or on another chain."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from optimist.l1.errors import L1Unavailable
from optimist.l1.heads import COOL_DOWN, LAG, PATIENCE, STEP_BACK, AgreedHeads
from optimist.l1.sources import Source, SourcesDisagree
from optimist.l1.types import Header
from tests.support.scripted_chain import ScriptedChain, ScriptedClient

BY_NUMBER: Final = "eth_getBlockByNumber"


class Endpoint(ScriptedClient):
    """May be dead."""

    is_dead = False

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        if self.is_dead:
            raise L1Unavailable("nobody there")
        return await super()._ask(calls)


class Town:
    """Endpoints that share a chain of 40 blocks, and their heads."""

    def __init__(self, count: int) -> None:
        self.now = 0.0
        self.chain = ScriptedChain()
        self.chain.extend([()] * 40)
        self.endpoints = [Endpoint(self.chain) for _ in range(count)]
        sources = [Source(f"n{i}", endpoint) for i, endpoint in enumerate(self.endpoints)]
        self.heads = AgreedHeads(sources, clock=lambda: self.now)

    def fork(self, which: int, depth: int, blocks: int) -> ScriptedChain:
        """Let an endpoint be on a chain of its own: the last `depth` blocks replaced by `blocks` others."""
        chain = ScriptedChain()
        chain.blocks = list(self.chain.blocks)
        chain.made = 1_000 * (which + 1)
        chain.drop(depth)
        chain.extend([()] * blocks)
        self.endpoints[which].chain = chain
        return chain

    def lag(self, which: int, blocks: int) -> None:
        chain = ScriptedChain()
        chain.blocks = self.chain.blocks[:-blocks]
        self.endpoints[which].chain = chain

    def ask(self) -> int:
        (header,) = asyncio.run(self.heads.get(["latest"]))
        assert header.hash in [block.hash for block in self.chain.blocks], "never off the common chain"
        return header.number


def test_endpoints_that_agree_are_asked_once_each() -> None:
    town = Town(3)
    assert town.ask() == 40
    assert [len(endpoint.requests) for endpoint in town.endpoints] == [1, 1, 1]
    assert town.heads.alarms == []


@pytest.mark.parametrize("count", [2, 3, 5])
def test_silent_endpoint_is_left_alone_for_a_while_and_asked_again(count: int) -> None:
    town = Town(count)
    town.endpoints[0].is_dead = True
    assert [town.ask(), town.ask()] == [40, 40]
    town.endpoints[0].is_dead = False
    town.chain.extend([()])
    assert town.ask() == 41
    assert town.endpoints[0].requests == [], "still left alone"
    town.now += COOL_DOWN
    assert town.ask() == 41
    assert len(town.endpoints[0].requests) == 1


def test_nobody_answers() -> None:
    town = Town(2)
    for endpoint in town.endpoints:
        endpoint.is_dead = True
    with pytest.raises(L1Unavailable, match="none of 2"):
        town.ask()
    town.endpoints[1].is_dead = False
    assert town.ask() == 40, "when all rest, all are asked"


def test_most_of_three_win_against_one_on_another_chain_however_long_it_is() -> None:
    town = Town(3)
    town.fork(0, depth=10, blocks=500)
    assert town.ask() == 40
    town.now += PATIENCE
    with capture_logs() as logs:
        assert town.ask() == 40
    (alarm,) = [line for line in logs if line["log_level"] == "error"]
    assert (alarm["event"], alarm["endpoint"]) == ("l1_endpoint_in_trouble", "n0")
    assert town.heads.alarms == [f"L1 endpoint n0 is on another chain than others at block {40 + 490}"]


def test_two_that_contradict_each_other_are_followed_as_far_as_they_agree() -> None:
    """Nothing beyond the fork is believed, nothing before it is given up, and people are told."""
    town = Town(2)
    town.fork(1, depth=3, blocks=3)
    reached = town.ask()
    assert 40 - 3 - 4 <= reached <= 40 - 3
    town.now += PATIENCE
    town.ask()
    assert len(town.heads.alarms) == 2, "nobody can say which of the two it is"
    town.endpoints[1].chain = town.chain
    assert town.ask() == 40
    assert town.heads.alarms == []


def test_two_on_chains_that_have_nothing_in_common_are_not_followed() -> None:
    town = Town(2)
    town.chain.extend([()] * 2 * STEP_BACK)
    town.fork(1, depth=2 * STEP_BACK, blocks=2 * STEP_BACK)
    with pytest.raises(SourcesDisagree, match="no block of the last"):
        town.ask()


@pytest.mark.parametrize("field", ["timestamp", "parentHash", "logsBloom", "baseFeePerGas"])
def test_right_hash_over_a_false_header_is_outvoted_whoever_is_asked_first(field: str) -> None:
    """L1's time comes from here: told that it is next year, a player would take all its turns for over."""
    town = Town(3)

    def forge(method: str, params: Sequence[Any]) -> Any:
        header = town.chain.answer(method, params)
        return {**header, field: "0x" + "7" * (len(header[field]) - 2)} if method == BY_NUMBER else header

    forger: Any = SimpleNamespace(answer=forge)
    town.endpoints[0].chain = forger
    (header,) = asyncio.run(town.heads.get(["latest"]))
    assert header == Header.from_json(town.chain.blocks[-1].header())
    town.now += PATIENCE
    town.ask()
    assert town.heads.alarms == ["L1 endpoint n0 tells another header of block 40 than others"]


def test_of_two_with_different_headers_neither_is_believed() -> None:
    town = Town(2)

    def forge(method: str, params: Sequence[Any]) -> Any:
        return {**town.chain.answer(method, params), "timestamp": "0x7fffffff"}

    forger: Any = SimpleNamespace(answer=forge)
    town.endpoints[0].chain = forger
    with pytest.raises(SourcesDisagree, match="no block of the last"):
        town.ask()


def test_one_block_more_or_less_is_no_trouble() -> None:
    town = Town(3)
    town.lag(0, 1)
    town.lag(1, 2)
    with capture_logs() as logs:
        assert town.ask() == 39, "what two of three have"
    assert logs == []


@pytest.mark.parametrize("count", [2, 3])
def test_endpoint_that_stands_still_holds_nobody_back_and_is_an_alarm(count: int) -> None:
    town = Town(count)
    town.lag(0, LAG + 1)
    assert town.ask() == 40
    town.now += PATIENCE
    town.ask()
    assert town.heads.alarms == [f"L1 endpoint n0 stands still: {LAG + 1} blocks behind"]


def test_difference_of_a_moment_is_a_warning_and_no_alarm() -> None:
    town = Town(2)
    town.fork(1, depth=1, blocks=1)
    with capture_logs() as logs:
        town.ask()
        town.now += PATIENCE - 1
        town.ask()
        town.endpoints[1].chain = town.chain
        town.ask()
    assert [line["event"] for line in logs] == ["l1_endpoint_differs"] * 2 + ["l1_endpoint_recovered"] * 2
    assert all(line["log_level"] != "error" for line in logs)

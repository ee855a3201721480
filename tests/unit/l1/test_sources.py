"""Several L1 endpoints, compared: what enough of them agree on; no contradiction is ever overlooked."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode

from optimist.l1.contracts import Contract
from optimist.l1.errors import L1Unavailable, RpcError
from optimist.l1.sources import Source, Sources, SourcesDisagree, TooFewSources
from optimist.l1.types import to_hex
from tests.support.scripted_chain import INBOX, ScriptedChain, ScriptedClient


class CountingChain(ScriptedChain):
    """A chain whose Inbox says that it holds `count` batches, after any block that the chain has."""

    count = 7

    def answer(self, method: str, params: Sequence[Any]) -> Any:
        if method != "eth_call":
            return super().answer(method, params)
        if params[1]["blockHash"] not in [to_hex(block.hash) for block in self.blocks]:
            return RpcError(method, -32000, "no such block is known")
        return to_hex(encode(["uint64"], [self.count]))


class DeadClient(ScriptedClient):
    """An endpoint that never answers."""

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        raise L1Unavailable("nobody there")


def make_chain(blocks: int) -> CountingChain:
    chain = CountingChain()
    chain.extend([()] * blocks)
    return chain


def make_sources(*clients: ScriptedClient, least: int) -> Sources:
    return Sources([Source(f"number {i}", client) for i, client in enumerate(clients)], least=least)


def agree(sources: Sources) -> int:
    return asyncio.run(sources.agree_on("latest")).number


def clients(*lengths: int) -> list[ScriptedClient]:
    return [ScriptedClient(make_chain(length)) for length in lengths]


def test_the_agreed_block_is_the_highest_that_enough_have() -> None:
    assert agree(make_sources(*clients(9, 5, 3), least=1)) == 9
    assert agree(make_sources(*clients(9, 5, 3), least=2)) == 5
    assert agree(make_sources(*clients(9, 5, 3), least=3)) == 3


def test_a_tag_is_asked_for_at_each_of_them() -> None:
    sources = make_sources(*clients(9, 5), least=2)
    assert asyncio.run(sources.agree_on("safe")).number == 3


def test_another_block_at_the_same_height_is_a_contradiction() -> None:
    other = make_chain(5)
    other.drop(1)
    other.extend([()])
    sources = make_sources(*clients(5), ScriptedClient(other), least=2)
    with pytest.raises(SourcesDisagree, match=r"number 0 says 0x.* about block 5, endpoint number 1"):
        agree(sources)
    with pytest.raises(SourcesDisagree):  # one would be enough, and still two that contradict are not
        agree(make_sources(*clients(5), ScriptedClient(other), least=1))


def test_an_endpoint_that_lags_behind_on_another_chain_is_found_as_well() -> None:
    other = make_chain(3)
    other.drop(1)
    other.extend([()])
    with pytest.raises(SourcesDisagree, match="block 3"):
        agree(make_sources(*clients(9, 9), ScriptedClient(other), least=2))


def test_silence_is_no_agreement() -> None:
    dead = DeadClient(make_chain(5))
    assert agree(make_sources(*clients(5, 5), dead, least=2)) == 5
    with pytest.raises(TooFewSources, match=r"1 of the 2 .* number 1: nobody there"):
        agree(make_sources(*clients(5), dead, least=2))


def test_a_value_must_be_the_same_from_all_that_have_the_block() -> None:
    inbox = Contract.named("Inbox", INBOX)
    one, other, short = make_chain(5), make_chain(5), make_chain(2)
    sources = make_sources(*map(ScriptedClient, (one, other, short)), least=2)
    at = one.blocks[5].hash
    assert asyncio.run(sources.read(inbox, at, "batchCount")) == 7
    other.count = 8
    with pytest.raises(SourcesDisagree, match=r"says 7 about batchCount.*says 8"):
        asyncio.run(sources.read(inbox, at, "batchCount"))
    with pytest.raises(TooFewSources):
        asyncio.run(
            make_sources(ScriptedClient(one), ScriptedClient(short), least=2).read(inbox, at, "batchCount")
        )


def test_the_same_url_twice_is_one_source() -> None:
    with pytest.raises(ValueError, match="2 L1 endpoints have to agree, but 1 different"):
        Sources.open(["http://a", "http://a"], least=2)
    Sources.open(["http://a", "http://b"], least=2)


def test_a_key_in_a_url_is_never_shown() -> None:
    async def ask() -> None:
        urls = ["http://127.0.0.1:9/v3/secret-key", "http://user:password@127.0.0.1:9"]
        async with Sources.open(urls, least=2, timeout=0.2) as sources:
            await sources.agree_on("latest")

    with pytest.raises(TooFewSources) as caught:
        asyncio.run(ask())
    assert "127.0.0.1:9" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "password" not in str(caught.value)

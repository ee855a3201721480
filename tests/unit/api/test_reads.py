"""Reads say how old they are, and are never older than the answers that were given before them."""

import asyncio
from pathlib import Path

import pytest

from tests.support.door import open_town
from tests.support.world import START
from tests.unit.api.test_front import LOT, order
from tests.unit.api.test_openapi import QUESTIONS

ROUNDS = 20


def test_every_read_says_how_many_inputs_it_knows_and_until_when_it_knows_l1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with open_town(tmp_path) as town:
            await town.post(order(town, 1, False, 2 * LOT, 100_000))
            answer = await town.post(order(town, 2, True, LOT, 100_000))
            monkeypatch.setattr(type(town.sequencer.chain), "timestamp", START + 7)
            for question in QUESTIONS.values():
                async with town.session.get(town.url + question) as response:
                    assert int(response.headers["Optimist-Inputs"]) == answer["confirmation"]["number"]
                    assert int(response.headers["Optimist-L1-Second"]) == START + 7

    asyncio.run(story())


def test_who_was_answered_finds_it_in_the_next_read_whatever_else_is_going_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_town(tmp_path) as town:
            others = [order(town, 3, False, LOT, 101_000 + i, slot=i % 4) for i in range(ROUNDS)]
            crowd = [asyncio.create_task(town.post(each)) for each in others]
            for number in range(1, ROUNDS + 1):
                await town.post(order(town, 1, False, LOT, 100_000))
                assert (await town.get("/v1/markets/0/book"))["asks"][0] == ["10000000000000", str(LOT)]
                await town.post(order(town, 2, True, LOT, 100_000, slot=1))
                trades = (await town.get("/v1/markets/0/trades"))["trades"]
                [position] = (await town.get("/v1/accounts/2"))["positions"]
                assert (len(trades), position["size"]) == (number, str(number * LOT))
            await asyncio.gather(*crowd)

    asyncio.run(story())

"""The OpenAPI document is the one that is committed, and real answers have the shapes that it tells of."""

import asyncio
from pathlib import Path

import msgspec

from optimist.api.errors import ErrorCode
from optimist.api.http import Parts, make_application
from optimist.api.hub import Hub
from optimist.api.openapi import READS, make_document, render
from tests.support.door import open_town
from tests.support.world import START
from tests.unit.api.test_front import LOT, dead_man, order

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
QUESTIONS = {
    "/v1/status": "/v1/status",
    "/v1/network": "/v1/network",
    "/v1/markets": "/v1/markets",
    "/v1/markets/{market}": "/v1/markets/0",
    "/v1/markets/{market}/book": "/v1/markets/0/book",
    "/v1/markets/{market}/trades": "/v1/markets/0/trades",
    "/v1/accounts/{account}": "/v1/accounts/1",
    "/v1/accounts/{account}/orders": "/v1/accounts/1/orders",
    "/v1/accounts/{account}/what-if": "/v1/accounts/1/what-if?trade=0:-1000000:10000000000000",
    "/v1/inputs/{input}": "/v1/inputs/1",
}


def test_committed_document_is_that_of_the_code() -> None:
    assert DOCUMENT.read_text() == render(), "python -m optimist.api.openapi > docs/openapi.json"


def test_document_has_every_route_and_no_other(tmp_path: Path) -> None:
    async def find_routes() -> set[str]:
        async with open_town(tmp_path) as town:
            parts = Parts(door=town.sequencer, reader=town.front.reading, hub=Hub())
            routes = make_application(parts).router.routes()
            return {route.resource.canonical for route in routes if route.resource is not None}

    assert {*make_document()["paths"], "/v1/stream"} == asyncio.run(find_routes())


def test_real_answers_have_the_shapes_of_the_document(tmp_path: Path) -> None:
    async def ask() -> None:
        async with open_town(tmp_path) as town:
            await town.post(order(town, 1, False, 2 * LOT, 100_000))
            await town.post(order(town, 2, True, LOT, 100_000))
            await town.post(dead_man(town, 1, 10, nonce=5, until=START + 30))
            shapes = {path: answer for path, _, _, answer in READS}
            assert set(shapes) - set(QUESTIONS) == {"/v1/accounts/{account}/history"}, "it needs a node"
            for path, question in QUESTIONS.items():
                msgspec.convert(await town.get(question), shapes[path])
            refused = await town.get("/v1/accounts/1/history", ErrorCode.NO_HISTORY.status)
            assert refused["error"]["name"] == "NO_HISTORY"

    asyncio.run(ask())

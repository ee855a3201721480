import asyncio
import logging
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from optimist.ops.health import Health
from optimist.ops.lifecycle import Switch
from optimist.ops.metrics import Metrics
from optimist.ops.server import OpsPortTaken, Surface, load_token, start_ops_server

TOKEN = "a" * 64
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


async def sleep() -> None:
    await asyncio.sleep(60)


@asynccontextmanager
async def serve(surface: Surface) -> AsyncIterator[aiohttp.ClientSession]:
    runner, port = await start_ops_server(surface, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield session
    finally:
        await runner.cleanup()


def make_surface(health: Health | None = None, token: str = TOKEN) -> Surface:
    switches = {"batcher": Switch("batcher", sleep)}
    return Surface("sequencer", "1.2.3", Metrics("sequencer", "1.2.3"), health or Health(), switches, token)


@pytest.mark.asyncio
async def test_readyz_says_why_not() -> None:
    health, reason = Health(), [""]
    health.add("journal", lambda: reason[0])
    async with serve(make_surface(health)) as session:
        async with session.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": {}})
        reason[0] = "the disk is full"
        async with session.get("/readyz") as answer:
            expected = {"ready": False, "reasons": {"journal": "the disk is full"}}
            assert (answer.status, await answer.json()) == (503, expected)
        async with session.get("/livez") as answer:
            assert answer.status == 200  # restarting would not help


@pytest.mark.asyncio
async def test_metrics_and_version_are_served() -> None:
    async with serve(make_surface()) as session:
        async with session.get("/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            assert "optimist_up 1.0" in await answer.text()
        async with session.get("/version") as answer:
            assert await answer.json() == {"program": "sequencer", "version": "1.2.3"}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer " + "b" * 64}]
)
async def test_nothing_is_switched_without_the_token(headers: dict[str, str]) -> None:
    surface = make_surface()
    async with serve(surface) as session:
        for path in ("/admin/batcher/stop", "/admin/log-level"):
            async with session.post(path, headers=headers) as answer:
                assert answer.status == 401
                assert TOKEN not in await answer.text()
    assert surface.switches["batcher"].is_on
    assert TOKEN not in repr(surface)


@pytest.mark.asyncio
async def test_a_token_of_any_bytes_is_refused_and_breaks_nothing() -> None:
    runner, port = await start_ops_server(make_surface(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = b"GET /admin/parts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
    writer.write(request + b"\xff\xfe" + "ü".encode() + b"\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await runner.cleanup()
    assert answer.startswith(b"HTTP/1.1 401 "), answer


@pytest.mark.asyncio
async def test_there_is_no_admin_without_a_data_directory() -> None:
    async with (
        serve(make_surface(token="")) as session,
        session.post("/admin/batcher/stop", headers={"Authorization": "Bearer "}) as answer,
    ):
        assert answer.status == 404


@pytest.mark.asyncio
async def test_parts_are_stopped_and_started() -> None:
    surface = make_surface()
    async with serve(surface) as session:
        async with session.post("/admin/batcher/stop", headers=AUTHORIZED) as answer:
            assert await answer.json() == {"part": "batcher", "running": False}
        async with session.get("/admin/parts", headers=AUTHORIZED) as answer:
            assert await answer.json() == {"running": {"batcher": False}}
        async with session.post("/admin/batcher/start", headers=AUTHORIZED) as answer:
            assert (await answer.json())["running"]
        async with session.post("/admin/miner/stop", headers=AUTHORIZED) as answer:
            assert answer.status == 404
            assert "batcher" in (await answer.json())["error"]


@pytest.mark.asyncio
async def test_log_level_is_set_and_nonsense_refused() -> None:
    async with serve(make_surface()) as session:
        async with session.post("/admin/log-level", headers=AUTHORIZED, json={"level": "debug"}) as answer:
            assert answer.status == 200
        assert logging.getLogger().level == logging.DEBUG
        for body in (
            b"",
            b"[]",
            b'{"level": "loud"}',
            b'{"level": 1}',
            b'{"level": "info", "x": 1}',
            b"\xff",
        ):
            async with session.post("/admin/log-level", headers=AUTHORIZED, data=body) as answer:
                assert answer.status == 400
                assert "one of debug, info, warning, error" in (await answer.json())["error"]
        assert logging.getLogger().level == logging.DEBUG


@pytest.mark.asyncio
async def test_taken_port_says_which_flag_to_use() -> None:
    runner, port = await start_ops_server(make_surface(), "127.0.0.1", 0)
    with pytest.raises(OpsPortTaken, match=f"127.0.0.1:{port}.*--ops.port"):
        await start_ops_server(make_surface(), "127.0.0.1", port)
    await runner.cleanup()


def test_token_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    token = load_token(tmp_path)
    assert len(token) == 64
    assert load_token(tmp_path) == token
    assert stat.S_IMODE((tmp_path / "admin-token").stat().st_mode) == 0o600

"""An L1 endpoint with moods: forwards JSON-RPC to a good one, or refuses, hangs, limits, garbles, forgets."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Self

import aiohttp
from aiohttp import web

MOODS = ("unavailable", "limited", "hang", "garbage", "lost answer", "no logs", "stale head", "half a batch")


class FaultProxy:
    """Use as an async context manager; `fault_rate` of the requests meet a random mood, by seed."""

    def __init__(self, upstream: str, seed: int, fault_rate: float) -> None:
        self.upstream = upstream
        self._rng = random.Random(seed)
        self.fault_rate = fault_rate
        self.moods: dict[str, int] = dict.fromkeys(MOODS, 0)
        self.requests = 0
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._stale_head: Any = None
        self.is_dead = False  # answers nothing but 503
        self.stands_at: int | None = None  # a block number: knows nothing of what comes after it
        self.lie: Callable[[Any, Any], Any] | None = None  # (call, true result) -> what is answered instead

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._session.close()
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        self.requests += 1
        body = await request.json()
        if self.is_dead:
            return web.Response(status=503)
        mood = self._rng.choice(MOODS) if self._rng.random() < self.fault_rate else ""
        if mood:
            self.moods[mood] += 1
        if mood == "unavailable":
            return web.Response(status=503)
        if mood == "limited":
            return web.Response(status=429, headers={"Retry-After": "0"})
        if mood == "garbage":
            return web.Response(text="<html>try again later</html>")
        if mood == "hang":
            await asyncio.sleep(1.0)
            return web.Response(status=500)
        answer = await self._forward(body)
        if mood == "lost answer":
            return web.Response(status=502)
        return web.json_response(self._spoil(mood, body, answer))

    async def _forward(self, body: Any) -> Any:
        assert self._session is not None
        if self.stands_at is not None:
            body = (
                [self._hold_back(call) for call in body] if isinstance(body, list) else self._hold_back(body)
            )
        async with self._session.post(self.upstream, json=body) as response:
            return await response.json(content_type=None)

    def _hold_back(self, call: Any) -> Any:
        """The question as one about the block that this endpoint has stopped at, or before."""
        if call["method"] != "eth_getBlockByNumber" or self.stands_at is None:
            return call
        which, *rest = call["params"]
        if which == "latest":
            which = hex(self.stands_at)
        elif which.startswith("0x") and int(which, 16) > self.stands_at:
            which = hex(1 << 60)
        return {**call, "params": [which, *rest]}

    def _spoil(self, mood: str, body: Any, answer: Any) -> Any:
        if isinstance(body, list):
            if mood == "half a batch":
                return answer[: len(answer) // 2]
            by_id = {each["id"]: each for each in answer}
            return [self._spoil_one(mood, call, by_id[call["id"]]) for call in body]
        return self._spoil_one(mood, body, answer)

    def _spoil_one(self, mood: str, call: Any, answer: Any) -> Any:
        if self.lie is not None and "result" in answer:
            answer = {**answer, "result": self.lie(call, answer["result"])}
        is_head = call["method"] == "eth_getBlockByNumber" and call["params"][0] == "latest"
        if is_head and mood == "stale head" and self._stale_head is not None:
            return {**answer, "result": self._stale_head}
        if is_head and self._rng.random() < 0.2:
            self._stale_head = answer.get("result")
        if mood == "no logs" and call["method"] == "eth_getLogs" and "fromBlock" in call["params"][0]:
            return {**answer, "result": []}
        return answer

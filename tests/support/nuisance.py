"""Clients that nobody wants, as a process of their own: `python -m tests.support.nuisance KIND URL`.

silent     listens to everything and reads nothing
slow       listens to everything and reads a message a second
garbage    sends frames that are no frames, as fast as it can
forged     sends well-formed orders with nobody's signature, as fast as it can
"""

import asyncio
import json
import os
import sys
from typing import Any, Final

import aiohttp

CONNECTIONS: Final = 10
CHANNELS: Final = ["book:0", "trades:0", "mark:0", "funding:0", "account:1", "confirmations"]
FORGED: Final = {
    "type": "order",
    "account": 1,
    "market": 0,
    "isBuy": True,
    "size": "10000",
    "price": "10000000000000",
    "maxFeePpm": 1000,
    "slot": 3,
    "nonce": "18446744073709551615",
    "expiry": (1 << 40) - 1,
    "signature": "0x" + "11" * 64 + "1b",
}
FRAMES: Final = {
    "garbage": json.dumps({"op": "submit", "id": 1, "actions": "?" * 1_000}),
    "forged": json.dumps({"op": "submit", "id": 1, "actions": [FORGED] * 64}),
}


async def _listen(socket: aiohttp.ClientWebSocketResponse, pause: float) -> None:
    await socket.send_json({"op": "subscribe", "id": 1, "channels": CHANNELS})
    while True:
        await asyncio.sleep(pause)
        await socket.receive()


async def _flood(socket: aiohttp.ClientWebSocketResponse, frame: str) -> None:
    async def read() -> None:
        async for _ in socket:
            pass

    reading = asyncio.create_task(read())
    while not socket.closed and not reading.done():
        await socket.send_str(frame)


async def _be(kind: str, url: str, number: int) -> None:
    headers = {"X-Forwarded-For": f"10.9.{number >> 8}.{number & 255}"}
    session: Any
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        if kind in FRAMES:
            await _flood(socket, FRAMES[kind])
        else:
            await _listen(socket, 1e9 if kind == "silent" else 1.0)


async def _be_all(kind: str, url: str) -> None:
    await asyncio.gather(*(_be(kind, url, number) for number in range(CONNECTIONS)), return_exceptions=True)


if __name__ == "__main__":
    os.nice(10)  # it would have a machine of its own
    asyncio.run(_be_all(sys.argv[1], f"{sys.argv[2]}/v1/stream"))

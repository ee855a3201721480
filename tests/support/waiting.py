"""Waiting for what others are about to do."""

import asyncio
from collections.abc import Awaitable, Callable

LOOKS = 10  # a second


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Wait until it holds. Raises AssertionError after so many seconds."""
    for _ in range(int(seconds * LOOKS)):
        if await condition():
            return
        await asyncio.sleep(1 / LOOKS)
    raise AssertionError(f"not within {seconds} s")


async def until_true(condition: Callable[[], bool], seconds: float = 30) -> None:
    """The same of something that is known here, looked at ten times as often."""
    for _ in range(int(seconds * LOOKS * 10)):
        if condition():
            return
        await asyncio.sleep(0.1 / LOOKS)
    raise AssertionError(f"not within {seconds} s")

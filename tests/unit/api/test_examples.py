"""The examples do what they say, as a reader would run them."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.door import Town, open_town
from tests.support.world import secret, trader

EXAMPLES = Path(__file__).parents[3] / "examples"
COMMANDS = {
    "python": [sys.executable, str(EXAMPLES / "place_order.py")],
    "javascript": ["node", str(EXAMPLES / "place_order.mjs")],
}


async def run(command: list[str], town: Town, account: int, side: str) -> dict[str, Any]:
    key = "0x" + secret(trader(account)).hex()
    arguments = [town.url, key, str(account), "0", side, "1000000", "10000000000000"]
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode() + output.decode()
    answer: dict[str, Any] = json.loads(output)
    return answer


@pytest.mark.parametrize("language", COMMANDS)
def test_example_places_an_order_that_another_one_fills(language: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_town(tmp_path) as town:
            resting = await run(COMMANDS[language], town, 1, "sell")
            assert resting["resting"] == "1000000"
            filled = await run(COMMANDS[language], town, 2, "buy")
            assert filled["filled"] == "1000000"

    asyncio.run(story())

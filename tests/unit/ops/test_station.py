from pathlib import Path

import aiohttp
import pytest

from optimist.ops.metrics import Metrics
from optimist.ops.settings import OpsSettings
from optimist.ops.station import open_station


@pytest.mark.asyncio
async def test_program_is_not_ready_before_it_says_so(tmp_path: Path) -> None:
    metrics = Metrics("sequencer", "1")
    async with open_station(OpsSettings(port=0), metrics, "sequencer", datadir=tmp_path) as station:
        url = f"http://127.0.0.1:{station.port}/readyz"
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as answer:
                expected = {"ready": False, "reasons": {"start": "still starting"}}
                assert (answer.status, await answer.json()) == (503, expected)
            station.tell_ready()
            async with session.get(url) as answer:
                assert answer.status == 200
    assert (tmp_path / "admin-token").exists()

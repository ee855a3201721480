"""Schemathesis against the API with a real sequencer behind it: no 5xx, nothing but what the document tells.

Cases are made of docs/openapi.json, half of them broken on purpose; `tests/support/api_hooks.py` signs some
of the others, so that orders rest and trade, and the law is asked. A failure prints its replay.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

import pytest

from optimist.api.limits import Limits
from tests.support.door import open_town

REPOSITORY = Path(__file__).parents[2]
GENEROUS = Limits(rate=1e9, burst=1e9)  # a fuzzer that is told to wait finds nothing
MOST_GROWTH = 64 << 20  # bytes of memory


def read_resident_bytes() -> int:
    """Memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


async def fuzz(directory: Path, *how: str) -> int:
    """Run schemathesis; returns how many of its actions were written to the journal."""
    seed = os.environ.get("FUZZ_SEED") or str(random.randrange(1 << 32))
    environment = {"SCHEMATHESIS_HOOKS": "tests.support.api_hooks", "PYTHONPATH": str(REPOSITORY)}
    replay = f"FUZZ_SEED={seed} pytest {os.environ.get('PYTEST_CURRENT_TEST', '').partition(' ')[0]}"
    async with open_town(directory, GENEROUS) as town:
        before = read_resident_bytes()
        records = town.journal.next_sequence
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            str(REPOSITORY / "tests" / "support" / "schemathesis.toml"),
            "run",
            str(REPOSITORY / "docs" / "openapi.json"),
            "--url",
            town.url,
            "--seed",
            seed,
            "--no-color",
            "--generation-database",
            "none",
            *how,
            cwd=directory,
            env={**os.environ, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        report = output.decode()
        assert process.returncode == 0, f"{replay}\n{report}"
        grown = read_resident_bytes() - before
        print(f"{report[report.index('API Operations') :]}memory: +{grown >> 20} MiB")
        assert grown < MOST_GROWTH, f"{replay}: {grown >> 20} MiB more\n{report}"
        status = await town.get("/v1/status")
        assert status["ready"], status
        return town.journal.next_sequence - records


def test_api_answers_whatever_is_sent_to_it(tmp_path: Path) -> None:
    asyncio.run(fuzz(tmp_path, "--phases", "fuzzing", "--max-examples", "12"))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_api_answers_whatever_is_sent_to_it_for_long(tmp_path: Path) -> None:
    seconds = os.environ.get("FUZZ_SECONDS", "600")
    taken = asyncio.run(fuzz(tmp_path, "--max-examples", "1000", "--max-time", seconds))
    assert taken > 0, "nothing that was signed got through"
    print(f"{taken} actions taken")

"""`optimist derive`: the roots of a rollup from nothing but an L1 node and deployment.json."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from devnet.network import Devnet
from optimist.derive.actions import Liquidate
from tests.support.operator import Operator


def derive(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from optimist.cli import main; main()", "derive", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def roots(devnet: Devnet) -> list[str]:
    """Four batches on L1, and their roots as an operator's own node knows them."""

    async def play() -> list[str]:
        async with devnet.connect() as client:
            operator = Operator(devnet, client)
            await operator.publish(0, 100_000 * 10**8)
            await operator.publish(1, 4_000 * 10**8)
            await operator.seal(Liquidate(7, 0))
            ledger = operator.node.ledger
            return ["0x" + ledger.get_applied(n).root.hex() for n in range(1, ledger.batch_count + 1)]

    return asyncio.run(play())


def test_roots_at_every_batch_end(devnet: Devnet, roots: list[str], tmp_path: Path) -> None:
    network = (
        "--l1-rpc",
        devnet.anvil.url,
        "--deployment",
        str(devnet.deployment_file),
        "--l1-tag",
        "latest",
    )
    for _ in range(2):  # the second time from its own data directory
        result = derive(*network, "--json", "--datadir", str(tmp_path / "data"))
        assert result.returncode == 0, result.stderr
        found = json.loads(result.stdout)
        assert [batch["root"] for batch in found["batches"]] == roots
        assert [batch["inputs"] for batch in found["batches"]] == [1, 2, 2, 2]
        assert [batch["rejected"] for batch in found["batches"]] == [0, 0, 0, 1]
    table = derive(*network)
    assert all(root in table.stdout for root in roots)


def test_no_l1_exits_with_3_and_says_so(devnet: Devnet) -> None:
    result = derive(
        "--l1-rpc", "http://127.0.0.1:9", "--deployment", str(devnet.deployment_file), "--l1-timeout", "0.1"
    )
    assert result.returncode == 3
    assert "no usable answer" in result.stderr


def test_other_rollup_exits_with_2_and_says_what_differs(devnet: Devnet, tmp_path: Path) -> None:
    file = tmp_path / "deployment.json"
    content = json.loads(devnet.deployment_file.read_text())
    file.write_text(json.dumps({**content, "image_root": "0x" + "11" * 32}))
    result = derive("--l1-rpc", devnet.anvil.url, "--deployment", str(file))
    assert result.returncode == 2
    assert "Step.imageRoot" in result.stderr
    assert "Traceback" not in result.stderr

"""`python -m devnet up` as somebody meets it in a terminal or in a script."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from optimist.l1.deployment import Deployment


@contextmanager
def up(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A running `python -m devnet up`, and the first line that it prints."""
    command = [sys.executable, "-m", "devnet", "up", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().decode()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def get_chain_id(url: str) -> int:
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    answer = requests.post(url, data=request, headers={"Content-Type": "application/json"}, timeout=10)
    return int(answer.json()["result"], 16)


def test_up_json_prints_one_object_that_is_true_while_it_runs(tmp_path: Path) -> None:
    with up("--json", "--directory", str(tmp_path)) as (process, line):
        description: dict[str, Any] = json.loads(line)
        deployment = Deployment.load(Path(description["deployment"]))
        assert get_chain_id(description["rpc"]) == description["chainId"] == deployment.chain_id
        assert description["imageRoot"] == f"0x{deployment.image_root.hex()}"
        assert description["addresses"]["Inbox"] == f"0x{deployment.addresses['Inbox'].hex()}"
        assert sum(name.startswith("oracle-") for name in description["keys"]) == 7
        assert description["quorum"] == 5
    assert process.returncode == 0
    with_port = description["rpc"]
    try:
        get_chain_id(with_port)
    except requests.ConnectionError:
        return
    raise AssertionError(f"{with_port} still answers after the devnet has ended")


def test_up_for_people_says_where_l1_is() -> None:
    with up() as (_, line):
        label, url, *_ = line.split()
        assert label == "L1"
        assert get_chain_id(url) == 31337

"""anvil under our control: its own port, its own time, its own end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devnet.anvil import Anvil

DEV_ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SOMEBODY = "0x00000000000000000000000000000000000000AA"


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Anvil]:
    with Anvil(tmp_path) as anvil:
        yield anvil


def send_one_wei(anvil: Anvil) -> str:
    transaction = {"from": DEV_ACCOUNT, "to": SOMEBODY, "value": "0x1"}
    handle = str(anvil.call("eth_sendTransaction", transaction))
    deadline = time.monotonic() + 20  # also without a block time the receipt may be some milliseconds late
    while anvil.call("eth_getTransactionReceipt", handle) is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return handle


def is_running(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
    return "State:\tZ" not in status


def test_time_stands_still_unless_moved(anvil: Anvil) -> None:
    start = anvil.get_time()
    send_one_wei(anvil)
    assert anvil.get_time() - start <= 1
    assert anvil.increase_time(600) - start >= 600
    assert anvil.warp_to(start + 5000) == start + 5000
    assert anvil.warp_to(start) == start + 5000


def test_snapshot_undoes_what_happened(anvil: Anvil) -> None:
    with anvil.snapshot():
        send_one_wei(anvil)
        anvil.increase_time(100)
    assert anvil.call("eth_getBalance", SOMEBODY, "latest") == "0x0"
    assert anvil.get_block_number() == 0


def test_reorganise_drops_the_last_transactions(anvil: Anvil) -> None:
    transaction = send_one_wei(anvil)
    anvil.reorganise(1)
    assert anvil.call("eth_getTransactionReceipt", transaction) is None


def test_two_run_at_once_on_different_ports(anvil: Anvil, tmp_path: Path) -> None:
    with Anvil(tmp_path / "second") as other:
        assert other.url != anvil.url
        send_one_wei(anvil)
        assert (anvil.get_block_number(), other.get_block_number()) == (1, 0)


def test_with_block_time_blocks_come_by_themselves_and_for_transactions(tmp_path: Path) -> None:
    with Anvil(tmp_path, block_time=1) as anvil:
        transaction = send_one_wei(anvil)
        deadline = time.monotonic() + 20
        while anvil.get_block_number() < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert anvil.get_block_number() >= 3
        assert int(anvil.call("eth_getTransactionReceipt", transaction)["blockNumber"], 16) <= 2


def test_transaction_of_more_than_the_cap_of_eip_7825_is_refused(anvil: Anvil) -> None:
    transaction = {"from": DEV_ACCOUNT, "to": SOMEBODY, "gas": hex(2**24 + 1)}
    with pytest.raises(Exception, match="gas"):
        anvil.call("eth_sendTransaction", transaction)


def test_dumped_state_keeps_blocks_receipts_and_balances(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Anvil(tmp_path, dump_state=state) as anvil:
        transaction = send_one_wei(anvil)
        send_one_wei(anvil)
        anvil.increase_time(1000)
        blocks = [anvil.call("eth_getBlockByNumber", hex(number), True) for number in range(4)]
    with Anvil(tmp_path / "again", load_state=state) as anvil:
        assert [anvil.call("eth_getBlockByNumber", hex(number), True) for number in range(4)] == blocks
        assert anvil.call("eth_getTransactionReceipt", transaction)["status"] == "0x1"
        assert anvil.call("eth_getBalance", SOMEBODY, "0x1") == "0x1"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_anvil_dies_with_its_parent_even_by_kill_9(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from devnet.anvil import Anvil;"
        "anvil = Anvil(Path(sys.argv[1])); print(anvil.process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)

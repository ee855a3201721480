"""A private Ethereum: anvil on a port of its own, silent, and gone when we are gone."""

import json
import platform
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import requests

from devnet.processes import Process

REPOSITORY = Path(__file__).parent.parent
NODE_MODULES = REPOSITORY / "solidity" / "node_modules"
HARDFORK = "osaka"
LISTENING = "Listening on "


class AnvilMissing(Exception):
    """anvil is not installed."""


class RpcError(Exception):
    """anvil answered a call with an error."""


def find_anvil() -> Path:
    """The native anvil inside its npm package: a wrapper in between would outlive a signal.

    Raises AnvilMissing, which says how to install it.
    """
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), "unknown")
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "unknown")
    binary = NODE_MODULES / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    if not binary.is_file():
        raise AnvilMissing(f"no anvil at {binary}; install it with: npm --prefix solidity ci")
    return binary


class Anvil:
    """A running anvil and the control of its time. Use as a context manager, or call `stop`."""

    def __init__(
        self,
        directory: Path,
        *,
        block_time: int | None = None,
        epoch: int = 1,
        load_state: Path | None = None,
        dump_state: Path | None = None,
        branch_of: tuple[str, int] | None = None,
    ) -> None:
        """Start anvil on a port that the kernel chooses; its log goes to `directory`.

        block_time: seconds between blocks; transactions are mined at once in any case. None: a block is mined
        only for a transaction or by `mine`, so that nothing moves unless a test moves it.
        epoch: blocks of an epoch; the safe block is one epoch behind, the final one two.
        load_state, dump_state: files to start from and to write at `stop`; they hold every block, receipt and
        log.
        branch_of: URL of another anvil, which has to live on, and the number of the last block they share.
        Raises AnvilMissing, or ProcessFailed when it does not come up.
        """
        command = [str(find_anvil()), "--host", "127.0.0.1", "--port", "0", "--hardfork", HARDFORK]
        command += ["--enable-tx-gas-limit"]  # EIP-7825, as on mainnet: no transaction of 2**24 gas or more
        # An epoch of one block by default: programs need no other tags than on mainnet.
        command += ["--slots-in-an-epoch", str(epoch)]
        command += ["--accounts", "1", "--no-cors"]
        if block_time is not None:
            command += ["--block-time", str(block_time), "--mixed-mining"]
        if load_state is not None:
            command += ["--load-state", str(load_state)]
        if dump_state is not None:
            command += ["--dump-state", str(dump_state), "--preserve-historical-states"]
        if branch_of is not None:
            url, number = branch_of
            command += ["--fork-url", url, "--fork-block-number", str(number), "--no-storage-caching"]
        self.process = Process("anvil", command, directory / "anvil.log")
        try:
            line = self.process.wait_for_line(LISTENING)
        except BaseException:
            self.process.stop()
            raise
        self.url = f"http://{line.removeprefix(LISTENING).strip()}"
        self._session = requests.Session()
        self._branches = 0  # that reorgs have made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End anvil; writes its state first when that was asked for. Idempotent."""
        self._session.close()
        self.process.stop(timeout=60)  # tens of megabytes of state, on a busy machine

    # -------------------------------------------------------------------------------------------------- calls

    def call(self, method: str, *params: object) -> Any:
        """One JSON-RPC call. Raises RpcError when anvil refuses it."""
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {"Content-Type": "application/json"}
        response = self._session.post(self.url, data=request, headers=headers, timeout=60)
        answer = response.json()
        if "error" in answer:
            raise RpcError(f"{method}: {answer['error']}")
        return answer["result"]

    def set_balance(self, address: str, wei: int) -> None:
        """Give `address` exactly `wei`."""
        self.call("anvil_setBalance", address, hex(wei))

    # --------------------------------------------------------------------------------------------------- time

    def get_time(self) -> int:
        """Timestamp of the latest block, in seconds."""
        return int(self.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def get_block_number(self) -> int:
        """Height of the latest block."""
        return int(self.call("eth_blockNumber"), 16)

    def increase_time(self, seconds: int) -> int:
        """Let L1 time jump forward, and mine a block there; returns its timestamp."""
        self.call("evm_increaseTime", seconds)
        self.call("evm_mine")
        return self.get_time()

    def warp_to(self, timestamp: int) -> int:
        """Mine a block at `timestamp`, unless that is past already; returns the latest timestamp."""
        now = self.get_time()
        return self.increase_time(timestamp - now) if timestamp > now else now

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks."""
        self.call("anvil_mine", hex(blocks))

    def reorganise(self, depth: int, again: Sequence[tuple[str, int]] = ()) -> None:
        """Replace the last `depth` blocks: their transactions are lost, also to the pool.

        again: those that the new blocks hold, each with the place of its block, 0 being the deepest. Every
        branch has a coinbase of its own: the same transactions in the same second would be the same block.
        """
        self._branches += 1
        self.call("anvil_setCoinbase", f"0x{0xC0 << 152 | self._branches:040x}")
        self.call("anvil_reorg", depth, [list(each) for each in again])

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Undo everything that happens on L1 inside the `with` block."""
        handle = self.call("evm_snapshot")
        try:
            yield
        finally:
            if not self.call("evm_revert", handle):
                raise RpcError(f"anvil lost its snapshot {handle}")

"""An L1 with two branches behind one endpoint: programs see whichever it is turned to, with true hashes.

Branch B shares the blocks of branch A up to one of them; both are real chains, and each goes on by itself. So
A -> B -> A brings back the very blocks of A, which no reorg of a single anvil does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devnet.anvil import Anvil
from tests.support.fault_proxy import FaultProxy


class BranchProxy(FaultProxy):
    """An endpoint that can be turned to another anvil.

    A branch passes on questions about transactions that it does not have to its trunk, which may have mined
    them in a block that the branch does not share: here nobody hears of those.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, seed=0, fault_rate=0.0)

    async def _forward(self, body: Any) -> Any:
        answer = await super()._forward(body)
        if isinstance(body, list):
            by_id = {call["id"]: call for call in body}
            return [await self._hide(by_id[each["id"]], each) for each in answer]
        return await self._hide(body, answer)

    async def _hide(self, call: Any, answer: Any) -> Any:
        found = answer.get("result")
        if call["method"] != "eth_getTransactionByHash" or not found or not found["blockHash"]:
            return answer
        question = {**call, "method": "eth_getBlockByNumber", "params": [found["blockNumber"], False]}
        block = (await super()._forward(question)).get("result")
        return answer if block and block["hash"] == found["blockHash"] else {**answer, "result": None}


class Branches:
    """Chain A, and at times a branch B of it. `now`: the one that the endpoint tells of."""

    def __init__(self, first: Anvil, endpoint: BranchProxy, directory: Path, *, epoch: int) -> None:
        """`endpoint`: a proxy before `first`. `epoch`: of both branches."""
        self.now = first
        self._endpoint = endpoint
        self._directory = directory
        self._epoch = epoch
        self._count = 0

    @contextmanager
    def fork(self, kept: int) -> Iterator[Anvil]:
        """A branch with the blocks up to `kept`, and empty ones beyond the present head; not turned to."""
        trunk = self.now
        self._count += 1
        directory = self._directory / f"branch{self._count}"
        with Anvil(directory, epoch=self._epoch, branch_of=(trunk.url, kept)) as branch:
            # Empty blocks of the same second would be the same blocks.
            branch.call("anvil_setCoinbase", f"0x{self._count:040x}")
            branch.mine(trunk.get_block_number() + 1 - kept)
            yield branch

    def turn_to(self, branch: Anvil) -> None:
        """Let the endpoint tell of another branch, which is longer, and not younger, than the present one."""
        missing = self.now.get_block_number() + 1 - branch.get_block_number()
        if missing > 0:
            branch.mine(missing)
        branch.warp_to(self.now.get_time())
        self._endpoint.upstream = branch.url
        self.now = branch

"""An L1 endpoint that is anvil's chain behind geth's pool.

Transactions wait in a `GethPool` until the builder takes them: at once, or with `is_building` false only when
a test says `build`. What a reorg takes away comes back into the pool, as from a real node's.
"""

import asyncio
from contextlib import suppress
from typing import Any, Self

from optimist.base.keccak import keccak
from optimist.l1.types import from_hex, to_hex
from tests.support.fault_proxy import FaultProxy
from tests.support.geth_pool import GethPool, Pooled, PoolRefusal, recover_sender


class GethProxy(FaultProxy):
    """Use as an async context manager. With a fault rate it has the moods of a `FaultProxy` as well."""

    def __init__(self, upstream: str, *, seed: int = 0, fault_rate: float = 0.0) -> None:
        super().__init__(upstream, seed, fault_rate)
        self.pool = GethPool()
        self.is_building = True
        self.mined: list[Pooled] = []  # what the builder has handed to the chain, in order
        self.answered: set[bytes] = set()  # what somebody has handed in, and been told taken or refused
        self._building = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.rpc("evm_setAutomine", False)
        return self

    async def rpc(self, method: str, *params: Any) -> Any:
        """One call of the chain behind. Raises AssertionError where it refuses."""
        answer = await self._call_upstream({"jsonrpc": "2.0", "id": 0, "method": method, "params": params})
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    async def build(self, *, only: bytes | None = None) -> int:
        """Mine what can be mined (only one transaction, if asked to); how many were."""
        count = 0
        async with self._building:
            for sender in list(self.pool.waiting):
                block = await self.rpc("eth_getBlockByNumber", "pending", False)
                base_fee = int(block["baseFeePerGas"], 16)
                for found in self.pool.pick(sender, await self._get_nonce(sender), base_fee):
                    if only in (None, found.hash):
                        await self._mine(found)
                        count += 1
        return count

    async def mine_outright(self, raw: bytes) -> None:
        """A builder that got the transaction long ago includes it now, whatever the pool holds by now."""
        await self.rpc("eth_sendRawTransaction", to_hex(raw))
        await self.rpc("evm_mine")

    async def reorganise(self, depth: int) -> list[bytes]:
        """Replace the last blocks by empty ones; their transactions wait again. Their hashes, in order."""
        head = int(await self.rpc("eth_blockNumber"), 16)
        lost = []
        for number in range(head - depth + 1, head + 1):
            block = await self.rpc("eth_getBlockByNumber", hex(number), False)
            lost += [await self.rpc("eth_getRawTransactionByHash", each) for each in block["transactions"]]
        await self.rpc("anvil_reorg", depth, [])
        for raw in lost:
            with suppress(PoolRefusal):  # the sender was faster, and has handed it in again
                await self._add(from_hex(raw))
        return [keccak(from_hex(raw)) for raw in lost]

    # ------------------------------------------------------------------------------------------------ inside

    async def _forward(self, body: Any) -> Any:
        if isinstance(body, list):
            return [await self._answer(call) for call in body]
        return await self._answer(body)

    async def _answer(self, call: Any) -> Any:
        head = {"jsonrpc": "2.0", "id": call["id"]}
        if call["method"] == "eth_sendRawTransaction":
            raw = from_hex(call["params"][0])
            try:
                found = await self._add(raw)
            except PoolRefusal as refusal:
                return {**head, "error": {"code": -32000, "message": str(refusal)}}
            else:
                if self.is_building:
                    await asyncio.shield(self.build())  # whoever stops waiting does not stop the builder
                return {**head, "result": to_hex(found.hash)}
            finally:
                self.answered.add(keccak(raw))
        answer = await self._call_upstream(call)
        if call["method"] == "eth_getTransactionByHash" and answer.get("result") is None:
            waiting = self.pool.find(from_hex(call["params"][0]))
            if waiting is not None:
                return {**head, "result": {"hash": to_hex(waiting.hash), "blockNumber": None}}
        return answer

    async def _call_upstream(self, call: Any) -> Any:
        return await super()._forward(call)

    async def _add(self, raw: bytes) -> Pooled:
        sender = recover_sender(raw)
        balance = int(await self.rpc("eth_getBalance", to_hex(sender), "latest"), 16)
        return self.pool.add(raw, next_nonce=await self._get_nonce(sender), balance=balance)

    async def _get_nonce(self, sender: bytes) -> int:
        nonce = int(await self.rpc("eth_getTransactionCount", to_hex(sender), "latest"), 16)
        self.pool.prune(sender, nonce)
        return nonce

    async def _mine(self, found: Pooled) -> None:
        await self.rpc("eth_sendRawTransaction", to_hex(found.raw))
        await self.rpc("evm_mine")
        self.mined.append(found)

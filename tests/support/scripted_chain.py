"""A chain of blocks under the control of a test, behind the real client: everything but the HTTP is real."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode

from optimist.base.keccak import keccak
from optimist.l1.client import L1Client
from optimist.l1.codec import load_abi
from optimist.l1.errors import RpcError
from optimist.l1.types import to_hex

INBOX = b"\x1b" * 20
ADDRESSES = {"Inbox": INBOX}
_QUEUE_ITEM = next(entry for entry in load_abi("Inbox").events.values() if entry.name == "QueueItem")


@dataclass
class Block:
    number: int
    hash: bytes
    parent: bytes
    items: tuple[int, ...]  # indices of the queue items that it logs

    def bloom(self) -> bytes:
        bits = 0
        for value in (INBOX, _QUEUE_ITEM.selector) if self.items else ():
            digest = keccak(value)
            for i in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & 0x7FF)
        return bits.to_bytes(256, "big")

    def header(self) -> dict[str, Any]:
        return {
            "number": hex(self.number),
            "hash": to_hex(self.hash),
            "parentHash": to_hex(self.parent),
            "timestamp": hex(1_000 + self.number),
            "baseFeePerGas": "0x1",
            "logsBloom": to_hex(self.bloom()),
        }

    def logs(self) -> list[dict[str, Any]]:
        return [
            {
                "address": to_hex(INBOX),
                "topics": [to_hex(_QUEUE_ITEM.selector), to_hex(item.to_bytes(32, "big"))],
                "data": to_hex(encode(["uint40", "bytes"], [self.number, b"\x03" + bytes([item % 256])])),
                "blockNumber": hex(self.number),
                "blockHash": to_hex(self.hash),
                "transactionHash": to_hex(keccak(self.hash + bytes([position]))),
                "logIndex": hex(position),
            }
            for position, item in enumerate(self.items)
        ]


@dataclass
class ScriptedChain:
    """Blocks 0 to the head. Every block that was ever made has a hash of its own."""

    finality: int = 1_000  # blocks behind the head that are final
    blocks: list[Block] = field(default_factory=list)
    made: int = 0
    hide_logs_by_range: set[int] = field(
        default_factory=set
    )  # numbers of blocks whose logs a range leaves out

    def __post_init__(self) -> None:
        self.extend([()])

    def extend(self, items_per_block: Sequence[tuple[int, ...]]) -> None:
        for items in items_per_block:
            self.made += 1
            parent = self.blocks[-1].hash if self.blocks else bytes(32)
            self.blocks.append(Block(len(self.blocks), keccak(b"block %d" % self.made), parent, items))

    def drop(self, depth: int) -> None:
        """Forget the last blocks, but never the first."""
        del self.blocks[max(1, len(self.blocks) - depth) :]

    def items(self) -> list[tuple[int, int]]:
        """(block, queue item) of every log on the canonical chain."""
        return [(block.number, item) for block in self.blocks for item in block.items]

    def answer(self, method: str, params: Sequence[Any]) -> Any:
        if method == "eth_getBlockByNumber":
            number = {"latest": len(self.blocks) - 1, "safe": max(0, len(self.blocks) - 3)}.get(params[0])
            if params[0] == "finalized":
                number = max(0, len(self.blocks) - 1 - self.finality)
            number = int(params[0], 16) if number is None else number
            return self.blocks[number].header() if number < len(self.blocks) else None
        if method == "eth_getLogs":
            return self._logs(params[0])
        raise AssertionError(method)

    def _logs(self, request: dict[str, Any]) -> Any:
        assert request["address"] == [to_hex(INBOX)]
        if "blockHash" in request:
            found = [block for block in self.blocks if to_hex(block.hash) == request["blockHash"]]
            return found[0].logs() if found else RpcError("eth_getLogs", -32000, "no such block is known")
        first, last = int(request["fromBlock"], 16), int(request["toBlock"], 16)
        blocks = self.blocks[first : last + 1]
        return [
            log for block in blocks if block.number not in self.hide_logs_by_range for log in block.logs()
        ]


class ScriptedClient(L1Client):
    """A client of a scripted chain. `between`, when set, runs once after the next request: a race."""

    def __init__(self, chain: ScriptedChain) -> None:
        super().__init__(["http://scripted"])
        self.chain = chain
        self.requests: list[str] = []
        self.between: Any = None

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        self.requests += [method for method, _ in calls]
        answers = [self.chain.answer(method, params) for method, params in calls]
        if self.between is not None:
            race, self.between = self.between, None
            race()
        return answers

"""Our contracts at their addresses: reads at one block, calldata to send, events to follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from optimist.l1.client import L1Client, at_block
from optimist.l1.codec import Abi, decode_revert, load_abi
from optimist.l1.errors import RpcError
from optimist.l1.types import read_bytes, to_hex

Value = Any  # what the ABI says


@dataclass(frozen=True)
class Contract:
    """A contract of ours at an address (20 bytes)."""

    address: bytes
    abi: Abi

    @classmethod
    def named(cls, name: str, address: bytes) -> "Contract":
        """The contract `name` (Vault, Inbox, Rollup, Dispute, Step, IERC20) at `address`."""
        return cls(address, load_abi(name))

    def encode(self, function: str, *arguments: Value) -> bytes:
        """Calldata for `function`."""
        return self.abi.encode_call(function, *arguments)

    async def read(self, client: L1Client, at: bytes, function: str, *arguments: Value) -> Value:
        """What `function` returns in the state after the block `at` (hash). Raises Reverted, L1Error."""
        return (await read_many(client, at, [(self, function, arguments)]))[0]


async def read_many(
    client: L1Client, at: bytes, reads: Sequence[tuple[Contract, str, Sequence[Value]]]
) -> list[Value]:
    """Many reads in the state after ONE block (hash), in one request. Raises Reverted or L1Error."""
    block = at_block(at)
    calls = [
        (
            "eth_call",
            ({"to": to_hex(contract.address), "data": to_hex(contract.encode(name, *args))}, block),
        )
        for contract, name, args in reads
    ]
    try:
        answers = await client.batch(calls)
    except RpcError as error:
        if error.data is not None:
            raise decode_revert(error.data) from error
        raise
    return [
        contract.abi.decode_result(name, read_bytes(answer))
        for (contract, name, _), answer in zip(reads, answers, strict=True)
    ]

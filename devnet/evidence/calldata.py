"""Transactions as L1 has them: which function was called, by whom, with what, for how much gas."""

from collections.abc import Sequence
from dataclasses import dataclass

from optimist.l1.client import L1Client
from optimist.l1.codec import CONTRACTS, Value, load_abi
from optimist.l1.errors import L1Inconsistent
from optimist.l1.types import Json, from_hex, to_hex

UNKNOWN = "unknown"  # the selector is none of ours: called through another contract


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A mined transaction. `gas` is what it used; `function` is Contract.name, or UNKNOWN."""

    hash: bytes
    block: int
    time: int
    sender: bytes
    function: str
    data: bytes
    gas: int


async def read_transactions(client: L1Client, hashes: Sequence[bytes]) -> dict[bytes, SentTransaction]:
    """Transactions by hash. Raises L1Inconsistent when one is not mined."""
    unique = list(dict.fromkeys(hashes))
    bodies = await client.batch([("eth_getTransactionByHash", (to_hex(hash_),)) for hash_ in unique])
    receipts = await client.get_receipts(unique)
    blocks = sorted({receipt.block.number for receipt in receipts if receipt is not None})
    headers = await client.get_headers(blocks)
    times = {number: header.timestamp for number, header in zip(blocks, headers, strict=True) if header}
    found = {}
    for hash_, body, receipt in zip(unique, bodies, receipts, strict=True):
        if receipt is None or body is None:
            raise L1Inconsistent(f"transaction {to_hex(hash_)} is not mined")
        data = from_hex(body["input"])
        number = receipt.block.number
        found[hash_] = SentTransaction(
            hash=hash_,
            block=number,
            time=times[number],
            sender=from_hex(body["from"]),
            function=name_function(data),
            data=data,
            gas=receipt.gas_used,
        )
    return found


def name_function(data: bytes) -> str:
    """Contract.function that calldata asks for; UNKNOWN when none of ours has that selector."""
    for contract in CONTRACTS:
        if entry := load_abi(contract).selectors.get(data[:4]):
            return f"{contract}.{entry.name}"
    return UNKNOWN


def decode_arguments(data: bytes) -> dict[str, Value]:
    """Arguments of a call of ours by name. Raises LookupError for any other calldata."""
    for contract in CONTRACTS:
        if decoded := load_abi(contract).decode_call(data):
            return decoded[1]
    raise LookupError(f"calldata {to_hex(data[:4])}… calls no function of ours")


async def read_inner_gas(client: L1Client, transaction: bytes, contract: bytes) -> int:
    """Gas that the dearest inner call to `contract` used in a transaction; 0 when there was none.

    Needs a node that offers debug_traceTransaction, as anvil does.
    """
    trace = await client.call("debug_traceTransaction", to_hex(transaction), {"tracer": "callTracer"})
    return _find_gas(trace, to_hex(contract))


def _find_gas(call: Json, contract: str) -> int:
    own = int(call["gasUsed"], 16) if call.get("to", "").lower() == contract else 0
    return max([own, *(_find_gas(inner, contract) for inner in call.get("calls", ()))])

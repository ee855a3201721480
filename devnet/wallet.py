"""A person's wallet: one transaction at a time, waiting for each. Services use `optimist/l1/sender.py`."""

import asyncio
import time

from eth_account import Account
from eth_utils.address import to_checksum_address

from devnet.accounts import Actor
from optimist.base.keccak import keccak
from optimist.l1.client import L1Client
from optimist.l1.codec import decode_revert
from optimist.l1.contracts import Contract, Value
from optimist.l1.errors import L1Error, RpcError
from optimist.l1.types import Receipt, to_hex

GAS_HEADROOM_PERCENT = 25  # state may change between the estimate and the block
MAX_TRANSACTION_GAS = (1 << 24) - 1  # EIP-7825
TIP = 10**9  # wei per gas
POLL_INTERVAL = 0.02  # s
PATIENCE = 60.0  # s


class NotMined(L1Error):
    """A transaction was accepted and did not appear in a block in time."""


class Wallet:
    """Sends what one actor signs. Raises Reverted, with the contract's reason, before anything is sent."""

    def __init__(self, client: L1Client, actor: Actor) -> None:
        self._client = client
        self._lock = asyncio.Lock()  # one transaction at a time: the nonce is that of the latest block
        self.actor = actor

    async def create(self, creation: bytes) -> tuple[bytes, Receipt]:
        """Create a contract; its address and the receipt."""
        async with self._lock:
            nonce = await self._client.get_nonce(self.actor.address)
            receipt = await self._send(b"", creation, 0)
        return compute_create_address(self.actor.address, nonce), receipt

    async def call(self, contract: Contract, function: str, *arguments: Value, value: int = 0) -> Receipt:
        """Call a function of a contract, with `value` wei."""
        async with self._lock:
            return await self._send(contract.address, contract.encode(function, *arguments), value)

    async def _send(self, to: bytes, data: bytes, value: int) -> Receipt:
        client, sender = self._client, self.actor.address
        request = {"from": to_hex(sender), "data": to_hex(data), "value": hex(value)}
        if to:
            request["to"] = to_hex(to)
        try:
            gas = int(await client.call("eth_estimateGas", request), 16)
        except RpcError as error:
            if error.data is not None:
                raise decode_revert(error.data) from error
            raise
        header = await client.get_header("latest")
        base_fee = header.base_fee if header else 0
        transaction = {
            "type": 2,
            "chainId": await client.get_chain_id(),
            "nonce": await client.get_nonce(sender),
            "data": to_hex(data),
            "value": value,
            "gas": min(gas * (100 + GAS_HEADROOM_PERCENT) // 100, MAX_TRANSACTION_GAS),
            "maxFeePerGas": 2 * base_fee + TIP,
            "maxPriorityFeePerGas": TIP,
            **({"to": to_checksum_address(to)} if to else {}),
        }
        signed = Account.sign_transaction(transaction, self.actor.secret)
        receipt = await self._wait(await client.send_raw(bytes(signed.raw_transaction)))
        if not receipt.succeeded:
            raise L1Error(f"transaction {to_hex(receipt.transaction)} of {self.actor.name} failed on L1")
        return receipt

    async def _wait(self, transaction: bytes) -> Receipt:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if (receipt := (await self._client.get_receipts([transaction]))[0]) is not None:
                return receipt
            await asyncio.sleep(POLL_INTERVAL)
        raise NotMined(f"transaction {to_hex(transaction)} is not in a block after {PATIENCE} s")


def compute_create_address(creator: bytes, nonce: int) -> bytes:
    """Address of the contract that `creator` creates with its transaction number `nonce`.

    The last 20 bytes of keccak(rlp([creator, nonce])).
    """
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    encoded = number if len(number) == 1 and nonce < 0x80 else bytes((0x80 + len(number),)) + number
    payload = b"\x94" + creator + encoded
    return keccak(bytes((0xC0 + len(payload),)) + payload)[12:]

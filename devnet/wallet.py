"""A person's wallet: one transaction at a time, waiting for each. Services use `optimist/l1/sender.py`."""

import asyncio

from eth_account import Account
from eth_utils.address import to_checksum_address
from web3 import AsyncWeb3
from web3.exceptions import TimeExhausted
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.types import TxParams, Wei

from devnet.accounts import Actor
from devnet.provider import ClientProvider
from optimist.l1.client import L1Client
from optimist.l1.contracts import Contract, Value
from optimist.l1.creation import compute_create_address
from optimist.l1.errors import L1Error
from optimist.l1.types import Receipt, to_hex

GAS_HEADROOM_PERCENT = 25  # state may change between the estimate and the block
MAX_TRANSACTION_GAS = (1 << 24) - 1  # EIP-7825
POLL_INTERVAL = 0.02  # s
PATIENCE = 60.0  # s


class NotMined(L1Error):
    """A transaction was accepted and did not appear in a block in time."""


class Wallet:
    """Sends what one actor signs. Raises Reverted, with the contract's reason, before anything is sent."""

    def __init__(self, client: L1Client, actor: Actor) -> None:
        self._client = client
        self._web3 = AsyncWeb3(ClientProvider(client))
        signing = SignAndSendRawMiddlewareBuilder.build(Account.from_key(actor.secret))
        self._web3.middleware_onion.add(signing)
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
        """web3 fills in chain, nonce and fees, and signs."""
        transaction: TxParams = {
            "from": to_checksum_address(self.actor.address),
            "data": data,
            "value": Wei(value),
        }
        if to:
            transaction["to"] = to_checksum_address(to)
        gas = await self._web3.eth.estimate_gas(transaction)
        transaction["gas"] = min(gas * (100 + GAS_HEADROOM_PERCENT) // 100, MAX_TRANSACTION_GAS)
        hash_ = await self._web3.eth.send_transaction(transaction)
        try:
            await self._web3.eth.wait_for_transaction_receipt(hash_, PATIENCE, POLL_INTERVAL)
        except TimeExhausted:
            raise NotMined(f"transaction {to_hex(hash_)} is not in a block after {PATIENCE} s") from None
        (receipt,) = await self._client.get_receipts([hash_])
        if receipt is None or not receipt.succeeded:
            raise L1Error(f"transaction {to_hex(hash_)} of {self.actor.name} failed on L1")
        return receipt

"""Scenario 34 on a real L1: the player that `challenger run` starts is overtaken in every transaction.

It has asked L1 before it signs, so it knows nothing of the other one; its own transactions are mined behind
those, and many of them revert for everybody to see.
"""

import asyncio

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from devnet.liar.faults import parse_fault
from devnet.network import Devnet
from optimist.l1.client import L1Client
from optimist.l1.events import Claimed, Eliminated
from optimist.l1.types import Receipt, to_hex
from tests.support.ringside import Town, fight

THIEF = bytes.fromhex("7e" * 20)
FAULT = "step:9:400:memory.100:1"


class OvertakingClient(L1Client):
    """Whatever is sent through it is sent by somebody else first, and mined first."""

    def __init__(self, url: str) -> None:
        super().__init__([url])
        self.overtaken = 0
        self.sent: list[bytes] = []

    async def send_raw(self, transaction: bytes) -> bytes:
        original = TypedTransaction.from_bytes(HexBytes(transaction)).as_dict()
        copy = {
            "from": to_hex(THIEF),
            "to": to_hex(bytes(original["to"])),
            "data": to_hex(bytes(original["data"])),
            "value": hex(original["value"]),
            "gas": hex(original["gas"]),
        }
        hash_ = await self.call("eth_sendTransaction", copy)
        self.overtaken += (await self.wait_for(bytes.fromhex(hash_[2:]))).succeeded
        self.sent.append(await super().send_raw(transaction))
        return self.sent[-1]

    async def wait_for(self, transaction: bytes) -> Receipt:
        """Its receipt: anvil mines at once, but answers before it has."""
        for _ in range(500):
            (receipt,) = await self.get_receipts([transaction])
            if receipt is not None:
                return receipt
            await asyncio.sleep(0.01)
        raise TimeoutError(f"{to_hex(transaction)} was not mined")


def test_s34_overtaken_in_every_transaction_the_real_player_still_wins(
    shared_devnet: Devnet, town: Town
) -> None:
    async def play() -> None:
        anvil = shared_devnet.anvil
        anvil.call("anvil_impersonateAccount", to_hex(THIEF))
        anvil.set_balance(to_hex(THIEF), 10**21)
        async with shared_devnet.connect() as client, OvertakingClient(anvil.url) as overtaking:
            outcome = await fight(shared_devnet, client, town, parse_fault(FAULT), honest_client=overtaking)
            receipts = await client.get_receipts(overtaking.sent)
        assert outcome.liar_is_out
        assert not outcome.honest_is_out
        failed = sum(receipt is not None and not receipt.succeeded for receipt in receipts)
        assert overtaking.overtaken > 8, overtaking.overtaken
        assert failed > 5, failed  # all but what each does for itself: stake, claim, withdraw
        owners = {event.claim: event.owner for event in outcome.events if isinstance(event, Claimed)}
        assert {THIEF, shared_devnet.cast.challenger.address} <= set(owners.values())
        (killed,) = [event for event in outcome.events if isinstance(event, Eliminated)]
        assert owners[killed.winner] == shared_devnet.cast.challenger.address  # whoever sent the last proof
        assert killed.bounty == shared_devnet.deployment.preset.bond // 10

    with shared_devnet.anvil.snapshot():
        asyncio.run(play())

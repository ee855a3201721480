"""What users do on L1 itself: deposit, force, and have a withdrawal paid against a confirmed root."""

from devnet.wallet import Wallet
from optimist.derive.actions import ForcedWithdraw
from optimist.l1.codec import Abi
from optimist.l1.contracts import Contract
from optimist.l1.types import Receipt
from optimist.node.proofs import WithdrawalProof

# The part of TestToken's ABI that contracts of ours do not use.
_TOKEN = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": "to", "type": "address"}, {"name": "amount", "type": "uint256"}],
    }
    for name in ("mint", "approve")
]


class Bank:
    """The Vault and its token, as a user meets them."""

    def __init__(self, vault: Contract, inbox: Contract, token: bytes) -> None:
        self._vault = vault
        self._inbox = inbox
        self._token = Contract(token, Abi("TestToken", _TOKEN))

    async def mint(self, wallet: Wallet, amount: int) -> None:
        """New devnet dollars (1e-6 USD) for the wallet's owner, and the Vault's permission to take them."""
        await wallet.call(self._token, "mint", wallet.actor.address, amount)
        await wallet.call(self._token, "approve", self._vault.address, amount)

    async def open_account(self, wallet: Wallet, amount: int) -> tuple[int, Receipt]:
        """Open an account with a first deposit; its id, and the receipt of the deposit."""
        await self.mint(wallet, amount)
        receipt = await wallet.call(self._vault, "openAccount", wallet.actor.address, amount)
        for log in receipt.logs:
            decoded = self._vault.abi.decode_event(log) if log.address == self._vault.address else None
            if decoded is not None and decoded[0] == "AccountOpened":
                return int(decoded[1]["account"]), receipt
        raise LookupError("openAccount did not log AccountOpened: is this our Vault?")

    async def top_up(self, wallet: Wallet, account: int, amount: int) -> Receipt:
        """Deposit into an account of the wallet's owner."""
        await self.mint(wallet, amount)
        return await wallet.call(self._vault, "topUp", account, wallet.actor.address, amount)

    async def force_withdrawal(self, wallet: Wallet, account: int, amount: int) -> Receipt:
        """Ask L1 for a withdrawal, in full: no sequencer can leave it out for longer than its deadline."""
        return await wallet.call(self._inbox, "force", ForcedWithdraw(account, amount, amount).encode())

    async def pay(self, wallet: Wallet, proof: WithdrawalProof) -> Receipt:
        """Have a withdrawal paid that a confirmed state holds; anybody may send this."""
        return await wallet.call(
            self._vault,
            "pay",
            proof.node,
            proof.root,
            proof.batch,
            proof.row,
            proof.record,
            proof.siblings,
        )

"""What users do on L1 itself: deposit, force, and have a withdrawal paid against a confirmed root."""

from dataclasses import dataclass

from devnet.history import RollupHistory
from devnet.wallet import Wallet
from optimist.base.merkle import ZERO
from optimist.derive.actions import ForcedWithdraw
from optimist.derive.commitments import compute_leaf
from optimist.l1.codec import Abi
from optimist.l1.contracts import Contract
from optimist.l1.events import Confirmed, NodeCreated
from optimist.l1.types import Receipt
from optimist.vm.records import build_state_tree, compute_record_key, unpack_record

WITHDRAWAL_TABLE = 9

# The part of TestToken's ABI that contracts of ours do not use.
_TOKEN = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": "to", "type": "address"}, {"name": "amount", "type": "uint256"}],
    }
    for name in ("mint", "approve")
]


@dataclass(frozen=True, slots=True)
class ProvenWithdrawal:
    """A withdrawal record of a confirmed state, and what opens it on L1. Amount in 1e-6 USD."""

    node: bytes
    root: bytes
    batch: int
    row: int
    recipient: bytes
    amount: int
    account: int
    reason: int
    siblings: list[bytes]


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
        """Ask L1 itself for a withdrawal: no sequencer can leave it out for longer than its deadline."""
        return await wallet.call(self._inbox, "force", ForcedWithdraw(account, amount).encode())

    async def pay(self, wallet: Wallet, withdrawal: ProvenWithdrawal) -> Receipt:
        """Have a proven withdrawal paid; anybody may send this."""
        record = {
            "recipient": withdrawal.recipient,
            "amount": withdrawal.amount,
            "account": withdrawal.account,
            "reason": withdrawal.reason,
        }
        return await wallet.call(
            self._vault,
            "pay",
            withdrawal.node,
            withdrawal.root,
            withdrawal.batch,
            withdrawal.row,
            record,
            withdrawal.siblings,
        )


def prove_withdrawal(history: RollupHistory, row: int) -> ProvenWithdrawal | None:
    """What opens the record at `row` under the last confirmed assertion; None while it is not in there."""
    confirmed = [located.event.node for located in history.events if isinstance(located.event, Confirmed)]
    if not confirmed:
        return None
    node = next(
        located.event
        for located in history.events
        if isinstance(located.event, NodeCreated) and located.event.node == confirmed[-1]
    )
    root = history.get_end_root(node.to)
    if root is None or compute_leaf(root, node.to, ZERO) != node.end:
        raise LookupError(f"the confirmed node 0x{node.node.hex()} is not what the law says")
    records = history.get_records(node.to)
    key = compute_record_key(WITHDRAWAL_TABLE, row)
    if key not in records:
        return None
    recipient, amount, account, reason, *_ = unpack_record(records[key])
    siblings = build_state_tree(records).siblings(key)
    return ProvenWithdrawal(
        node.node, root, node.to, row, recipient.to_bytes(20, "big"), amount, account, reason, siblings
    )

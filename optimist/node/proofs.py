"""Proofs for the Vault: what opens a withdrawal record under a confirmed assertion. `docs/PROTOCOL.md` §6."""

from dataclasses import dataclass
from typing import Final

from optimist.base.merkle import ZERO
from optimist.derive.commitments import compute_leaf
from optimist.node.assertions import AssertionTree
from optimist.node.node import Node
from optimist.vm.records import build_state_tree, compute_record_key, unpack_record

WITHDRAWAL_TABLE: Final = 9


class FalseConfirmation(Exception):
    """L1 has confirmed a root that the law does not give. Stop: there is nothing to prove against it."""


@dataclass(frozen=True, slots=True)
class WithdrawalProof:
    """The arguments of `Vault.pay`. Amount in 1e-6 USD; 48 siblings from the leaf upwards."""

    node: bytes
    root: bytes
    batch: int
    row: int
    recipient: bytes
    amount: int
    account: int
    reason: int
    siblings: tuple[bytes, ...]

    @property
    def record(self) -> dict[str, int | bytes]:
        """The `Withdrawal` struct of the Vault."""
        return {
            "recipient": self.recipient,
            "amount": self.amount,
            "account": self.account,
            "reason": self.reason,
        }


def prove_withdrawals(node: Node, rows: list[int]) -> list[WithdrawalProof]:
    """Proofs of those of `rows` that the last confirmed state holds. Costs a pass over the whole state.

    Raises FalseConfirmation, and UnknownBatch while the node has not derived the confirmed batch.
    """
    confirmed = AssertionTree(node.events).last_confirmed
    root = node.ledger.get_end_root(confirmed.to)
    if root is not None and compute_leaf(root, confirmed.to, ZERO) != confirmed.end:
        raise FalseConfirmation(
            f"L1 has confirmed root 0x{confirmed.end_root.hex()} after batch {confirmed.to}, "
            f"the law gives 0x{root.hex()}"
        )
    records = node.ledger.get_records(confirmed.to)
    tree = build_state_tree(records)
    proofs = []
    for row in rows:
        key = compute_record_key(WITHDRAWAL_TABLE, row)
        if key not in records:
            continue
        recipient, amount, account, reason, *_ = unpack_record(records[key])
        proofs.append(
            WithdrawalProof(
                node=confirmed.id,
                root=tree.root,
                batch=confirmed.to,
                row=row,
                recipient=recipient.to_bytes(20, "big"),
                amount=amount,
                account=account,
                reason=reason,
                siblings=tuple(tree.siblings(key)),
            )
        )
    return proofs


def find_withdrawals(node: Node, account: int) -> list[int]:
    """Rows of all withdrawals of `account` in the newest state, whether they can be proven yet or not."""
    rows = []
    first = compute_record_key(WITHDRAWAL_TABLE, 0)
    limit = compute_record_key(WITHDRAWAL_TABLE + 1, 0)
    for key, record in node.ledger.state.items():
        if first <= key < limit and unpack_record(record)[2] == account:
            rows.append(key - first)
    return sorted(rows)

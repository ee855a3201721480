"""Twin of `Inbox.sol` and `Vault.sol`: the same checks in the same order, on plain data.

Written from `docs/PROTOCOL.md` with the project's own encoders. It serves tests alone: what a node knows of
the Inbox it derives from events, not from a twin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from challenger.game.types import Revert
from optimist.base.merkle import ZERO, root_from_path
from optimist.derive.actions import Deposit, Forced
from optimist.derive.batch import Header
from optimist.derive.commitments import (
    compute_accumulator,
    compute_chain_links,
    compute_leaf,
)
from optimist.derive.rows import MAX_INPUT_BYTES
from optimist.node.proofs import WITHDRAWAL_TABLE
from optimist.vm.records import compute_record_key, compute_record_leaf, pack_record
from tests.support.mirror import BACKSTOP, SEQUENCER, Limits

FORCED_ENVELOPE: Final = 26  # bytes
SEQUENCED: Final = 5  # origin
STATE_DEPTH: Final = 48
NOBODY: Final = bytes(20)


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """What the Inbox keeps of a batch."""

    accumulator: bytes
    head: bytes
    cumulative: int
    last: int


@dataclass(frozen=True, slots=True)
class Posted:
    """What the sequencer says about a batch."""

    queue_count: int
    first: int
    last: int
    rows: bytes


class InboxTwin:
    """The queue, and the batches."""

    def __init__(self, limits: Limits, vault: bytes, first: SealedBatch) -> None:
        """`first` is batch 1, the INIT input."""
        self.limits = limits
        self.vault = vault
        self.batches = [SealedBatch(ZERO, ZERO, 0, 0), first]
        self.queue: list[tuple[bytes, int]] = []  # input, second
        self.next = 0

    def enqueue_deposit(self, sender: bytes, now: int, deposit: Deposit) -> None:
        """The Vault has received money."""
        if sender != self.vault:
            raise Revert("NotVault", sender)
        self.queue.append((deposit.encode(), now))

    def force(self, sender: bytes, now: int, body: bytes) -> None:
        """Anybody forces anything."""
        if len(body) > MAX_INPUT_BYTES - FORCED_ENVELOPE:
            raise Revert("BadInputLength", len(body))
        self.queue.append((Forced(sender, now, body).encode(), now))

    def append_batch(self, sender: bytes, now: int, previous: bytes, expected: bytes, batch: Posted) -> None:
        """The sequencer posts a batch."""
        last = self.batches[-1]
        if sender != SEQUENCER:
            raise Revert("NotSequencer", sender)
        if previous != last.accumulator:
            raise Revert("WrongPrevious", previous)
        if batch.first < last.last:
            raise Revert("FirstBeforePrevious", batch.first)
        if batch.last < batch.first:
            raise Revert("LastBeforeFirst", batch.last)
        if batch.last > now + self.limits.drift:
            raise Revert("TooFarAhead", batch.last)
        if batch.first + self.limits.max_delay < now:
            raise Revert("TooFarBehind", batch.first)
        sealed = self.compute_sealed(now, batch, mode=0)
        if sealed.accumulator != expected:
            raise Revert("WrongAccumulator", sealed.accumulator)
        self._keep(sealed, batch.queue_count)

    def seal_public(self, now: int, queue_count: int) -> None:
        """Anybody seals a batch of overdue items."""
        if not queue_count:
            raise Revert("EmptyPublicBatch")
        if not self.is_overdue(now, self.next):
            raise Revert("NothingOverdue", now)
        second = max(self.batches[-1].last, now)
        self._keep(self.compute_sealed(now, Posted(queue_count, second, second, b""), mode=1), queue_count)

    def is_overdue(self, now: int, index: int) -> bool:
        """Whether an item has waited for longer than the deadline."""
        return index < len(self.queue) and self.queue[index][1] + self.limits.forced_deadline < now

    def compute_sealed(self, now: int, batch: Posted, mode: int) -> SealedBatch:
        """The batch, if it may be sealed. Raises Revert."""
        rows, limits, last = _split_rows(batch.rows), self.limits, self.batches[-1]
        count = 1 + batch.queue_count + len(rows)
        if count > limits.max_batch:
            raise Revert("TooManyInputs", count)
        if batch.queue_count > limits.max_queue_items:
            raise Revert("TooManyQueueItems", batch.queue_count)
        if batch.queue_count > len(self.queue) - self.next:
            raise Revert("QueueTooShort", batch.queue_count)
        end = self.next + batch.queue_count
        if batch.queue_count < limits.max_queue_items and self.is_overdue(now, end):
            raise Revert("OverdueItemLeft", end)
        header = Header(len(self.batches), batch.first, batch.last, mode).encode()
        items = [data for data, _ in self.queue[self.next : end]]
        head = compute_chain_links([header, *items, *rows])[0]
        accumulator = compute_accumulator(last.accumulator, head, count)
        return SealedBatch(accumulator, head, last.cumulative + count, batch.last)

    def _keep(self, sealed: SealedBatch, queue_count: int) -> None:
        self.batches.append(sealed)
        self.next += queue_count


@dataclass(frozen=True, slots=True)
class Payment:
    """A withdrawal record and its path in the state of a confirmed node. `siblings` from the leaf upwards."""

    root: bytes
    batch: int
    row: int
    recipient: bytes
    amount: int
    account: int
    reason: int
    siblings: Sequence[bytes]

    @property
    def key(self) -> int:
        """Of the record in the state tree."""
        return compute_record_key(WITHDRAWAL_TABLE, self.row)

    @property
    def leaf(self) -> bytes:
        """Of the record: four words, and four that are zero."""
        recipient = int.from_bytes(self.recipient, "big")
        return compute_record_leaf(pack_record((recipient, self.amount, self.account, self.reason)))


@dataclass(slots=True)
class VaultTwin:
    """Accounts, and what was paid."""

    limits: Limits
    inbox: InboxTwin
    address: bytes
    owners: list[bytes] = field(default_factory=lambda: [BACKSTOP])
    held: int = 0
    paid: set[int] = field(default_factory=set)
    balances: dict[bytes, int] = field(default_factory=dict)  # of the token
    allowances: dict[bytes, int] = field(default_factory=dict)  # to the Vault

    def open_account(self, sender: bytes, now: int, owner: bytes, amount: int) -> None:
        """A new account with a first deposit."""
        if owner == NOBODY:
            raise Revert("ZeroAddress")
        self._deposit(sender, now, Deposit(len(self.owners), owner, amount))
        self.owners.append(owner)

    def top_up(self, sender: bytes, now: int, account: int, expected_owner: bytes, amount: int) -> None:
        """Another deposit."""
        if account >= len(self.owners):
            raise Revert("UnknownAccount", account)
        owner = self.owners[account]
        if owner != expected_owner:
            raise Revert("WrongOwner", owner)
        self._deposit(sender, now, Deposit(account, owner, amount))

    def _deposit(self, sender: bytes, now: int, deposit: Deposit) -> None:
        amount = deposit.amount
        if not 1 <= amount <= self.limits.max_deposit:
            raise Revert("BadAmount", amount)
        if self.held + amount > self.limits.max_total:
            raise Revert("TotalAboveCap", self.held + amount)
        if min(self.balances.get(sender, 0), self.allowances.get(sender, 0)) < amount:
            raise Revert("TransferFailed")
        self.held += amount
        self.allowances[sender] -= amount
        self._move(sender, self.address, amount)
        self.inbox.enqueue_deposit(self.address, now, deposit)

    def pay(self, end: bytes | None, claim: Payment) -> None:
        """Pay a withdrawal against `end`, the leaf of the node if that is confirmed."""
        if end is None:
            raise Revert("NotConfirmed")
        if compute_leaf(claim.root, claim.batch, ZERO) != end:
            raise Revert("WrongLeaf")
        if len(claim.siblings) != STATE_DEPTH:
            raise Revert("WrongProofLength", len(claim.siblings))
        if not claim.amount:
            raise Revert("NothingToPay", claim.row)
        if root_from_path(claim.key, claim.leaf, claim.siblings) != claim.root:
            raise Revert("WrongRoot")
        if claim.row in self.paid:
            raise Revert("AlreadyPaid", claim.row)
        if claim.amount > self.held:
            raise Revert("Panic")
        self.paid.add(claim.row)
        self.held -= claim.amount
        self._move(self.address, claim.recipient, claim.amount)

    def _move(self, sender: bytes, recipient: bytes, amount: int) -> None:
        self.balances[sender] -= amount
        self.balances[recipient] = self.balances.get(recipient, 0) + amount


def _split_rows(rows: bytes) -> list[bytes]:
    """The inputs of a batch, each behind its length. Raises Revert at the first that is not sound."""
    inputs, at = [], 0
    while at < len(rows):
        left = len(rows) - at
        if left < 2:
            raise Revert("BadInputLength", left)
        length = int.from_bytes(rows[at : at + 2], "big")
        if not 1 <= length <= min(left - 2, MAX_INPUT_BYTES):
            raise Revert("BadInputLength", length)
        if rows[at + 2] != SEQUENCED:
            raise Revert("WrongOrigin", rows[at + 2])
        inputs.append(rows[at + 2 : at + 2 + length])
        at += 2 + length
    return inputs

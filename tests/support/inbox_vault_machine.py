"""Inbox and Vault in the hands of Hypothesis, beside their twin. All is compared after every single call."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from challenger.calls import Call
from challenger.game.types import Batch, Parameters, Revert
from challenger.strategy import acts
from optimist.base.merkle import ZERO, SparseTree
from optimist.derive.actions import Deposit
from optimist.derive.batch import derive_batch
from optimist.derive.commitments import compute_assertion_id, compute_input_hash, compute_leaf
from optimist.derive.rows import MAX_INPUT_BYTES, encode_rows
from optimist.l1 import events
from tests.support.arena import address
from tests.support.inbox_vault_twin import (
    FORCED_ENVELOPE,
    NOBODY,
    STATE_DEPTH,
    InboxTwin,
    Payment,
    Posted,
    SealedBatch,
    VaultTwin,
)
from tests.support.mirror import SEQUENCER, START, Limits, MirrorArena
from tests.support.twin_table import Tally
from tests.support.whole_state import Check, Word

PARAMETERS: Final = Parameters(3, 2, 2, challenge_period=150, grace=0, min_period=0)
LIMITS: Final = Limits(
    max_batch=6,
    max_queue_items=3,
    forced_deadline=100,
    max_delay=400,
    drift=60,
    max_deposit=1_000,
    max_total=3_000,
)
PEOPLE: Final = tuple(address(i) for i in range(1, 6))
POOR: Final = PEOPLE[-1]  # has money, but does not let the Vault take it
WORTH: Final = 10_000  # 1e-6 USD of everybody
BODY_LIMIT: Final = MAX_INPUT_BYTES - FORCED_ENVELOPE
Fault = Callable[[Posted], Posted]
BATCH_FAULTS: Final[dict[str, Fault]] = {
    "begins too early": lambda batch: replace(batch, first=max(0, batch.first - 10_000)),
    "ends before it begins": lambda batch: replace(batch, last=batch.first - 1),
    "too far behind": lambda batch: batch,  # as old as can be, long after the last one
    "too far ahead": lambda batch: replace(batch, last=batch.last + 10_000),
    "half a length": lambda batch: replace(batch, rows=batch.rows + b"\x00"),
    "an empty row": lambda batch: replace(batch, rows=b"\x00\x00"),
    "a row too long": lambda batch: replace(batch, rows=(1_025).to_bytes(2, "big") + b"\x05" * 1_025),
    "a row cut off": lambda batch: replace(batch, rows=batch.rows + b"\x00\x02\x05"),
    "a row that mints": lambda batch: replace(batch, rows=b"\x00\x01\x03"),
    "too many rows": lambda batch: replace(batch, rows=encode_rows([b"\x05"] * 6)),
    "too many items": lambda batch: replace(batch, queue_count=4, rows=b""),
    "items that are not there": lambda batch: replace(batch, queue_count=batch.queue_count + 1),
    "an item left behind": lambda batch: replace(batch, queue_count=max(0, batch.queue_count - 1)),
}


class InboxVaultMachine(RuleBasedStateMachine):
    """One deployment. `tally` counts over all of them."""

    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.arena = MirrorArena(PARAMETERS, [], LIMITS.max_batch, LIMITS)
        self.contracts = self.arena.contracts
        first = self.arena.state.batches[1]
        vault = self.contracts.addresses["Vault"]
        sealed = SealedBatch(first.accumulator, first.head, first.cumulative, START)
        self.inbox = InboxTwin(LIMITS, vault, sealed)
        self.vault = VaultTwin(LIMITS, self.inbox, vault)
        self.payments: list[tuple[bytes, Payment]] = []  # by node
        self.rows = 0  # of withdrawals so far
        self.vault.balances = dict.fromkeys((*PEOPLE, vault), 0)
        for who in PEOPLE:
            self._fill_purse(who)

    def _fill_purse(self, who: bytes) -> None:
        allowance = 0 if who == POOR else WORTH
        for call in (("mint", (who, WORTH)), ("approve", (self.vault.address, allowance))):
            assert self.contracts.send(who, Call("TestToken", *call)) == ""
        self.vault.balances[who], self.vault.allowances[who] = WORTH, allowance

    def teardown(self) -> None:
        """Who knows nothing but the events knows every batch, and nothing in it can be changed unnoticed."""
        found = [located.event for located in self.contracts.read_events()]
        items = [event.input for event in found if isinstance(event, events.QueueItem)]
        previous = ZERO
        for event in found:
            if isinstance(event, events.BatchSealed):
                queue = items[event.queue_from : event.queue_from + event.queue_count]
                batch = derive_batch(event.to_sealed_batch(), queue, previous)
                previous = batch.accumulator
                assert previous == self.inbox.batches[event.batch].accumulator
        assert previous == self.inbox.batches[-1].accumulator

    # -------------------------------------------------------------------------------------------- calls

    def _call(self, sender: bytes, contract: str, function: str, arguments: Any, rule: Any) -> str:
        call = Call(contract, function, arguments)
        error = self.arena.play_call(sender, call, rule)
        self.tally.add(f"{contract}.{function}", error)
        self._compare()
        return error

    def _compare(self) -> None:
        check, inbox, vault = Check(self.contracts), self.inbox, self.vault
        for getter, count in (("batchCount", len(inbox.batches) - 1), ("queueNext", inbox.next)):
            check.words("Inbox", getter, b"", [count])
        check.words("Inbox", "queueLength", b"", [len(inbox.queue)])
        for number, batch in enumerate(inbox.batches):
            fields: dict[str, Word] = {"acc": batch.accumulator, "head": batch.head}
            fields |= {"cum": batch.cumulative, "last": batch.last}
            check.fields("Inbox", "getBatch", _key(number), fields)
        for index, (data, second) in enumerate([*inbox.queue, (b"", 0)]):
            digest = compute_input_hash(data) if data else ZERO
            check.fields("Inbox", "getQueueItem", _key(index), {"hash": digest, "enqueued_at": second})
        check.words("Vault", "nextAccount", b"", [len(vault.owners)])
        check.words("Vault", "held", b"", [vault.held])
        for account, owner in enumerate([*vault.owners, NOBODY]):
            check.words("Vault", "ownerOf", _key(account), [owner])
        for row in range(self.rows + 2):
            check.words("Vault", "isPaid", _key(row), [row in vault.paid])
        for who, balance in vault.balances.items():
            check.words("TestToken", "balanceOf", who, [balance])
        check.run()
        self.arena.compare()

    def _follow_batches(self) -> None:
        """The game reads the Inbox as well."""
        for batch in self.inbox.batches[len(self.arena.state.batches) :]:
            self.arena.state.batches.append(Batch(batch.accumulator, batch.head, batch.cumulative))
            self.arena.sealed_at.append(batch.last)

    # -------------------------------------------------------------------------------------------- rules

    @rule(seconds=st.sampled_from((1, 30, 99, 101, 500)))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.arena.now += seconds

    @rule(who=st.sampled_from(PEOPLE), length=st.sampled_from((0, 1, 40, BODY_LIMIT, BODY_LIMIT + 1)))
    def force(self, who: bytes, length: int) -> None:
        """Anybody forces anything."""
        body = bytes(length)
        self._call(who, "Inbox", "force", (body,), lambda: self.inbox.force(who, self.arena.now, body))

    @rule(who=st.sampled_from(PEOPLE), amount=st.sampled_from((0, 1, 700, 1_000, 1_001)))
    def enqueue_a_deposit(self, who: bytes, amount: int) -> None:
        """Somebody would like to have deposited."""
        deposit = Deposit(0, who, amount)
        arguments = (0, who, amount)
        rule = self.inbox.enqueue_deposit
        self._call(who, "Inbox", "enqueueDeposit", arguments, lambda: rule(who, self.arena.now, deposit))

    @rule(
        who=st.sampled_from(PEOPLE),
        owner=st.sampled_from((*PEOPLE[:2], NOBODY)),
        amount=st.sampled_from((1, 0, 300, 700, 1_000, 1_001)),
    )
    def open_an_account(self, who: bytes, owner: bytes, amount: int) -> None:
        """A new account."""
        rule = self.vault.open_account
        self._call(
            who, "Vault", "openAccount", (owner, amount), lambda: rule(who, self.arena.now, owner, amount)
        )

    @rule(
        who=st.sampled_from(PEOPLE),
        account=st.integers(0, 5),
        wrong=st.sampled_from((False, False, True)),
        amount=st.sampled_from((1, 0, 300, 700, 1_000, 1_001)),
    )
    def top_up(self, who: bytes, account: int, wrong: bool, amount: int) -> None:
        """Another deposit."""
        owners = self.vault.owners
        owner = PEOPLE[4] if wrong or account >= len(owners) else owners[account]
        rule, arguments = self.vault.top_up, (account, owner, amount)
        self._call(who, "Vault", "topUp", arguments, lambda: rule(who, self.arena.now, *arguments))

    @rule(
        rows=st.lists(st.binary(max_size=2), max_size=2),
        item_count=st.integers(0, 3),
        liar=st.sampled_from(("", "", "", "sender", "previous", "expected")),
    )
    def append_a_batch(self, rows: list[bytes], item_count: int, liar: str) -> None:
        """The sequencer posts a batch; or somebody else does, or it was built on something else."""
        waiting = len(self.inbox.queue) - self.inbox.next
        first = max(self.inbox.batches[-1].last, self.arena.now - 10)
        batch = Posted(min(waiting, item_count), first, first, encode_rows([b"\x05" + row for row in rows]))
        self._append(batch, liar)

    @rule(faults=st.lists(st.sampled_from(tuple(BATCH_FAULTS)), min_size=1, max_size=4))
    def append_faulty_batches(self, faults: list[str]) -> None:
        """Batches that are wrong in one place each."""
        for fault in faults:
            last, waiting = self.inbox.batches[-1].last, len(self.inbox.queue) - self.inbox.next
            if fault == "too far behind":
                self.arena.now += LIMITS.max_delay + 1
            first = last if fault == "too far behind" else max(last, self.arena.now - 10)
            sound = Posted(min(waiting, LIMITS.max_queue_items), first, first, b"")
            self._append(BATCH_FAULTS[fault](sound))

    def _append(self, batch: Posted, liar: str = "") -> None:
        now, last = self.arena.now, self.inbox.batches[-1]
        try:
            expected = self.inbox.compute_sealed(now, batch, mode=0).accumulator
        except Revert:
            expected = ZERO
        sender = PEOPLE[0] if liar == "sender" else SEQUENCER
        previous = last.accumulator[::-1] if liar == "previous" else last.accumulator
        expected = expected[::-1] if liar == "expected" else expected
        arguments = (previous, expected, batch.queue_count, batch.first, batch.last, batch.rows)
        rule = self.inbox.append_batch
        self._call(
            sender,
            "Inbox",
            "appendBatch",
            arguments,
            lambda: self._sealing(lambda: rule(sender, now, previous, expected, batch)),
        )

    @rule(who=st.sampled_from(PEOPLE), item_count=st.integers(0, 4), is_late=st.booleans())
    def seal_publicly(self, who: bytes, item_count: int, is_late: bool) -> None:
        """Anybody seals, when the deadline has passed or before."""
        if is_late:
            self.arena.now += LIMITS.forced_deadline + 1
        rule, now = self.inbox.seal_public, self.arena.now
        self._call(
            who, "Inbox", "sealPublic", (item_count,), lambda: self._sealing(lambda: rule(now, item_count))
        )

    def _sealing(self, do: Callable[[], None]) -> None:
        do()
        self._follow_batches()

    @rule(amounts=st.lists(st.sampled_from((1, 50, 400, 0, 2_900)), min_size=1, max_size=3))
    def confirm_a_state(self, amounts: list[int]) -> None:
        """A state with withdrawals in it is claimed by somebody and, undisputed, confirmed."""
        self._confirm(amounts)

    @rule(
        amounts=st.lists(st.sampled_from((1, 100, 300, 0)), min_size=1, max_size=3),
        who=st.sampled_from(PEOPLE[:4]),
    )
    def deposit_and_be_paid(self, amounts: list[int], who: bytes) -> None:
        """The way of money, from a deposit to its payment; and no payment twice."""
        self.open_an_account(who, who, 1_000)
        self.top_up(who, len(self.vault.owners) - 1, False, 100)
        first = max(self.inbox.batches[-1].last, self.arena.now)
        waiting = len(self.inbox.queue) - self.inbox.next
        self._append(Posted(min(waiting, LIMITS.max_queue_items), first, first, b""))
        known = len(self.payments)
        self._confirm(amounts)
        for node, payment in self.payments[known:]:
            self._pay(node, payment)
            self._pay(node, payment)

    @rule(who=st.sampled_from(PEOPLE), count=st.integers(1, 4))
    def be_censored(self, who: bytes, count: int) -> None:
        """What the sequencer leaves out, anybody seals after the deadline; a batch without it is refused."""
        for _ in range(count):
            self.force(who, 1)
        self.arena.now += LIMITS.forced_deadline + 1
        first = max(self.inbox.batches[-1].last, self.arena.now)
        self._append(Posted(0, first, first, b""))
        while self.inbox.is_overdue(self.arena.now, self.inbox.next):
            waiting = len(self.inbox.queue) - self.inbox.next
            self.seal_publicly(who, min(waiting, LIMITS.max_queue_items), False)

    def _confirm(self, amounts: list[int]) -> None:
        arena = self.arena
        tip = next(i for i in reversed(arena.state.rounds) if arena.rollup.is_confirmed(i))
        to = arena.state.rounds[tip].to
        if to > arena.state.batch_count:
            return
        made = [self._make_payment(to, self.rows + i, amount) for i, amount in enumerate(amounts)]
        tree = SparseTree(STATE_DEPTH, {payment.key: payment.leaf for payment in made})
        self.rows += len(made)
        who = address(1_000 + self.rows)
        arena.play(who, acts.Stake())
        arena.play(who, acts.AssertState(tip, tree.root, to, arena.state.batches[to].accumulator))
        node = compute_assertion_id(tip, compute_leaf(tree.root, to, ZERO))
        arena.now += PARAMETERS.challenge_period
        assert arena.play(who, acts.Confirm(node)) == ""
        for payment in made:
            siblings = tree.siblings(payment.key)
            self.payments.append((node, replace(payment, root=tree.root, siblings=siblings)))

    def _make_payment(self, batch: int, row: int, amount: int) -> Payment:
        return Payment(ZERO, batch, row, PEOPLE[row % 3], amount, row % 2, 1, ())

    @precondition(lambda self: self.payments)
    @rule(data=st.data(), fault=st.sampled_from(("", "", "", "node", "batch", "siblings", "amount", "row")))
    def pay(self, data: st.DataObject, fault: str) -> None:
        """Anybody asks for a payment, with a sound proof or with a fault in it."""
        node, payment = data.draw(st.sampled_from(self.payments))
        match fault:
            case "node":
                node = node[::-1]
            case "batch":
                payment = replace(payment, batch=payment.batch + 1)
            case "siblings":
                payment = replace(payment, siblings=payment.siblings[:-1])
            case "amount":
                payment = replace(payment, amount=payment.amount + 1)
            case "row":
                payment = replace(payment, row=payment.row + 1)
            case _:
                pass
        self._pay(node, payment)

    def _pay(self, node: bytes, payment: Payment) -> None:
        end = self.arena.state.nodes[node].end if self.arena.rollup.is_confirmed(node) else None
        record = (payment.recipient, payment.amount, payment.account, payment.reason)
        arguments = (node, payment.root, payment.batch, payment.row, record, payment.siblings)
        self._call(PEOPLE[0], "Vault", "pay", arguments, lambda: self.vault.pay(end, payment))


def _key(number: int) -> bytes:
    return number.to_bytes(8, "big")

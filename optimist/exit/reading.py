"""Gathers the facts of one account: its own execution of L1, and some questions to the Rollup at a block."""

from typing import Any, Final

from optimist.base.merkle import ZERO
from optimist.derive.commitments import compute_leaf
from optimist.derive.timing import compute_due_at, compute_ripe_at
from optimist.exit.facts import NOT_SEALED, Bond, Facts, Payment, PendingRoot, Queue, Roots, Times
from optimist.exit.outlook import find_accounts, look_ahead, measure
from optimist.l1.contracts import read_many
from optimist.l1.errors import L1Unavailable
from optimist.l1.events import Paid
from optimist.node.assertions import Assertion, AssertionTree
from optimist.node.ledger import UnknownBatch
from optimist.node.node import Node
from optimist.node.opening import OpenNode
from optimist.provable import State
from optimist.sequencer.views import get_record
from optimist.stf.records import WindDown, Withdrawal

NOTHING_YET: Final = "L1 shows no batch of this rollup yet"


class NoSuchAccount(Exception):
    """The account does not exist, or is somebody else's."""


def choose_account(opened: OpenNode, owner: bytes) -> int:
    """The account of an address, if it has one. Raises NoSuchAccount or L1Unavailable."""
    found = find_accounts(_look_ahead(opened)[0], owner)
    if len(found) == 1:
        return found[0]
    what = f"owns the accounts {', '.join(map(str, found))}" if found else "owns no account that L1 knows of"
    raise NoSuchAccount(f"the key 0x{owner.hex()} {what}: say which one with --account")


async def read_facts(opened: OpenNode, account: int, sender: bytes | None) -> Facts:
    """What there is to know now; the node must be caught up.

    sender: address of the key that would act; None: nobody's. Raises NoSuchAccount or L1Error.
    """
    node, preset = opened.node, opened.deployment.preset
    future, queue = _look_ahead(opened)
    head, state = node.head, node.ledger.state
    if head is None:
        raise L1Unavailable(NOTHING_YET)
    here, ahead = measure(state, account), measure(future, account)
    if ahead.owner == bytes(20):
        raise NoSuchAccount(f"there is no account {account} on L1 so far")
    if sender not in (None, ahead.owner):
        raise NoSuchAccount(
            f"account {account} belongs to 0x{ahead.owner.hex()}, the key to 0x{sender.hex()}"
        )
    rule = get_record(state, WindDown, 0)
    times = Times(preset.forced_deadline, preset.challenge_period, rule.silence, rule.window)
    tree = AssertionTree(node.events)
    return Facts(
        now=node.timestamp,
        account=account,
        batches=node.ledger.batch_count,
        times=times,
        queue=queue,
        is_queue_ours=here != ahead,
        ahead=ahead,
        payments=_find_payments(node, ahead.rows),
        roots=await _read_roots(opened, tree, head.hash),
        bond=await _read_bond(opened, tree, head.hash, sender),
    )


def _look_ahead(opened: OpenNode) -> tuple[State, Queue]:
    """The state once L1's queue is sealed as soon as anybody may, and that queue."""
    node = opened.node
    last = node.ledger.last
    if last is None:
        raise L1Unavailable(NOTHING_YET)
    waiting = node.get_queue(last.queue_next)
    deadline = opened.deployment.preset.forced_deadline
    seal_at = waiting[0].enqueued_at + deadline + 1 if waiting else 0
    second = max(node.timestamp, last.last, seal_at)
    state = look_ahead(opened.law.native, node.ledger.state, [item.input for item in waiting], second)
    return state, Queue(len(waiting), seal_at)


def _find_payments(node: Node, rows: tuple[tuple[int, int], ...]) -> tuple[Payment, ...]:
    paid = {located.event.row for located in node.events if isinstance(located.event, Paid)}
    return tuple(
        Payment(row, amount, NOT_SEALED if row in paid else _find_batch(node, row), row in paid)
        for row, amount in rows
    )


def _find_batch(node: Node, row: int) -> int:
    """The batch that wrote a withdrawal. Of one that is forgotten: the last such, which is confirmed."""
    key = Withdrawal.record_base + row  # type: ignore[attr-defined]  # the decorator of records adds it
    ledger = node.ledger
    if ledger.state.get_bytes(key) is None:
        return NOT_SEALED
    for number in range(ledger.batch_count, ledger.forgotten, -1):
        try:
            applied = ledger.get_applied(number)
        except UnknownBatch:
            break
        if key in applied.undo:
            return number
    return max(ledger.forgotten, 1)


async def _read_roots(opened: OpenNode, tree: AssertionTree, at: bytes) -> Roots:
    """How far the truth has come: the live assertions that our own execution agrees with."""
    node = opened.node
    confirmed = tree.last_confirmed
    path: list[Assertion] = []
    tip = confirmed
    while (following := _find_true_child(node, tree, tip)) is not None:
        path.append(following)
        tip = following
    rollup = opened.deployment.get_contract("Rollup")
    questions = [(rollup, "getNode", (each.id,)) for each in (*path, tip)]
    questions += [(rollup, "getRound", (each.parent,)) for each in path]
    questions += [(rollup, "getRound", (tip.id,))]
    answers = await read_many(opened.client, at, questions)
    nodes, rounds = answers[: len(path) + 1], answers[len(path) + 1 :]
    preset = opened.deployment.preset
    asked: dict[str, Any] = rounds[-1]
    return Roots(
        confirmed_to=confirmed.to,
        path=tuple(
            PendingRoot(
                each.id,
                each.to,
                compute_ripe_at(found["born"], preset.challenge_period, round_["decided_at"], preset.grace)
                if round_["live_ends"] == 1
                else None,
            )
            for each, found, round_ in zip(path, nodes[:-1], rounds[:-1], strict=True)
        ),
        next_at=compute_due_at(nodes[-1]["created_at"], preset.min_period, is_full=asked["full"]),
        is_next_sealed=asked["to"] <= node.ledger.batch_count,
    )


def _find_true_child(node: Node, tree: AssertionTree, parent: Assertion) -> Assertion | None:
    for child in tree.get_children(parent.id):
        root = node.ledger.get_end_root(child.to)
        if child.live and root is not None and child.end == compute_leaf(root, child.to, ZERO):
            return child
    return None


async def _read_bond(opened: OpenNode, tree: AssertionTree, at: bytes, sender: bytes | None) -> Bond:
    if sender is None:
        return Bond()
    rollup = opened.deployment.get_contract("Rollup")
    staker = await rollup.read(opened.client, at, "getStaker", sender)
    if not staker["bond"] or staker["out"]:
        return Bond()
    if staker["last_claim"] == ZERO:
        return Bond(is_down=True, is_free=True)
    claim = await rollup.read(opened.client, at, "getClaim", staker["last_claim"])
    found = tree.get(claim["node"])
    return Bond(is_down=True, is_free=found is not None and found.confirmed)

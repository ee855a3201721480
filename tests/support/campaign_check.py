"""Holds what a killed sequencer has promised against what became of it.

Four witnesses: the client's own log; L1's events, and all that follows from executing them anew; the journal;
the database of the sequencer's node. None of them is asked how it would judge itself.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devnet.history import RollupHistory
from devnet.network import Devnet
from optimist.derive.actions import Sequenced, SignedOrder, Trade
from optimist.derive.commitments import compute_input_hash, compute_soft_history
from optimist.derive.decode import decode, decode_order
from optimist.derive.typed_data import Domain, Signature, SoftConfirmation
from optimist.l1.client import L1Client, require_header
from optimist.l1.events import BatchSealed
from optimist.node.opening import open_node
from optimist.provable import State
from optimist.sequencer.builder import Builder
from optimist.sequencer.chain import NodeChain
from optimist.sequencer.engine import Engine
from optimist.sequencer.entries import OrderPlaced, decode_record
from optimist.sequencer.recovery import recover
from optimist.sequencer.snapshots import Snapshots
from optimist.sequencer.views import find_cancellation
from optimist.stf.records import Group, Withdrawal
from optimist.store.segments import SegmentedJournal
from tests.support.kill_campaign import DEPOSIT, Evidence
from tests.support.ledger import Ledger

TAKEN_BEFORE = frozenset({"ORDER_RESTS_ALREADY", "ORDER_HAD_ITS_TURN"})


@dataclass
class Action:
    """What the client's log says of one action."""

    sent: dict[str, Any]
    answer: dict[str, Any] | None = None
    refused: str = ""
    without_answer: int = 0
    turned_away: int = 0


@dataclass
class Figures:
    """Counts of a campaign; `print` them."""

    counts: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join(f"  {name:<44s}{value}" for name, value in self.counts.items())


class Order:
    """One order: what was promised about it and what L1 has of it."""

    def __init__(self, action: Action) -> None:
        self.action = action
        self.size: int = action.sent["size"]
        self.filled_on_l1 = 0

    @property
    def is_taken(self) -> bool:
        """Whether the client knows that it was taken."""
        return self.action.answer is not None or self.action.refused in TAKEN_BEFORE

    @property
    def was_to_rest(self) -> bool:
        """Whether the client was told that it waits in the book."""
        if self.action.answer is not None:
            return bool(self.action.answer["resting"])
        return self.action.refused == "ORDER_RESTS_ALREADY"


async def check_campaign(network: Devnet, evidence: Evidence) -> Figures:
    """Raises AssertionError at the first promise that was not kept."""
    actions = read_diary(evidence.diary)
    figures = Figures()
    async with network.connect() as client:
        history = await network.read_history(client)
        inputs = [
            applied.data for record in history.batches for applied in record.inputs if applied.data[0] == 5
        ]
        lost = check_inputs(actions, history, inputs)
        check_confirmations(network, actions, inputs)
        orders = check_orders(network, actions, inputs)
        resting = await check_local_data(network, evidence, history)
        check_book(evidence, history, orders, resting)
        transactions = await check_transactions(network, client, history)
        held, owed = await check_money(network, client, evidence, history)
    deaths = sum(evidence.deaths.values())
    figures.counts = {
        "deaths by kill -9": deaths,
        **{f"  {name}": count for name, count in sorted(evidence.deaths.items())},
        "actions sent": len(actions),
        "acknowledged": sum(action.answer is not None for action in actions),
        "acknowledged and lost": lost,
        "sent again after no answer": sum(action.without_answer > 0 for action in actions),
        "taken although the answer was lost": sum(action.refused in TAKEN_BEFORE for action in actions),
        "turned away and sent again": sum(action.turned_away > 0 for action in actions),
        "inputs on L1": len(inputs),
        "inputs on L1 more than once": len(inputs) - len(set(inputs)),
        "trades": sum(kind == b"trade" for kind in kinds(inputs)),
        "resting at the end": len(resting),
        "batches": history.batch_count,
        "transactions that posted one": transactions["succeeded"],
        "reverted transactions to the Inbox": transactions["reverted"],
        "files of the journal at the end": len(list((evidence.datadir / "journal").iterdir())),
        "money in the Vault, 1e-6 USD": held,
        "money that the law owes, 1e-6 USD": owed,
        "seconds to settle after the last start": round(evidence.settled_in, 1),
    }
    return figures


def kinds(inputs: list[bytes]) -> list[bytes]:
    """b"trade" or b"other" of each input."""
    return [b"trade" if is_trade(data) else b"other" for data in inputs]


def is_trade(data: bytes) -> bool:
    """Whether an input is a fill."""
    decoded = decode(data)
    return isinstance(decoded, Sequenced) and isinstance(decoded.action, Trade)


def read_diary(path: Path) -> list[Action]:
    """The client's log, action by action. Every one of them must be settled."""
    actions: dict[int, Action] = {}
    for line in path.read_text().splitlines():
        told = json.loads(line)
        match told["event"]:
            case "send":
                actions[told["n"]] = Action(told)
            case "answer":
                assert actions[told["n"]].answer is None
                actions[told["n"]].answer = told
            case "refused":
                actions[told["n"]].refused = told["name"]
            case "no answer":
                actions[told["n"]].without_answer += 1
            case "turned away":
                actions[told["n"]].turned_away += 1
            case other:
                raise AssertionError(f"the client wrote of {other!r}")
    for action in actions.values():
        assert (action.answer is not None) != bool(action.refused), f"{action.sent} is not settled"
    return list(actions.values())


def check_inputs(actions: list[Action], history: RollupHistory, inputs: list[bytes]) -> int:
    """Nothing acknowledged is lost, nothing is doubled, and what is on L1 is in the order of its numbers.

    Returns how many acknowledged inputs are not on L1.
    """
    assert all(applied.code == 0 for record in history.batches for applied in record.inputs)
    place = {data: index for index, data in enumerate(inputs)}
    assert len(place) == len(inputs), "an input is on L1 twice"
    told = {
        bytes.fromhex(data[2:]) for action in actions if action.answer for data in action.answer["inputs"]
    }
    lost = told - place.keys()
    assert not lost, f"{len(lost)} acknowledged inputs are not on L1"
    for action in actions:
        if action.answer is None:
            continue
        found = [place[bytes.fromhex(data[2:])] for data in action.answer["inputs"]]
        assert found == sorted(found)
        last = action.answer["confirmation"]["number"]
        assert all(each < last for each in found), "confirmed before it was counted"
    return len(lost)


def check_confirmations(network: Devnet, actions: list[Action], inputs: list[bytes]) -> None:
    """Every soft confirmation that anybody got is the history of inputs that L1 has: no equivocation."""
    soft = [bytes(32)]
    for data in inputs:
        soft.append(compute_soft_history(soft[-1], compute_input_hash(data)))
    domain = Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])
    for action in actions:
        if action.answer is None:
            continue
        told = action.answer["confirmation"]
        number, history = told["number"], bytes.fromhex(told["history"][2:])
        assert soft[number] == history, f"another history was confirmed than L1 has at input {number}"
        raw = bytes.fromhex(told["signature"][2:])
        signature = Signature(raw[64], int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))
        signer = SoftConfirmation(number, history).recover(domain, signature)
        assert signer == network.cast.sequencer.address


def check_orders(network: Devnet, actions: list[Action], inputs: list[bytes]) -> dict[str, Order]:
    """Every fill on L1 is of orders that were sent, none of more than its size, and none was hushed up."""
    domain = Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])
    orders = {action.sent["order_id"]: Order(action) for action in actions if action.sent["kind"] == "order"}
    takes: Counter[str] = Counter()
    for data in inputs:
        decoded = decode(data)
        if not (isinstance(decoded, Sequenced) and isinstance(decoded.action, Trade)):
            continue
        trade = decoded.action
        for signed in (trade.maker, trade.taker):
            orders[_order_id(domain, signed)].filled_on_l1 += trade.size
        takes[_order_id(domain, trade.taker)] += trade.size
    for order_id, order in orders.items():
        assert order.filled_on_l1 <= order.size, f"order {order_id} is filled beyond its size"
        if order.action.answer is not None:
            told = order.action.answer["filled"]
            assert takes[order_id] == told, (
                f"order {order_id} took {takes[order_id]}, its owner was told {told}"
            )
        elif order.filled_on_l1:
            assert order.is_taken, f"order {order_id} was refused with {order.action.refused} and filled"
    return orders


def _order_id(domain: Domain, signed: SignedOrder) -> str:
    return "0x" + signed.order.digest(domain).hex()


async def check_local_data(
    network: Devnet, evidence: Evidence, history: RollupHistory
) -> dict[str, OrderPlaced]:
    """Journal and database, opened as the next start would: the same roots, nothing left to post.

    Returns the resting orders by id. `history` is the uninterrupted run: every input once, from genesis on.
    """
    domain = Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])
    async with open_node(
        l1_rpc=[network.anvil.url],
        deployment=network.deployment_file,
        tag="latest",
        l1_timeout=10.0,
        datadir=evidence.datadir,
        history_days=30,
    ) as opened:
        ledger = opened.node.ledger
        assert ledger.batch_count >= history.batch_count - 2, "the database was thrown away"
        for batch in range(1, ledger.batch_count + 1):
            assert ledger.get_end_root(batch) == history.get_end_root(batch), f"root after batch {batch}"
        await opened.node.catch_up()
        assert opened.node.ledger.root == history.get_end_root(history.batch_count)
        chain = NodeChain(opened.node, 0)
        with SegmentedJournal(evidence.datadir / "journal", network.deployment.identity) as journal:
            engine = Engine(Builder(opened.law.native, chain.head()), domain)
            start = Snapshots(journal).find_start(chain)
            found = recover(
                engine, chain, (tuple(decode_record(record)) for _, record in journal.read(start))
            )
    assert (found.unposted, found.orphans) == ([], [])
    head = history.batches[-1]
    assert dict(engine.builder.head.state.items()) == dict(head.records)
    assert engine.builder.head.accumulator == head.batch.accumulator
    placements = [entry for entry in engine.resting() if isinstance(entry, OrderPlaced)]
    return {"0x" + engine.order_id(_signed(placed)).hex(): placed for placed in placements}


def _signed(placed: OrderPlaced) -> SignedOrder:
    return decode_order(placed.order, placed.market)


def check_book(
    evidence: Evidence, history: RollupHistory, orders: dict[str, Order], resting: dict[str, OrderPlaced]
) -> None:
    """The book holds what was promised to rest: no more, no less than what the law would still fill."""
    state = State(history.get_records(history.batch_count))
    for order_id, placed in resting.items():
        order = orders[order_id]
        assert order.was_to_rest, f"order {order_id} rests, and its owner was never told"
        assert placed.remaining == order.size - order.filled_on_l1
    for order_id, order in orders.items():
        left = order.size - order.filled_on_l1
        if order.was_to_rest and left and order_id not in resting:
            sent = order.action.sent
            assert find_cancellation(state, sent["account"], sent["slot"], sent["nonce"]), (
                f"order {order_id} should rest with {left}: {order.action}"
            )
    told = sorted(int(remaining) for side in ("bids", "asks") for _, remaining in evidence.market[side])
    assert told == sorted(placed.remaining for placed in resting.values())


async def check_transactions(network: Devnet, client: L1Client, history: RollupHistory) -> Counter[str]:
    """One event for each batch, and one transaction that succeeded."""
    sealed = [located.event.batch for located in history.events if isinstance(located.event, BatchSealed)]
    assert sealed == list(range(1, history.batch_count + 1))
    inbox = "0x" + network.deployment.addresses["Inbox"].hex()
    sequencer = "0x" + network.cast.sequencer.address.hex()
    hashes = []
    for number in range(network.deployment.block, history.block + 1):
        block = await client.call("eth_getBlockByNumber", hex(number), True)
        hashes += [
            bytes.fromhex(each["hash"][2:])
            for each in block["transactions"]
            if each["from"] == sequencer and each["to"] == inbox
        ]
    outcomes: Counter[str] = Counter()
    for start in range(0, len(hashes), 100):
        for receipt in await client.get_receipts(hashes[start : start + 100]):
            assert receipt is not None
            outcomes["succeeded" if receipt.succeeded else "reverted"] += 1
    assert outcomes["succeeded"] == history.batch_count - 1, "batch 1 is the Inbox's own"
    return outcomes


async def check_money(
    network: Devnet, client: L1Client, evidence: Evidence, history: RollupHistory
) -> tuple[int, int]:
    """What the Vault holds is what was deposited, and what the law owes, to the last unit: (held, owed)."""
    head = require_header(await client.get_header("latest"), "latest")
    held = await network.get_contract("Vault").read(client, head.hash, "held")
    assert held == evidence.traders * DEPOSIT
    ledger = Ledger(history.get_records(history.batch_count))
    ledger.check_conservation(held)
    groups = sum(group.money for group in ledger.all_records(Group).values())
    return held, groups + sum(each.amount for each in ledger.all_records(Withdrawal).values())

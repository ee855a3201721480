"""What the sequencer lets its operator see: gauges over its own state, and whether it is ready."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

import structlog

from optimist.l1.client import L1Client
from optimist.l1.codec import load_abi
from optimist.l1.contracts import Contract
from optimist.l1.errors import L1Error
from optimist.l1.sender import Sender
from optimist.node.opening import OpenNode
from optimist.ops.metrics import NODE_EVENTS, SENDER_EVENTS, SEQUENCER_EVENTS
from optimist.ops.station import Station
from optimist.sequencer.sequencer import Sequencer
from optimist.sequencer.views import compute_open_interest, get_record
from optimist.stf.constants import MAX_GROUPS
from optimist.stf.records import Group, Parameters

log = structlog.get_logger(__name__)

EVENTS: Final = (*NODE_EVENTS, *SENDER_EVENTS, *SEQUENCER_EVENTS)
BALANCE_POLL: Final = 12.0  # s


def observe_sequencer(station: Station, sequencer: Sequencer, opened: OpenNode) -> None:
    """Add its gauges, count its answers, ask whether it takes actions."""
    metrics, preset = station.metrics, opened.deployment.preset
    answers = metrics.counter("actions_total", "Answers to actions, by outcome.", ("outcome",))
    answers_of = {"accepted": answers.labels("accepted")}
    seconds = metrics.histogram("soft_confirm_seconds", "From an action to its confirmation.")

    def meter(elapsed: float, outcome: str) -> None:
        if outcome not in answers_of:
            answers_of[outcome] = answers.labels(outcome)
        answers_of[outcome].inc()
        if outcome == "accepted":
            seconds.observe(elapsed)

    sequencer.meter = meter
    for name, text, key in (
        ("soft_inputs", "Inputs confirmed since the beginning.", "softInputs"),
        ("sealed_batch", "Last batch that was closed.", "sealedBatch"),
        ("posted_batch", "Last batch that L1 has, as we see it.", "postedBatch"),
        ("unposted_batches", "Closed batches that L1 does not have.", "unposted"),
    ):
        metrics.watch(name, text, partial(_read_status, sequencer, key))
    metrics.watch(
        "batch_lag_seconds", "Age of the oldest input that L1 does not have.", lambda: sequencer.behind
    )
    metrics.watch("batch_lag_limit_seconds", "From then on the law cannot take it.", lambda: preset.max_delay)
    metrics.watch("queue_waiting", "Items of L1's queue in no batch.", lambda: _count_waiting(sequencer))
    metrics.watch(
        "forced_oldest_age_seconds",
        "Age of the oldest of them.",
        lambda: _compute_oldest_age(sequencer, opened),
    )
    metrics.watch(
        "forced_deadline_seconds", "From then on anybody may seal it.", lambda: preset.forced_deadline
    )
    _observe_money(station, opened)
    station.health.add("sequencer", lambda: str(sequencer.status()["reason"]))


def _observe_money(station: Station, opened: OpenNode) -> None:
    ledger = opened.node.ledger

    def read_groups(what: str) -> list[tuple[tuple[str], float]]:
        found = [(group, get_record(ledger.state, Group, group)) for group in range(MAX_GROUPS)]
        return [
            ((str(group),), float(getattr(record, what)))
            for group, record in found
            if group == 0 or record.money
        ]

    def read_open_interest() -> list[tuple[tuple[str], float]]:
        count = get_record(ledger.state, Parameters, 0).markets
        return [
            ((str(market),), float(compute_open_interest(ledger.state, market))) for market in range(count)
        ]

    station.metrics.watch_many(
        "liabilities_e6",
        "What was paid in, 1e-6 USD.",
        ("group",),
        lambda: read_groups("money"),
    )
    station.metrics.watch_many(
        "insurance_e6", "Its insurance fund, 1e-6 USD.", ("group",), lambda: read_groups("fund")
    )
    station.metrics.watch_many(
        "open_interest", "Long size of a market, in its units.", ("market",), read_open_interest
    )


def _read_status(sequencer: Sequencer, key: str) -> float:
    return float(sequencer.status()[key] or 0)


def _count_waiting(sequencer: Sequencer) -> int:
    status = sequencer.status()
    return int(status["queueLength"]) - int(status["queueNext"])


def _compute_oldest_age(sequencer: Sequencer, opened: OpenNode) -> int:
    waiting = opened.node.get_queue(int(sequencer.status()["queueNext"]), 1)
    return max(0, opened.node.timestamp - waiting[0].enqueued_at) if waiting else 0


class Balances:
    """What our keys and the Vault hold, asked for every few seconds: a part of the program."""

    def __init__(self, station: Station, opened: OpenNode, senders: Mapping[str, Sender]) -> None:
        """`senders`: by role."""
        self._client: L1Client = opened.client
        self._vault = opened.deployment.addresses["Vault"]
        self._token = Contract(opened.deployment.addresses["token"], load_abi("IERC20"))
        self._senders = dict(senders)
        metrics = station.metrics
        self._keys = metrics.gauge("key_balance_wei", "Ether of our keys.", ("role",))
        self._held = metrics.gauge("vault_balance_e6", "Collateral in the Vault, 1e-6 USD.")
        metrics.watch_many(
            "tx_pending",
            "Transactions on their way.",
            ("role",),
            lambda: [((role,), sender.pending) for role, sender in self._senders.items()],
        )
        metrics.watch_many(
            "tx_fees_wei",
            "Spent on gas since the program was started.",
            ("role",),
            lambda: [((role,), sender.spent) for role, sender in self._senders.items()],
        )

    async def run(self) -> None:
        """Ask for ever; what L1 does not answer stays as it was."""
        while True:
            try:
                await self.look()
            except L1Error as error:
                log.debug("balances_unknown", error=str(error))
            await asyncio.sleep(BALANCE_POLL)

    async def look(self) -> None:
        """Ask once. Raises L1Error."""
        for role, sender in self._senders.items():
            self._keys.labels(role).set(await self._client.get_balance(sender.address))
        head = await self._client.get_header("latest")
        if head is not None:
            held = await self._token.read(self._client, head.hash, "balanceOf", self._vault)
            self._held.set(held)

"""`optimist sequencer`: puts the parts together and runs them until it is told to stop, or one of them fails.

    node ──▶ sequencer ──▶ batcher ──▶ L1
      ▲         ▲  API          proposer ──▶ L1
      └── L1    └── traders

A failed part takes the process down (its supervisor starts it again): every part is safe to start again at
any point. SIGTERM and SIGINT close the door, let the journal finish, and end.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog

from optimist.api.http import start_server
from optimist.derive.typed_data import Domain
from optimist.l1.keys import open_key
from optimist.l1.runway import HOUR, Runway, RunwayPolicy
from optimist.l1.sender import Sender
from optimist.l1.signer import SigningKey
from optimist.l1.types import from_hex, to_hex
from optimist.node.opening import OpenNode, open_node
from optimist.ops.failpoints import Failpoints
from optimist.ops.lifecycle import run_until_signal
from optimist.ops.metrics import Metrics
from optimist.ops.observing import observe_node
from optimist.ops.sending import make_policy, make_sender, open_outbox
from optimist.ops.station import VERSION, Station, open_station
from optimist.sequencer.batcher import Batcher
from optimist.sequencer.cadence import Cadence
from optimist.sequencer.chain import NodeChain
from optimist.sequencer.clock import L1Clock
from optimist.sequencer.confirmations import Confirmer
from optimist.sequencer.double_check import DoubleCheck
from optimist.sequencer.front import Front
from optimist.sequencer.gate import check_gate
from optimist.sequencer.observing import EVENTS, Balances, observe_sequencer
from optimist.sequencer.proposer import Proposer
from optimist.sequencer.sequencer import Sequencer
from optimist.sequencer.settings import SequencerSettings
from optimist.sequencer.terms import Terms
from optimist.store.segments import SegmentedJournal

log = structlog.get_logger(__name__)

GWEI = 10**9
ETHER = 10**18
COLLECTOR = (10_000, 20, 20)  # objects made until the youngest are looked at; then, how often older ones are
TICK = 0.1  # seconds between two looks at whether a batch is due


class WrongKey(Exception):
    """The key is not the one that the Inbox takes batches from."""


async def run_sequencer(settings: SequencerSettings) -> None:
    """Run until a signal. Raises whatever a part failed of."""
    assert settings.datadir is not None  # noqa: S101 - the settings demand it
    failpoints = Failpoints.from_environment(dev=settings.dev)
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(
            open_node(
                l1_rpc=settings.l1_rpc,
                deployment=settings.deployment,
                tag=settings.l1_tag,
                l1_timeout=settings.l1_timeout,
                datadir=settings.datadir,
                history_days=settings.history_days,
                checkpoint=failpoints.reach,
                has_worker=True,
            )
        )
        station = await stack.enter_async_context(_open_station(settings, opened))
        signer = await open_key(settings.key, stack)
        await _check_key(opened, signer)
        await opened.node.catch_up()
        sequencer = _make_sequencer(settings, opened, signer, stack, failpoints)
        front = Front(sequencer)
        if settings.accept_lost_journal:
            sequencer.accept_lost_journal()
        sequencer.recover()
        await check_gate(opened, sequencer.state)
        sequencer.demand_fresh_prices()
        opened.node.subscribe(sequencer.observe_l1)
        sender = _make_sender(settings, opened, signer, stack, failpoints)
        inbox = opened.deployment.get_contract("Inbox")
        batcher = Batcher(sequencer, inbox, sender, DoubleCheck(opened.node), settings.l1_poll)
        senders = {"sequencer": sender}
        parts: list[Coroutine[Any, Any, None]] = [
            station.run(),
            opened.node.run(settings.l1_poll),
            _seal(sequencer),
            front.run(),
            station.add_switch("batcher", batcher.run, is_on=not settings.batch.stopped).run(),
        ]
        if settings.proposer.is_given:
            proposer, senders["proposer"] = await _make_proposer(settings, opened, stack, failpoints)
            work = partial(proposer.run, settings.proposer.poll)
            parts.append(station.add_switch("proposer", work, is_on=not settings.proposer.stopped).run())
        observe_sequencer(station, sequencer, opened)
        parts.append(Balances(station, opened, senders).run())
        parts += [runway.run() for runway in _make_runways(settings, opened, station, senders)]
        _calm_collector()
        runner, port = await start_server(
            front.get_parts(settings.api.limits), settings.api.host, settings.api.port
        )
        stack.push_async_callback(runner.cleanup)
        log.info("sequencer_ready", port=port, address=to_hex(signer.address))
        station.tell_ready()
        await run_until_signal(parts)
        await sequencer.close()
    log.info("sequencer_stopped")


@asynccontextmanager
async def _open_station(settings: SequencerSettings, opened: OpenNode) -> AsyncIterator[Station]:
    metrics = Metrics(
        "sequencer",
        VERSION,
        EVENTS,
        preset=opened.deployment.preset.name,
        image=to_hex(opened.deployment.image_root),
    )
    async with open_station(
        settings.ops, metrics, "sequencer", datadir=settings.datadir, is_unsafe=settings.dev
    ) as station:
        observe_node(metrics, station.health, opened.node, settings.ops.l1_silence)
        yield station


def _make_sequencer(
    settings: SequencerSettings,
    opened: OpenNode,
    signer: SigningKey,
    stack: AsyncExitStack,
    failpoints: Failpoints,
) -> Sequencer:
    deployment, preset = opened.deployment, opened.deployment.preset
    domain = Domain(deployment.chain_id, deployment.addresses["Vault"])
    assert settings.datadir is not None  # noqa: S101 - the settings demand it
    journal = stack.enter_context(
        SegmentedJournal(settings.datadir / "journal", deployment.identity, failpoints.reach)
    )
    if journal.dropped:
        log.warning("torn_record_dropped", bytes=journal.dropped, meaning="nobody was told of it")
    return Sequencer(
        Terms(
            law=opened.law.native,
            preset=preset,
            domain=domain,
            image_root=deployment.image_root,
        ),
        NodeChain(opened.node, settings.batch.queue_depth),
        journal,
        Confirmer(domain, signer),
        L1Clock(time.monotonic),
        Cadence(
            age=settings.batch.age,
            # What waits in an open batch must reach L1 before it is overdue, or too old for the Inbox.
            longest_age=min(settings.batch.longest_age, preset.forced_deadline / 4, preset.max_delay / 4),
            heartbeat=settings.batch.heartbeat,
            cheap_base_fee=int(settings.batch.cheap_gwei * GWEI),
            backlog_bytes=settings.batch.backlog_bytes,
            row_bytes=settings.batch.bytes,
            journal_bytes=settings.journal.segment_bytes,
        ),
        failpoints,
    )


def _make_runways(
    settings: SequencerSettings, opened: OpenNode, station: Station, senders: Mapping[str, Sender]
) -> list[Runway]:
    policy = RunwayPolicy(
        least_balance=int(settings.tx.min_balance_eth * ETHER), least_time=settings.tx.runway_hours * HOUR
    )
    runways = {role: Runway(opened.client, sender, policy) for role, sender in senders.items()}
    station.metrics.watch_many(
        "key_runway_seconds",
        "How long its ether lasts at the pace of the last hours.",
        ("role",),
        lambda: [
            ((role,), left) for role, runway in runways.items() if (left := runway.estimate()) is not None
        ],
    )
    return list(runways.values())


def _make_sender(
    settings: SequencerSettings,
    opened: OpenNode,
    signer: SigningKey,
    stack: AsyncExitStack,
    failpoints: Failpoints,
) -> Sender:
    outbox = open_outbox(settings.datadir, opened.deployment.chain_id, signer.address, stack)
    policy = make_policy(settings.tx, settings.l1_poll)
    return make_sender(opened, signer, outbox, policy, stack, checkpoint=failpoints.reach)


async def _make_proposer(
    settings: SequencerSettings, opened: OpenNode, stack: AsyncExitStack, failpoints: Failpoints
) -> tuple[Proposer, Sender]:
    key = await open_key(settings.proposer, stack)
    sender = _make_sender(settings, opened, key, stack, failpoints)
    proposer = Proposer(
        opened.node,
        opened.client,
        opened.deployment.get_contract("Rollup"),
        sender,
        bond=opened.deployment.preset.bond,
        operator=from_hex(settings.proposer.operator) if settings.proposer.operator else None,
    )
    return proposer, sender


async def _check_key(opened: OpenNode, signer: SigningKey) -> None:
    inbox = opened.deployment.get_contract("Inbox")
    head = await opened.client.get_header("latest")
    expected = await inbox.read(opened.client, head.hash, "SEQUENCER") if head else b""
    if expected != signer.address:
        raise WrongKey(
            f"the Inbox takes batches from {to_hex(expected)}, the key is that of {to_hex(signer.address)}"
        )


def _calm_collector() -> None:
    """What is there now, law and records, stays: looking for garbage in it again and again is for nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR)


async def _seal(sequencer: Sequencer) -> None:
    while True:
        await sequencer.seal_if_due()
        await asyncio.sleep(TICK)

"""What the watcher and the challenger let their operator see: verdicts, disputes, clocks, money.

The same report as `challenger status` prints, made anew every few seconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from challenger.game.clock import SLOT
from challenger.monitor.report import Report
from challenger.monitor.views import Alarm, Level, MatchView
from challenger.player import Player
from challenger.surveying import look
from challenger.watcher import Judgement, Status, Verdict
from optimist.l1.client import L1Client
from optimist.l1.errors import L1Error
from optimist.l1.sender import Sender
from optimist.node.opening import OpenNode
from optimist.ops.metrics import CHALLENGER_EVENTS, NODE_EVENTS, SENDER_EVENTS, Counted, Metrics
from optimist.ops.observing import observe_node
from optimist.ops.settings import NodeSettings, OpsSettings
from optimist.ops.station import VERSION, Station, open_station

log = structlog.get_logger(__name__)

INSPECTION: Final = 12.0  # s between two reports, at least
REST: Final = (
    9  # times as long as a report took: with hundreds of rivals it takes long, and a player needs turns
)
KINDS: Final = ("bonds", "credits", "pots", "burnt")  # of ether: fields of the ledger
AUDIT_EVERY: Final = 25  # reports: only then L1's storage is compared with what its events told
LATENCY: Final = SLOT  # as of `challenger status`


class Judges(Protocol):
    """Whoever has judged every assertion."""

    @property
    def judgements(self) -> Sequence[Judgement]:
        """What it thinks of each."""
        ...


@asynccontextmanager
async def open_watcher_station(
    ops: OpsSettings, settings: NodeSettings, opened: OpenNode, judges: Judges
) -> AsyncIterator[Station]:
    """The door of `challenger watch`. Raises OpsPortTaken."""
    metrics = make_metrics("watcher", opened, NODE_EVENTS)
    async with open_station(ops, metrics, "watcher", datadir=settings.datadir) as station:
        observe_node(metrics, station.health, opened.node, ops.l1_silence)
        _observe_verdicts(metrics, lambda: judges.judgements)
        yield station


@asynccontextmanager
async def open_challenger_station(
    ops: OpsSettings, opened: OpenNode, datadir: Path | None, *, is_unsafe: bool
) -> AsyncIterator[Station]:
    """The door of `challenger run`. Raises OpsPortTaken."""
    metrics = make_metrics("challenger", opened, (*NODE_EVENTS, *SENDER_EVENTS, *CHALLENGER_EVENTS))
    async with open_station(ops, metrics, "challenger", datadir=datadir, is_unsafe=is_unsafe) as station:
        observe_node(metrics, station.health, opened.node, ops.l1_silence)
        yield station


def make_metrics(program: str, opened: OpenNode, counted: Iterable[Counted]) -> Metrics:
    """The metrics of a program about a deployment."""
    deployment = opened.deployment
    return Metrics(
        program,
        VERSION,
        counted,
        preset=deployment.preset.name,
        image="0x" + deployment.image_root.hex(),
    )


async def observe_player(station: Station, player: Player, sender: Sender, client: L1Client) -> None:
    """Add the gauges of a player, and keep the balance of its key up to date: a part of the program."""
    metrics = station.metrics
    balance = metrics.gauge("key_balance_wei", "Ether of our keys.", ("role",)).labels("challenger")
    metrics.watch("acts_pending", "Acts of the game on their way.", lambda: player.pending)
    metrics.watch("alarms_standing", "What a person should look at now.", lambda: len(player.alarms))
    metrics.watch_many(
        "tx_pending", "Transactions on their way.", ("role",), lambda: [(("challenger",), sender.pending)]
    )
    metrics.watch_many(
        "tx_fees_wei",
        "Spent on gas since the program was started.",
        ("role",),
        lambda: [(("challenger",), sender.spent)],
    )
    while True:
        try:
            balance.set(await client.get_balance(sender.address))
        except L1Error as error:
            log.debug("balance_unknown", error=str(error))
        await asyncio.sleep(INSPECTION)


def _observe_verdicts(metrics: Metrics, read: Callable[[], Sequence[Judgement]]) -> None:
    """Every combination is there from the start, so that none can be missing without notice."""

    def count() -> list[tuple[tuple[str, str], float]]:
        found = [(each.verdict, each.status) for each in read()]
        return [
            ((verdict.value, status.value), found.count((verdict, status)))
            for verdict in Verdict
            for status in Status
        ]

    metrics.watch_many("assertions", "Assertions on L1.", ("verdict", "status"), count)
    metrics.watch(
        "divergence",
        "1 while something false is not rejected; false_claims says whether anybody fights for it.",
        lambda: float(any(each.is_alarming for each in read())),
    )
    metrics.watch(
        "last_judged_batch",
        "Last batch that an assertion we have a verdict on ends with.",
        lambda: max((each.batch for each in read() if each.verdict is not Verdict.UNKNOWN), default=0),
    )


async def outlive(observer: Coroutine[Any, Any, None]) -> None:
    """Run what only looks, for ever. When it fails it says so, and whoever plays beside it plays on."""
    task = asyncio.create_task(observer)
    try:
        await asyncio.wait({task})
        log.error("observer_failed", exc_info=task.exception())
        await asyncio.Event().wait()
    finally:
        task.cancel()


class Inspector:
    """Makes a report every few seconds, and says what is new in it: a part of the program."""

    def __init__(self, station: Station, opened: OpenNode, tag: str) -> None:
        self._opened = opened
        self._tag = tag
        self._count = 0
        self._is_blind = False
        self._known: set[tuple[str, bytes | None]] = set()
        metrics = station.metrics
        self._alarms = metrics.gauge("game_alarms", "Findings about the game, by level.", ("level",))
        self._matches = metrics.gauge("matches", "Matches, by status.", ("status",))
        self._false_claims = metrics.gauge("false_claims", "Bonds that stand on something false, and live.")
        self._bonds = metrics.gauge("rollup_wei", "Ether of the game, by what it is.", ("kind",))
        self._clock = metrics.gauge("clock_remaining_seconds", "Least of any true side that is being played.")
        self._inspected = metrics.gauge("inspected_timestamp_seconds", "L1's second of the last report.")
        metrics.watch(
            "challenge_period_seconds",
            "What a clock begins with.",
            lambda: float(opened.deployment.preset.challenge_period),
        )
        self._clock.set(opened.deployment.preset.challenge_period)
        for level in Level:
            self._alarms.labels(level.value).set(0)
        for status in ("on", "over"):
            self._matches.labels(status).set(0)
        for kind in KINDS:
            self._bonds.labels(kind).set(0)

    async def run(self) -> None:
        """Inspect for ever, a tenth of the time at most."""
        while True:
            started = time.monotonic()
            if self._opened.node.is_caught_up and self._opened.node.head is not None:
                try:
                    await self.inspect()
                    self._is_blind = False
                except L1Error as error:
                    speak = log.debug if self._is_blind else log.warning  # once, not every few seconds
                    speak("not_inspected", error=str(error))
                    self._is_blind = True
            rest = REST * (time.monotonic() - started)
            await asyncio.sleep(max(INSPECTION if self._count else 1, rest))

    async def inspect(self) -> None:
        """Make one report. Raises L1Error."""
        audits = self._count % AUDIT_EVERY == 0
        survey = await look(self._opened, self._tag, audits=audits)
        self._count += 1
        report = Report(survey.snapshot, LATENCY)
        alarms = await asyncio.to_thread(lambda: report.alarms)
        for level in Level:
            self._alarms.labels(level.value).set(sum(each.level is level for each in alarms))
        self._tell(alarms)
        self._false_claims.set(len(report.false_claims))
        running = [match for match in report.matches if match.status == "on"]
        self._matches.labels("on").set(len(running))
        self._matches.labels("over").set(len(report.matches) - len(running))
        period = self._opened.deployment.preset.challenge_period
        self._clock.set(min(map(compute_true_clock, running), default=period))
        ledger = report.ledger
        for kind in KINDS:
            self._bonds.labels(kind).set(getattr(ledger, kind))
        self._inspected.set(survey.snapshot.now)

    def _tell(self, alarms: Sequence[Alarm]) -> None:
        found = {(each.code, each.subject) for each in alarms}
        for each in alarms:
            if (each.code, each.subject) not in self._known and each.level is not Level.NOTICE:
                log.error(
                    "game_alarm", code=each.code, level=each.level.value, subject=each.subject, what=each.text
                )
        self._known = found


def compute_true_clock(match: MatchView) -> int:
    """Seconds left to the side that tells the truth; to the shorter one while nobody knows which it is."""
    clocks = {"a": match.a.clock, "b": match.b.clock}
    return clocks[match.expected] if match.expected else min(clocks.values())

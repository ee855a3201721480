"""`challenger watch`: follows L1 without a key and reports every assertion once."""

from collections.abc import Callable
from typing import Any

import structlog

from challenger.observing import Inspector, open_watcher_station
from challenger.watcher import Judgement, Status, judge
from optimist.l1.types import to_hex
from optimist.node.opening import OpenNode, open_node
from optimist.ops.lifecycle import run_until_signal
from optimist.ops.settings import NodeSettings, OpsSettings

log = structlog.get_logger(__name__)


Report = Callable[[Judgement], None]


async def watch(settings: NodeSettings, ops: OpsSettings, report: Report, *, once: bool) -> list[Judgement]:
    """Report each assertion when its verdict is first known, until a signal; with `once`, until L1's head.

    Returns all judgements. Raises what `open_node` raises, and L1Error.
    """
    async with open_node(
        l1_rpc=settings.l1_rpc,
        deployment=settings.deployment,
        tag=settings.l1_tag,
        l1_timeout=settings.l1_timeout,
        datadir=settings.datadir,
    ) as opened:
        reporter = Reporter(opened, report)
        if not once:
            opened.node.subscribe(reporter.look)
            async with open_watcher_station(ops, settings, opened, reporter) as station:
                log.info(
                    "watcher_ready", image_root=to_hex(opened.deployment.image_root), tag=settings.l1_tag
                )
                station.tell_ready()
                inspector = Inspector(station, opened, settings.l1_tag)
                await run_until_signal([station.run(), opened.node.run(settings.l1_poll), inspector.run()])
            return reporter.judgements
        await opened.node.catch_up()
        reporter.look()
        return reporter.judgements


def describe(judgement: Judgement) -> dict[str, Any]:
    """A judgement for machines."""
    return {
        "node": to_hex(judgement.node),
        "batch": judgement.batch,
        "claimedRoot": to_hex(judgement.claimed),
        "ownRoot": None if judgement.own is None else to_hex(judgement.own),
        "verdict": judgement.verdict.value,
        "status": judgement.status.value,
        "confirmed": judgement.status is Status.CONFIRMED,
        "reason": judgement.reason,
        "culprit": None if judgement.culprit is None else to_hex(judgement.culprit),
    }


def write_sentence(judgement: Judgement) -> str:
    """A judgement for people."""
    return (
        f"{judgement.verdict.value:9s} batch {judgement.batch}  {to_hex(judgement.node)}  "
        f"({judgement.status.value}) {judgement.reason}"
    )


class Reporter:
    """Remembers what was reported."""

    def __init__(self, opened: OpenNode, report: Report) -> None:
        self._node = opened.node
        self._report = report
        self._reported: dict[bytes, Judgement] = {}
        self.judgements: list[Judgement] = []

    def look(self) -> None:
        """Judge everything, report what is new."""
        self.judgements = judge(self._node.events, self._node.ledger)
        for judgement in self.judgements:
            if self._reported.get(judgement.node) != judgement:
                self._reported[judgement.node] = judgement
                self._log(judgement)
                self._report(judgement)

    @staticmethod
    def _log(judgement: Judgement) -> None:
        speak = log.warning if judgement.is_alarming else log.info
        speak(
            "assertion_judged",
            verdict=judgement.verdict.value,
            node=to_hex(judgement.node),
            batch=judgement.batch,
            claimed_root=to_hex(judgement.claimed),
            own_root=None if judgement.own is None else to_hex(judgement.own),
            status=judgement.status.value,
            confirmed=judgement.status is Status.CONFIRMED,
            reason=judgement.reason,
        )

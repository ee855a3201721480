"""The monitor's JSON. Its schema is in challenger/monitor/README.md; a breaking change is a new number."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

from challenger.monitor.forecast import NEWCOMER, view_timeline
from challenger.monitor.future import Future
from challenger.monitor.lookup import Related
from challenger.monitor.report import Report
from challenger.monitor.views import Level, RoundState, Wei
from challenger.watcher import Status, Verdict

SCHEMA: Final = 1


def to_json(value: Any) -> Any:
    """A view for machines: bytes as 0x…, wei as decimal strings, names in camelCase."""
    match value:
        case bytes():
            return "0x" + value.hex()
        case Wei():
            return str(int(value))
        case Enum():
            return value.value
        case tuple() | list():
            return [to_json(item) for item in value]
        case Mapping():
            return {_camel(key): to_json(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {_camel(each.name): to_json(getattr(value, each.name)) for each in fields(value)}
        case _:
            return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def make_document(
    command: str, report: Report, place: Mapping[str, Any], exit_code: int, content: Mapping[str, Any]
) -> dict[str, Any]:
    """What every command prints first, and then its own content. `place`: which L1, which block."""
    return {
        "schema": SCHEMA,
        "command": command,
        **to_json(place),
        "now": report.snapshot.now,
        "latest": report.snapshot.now if report.snapshot.latest is None else report.snapshot.latest,
        "exit": exit_code,
        "alarms": to_json(report.alarms),
        **to_json(content),
    }


def make_status(report: Report) -> dict[str, Any]:
    """The content of `challenger status`."""
    return {"counts": count(report), "matches": report.matches, "ledger": report.ledger}


def count(report: Report) -> dict[str, dict[str, int]]:
    """How many there are of each kind. Every kind is there, zero or not: one that is missing is a fault."""
    ends = [end for asked in report.rounds for end in asked.ends]
    kinds: dict[str, tuple[list[str], list[str]]] = {
        "rounds": ([state.value for state in RoundState], [asked.state.value for asked in report.rounds]),
        "verdicts": (
            [f"{verdict.value}-{status.value}" for verdict in Verdict for status in Status],
            [f"{end.verdict.value}-{end.status.value}" for end in ends],
        ),
        "matches": (["on", "over"], [match.status for match in report.matches]),
        "alarms": ([level.value for level in Level], [alarm.level.value for alarm in report.alarms]),
    }
    return {name: {kind: found.count(kind) for kind in every} for name, (every, found) in kinds.items()}


def make_forecast(report: Report) -> dict[str, Any]:
    """The content of `challenger forecast`."""
    future = report.future
    return {
        "latency": report.latency,
        "defenders": [who for who in sorted(future.defenders) if who != NEWCOMER],
        "needsNewcomer": NEWCOMER in future.defenders,
        "rounds": report.forecasts,
        "timelines": {each.habit.value: _make_timeline(each) for each in future.futures},
    }


def _make_timeline(future: Future) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = to_json(view_timeline(future))
    newcomer = to_json(NEWCOMER)
    return [{**step, "by": "newcomer" if step["by"] == newcomer else step["by"]} for step in steps]


def make_show(report: Report, related: Related, history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The content of `challenger show`. `history`: the events of L1 that name the subject."""
    rounds = [each for each in report.rounds if each.round in related.rounds]
    return {
        "subject": related.subject,
        "kind": related.kind,
        "rounds": rounds,
        "matches": [each for each in report.matches if each.match in related.matches],
        "stakers": [each for each in report.ledger.stakers if each.staker in related.stakers],
        "forecasts": [each for each in report.forecasts if each.round in related.rounds],
        "history": list(history),
    }

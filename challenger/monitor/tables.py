"""The monitor for people: tables, with identifiers cut to what `challenger show` needs to find them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from challenger.monitor.forecast import NEWCOMER, view_timeline
from challenger.monitor.future import Future
from challenger.monitor.report import Report
from challenger.monitor.views import (
    Alarm,
    ForecastView,
    LedgerView,
    Level,
    MatchView,
    OutcomeView,
    RoundState,
    RoundView,
    SideView,
    StakerView,
    Wei,
)
from challenger.watcher import Verdict

ETHER: Final = 10**18
SHOWN: Final = 8  # digits of an identifier
STYLES: Final = {
    Verdict.AGREE: "green",
    Verdict.DISAGREE: "bold red",
    Verdict.UNKNOWN: "yellow",
    Level.NOTICE: "yellow",
    Level.DISAGREE: "red",
    Level.BROKEN: "bold red",
}


def cut(identifier: bytes | None) -> str:
    """The first digits of an identifier."""
    return "-" if identifier is None else f"0x{identifier.hex()[:SHOWN]}…"


def say_seconds(seconds: int) -> str:
    """Seconds as people say them: 6d 23h, 1h 5m, 42s."""
    parts = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def say_when(at: int | None, now: int) -> str:
    """A second of L1, from now."""
    if at is None:
        return "never by itself"
    return "now" if at <= now else f"in {say_seconds(at - now)}"


def say_ether(amount: Wei | None) -> str:
    """Wei as ether, exactly."""
    if amount is None:
        return "?"
    sign, value = ("-", -amount) if amount < 0 else ("", int(amount))
    whole, rest = divmod(value, ETHER)
    return f"{sign}{whole}.{rest:018d}".rstrip("0").rstrip(".")


def _make_table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        table.add_column(column)
    return table


def _style(what: Verdict | Level) -> Text:
    return Text(what.value, style=STYLES[what])


def show_alarms(alarms: Sequence[Alarm]) -> RenderableType:
    """What is wrong, worst first, or that nothing is."""
    if not alarms:
        return Text("nothing is wrong", style="green")
    table = _make_table("Alarms", "level", "code", "about", "what")
    for alarm in alarms:
        table.add_row(_style(alarm.level), alarm.code, cut(alarm.subject), alarm.text)
    return table


def show_rounds(rounds: Iterable[RoundView], now: int) -> RenderableType:
    """Questions, their answers, and who stands on these."""
    table = _make_table(
        "Assertions", "batches", "round", "assertion", "verdict", "status", "confirmable", "claims"
    )
    for asked in rounds:
        batches = f"{asked.first_batch}-{asked.last_batch}"
        if not asked.ends:
            table.add_row(batches, asked.state.value, "-", "", "", "", asked.reason)
        for number, end in enumerate(asked.ends):
            first = number == 0
            claims = ", ".join(
                f"{cut(claim.owner)} {claim.status}{' revealed' if claim.is_revealed else ''}"
                for claim in end.claims
            )
            when = say_when(end.confirmable_at, now) if end.confirmable_at is not None else ""
            table.add_row(
                batches if first else "",
                asked.state.value if first else "",
                cut(end.node),
                _style(end.verdict),
                end.status.value,
                when,
                claims,
            )
        table.add_section()
    return table


def show_matches(matches: Sequence[MatchView], now: int) -> RenderableType:
    """Matches: stage, position, turn and clocks."""
    if not matches:
        return Text("no dispute was ever opened")
    table = _make_table(
        "Matches", "match", "stage", "in dispute", "on turn", "left", "side a", "side b", "truth"
    )
    for match in sorted(matches, key=lambda each: each.status != "on"):
        span = f"{match.start}-{match.start + match.width - 1}" if match.width > 1 else str(match.start)
        where = f"steps {span} of input {match.input}" if match.stage == "steps" else f"inputs {span}"
        is_on = match.status == "on"
        left = "late" if match.is_late else say_seconds(match.deadline - now)
        table.add_row(
            cut(match.match),
            match.stage if is_on else "over",
            where,
            match.turn if is_on else "",
            left if is_on else "",
            _say_side(match.a),
            _say_side(match.b),
            match.expected or "neither",
        )
    return table


def _say_side(side: SideView) -> Text:
    text = f"{cut(side.owner)} {say_seconds(side.clock)}, {side.moves} moves"
    return Text(text, style="green" if side.verdict is Verdict.AGREE else "")


def show_ledger(ledger: LedgerView) -> RenderableType:
    """The bond ledger, in sum and by staker. Amounts in ether."""
    total = _make_table(
        "Ledger (ether)", "in the contract", "bonds", "credits", "pots", "owed", "burnt", "surplus", "solvent"
    )
    amounts = (
        *(ledger.balance, ledger.bonds, ledger.credits, ledger.pots, ledger.liabilities, ledger.burnt),
        ledger.surplus,
    )
    solvent = Text("yes", style="green") if ledger.is_solvent else Text("NO", style="bold red")
    total.add_row(*map(say_ether, amounts), solvent)
    return Group(total, show_stakers(ledger.stakers))


def show_stakers(stakers: Sequence[StakerView]) -> RenderableType:
    """Bonds, credits and pots by staker. Amounts in ether."""
    table = _make_table(
        "Stakers (ether)", "staker", "status", "bond", "can leave", "expected", "credit due", "locked",
        "stranded", "refunds", "pot",
    )  # fmt: skip
    for each in stakers:
        table.add_row(
            cut(each.staker),
            each.status,
            say_ether(each.bond),
            "yes" if each.is_withdrawable else "no",
            each.expectation,
            *map(
                say_ether,
                (each.credit_due, each.credit_locked, each.credit_stranded, each.refund_due, each.pot),
            ),
        )
    return table


def show_forecasts(forecasts: Sequence[ForecastView], now: int) -> RenderableType:
    """When each undecided round can be confirmed, and for whom."""
    if not forecasts:
        return Text("no assertion is undecided")
    table = _make_table(
        "Forecast", "batches", "round", "true answer", "earliest", "if silent", "latest", "truth wins"
    )
    for each in forecasts:
        table.add_row(
            f"{each.first_batch}-{each.last_batch}",
            each.state.value if each.state is not RoundState.DISPUTED else Text("disputed", style="yellow"),
            cut(each.expected),
            *(_say_outcome(outcome, now) for outcome in (each.earliest, each.if_silent, each.latest)),
            Text("yes", style="green") if each.is_safe else Text("NO", style="bold red"),
        )
    return table


def _say_outcome(outcome: OutcomeView, now: int) -> Text:
    is_true = outcome.verdict is Verdict.AGREE
    return Text(say_when(outcome.at, now), style="" if is_true else "bold red")


def show_timeline(title: str, future: Future, now: int) -> RenderableType:
    """Everything that happens in a future."""
    table = _make_table(title, "when", "who", "act", "about")
    for step in view_timeline(future):
        who = "anybody" if step.by is None else "a newcomer" if step.by == NEWCOMER else cut(step.by)
        side = "" if step.is_honest else " (false)"
        table.add_row(say_when(step.at, now), who + side, step.act, cut(step.subject))
    return table


def show_summary(report: Report) -> RenderableType:
    """The game in one line."""
    states = [asked.state for asked in report.rounds]
    on = sum(match.status == "on" for match in report.matches)
    decided = states.count(RoundState.DECIDED)
    undecided = states.count(RoundState.UNDISPUTED)
    disputed = states.count(RoundState.DISPUTED)
    return Text(
        f"{decided} rounds decided, {undecided} undisputed, {disputed} disputed; {on} matches on; "
        f"owed {say_ether(report.ledger.liabilities)} of {say_ether(report.ledger.balance)} ether"
    )


def show_history(history: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The events of L1 that name a subject."""
    table = _make_table("On L1", "block", "event", "transaction")
    for each in history:
        table.add_row(str(each["block"]), each["event"], each["transaction"])
    return table

"""The commands that look and never touch: `challenger list | show | forecast | status`. No key.

All of them end with the exit code that the whole game deserves, so that any of them can be an alarm.
"""

import json
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Final

import click
from rich.console import Console, RenderableType

from challenger.exits import EXIT_BROKEN, EXIT_DISAGREE, run_program
from challenger.game.clock import SLOT
from challenger.monitor import documents, tables
from challenger.monitor.lookup import NotFound, find_related, find_subject
from challenger.monitor.report import Report
from challenger.monitor.views import Level, RoundState
from challenger.settings import WatchSettings
from challenger.surveying import Survey, survey
from optimist.l1.types import from_hex, to_hex
from optimist.ops.config import settings_options
from optimist.ops.logs import configure_logs

_EXIT_CODES: Final = {Level.NOTICE: 0, Level.DISAGREE: EXIT_DISAGREE, Level.BROKEN: EXIT_BROKEN}

WIDTH: Final = 160  # columns, where there is no terminal to ask

_LATENCY_HELP = "Seconds until an honest act lands, once it is possible."
_AS_HELP = "Address that may be relied on to play; by default everybody who stands on the truth."


class _Address(click.ParamType[bytes]):
    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        try:
            address = value if isinstance(value, bytes) else from_hex(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if len(address) != 20:
            self.fail(f"an address has 20 bytes, not {len(address)}", param, ctx)
        return address


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags of all four commands."""

    @click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object (challenger/monitor/README.md)."
    )
    @click.option(
        "--latency", type=click.IntRange(min=0), default=SLOT, show_default=True, help=_LATENCY_HELP
    )
    @click.option("--as", "defender", type=_Address(), metavar="ADDRESS", help=_AS_HELP)
    @settings_options(WatchSettings)
    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        command(*args, **options)

    decorated: Callable[..., Any] = run
    return decorated


class _Look:
    """A survey and what there is to say about it."""

    def __init__(self, settings: WatchSettings, latency: int, defender: bytes | None) -> None:
        configure_logs("warning", settings.log.format)
        self.survey: Survey = run_program(survey(settings))
        self.report = Report(self.survey.snapshot, latency, defender)
        self.now = self.survey.snapshot.now
        self.exit_code = _EXIT_CODES[self.report.worst]

    def print_json(self, command: str, content: dict[str, Any]) -> None:
        """One object on one line."""
        click.echo(
            json.dumps(
                documents.make_document(command, self.report, self.survey.place, self.exit_code, content)
            )
        )

    def print_tables(self, parts: Iterable[RenderableType]) -> None:
        """Tables, and the alarms below them, where a terminal shows them last."""
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        place = self.survey.place
        console.print(f"Rollup {to_hex(place['rollup'])} at {place['tag']} block {place['block']}")
        for part in (*parts, tables.show_alarms(self.report.alarms)):
            console.print(part)

    def end(self) -> None:
        """Leave with the exit code that the game deserves."""
        if self.exit_code:
            raise SystemExit(self.exit_code)


@click.command("list")
@click.option(
    "--undecided", is_flag=True, help="Leave out rounds that are decided, or stand on a rejected answer."
)
@_options
def list_command(
    settings: WatchSettings, undecided: bool, as_json: bool, latency: int, defender: bytes | None
) -> None:
    """All assertions, what we think of them, and who stands on them."""
    look = _Look(settings, latency, defender)
    closed = {RoundState.DECIDED, RoundState.VOID} if undecided else set()
    rounds = [asked for asked in look.report.rounds if asked.state not in closed]
    if as_json:
        look.print_json("list", {"rounds": rounds})
    else:
        look.print_tables([tables.show_rounds(rounds, look.now)])
    look.end()


@click.command("show")
@click.argument("identifier")
@_options
def show_command(
    settings: WatchSettings, identifier: str, as_json: bool, latency: int, defender: bytes | None
) -> None:
    """Everything about one assertion, claim, match or staker: IDENTIFIER may be cut short."""
    look = _Look(settings, latency, defender)
    state = look.survey.snapshot.state
    try:
        related = find_related(state, find_subject(state, identifier))
    except NotFound as error:
        raise click.UsageError(str(error)) from error
    history = look.survey.get_history(related.subject)
    content = documents.make_show(look.report, related, history)
    if as_json:
        look.print_json("show", content)
    else:
        look.print_tables(
            [
                f"{related.kind} {to_hex(related.subject)}",
                tables.show_rounds(content["rounds"], look.now),
                tables.show_matches(content["matches"], look.now),
                tables.show_stakers(content["stakers"]),
                tables.show_forecasts(content["forecasts"], look.now),
                tables.show_history(history),
            ]
        )
    look.end()


@click.command("forecast")
@_options
def forecast_command(settings: WatchSettings, as_json: bool, latency: int, defender: bytes | None) -> None:
    """When each assertion can be confirmed, at the earliest and the latest, and what happens until then."""
    look = _Look(settings, latency, defender)
    if as_json:
        look.print_json("forecast", documents.make_forecast(look.report))
    else:
        future = look.report.future
        look.print_tables(
            [
                tables.show_forecasts(look.report.forecasts, look.now),
                tables.show_timeline("If those who lie stay silent", future.silent, look.now),
                tables.show_timeline("If they move at their last second", future.last_second, look.now),
            ]
        )
    look.end()


@click.command("status")
@_options
def status_command(settings: WatchSettings, as_json: bool, latency: int, defender: bytes | None) -> None:
    """Where every dispute stands and how long for, all ether of the game, and what is wrong."""
    look = _Look(settings, latency, defender)
    if as_json:
        look.print_json("status", documents.make_status(look.report))
    else:
        look.print_tables(
            [
                tables.show_summary(look.report),
                tables.show_matches(look.report.matches, look.now),
                tables.show_forecasts(look.report.forecasts, look.now),
                tables.show_ledger(look.report.ledger),
            ]
        )
    look.end()

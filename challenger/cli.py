"""`challenger`: the commands. Their exit codes are in `challenger/exits.py`."""

import json

import click

from challenger.costing import cost_command
from challenger.exits import EXIT_DISAGREE, run_program
from challenger.monitoring import forecast_command, list_command, show_command, status_command
from challenger.running import run
from challenger.settings import CostSettings, RunSettings, WatcherSettings
from challenger.watcher import Judgement
from challenger.watching import describe, watch, write_sentence
from optimist.ops.config import settings_options
from optimist.ops.dump import make_config_command
from optimist.ops.logs import configure_logs


@click.group()
@click.version_option(package_name="optimist")
def main() -> None:
    """Watch a rollup, and prove every false assertion wrong."""


@main.command("watch")
@click.option("--once", is_flag=True, help="Judge what L1 holds now, then end.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@settings_options(WatcherSettings)
def watch_command(settings: WatcherSettings, once: bool, as_json: bool) -> None:
    """Judge every assertion by re-execution, without a key. With --once, 1 says that a false one may win."""
    configure_logs(settings.log.level, settings.log.format)
    judge(settings, once=once, as_json=as_json)


@main.command("run")
@settings_options(RunSettings)
def run_command(settings: RunSettings) -> None:
    """Play for the truth, as --mode says: by default against every false assertion, until it is dead."""
    configure_logs(settings.log.level, settings.log.format)
    if not settings.needs_key:
        judge(settings, once=settings.until_resolved, as_json=False)
        return
    if alarms := run_program(run(settings)):
        click.echo("Error: " + "; ".join(alarms), err=True)
        raise SystemExit(EXIT_DISAGREE)


def judge(settings: WatcherSettings | RunSettings, *, once: bool, as_json: bool) -> None:
    """Print what we think of every assertion; ends the program with 1 where a false one may win."""

    def report(judgement: Judgement) -> None:
        click.echo(json.dumps(describe(judgement)) if as_json else write_sentence(judgement))

    judgements = run_program(watch(settings, settings.ops, report, once=once))
    if once and any(each.is_alarming for each in judgements):
        raise SystemExit(EXIT_DISAGREE)


main.add_command(
    make_config_command({"watch": WatcherSettings, "run": RunSettings, "cost": CostSettings}), "config"
)
for command in (list_command, show_command, forecast_command, status_command, cost_command):
    main.add_command(command)

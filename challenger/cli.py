"""`challenger`: the commands. Exit codes: 0 agree, 1 disagreement, 2 usage, 3 no L1, 4 local data."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from challenger.running import run
from challenger.settings import RunSettings, WatchSettings
from challenger.watcher import Judgement, Verdict
from challenger.watching import watch
from optimist.derive.batch import DerivationError
from optimist.l1.deployment import DeploymentError, DeploymentMismatch
from optimist.l1.errors import L1Error
from optimist.l1.signer import KeyProblem
from optimist.l1.types import to_hex
from optimist.ops.config import settings_options
from optimist.ops.logs import configure_logs
from optimist.store.journal import JournalError
from optimist.store.lock import DirectoryInUse
from optimist.store.state_store import ForeignState

T = TypeVar("T")

EXIT_DISAGREE = 1
EXIT_L1 = 3
EXIT_DATA = 4


@click.group()
@click.version_option(package_name="optimist")
def main() -> None:
    """Watch a rollup, and prove every false assertion wrong."""


@main.command("watch")
@click.option("--once", is_flag=True, help="Judge what L1 holds now, then end.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@settings_options(WatchSettings)
def watch_command(settings: WatchSettings, once: bool, as_json: bool) -> None:
    """Judge every assertion by re-execution, without a key. Ends with 1 (--once) when one is false."""
    configure_logs(settings.log.level, settings.log.format)

    def report(judgement: Judgement) -> None:
        click.echo(json.dumps(_describe(judgement)) if as_json else _sentence(judgement))

    judgements = _run(watch(settings, report, once=once))
    if any(each.verdict is Verdict.DISAGREE for each in judgements):
        raise SystemExit(EXIT_DISAGREE)


@main.command("run")
@settings_options(RunSettings)
def run_command(settings: RunSettings) -> None:
    """Play until every false assertion is dead; go on for ever. The key holds the bond."""
    configure_logs(settings.log.level, settings.log.format)
    _run(run(settings))


def _run(program: Coroutine[Any, Any, T]) -> T:
    """Run a program; its expected failures become one line and an exit code."""
    try:
        return asyncio.run(program)
    except (DeploymentError, DeploymentMismatch, KeyProblem) as error:
        raise click.UsageError(str(error)) from error
    except (DirectoryInUse, ForeignState, JournalError) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(EXIT_DATA) from error
    except (L1Error, DerivationError) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(EXIT_L1) from error
    except KeyboardInterrupt:
        raise SystemExit(0) from None


def _describe(judgement: Judgement) -> dict[str, Any]:
    return {
        "node": to_hex(judgement.node),
        "batch": judgement.batch,
        "claimedRoot": to_hex(judgement.claimed),
        "ownRoot": None if judgement.own is None else to_hex(judgement.own),
        "verdict": judgement.verdict.value,
        "confirmed": judgement.is_confirmed,
        "reason": judgement.reason,
    }


def _sentence(judgement: Judgement) -> str:
    state = "confirmed" if judgement.is_confirmed else "open"
    return (
        f"{judgement.verdict.value:9s} batch {judgement.batch}  {to_hex(judgement.node)}  ({state}) "
        f"{judgement.reason}"
    )

"""`challenger`: the commands. Exit codes: 0 agree, 1 disagreement, 2 usage, 3 no L1, 4 local data."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from challenger.overview import get_claims, get_matches, to_json
from challenger.running import run
from challenger.settings import RunSettings, WatchSettings
from challenger.watcher import Judgement, Status
from challenger.watching import survey, watch
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
    """Judge every assertion by re-execution, without a key. With --once, 1 says that a false one may win."""
    configure_logs(settings.log.level, settings.log.format)

    def report(judgement: Judgement) -> None:
        click.echo(json.dumps(_describe(judgement)) if as_json else _sentence(judgement))

    judgements = _run(watch(settings, report, once=once))
    if any(each.is_alarming for each in judgements):
        raise SystemExit(EXIT_DISAGREE)


@main.command("run")
@settings_options(RunSettings)
def run_command(settings: RunSettings) -> None:
    """Play against every false assertion until it is dead. The key holds the bond."""
    configure_logs(settings.log.level, settings.log.format)
    if alarms := _run(run(settings)):
        click.echo("Error: " + "; ".join(alarms), err=True)
        raise SystemExit(EXIT_DISAGREE)


@main.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@settings_options(WatchSettings)
def list_command(settings: WatchSettings, as_json: bool) -> None:
    """All assertions, what we think of them, and who stands on them."""
    configure_logs("warning", settings.log.format)
    found = _run(survey(settings))
    for judgement in found.judgements:
        claims = list(get_claims(found.game, judgement))
        if as_json:
            click.echo(json.dumps({**_describe(judgement), "claims": to_json(claims)}))
            continue
        click.echo(_sentence(judgement))
        for claim in claims:
            revealed = "revealed" if claim.is_revealed else "not revealed"
            click.echo(f"          {claim.status:4s} claim of {to_hex(claim.owner)}, {revealed}")


@main.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@settings_options(WatchSettings)
def status_command(settings: WatchSettings, as_json: bool) -> None:
    """All matches: where they stand, whose turn it is, and how long for."""
    configure_logs("warning", settings.log.format)
    found = _run(survey(settings))
    matches = list(get_matches(found.game, found.parameters))
    for match in matches:
        if as_json:
            click.echo(json.dumps(to_json(match)))
            continue
        left = max(0, match.deadline - found.now)
        turn = f"{match.turn} has {left} s" if match.status == "on" else "a claim is dead"
        click.echo(f"{match.status:4s} {to_hex(match.match)}  {match.stage}, height {match.height}, {turn}")
        for side, owner in zip("ab", match.owners, strict=True):
            click.echo(f"     {side} {to_hex(owner)}")
    if not matches and not as_json:
        click.echo("no dispute was ever opened")


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
        "status": judgement.status.value,
        "confirmed": judgement.status is Status.CONFIRMED,
        "reason": judgement.reason,
    }


def _sentence(judgement: Judgement) -> str:
    return (
        f"{judgement.verdict.value:9s} batch {judgement.batch}  {to_hex(judgement.node)}  "
        f"({judgement.status.value}) {judgement.reason}"
    )

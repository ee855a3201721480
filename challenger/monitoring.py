"""The commands that look and never touch: `challenger list` and `challenger status`. No key."""

import json

import click

from challenger.exits import run_program
from challenger.overview import get_claims, get_matches, to_json
from challenger.settings import WatchSettings
from challenger.watching import describe, survey, write_sentence
from optimist.l1.types import to_hex
from optimist.ops.config import settings_options
from optimist.ops.logs import configure_logs


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@settings_options(WatchSettings)
def list_command(settings: WatchSettings, as_json: bool) -> None:
    """All assertions, what we think of them, and who stands on them."""
    configure_logs("warning", settings.log.format)
    found = run_program(survey(settings))
    for judgement in found.judgements:
        claims = list(get_claims(found.game, judgement))
        if as_json:
            click.echo(json.dumps({**describe(judgement), "claims": to_json(claims)}))
            continue
        click.echo(write_sentence(judgement))
        for claim in claims:
            revealed = "revealed" if claim.is_revealed else "not revealed"
            click.echo(f"          {claim.status:4s} claim of {to_hex(claim.owner)}, {revealed}")


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@settings_options(WatchSettings)
def status_command(settings: WatchSettings, as_json: bool) -> None:
    """All matches: where they stand, whose turn it is, and how long for."""
    configure_logs("warning", settings.log.format)
    found = run_program(survey(settings))
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

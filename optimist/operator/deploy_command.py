"""The command line of `optimist deploy`."""

import asyncio
import json

import click

from optimist.l1.creation import ORDER, AddressMismatch
from optimist.l1.deployment import DeploymentMismatch
from optimist.l1.errors import L1Error
from optimist.l1.signer import KeyProblem
from optimist.l1.types import to_hex
from optimist.operator.deploying import DeploymentExists, DeploySettings, NoToken, Outcome, deploy
from optimist.operator.rollup_file import BadInit, BadRollupFile
from optimist.ops.config import settings_options
from optimist.ops.logs import configure_logs


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@settings_options(DeploySettings)
def command(settings: DeploySettings, as_json: bool) -> None:
    """Create a rollup's five contracts on an L1, and write deployment.json.

    Exit codes: 0 done, 2 these settings, 3 L1.
    """
    configure_logs(settings.log.level, settings.log.format)
    try:
        outcome = asyncio.run(deploy(settings))
    except (BadRollupFile, BadInit, KeyProblem, DeploymentExists, NoToken) as error:
        raise click.UsageError(str(error)) from error
    except (L1Error, AddressMismatch, DeploymentMismatch) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(3) from error
    describe(settings, outcome, as_json=as_json)


def describe(settings: DeploySettings, outcome: Outcome, *, as_json: bool) -> None:
    """Print what was created, or would be."""
    deployment = outcome.deployment
    names = (*ORDER, "token")
    if as_json:
        content = {
            "chainId": deployment.chain_id,
            "preset": deployment.preset.name,
            "imageRoot": to_hex(deployment.image_root),
            "block": deployment.block,
            "addresses": {name: to_hex(deployment.addresses[name]) for name in names},
            "gas": outcome.gas,
            "file": None if settings.dry_run else str(settings.output),
        }
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(f"chain         {deployment.chain_id}")
    click.echo(f"law           {to_hex(deployment.image_root)}  ({deployment.preset.name})")
    for name in names:
        click.echo(f"{name:<14s}{to_hex(deployment.addresses[name])}")
    if settings.dry_run:
        click.echo("nothing was sent (--dry-run)")
    else:
        click.echo(f"gas           {outcome.gas:,}")
        click.echo(f"written       {settings.output}")

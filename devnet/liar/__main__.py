"""`python -m devnet.liar --fault skip-margin-check --l1-rpc … --deployment … --dev`."""

import asyncio

import click

from devnet.liar.faults import FaultError
from devnet.liar.settings import LiarSettings
from devnet.liar.telling import NoLie, lie
from optimist.l1.deployment import DeploymentError, DeploymentMismatch
from optimist.l1.signer import KeyProblem
from optimist.ops.config import settings_options
from optimist.ops.logs import configure_logs


@click.command()
@settings_options(LiarSettings)
def main(settings: LiarSettings) -> None:
    """Assert something false with a real bond, and play for it until it is lost. For devnets only."""
    configure_logs(settings.log.level, settings.log.format)
    try:
        asyncio.run(lie(settings))
    except (FaultError, NoLie, DeploymentError, DeploymentMismatch, KeyProblem) as error:
        raise click.UsageError(str(error)) from error


if __name__ == "__main__":
    main()

"""The command line of the sequencer."""

import asyncio
from contextlib import suppress

import click

from optimist.derive.batch import DerivationError
from optimist.l1.deployment import DeploymentError, DeploymentMismatch
from optimist.l1.errors import FinalizedReorg, L1Error
from optimist.l1.signer import KeyProblem
from optimist.node.execution import ExecutionMismatch
from optimist.node.executors import WorkerDied
from optimist.ops.config import settings_options
from optimist.ops.logs import configure_logs
from optimist.ops.server import OpsPortTaken
from optimist.sequencer.builder import HeadMismatch
from optimist.sequencer.gate import GateClosed
from optimist.sequencer.service import WrongKey, run_sequencer
from optimist.sequencer.settings import SequencerSettings
from optimist.store.journal import JournalError
from optimist.store.lock import DirectoryInUse
from optimist.store.state_store import ForeignState, StateUnwritable

# What whoever starts the program has to mend.
USAGE = (
    DeploymentError,
    DeploymentMismatch,
    KeyProblem,
    WrongKey,
    DirectoryInUse,
    ForeignState,
    OpsPortTaken,
)
# Local data, or what it does not fit to: a person must look before the program is started again.
LOCAL = (
    HeadMismatch,
    JournalError,
    GateClosed,
    StateUnwritable,
    DerivationError,
    ExecutionMismatch,
    FinalizedReorg,
)


@click.command()
@settings_options(SequencerSettings)
def command(settings: SequencerSettings) -> None:
    """Order actions, post batches, propose state roots."""
    configure_logs(settings.log.level, settings.log.format)
    try:
        asyncio.run(run_sequencer(settings))
    except USAGE as error:
        raise click.UsageError(str(error)) from error
    except LOCAL as error:
        _complain(error)
        raise SystemExit(4) from error
    except WorkerDied as error:
        _complain(error)
        raise SystemExit(1) from error  # killed, for want of memory most likely: nothing to look at here
    except L1Error as error:
        _complain(error)
        raise SystemExit(3) from error  # L1


def _complain(error: Exception) -> None:
    """Say it, if anybody can be told: a full disk takes no logs either, and the exit code must stand."""
    with suppress(OSError):
        click.echo(f"Error: {error}", err=True)

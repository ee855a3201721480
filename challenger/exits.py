"""Exit codes of all commands, and the one place in which expected failures become one."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import click

from optimist.derive.batch import DerivationError
from optimist.l1.deployment import DeploymentError, DeploymentMismatch
from optimist.l1.errors import L1Error
from optimist.l1.signer import KeyProblem
from optimist.ops.server import OpsPortTaken
from optimist.store.journal import JournalError
from optimist.store.lock import DirectoryInUse
from optimist.store.state_store import ForeignState, StateUnwritable

T = TypeVar("T")

EXIT_DISAGREE: Final = 1  # something false is open, or our own claims need a person
EXIT_USAGE: Final = 2  # wrong flags, wrong deployment, no key: click's own code
EXIT_L1: Final = 3  # no L1, or one that contradicts itself
EXIT_DATA: Final = 4  # the data directory is in use, of another rollup, or on a disk that fails
EXIT_BROKEN: Final = 5  # insolvent, stuck or lost: the game cannot mend it by itself


def run_program(program: Coroutine[Any, Any, T]) -> T:
    """Run a program; its expected failures become one line and an exit code."""
    try:
        return asyncio.run(program)
    except (DeploymentError, DeploymentMismatch, KeyProblem, OpsPortTaken) as error:
        raise click.UsageError(str(error)) from error
    except (DirectoryInUse, ForeignState, JournalError, StateUnwritable) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(EXIT_DATA) from error
    except (L1Error, DerivationError) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(EXIT_L1) from error
    except KeyboardInterrupt:
        raise SystemExit(0) from None

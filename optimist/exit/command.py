"""The command lines of `optimist exit`, `optimist seal` and `optimist force`."""

import asyncio
import json
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
import structlog
from rich.console import Console

from optimist.api.errors import ApiError
from optimist.api.schema import parse_action
from optimist.derive.account_actions import ForcedReduce
from optimist.derive.actions import (
    CloseMarket,
    ForcedWithdraw,
    Liquidate,
    PriceUpdate,
    Settle,
    encode_forced,
)
from optimist.derive.batch import DerivationError
from optimist.exit.facts import Facts
from optimist.exit.forcing import Forcer
from optimist.exit.planner import Kind, Step, make_plan
from optimist.exit.reading import NoSuchAccount, choose_account, read_facts
from optimist.exit.sending import open_own_node, open_sender
from optimist.exit.settings import ExitSettings, OwnSettings
from optimist.exit.showing import describe_plan, print_plan
from optimist.exit.walking import Walker
from optimist.l1.deployment import DeploymentError, DeploymentMismatch
from optimist.l1.errors import L1Error
from optimist.l1.keys import open_key
from optimist.l1.signer import KeyProblem
from optimist.l1.types import from_hex
from optimist.node.execution import ExecutionMismatch
from optimist.node.opening import OpenNode
from optimist.node.proofs import FalseConfirmation
from optimist.ops.config import settings_options
from optimist.ops.logs import configure_logs
from optimist.sequencer.proposer import BondLost
from optimist.store.journal import JournalError
from optimist.store.lock import DirectoryInUse
from optimist.store.state_store import ForeignState

log = structlog.get_logger(__name__)

USAGE = (DeploymentError, DeploymentMismatch, KeyProblem, NoSuchAccount, DirectoryInUse, ForeignState)
PERSON = (BondLost, ExecutionMismatch, FalseConfirmation)  # somebody has to look


@click.command("exit")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one object, with --follow one a line.")
@settings_options(ExitSettings)
def exit_command(settings: ExitSettings, as_json: bool) -> None:
    """Leave with everything, with nobody's help: an L1 RPC, deployment.json and your key are enough.

    Does what can be done now, and says what comes next; with --follow it goes on until you are paid. It may
    be stopped and started at any time, with the same --datadir.

    Exit codes: 0 done, 1 a person must look, 2 these settings, 3 L1, 4 local data.
    """
    configure_logs(settings.log.level, settings.log.format)
    _run(_plan(settings, as_json) if settings.plan else _exit(settings, as_json))


@click.command("seal")
@settings_options(OwnSettings)
def seal_command(settings: OwnSettings) -> None:
    """Seal a public batch, if something in L1's queue is overdue. Anyone may.

    Exit codes: 0 sealed or nothing to seal, 2 these settings, 3 L1, 4 local data.
    """
    configure_logs(settings.log.level, settings.log.format)
    _run(_seal(settings))


@click.group("force")
def force_command() -> None:
    """Put an input into L1's queue: no sequencer can leave it out for longer than its deadline."""


@force_command.command("close")
@click.option("--market", type=click.IntRange(0, 255), required=True, help="Market that is dead.")
@settings_options(OwnSettings)
def close_command(settings: OwnSettings, market: int) -> None:
    """Announce that a market is dead, or close it a window later. Anyone may."""
    _force(settings, f"close:{market}", CloseMarket(market).encode())


@force_command.command("settle")
@click.option("--account", type=click.IntRange(0, (1 << 36) - 1), required=True, help="Account to settle.")
@click.option("--market", type=click.IntRange(0, 255), required=True, help="Market that was closed.")
@settings_options(OwnSettings)
def settle_command(settings: OwnSettings, account: int, market: int) -> None:
    """Pay out a position that was closed with its side; a bankrupt's debt becomes the fund's. Anyone may."""
    _force(settings, f"settle:{account}:{market}", encode_forced(Settle(account, market)))


@force_command.command("liquidate")
@click.option("--account", type=click.IntRange(0, (1 << 36) - 1), required=True, help="Account to liquidate.")
@click.option("--market", type=click.IntRange(0, 255), required=True, help="Market of its position.")
@settings_options(OwnSettings)
def liquidate_command(settings: OwnSettings, account: int, market: int) -> None:
    """Liquidate an account that is below its maintenance margin. Anyone may."""
    _force(settings, f"liquidate:{account}:{market}", encode_forced(Liquidate(account, market)))


@force_command.command("price")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Signed prices in JSON, as the API's POST /v1/actions takes them.",
)
@settings_options(OwnSettings)
def price_command(settings: OwnSettings, file: Path) -> None:
    """Publish a price that a quorum of the oracle's keys has signed. Anyone may."""
    try:
        action = parse_action(file.read_bytes())
    except ApiError as error:
        raise click.UsageError(f"{file}: {error}") from error
    if not isinstance(action, PriceUpdate):
        raise click.UsageError(f"{file}: this is no price")
    _force(settings, f"price:{action.market}:{action.publish_time}", encode_forced(action))


@force_command.command("reduce")
@click.option("--account", type=click.IntRange(0, (1 << 36) - 1), required=True, help="Your account.")
@click.option("--market", type=click.IntRange(0, 255), required=True, help="Market of the position.")
@click.option("--size", type=click.IntRange(1, (1 << 64) - 1), required=True, help="In units of the market.")
@click.option(
    "--limit",
    type=click.IntRange(1, (1 << 64) - 1),
    required=True,
    help="In 1e-8 USD: the least that a long takes, the most that a short pays.",
)
@settings_options(OwnSettings)
def reduce_command(settings: OwnSettings, account: int, market: int, size: int, limit: int) -> None:
    """Close up to --size of a position of yours at the mark, against the backstop of its group."""
    payload = ForcedReduce(account, market, size, limit).encode()
    _force(settings, f"reduce:{account}:{market}:{size}:{limit}", payload)


@force_command.command("withdraw")
@click.option("--account", type=click.IntRange(0, (1 << 36) - 1), required=True, help="Your account.")
@click.option("--amount", type=click.IntRange(1, (1 << 64) - 1), required=True, help="In 1e-6 USD.")
@click.option(
    "--least-paid", type=click.IntRange(0, (1 << 64) - 1), help="Rather nothing than less. Default: all."
)
@settings_options(OwnSettings)
def withdraw_command(settings: OwnSettings, account: int, amount: int, least_paid: int | None) -> None:
    """Withdraw from your account, to its owner."""
    least = amount if least_paid is None else least_paid
    _force(settings, f"withdraw:{account}", ForcedWithdraw(account, amount, least).encode())


async def _plan(settings: ExitSettings, as_json: bool) -> None:
    async with open_own_node(settings) as opened, AsyncExitStack() as stack:
        owner = (await open_key(settings.key, stack)).address if settings.key.is_given else None
        facts = await read_facts(opened, _choose_account(opened, settings.account, owner), owner)
    _show(facts, make_plan(facts), as_json=as_json, indent=2)


async def _exit(settings: ExitSettings, as_json: bool) -> None:
    async with open_own_node(settings) as opened, open_sender(settings, opened) as sender:
        account = _choose_account(opened, settings.account, sender.address)
        walker = Walker(
            opened,
            sender,
            account,
            has_bond=settings.bond,
            operator=from_hex(settings.operator) if settings.operator else None,
            tolerance_ppm=settings.tolerance_ppm,
        )
        shown: list[tuple[Kind, int, int, bool]] | None = None
        stage = None
        async for stage in walker.walk(settings.l1_poll, follow=settings.follow):
            kinds = [(step.kind, step.market, step.account, step.is_due) for step in stage.plan]
            if settings.follow and kinds != shown:
                _show(stage.facts, stage.plan, as_json=as_json)
                shown = kinds
            for step in stage.now:
                log.info("exit_step", step=step.kind.value, market=step.market, account=step.account)
        if stage is not None and not settings.follow:
            _show(stage.facts, stage.plan, as_json=as_json, indent=2)


def _choose_account(opened: OpenNode, wanted: int | None, owner: bytes | None) -> int:
    if wanted is not None:
        return wanted
    if owner is None:
        raise NoSuchAccount("whose plan is it? Say which account with --account, or give its owner's key")
    return choose_account(opened, owner)


async def _seal(settings: OwnSettings) -> None:
    async with open_own_node(settings) as opened, open_sender(settings, opened) as sender:
        is_sealed = await Forcer(opened, sender).seal()
    click.echo("sealed" if is_sealed else "nothing is overdue, or somebody was quicker")


def _force(settings: OwnSettings, wish: str, payload: bytes) -> None:
    configure_logs(settings.log.level, settings.log.format)

    async def force() -> None:
        async with open_own_node(settings) as opened, open_sender(settings, opened) as sender:
            index = await Forcer(opened, sender).force(wish, payload)
            deadline = opened.deployment.preset.forced_deadline
        click.echo(
            f"queue item {index}: in a batch within {deadline:,} s, or anyone may seal it (optimist seal)"
        )

    _run(force())


def _show(facts: Facts, plan: tuple[Step, ...], *, as_json: bool, indent: int | None = None) -> None:
    if as_json:
        click.echo(json.dumps(describe_plan(facts, plan), indent=indent))
    else:
        print_plan(Console(), facts, plan)


def _run(program: Coroutine[Any, Any, None]) -> None:
    """Run it; expected failures become one line and an exit code."""
    try:
        asyncio.run(program)
    except USAGE as error:
        raise click.UsageError(str(error)) from error
    except PERSON as error:
        raise _fail(error, 1) from error
    except (L1Error, DerivationError) as error:
        raise _fail(error, 3) from error
    except JournalError as error:
        raise _fail(error, 4) from error


def _fail(error: Exception, code: int) -> SystemExit:
    click.echo(f"Error: {error}", err=True)
    return SystemExit(code)

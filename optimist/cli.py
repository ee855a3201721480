"""`optimist`: the commands. What a command needs is imported when it runs: some of it loads slowly."""

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from optimist.ops.settings import NodeSettings


@click.group()
@click.version_option(package_name="optimist")
def main() -> None:
    """Optimist: an optimistic rollup for margined derivatives, provable step by step."""


@main.command()
@click.option(
    "--preset", type=click.Choice(["minimal", "mainnet"]), default="minimal", show_default=True, help="Sizes."
)
@click.option("--listing", is_flag=True, help="Print every instruction with the source line it comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def image(preset: str, listing: bool, as_json: bool) -> None:
    """Compile the law: its image root, and the worst number of steps of each kind of input."""
    from optimist.prove.law import load_law

    compiled = load_law(preset).compiled
    found = compiled.image
    if as_json:
        click.echo(
            json.dumps(
                {
                    "preset": preset,
                    "imageRoot": "0x" + found.root.hex(),
                    "programRoot": "0x" + found.program_root.hex(),
                    "memoryRoot": "0x" + found.memory_root.hex(),
                    "entry": found.entry,
                    "instructions": len(found.program),
                    "constants": len(found.memory),
                    "memoryWords": compiled.memory_words,
                    "worstSteps": compiled.worst_steps,
                    "bound": compiled.bound,
                },
                indent=2,
            )
        )
        return
    click.echo(f"image root    0x{found.root.hex()}  ({preset})")
    click.echo(f"program       {len(found.program)} instructions, entry at {found.entry}")
    click.echo(f"memory        {len(found.memory)} constants, {compiled.memory_words} words used")
    click.echo("worst steps of an input")
    for name, steps in compiled.worst_steps.items():
        click.echo(f"  {name:<20s}{steps:>8,d}")
    click.echo(f"  {'(any)':<20s}{compiled.bound:>8,d}")
    for note in compiled.notes:
        click.echo(f"note: {note}")
    if listing:
        click.echo()
        click.echo(compiled.listing())


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sequencer(arguments: tuple[str, ...]) -> None:
    """Order actions, post batches, propose state roots: `optimist sequencer --help`."""
    from optimist.sequencer.command import command

    command.main(args=list(arguments), prog_name="optimist sequencer")


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def deploy(arguments: tuple[str, ...]) -> None:
    """Create a rollup's contracts on an L1: `optimist deploy --help`."""
    from optimist.operator.deploy_command import command

    command.main(args=list(arguments), prog_name="optimist deploy")


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def config(arguments: tuple[str, ...]) -> None:
    """Look at the effective settings: `optimist config --help`."""
    from optimist.operator.config_command import command

    command.main(args=list(arguments), prog_name="optimist config")


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def key(arguments: tuple[str, ...]) -> None:
    """Make keys, and look at their addresses: `optimist key --help`."""
    from optimist.operator.key_command import command

    command.main(args=list(arguments), prog_name="optimist key")


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def derive(arguments: tuple[str, ...]) -> None:
    """Compute the state root at every batch end from L1 alone: `optimist derive --help`."""
    from optimist.ops.config import settings_options
    from optimist.ops.settings import NodeSettings

    @click.command()
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @settings_options(NodeSettings)
    def command(settings: NodeSettings, as_json: bool) -> None:
        """Compute the state root at every batch end from L1 alone.

        Exit codes: 0 done, 2 these settings, 3 no L1, 4 what L1 says cannot be.
        """
        _run_derive(settings, as_json)

    command.main(args=list(arguments), prog_name="optimist derive")


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def account(arguments: tuple[str, ...]) -> None:
    """Tell an account's history, and what would become of it: `optimist account --help`."""
    from optimist.api.account_command import account as command

    command.main(args=list(arguments), prog_name="optimist account")


@main.command("exit", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def exit_(arguments: tuple[str, ...]) -> None:
    """Leave with everything, with nobody's help: `optimist exit --help`."""
    from optimist.exit.command import exit_command

    exit_command.main(args=list(arguments), prog_name="optimist exit")


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def seal(arguments: tuple[str, ...]) -> None:
    """Seal a public batch when L1's queue is overdue: `optimist seal --help`."""
    from optimist.exit.command import seal_command

    seal_command.main(args=list(arguments), prog_name="optimist seal")


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def force(arguments: tuple[str, ...]) -> None:
    """Put an input into L1's queue, past the sequencer: `optimist force --help`."""
    from optimist.exit.command import force_command

    force_command.main(args=list(arguments), prog_name="optimist force")


def _run_derive(settings: "NodeSettings", as_json: bool) -> None:
    import asyncio

    from optimist.derive.batch import DerivationError
    from optimist.l1.deployment import DeploymentError, DeploymentMismatch
    from optimist.l1.errors import FinalizedReorg, L1Error
    from optimist.ops.logs import configure_logs
    from optimist.store.lock import DirectoryInUse
    from optimist.store.state_store import ForeignState

    configure_logs(settings.log.level, settings.log.format)
    try:
        found = asyncio.run(_derive(settings))
    except (DeploymentError, DeploymentMismatch, DirectoryInUse, ForeignState) as error:
        raise click.UsageError(str(error)) from error
    except (DerivationError, FinalizedReorg) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(4) from error
    except L1Error as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(3) from error
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"L1 block {found['block']} (0x{found['blockHash'][2:10]}…), {len(found['batches'])} batches")
    click.echo(f"{'batch':>7} {'inputs':>7} {'rejected':>9}  root")
    for batch in found["batches"]:
        click.echo(f"{batch['batch']:>7} {batch['inputs']:>7} {batch['rejected']:>9}  {batch['root']}")


async def _derive(settings: "NodeSettings") -> dict[str, Any]:
    from optimist.node.opening import open_node

    async with open_node(
        l1_rpc=settings.l1_rpc,
        deployment=settings.deployment,
        tag=settings.l1_tag,
        l1_timeout=settings.l1_timeout,
        datadir=settings.datadir,
    ) as opened:
        node = opened.node
        await node.catch_up()
    count = node.ledger.get_input_count
    ends = [node.ledger.get_end(number) for number in range(1, node.ledger.batch_count + 1)]
    head = node.head
    return {
        "block": head.number if head else 0,
        "blockHash": "0x" + (head.hash if head else b"").hex(),
        "batches": [
            {
                "batch": end.number,
                "inputs": end.input_count - count(end.number - 1),
                "rejected": end.rejected,
                "accumulator": "0x" + end.accumulator.hex(),
                "root": "0x" + end.root.hex(),
            }
            for end in ends
        ],
    }

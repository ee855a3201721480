"""`python -m devnet`: a rollup on this machine."""

import asyncio
import json
import signal
import threading
from pathlib import Path
from typing import Any

import click

from devnet.accounts import get_cast
from devnet.check import get_state_file
from devnet.compile import compile_contracts
from devnet.deploy import deploy_token
from devnet.liar.faults import FaultError
from devnet.network import Devnet
from devnet.prices import BadPriceFile
from devnet.processes import ProcessFailed
from devnet.story.play import DEFAULT_FAULTS, get_log_folder, parse_faults, play, read_prices
from devnet.story.stage import StoryFailed
from devnet.wallet import Wallet
from optimist.api.errors import ApiError
from optimist.base.presets import PRESETS, get_preset
from optimist.l1.client import L1Client
from optimist.l1.errors import L1Error


@click.group()
def main() -> None:
    """A whole rollup on one machine. Its keys are known to the world: never send anything of value there."""


@main.command()
@click.option(
    "--preset", type=click.Choice(sorted(PRESETS)), default="minimal", show_default=True, help="Parameters."
)
@click.option("--block-time", type=click.IntRange(min=1), default=1, show_default=True, help="Seconds.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="For deployment.json and logs. By default a temporary one, removed at the end.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line, for programs.")
def up(preset: str, block_time: int, directory: Path | None, as_json: bool) -> None:
    """Start anvil on a free port, deploy, fund everybody; stay up until interrupted."""
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    with Devnet.start(directory=directory, preset=get_preset(preset), block_time=block_time) as network:
        description = describe(network)
        click.echo(json.dumps(description) if as_json else format_description(description))
        while not interrupted.wait(timeout=1):
            network.anvil.process.check_alive()


@main.command()
@click.option("--l1-rpc", required=True, help="URL of a private Ethereum.")
def token(l1_rpc: str) -> None:
    """Create a token that anybody may mint, and print its address: for trying `optimist deploy`."""

    async def create() -> bytes:
        async with L1Client([l1_rpc]) as client:
            return await deploy_token(Wallet(client, get_cast().deployer), compile_contracts())

    try:
        click.echo(f"0x{asyncio.run(create()).hex()}")
    except L1Error as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option(
    "--prices",
    envvar="PRICES",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV of an exchange's 1-minute klines that the market follows; by default a generated crash.",
)
@click.option("--seed", envvar="SEED", type=int, default=1, show_default=True, help="Of all that is random.")
@click.option(
    "--fault",
    "faults",
    envvar="FAULT",
    default=",".join(DEFAULT_FAULTS),
    show_default=True,
    help="What the liars lie about, separated by commas; none: nobody lies.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("build/demo.json"),
    show_default=True,
    help="What happened, for `python -m devnet.check`. L1's state is written beside it.",
)
def story(prices: Path | None, seed: int, faults: str, output: Path) -> None:
    """Play the story: a market, a crash, a withdrawal, and lies that L1 finds out."""
    try:
        path = read_prices(prices, seed)
        wanted = parse_faults(faults, get_cast().liars)
    except (BadPriceFile, FaultError) as error:
        raise click.UsageError(str(error)) from error
    state = get_state_file(output)
    state.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)  # what an earlier story has written is not about this one
    try:
        with Devnet.start(block_time=1, dump_state=state) as network:
            play(network, path, wanted, seed, output)
    except (StoryFailed, ProcessFailed, ApiError, L1Error) as error:
        logs = get_log_folder(output)
        raise click.ClickException(f"the story broke off: {error}\nThe logs are in {logs}") from error
    click.echo(f"\nwritten: {output}; check it with: .venv/bin/python -m devnet.check {output}")


def describe(network: Devnet) -> dict[str, Any]:
    """Everything that a program needs to use the devnet."""
    cast, deployment = network.cast, network.deployment
    return {
        "rpc": network.anvil.url,
        "deployment": str(network.deployment_file.resolve()),
        "chainId": deployment.chain_id,
        "preset": deployment.preset.name,
        "imageRoot": f"0x{deployment.image_root.hex()}",
        "addresses": {name: f"0x{address.hex()}" for name, address in deployment.addresses.items()},
        "quorum": network.init.quorum,
        "keys": {
            actor.name: {"address": actor.hex_address, "secret": actor.hex_secret}
            for actor in cast.everybody()
        },
    }


def format_description(description: dict[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"L1            {description['rpc']}  (chain {description['chainId']})",
        f"deployment    {description['deployment']}",
        f"law           {description['imageRoot']}  ({description['preset']})",
        "",
        *(f"{name:<14s}{address}" for name, address in description["addresses"].items()),
        "",
        f"keys, known to the whole world; prices need {description['quorum']} oracle signatures",
        *(f"{name:<14s}{key['address']}  {key['secret']}" for name, key in description["keys"].items()),
        "",
        "Follow it:  challenger watch --l1-rpc {rpc} --deployment {deployment}".format(**description),
        "Stop it:    Ctrl-C",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

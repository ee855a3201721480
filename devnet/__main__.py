"""`python -m devnet`: a rollup on this machine."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import click

from devnet.network import Devnet
from optimist.base.presets import PRESETS, get_preset


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
        "Follow it:  challenger watch --l1-rpc {rpc} --deployment {deployment} --l1-tag latest".format(
            **description
        ),
        "Stop it:    Ctrl-C",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

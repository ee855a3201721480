"""A real sequencer process on a real devnet, for tests."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from devnet.network import Devnet
from devnet.processes import Process


def start_sequencer(
    network: Devnet,
    directory: Path,
    *,
    failpoint: str = "",
    name: str = "sequencer",
    more: Sequence[str] = (),
    **flags: str,
) -> Process:
    """`optimist sequencer` with the devnet's keys. Flags: `batch_age="1"` becomes `--batch.age 1`.

    `more`: further arguments as they are. With a flag of the proposer's it asserts roots as well.
    """
    environment = {
        **os.environ,
        "OPTIMIST_KEY_SECRET": network.cast.sequencer.hex_secret,
        "OPTIMIST_FAILPOINT": failpoint,
    }
    if any(key.startswith("proposer") for key in flags):
        environment["OPTIMIST_PROPOSER_SECRET"] = network.cast.proposer.hex_secret
    settings = {"batch_age": "1", "l1_poll": "0.2", "l1_rpc": network.anvil.url, **flags}
    arguments = [part for key, value in settings.items() for part in (_name_flag(key), value)]
    command = [
        sys.executable,
        "-m",
        "optimist",
        "sequencer",
        "--dev",
        "--deployment",
        str(network.deployment_file),
        "--datadir",
        str(directory),
        "--l1-tag",
        "latest",
        "--api.port",
        "0",
        "--log.format",
        "json",
        *arguments,
        *more,
    ]
    return Process(name, command, directory.with_name(f"{directory.name}-{name}.log"), environment)


def _name_flag(key: str) -> str:
    """batch_row_bytes: --batch.row-bytes, and l1_poll: --l1-poll."""
    return "--" + (key if key.startswith("l1") else key.replace("_", ".", 1)).replace("_", "-")


def find_url(process: Process) -> str:
    """The API's address, once it listens."""
    line = process.wait_for_line('"event": "api_listening"', timeout=60)
    start = line.index("http://")
    return line[start : line.index('"', start)]

"""Starts the real programs against a devnet, each as a process of its own, with keys from the environment."""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devnet.accounts import Actor
from devnet.network import Devnet
from devnet.processes import POLL_INTERVAL, Process

POLL = "0.25"  # s between two looks at L1, whose blocks are a second apart


class Service:
    """A running program of ours. Its log is JSON, one event a line: `events` reads it, `wait_for` waits."""

    def __init__(self, name: str, command: Sequence[str], network: Devnet, secrets: dict[str, Actor]) -> None:
        """`command`: module and arguments; `secrets`: environment variable to whose key it shall hold."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OPTIMIST_")}
        environment |= {variable: actor.hex_secret for variable, actor in secrets.items()}
        arguments = [
            *("--l1-rpc", network.anvil.url),
            *("--deployment", str(network.deployment_file)),
            *("--l1-poll", POLL),
            *("--log.format", "json"),
            *("--ops.port", "0"),
        ]
        self.name = name
        self.process = Process(
            name,
            [sys.executable, "-m", *command, *arguments],
            network.directory / f"{name}.log",
            environment,
        )

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """What it has logged so far, of one event or of all. Lines that are no JSON are left out."""
        found = []
        for line in self.process.read_log().splitlines():
            if line.startswith("{"):
                try:
                    event = json.loads(line)
                except json.JSONDecodeError:
                    continue  # the last line, half written
                if not name or event.get("event") == name:
                    found.append(event)
        return found

    def wait_for(self, name: str, *, timeout: float = 60, count: int = 1) -> dict[str, Any]:
        """The `count`-th event of that name. Raises ProcessFailed when it does not come."""
        deadline = time.monotonic() + timeout
        while len(found := self.events(name)) < count:
            if time.monotonic() > deadline or self.process.exit_code is not None:
                raise self.process.failure(f"waited for event {name!r} number {count}")
            time.sleep(POLL_INTERVAL)
        return found[count - 1]

    def stop(self) -> int:
        """End it as an operator would; its exit code."""
        return self.process.stop()


def start_sequencer(
    network: Devnet,
    *,
    propose: bool = True,
    batch_age: float = 3.0,
    options: Sequence[str] = (),
    name: str = "sequencer",
) -> tuple[Service, str]:
    """The sequencer, once it takes actions, and the URL of its API. `batch_age`: seconds a batch is open."""
    cast = network.cast
    secrets = {"OPTIMIST_KEY_SECRET": cast.sequencer}
    if propose:
        secrets["OPTIMIST_PROPOSER_SECRET"] = cast.proposer
    command = [
        *("optimist", "sequencer", "--dev"),
        *("--datadir", str(network.directory / name)),
        *("--api.port", "0"),
        *("--batch.age", str(batch_age)),
        *("--proposer.poll", "1"),
        *("--proposer.operator", cast.challenger.hex_address),
        *options,
    ]
    service = Service(name, command, network, secrets)
    ready = service.wait_for("sequencer_ready")
    return service, f"http://127.0.0.1:{ready['port']}"


def start_watcher(network: Devnet, *, options: Sequence[str] = ()) -> Service:
    """The watcher, which holds no key."""
    return Service("watcher", ["challenger", "watch", *options], network, {})


def start_challenger(network: Devnet, *, options: Sequence[str] = ()) -> Service:
    """The challenger, with a bond. It operates the claims of the sequencer's proposer, which names it."""
    secrets = {"OPTIMIST_KEY_SECRET": network.cast.challenger}
    command = ["challenger", "run", "--dev", "--operate-for", network.cast.proposer.hex_address, *options]
    return Service("challenger", command, network, secrets)


def start_liar(network: Devnet, liar: Actor, fault: str, *, options: Sequence[str] = ()) -> Service:
    """A liar with a bond, who asserts `fault` about the first range that is not confirmed yet."""
    command = ["devnet.liar", "--dev", "--fault", fault, *options]
    return Service(liar.name, command, network, {"OPTIMIST_KEY_SECRET": liar})


def keep_logs(network: Devnet, folder: Path) -> None:
    """Copy the logs of all services of a devnet to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for log in network.directory.glob("*.log"):
        (folder / log.name).write_bytes(log.read_bytes())

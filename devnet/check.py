"""`python -m devnet.check build/demo.json`: whether every line of it is true, and the story whole.

Everything is derived anew from L1: batches from events, states by executing the law, disputes from calldata.
L1 is the RPC endpoint given by --rpc or named in the file; when nobody answers there any more, an anvil that
starts from the state which the demo has written beside its file. Ends with 1 when a line is untrue.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import requests

from devnet.anvil import Anvil
from devnet.evidence.dispute import find_lies
from devnet.evidence.record import SCHEMA, derive_record
from devnet.evidence.retelling import find_retelling_faults
from devnet.history import read_history
from optimist.base.presets import get_preset
from optimist.l1.client import L1Client
from optimist.l1.deployment import Deployment, check_deployment
from optimist.l1.provenance import check_provenance
from optimist.l1.types import from_hex
from optimist.prove.law import load_law

EVIDENCE = {
    "deployment": "code, neighbours, parameters and image root on L1; the image compiled from source here",
    "inputs": "decoded from the events of the Inbox",
    "batches": "hashed to the Inbox's accumulator, executed by the law again",
    "liquidations": "what the law did on these inputs",
    "withdrawals": "payments of the Vault; each is a record of the state",
    "assertions": "compared with the roots that the law gives",
    "lies": "from calldata, receipts and the law; told again from their fault, natively and on the machine",
}
# What the file must tell of, beyond being true.
MARGIN_INPUTS = frozenset({"TRADE", "WITHDRAW", "FORCED"})
LIQUIDATION_INPUTS = frozenset({"LIQUIDATE"})


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rpc", help="L1 endpoint. By default the one named in the file, or its written state.")
def main(file: Path, rpc: str | None) -> None:
    """Derive every line of FILE again from L1. Ends with 1 when one is untrue, or the story is not whole."""
    try:
        told = json.loads(file.read_text())
        if told["schema"] != SCHEMA:
            raise click.UsageError(f"{file} has schema {told['schema']}, this program knows {SCHEMA}")
        with open_l1(told, file, rpc) as url:
            untrue = asyncio.run(check(told, url))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise click.UsageError(f"{file} is no record of a demo: {error!r}") from error
    for section, source in EVIDENCE.items():
        is_bad = any(line.startswith(section) for line in untrue)
        count = len(told[section]) if isinstance(told[section], list) else 1
        click.echo(f"{'UNTRUE' if is_bad else 'true':<7s}{section:<13s}{count:>3d}  {source}")
    missing = find_missing(told)
    for line in untrue:
        click.echo(f"UNTRUE {line}", err=True)
    for line in missing:
        click.echo(f"MISSING {line}", err=True)
    if untrue or missing:
        raise SystemExit(1)
    click.echo(f"every line of {file} is true, and the story is whole")


async def check(told: Mapping[str, Any], url: str) -> list[str]:
    """What is untrue in the file, one line each, beginning with its place."""
    deployment = read_deployment(told["deployment"])
    law = load_law(deployment.preset.name)
    faults = [lie["fault"] for lie in told["lies"]]
    async with L1Client([url]) as client:
        await check_deployment(client, deployment, law.image.root)
        await check_provenance(client, deployment)
        history = await read_history(client, deployment.addresses, deployment.block, law.native)
        derived = await derive_record(client, deployment, law, history, faults)
    untrue = find_differences({name: told[name] for name in told if name != "rpc"}, derived)
    lies = find_lies(history)
    for index, (lie, described) in enumerate(zip(lies, derived["lies"], strict=True)):
        found = await asyncio.to_thread(
            find_retelling_faults, history, lie, described, deployment.preset, law
        )
        untrue += [f"lies[{index}].{line}" for line in found]
    return untrue


def read_deployment(told: Mapping[str, Any]) -> Deployment:
    """The deployment that the file names: to be compared with L1 before anything rests on it."""
    return Deployment(
        chain_id=told["chain_id"],
        block=told["block"],
        image_root=from_hex(told["image_root"]),
        addresses={name: from_hex(address) for name, address in told["addresses"].items()},
        preset=get_preset(told["preset"]),
        transactions={name: from_hex(hash_) for name, hash_ in told["transactions"].items()},
    )


def find_differences(told: Any, derived: Any, path: str = "") -> list[str]:
    """Every place in which two JSON values differ; lines that only one of them has are differences."""
    if isinstance(told, dict) and isinstance(derived, dict):
        lines = []
        for name in sorted(set(told) | set(derived)):
            place = f"{path}.{name}" if path else name
            if name not in told:
                lines.append(f"{place} is missing, L1 says {derived[name]!r}")
            elif name not in derived:
                lines.append(f"{place} is {told[name]!r}, L1 says nothing of it")
            else:
                lines += find_differences(told[name], derived[name], place)
        return lines
    if isinstance(told, list) and isinstance(derived, list):
        if len(told) != len(derived):
            return [f"{path} has {len(told)} entries, L1 says {len(derived)}"]
        return [
            line
            for index, pair in enumerate(zip(told, derived, strict=True))
            for line in find_differences(*pair, f"{path}[{index}]")
        ]
    if type(told) is not type(derived) or told != derived:
        return [f"{path} is {told!r}, L1 says {derived!r}"]
    return []


def find_missing(told: Mapping[str, Any]) -> list[str]:
    """What a whole story has and this one lacks."""
    dead = [lie for lie in told["lies"] if is_caught(lie)]
    kinds = {lie["input"]["kind"] for lie in dead if lie["input"]}
    wanted = {
        "a liquidation": bool(told["liquidations"]),
        "a withdrawal that was paid and due": any(paid["is_due"] for paid in told["withdrawals"]),
        "a true assertion that L1 confirmed": any(
            each["is_true"] and each["is_confirmed"] for each in told["assertions"]
        ),
        "no false assertion that L1 confirmed": not any(
            each["is_confirmed"] and not each["is_true"] for each in told["assertions"]
        ),
        "a lie about a margin transition, proven, its bond lost, the truth confirmed": bool(
            kinds & MARGIN_INPUTS
        ),
        "a lie about a liquidation, proven, its bond lost, the truth confirmed": bool(
            kinds & LIQUIDATION_INPUTS
        ),
        "every lie caught": len(dead) == len(told["lies"]),
    }
    return [what for what, is_there in wanted.items() if not is_there]


def is_caught(lie: Mapping[str, Any]) -> bool:
    """Whether a lie was proven false by a step on L1, its bond lost, and the truth confirmed in its place."""
    outcome = lie["outcome"]
    return (
        lie["step"] is not None
        and bool(outcome["dead_claims"])
        and outcome["is_killed_by_proof"]
        and outcome["honest_claims_lost"] == 0
        and outcome["confirmed_node"] == outcome["true_node"]
    )


@contextmanager
def open_l1(told: Mapping[str, Any], file: Path, rpc: str | None) -> Iterator[str]:
    """An endpoint with the demo's chain. Raises UsageError when there is none."""
    if rpc is not None or answers(told["rpc"]):
        yield rpc or told["rpc"]
        return
    state = get_state_file(file)
    if not state.is_file():
        raise click.UsageError(f"nobody answers at {told['rpc']}, and there is no {state}; give --rpc")
    with (
        tempfile.TemporaryDirectory(prefix="check-") as folder,
        Anvil(Path(folder), load_state=state) as anvil,
    ):
        click.echo(f"L1 is gone; a new anvil starts from {state}")
        yield anvil.url


def get_state_file(file: Path) -> Path:
    """Where the demo that writes `file` leaves the state of its L1."""
    return file.with_name(f"{file.stem}-anvil-state.json")


def answers(url: str) -> bool:
    """Whether an Ethereum node answers there."""
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})
    try:
        response = requests.post(url, data=request, headers={"Content-Type": "application/json"}, timeout=5)
    except requests.RequestException:
        return False
    return response.ok


if __name__ == "__main__":
    main()

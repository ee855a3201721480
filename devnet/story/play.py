"""Plays the whole story and writes it down."""

import asyncio
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from devnet.accounts import Actor
from devnet.actors.client import SequencerClient
from devnet.liar.faults import FaultError, parse_fault
from devnet.network import Devnet
from devnet.prices import compress, compute_ticks, generate_crash, read_bars
from devnet.services import Service, keep_logs, start_challenger, start_sequencer, start_watcher
from devnet.story.lie import tell_lie
from devnet.story.market import choose_side, deposit, pay, trade, withdraw
from devnet.story.narrator import Narrator, format_price
from devnet.story.record import make_record
from devnet.story.stage import Stage

DEFAULT_FAULTS = ("skip-margin-check", "liquidate-healthy")
BARS = 26  # a longer file is compressed to so many: one or two ticks each
BATCH_AGE = 3.0  # s


def read_prices(path: Path | None, seed: int) -> list[int]:
    """The ticks that the market follows: of a file of klines, or of a crash made from `seed`."""
    bars = generate_crash(seed) if path is None else read_bars(path)
    return compute_ticks(compress(bars, BARS))


def parse_faults(text: str, liars: tuple[Actor, ...]) -> list[str]:
    """The faults in a comma-separated list; "none" is none. Raises FaultError."""
    if text == "none":
        return []
    faults = [fault.strip() for fault in text.split(",")]
    for fault in faults:
        parse_fault(fault)
    if len(faults) > len(liars):
        raise FaultError(f"{len(faults)} faults, but only {len(liars)} liars: each loses its bond for good")
    return faults


def play(network: Devnet, prices: list[int], faults: list[str], seed: int, output: Path) -> None:
    """Play the story on `network`, and write `output`. Raises StoryFailed, ProcessFailed."""
    narrator = Narrator()
    with ExitStack() as stack:
        stack.callback(keep_logs, network, get_log_folder(output))
        narrator.title("A rollup on this machine")
        narrator.say("L1", f"anvil at {network.anvil.url}")
        for name, address in network.deployment.addresses.items():
            narrator.say("deployer", f"{name:<8s} 0x{address.hex()}")
        narrator.say("deployer", f"law      0x{network.deployment.image_root.hex()}")
        services, url = _start_services(network, stack)
        for name, service in services.items():
            narrator.say(name, f"runs as process {service.process.pid}")
        record = asyncio.run(_play(network, services, url, narrator, prices, faults, seed))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(record, indent=2) + "\n")


def get_log_folder(output: Path) -> Path:
    """Where the story that writes `output` keeps the services' logs."""
    return output.with_name(f"{output.stem}-logs")


def _start_services(network: Devnet, stack: ExitStack) -> tuple[dict[str, Service], str]:
    sequencer, url = start_sequencer(network, batch_age=BATCH_AGE)
    stack.callback(sequencer.stop)
    watcher, challenger = start_watcher(network), start_challenger(network)
    for service, ready in ((watcher, "watcher_ready"), (challenger, "challenger_ready")):
        stack.callback(service.stop)
        service.wait_for(ready)
    return {"sequencer": sequencer, "watcher": watcher, "challenger": challenger}, url


async def _play(
    network: Devnet,
    services: dict[str, Service],
    url: str,
    narrator: Narrator,
    prices: list[int],
    faults: list[str],
    seed: int,
) -> dict[str, Any]:
    choose_side(prices)
    async with network.connect() as l1, SequencerClient(url) as api:
        stage = Stage(network, l1, narrator, dict(services))
        try:
            await deposit(stage, api)
            await trade(stage, api, prices, seed)
            await withdraw(stage, api)
            await pay(stage)
            narrator.title("The sequencer is shut down; from now on its key is in bad hands")
            stage.services.pop("sequencer").stop()
            for number, (liar, fault) in enumerate(zip(network.cast.liars, faults, strict=False), start=1):
                await tell_lie(stage, liar, fault, number)
            record = await make_record(stage)
        finally:
            for liar in network.cast.liars:
                if liar.name in stage.services:
                    stage.services[liar.name].stop()
    narrator.title("What it took")
    for number, lie in enumerate(record["lies"], start=1):
        narrator.show_moves(number, lie)
    narrator.show_summary(_summarise(record, prices))
    return record


def _summarise(record: dict[str, Any], prices: list[int]) -> list[tuple[str, str]]:
    rows = [
        ("prices", f"{len(prices)}, from {format_price(prices[0])} down to {format_price(min(prices))}"),
        ("inputs", f"{record['inputs']['total']} in {len(record['batches'])} batches"),
        ("liquidations", str(len(record["liquidations"]))),
        ("lies told", str(len(record["lies"]))),
    ]
    for number, lie in enumerate(record["lies"], start=1):
        step, outcome = lie["step"], lie["outcome"]
        where = f"{step['opcode']} at {step['source']}" if step else "no step was disputed"
        rows += [
            (f"lie {number}", lie["fault"]),
            ("  disputed input", f"number {lie['input']['number']}, a {lie['input']['kind']}"),
            ("  disputed step", f"number {step['number']}: {where}" if step else where),
            ("  moves", f"{len(lie['transactions'])} transactions, {lie['dissections']} dissections"),
            ("  gas", f"{lie['total_gas']:,} in all, {lie['worst_step_gas']:,} for the step itself"),
            (
                "  time",
                f"answered after {lie['seconds_to_detection']} s, dead after {lie['seconds_to_death']} s",
            ),
            (
                "  outcome",
                "the liar's bond is lost, the truth is confirmed"
                if outcome["dead_claims"] and outcome["confirmed_node"] == outcome["true_node"]
                else "NOT as it should be",
            ),
        ]
    return rows

"""What an operator sees of three real programs, and does to them; and that none of them tells its key."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from devnet.network import Devnet
from devnet.processes import POLL_INTERVAL
from devnet.services import Service, start_challenger, start_sequencer, start_watcher
from devnet.wallet import Wallet
from tests.support.alert_rules import Rule, load_rules

USD = 10**6


@dataclass
class Programs:
    """Three programs, and their doors for operators."""

    network: Devnet
    services: dict[str, Service]
    doors: dict[str, str]

    def get(self, program: str, path: str, **options: Any) -> requests.Response:
        return requests.get(self.doors[program] + path, timeout=10, **options)

    def read_metrics(self, program: str) -> dict[str, float]:
        return read_metrics(self.doors[program])

    def post(self, path: str) -> requests.Response:
        token = (self.network.directory / "sequencer" / "admin-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        return requests.post(self.doors["sequencer"] + path, headers=headers, timeout=10)

    def deposit(self, trader: int) -> None:
        async def pay() -> None:
            async with self.network.connect() as client:
                wallet = Wallet(client, self.network.cast.traders[trader])
                await self.network.get_bank().open_account(wallet, 1_000 * USD)

        asyncio.run(pay())

    def wait_for(self, program: str, name: str, least: float, seconds: float = 60) -> None:
        wait_for(lambda: self.read_metrics(program)[name] >= least, f"{program}: {name} >= {least}", seconds)


def read_metrics(door: str) -> dict[str, float]:
    text = requests.get(door + "/metrics", timeout=10).text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name.removeprefix("optimist_"): float(value) for name, _, value in lines}


def parse_series(text: str) -> tuple[str, set[tuple[str, str]]]:
    """Name and labels of a line of /metrics."""
    return text.partition("{")[0], set(re.findall(r'(\w+)="([^"]*)"', text))


def wait_for(is_true: Any, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(POLL_INTERVAL)


def find_door(service: Service) -> str:
    return f"http://127.0.0.1:{service.wait_for('ops_listening')['ops_port']}"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    folder = tmp_path_factory.mktemp("surface")
    loud = ["--log.level", "debug"]
    with Devnet.start(directory=folder, block_time=1) as network:
        sequencer, _ = start_sequencer(network, batch_age=0.5, options=loud)
        watcher = start_watcher(network, options=[*loud, "--datadir", str(folder / "watcher")])
        challenger = start_challenger(network, options=[*loud, "--datadir", str(folder / "challenger")])
        services = {"sequencer": sequencer, "watcher": watcher, "challenger": challenger}
        watcher.wait_for("watcher_ready")
        challenger.wait_for("challenger_ready")
        try:
            yield Programs(network, services, {name: find_door(each) for name, each in services.items()})
        finally:
            for each in services.values():
                each.process.kill()


def test_every_program_says_that_it_is_ready_and_what_it_is(programs: Programs) -> None:
    for name in programs.services:
        wait_for(lambda name=name: programs.get(name, "/readyz").status_code == 200, f"{name} is ready")
        assert programs.get(name, "/livez").status_code == 200
        assert programs.get(name, "/version").json()["program"] == name
        metrics = programs.read_metrics(name)
        assert (metrics["up"], metrics["ready"], metrics["node_caught_up"]) == (1, 1, 1)
        assert metrics["unsafe_flags"] == (name != "watcher"), "the two others were started with --dev"


def test_a_deposit_is_seen_in_the_metrics_of_all_programs(programs: Programs) -> None:
    before = programs.read_metrics("sequencer")
    programs.deposit(0)
    programs.wait_for("sequencer", "batches_posted_total", before["batches_posted_total"] + 1)
    programs.wait_for("sequencer", "claims_posted_total", before["claims_posted_total"] + 1)
    programs.wait_for("watcher", 'assertions{status="open",verdict="agree"}', 1)
    metrics = programs.read_metrics("sequencer")
    assert metrics["tx_done_total"] >= 3, "a batch, a bond, an assertion"
    assert metrics["batch_bytes_total"] >= 0
    wait_for(lambda: programs.read_metrics("sequencer")["vault_balance_e6"] >= 1_000 * USD, "the balance")
    metrics = programs.read_metrics("sequencer")
    assert metrics['liabilities_e6{group="0"}'] <= metrics["vault_balance_e6"]
    assert metrics['key_balance_wei{role="proposer"}'] > 0
    watcher = programs.read_metrics("watcher")
    assert (watcher["divergence"], watcher["false_claims"]) == (0, 0)
    assert watcher['assertions{status="confirmed",verdict="disagree"}'] == 0
    programs.wait_for("watcher", 'rollup_wei{kind="bonds"}', programs.network.deployment.preset.bond)
    assert watcher["clock_remaining_seconds"] == watcher["challenge_period_seconds"]


def test_batcher_stops_and_starts_on_demand(programs: Programs) -> None:
    assert programs.get("sequencer", "/admin/parts").status_code == 401
    assert programs.post("/admin/batcher/stop").json() == {"part": "batcher", "running": False}
    before = programs.read_metrics("sequencer")
    assert before['part_running{part="batcher"}'] == 0
    programs.deposit(1)
    programs.wait_for("sequencer", "unposted_batches", 1)
    time.sleep(1.5)  # several looks of a batcher that runs
    metrics = programs.read_metrics("sequencer")
    assert metrics["batches_posted_total"] == before["batches_posted_total"]
    assert metrics["batch_lag_seconds"] >= 1
    assert programs.post("/admin/batcher/start").json() == {"part": "batcher", "running": True}
    programs.wait_for("sequencer", "batches_posted_total", before["batches_posted_total"] + 1)
    assert programs.read_metrics("sequencer")['part_running{part="proposer"}'] == 1


def test_metrics_have_no_name_twice_and_no_label_without_bound(programs: Programs) -> None:
    for name in programs.services:
        metrics = programs.read_metrics(name)
        assert len(metrics) < 300
        labels = {key for each in metrics for key in re.findall(r'(\w+)="', each)}
        bounded = {"program", "version", "preset", "image", "tag", "part", "role", "level", "outcome", "le"}
        assert labels <= bounded | {"group", "market", "verdict", "status", "kind"}


@pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule.name)
def test_every_alert_asks_for_series_that_a_program_serves(programs: Programs, rule: Rule) -> None:
    served = [parse_series(each) for name in programs.services for each in programs.read_metrics(name)]
    for selector in rule.selectors:
        if selector.name == "up":
            continue  # Prometheus' own
        wanted = selector.name.removeprefix("optimist_"), set(selector.labels)
        assert [name for name, labels in served if name == wanted[0] and wanted[1] <= labels], selector


def test_no_program_ever_prints_a_key_or_its_token(programs: Programs) -> None:
    """All output at the loudest level, everything that the doors say, and everything that is left on disk."""
    network, folder = programs.network, programs.network.directory
    token = (folder / "sequencer" / "admin-token").read_text().strip()
    secrets = [actor.secret.hex() for actor in network.cast.everybody()] + [token]
    said = [service.process.read_log() for service in programs.services.values()]
    paths = ("/readyz", "/metrics", "/version", "/livez", "/admin/parts")
    said += [programs.get(name, path).text for name in programs.services for path in paths]
    kept = [
        file for file in folder.rglob("*") if file.is_file() and file.name not in {"admin-token", "anvil.log"}
    ]
    said += [file.read_bytes().hex() + file.read_text(errors="replace") for file in kept]
    assert len(kept) > 5
    for secret in secrets:
        assert not [text for text in said if secret in text.lower()]


@contextmanager
def run_watcher(network: Devnet, *options: str) -> Iterator[tuple[Service, str]]:
    watcher = start_watcher(network, options=options)
    try:
        door = find_door(watcher)
        wait_for(lambda: requests.get(door + "/readyz", timeout=5).status_code == 200, "ready")
        yield watcher, door
        assert watcher.stop() == 0
    finally:
        watcher.process.kill()


def test_watcher_without_l1_says_so_and_recovers(tmp_path: Path) -> None:
    with (
        Devnet.start(directory=tmp_path, block_time=1) as network,
        run_watcher(network, "--ops.l1-silence", "2", "--l1-timeout", "1") as (watcher, door),
    ):
        try:
            os.kill(network.anvil.process.pid, signal.SIGSTOP)
            wait_for(lambda: requests.get(door + "/readyz", timeout=5).status_code == 503, "not ready")
            reasons = requests.get(door + "/readyz", timeout=5).json()["reasons"]
            assert "L1" in reasons["l1"]
            metrics = read_metrics(door)
            assert (metrics["up"], metrics["ready"]) == (1, 0)
            assert max(metrics["l1_silence_seconds"], metrics["l1_head_age_seconds"]) > 2
            wait_for(lambda: "l1" in {each["what"] for each in watcher.events("not_ready")}, "a warning")
        finally:
            os.kill(network.anvil.process.pid, signal.SIGCONT)
        wait_for(lambda: requests.get(door + "/readyz", timeout=5).status_code == 200, "ready again")
        wait_for(lambda: "l1" in {each["what"] for each in watcher.events("ready_again")}, "a word")


def test_watcher_goes_on_with_its_second_endpoint(tmp_path: Path) -> None:
    with (
        Devnet.start(directory=tmp_path, block_time=1) as network,
        run_watcher(network, "--l1-rpc", "http://127.0.0.1:1") as (_, door),
    ):
        assert read_metrics(door)["l1_silence_seconds"] < 5

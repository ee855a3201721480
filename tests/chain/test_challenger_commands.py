"""The challenger's commands as operators run them: processes, flags, exit codes."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from challenger.settings import get_parameters
from challenger.trace.law import LawProvider
from devnet.liar.faults import parse_fault
from devnet.liar.provider import Liar
from devnet.network import Devnet
from optimist.l1.events import Eliminated, NodeCreated
from tests.support.operator import make_node
from tests.support.ringside import GWEI, INIT_BATCH, POLL, Town, make_player, tell

FAULT = "state:17:7:2:1:5000000"
PATIENCE = 90  # s


def command(network: Devnet, *arguments: str) -> list[str]:
    where = ("--l1-rpc", network.anvil.url, "--deployment", str(network.deployment_file))
    return [sys.executable, "-m", "challenger", *arguments, *where]


def run(network: Devnet, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(network, *arguments), capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def tell_a_lie(network: Devnet, town: Town) -> None:
    async def play() -> None:
        async with network.connect() as client:
            node = make_node(network, client)
            await node.catch_up()
            parameters = get_parameters(network.deployment.preset)
            truth = LawProvider(parameters, node.ledger, network.law)
            await tell(network, client, town, Liar(truth, parse_fault(FAULT), since=INIT_BATCH))

    asyncio.run(play())


def confirm_the_lie(network: Devnet) -> bytes:
    """Nobody objects for a whole challenge period; the false node."""

    async def play() -> bytes:
        async with network.connect() as client:
            node = make_node(network, client)
            await node.catch_up()
            false = [each.event.node for each in node.events if isinstance(each.event, NodeCreated)][-1]
            network.anvil.increase_time(network.deployment.preset.challenge_period)
            await network.get_wallet(client, network.cast.liar).call(
                network.get_contract("Rollup"), "confirm", false
            )
            return false

    return asyncio.run(play())


def run_with_key(network: Devnet, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(network, "run", "--dev", "--l1-poll", "0.05", *arguments),
        env={**os.environ, "OPTIMIST_KEY_SECRET": network.cast.challenger.hex_secret},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@contextmanager
def challenger(network: Devnet, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`challenger run` until nothing is left to do."""
    environment = {**os.environ, "OPTIMIST_KEY_SECRET": network.cast.challenger.hex_secret}
    flags = ("run", "--dev", "--until-resolved", "--l1-tag", "latest", "--l1-poll", "0.05")
    with (
        log.open("wb") as file,
        subprocess.Popen(command(network, *flags), env=environment, stderr=file, stdout=file) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def test_watch_needs_an_l1_and_a_deployment_and_nothing_else(network: Devnet, town: Town) -> None:
    result = run(network, "watch", "--once", "--l1-tag", "latest", "--json")
    assert result.returncode == 0, result.stderr
    (judgement,) = map(json.loads, result.stdout.splitlines())
    assert judgement["verdict"] == "agree"
    assert judgement["status"] == "confirmed"
    assert judgement["claimedRoot"] == judgement["ownRoot"]


def test_watch_ends_with_1_while_a_false_assertion_may_win(network: Devnet, town: Town) -> None:
    tell_a_lie(network, town)
    result = run(network, "watch", "--once", "--l1-tag", "latest", "--json")
    assert result.returncode == 1, result.stderr
    first, second = map(json.loads, result.stdout.splitlines())
    assert (first["verdict"], second["verdict"]) == ("agree", "disagree")
    assert second["status"] == "open"
    assert second["claimedRoot"] != second["ownRoot"]


def test_without_l1_it_ends_with_3_and_with_wrong_usage_with_2(network: Devnet) -> None:
    nowhere = ["--l1-rpc", "http://127.0.0.1:9", "--l1-timeout", "0.1"]
    deployment = ["--deployment", str(network.deployment_file)]
    program = [sys.executable, "-m", "challenger", "watch", "--once"]
    gone = subprocess.run(
        [*program, *nowhere, *deployment], capture_output=True, check=False, timeout=PATIENCE
    )
    assert gone.returncode == 3
    usage = subprocess.run([*program, *nowhere], capture_output=True, check=False, timeout=PATIENCE)
    assert usage.returncode == 2
    assert run(network, "run", "--l1-tag", "latest").returncode == 2  # no key


def test_it_refuses_a_rollup_with_another_law(network: Devnet, tmp_path: Path) -> None:
    text = json.loads(network.deployment_file.read_text())
    other = tmp_path / "deployment.json"
    other.write_text(json.dumps({**text, "image_root": "0x" + "11" * 32}))
    arguments = ["--l1-rpc", network.anvil.url, "--deployment", str(other)]
    program = [sys.executable, "-m", "challenger", "watch", "--once", *arguments]
    result = subprocess.run(program, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert result.returncode == 2
    assert "image" in result.stderr


def test_run_plays_until_the_lie_is_dead_and_the_bounty_is_paid(
    network: Devnet, town: Town, tmp_path: Path
) -> None:
    tell_a_lie(network, town)
    log = tmp_path / "challenger.log"
    with challenger(network, log) as process:
        asyncio.run(lie_on(network, process))
        assert process.wait(PATIENCE) == 0, log.read_text()
    result = run(network, "watch", "--once", "--l1-tag", "latest", "--json")
    assert result.returncode == 0, result.stdout  # the lie is still there, and rejected
    judgements = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["verdict"], each["status"]) for each in judgements] == [
        ("agree", "confirmed"),
        ("disagree", "rejected"),
        ("agree", "confirmed"),
    ]
    status = json.loads(run(network, "status", "--l1-tag", "latest", "--json").stdout)
    assert [match["status"] for match in status["matches"]] == ["over"]
    assert status["exit"] == 0
    assert "claimCredit" in log.read_text()


def test_run_ends_with_1_when_a_lie_has_won(network: Devnet, town: Town) -> None:
    tell_a_lie(network, town)
    false = confirm_the_lie(network)
    result = run_with_key(network, "--until-resolved", "--l1-tag", "latest")
    assert result.returncode == 1, result.stderr
    assert f"was decided for the false end {false.hex()}" in result.stderr


def test_run_in_mode_watch_judges_without_a_key(network: Devnet, town: Town) -> None:
    tell_a_lie(network, town)
    alarmed = run(network, "run", "--mode", "watch", "--until-resolved", "--l1-tag", "latest")
    assert alarmed.returncode == 1, alarmed.stderr
    assert "disagree" in alarmed.stdout


def test_run_refuses_to_count_one_endpoint_twice(network: Devnet) -> None:
    alone = run_with_key(network, "--min-sources", "2")
    assert alone.returncode == 2
    assert "2 L1 endpoints have to agree, but 1 different ones are given" in alone.stderr
    assert "--l1-rpc" in alone.stderr


def test_cost_says_what_a_dispute_takes_and_what_is_locked(network: Devnet, town: Town) -> None:
    tell_a_lie(network, town)
    flags = ("cost", "--l1-tag", "latest", "--gas-price-gwei", "30")
    found = json.loads(run(network, *flags, "--json").stdout)
    bill, stand, preset = found["bill"], found["stand"], network.deployment.preset
    assert bill["rivals"] == 1, "the lie that lives"
    assert int(bill["disputeCost"]) == bill["disputeGas"] * 30 * GWEI
    assert int(bill["reserve"]) == 2 * bill["disputeGas"] * preset.gas_price_cap
    assert bill["bond"] == str(preset.bond)
    assert stand["locked"] == str(2 * preset.bond), "the proposer's and the liar's"
    assert found["balance"] is None
    mine = run(network, *flags, "--rivals", "100", "--address", network.cast.challenger.hex_address)
    assert mine.returncode == 0, mine.stderr
    rows = {line.split()[0]: line for line in mine.stdout.splitlines() if line[0] != " "}
    assert "100 rivals" in rows["reserve"]
    assert "0.000000 ETH" in rows["locked"]
    assert "the reserve is there" in rows["balance"]


async def lie_on(network: Devnet, process: "subprocess.Popen[bytes]") -> None:
    """Play for the lie to its end, then let the time pass that L1 waits before it confirms the truth."""
    async with network.connect() as client, AsyncExitStack() as stack:
        node = make_node(network, client)
        await node.catch_up()
        parameters = get_parameters(network.deployment.preset)
        truth = LawProvider(parameters, node.ledger, network.law)
        false = Liar(truth, parse_fault(FAULT), since=INIT_BATCH)
        liar = make_player(network, client, node, network.cast.liar, false, stack)
        playing = asyncio.create_task(liar.play(POLL))
        deadline = time.monotonic() + PATIENCE
        while not any(isinstance(each.event, Eliminated) for each in node.events):
            assert process.poll() is None
            assert time.monotonic() < deadline
            await asyncio.sleep(POLL)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        network.anvil.increase_time(parameters.challenge_period + parameters.grace)

"""`optimist exit --plan`, `optimist force` and `optimist seal`: no key or one's own, and no sequencer."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from devnet.actors.oracle import Oracle
from devnet.genesis import QUORUM
from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.api.schema import to_body
from optimist.derive.typed_data import Domain
from optimist.exit.command import exit_command

USD = 10**6


def run(network: Devnet, command: Sequence[str], secret: str = "") -> "subprocess.CompletedProcess[str]":
    """`optimist` as a process; a raw key only from the environment, as --dev allows."""
    arguments = [sys.executable, "-m", "optimist", *command, *make_flags(network)]
    environment = {**os.environ, "COLUMNS": "200"}
    if secret:
        arguments.append("--dev")
        environment["OPTIMIST_KEY_SECRET"] = secret
    return subprocess.run(
        arguments, capture_output=True, text=True, check=False, timeout=100, env=environment
    )


def make_flags(network: Devnet) -> list[str]:
    return ["--l1-rpc", network.anvil.url, "--deployment", str(network.deployment_file), "--l1-poll", "0.1"]


def open_account(network: Devnet) -> int:
    """1,000 USD of a trader, on L1, in a sealed batch; the account."""

    async def play() -> int:
        async with network.connect() as client:
            user = Wallet(client, network.cast.traders[0])
            account, _ = await network.get_bank().open_account(user, 1_000 * USD)
            network.anvil.increase_time(network.deployment.preset.forced_deadline + 1)
            await user.call(network.get_contract("Inbox"), "sealPublic", 1)
            return account

    return asyncio.run(play())


def make_domain(network: Devnet) -> Domain:
    return Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])


async def read_codes(network: Devnet) -> list[int]:
    """What the law made of the inputs of the last batch."""
    async with network.connect() as client:
        history = await network.read_history(client)
    return [applied.code for applied in history.batches[-1].inputs]


def test_plan_needs_no_key_and_names_every_step(devnet: Devnet) -> None:
    account = open_account(devnet)
    done = run(devnet, ["exit", "--plan", "--json", "--account", str(account)])
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["owner"].lower() == devnet.cast.traders[0].hex_address.lower()
    assert plan["worth"] == str(1_000 * USD)
    assert [step["step"] for step in plan["steps"]] == ["withdraw", "seal", "assert", "confirm", "pay"]
    assert [step["isDue"] for step in plan["steps"]] == [True, False, False, False, False]
    preset = devnet.deployment.preset
    assert plan["steps"][-1]["at"] - plan["now"] == preset.forced_deadline + 1 + preset.challenge_period


def test_wrong_account_and_missing_key_are_said_in_a_line(
    devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_account(devnet)
    datadir = ("--datadir", str(tmp_path))
    stranger = devnet.cast.traders[1].hex_secret
    for command, secret, message in (
        (["--plan", "--account", "77"], "", "there is no account 77"),
        (["--plan"], "", "whose plan is it"),
        (["--account", "1", *datadir], "", "give exactly one key"),
        (["--account", "1", "--dev"], stranger, "--datadir is missing"),
        (["--account", "1", "--dev", *datadir], stranger, "account 1 belongs to"),
        (["--plan", "--dev"], stranger, "owns no account"),
    ):
        monkeypatch.delenv("OPTIMIST_KEY_SECRET", raising=False)
        if secret:
            monkeypatch.setenv("OPTIMIST_KEY_SECRET", secret)
        with pytest.raises(click.UsageError, match=message):
            exit_command.main([*command, *make_flags(devnet)], "optimist exit", standalone_mode=False)


@pytest.mark.timeout(300)
def test_anybody_forces_and_seals_from_the_command_line(devnet: Devnet, tmp_path: Path) -> None:
    account = open_account(devnet)
    owner, stranger = (devnet.cast.traders[i].hex_secret for i in (0, 1))
    wish = ["force", "withdraw", "--account", str(account), "--amount", "5000000", "--datadir", str(tmp_path)]
    for _ in range(2):  # asked again while it waits, it is not sent again
        done = run(devnet, wish, owner)
        assert done.returncode == 0, done.stderr
        assert "queue item 1:" in done.stdout
    update = Oracle(make_domain(devnet), devnet.cast.oracle, QUORUM).sign(0, 10**13, devnet.anvil.get_time())
    (tmp_path / "price.json").write_text(json.dumps(to_body(update)))
    price = ["force", "price", "--file", str(tmp_path / "price.json"), "--datadir", str(tmp_path)]
    assert "queue item 2:" in run(devnet, price, owner).stdout
    seal = ["seal", "--datadir", str(tmp_path / "stranger")]
    devnet.anvil.increase_time(devnet.deployment.preset.forced_deadline + 1)
    devnet.anvil.mine()
    assert run(devnet, seal, stranger).stdout == "sealed\n"
    plan = run(devnet, ["exit", "--plan", "--json", "--account", str(account)])
    assert asyncio.run(read_codes(devnet)) == [0, 0, 0], "header, withdrawal, price"
    (payment,) = [step for step in json.loads(plan.stdout)["steps"] if step["row"] == 1]
    assert (payment["step"], payment["amount"]) == ("pay", "5000000")

"""The story of `make demo`, shortened: real processes, real lies; and a check that believes nothing."""

import asyncio
import copy
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from challenger.settings import get_parameters
from challenger.trace.law import LawProvider
from devnet.accounts import get_cast
from devnet.anvil import Anvil
from devnet.check import check, find_missing, get_state_file, main, read_deployment
from devnet.history import RollupHistory, read_history
from devnet.liar.faults import FaultError, PatchedLaw
from devnet.liar.patches import PATCHES, load_false_law
from devnet.liar.provider import Liar
from devnet.network import Devnet
from devnet.prices import PRICE_SCALE, compress, compute_ticks, generate_crash
from devnet.story.market import choose_side
from devnet.story.play import DEFAULT_FAULTS, parse_faults, play, read_prices
from devnet.story.stage import StoryFailed
from optimist.l1.client import L1Client
from optimist.l1.sender import MAX_TRANSACTION_BYTES, MAX_TRANSACTION_GAS
from optimist.prove.law import load_law
from tests.support.replay import CRASH

SEED = 5
LONGEST = 360.0  # s of a whole story
ENVELOPE = 256  # bytes of a transaction around its data: fees, nonce, signature
pytestmark = pytest.mark.timeout(600)  # about a minute on an idle machine


@dataclass(frozen=True)
class Told:
    """A story that was played, and the L1 on which it was, started again from its written state."""

    record: dict[str, Any]
    l1: Anvil

    def check(self, change: Callable[[dict[str, Any]], object] = lambda _: None) -> list[str]:
        """What is untrue in the record after `change`."""
        record = copy.deepcopy(self.record)
        change(record)
        return asyncio.run(check(record, self.l1.url))

    def run_check(self, folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Result:
        """The same as a command: its exit code and what it prints."""
        record = copy.deepcopy(self.record)
        change(record)
        return run_check(record, folder / "demo.json", self.l1.url)


def run_check(record: dict[str, Any], file: Path, url: str) -> Result:
    file.write_text(json.dumps(record))
    return CliRunner().invoke(main, [str(file), "--rpc", url], catch_exceptions=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("story")
    output = folder / "demo.json"
    prices = compute_ticks(compress(generate_crash(SEED), 6))
    with Devnet.start(
        directory=folder / "devnet", block_time=1, dump_state=get_state_file(output)
    ) as network:
        play(network, prices, list(DEFAULT_FAULTS), SEED, output)
    with Anvil(folder, load_state=get_state_file(output)) as l1:
        yield Told(json.loads(output.read_text()), l1)


def test_every_line_of_the_record_is_true_and_the_story_is_whole(told: Told) -> None:
    assert told.check() == []
    assert find_missing(told.record) == []


def test_the_disputed_steps_are_the_checks_that_the_liars_left_out(told: Told) -> None:
    margin, liquidation = told.record["lies"]
    assert margin["step"]["source"].startswith("optimist/stf/margin.py:")
    assert liquidation["step"]["source"].startswith("optimist/stf/liquidation.py:")
    assert [lie["input"]["kind"] for lie in told.record["lies"]] == ["TRADE", "LIQUIDATE"]
    assert all(lie["dissections"] == 9 for lie in told.record["lies"])


def test_every_transaction_of_the_story_is_one_that_ethereum_takes(told: Told) -> None:
    """Deployment, deposits, batches, assertions, disputes, payments: below the caps on gas and on bytes."""
    blocks = range(told.l1.get_block_number() + 1)
    sent = [
        each
        for number in blocks
        for each in told.l1.call("eth_getBlockByNumber", hex(number), True)["transactions"]
    ]
    assert len(sent) > sum(len(lie["transactions"]) for lie in told.record["lies"])
    assert max(int(each["gas"], 16) for each in sent) <= MAX_TRANSACTION_GAS
    assert max(len(each["input"]) // 2 for each in sent) + ENVELOPE <= MAX_TRANSACTION_BYTES


def test_another_fault_does_not_explain_the_lie(told: Told) -> None:
    def swap(record: dict[str, Any]) -> None:
        record["lies"][0]["fault"] = "liquidate-healthy"

    untrue = told.check(swap)
    assert any(line.startswith("lies[0].asserted_root: liquidate-healthy gives") for line in untrue)


def test_altered_lines_are_found_against_the_chain(told: Told) -> None:
    def alter(record: dict[str, Any]) -> None:
        record["batches"][-1]["root"] = "0x" + "11" * 32
        record["inputs"]["by_kind"]["TRADE"] += 1
        record["liquidations"][0]["size"] = "1"
        record["lies"][1]["transactions"][3]["gas"] -= 1
        record["lies"][1]["step"]["opcode"] = "HALT"
        del record["withdrawals"][0]["amount"]

    places = {line.split(" ")[0] for line in told.check(alter)}
    last = len(told.record["batches"]) - 1
    assert places == {
        f"batches[{last}].root",
        "inputs.by_kind.TRADE",
        "liquidations[0].size",
        "lies[1].transactions[3].gas",
        "lies[1].step.opcode",
        "withdrawals[0].amount",
    }


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_every_patched_law_has_something_to_lie_about(told: Told, name: str) -> None:
    deployment = read_deployment(told.record["deployment"])
    law = load_law("minimal")

    async def read() -> RollupHistory:
        async with L1Client([told.l1.url]) as client:
            return await read_history(client, deployment.addresses, deployment.block, law.native)

    history = asyncio.run(read())
    last = history.batch_count
    truth = LawProvider(get_parameters(deployment.preset), history, law)
    liar = Liar(truth, PatchedLaw(name), since=last - 1, own_law=load_false_law("minimal", name))
    assert liar.get_end_root(last) != history.get_end_root(last)


def test_the_command_ends_with_0_for_the_truth_and_with_1_for_one_false_line(
    told: Told, tmp_path: Path
) -> None:
    true = told.run_check(tmp_path)
    assert true.exit_code == 0, true.output
    assert "is true, and the story is whole" in true.output

    def alter(record: dict[str, Any]) -> None:
        record["lies"][0]["total_gas"] += 1

    false = told.run_check(tmp_path, alter)
    assert false.exit_code == 1
    assert "UNTRUE lies[0].total_gas is " in false.output


def test_a_story_without_lies_is_not_whole(told: Told) -> None:
    def forget(record: dict[str, Any]) -> None:
        record["lies"] = []

    assert "lies has 0 entries, L1 says 2" in told.check(forget)
    assert len(find_missing({**told.record, "lies": []})) == 2


@pytest.mark.long
def test_a_story_in_which_nobody_lies_is_true_and_refused(tmp_path: Path) -> None:
    """What `FAULT=none make demo` plays: every line holds, and the command ends with 1 all the same."""
    output = tmp_path / "demo.json"
    prices = compute_ticks(compress(generate_crash(SEED), 6))
    with Devnet.start(directory=tmp_path / "devnet", block_time=1) as network:
        play(network, prices, [], SEED, output)
        refused = run_check(json.loads(output.read_text()), output, network.anvil.url)
    assert refused.exit_code == 1
    assert "UNTRUE" not in refused.output
    assert "MISSING a lie about a margin transition" in refused.output
    assert "MISSING a lie about a liquidation" in refused.output


@pytest.mark.data
def test_a_whole_story_follows_the_klines_of_a_real_crash(tmp_path: Path) -> None:
    """What `PRICES=… make demo` plays: all of it in six minutes, and true."""
    output, begun = tmp_path / "demo.json", time.monotonic()
    with Devnet.start(directory=tmp_path / "devnet", block_time=1) as network:
        prices = read_prices(Path(os.environ["DATA"]) / CRASH, SEED)
        play(network, prices, list(DEFAULT_FAULTS), SEED, output)
        assert time.monotonic() < begun + LONGEST
        checked = run_check(json.loads(output.read_text()), output, network.anvil.url)
    assert checked.exit_code == 0, checked.output


def test_logs_of_the_services_are_kept_and_name_no_secret(told: Told, tmp_path_factory: Any) -> None:
    folder = Path(tmp_path_factory.getbasetemp())
    logs = {log.name: log.read_text() for log in folder.glob("story*/demo-logs/*.log")}
    assert {"anvil.log", "sequencer.log", "watcher.log", "challenger.log", "liar-0.log"} <= set(logs)
    secrets = [
        actor.secret.hex() for actor in get_cast().everybody() if actor.name != "deployer"
    ]  # anvil itself prints the first of its keys
    assert not [name for name, text in logs.items() for secret in secrets if secret in text]


def test_challenger_wins_after_it_has_forgotten_what_was_confirmed(told: Told, tmp_path_factory: Any) -> None:
    """A dispute needs nothing of the batches that a confirmation made it forget."""
    folder = Path(tmp_path_factory.getbasetemp())
    path = next(folder.glob("story*/demo-logs/challenger.log"))
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    told_of = [line["event"] if line["event"] == "batches_forgotten" else line.get("act") for line in lines]
    assert "prove" in told_of
    assert told_of.index("batches_forgotten") < told_of.index("reveal") < told_of.index("prove")


def test_a_path_that_ruins_nobody_is_refused_with_its_figures() -> None:
    flat = [price * PRICE_SCALE for price in (100_000, 101_000, 99_000)]
    with pytest.raises(StoryFailed, match=r"fall by 1\.0 % and rise by 1\.0 %"):
        choose_side(flat)
    assert choose_side([*flat, 90_000 * PRICE_SCALE]) is True
    assert choose_side([*flat, 110_000 * PRICE_SCALE]) is False


def test_faults_of_the_story_are_read_before_anything_is_started() -> None:
    liars = get_cast().liars
    assert parse_faults("none", liars) == []
    assert parse_faults("mint, step:3:0:pc:1", liars) == ["mint", "step:3:0:pc:1"]
    with pytest.raises(FaultError, match="there is no fault 'mnt'"):
        parse_faults("mnt", liars)
    with pytest.raises(FaultError, match="4 faults, but only 3 liars"):
        parse_faults("mint,mint,mint,mint", liars)

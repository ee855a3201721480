"""The sequencer as a process on a real chain: it trades, posts, and loses nothing that it acknowledged."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from devnet.actors.client import SequencerClient
from devnet.network import Devnet
from devnet.processes import Process
from devnet.wallet import Wallet
from optimist.api.errors import ApiError
from optimist.derive.actions import Sequenced, Settle, SignedOrder, Trade, encode_forced
from optimist.derive.commitments import compute_input_hash, compute_soft_history
from optimist.derive.decode import decode
from optimist.derive.typed_data import Signature, SoftConfirmation
from optimist.stf.codes import Code
from tests.support.histories import rebuild
from tests.support.running import find_url, start_sequencer
from tests.support.trading import LOT, PRICE, USD, Scene, fund, has_account, history_inputs
from tests.support.waiting import until


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Devnet]:
    with Devnet.start(directory=tmp_path / "devnet", block_time=1) as network:
        yield network


def play(network: Devnet, directory: Path, story: Callable[[Scene, Process], Awaitable[None]]) -> None:
    process = start_sequencer(network, directory)
    try:

        async def run() -> None:
            async with network.connect() as client, SequencerClient(find_url(process)) as api:
                await fund(network, client)
                await until(lambda: has_account(api, 2))
                await story(Scene(network, client, api), process)

        asyncio.run(run())
    finally:
        process.kill()


def test_trades_reach_l1_and_a_node_that_never_met_the_sequencer_agrees(
    network: Devnet, tmp_path: Path
) -> None:
    async def story(scene: Scene, process: Process) -> None:
        stranger = Wallet(scene.client, scene.network.cast.traders[2])
        for nonsense in (encode_forced(Settle(9, market)) for market in (0, 1)):
            await stranger.call(scene.network.get_contract("Inbox"), "force", nonsense)
        await scene.publish(100_000)
        resting = await scene.order(0, is_buy=False, lots=5, usd=100_000)
        assert (resting.resting, resting.inputs) == (str(5 * LOT), [])
        answer = await scene.order(1, is_buy=True, lots=3, usd=100_100)
        assert (answer.filled, answer.resting) == (str(3 * LOT), "0")
        trade = decode(bytes.fromhex(answer.inputs[0][2:]))
        assert isinstance(trade, Sequenced)
        assert isinstance(trade.action, Trade)
        assert trade.action.price == 100_000 * PRICE, "the resting order's price"

        confirmation = answer.confirmation
        raw = bytes.fromhex(confirmation.signature[2:])
        signature = Signature(raw[64], int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))
        message = SoftConfirmation(confirmation.number, bytes.fromhex(confirmation.history[2:]))
        assert message.recover(scene.domain, signature) == scene.network.cast.sequencer.address

        await until(scene.api.has_posted_all)
        inputs = await history_inputs(scene.network, scene.client)
        assert bytes.fromhex(answer.inputs[0][2:]) in inputs
        history = await scene.network.read_history(scene.client)
        codes = [applied.code for record in history.batches for applied in record.inputs]
        refused = sorted(code for code in codes if code)
        assert refused == [Code.NO_POSITION, Code.NO_POSITION], "what a stranger forced stops nobody"
        async with aiohttp.ClientSession() as session:
            digest = "0x" + compute_input_hash(bytes.fromhex(answer.inputs[0][2:])).hex()
            for reference in (answer.number, digest):
                async with session.get(f"{scene.api.url}/v1/inputs/{reference}") as found:
                    told = await found.json()
                    assert (told["number"], told["stage"]) == (answer.number, "posted")
        soft = bytes(32)
        for data in inputs:
            soft = compute_soft_history(soft, compute_input_hash(data))
        status = await scene.api.get_status()
        assert (status["softInputs"], status["softHistory"]) == (len(inputs), "0x" + soft.hex())
        assert process.stop() == 0

    play(network, tmp_path / "data", story)


def ask_account(*arguments: str) -> dict[str, Any]:
    """`optimist account ... --json`, as a user runs it."""
    command = [sys.executable, "-m", "optimist", "account", *arguments, "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_account_is_told_its_history_and_its_prospects_by_the_api_and_by_the_directory(
    network: Devnet, tmp_path: Path
) -> None:
    async def story(scene: Scene, process: Process) -> None:
        await scene.publish(100_000)
        await scene.order(0, is_buy=False, lots=50, usd=100_000)
        await scene.order(1, is_buy=True, lots=50, usd=100_000)
        await until(scene.api.has_posted_all)
        trade = ("--buy", "0.001", "--at", "100000", "--price", "0=99000.5")

        async def ask(*arguments: str) -> dict[str, Any]:
            return await asyncio.to_thread(ask_account, *arguments)

        api = ("--api", scene.api.url)
        history, prospect = await ask("history", "2", *api), await ask("what-if", "2", *trade, *api)
        found = await scene.api.get_account(2)
        rebuilt = rebuild(note for entry in history["entries"] for note in entry["notes"])
        assert rebuilt[2].collateral == int(found["collateral"])
        assert rebuilt[2].positions == {0: 50 * LOT}
        assert prospect["before"]["collateral"] == found["collateral"]
        assert (prospect["code"], prospect["before"]["state"]) == (0, "healthy")
        assert int(prospect["after"]["maintenance"]) > int(prospect["before"]["maintenance"])
        await check_bad_questions(scene.api.url)

        assert process.stop() == 0
        directory = ("--datadir", str(tmp_path / "data"), "--deployment", str(network.deployment_file))
        assert await ask("history", "2", *directory) == history
        assert await ask("what-if", "2", *trade, *directory) == prospect

    play(network, tmp_path / "data", story)


async def check_bad_questions(url: str) -> None:
    """The API's numbers are exact integers, and whatever else is a request that it does not understand."""
    questions = [f"what-if?{query}" for query in ("trade=1", "trade=0:0:5", "trade=0:5:x", "prices=0:-1")]
    async with aiohttp.ClientSession() as session:
        for question in (*questions, "history?after=1", "history?limit=-1"):
            async with session.get(f"{url}/v1/accounts/2/{question}") as answer:
                assert (answer.status, (await answer.json())["error"]["code"]) == (400, 1000), question
        for question in ("9/what-if", "2/what-if?trade=9:1:1"):
            async with session.get(f"{url}/v1/accounts/{question}") as answer:
                assert (await answer.json())["error"]["name"] == "NO_ANSWER"


def test_refusals_are_coded_and_cost_no_batch(network: Devnet, tmp_path: Path) -> None:
    async def story(scene: Scene, process: Process) -> None:
        await scene.publish(100_000)
        await until(scene.api.has_posted_all)
        posted = (await scene.api.get_status())["postedBatch"]
        order = scene.traders[0].sign_order(
            market=0, is_buy=True, size=LOT, price=PRICE, expiry=await scene.now() + 60, slot=0
        )
        with pytest.raises(ApiError) as forged:
            await scene.api.submit(SignedOrder(order.order, order.signature._replace(s=1)))
        assert forged.value.name == "BAD_SIGNATURE"
        with pytest.raises(ApiError) as greedy:
            await scene.api.submit(scene.traders[0].sign_withdrawal(10_001 * USD))
        assert greedy.value.number == Code.BELOW_INITIAL_MARGIN
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{scene.api.url}/v1/actions", data=b"{") as answer:
                assert answer.status == 400
            async with session.post(f"{scene.api.url}/v1/actions", data=b"x" * 300_000) as answer:
                assert answer.status == 413
            async with session.get(f"{scene.api.url}/v1/nothing") as answer:
                assert answer.status == 404
        await asyncio.sleep(1.5)
        assert (await scene.api.get_status())["postedBatch"] == posted
        process.check_alive()

    play(network, tmp_path / "data", story)


def test_second_sequencer_on_the_same_directory_refuses(network: Devnet, tmp_path: Path) -> None:
    first = start_sequencer(network, tmp_path / "data", name="first")
    try:
        find_url(first)
        second = start_sequencer(network, tmp_path / "data", name="second")
        second.wait_for_line("is in use by process", timeout=30)
        assert second._process.wait(10) == 2
    finally:
        first.kill()

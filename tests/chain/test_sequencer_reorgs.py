"""A sequencer on an L1 that is reorganised under it: what it acknowledged, what it posted, what it credited.

Another node, that never met the sequencer, judges at the end: both have the same batches, and of what was
acknowledged everything is in them once, but for what a vanished deposit had paid for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from devnet.actors.client import SequencerClient
from devnet.network import Devnet
from devnet.processes import Process
from devnet.wallet import Wallet
from optimist.api.errors import ApiError
from optimist.api.schema import ActionAnswer
from optimist.l1.events import BatchSealed
from optimist.l1.types import to_hex
from tests.support.operator import make_node
from tests.support.running import find_url, start_sequencer
from tests.support.trading import LOT, USD, Scene, fund, has_account, history_inputs
from tests.support.upheaval import reorganise
from tests.support.waiting import until

Story = Callable[[Scene, Process], Awaitable[None]]
SECOND_AT, KIND_AT = 1, 6  # of a sequenced input: its second changes when it is sequenced again


def play(directory: Path, story: Story, **flags: str) -> None:
    """Two funded traders before a sequencer, on an L1 that calls nothing final for long."""
    with Devnet.start(directory=directory / "devnet", epoch=64) as network:
        for actor in network.cast.traders[2:]:
            network.anvil.set_balance(to_hex(actor.address), 10**19)
        process = start_sequencer(network, directory / "data", batch_age="0.2", l1_poll="0.1", **flags)
        try:

            async def run() -> None:
                async with network.connect() as client, SequencerClient(find_url(process)) as api:
                    await fund(network, client)
                    await until(lambda: has_account(api, 2))
                    await story(Scene(network, client, api), process)

            asyncio.run(run())
        finally:
            process.kill()


async def patiently(act: Callable[[], Awaitable[ActionAnswer]]) -> ActionAnswer:
    """What a client does while the sequencer goes back: try again."""
    for _ in range(100):
        try:
            return await act()
        except ApiError as error:
            if error.name != "NOT_READY":
                raise
            await asyncio.sleep(0.05)
    raise AssertionError("the door stays closed")


async def settle(scene: Scene) -> None:
    """Mine, as L1 does, until everything is posted and seen."""

    async def is_settled() -> bool:
        scene.network.anvil.mine()
        return await scene.api.has_posted_all()

    await until(is_settled, 60)


def strip(inputs: list[bytes]) -> list[bytes]:
    return [data[KIND_AT:] for data in inputs]


async def get_log(process: Process) -> str:
    return await asyncio.to_thread(process.log.read_text)


DEPTHS = (1, 2, 3, 5, 8, 16, 32, 64)
DEFAULT = ((64, False),)


@pytest.mark.parametrize(
    ("depth", "keep"),
    [
        pytest.param(depth, keep, marks=() if (depth, keep) in DEFAULT else pytest.mark.long)
        for depth in DEPTHS
        for keep in (False, True)
    ],
)
def test_batches_that_a_reorg_drops_are_posted_again_byte_for_byte(
    tmp_path: Path, depth: int, keep: bool
) -> None:
    """So many blocks are lost, the last batch in the newest; their transactions as well, or they return."""

    async def story(scene: Scene, process: Process) -> None:
        anvil, acknowledged = scene.network.anvil, []
        anvil.mine(depth)
        await settle(scene)
        floor = anvil.get_block_number()
        for usd in range(100_000, 100_003):
            acknowledged += (await scene.publish(usd)).inputs
            await scene.order(0, is_buy=False, lots=1, usd=usd)
            acknowledged += (await scene.order(1, is_buy=True, lots=1, usd=usd)).inputs
            await settle(scene)
        before = await get_batches(scene)
        head, newest = anvil.get_block_number(), before[-1][0]
        anvil_depth = min(head - newest + depth, head - floor + depth - 1)
        reorganise(scene.network, anvil_depth, keep=keep)

        async def is_as_before() -> bool:
            anvil.mine()
            return [sealed for _, sealed in await get_batches(scene)] == [sealed for _, sealed in before]

        await until(is_as_before)
        await settle(scene)
        inputs = await history_inputs(scene.network, scene.client)
        assert ["0x" + data.hex() for data in inputs] == acknowledged
        process.check_alive()

    play(tmp_path, story)


async def get_batches(scene: Scene) -> list[tuple[int, bytes]]:
    """(block, accumulator) of L1's batches, by a node that begins only now."""
    node = make_node(scene.network, scene.client)
    await node.catch_up()
    return [
        (each.block.number, each.event.acc) for each in node.events if isinstance(each.event, BatchSealed)
    ]


def test_deposit_that_a_reorg_takes_away_is_rolled_back_and_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    """The third trader's deposit vanishes after it was credited and traded with."""

    async def story(scene: Scene, process: Process) -> None:
        kept = (await scene.publish(100_000)).inputs
        await scene.order(0, is_buy=False, lots=3, usd=100_000)
        kept += (await scene.order(1, is_buy=True, lots=1, usd=100_000)).inputs
        await settle(scene)
        floor = scene.network.anvil.get_block_number()
        await deposit(scene, 2)
        await until(lambda: has_account(scene.api, 3))
        paid = (await trade_third(scene)).inputs
        kept += (await patiently(lambda: scene.publish(100_001))).inputs
        scene.network.anvil.reorganise(scene.network.anvil.get_block_number() - floor)
        scene.network.anvil.mine(2)
        await until(lambda: is_gone(scene, 3))
        await settle(scene)
        status = await scene.api.get_status()
        assert status["voided"]["lost"] == len(paid) == 1
        assert "confirmed_input_voided" in await get_log(process)
        inputs = strip(await history_inputs(scene.network, scene.client))
        assert inputs == strip([bytes.fromhex(each[2:]) for each in kept])
        process.check_alive()

        await deposit(scene, 2)  # it comes again: account 3 is opened anew, and can trade
        await until(lambda: has_account(scene.api, 3))
        assert (await patiently(lambda: trade_third(scene, slot=1))).filled != "0"

    play(tmp_path, story)


def test_deposits_in_another_order_are_credited_as_l1_has_them(tmp_path: Path) -> None:
    """Two deposits swap places: ids of accounts depend on the order."""

    async def story(scene: Scene, process: Process) -> None:
        await settle(scene)
        floor = scene.network.anvil.get_block_number()
        await deposit(scene, 2, usd=300)
        await deposit(scene, 3, usd=400)
        await until(lambda: has_account(scene.api, 4))
        assert (await scene.api.get_account(3))["collateral"] == str(300 * USD)
        scene.network.anvil.reorganise(scene.network.anvil.get_block_number() - floor)
        await deposit(scene, 3, usd=400)
        await deposit(scene, 2, usd=300)

        async def is_swapped() -> bool:
            account = await scene.api.get_account(3) if await has_account(scene.api, 3) else {}
            return account.get("collateral") == str(400 * USD)

        await until(is_swapped)
        await settle(scene)
        history = await scene.network.read_history(scene.client)
        assert history.batches
        assert (await scene.api.get_account(4))["collateral"] == str(300 * USD)
        process.check_alive()

    play(tmp_path, story)


def test_sequencer_that_was_dead_while_its_deposit_vanished_starts_without_it(tmp_path: Path) -> None:
    async def story(scene: Scene, process: Process) -> None:
        kept = (await scene.publish(100_000)).inputs
        await settle(scene)
        floor = scene.network.anvil.get_block_number()
        await deposit(scene, 2)
        await until(lambda: has_account(scene.api, 3))
        kept += (await scene.publish(100_001)).inputs
        process.kill()
        scene.network.anvil.reorganise(scene.network.anvil.get_block_number() - floor)
        scene.network.anvil.mine()
        again = start_sequencer(scene.network, tmp_path / "data", name="again", batch_age="0.3")
        try:
            async with SequencerClient(find_url(again)) as api:
                scene.api = api
                assert await is_gone(scene, 3)
                await settle(scene)
                inputs = strip(await history_inputs(scene.network, scene.client))
                assert inputs == strip([bytes.fromhex(each[2:]) for each in kept])
        finally:
            again.kill()

    play(tmp_path, story)


def test_branch_that_comes_back_brings_its_batches_and_nothing_is_executed_twice(tmp_path: Path) -> None:
    """A, then B without the last batches but with a public one in their place, then A again."""

    async def story(scene: Scene, process: Process) -> None:
        anvil = scene.network.anvil
        await scene.publish(100_000)
        await settle(scene)
        fork, block = anvil.call("evm_snapshot"), anvil.get_block_number()
        first = len(await history_inputs(scene.network, scene.client))
        await scene.order(0, is_buy=False, lots=9, usd=100_000)
        for slot in (1, 2, 3):
            await scene.order(1, is_buy=True, lots=1, usd=100_000, slot=slot)
        await settle(scene)
        branch = await get_branch(scene, block + 1)
        on_a = await history_inputs(scene.network, scene.client)
        assert len(on_a) == first + 3

        anvil.call("evm_revert", fork)
        fork = anvil.call("evm_snapshot")
        await seal_public(scene)
        await until_voided(scene)
        await settle(scene)
        on_b = await history_inputs(scene.network, scene.client)
        assert strip(on_b) == strip(on_a), "sequenced again behind the public batch"

        anvil.call("evm_revert", fork)
        for raw in branch:
            anvil.call("eth_sendRawTransaction", raw)
        anvil.mine(12)
        await settle(scene)
        assert await history_inputs(scene.network, scene.client) == on_a, "nothing twice"
        position = (await scene.api.get_account(2))["positions"]
        assert [each["size"] for each in position] == [str(3 * 10_000)]
        process.check_alive()

    play(tmp_path, story)


async def until_voided(scene: Scene) -> None:
    async def is_voided() -> bool:
        scene.network.anvil.mine()
        return (await scene.api.get_status())["voided"] is not None

    await until(is_voided)


async def get_branch(scene: Scene, first: int) -> list[str]:
    """Raw transactions of the sequencer from block `first` on, oldest first."""
    anvil, sender = scene.network.anvil, to_hex(scene.network.cast.sequencer.address)
    numbers = range(first, anvil.get_block_number() + 1)
    blocks = [anvil.call("eth_getBlockByNumber", hex(number), True) for number in numbers]
    hashes = [each["hash"] for block in blocks for each in block["transactions"] if each["from"] == sender]
    return [anvil.call("eth_getRawTransactionByHash", each) for each in hashes]


async def seal_public(scene: Scene) -> None:
    """Force something, let it become overdue, and seal it as anybody may."""
    wallet = Wallet(scene.client, scene.network.cast.traders[0])
    await scene.network.get_bank().force_withdrawal(wallet, 1, USD)
    scene.network.anvil.increase_time(scene.network.deployment.preset.forced_deadline + 1)
    await wallet.call(scene.network.get_contract("Inbox"), "sealPublic", 1)


async def deposit(scene: Scene, who: int, usd: int = 10_000) -> None:
    wallet = Wallet(scene.client, scene.network.cast.traders[who])
    await scene.network.get_bank().open_account(wallet, usd * USD)


async def is_gone(scene: Scene, account: int) -> bool:
    return not await has_account(scene.api, account)


async def trade_third(scene: Scene, slot: int = 0) -> ActionAnswer:
    """Trader 3 buys what rests of trader 1's order."""
    from devnet.actors.trader import Trader

    trader = Trader(scene.domain, scene.network.cast.traders[2], 3)
    order: Any = trader.sign_order(
        market=0, is_buy=True, size=LOT, price=100_001 * 10**8, expiry=await scene.now() + 3600, slot=slot
    )
    return await scene.api.submit(order)

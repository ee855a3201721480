"""The sequencer before endpoints that are gone, stuck, or limit it: it goes on, waits, or says so."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from devnet.actors.client import SequencerClient
from devnet.network import Devnet
from devnet.processes import Process
from optimist.api.errors import ApiError
from optimist.l1.types import to_hex
from tests.support.fault_proxy import FaultProxy
from tests.support.running import find_url, start_sequencer
from tests.support.trading import Scene, fund, has_account, history_inputs
from tests.support.waiting import until

KIND_AT = 6  # of a sequenced input: its second changes when it is sequenced again
Story = Callable[[Scene, Process, list[FaultProxy]], Awaitable[None]]


def play(directory: Path, story: Story, endpoints: int, **flags: str) -> None:
    """A sequencer whose endpoints are proxies, on an L1 with a block a second."""
    with Devnet.start(directory=directory / "devnet", block_time=1, epoch=32) as network:

        async def run() -> None:
            async with AsyncExitStack() as stack:
                proxies = [
                    await stack.enter_async_context(FaultProxy(network.anvil.url, i, 0.0))
                    for i in range(endpoints)
                ]
                urls = ",".join(proxy.url for proxy in proxies)
                settings = {"batch_age": "0.3", "l1_poll": "0.1", "l1_timeout": "2", **flags}
                process = await asyncio.to_thread(
                    start_sequencer, network, directory / "data", l1_rpc=urls, **settings
                )
                stack.callback(process.kill)
                client = await stack.enter_async_context(network.connect())
                url = await asyncio.to_thread(find_url, process)
                api = await stack.enter_async_context(SequencerClient(url))
                await fund(network, client)
                await until(lambda: has_account(api, 2))
                await story(Scene(network, client, api), process, proxies)

        asyncio.run(run())


def test_while_l1_is_away_orders_are_taken_up_to_a_limit_and_then_all_is_posted_in_order(
    tmp_path: Path,
) -> None:
    async def story(scene: Scene, process: Process, proxies: list[FaultProxy]) -> None:
        acknowledged = (await scene.publish(100_000)).inputs
        await until(scene.api.has_posted_all)
        posted = (await scene.api.get_status())["postedBatch"]
        proxies[0].is_dead = True
        taken = await trade_until_refused(scene)
        acknowledged += taken
        assert len(taken) > 5, "it went on for a good while"
        status = await scene.api.get_status()
        assert status["postedBatch"] == posted
        assert status["unposted"] <= 5, "what waits is gathered in few batches"
        process.check_alive()

        proxies[0].is_dead = False
        await until(scene.api.has_posted_all, 60)
        assert [
            "0x" + data.hex() for data in await history_inputs(scene.network, scene.client)
        ] == acknowledged
        assert (await scene.publish(100_001)).status == "accepted"

    play(tmp_path, story, 1, batch_backlog_bytes="5000", batch_bytes="2048")


def test_batch_that_l1_was_away_for_too_long_is_sequenced_again_and_nothing_of_it_is_lost_in_silence(
    tmp_path: Path,
) -> None:
    """The Inbox never takes it: it begins more than MAX_DELAY before the block that it would stand in."""

    async def story(scene: Scene, process: Process, proxies: list[FaultProxy]) -> None:
        await until(scene.api.has_posted_all)
        proxies[0].is_dead = True
        for trader in scene.traders:
            assert (await scene.api.submit(trader.sign_cancel_all())).status == "accepted"
        price = (await scene.publish(100_000)).inputs[0]

        async def is_closed() -> bool:
            return bool((await scene.api.get_status())["unposted"])

        await until(is_closed)
        scene.network.anvil.increase_time(scene.network.deployment.preset.max_delay + 60)
        proxies[0].is_dead = False

        async def is_sequenced_again() -> bool:
            return (await scene.api.get_status())["voided"] is not None

        await until(is_sequenced_again, 60)
        await until(scene.api.has_posted_all, 60)
        log = await asyncio.to_thread(process.log.read_text)
        assert "batch_too_late" in log
        posted = [data[KIND_AT:] for data in await history_inputs(scene.network, scene.client)]
        assert len(posted) == len(set(posted))
        kept = 3 - log.count("confirmed_input_voided")
        assert len(posted) == kept >= 2
        assert bytes.fromhex(price[2:])[KIND_AT:] in posted or price in log
        process.check_alive()

    play(tmp_path, story, 1)


async def trade_until_refused(scene: Scene) -> list[str]:
    """One lot after the other, as long as the door is open: the inputs that were acknowledged."""
    taken: list[str] = []
    for number in range(200):
        usd, slot = 100_000 + number, number % 4
        try:
            await scene.order(0, is_buy=False, lots=1, usd=usd, slot=slot)
            taken += (await scene.order(1, is_buy=True, lots=1, usd=usd, slot=slot)).inputs
        except ApiError as error:
            if error.name != "BEHIND_L1":
                raise
            return taken
        await asyncio.sleep(0.1)
    raise AssertionError("the door was never closed")


def test_of_three_endpoints_one_may_be_gone_and_one_may_stand_still(tmp_path: Path) -> None:
    async def story(scene: Scene, process: Process, proxies: list[FaultProxy]) -> None:
        acknowledged = (await scene.publish(100_000)).inputs
        await until(scene.api.has_posted_all)
        proxies[0].stands_at = scene.network.anvil.get_block_number()
        scene.network.anvil.mine(20)
        acknowledged += (await scene.publish(100_001)).inputs
        await until(scene.api.has_posted_all)
        proxies[1].is_dead = True
        acknowledged += (await scene.publish(100_002)).inputs
        await until(scene.api.has_posted_all)
        inputs = await history_inputs(scene.network, scene.client)
        assert ["0x" + data.hex() for data in inputs] == acknowledged
        log = await asyncio.to_thread(process.log.read_text)
        assert "stands still" in log
        assert "does not answer" in log
        process.check_alive()

    play(tmp_path, story, 3)


def test_reorg_below_a_final_block_ends_the_sequencer_with_an_error_that_says_so(tmp_path: Path) -> None:
    with Devnet.start(directory=tmp_path / "devnet", epoch=2) as network:
        for actor in network.cast.traders[:3]:
            network.anvil.set_balance(to_hex(actor.address), 10**19)
        process = start_sequencer(network, tmp_path / "data", batch_age="0.3", l1_poll="0.1")
        try:

            async def story() -> None:
                async with network.connect() as client, SequencerClient(find_url(process)) as api:
                    await fund(network, client)
                    await until(lambda: has_account(api, 2))
                    network.anvil.mine(80)
                    head = network.anvil.get_block_number()

                    async def has_seen() -> bool:
                        return str(head) in process.log.read_text() or await api.has_posted_all()

                    await until(has_seen)
                    await asyncio.sleep(0.5)

            asyncio.run(story())
            network.anvil.reorganise(65)
            network.anvil.mine(3)
            assert process._process.wait(30) == 4
            log = process.log.read_text()
            assert "had called block" in log
            assert "find out which of your L1 endpoints lies" in log
        finally:
            process.kill()

"""L1 goes from A to B and back to A, 1 to 64 blocks deep: a sequencer that lived through it all, at its end,
is one that starts only now.

On A somebody deposits and trades, batches and bonds land, and roots are asserted. B has none of what the
last blocks of A held. After each turn, and at the end, L1 is read by a node that has never seen the other
branch.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from devnet.actors.client import SequencerClient
from devnet.actors.trader import Trader
from devnet.network import Devnet
from devnet.processes import Process
from devnet.wallet import Wallet
from optimist.api.errors import ApiError
from optimist.api.schema import ActionAnswer
from optimist.l1.client import L1Client
from optimist.l1.errors import L1Inconsistent
from optimist.l1.events import BatchSealed, QueueItem, Staked
from optimist.l1.types import to_hex
from optimist.node.node import Node
from optimist.store.state_store import StateStore
from tests.support.branches import Branches, BranchProxy
from tests.support.equal_nodes import assert_equal_nodes
from tests.support.operator import make_node
from tests.support.running import find_url, start_sequencer
from tests.support.trading import LOT, PRICE, USD, Scene, fund, has_account
from tests.support.waiting import until

PATIENCE = 100  # s until everything is posted
EPOCH = 64  # blocks: nothing of the last 128 is final
KIND_AT = 6  # of a sequenced input: its second changes when it is sequenced again
A_DAY = 32  # blocks of L1: no day takes more


class Life:
    """A sequencer, its customers, and the L1 that changes under them."""

    def __init__(self, scene: Scene, branches: Branches, process: Process) -> None:
        self.scene = scene
        self.branches = branches
        self.process = process
        self.observer = make_node(scene.network, scene.client)  # another one that lives through it all
        self.acknowledged: list[bytes] = []
        self.days = 0
        self.inside: Counter[str] = Counter()  # what was in blocks that were taken away

    async def take(self, act: Callable[[], Awaitable[ActionAnswer]]) -> None:
        """Do it, as soon as the door is open, and remember what was promised."""

        async def is_done() -> bool:
            try:
                answer = await act()
            except ApiError as error:
                if error.name not in ("NOT_READY", "STALE_PRICE"):
                    raise
                return False
            self.acknowledged += [bytes.fromhex(data[2:]) for data in answer.inputs]
            return True

        await until(is_done)

    async def trade(self, buyer: Trader) -> None:
        """A lot from the first trader to another one, at a new price."""
        self.days += 1
        usd, slot, scene = 100_000 + self.days, self.days % 4, self.scene
        await self.take(lambda: scene.publish(usd))
        await self.take(lambda: scene.order(0, is_buy=False, lots=1, usd=usd, slot=slot))
        expiry = await scene.now() + 3_600
        bid = buyer.sign_order(market=0, is_buy=True, size=LOT, price=usd * PRICE, expiry=expiry, slot=slot)
        await self.take(lambda: scene.api.submit(bid))

    async def newcomer(self) -> Trader:
        """Somebody who deposits now."""
        actor, network = self.scene.network.cast.traders[2], self.scene.network
        account, _ = await network.get_bank().open_account(Wallet(self.scene.client, actor), 1_000 * USD)
        await until(lambda: has_account(self.scene.api, account))
        return Trader(self.scene.domain, actor, account)

    async def move(self) -> None:
        """Somebody lays down a bond, and takes it back."""
        network = self.scene.network
        wallet, rollup = Wallet(self.scene.client, network.cast.liar), network.get_contract("Rollup")
        await wallet.call(rollup, "stake", value=network.deployment.preset.bond)
        await wallet.call(rollup, "withdraw")

    async def begin_again(self) -> Node:
        """A node that reads L1 from the first block."""
        node = make_node(self.scene.network, self.scene.client)
        await node.catch_up()
        return node

    async def settle(self) -> Node:
        """Until L1 has everything, and the sequencer stands where a node stands that starts now."""
        ledger = self.observer.ledger
        async with asyncio.timeout(PATIENCE):
            while True:
                self.branches.now.mine()
                status = await self.scene.api.get_status()
                with suppress(L1Inconsistent):
                    await self.observer.catch_up()
                    last = ledger.last
                    assert last is not None
                    wanted = (True, ledger.batch_count, last.soft_number, to_hex(last.soft_history), 0, None)
                    keys = ("ready", "postedBatch", "softInputs", "softHistory", "unposted", "openBatch")
                    if wanted == tuple(status[key] for key in keys):
                        break
                await asyncio.sleep(0.2)
        fresh = await self.begin_again()
        await catch_up_together(self.observer, fresh)
        assert_equal_nodes(self.observer, fresh)
        return fresh

    def check_promises(self, node: Node) -> list[bytes]:
        """What was acknowledged stands on L1 once, unless it was told to be lost. L1's inputs, in order."""
        inputs = sequenced(node)
        on_l1, promised = count(inputs), count(self.acknowledged)
        told = Counter(
            bytes.fromhex(event["input"][2:])[KIND_AT:]
            for event in self.read_events("confirmed_input_voided")
        )
        assert not on_l1 - promised, "L1 has what nobody was told of, or has it twice"
        assert not (promised - on_l1) - told, "lost, and nobody was told"
        return inputs

    def read_events(self, name: str) -> list[dict[str, Any]]:
        lines = self.process.read_log().splitlines()
        return [json.loads(line) for line in lines if f'"event": "{name}"' in line]

    async def turn(self, depth: int) -> None:
        """A, then B without the last batch and the blocks before it, `depth` in all, then A again."""
        self.branches.now.mine(depth)  # what was there before this day is never taken away
        first = self.branches.now
        await self.move()
        await self.trade(self.scene.traders[1])
        await self.trade(await self.newcomer())
        before = await self.settle()
        on_a = self.check_promises(before)
        batches = [each.block.number for each in before.events if isinstance(each.event, BatchSealed)]
        kept = batches[-1] - depth  # the newest block that both branches have
        for located in before.events:
            if located.block.number > kept:
                self.inside[type(located.event).__name__] += 1

        with self.branches.fork(kept) as second:
            self.branches.turn_to(second)
            self.check_promises(await self.settle())
            await self.trade(self.scene.traders[1])
            self.check_promises(await self.settle())
            self.branches.turn_to(first)
            after = self.check_promises(await self.settle())
        assert after[: len(on_a)] == on_a, "what A had already is not sequenced again"


async def catch_up_together(one: Node, other: Node) -> None:
    """To the same head, though the proposer may act meanwhile."""
    await one.catch_up()
    while one.head != other.head:
        await other.catch_up()
        await one.catch_up()


def sequenced(node: Node) -> list[bytes]:
    """The inputs that sequencers have written, as L1 has them."""
    numbers = range(1, node.ledger.batch_count + 1)
    return [data for number in numbers for data in node.ledger.get_batch(number).inputs if data[0] == 5]


def count(inputs: Sequence[bytes]) -> Counter[bytes]:
    return Counter(data[KIND_AT:] for data in inputs)


async def read_all(api: SequencerClient) -> dict[str, Any]:
    """What the sequencer tells about every account, and where it stands."""
    accounts: list[Any] = []
    status = await api.get_status()
    while await has_account(api, len(accounts) + 1):
        accounts.append(await api.get_account(len(accounts) + 1))
    keys = ("sealedBatch", "postedBatch", "softInputs", "softHistory", "queueNext", "queueLength")
    return {"accounts": accounts, **{key: status[key] for key in keys}}


async def live(network: Devnet, directory: Path, depths: Sequence[int]) -> Counter[str]:
    """Through all these depths; what was in the blocks that were taken away, by event."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(BranchProxy(network.anvil.url))
        flags = {"l1_rpc": proxy.url, "batch_age": "0.2", "l1_poll": "0.1", "proposer_poll": "0.2"}
        process = await asyncio.to_thread(start_sequencer, network, directory / "data", **flags)
        stack.callback(process.kill)
        client = await stack.enter_async_context(L1Client([proxy.url]))
        url = await asyncio.to_thread(find_url, process)
        api = await stack.enter_async_context(SequencerClient(url))
        await fund(network, client)
        await until(lambda: has_account(api, 2))
        branches = Branches(network.anvil, proxy, directory, epoch=EPOCH)
        life = Life(Scene(network, client, api), branches, process)
        for depth in depths:
            await life.turn(depth)
        told = await read_all(api)
        assert await asyncio.to_thread(process.stop) == 0

        with StateStore(directory / "data" / "state", network.deployment.identity) as store:
            lived = make_node(network, client, store)
            fresh = await life.begin_again()
            await catch_up_together(lived, fresh)
            assert_equal_nodes(lived, fresh)
        for name, more in (("data", ()), ("new", ("--accept-lost-journal",))):
            again = await asyncio.to_thread(
                start_sequencer, network, directory / name, name=f"again-{name}", more=more, **flags
            )
            stack.callback(again.kill)
            url = await asyncio.to_thread(find_url, again)
            async with SequencerClient(url) as api:
                assert await read_all(api) == told
            assert await asyncio.to_thread(again.stop) == 0
        return life.inside


# anvil forgets old states after some hundreds of blocks: each group has an L1 of its own.
GROUPS = [
    pytest.param((1, 64), id="some"),
    *(
        pytest.param(tuple(range(first, last + 1)), id=f"{first}-{last}", marks=pytest.mark.long)
        for first, last in (
            (1, 8),
            (9, 16),
            (17, 24),
            (25, 31),
            (32, 37),
            (38, 43),
            (44, 48),
            (49, 53),
            (54, 58),
            (59, 61),
            (62, 64),
        )
    ),
]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("depths", GROUPS)
def test_sequencer_that_lived_on_two_branches_of_l1_is_one_that_starts_only_now(
    tmp_path: Path, depths: tuple[int, ...]
) -> None:
    with Devnet.start(directory=tmp_path / "devnet", epoch=EPOCH) as network:
        inside = asyncio.run(live(network, tmp_path, depths))
    assert inside[BatchSealed.__name__] >= len(depths)
    if max(depths) >= A_DAY:
        assert inside[QueueItem.__name__], "deposits"
        assert inside[Staked.__name__], "moves"

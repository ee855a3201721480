"""Random lives of a node: deposits, batches, reorgs, restarts, kills. It ends as one that begins only now."""

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from devnet.network import Devnet
from devnet.pytest_plugin import StartDevnet
from devnet.wallet import Wallet
from optimist.l1.client import L1Client
from optimist.l1.errors import L1Inconsistent, Reverted
from optimist.l1.events import NodeCreated
from optimist.node.assertions import AssertionTree
from optimist.node.node import Node
from optimist.store.state_store import StateStore
from tests.support.equal_nodes import assert_equal_nodes
from tests.support.operator import Operator, make_node

USD = 10**6
IDENTITY = b"\x42" * 32


async def allow(names: str, act: Awaitable[object]) -> None:
    """Do it, unless the Inbox refuses for one of these reasons."""
    try:
        await act
    except Reverted as reason:
        if reason.name not in names.split():
            raise


class Life:
    """A chain, an operator on it, and the node that is tried."""

    def __init__(self, network: Devnet, client: L1Client, folder: Path, seed: int, epoch: int) -> None:
        self.network = network
        self.finality = 2 * epoch
        self.client = client
        self.folder = folder
        self.rng = random.Random(seed)
        self.operator = Operator(network, client)
        self.users = [Wallet(client, actor) for actor in network.cast.traders]
        self.kills = 0
        self.node = self.wake()
        self.story: list[str] = []

    def wake(self) -> Node:
        self.store = StateStore(self.folder / f"life{self.kills}", IDENTITY)
        return make_node(self.network, self.client, self.store, chunk=self.rng.choice([1, 3, 500]))

    async def deposit(self) -> None:
        bank, user = self.network.get_bank(), self.rng.choice(self.users)
        await bank.open_account(user, self.rng.randrange(1, 1_000) * USD)

    async def force(self) -> None:
        await self.network.get_bank().force_withdrawal(
            self.rng.choice(self.users), self.rng.randrange(6), USD
        )

    async def seal(self) -> None:
        waiting = self.rng.choice([None, 0, 1])
        raw = [b"\x05x"] * self.rng.randrange(4)
        await allow("OverdueItemLeft", self.operator.seal(raw=raw, queue=waiting))

    async def publish(self) -> None:
        await self.operator.publish(self.rng.randrange(2), self.rng.randrange(1, 10**13))

    async def seal_public(self) -> None:
        self.network.anvil.increase_time(self.network.deployment.preset.forced_deadline + 1)
        inbox = self.network.get_contract("Inbox")
        await allow("NothingOverdue OverdueItemLeft", self.users[0].call(inbox, "sealPublic", 1))

    async def claim(self) -> None:
        """Assert the truth about the next range, where there is one, and unless a reorg took the Rollup."""
        wallet, rollup = Wallet(self.client, self.network.cast.liar), self.network.get_contract("Rollup")
        node = self.operator.node
        await node.catch_up()
        made = [each.event for each in node.events if isinstance(each.event, NodeCreated)]
        if made and made[-1].next_to <= node.ledger.batch_count:
            last, preset = made[-1], self.network.deployment.preset
            root, accumulator = (
                node.ledger.get_end_root(last.next_to),
                node.ledger.get_accumulator(last.next_to),
            )
            await allow("AlreadyStaked", wallet.call(rollup, "stake", value=preset.bond))
            self.network.anvil.increase_time(preset.min_period)
            await wallet.call(rollup, "assertState", last.node, root, last.next_to, accumulator)

    async def confirm(self) -> None:
        """Confirm the oldest assertion that is not yet confirmed."""
        await self.operator.node.catch_up()
        tree = AssertionTree(self.operator.node.events)
        for child in tree.get_children(tree.last_confirmed.id):
            self.network.anvil.increase_time(self.network.deployment.preset.challenge_period)
            await self.users[0].call(self.network.get_contract("Rollup"), "confirm", child.id)

    async def mine(self) -> None:
        self.network.anvil.mine(self.rng.randrange(1, 5))

    async def reorganise(self) -> None:
        deepest = self.network.anvil.get_block_number() - self.network.deployment.block - 1
        depth = min(self.rng.choice([1, 1, 2, 3, 8, 20]), deepest, self.finality - 1)
        self.network.anvil.reorganise(depth)

    async def look(self) -> None:
        try:
            await self.node.advance()
        except L1Inconsistent as error:
            self.story.append(str(error))

    async def restart(self) -> None:
        self.store.close()
        self.node = self.wake()

    async def kill(self) -> None:
        """Go on from what is on disk while the database is open: what kill -9 leaves behind."""
        before, self.kills = self.kills, self.kills + 1
        while True:
            try:
                shutil.copytree(self.folder / f"life{before}", self.folder / f"life{self.kills}")
                break
            except shutil.Error:  # a compaction in the background took a file away: once more
                shutil.rmtree(self.folder / f"life{self.kills}")
        self.store.close()
        self.node = self.wake()

    async def live(self, steps: int) -> None:
        acts: list[Callable[[], Coroutine[Any, Any, None]]] = (
            [self.deposit] * 4 + [self.seal] * 4 + [self.look] * 6
        )
        acts += [self.force, self.publish, self.seal_public, self.mine, self.reorganise, self.reorganise]
        acts += [self.restart, self.kill, self.claim, self.claim, self.confirm, self.confirm]
        for _ in range(steps):
            act = self.rng.choice(acts)
            self.story.append(act.__name__)
            await act()

    async def judge(self) -> None:
        self.network.anvil.mine()  # a chain that only shrank is noticed with its next block
        await self.node.catch_up()
        fresh = make_node(self.network, self.client)
        await fresh.catch_up()
        assert_equal_nodes(self.node, fresh)
        self.store.close()


@pytest.mark.parametrize(
    ("seed", "steps", "epoch"),
    [
        (1, 60, 32),
        (2, 60, 32),
        (31, 90, 2),  # blocks are final so soon that confirmed batches are forgotten
        (34, 90, 2),
        *(pytest.param(seed, 200, 32, marks=pytest.mark.long) for seed in range(4, 12)),
        *(pytest.param(seed, 200, 2, marks=pytest.mark.long) for seed in range(12, 24)),
    ],
)
def test_any_life_ends_in_the_state_of_the_chain(
    start_devnet: StartDevnet, tmp_path: Path, seed: int, steps: int, epoch: int
) -> None:
    network = start_devnet(epoch=epoch)

    async def story() -> None:
        async with network.connect() as client:
            life = Life(network, client, tmp_path, seed, epoch)
            try:
                await life.live(steps)
                await life.judge()
            except BaseException:
                print(f"seed {seed}, after: {' '.join(life.story)}")
                raise
            print(f"{life.node.ledger.batch_count} batches, {life.node.ledger.forgotten} of them forgotten")

    asyncio.run(story())

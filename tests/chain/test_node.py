"""The node on a real chain: state is a function of L1 alone, through reorgs, restarts and damage."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from devnet.network import Devnet
from devnet.pytest_plugin import StartDevnet
from devnet.wallet import Wallet
from optimist.base.merkle import ZERO
from optimist.l1.client import L1Client
from optimist.l1.errors import FinalizedReorg
from optimist.node.node import Node, NodeInterrupted
from optimist.node.receipts import Place
from optimist.store.state_store import StateStore
from tests.support.operator import Operator, make_node

USD = 10**6
PRICE = 10**8
IDENTITY = b"\x42" * 32


@pytest.fixture
def calm(start_devnet: StartDevnet) -> Devnet:
    """A devnet whose blocks become final as late as on mainnet: reorgs may be 64 blocks deep."""
    return start_devnet(epoch=32)


def play(network: Devnet, story: Callable[[L1Client], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with network.connect() as client:
            await story(client)

    asyncio.run(inside())


def roots(node: Node) -> list[bytes]:
    ledger = node.ledger
    return [ledger.get_applied(number).root for number in range(1, ledger.batch_count + 1)]


async def assert_same_as_fresh(network: Devnet, client: L1Client, node: Node) -> None:
    """`node`, whatever it has been through, and one that begins now agree about every batch end."""
    await node.catch_up()
    fresh = make_node(network, client, chunk=7)
    await fresh.catch_up()
    assert roots(fresh) == roots(node)
    assert fresh.ledger.get_accumulator() == node.ledger.get_accumulator()
    assert dict(fresh.ledger.state.items()) == dict(node.ledger.state.items())
    assert fresh.queue_length == node.queue_length
    assert [each.event for each in fresh.events] == [each.event for each in node.events]
    assert node.head == fresh.head


async def live(network: Devnet, client: L1Client, operator: Operator, days: int) -> None:
    """Deposits, prices, garbage, a forced withdrawal: some of everything that ends in a batch."""
    bank, user = network.get_bank(), Wallet(client, network.cast.traders[0])
    account, _ = await bank.open_account(user, 1_000 * USD)
    for day in range(days):
        await bank.top_up(user, account, (day + 1) * USD)
        if day % 2:
            await bank.force_withdrawal(user, account, 3 * USD)
        await operator.publish(0, (100_000 + day) * PRICE)
        await operator.seal(raw=[b"\x05garbage"], queue=0)
        network.anvil.increase_time(20)


def test_fresh_node_has_the_same_root_at_every_batch_end(devnet: Devnet) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        await live(devnet, client, operator, days=4)
        assert operator.node.ledger.batch_count == 9
        codes = [code for n in range(1, 10) for code in operator.node.ledger.get_applied(n).codes]
        assert codes.count(0) > 15
        assert len(codes) > codes.count(0)
        assert len(set(roots(operator.node))) >= 5
        await assert_same_as_fresh(devnet, client, operator.node)

    play(devnet, story)


def test_reorg_that_drops_deposit_and_batch_takes_their_effects_back(calm: Devnet) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(calm, client)
        await live(calm, client, operator, days=1)
        bank, user = calm.get_bank(), Wallet(client, calm.cast.traders[1])
        node = operator.node
        before, records = roots(node), dict(node.ledger.state.items())
        queue = node.queue_length

        start = calm.anvil.get_block_number()
        account, _ = await bank.open_account(user, 777 * USD)
        await operator.seal()
        assert len(roots(node)) == len(before) + 1
        assert node.queue_length == queue + 1

        calm.anvil.reorganise(calm.anvil.get_block_number() - start)
        await node.catch_up()
        assert roots(node) == before
        assert dict(node.ledger.state.items()) == records
        assert node.queue_length == queue

        again, _ = await bank.open_account(Wallet(client, calm.cast.traders[2]), 555 * USD)
        assert again == account, "the Vault hands the same id to somebody else on the new chain"
        await operator.publish(0, 90_000 * PRICE)
        await assert_same_as_fresh(calm, client, node)

    play(calm, story)


@pytest.mark.parametrize("depth", [1, 2, 5, 16, 60])
def test_reorg_of_any_depth_leads_to_the_state_of_the_new_chain(calm: Devnet, depth: int) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(calm, client)
        await live(calm, client, operator, days=6)
        depth_now = min(depth, calm.anvil.get_block_number() - calm.deployment.block - 1)
        calm.anvil.reorganise(depth_now)
        await assert_same_as_fresh(calm, client, operator.node)
        await operator.publish(0, 50_000 * PRICE)
        await assert_same_as_fresh(calm, client, operator.node)

    play(calm, story)


def test_histories_follow_reorgs_and_survive_restarts(calm: Devnet, tmp_path: Path) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(calm, client)
        bank, user = calm.get_bank(), Wallet(client, calm.cast.traders[0])
        account, _ = await bank.open_account(user, 1_000 * USD)
        await operator.seal()
        with StateStore(tmp_path / "state", IDENTITY) as store:
            node = make_node(calm, client, store, history_days=30)
            await node.catch_up()
            kept = read_amounts(node, account)
            assert kept == [("Deposited", 1_000 * USD)]

            start = calm.anvil.get_block_number()
            await bank.top_up(user, account, 7 * USD)
            await operator.seal()
            await node.catch_up()
            assert read_amounts(node, account) == [*kept, ("Deposited", 7 * USD)]

            calm.anvil.reorganise(calm.anvil.get_block_number() - start)
            await node.catch_up()
            assert read_amounts(node, account) == kept
        await operator.node.catch_up()
        await bank.force_withdrawal(user, account, 3 * USD)
        await operator.seal()
        with StateStore(tmp_path / "state", IDENTITY) as store:
            again = make_node(calm, client, store, history_days=30)
            assert read_amounts(again, account) == kept
            await again.catch_up()
            assert read_amounts(again, account) == [*kept, ("Withdrawn", 3 * USD)]

    play(calm, story)


def read_amounts(node: Node, account: int) -> list[tuple[str, int]]:
    """What came in and went out, by the account's history."""
    entries = node.history.read(account, Place(0, 0), 100)
    return [(note["type"], int(note["amount"])) for entry in entries for note in entry.notes]


def test_reorg_below_a_final_block_stops_the_node(calm: Devnet) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(calm, client)
        calm.anvil.mine(100)
        await operator.node.catch_up()
        root = operator.node.ledger.root
        calm.anvil.reorganise(80)
        with pytest.raises(FinalizedReorg, match="final"):
            await operator.node.catch_up()
        assert operator.node.ledger.root == root

    play(calm, story)


def test_restarted_node_goes_on_where_it_was(devnet: Devnet, tmp_path: Path) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        await live(devnet, client, operator, days=2)
        with StateStore(tmp_path / "state", IDENTITY) as store:
            first = make_node(devnet, client, store)
            await first.catch_up()
            kept = roots(first)
        await live(devnet, client, operator, days=2)
        with StateStore(tmp_path / "state", IDENTITY) as store:
            second = make_node(devnet, client, store)
            assert roots(second) == kept, "what was kept is there before the first look at L1"
            assert second.head == first.head
            await assert_same_as_fresh(devnet, client, second)
        assert len(roots(second)) > len(kept)

    play(devnet, story)


def test_node_that_slept_through_a_reorg_wakes_up_on_the_new_chain(calm: Devnet, tmp_path: Path) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(calm, client)
        await live(calm, client, operator, days=3)
        with StateStore(tmp_path / "state", IDENTITY) as store:
            await make_node(calm, client, store).catch_up()
        calm.anvil.reorganise(15)
        await operator.publish(0, 42_000 * PRICE)
        with StateStore(tmp_path / "state", IDENTITY) as store:
            await assert_same_as_fresh(calm, client, make_node(calm, client, store))
        with StateStore(tmp_path / "state", IDENTITY) as store:
            await assert_same_as_fresh(calm, client, make_node(calm, client, store))

    play(calm, story)


def damage_log(directory: Path, change: Callable[[bytearray], bytes]) -> None:
    (log,) = directory.glob("*.log")
    content = bytearray(log.read_bytes())
    assert len(content) > 5_000
    log.write_bytes(change(content))


def flip(percent: int) -> Callable[[bytearray], bytes]:
    def change(content: bytearray) -> bytes:
        content[len(content) * percent // 100] ^= 1
        return bytes(content)

    return change


def cut(permille: int) -> Callable[[bytearray], bytes]:
    return lambda content: bytes(content[: len(content) * (1_000 - permille) // 1_000])


def delete_log(directory: Path) -> None:
    next(directory.glob("*.log")).unlink()


def truncate(pattern: str, length: int) -> Callable[[Path], None]:
    def damage(directory: Path) -> None:
        victim = next(directory.glob(pattern))
        victim.write_bytes(victim.read_bytes()[:length])

    return damage


DAMAGES: dict[str, Callable[[Path], None]] = {
    **{f"{share} per mille cut": partial(damage_log, change=cut(share)) for share in (1, 100, 500, 1_000)},
    **{f"a bit flipped at {at} %": partial(damage_log, change=flip(at)) for at in (20, 50, 80)},
    "log deleted": delete_log,
    "manifest cut": truncate("MANIFEST-*", 10),
    "CURRENT empty": truncate("CURRENT", 0),
}


def test_damaged_cache_never_leads_to_another_root(devnet: Devnet, tmp_path: Path) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        await live(devnet, client, operator, days=3)
        with StateStore(tmp_path / "state", IDENTITY) as store:
            node = make_node(devnet, client, store, chunk=2)
            await node.catch_up()
            shutil.copytree(tmp_path / "state", tmp_path / "killed")  # what kill -9 would leave behind
        for number, (name, damage) in enumerate(DAMAGES.items()):
            victim = tmp_path / f"victim-{number}"
            shutil.copytree(tmp_path / "killed", victim)
            damage(victim)
            with StateStore(victim, IDENTITY) as store:
                again = make_node(devnet, client, store)
                assert len(roots(again)) < len(roots(node)), f"{name}: some of the cache is lost, in silence"
                await assert_same_as_fresh(devnet, client, again)

    play(devnet, story)


def test_every_kept_state_can_be_had_again(devnet: Devnet) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        seen = {0: dict[int, bytes]()}
        for day in range(4):
            await operator.publish(0, (100 + day) * PRICE)
            seen[operator.node.ledger.batch_count] = dict(operator.node.ledger.state.items())
        for batch, records in seen.items():
            assert operator.node.ledger.get_records(batch) == records
        assert operator.node.ledger.get_end_root(0) == ZERO

    play(devnet, story)


def test_look_that_was_cut_off_half_way_is_noticed(devnet: Devnet, tmp_path: Path) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        await live(devnet, client, operator, days=1)
        await operator.seal(raw=[b"\x05"] * 2_000)
        with StateStore(tmp_path / "state", IDENTITY) as store:
            node = make_node(devnet, client, store)
            task = asyncio.create_task(node.catch_up())
            for _ in range(10_000):
                await asyncio.sleep(0)
                if node.ledger.batch_count:
                    break
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with pytest.raises(NodeInterrupted):
                await node.advance()
        with StateStore(tmp_path / "state", IDENTITY) as store:
            await assert_same_as_fresh(devnet, client, make_node(devnet, client, store))

    play(devnet, story)

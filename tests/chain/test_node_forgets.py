"""What a node forgets after a confirmation is never missed: by reorgs, restarts, payments or disputes."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from devnet.network import Devnet
from devnet.pytest_plugin import StartDevnet
from devnet.wallet import Wallet
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from optimist.l1.client import L1Client
from optimist.l1.events import BatchSealed, QueueItem
from optimist.node.assertions import AssertionTree
from optimist.node.ledger import UnknownBatch
from optimist.node.node import Node
from optimist.node.proofs import prove_withdrawals
from optimist.store.state_store import StateStore
from tests.support.equal_nodes import assert_equal_nodes
from tests.support.operator import Operator, make_node

USD = 10**6
IDENTITY = b"\x42" * 32
FALSE = b"\x66" * 32


@pytest.fixture
def calm(start_devnet: StartDevnet) -> Devnet:
    """A devnet whose blocks become final 64 blocks later."""
    return start_devnet(epoch=32)


def play(network: Devnet, story: Callable[[L1Client], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with network.connect() as client:
            await story(client)

    asyncio.run(inside())


async def live(network: Devnet, client: L1Client, operator: Operator, batches: int) -> None:
    """Batches with deposits, forced withdrawals and garbage; one queue item stays behind in each."""
    bank, user = network.get_bank(), Wallet(client, network.cast.traders[0])
    account, _ = await bank.open_account(user, 1_000 * USD)
    for _ in range(batches):
        await bank.force_withdrawal(user, account, USD)
        await bank.top_up(user, account, USD)
        await operator.node.catch_up()
        last = operator.node.ledger.last
        assert last is not None
        waiting = operator.node.queue_length - last.queue_next
        await operator.seal(raw=[b"\x05garbage" * 9], queue=waiting - 1)
        network.anvil.increase_time(20)


async def assert_batch(
    network: Devnet, wallet: Wallet, node: Node, batch: int, root: bytes, parent: bytes = GENESIS_ASSERTION
) -> bytes:
    """Claim a root after a batch and wait until it can be confirmed; its id."""
    rollup = network.get_contract("Rollup")
    if parent == GENESIS_ASSERTION:
        await wallet.call(rollup, "stake", value=network.deployment.preset.bond)
    network.anvil.increase_time(network.deployment.preset.min_period)
    accumulator = node.ledger.get_accumulator(batch)
    await wallet.call(rollup, "assertState", parent, root, batch, accumulator)
    network.anvil.increase_time(network.deployment.preset.challenge_period)
    return compute_assertion_id(parent, compute_leaf(root, batch, ZERO))


async def confirm_two(network: Devnet, client: L1Client, node: Node) -> tuple[int, bytes]:
    """The first round ends with batch 1, the second with the last: confirm both. The batch, and the node."""
    wallet, rollup = Wallet(client, network.cast.sequencer), network.get_contract("Rollup")
    first = await assert_batch(network, wallet, node, 1, node.ledger.get_end_root(1) or b"")
    await wallet.call(rollup, "confirm", first)
    await node.catch_up()
    round_ = AssertionTree(node.events).get(first)
    assert round_ is not None
    last = node.ledger.batch_count
    second = await assert_batch(network, wallet, node, last, node.ledger.root, first)
    await wallet.call(rollup, "confirm", second)
    return last, second


def test_node_forgets_when_the_confirmation_is_final_and_a_reorg_before_that_loses_nothing(
    calm: Devnet,
) -> None:
    async def story(client: L1Client) -> None:
        operator, node = Operator(calm, client), make_node(calm, client)
        await live(calm, client, operator, 4)
        await node.catch_up()
        known = {number: node.ledger.get_records(number) for number in range(6)}
        block = calm.anvil.get_block_number()
        last, _ = await confirm_two(calm, client, node)
        await node.catch_up()
        assert AssertionTree(node.events).last_confirmed.to == last
        assert node.ledger.forgotten == 0, "a confirmation that can still be taken back"

        calm.anvil.reorganise(calm.anvil.get_block_number() - block)
        await node.catch_up()
        assert AssertionTree(node.events).last_confirmed.to == 0
        assert {number: node.ledger.get_records(number) for number in range(6)} == known
        fresh = make_node(calm, client, chunk=3)
        await fresh.catch_up()
        assert_equal_nodes(node, fresh)

        last, _ = await confirm_two(calm, client, node)
        await operator.seal()
        calm.anvil.mine(62)
        await node.catch_up()
        assert node.ledger.forgotten == 0
        calm.anvil.mine(1)
        await node.catch_up()
        assert node.ledger.forgotten == last - 1
        assert node.ledger.get_records(last) == known[last]
        with pytest.raises(UnknownBatch, match="forgotten"):
            node.ledger.get_batch(last - 1)
        with pytest.raises(LookupError, match="queue item 0 is forgotten"):
            node.get_queue(0)
        await fresh.catch_up()
        assert_equal_nodes(node, fresh)

    play(calm, story)


def test_restarted_node_has_forgotten_what_one_that_never_stopped_has(devnet: Devnet, tmp_path: Path) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        await live(devnet, client, operator, 3)
        with StateStore(tmp_path / "state", IDENTITY) as store:
            first = make_node(devnet, client, store)
            await first.catch_up()
            whole = store.load()
            await confirm_two(devnet, client, first)
            devnet.anvil.mine(3)
            await first.catch_up()
            assert first.ledger.forgotten == 3
            kept = store.load()
        assert whole is not None
        assert kept is not None
        assert sum(map(len, kept.batches)) < sum(map(len, whole.batches)) / 2, "less on disk"
        assert not any(b"garbage" in data for data in kept.logs[: len(whole.logs) - 4])
        with StateStore(tmp_path / "state", IDENTITY) as store:
            second = make_node(devnet, client, store)
            assert_equal_nodes(first, second)
            await live(devnet, client, operator, 2)
            await second.catch_up()
            fresh = make_node(devnet, client, chunk=3)
            await fresh.catch_up()
            assert_equal_nodes(operator.node, second)
            assert_equal_nodes(operator.node, fresh)

    play(devnet, story)


def test_memory_holds_no_input_of_a_forgotten_batch(devnet: Devnet) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        await live(devnet, client, operator, 3)
        await confirm_two(devnet, client, operator.node)
        devnet.anvil.mine(3)
        await operator.node.catch_up()
        node = operator.node
        assert node.ledger.forgotten == 3
        events = [located.event for located in node.events]
        assert {event.rows for event in events if isinstance(event, BatchSealed)} == {b""}
        assert {event.input for event in events if isinstance(event, QueueItem)} == {b""}
        assert not any(located.log.data for located in node.events)
        assert node.queue_start == node.ledger.get_end(3).queue_next
        assert [item.index for item in node.get_queue(node.queue_start)] == list(
            range(node.queue_start, node.queue_length)
        )

    play(devnet, story)


def test_withdrawal_of_a_forgotten_batch_is_paid_on_its_proof(devnet: Devnet) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        await live(devnet, client, operator, 3)
        await confirm_two(devnet, client, operator.node)
        devnet.anvil.mine(3)
        await live(devnet, client, operator, 1)
        assert operator.node.ledger.forgotten == 3
        proofs = prove_withdrawals(operator.node, [1, 2, 3, 4])
        assert [proof.row for proof in proofs] == [1, 2, 3], (
            "the fourth is of a batch after the confirmed one"
        )
        stranger, vault = Wallet(client, devnet.cast.traders[1]), devnet.get_contract("Vault")
        for proof in proofs:
            terms = (proof.node, proof.root, proof.batch, proof.row, proof.record, proof.siblings)
            assert (await stranger.call(vault, "pay", *terms)).succeeded

    play(devnet, story)


def test_nothing_is_forgotten_on_the_word_of_a_false_confirmation(devnet: Devnet) -> None:
    async def story(client: L1Client) -> None:
        operator = Operator(devnet, client)
        await live(devnet, client, operator, 2)
        node, liar = operator.node, Wallet(client, devnet.cast.liar)
        rollup = devnet.get_contract("Rollup")
        first = await assert_batch(devnet, liar, node, 1, node.ledger.get_end_root(1) or b"")
        await liar.call(rollup, "confirm", first)
        second = await assert_batch(devnet, liar, node, 3, FALSE, first)
        await liar.call(rollup, "confirm", second)
        devnet.anvil.mine(5)
        await node.catch_up()
        assert AssertionTree(node.events).last_confirmed.end_root == FALSE
        assert node.ledger.forgotten == 0
        assert len(node.ledger.get_records(1)) < len(node.ledger.get_records(3))

    play(devnet, story)

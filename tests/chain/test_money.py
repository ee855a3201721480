"""Money in, inputs sealed by anybody, a root confirmed, money out: on a real chain, without a sequencer."""

import asyncio

import pytest

from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from optimist.l1.client import L1Client
from optimist.l1.contracts import Contract
from optimist.l1.errors import Reverted
from optimist.node.proofs import prove_withdrawals
from optimist.provable import State
from optimist.sequencer.views import get_record
from optimist.stf.records import ForcedOutcome

USD = 10**6


async def assert_and_confirm(network: Devnet, client: L1Client, wallet: Wallet) -> None:
    """The wallet's owner claims the truth about all batches, and nobody contradicts."""
    rollup = network.get_contract("Rollup")
    parent = GENESIS_ASSERTION
    await wallet.call(rollup, "stake", value=network.deployment.preset.bond)
    history = await network.read_history(client)
    nodes = []
    for record in history.batches:
        root, number = record.root, record.batch.number
        network.anvil.increase_time(network.deployment.preset.min_period)
        await wallet.call(rollup, "assertState", parent, root, number, record.batch.accumulator)
        parent = compute_assertion_id(parent, compute_leaf(root, number, ZERO))
        nodes.append(parent)
    network.anvil.increase_time(network.deployment.preset.challenge_period)
    for node in nodes:
        await wallet.call(rollup, "confirm", node)


@pytest.mark.parametrize("is_taken_back", [False, True], ids=["for good", "after a reorg again"])
def test_forced_withdrawal_is_paid_once_though_no_sequencer_lives(
    devnet: Devnet, is_taken_back: bool
) -> None:
    network = devnet

    async def play() -> None:
        bank, cast = network.get_bank(), network.cast
        vault, inbox = network.get_contract("Vault"), network.get_contract("Inbox")
        token = Contract.named("IERC20", network.deployment.addresses["token"])
        async with network.connect() as client:
            user = Wallet(client, cast.traders[0])
            account, _ = await bank.open_account(user, 1_000 * USD)
            await bank.top_up(user, account, 500 * USD)
            await bank.force_withdrawal(user, account, 600 * USD)
            assert account == 1
            with pytest.raises(Reverted, match="NothingOverdue"):
                await user.call(inbox, "sealPublic", 3)
            network.anvil.increase_time(network.deployment.preset.forced_deadline + 1)
            await user.call(inbox, "sealPublic", 3)

            history = await network.read_history(client)
            assert [len(record.inputs) for record in history.batches] == [1, 4]
            assert all(applied.code == 0 for record in history.batches for applied in record.inputs)
            assert history.get_batch(1).inputs[0] == network.init.encode()
            state = State(history.get_records(2))
            assert get_record(state, ForcedOutcome, 1).code == 0

            node = network.make_node(client)
            await node.catch_up()
            assert prove_withdrawals(node, [1]) == []
            await assert_and_confirm(network, client, Wallet(client, cast.sequencer))
            await node.catch_up()
            [withdrawal] = prove_withdrawals(node, [1, 2])
            stranger = Wallet(client, cast.traders[1])
            await bank.pay(stranger, withdrawal)
            with pytest.raises(Reverted, match="AlreadyPaid"):
                await bank.pay(stranger, withdrawal)
            if is_taken_back:
                network.anvil.reorganise(1)
                await bank.pay(stranger, withdrawal)
                with pytest.raises(Reverted, match="AlreadyPaid"):
                    await bank.pay(stranger, withdrawal)

            head = await client.get_header("latest")
            assert head is not None
            owned = await token.read(client, head.hash, "balanceOf", user.actor.address)
            held = await vault.read(client, head.hash, "held")
            assert (owned, held) == (600 * USD, 900 * USD)

    asyncio.run(play())

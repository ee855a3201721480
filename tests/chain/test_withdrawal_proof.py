"""A node's proofs are what the Vault pays on, and nothing else is."""

import asyncio
from dataclasses import replace

import pytest

from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from optimist.l1.client import L1Client
from optimist.l1.errors import Reverted
from optimist.l1.types import Receipt
from optimist.node.assertions import AssertionTree
from optimist.node.proofs import FalseConfirmation, WithdrawalProof, find_withdrawals, prove_withdrawals
from tests.support.operator import Operator

USD = 10**6


async def confirm(network: Devnet, wallet: Wallet, operator: Operator, roots: dict[int, bytes]) -> None:
    """Claim a root after each batch, unchallenged, and wait until all are confirmed."""
    rollup, ledger = network.get_contract("Rollup"), operator.node.ledger
    await wallet.call(rollup, "stake", value=network.deployment.preset.bond)
    parent, nodes = GENESIS_ASSERTION, []
    for number, root in roots.items():
        network.anvil.increase_time(network.deployment.preset.min_period)
        await wallet.call(rollup, "assertState", parent, root, number, ledger.get_accumulator(number))
        parent = compute_assertion_id(parent, compute_leaf(root, number, ZERO))
        nodes.append(parent)
    await operator.node.catch_up()
    tree = AssertionTree(operator.node.events)
    assert [node.id for node in tree.assertions[1:]] == nodes
    assert [len(node.live) for node in tree.assertions[1:]] == [1] * len(nodes)
    assert tree.last_confirmed.id == GENESIS_ASSERTION
    network.anvil.increase_time(network.deployment.preset.challenge_period)
    for node in nodes:
        await wallet.call(rollup, "confirm", node)
    await operator.node.catch_up()
    assert AssertionTree(operator.node.events).last_confirmed.id == parent


async def withdraw(network: Devnet, client: L1Client, operator: Operator) -> None:
    """Two accounts of one owner, three forced withdrawals, all in batch 2."""
    bank, user = network.get_bank(), Wallet(client, network.cast.traders[0])
    for _ in range(2):
        account, _ = await bank.open_account(user, 1_000 * USD)
        await bank.force_withdrawal(user, account, 10 * USD)
    await bank.force_withdrawal(user, 1, 20 * USD)
    await operator.seal()


async def pay(network: Devnet, wallet: Wallet, proof: WithdrawalProof) -> Receipt:
    return await wallet.call(
        network.get_contract("Vault"),
        "pay",
        proof.node,
        proof.root,
        proof.batch,
        proof.row,
        proof.record,
        proof.siblings,
    )


def test_every_withdrawal_of_a_confirmed_state_is_paid_on_its_proof(devnet: Devnet) -> None:
    async def story() -> None:
        async with devnet.connect() as client:
            operator = Operator(devnet, client)
            await withdraw(devnet, client, operator)
            assert find_withdrawals(operator.node, 1) == [1, 3]
            assert find_withdrawals(operator.node, 2) == [2]
            assert find_withdrawals(operator.node, 3) == []
            assert prove_withdrawals(operator.node, [1, 2, 3]) == [], "nothing is confirmed yet"
            ledger = operator.node.ledger
            roots = {number: ledger.get_applied(number).root for number in (1, 2)}
            await confirm(devnet, Wallet(client, devnet.cast.sequencer), operator, roots)
            await operator.seal()  # the newest state is not the confirmed one
            proofs = prove_withdrawals(operator.node, [1, 2, 3, 4])
            assert [(proof.row, proof.amount, proof.account) for proof in proofs] == [
                (1, 10 * USD, 1),
                (2, 10 * USD, 2),
                (3, 20 * USD, 1),
            ]
            stranger = Wallet(client, devnet.cast.traders[1])
            for proof in proofs:
                for altered in (
                    replace(proof, amount=proof.amount + 1),
                    replace(proof, row=proof.row % 3 + 1),
                    replace(proof, siblings=(*proof.siblings[:-1], b"\x01" * 32)),
                ):
                    with pytest.raises(Reverted, match="WrongRoot"):
                        await pay(devnet, stranger, altered)
                assert (await pay(devnet, stranger, proof)).succeeded

    asyncio.run(story())


def test_nothing_is_proven_against_a_false_root_that_was_confirmed(devnet: Devnet) -> None:
    async def story() -> None:
        async with devnet.connect() as client:
            operator = Operator(devnet, client)
            await withdraw(devnet, client, operator)
            await confirm(devnet, Wallet(client, devnet.cast.liar), operator, {1: b"\x66" * 32})
            with pytest.raises(FalseConfirmation, match="0x6666"):
                prove_withdrawals(operator.node, [1])

    asyncio.run(story())

"""The proposer on a real L1: bond, assertion, confirmation; a bond again after the first was taken back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.client import L1Client
from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import MemoryOutbox
from optimist.l1.sender import Sender, SendPolicy
from optimist.l1.signer import Signer
from optimist.node.assertions import AssertionTree
from optimist.sequencer.proposer import BondLost, Proposer
from tests.support.operator import Operator

GWEI = 10**9
POLICY = SendPolicy(FeePolicy(500 * GWEI, GWEI), poll=0.02)


class Desk:
    """One proposer, and a node that has seen what it did."""

    def __init__(self, network: Devnet, client: L1Client, sender: Sender) -> None:
        self.network, self.client = network, client
        self.operator = Operator(network, client)
        self.rollup = network.get_contract("Rollup")
        self.key = Wallet(client, network.cast.proposer)
        bond = network.deployment.preset.bond
        self.proposer = Proposer(
            self.operator.node,
            client,
            self.rollup,
            sender,
            bond=bond,
            operator=network.cast.challenger.address,
        )

    async def act(self) -> None:
        await self.operator.node.catch_up()
        await self.proposer.act()
        await self.operator.node.catch_up()

    @property
    def tree(self) -> AssertionTree:
        return AssertionTree(self.operator.node.events)

    async def get_bond(self) -> int:
        head = await self.client.get_header("latest")
        assert head is not None
        staker = await self.rollup.read(self.client, head.hash, "getStaker", self.key.actor.address)
        bond: int = staker["bond"]
        return bond


def play(network: Devnet, story: Callable[[Desk], Awaitable[None]]) -> None:
    async def run() -> None:
        async with network.connect() as client:
            signer = Signer(network.cast.proposer.secret)
            sender = Sender(client, signer, MemoryOutbox(), POLICY, chain_id=network.deployment.chain_id)
            try:
                await story(Desk(network, client, sender))
            finally:
                await sender.close()

    asyncio.run(run())


async def confirm_first_batch(desk: Desk) -> None:
    """Stake, assert and confirm what the first batch leads to."""
    preset = desk.network.deployment.preset
    await desk.act()
    assert await desk.get_bond() == preset.bond
    desk.network.anvil.increase_time(preset.min_period)
    await desk.act()
    (assertion,) = desk.tree.assertions[1:]
    assert assertion.to == 1
    await desk.act()
    assert desk.tree.last_confirmed.id == GENESIS_ASSERTION, "its time is not over"
    desk.network.anvil.increase_time(preset.challenge_period)
    await desk.act()
    assert desk.tree.last_confirmed.id == assertion.id


def test_a_bond_that_was_taken_back_is_laid_down_again(devnet: Devnet) -> None:
    async def story(desk: Desk) -> None:
        await confirm_first_batch(desk)
        await desk.key.call(desk.rollup, "withdraw")
        assert await desk.get_bond() == 0
        await desk.act()
        assert await desk.get_bond() == devnet.deployment.preset.bond

    play(devnet, story)


def test_ranges_are_asserted_one_below_the_other_with_the_operator_named(devnet: Devnet) -> None:
    async def story(desk: Desk) -> None:
        await confirm_first_batch(desk)
        for _ in range(2):
            await desk.operator.seal()
            devnet.anvil.increase_time(devnet.deployment.preset.min_period)
            await desk.act()
        assertions = desk.tree.assertions[1:]
        assert [each.to for each in assertions] == [1, 2, 3]
        assert [each.parent for each in assertions[1:]] == [each.id for each in assertions[:-1]]
        assert [len(each.live) for each in assertions] == [1, 1, 1]

    play(devnet, story)


def test_a_lost_bond_stops_the_proposer(devnet: Devnet) -> None:
    async def story(desk: Desk) -> None:
        await confirm_first_batch(desk)
        await desk.operator.seal()
        preset = devnet.deployment.preset
        devnet.anvil.increase_time(preset.min_period)
        await desk.act()
        (ours,) = desk.tree.assertions[-1].live
        rival = Wallet(desk.client, devnet.cast.liar)
        ledger, parent = desk.operator.node.ledger, desk.tree.assertions[-1].parent
        await rival.call(desk.rollup, "stake", value=preset.bond)
        claim = ("assertState", parent, b"\x66" * 32, 2, ledger.get_accumulator(2))
        await rival.call(desk.rollup, *claim)
        await desk.operator.node.catch_up()
        (theirs,) = desk.tree.assertions[-1].live
        devnet.anvil.increase_time(preset.challenge_period)
        await rival.call(desk.rollup, "timeoutReveal", ours, theirs)  # nobody played for the proposer
        with pytest.raises(BondLost, match=devnet.cast.proposer.address.hex()):
            await desk.act()

    play(devnet, story)


def test_it_waits_for_the_grace_period_after_a_dispute(devnet: Devnet) -> None:
    """L1 would refuse before: nothing is sent that must fail, and no error ends the round of its work."""

    async def story(desk: Desk) -> None:
        await confirm_first_batch(desk)
        await desk.operator.seal()
        preset = devnet.deployment.preset
        devnet.anvil.increase_time(preset.min_period)
        await desk.act()
        (ours,) = desk.tree.assertions[-1].live
        node, parent = desk.tree.assertions[-1].id, desk.tree.assertions[-1].parent
        rival = Wallet(desk.client, devnet.cast.liar)
        await rival.call(desk.rollup, "stake", value=preset.bond)
        accumulator = desk.operator.node.ledger.get_accumulator(2)
        await rival.call(desk.rollup, "assertState", parent, b"\x66" * 32, 2, accumulator)
        await desk.operator.node.catch_up()
        (theirs,) = desk.tree.assertions[-1].live
        devnet.anvil.increase_time(preset.challenge_period)
        await desk.act()  # two ends are alive: not even asked for
        await desk.key.call(desk.rollup, "timeoutReveal", theirs, ours)
        await desk.act()
        assert desk.tree.last_confirmed.id == parent, "it died a moment ago"
        devnet.anvil.increase_time(preset.grace)
        await desk.act()
        assert desk.tree.last_confirmed.id == node

    play(devnet, story)


def test_nothing_is_asserted_below_a_node_that_l1_has_taken_back(devnet: Devnet) -> None:
    """Its own node still tells of a confirmation that a reorg has undone: L1 knows no such node."""

    async def story(desk: Desk) -> None:
        await desk.act()
        assert await desk.get_bond() == devnet.deployment.preset.bond
        devnet.anvil.increase_time(devnet.deployment.preset.min_period)
        await desk.operator.node.catch_up()
        desk.proposer._last_confirmed = lambda: b"\x77" * 32  # type: ignore[method-assign]  # of a lost branch
        await desk.proposer.act()
        await desk.operator.node.catch_up()
        assert desk.tree.assertions[1:] == []

    play(devnet, story)

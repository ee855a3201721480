"""An address that runs code instead of taking money: what it costs whoever calls a payment to it.

The code is kind to whoever asks what a call would cost, and burns all gas of whoever makes it.
"""

import asyncio
from functools import partial

import pytest
from structlog.testing import capture_logs

from challenger.player import Conduct
from challenger.purse import Purse
from challenger.setbacks import TRIES_AT_ONCE, Setbacks
from challenger.strategy.modes import DEFEND, RESOLVE
from challenger.trace.law import LawProvider
from devnet.accounts import Actor
from devnet.network import Devnet
from optimist.l1.events import Claimed, Confirmed, CreditPaid, Eliminated, MatchOpened
from optimist.l1.types import to_hex
from tests.chain.test_player import Stage, play, reveal_and_go
from tests.support.ringside import GWEI, POLL, Town

# GASPRICE != 0 ? INVALID : expand memory by 70,000 words (9.8 M gas) and STOP.
# eth_estimateGas without a gas price has GASPRICE 0; a transaction never has.
HOSTILE = "0x3a600c57600062222e0052005bfe"
HOSTILE_AT = bytes.fromhex("c0de" * 10)
BUDGET = 10**16  # wei: 0.01 ETH
LOOKS = 30  # a player that never learns would send its payment in each of them


def turn_hostile(network: Devnet, owner: Actor) -> None:
    """The key signs that its address runs that code (EIP-7702)."""
    network.anvil.call("anvil_setCode", to_hex(HOSTILE_AT), HOSTILE)
    network.anvil.call("anvil_setCode", to_hex(owner.address), to_hex(b"\xef\x01\x00" + HOSTILE_AT))


def make_purse(stage: Stage, *, needs_bond: bool) -> Purse:
    return Purse(
        stage.client,
        stage.address,
        stage.parameters,
        needs_bond=needs_bond,
        max_fee=500 * GWEI,
        budget=BUDGET,
    )


async def name_operator(stage: Stage, owner: Actor) -> None:
    await stage.node.catch_up()
    claims = [each.event for each in stage.node.events if isinstance(each.event, Claimed)]
    claim = next(each.claim for each in reversed(claims) if each.owner == owner.address)
    wallet = stage.network.get_wallet(stage.client, owner)
    await wallet.call(stage.rollup, "setOperator", claim, stage.address)


@pytest.mark.parametrize("is_agreed", [False, True], ids=["a-stranger", "one-we-operate-for"])
def test_no_owner_can_have_us_call_its_code(network: Devnet, town: Town, *, is_agreed: bool) -> None:
    async def story(stage: Stage) -> None:
        liar = await stage.tell_a_lie()
        owner = network.cast.proposer
        await reveal_and_go(stage, owner, LawProvider(stage.parameters, stage.node.ledger, network.law))
        await reveal_and_go(stage, network.cast.liar, liar)
        owners = frozenset([owner.address]) if is_agreed else frozenset[bytes]()
        if is_agreed:
            await name_operator(stage, owner)
        purse = make_purse(stage, needs_bond=False)
        start = await stage.client.get_balance(stage.address)
        async with stage.playing(Conduct(mode=RESOLVE, purse=purse, owners=owners)):
            await stage.wait_for(partial(stage.has_seen, MatchOpened))
            turn_hostile(network, owner)
            network.anvil.increase_time(stage.parameters.challenge_period + stage.parameters.grace)
            await stage.wait_for(partial(stage.has_seen, Eliminated))
            before = stage.count(Confirmed)
            network.anvil.increase_time(stage.parameters.challenge_period + stage.parameters.grace)
            await stage.wait_for(partial(stage.has_seen, Confirmed, before + 1))
            await asyncio.sleep(LOOKS * POLL)
        assert not any(purpose.startswith("claimCredit") for purpose in stage.sender.asked)
        lost = start - await stage.client.get_balance(stage.address)
        assert 0 < lost == purse.spent <= BUDGET

    play(network, town, story)


def test_a_payment_that_blocks_refuse_is_paid_for_a_few_times_counted_and_told(
    network: Devnet, town: Town
) -> None:
    """Our own key runs that code: nobody else can help it, but it must not cost a fortune."""

    async def story(stage: Stage) -> None:
        liar = await stage.tell_a_lie()
        purse = make_purse(stage, needs_bond=True)
        conduct = Conduct(mode=DEFEND.without("withdraw an idle bond"), purse=purse)
        start = await stage.client.get_balance(stage.address)
        with capture_logs() as logs:
            async with stage.playing(conduct) as player:
                await stage.wait_for(stage.has_claimed)
                await reveal_and_go(stage, network.cast.liar, liar)
                await stage.wait_for(partial(stage.has_seen, MatchOpened))
                network.anvil.increase_time(stage.parameters.challenge_period + stage.parameters.grace)
                await stage.wait_for(partial(stage.has_seen, Eliminated))
                turn_hostile(network, network.cast.challenger)
                network.anvil.increase_time(stage.parameters.challenge_period + stage.parameters.grace)
                await stage.wait_for(lambda: any("claimCredit" in alarm for alarm in player.alarms))
                await asyncio.sleep(LOOKS * POLL)
        attempts = [each for each in stage.outbox.load() if each.purpose.startswith("claimCredit")]
        assert len(attempts) == TRIES_AT_ONCE, "no block comes, and no time passes"
        refusals = [each for each in logs if each["event"] == "refused_in_block"]
        assert [each["times"] for each in refusals if each["act"] == "claimCredit"] == [1, 2, 3]
        assert not stage.has_seen(CreditPaid)
        lost = start - stage.parameters.bond - await stage.client.get_balance(stage.address)
        assert lost == purse.spent, "what reverted has cost its gas"
        again = make_purse(stage, needs_bond=True)
        await again.load([attempt.hash for attempt in stage.outbox.load()])
        assert again.spent == purse.spent
        known = Setbacks(stage.parameters.challenge_period)
        await known.load(stage.client, stage.outbox.load())
        found = known.get(attempts[0].purpose.rpartition(":")[0])
        assert found is not None
        assert found.is_lasting, "a player that starts again need not pay to learn it again"

    play(network, town, story)

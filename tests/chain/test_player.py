"""The player's own bookkeeping on a real L1: what landed, what is on its way, what it asks before a bond."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from challenger.game.clock import SLOT
from challenger.gate import Gate, Objection
from challenger.player import Conduct, Player
from challenger.purse import Purse
from challenger.settings import get_parameters
from challenger.strategy.acts import AssertState, OpenMatch, Stake, Timeout, Withdraw
from challenger.strategy.entry import compute_defence_time
from challenger.strategy.modes import PROPOSE, RESOLVE
from challenger.trace.law import LawProvider
from devnet.accounts import Actor
from devnet.liar.faults import parse_fault
from devnet.liar.provider import Liar
from devnet.network import Devnet
from devnet.pytest_plugin import StartDevnet
from optimist.base.merkle import ZERO
from optimist.l1.client import Tag
from optimist.l1.events import (
    BondWithdrawn,
    Claimed,
    Confirmed,
    Eliminated,
    MatchOpened,
    Revealed,
    Staked,
)
from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import MemoryOutbox
from optimist.l1.sender import Call, Sender, SendPolicy
from optimist.l1.signer import Signer
from optimist.l1.sources import Sources
from optimist.l1.types import Receipt, to_hex
from tests.support.fault_proxy import FaultProxy
from tests.support.operator import Operator, make_node
from tests.support.ringside import GWEI, INIT_BATCH, POLL, Town, make_player, tell

PATIENCE = 60  # s
FAULT = "state:17:7:2:1:5000000"


class CountingSender(Sender):
    """Remembers what it was asked for."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type] # whatever a sender takes
        self.asked: list[str] = []

    async def send(self, call: Call) -> Receipt:
        self.asked.append(call.purpose)
        return await super().send(call)


class Stage:
    """A player of the challenger's key, and what one needs around it."""

    def __init__(self, network: Devnet, town: Town, stack: AsyncExitStack) -> None:
        self.network, self.town, self.stack = network, town, stack
        self.client = network.connect()
        self.node = make_node(network, self.client)
        self.rollup = network.get_contract("Rollup")
        self.wallet = network.get_wallet(self.client, network.cast.challenger)
        self.parameters = get_parameters(network.deployment.preset)
        policy = SendPolicy(fees=FeePolicy(cap=500 * GWEI, min_tip=GWEI), poll=POLL)
        signer, chain_id = Signer(network.cast.challenger.secret), network.deployment.chain_id
        self.outbox = MemoryOutbox()
        self.sender = CountingSender(self.client, signer, self.outbox, policy, chain_id=chain_id)
        self.truth = LawProvider(self.parameters, self.node.ledger, network.law)

    def make_player(self, conduct: Conduct | None = None) -> Player:
        contracts = {name: self.network.get_contract(name) for name in ("Rollup", "Dispute")}
        player = Player(self.node, self.client, contracts, self.truth, self.parameters, self.sender, conduct)
        self.stack.push_async_callback(player.close)
        return player

    @asynccontextmanager
    async def playing(self, conduct: Conduct | None = None) -> AsyncIterator[Player]:
        """A player at work."""
        player = self.make_player(conduct)
        task = asyncio.create_task(player.play(POLL))
        try:
            yield player
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def count(self, kind: type) -> int:
        return sum(isinstance(each.event, kind) for each in self.node.events)

    def has_seen(self, kind: type, times: int = 1) -> bool:
        return self.count(kind) >= times

    @property
    def address(self) -> bytes:
        return self.network.cast.challenger.address

    def has_claimed(self) -> bool:
        return any(
            isinstance(each.event, Claimed) and each.event.owner == self.address for each in self.node.events
        )

    def has_staked(self) -> bool:
        return any(
            isinstance(each.event, Staked) and each.event.staker == self.address for each in self.node.events
        )

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Until it holds; the node is followed by whoever plays."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, [type(each.event).__name__ for each in self.node.events]
            await asyncio.sleep(POLL)

    async def tell_a_lie(self) -> Liar:
        node = make_node(self.network, self.client)
        await node.catch_up()
        truth = LawProvider(self.parameters, node.ledger, self.network.law)
        liar = Liar(truth, parse_fault(FAULT), since=INIT_BATCH)
        await tell(self.network, self.client, self.town, liar)
        self.liars_node = node
        return liar


def play(network: Devnet, town: Town, story: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            stage = Stage(network, town, stack)
            await stack.enter_async_context(stage.client)
            stack.push_async_callback(stage.sender.close)
            await stage.node.catch_up()
            await story(stage)

    asyncio.run(run())


# ------------------------------------------------------------------------------------------------ bookkeeping


def test_the_same_act_can_be_due_twice_and_is_sent_twice(network: Devnet, town: Town) -> None:
    """A withdrawal has no arguments: its bytes are always the same, and so would be its name."""

    async def story(stage: Stage) -> None:
        async with stage.playing():
            for times in (1, 2):
                await stage.wallet.call(stage.rollup, "stake", value=stage.parameters.bond)
                await stage.wait_for(partial(stage.has_seen, BondWithdrawn, times))
        names = [purpose.split(":") for purpose in stage.sender.asked if purpose.startswith("withdraw")]
        assert {name[1] for name in names} == {names[0][1]}
        assert {name[2] for name in names} >= {"0", "1"}

    play(network, town, story)


def test_an_act_that_has_landed_in_a_block_not_seen_yet_is_not_sent_again(
    network: Devnet, town: Town
) -> None:
    async def story(stage: Stage) -> None:
        await stage.wallet.call(stage.rollup, "stake", value=stage.parameters.bond)
        player = stage.make_player()
        plan = await player.look()
        assert plan.acts == [Withdraw()]
        player._begin(plan.proposals)
        await stage.wait_for(lambda: not player.pending)
        asked = list(stage.sender.asked)
        player._begin(plan.proposals)  # the same look still: the node has not seen that block
        await asyncio.sleep(5 * POLL)
        assert stage.sender.asked == asked
        assert (await player.look()).acts == []

    play(network, town, story)


def test_an_act_that_a_reorg_took_back_is_the_same_transaction_again(start_devnet: StartDevnet) -> None:
    """On a real L1 it goes back to the pool: a second one beside it would fail, and cost gas."""
    network = start_devnet(epoch=32)
    anvil = network.anvil

    async def story(stage: Stage) -> None:
        await stage.wallet.call(stage.rollup, "stake", value=stage.parameters.bond)
        async with stage.playing():
            await stage.wait_for(partial(stage.has_seen, BondWithdrawn))
            await stage.wait_for(lambda: not stage.sender.pending)
            [attempt] = stage.outbox.load()
            raw = anvil.call("eth_getRawTransactionByHash", to_hex(attempt.hash))
            anvil.call("evm_setAutomine", False)
            anvil.reorganise(1)
            anvil.call("eth_sendRawTransaction", raw)
            asked = len(stage.sender.asked)
            await stage.wait_for(lambda: len(stage.sender.asked) > asked)
            anvil.mine()
            await stage.wait_for(partial(stage.has_seen, BondWithdrawn))
        assert len(set(stage.sender.asked)) == 1, "another name: another transaction"
        assert {each.hash for each in stage.outbox.load()} == {attempt.hash}
        assert await stage.client.get_nonce(stage.address) == attempt.nonce + 1

    play(network, Town([], ZERO, 1), story)


def test_what_was_missed_is_read_without_a_pause(network: Devnet, town: Town) -> None:
    """A player that was away for a week has no time to look once in a poll."""

    async def story(stage: Stage) -> None:
        await stage.wallet.call(stage.rollup, "stake", value=stage.parameters.bond)
        stage.node = make_node(network, stage.client, chunk=2)  # two blocks in a look
        stage.truth = LawProvider(stage.parameters, stage.node.ledger, network.law)
        task = asyncio.create_task(stage.make_player().play(PATIENCE * 10))
        await stage.wait_for(lambda: stage.node.is_caught_up and bool(stage.sender.asked))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    play(network, town, story)


# ------------------------------------------------------------------------------------------- before a bond


class TwoFacedProxy(FaultProxy):
    """An endpoint that tells of another chain, or of other batches, while somebody wants it to."""

    def __init__(self, upstream: str, method: str) -> None:
        super().__init__(upstream, seed=1, fault_rate=0.0)
        self.method = method
        self.is_lying = True

    def _spoil_one(self, mood: str, call: Any, answer: Any) -> Any:
        if not self.is_lying or call["method"] != self.method:
            return answer
        result = answer["result"]
        if isinstance(result, dict):
            return {**answer, "result": {**result, "hash": "0x" + "66" * 32}}
        return {**answer, "result": result[:-1] + ("0" if result[-1] != "0" else "1")}


def make_gate(stage: Stage, *urls: str, least: int, tag: Tag = "latest") -> Gate:
    sources = Sources.open([stage.network.anvil.url, *urls], least=least, timeout=1.0)
    stage.stack.push_async_exit(sources)
    return Gate(sources, stage.network.get_contract("Inbox"), tag)


def about(stage: Stage, batch: int) -> AssertState:
    return AssertState(ZERO, ZERO, batch, stage.node.ledger.get_accumulator(batch))


def test_no_bond_on_a_batch_that_is_not_final_enough(network: Devnet, town: Town) -> None:
    """On this L1 the safe block is one behind, the final one two."""

    async def story(stage: Stage) -> None:
        operator = Operator(network, stage.client)
        await operator.publish(0, 90_000 * 10**8)
        await stage.node.catch_up()
        wanted = about(stage, town.to + 1)
        assert await make_gate(stage, least=1).find_objection(wanted) is None
        gate = make_gate(stage, least=1, tag="finalized")
        objection = await gate.find_objection(wanted)
        assert objection is not None
        assert not objection.is_alarming
        assert f"batch {town.to + 1} is not in the finalized block" in objection.text
        network.anvil.mine(2)
        assert await gate.find_objection(wanted) is None

    play(network, town, story)


def test_no_bond_on_data_that_is_not_l1s(network: Devnet, town: Town) -> None:
    async def story(stage: Stage) -> None:
        gate = make_gate(stage, least=1)
        assert await gate.find_objection(about(stage, town.to)) is None
        objection = await gate.find_objection(AssertState(ZERO, ZERO, town.to, b"\x66" * 32))
        assert objection is not None
        assert objection.is_alarming
        assert "66" * 32 in objection.text

    play(network, town, story)


@pytest.mark.parametrize("method", ["eth_getBlockByNumber", "eth_call"])
def test_no_bond_while_two_endpoints_contradict_each_other(network: Devnet, town: Town, method: str) -> None:
    """Nor is anything else held up; and the bond is laid down as soon as they agree."""

    async def story(stage: Stage) -> None:
        await stage.tell_a_lie()
        async with TwoFacedProxy(network.anvil.url, method) as other:
            gate = make_gate(stage, other.url, least=2)
            with capture_logs() as logs:
                async with stage.playing(Conduct(gate=gate)):
                    await stage.wait_for(lambda: any(each["event"] == "alarm" for each in logs))
                    assert not stage.has_staked()
                    (alarm,) = [each for each in logs if each["event"] == "alarm"]
                    assert "find out which of them lies" in alarm["what"]
                    other.is_lying = False
                    await stage.wait_for(stage.has_claimed)
            assert any(each["event"] == "mended" for each in logs)

    play(network, town, story)


def test_silence_of_the_second_endpoint_is_no_alarm_and_no_agreement(network: Devnet, town: Town) -> None:
    async def story(stage: Stage) -> None:
        gate = make_gate(stage, "http://127.0.0.1:9", least=2)
        objection = await gate.find_objection(about(stage, town.to))
        assert objection is not None
        assert not objection.is_alarming
        assert "1 of the 2 L1 endpoints" in objection.text

    play(network, town, story)


class StuckGate(Gate):
    """Asks endpoints that never answer."""

    async def find_objection(self, wanted: AssertState) -> Objection | None:
        await asyncio.Event().wait()
        return None


def test_slow_endpoints_hold_up_the_bond_and_nothing_else(network: Devnet, town: Town) -> None:
    async def story(stage: Stage) -> None:
        await stage.tell_a_lie()
        player = stage.make_player(
            Conduct(gate=StuckGate(Sources.open([network.anvil.url], least=1), stage.rollup, "latest"))
        )
        plan = await player.look()
        assert [type(act) for act in plan.acts] == [Stake, AssertState]
        move = replace(plan.proposals[0], act=Timeout((ZERO, b"\x01" * 32)))
        player._begin([*plan.proposals, move])
        await asyncio.sleep(POLL)
        assert {purpose.split(":")[0] for purpose in stage.sender.asked} == {"timeout"}

    play(network, town, story)


# --------------------------------------------------------------------------------------------------- money


def test_a_spent_budget_ends_new_claims_and_is_still_spent_after_a_restart(
    network: Devnet, town: Town
) -> None:
    async def story(stage: Stage) -> None:
        await stage.tell_a_lie()
        max_fee = 500 * GWEI
        options: dict[str, Any] = {"needs_bond": True, "max_fee": max_fee, "budget": 1}
        purse = Purse(stage.client, stage.address, stage.parameters, **options)
        with capture_logs() as logs:
            async with stage.playing(Conduct(purse=purse)) as player:
                await stage.wait_for(lambda: any(each["event"] == "alarm" for each in logs))
                await stage.wait_for(lambda: not player.pending)
        assert any("--gas-budget" in each["what"] for each in logs if each["event"] == "alarm")
        spent = [each["gas"] for each in logs if each["event"] == "acted"]
        purse.count(stage.sender.spent)
        assert purse.spent >= sum(spent) * GWEI
        again = Purse(stage.client, stage.address, stage.parameters, **options)
        await again.load([attempt.hash for attempt in stage.outbox.load()])
        assert again.spent == purse.spent > 0
        assert (await again.allow(await stage.make_player().look(), [])).alarms

    play(network, town, story)


def test_no_bond_that_could_not_be_defended(network: Devnet, town: Town) -> None:
    async def story(stage: Stage) -> None:
        await stage.tell_a_lie()
        network.anvil.set_balance(network.cast.challenger.hex_address, stage.parameters.bond + 10**16)
        purse = Purse(stage.client, stage.address, stage.parameters, needs_bond=True, max_fee=500 * GWEI)
        with capture_logs() as logs:
            async with stage.playing(Conduct(purse=purse)):
                await stage.wait_for(lambda: any(each["event"] == "alarm" for each in logs))
                assert not stage.has_staked()
                network.anvil.set_balance(network.cast.challenger.hex_address, 10 * stage.parameters.bond)
                await stage.wait_for(stage.has_claimed)
        assert stage.address.hex() in next(each["what"] for each in logs if each["event"] == "alarm")

    play(network, town, story)


def test_no_bond_for_which_too_little_time_is_left(network: Devnet, town: Town) -> None:
    async def story(stage: Stage) -> None:
        await stage.tell_a_lie()
        needed = compute_defence_time(stage.parameters, SLOT)
        network.anvil.increase_time(stage.parameters.challenge_period - needed)
        async with stage.playing() as player:
            await stage.wait_for(lambda: any("too little time" in alarm for alarm in player.alarms))
            await stage.wait_for(lambda: not player.pending)
        assert not stage.has_staked()
        async with stage.playing(Conduct(latency=0)):  # somebody wants to try all the same
            await stage.wait_for(stage.has_claimed)

    play(network, town, story)


# --------------------------------------------------------------------------------------------------- modes


def test_proposing_claims_what_l1_has_sealed_and_has_it_confirmed(network: Devnet, town: Town) -> None:
    async def story(stage: Stage) -> None:
        network.anvil.increase_time(stage.parameters.min_period)
        async with stage.playing(Conduct(mode=PROPOSE)):
            await stage.wait_for(stage.has_claimed)
            before = stage.count(Confirmed)
            network.anvil.increase_time(stage.parameters.challenge_period)
            await stage.wait_for(partial(stage.has_seen, Confirmed, before + 1))
        last = [each.event for each in stage.node.events if isinstance(each.event, Confirmed)][-1]
        assert last.parent == town.parent

    play(network, town, story)


def test_resolving_ends_a_dispute_for_an_owner_who_has_gone(network: Devnet, town: Town) -> None:
    """Both sides have revealed, then the owner's machine is gone and the liar falls silent."""

    async def story(stage: Stage) -> None:
        liar = await stage.tell_a_lie()
        owner = network.cast.proposer
        await reveal_and_go(stage, owner, LawProvider(stage.parameters, stage.node.ledger, network.law))
        await reveal_and_go(stage, network.cast.liar, liar)
        async with stage.playing(Conduct(mode=RESOLVE)):
            await stage.wait_for(partial(stage.has_seen, MatchOpened))
            network.anvil.increase_time(stage.parameters.challenge_period + stage.parameters.grace)
            await stage.wait_for(partial(stage.has_seen, Eliminated))
            before = stage.count(Confirmed)
            network.anvil.increase_time(stage.parameters.challenge_period + stage.parameters.grace)
            await stage.wait_for(partial(stage.has_seen, Confirmed, before + 1))
        assert not stage.has_staked()

    play(network, town, story)


async def reveal_and_go(stage: Stage, actor: Actor, provider: LawProvider | Liar) -> None:
    """Hold the end that the provider believes in, open its history, and never be seen again."""
    node = make_node(stage.network, stage.client)
    await node.catch_up()
    player = make_player(stage.network, stage.client, node, actor, provider, stage.stack)
    task = asyncio.create_task(player.play(POLL, lambda each: not isinstance(each.act, OpenMatch)))

    def has_revealed() -> bool:
        owned = {
            each.event.claim
            for each in node.events
            if isinstance(each.event, Claimed) and each.event.owner == actor.address
        }
        return any(isinstance(each.event, Revealed) and each.event.claim in owned for each in node.events)

    await stage.wait_for(has_revealed)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

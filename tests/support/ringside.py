"""Disputes on a real L1: a town of real inputs, a liar, and the player that `challenger run` starts."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from challenger.player import Conduct, Player
from challenger.settings import get_parameters
from challenger.strategy import acts
from challenger.strategy.strategy import Plan, Proposal
from challenger.trace.law import LawProvider
from challenger.trace.provider import TraceProvider
from devnet.accounts import Actor
from devnet.actors.trader import Trader
from devnet.genesis import BTC, ETH
from devnet.liar.faults import Fault, PatchedLaw
from devnet.liar.patches import load_false_law
from devnet.liar.provider import Liar
from devnet.network import Devnet
from optimist.base.merkle import ZERO
from optimist.derive.actions import Liquidate, PriceUpdate, Trade, Withdraw
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from optimist.derive.typed_data import Domain, WithdrawRequest
from optimist.l1.client import L1Client
from optimist.l1.events import Confirmed, Event, PaddingProven, Proven, TimedOut
from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import MemoryOutbox
from optimist.l1.sender import Sender, SendPolicy
from optimist.l1.signer import Signer
from optimist.node.ledger import Ledger
from optimist.node.node import Node
from tests.support.operator import Operator, make_node

USD: Final = 10**6
PRICE: Final = 10**8
POLL: Final = 0.02  # s
QUIET: Final = 8  # looks in which nobody could do anything: then only L1's clock can move things on
PATIENCE: Final = 90.0  # s
INIT_BATCH: Final = 1
GWEI: Final = 10**9
HURRY: Final = SendPolicy(fees=FeePolicy(cap=500 * GWEI, min_tip=GWEI), poll=POLL)


@dataclass(frozen=True, slots=True)
class Town:
    """What is on L1 before anybody lies: batches, and a confirmed assertion about the first of them."""

    inputs: list[bytes]
    parent: bytes  # the confirmed assertion
    to: int  # last batch of the range after it
    since: int = INIT_BATCH  # the batch of the confirmed assertion


@dataclass(frozen=True, slots=True)
class Outcome:
    """What L1 says after a dispute."""

    events: list[Event]  # since the lie
    liar_is_out: bool
    honest_is_out: bool

    def has(self, kind: type[PaddingProven] | type[TimedOut]) -> bool:
        """Whether something of that kind happened."""
        return any(isinstance(event, kind) for event in self.events)

    @property
    def proven(self) -> Proven | None:
        """The step that was executed, if one was."""
        return next((event for event in self.events if isinstance(event, Proven)), None)


class Market:
    """Three accounts, and an operator who seals whatever they sign."""

    def __init__(self, network: Devnet, client: L1Client) -> None:
        self.network = network
        self.client = client
        self.operator = Operator(network, client)
        self.domain = Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])
        self.traders: list[Trader] = []

    async def open_accounts(self) -> None:
        """A backstop with money, a maker with more, two traders with little."""
        bank, cast = self.network.get_bank(), self.network.cast
        await bank.top_up(self.network.get_wallet(self.client, cast.backstop), 0, 10**6 * USD)
        for actor, amount in (
            (cast.market_maker, 10**6),
            (cast.traders[0], 10_000),
            (cast.traders[1], 5_000),
        ):
            account, _ = await bank.open_account(self.network.get_wallet(self.client, actor), amount * USD)
            self.traders.append(Trader(self.domain, actor, account))
        await self.operator.seal()

    def trade(self, taker: Trader, size: int, price: int) -> Trade:
        """The taker buys from the maker."""
        expiry = self.network.anvil.get_time() + 3_600
        terms: dict[str, Any] = {"market": BTC, "size": size, "price": price, "expiry": expiry, "slot": 0}
        bought = taker.sign_order(is_buy=True, **terms)
        sold = self.traders[0].sign_order(is_buy=False, **terms)
        return Trade(size, price, sold, bought)

    def prices(self, btc: int) -> list[PriceUpdate]:
        """Both markets, now."""
        now = self.network.anvil.get_time()
        return [self.operator.oracle.sign(BTC, btc, now), self.operator.oracle.sign(ETH, btc // 30, now)]

    def steal(self, thief: Trader, victim: Trader) -> Withdraw:
        """A withdrawal from the victim's account, signed by the thief."""
        request = WithdrawRequest(victim.account, USD, USD, thief.actor.address, nonce=1_000)
        return Withdraw(request, request.sign(self.domain, thief.actor.secret))


async def build_town(network: Devnet, client: L1Client, *, more: int = 0) -> Town:
    """Deposits, prices, trades good and bad, a crash with a liquidation, withdrawals, garbage.

    `more`: small trades at the end, each an input that one can lie about.
    """
    market = Market(network, client)
    operator = market.operator
    await market.open_accounts()
    _, gambler, careful = market.traders
    await operator.seal(
        *market.prices(100_000 * PRICE),
        market.trade(gambler, 9 * 10**7, 100_000 * PRICE),  # 0.9 BTC on 10,000 USD
        market.trade(careful, 10**7, 100_000 * PRICE),
        market.trade(careful, 10**9, 100_000 * PRICE),  # far more than its margin carries: rejected
        Liquidate(careful.account, BTC),  # healthy: rejected
        raw=[b"\x05garbage"],
    )
    network.anvil.increase_time(30)
    await operator.seal(
        *market.prices(93_000 * PRICE),
        Liquidate(gambler.account, BTC),
        careful.sign_withdrawal(1_000 * USD),
        market.steal(gambler, careful),
    )
    bank = network.get_bank()
    await bank.force_withdrawal(network.get_wallet(client, careful.actor), careful.account, 10 * USD)
    await operator.seal()
    if more:
        await operator.seal(*(market.trade(careful, 10_000, 93_000 * PRICE) for _ in range(more)))
    ledger = operator.node.ledger
    batches = [ledger.get_batch(number) for number in range(1, ledger.batch_count + 1)]
    parent = await _confirm_first(network, client, ledger)
    return Town([data for batch in batches for data in batch.inputs], parent, ledger.batch_count)


async def _confirm_first(network: Devnet, client: L1Client, ledger: Ledger) -> bytes:
    """Assert what batch 1 leads to and let it be confirmed; then all other batches are one range."""
    rollup, wallet = network.get_contract("Rollup"), network.get_wallet(client, network.cast.proposer)
    preset, root = network.deployment.preset, ledger.get_end_root(INIT_BATCH)
    assert root is not None
    await wallet.call(rollup, "stake", value=preset.bond)
    network.anvil.increase_time(preset.min_period)
    accumulator = ledger.get_accumulator(INIT_BATCH)
    await wallet.call(rollup, "assertState", GENESIS_ASSERTION, root, INIT_BATCH, accumulator)
    network.anvil.increase_time(preset.challenge_period)
    node = compute_assertion_id(GENESIS_ASSERTION, compute_leaf(root, INIT_BATCH, ZERO))
    await wallet.call(rollup, "confirm", node)
    return node


class WatchedPlayer(Player):
    """A player that counts for how many looks it could do nothing.

    It wanted nothing, or again what it had wanted before and could not do: nothing of it is on its way.
    """

    quiet = 0
    wants: Callable[[Proposal], bool] = staticmethod(lambda _: True)
    _wanted: Sequence[acts.Act] = ()

    async def look(self) -> Plan:
        plan = await super().look()
        wanted = [proposal.act for proposal in plan.proposals if self.wants(proposal)]
        is_stuck = wanted == self._wanted and not self._responder.sent
        self.quiet = self.quiet + 1 if is_stuck else 0
        self._wanted = wanted
        return plan


def make_player(
    network: Devnet,
    client: L1Client,
    node: Node,
    actor: Actor,
    provider: TraceProvider,
    stack: AsyncExitStack,
    *,
    policy: SendPolicy = HURRY,
    kind: type[WatchedPlayer] = WatchedPlayer,
    conduct: Conduct | None = None,
) -> WatchedPlayer:
    """A player as `challenger run` makes it, in this process and in a hurry."""
    chain_id, parameters = network.deployment.chain_id, get_parameters(network.deployment.preset)
    sender = Sender(client, Signer(actor.secret), MemoryOutbox(), policy, chain_id=chain_id)
    stack.push_async_callback(sender.close)
    contracts = {name: network.get_contract(name) for name in ("Rollup", "Dispute")}
    player = kind(node, client, contracts, provider, parameters, sender, conduct)
    stack.push_async_callback(player.close)
    return player


async def fight(
    network: Devnet,
    client: L1Client,
    town: Town,
    fault: Fault,
    *,
    stubborn: bool = False,
    honest_client: L1Client | None = None,
) -> Outcome:
    """The liar tells its lie about the range after the parent; both play until the truth is confirmed.

    Each side has a node of its own. L1's clock stands still unless nobody wants anything. A stubborn liar
    asks L1 who is right when it is on turn at the end; another one stays silent. honest_client: by which
    the honest player sends, if not by `client`.
    """
    parameters, law = get_parameters(network.deployment.preset), network.law
    async with AsyncExitStack() as stack:
        mine, theirs, observer = [make_node(network, client) for _ in range(3)]
        for node in (mine, theirs, observer):
            await node.catch_up()
        own_law = load_false_law(law.preset, fault.name) if isinstance(fault, PatchedLaw) else None
        truth = LawProvider(parameters, theirs.ledger, law)
        false = Liar(truth, fault, since=INIT_BATCH, own_law=own_law, insist=True)
        before = len(observer.events)
        await tell(network, client, town, false)
        provider = LawProvider(parameters, mine.ledger, law)
        honest = make_player(network, honest_client or client, mine, network.cast.challenger, provider, stack)
        liar = make_player(network, client, theirs, network.cast.liar, false, stack)
        liar.wants = _wants_stubbornly if stubborn else _wants
        async with asyncio.TaskGroup() as group:
            playing = [
                group.create_task(honest.play(POLL)),
                group.create_task(liar.play(POLL, liar.wants)),
            ]
            await _referee(network, observer, town, (honest, liar))
            for task in playing:
                task.cancel()
        return await _read_outcome(network, client, observer, before)


def _wants(proposal: Proposal) -> bool:
    """What the liar does. It does not ask L1 who is right, and leaves the opening to the honest player."""
    return not isinstance(proposal.act, acts.Prove | acts.ProvePadding | acts.OpenMatch)


def _wants_stubbornly(proposal: Proposal) -> bool:
    return not isinstance(proposal.act, acts.OpenMatch)


async def tell(network: Devnet, client: L1Client, town: Town, liar: Liar) -> None:
    """Stake, and assert what the liar believes."""
    rollup, wallet = network.get_contract("Rollup"), network.get_wallet(client, network.cast.liar)
    root = await asyncio.to_thread(liar.get_end_root, town.to)
    assert root != liar.source.get_end_root(town.to), "this lie claims the truth"
    network.anvil.increase_time(network.deployment.preset.min_period)
    await wallet.call(rollup, "stake", value=network.deployment.preset.bond)
    accumulator = liar.source.get_batch(town.to).accumulator
    await wallet.call(rollup, "assertState", town.parent, root, town.to, accumulator)


async def _referee(
    network: Devnet, observer: Node, town: Town, players: tuple[WatchedPlayer, WatchedPlayer]
) -> None:
    """Wait until the range is decided; push L1's clock when nobody can do anything without it."""
    root = observer.ledger.get_end_root(town.to)
    assert root is not None
    truth = compute_assertion_id(town.parent, compute_leaf(root, town.to, ZERO))
    started = time.monotonic()
    while True:
        await observer.advance()
        decided = [e.event for e in observer.events if isinstance(e.event, Confirmed)]
        if any(event.parent == town.parent for event in decided):
            assert decided[-1].node == truth, "the lie was confirmed"
            return
        if all(player.quiet >= QUIET for player in players):
            for player in players:
                player.quiet = 0
            network.anvil.increase_time(network.deployment.preset.challenge_period)
        assert time.monotonic() - started < PATIENCE, [type(e.event).__name__ for e in observer.events]
        await asyncio.sleep(POLL)


async def _read_outcome(network: Devnet, client: L1Client, observer: Node, before: int) -> Outcome:
    rollup, head = network.get_contract("Rollup"), observer.head
    assert head is not None
    liar = await rollup.read(client, head.hash, "getStaker", network.cast.liar.address)
    honest = await rollup.read(client, head.hash, "getStaker", network.cast.challenger.address)
    return Outcome([each.event for each in observer.events[before:]], liar["out"], honest["out"])

"""Whole disputes on an L1 that is reorganised under the players, or whose honest player is killed.

A liar plays in this process. The honest player is anybody's: here too, or a process of its own. The referee
has a node and a truth of its own: it pushes L1's clock when neither side can do anything without it, and
judges at the end from L1 alone.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from challenger.chain.reading import Game, read_game
from challenger.game.types import Side, Stage
from challenger.player import Conduct
from challenger.settings import get_parameters
from challenger.strategy import acts
from challenger.strategy.modes import PROPOSE
from challenger.strategy.strategy import Plan, Proposal, compute_plan
from challenger.strategy.view import Facts
from challenger.trace.law import LawProvider
from devnet.liar.faults import Fault
from devnet.liar.provider import Liar
from devnet.network import Devnet
from optimist.base.merkle import ZERO
from optimist.derive.commitments import compute_assertion_id, compute_claim_id, compute_leaf
from optimist.l1.client import L1Client
from optimist.l1.errors import L1Inconsistent
from optimist.l1.events import (
    BondWithdrawn,
    Claimed,
    Collected,
    Confirmed,
    CreditPaid,
    Dissected,
    Eliminated,
    Located,
    MatchOpened,
    PaddingProven,
    Proven,
    Pruned,
    Revealed,
    Staked,
    TimedOut,
    TraceCommitted,
)
from optimist.l1.types import to_hex
from optimist.node.node import Node
from tests.support.operator import make_node
from tests.support.ringside import POLL, QUIET, Town, WatchedPlayer, build_town, make_player

GROUND: Final = 80  # blocks between the town and the first lie: the deepest reorg leaves the batches alone
PATIENCE: Final = 90.0  # s without anything new on L1
LONGEST: Final = 600.0  # s of a whole game
MOVES: Final = (
    Staked | Claimed | Revealed | MatchOpened | Dissected | TraceCommitted | Proven | PaddingProven
    | TimedOut | Eliminated | Pruned | Collected | Confirmed | CreditPaid | BondWithdrawn
)  # fmt: skip


class Bout:
    """One dispute: the liar, the referee, and what the referee sees."""

    def __init__(self, network: Devnet, client: L1Client, town: Town, *, wait: float | None = None) -> None:
        """`wait`: seconds from block to block, while transactions wait in the pool; None: mined at once."""
        self.wait = wait
        self.mined_at = 0.0
        self.network = network
        self.client = client
        self.town = town
        self.parameters = get_parameters(network.deployment.preset)
        self.observer = make_node(network, client)
        self.truth = LawProvider(self.parameters, self.observer.ledger, network.law)
        self.honest = network.cast.challenger.address
        self.liar = network.cast.liar.address
        self.news: list[tuple[str, Located]] = []  # moves that the last look has brought, by kind
        self.began_at = self.moved_at = time.monotonic()  # the game; when anything was new on L1

    async def begin(self, stack: AsyncExitStack, fault: Fault, *, is_mute: bool = False) -> WatchedPlayer:
        """The liar, ready to play: what it says it says by itself, again after every reorg.

        A mute one never reveals its history.
        """
        self.network.anvil.mine(GROUND)
        self.network.anvil.increase_time(self.parameters.min_period)
        await self.observer.catch_up()
        self.truth.get_history(self.town.since, self.town.to)
        theirs, truth = await self.learn_truth()
        false = Liar(truth, fault, since=self.town.since, insist=True)
        false.get_history(self.town.since, self.town.to)
        liar = make_player(
            self.network,
            self.client,
            theirs,
            self.network.cast.liar,
            false,
            stack,
            conduct=Conduct(mode=PROPOSE),
        )
        liar.wants = _wants_in_silence if is_mute else _wants
        if self.wait is not None:
            self.network.anvil.call("evm_setAutomine", False)
            stack.callback(self.network.anvil.call, "evm_setAutomine", True)
        self.began_at = self.moved_at = time.monotonic()
        return liar

    async def learn_truth(self) -> tuple[Node, LawProvider]:
        """A node and the truth for another player in this process.

        The range is applied now: the law runs once at a time in a process, and players think in threads.
        """
        node = make_node(self.network, self.client)
        await node.catch_up()
        provider = LawProvider(self.parameters, node.ledger, self.network.law)
        provider.get_history(self.town.since, self.town.to)
        return node, provider

    async def look(self) -> Game | None:
        """The game now, and `news`; None while L1 changes too fast to be read."""
        if self.wait is not None and time.monotonic() > self.mined_at + self.wait:
            self.mined_at = time.monotonic()
            status = await self.client.call("txpool_status")
            if int(status["pending"], 16) + int(status["queued"], 16):
                self.network.anvil.mine()
        known = {(each.log.transaction, each.log.block_hash) for each in self.observer.events}
        try:
            if await self.observer.advance():
                self.moved_at = time.monotonic()
        except L1Inconsistent:
            return None
        self.news = [
            (await self.describe(each), each)
            for each in self.observer.events
            if (each.log.transaction, each.log.block_hash) not in known and isinstance(each.event, MOVES)
        ]
        is_alive = time.monotonic() < min(self.moved_at + PATIENCE, self.began_at + LONGEST)
        assert is_alive, [name for name, _ in await self.tell()]
        return read_game(
            self.observer.events,
            arity=self.parameters.arity,
            genesis_time=0,
            count_inputs=self.observer.ledger.get_input_count,
        )

    def plan(self, game: Game) -> Plan:
        """What an honest player wants now."""
        facts = Facts(self.parameters, game.state, self.observer.timestamp, game.lists, game.disputed)
        return compute_plan(facts, self.truth, self.honest)

    def push_clock(self) -> None:
        """Nobody can do anything now: let a challenge period pass."""
        self.network.anvil.increase_time(self.parameters.challenge_period)

    async def describe(self, located: Located) -> str:
        """Whose move it was, and which: honest:Dissected:STEPS."""
        sent = await self.client.call("eth_getTransactionByHash", to_hex(located.log.transaction))
        sender = bytes.fromhex(sent["from"][2:]) if sent else b""
        who = {self.honest: "honest", self.liar: "liar"}.get(sender, "other")
        stage = getattr(getattr(located.event, "state", None), "stage", None)
        name = type(located.event).__name__
        return f"{who}:{name}" if stage is None else f"{who}:{name}:{Stage(stage).name}"

    async def tell(self) -> list[tuple[str, int]]:
        """The moves of the game so far and their blocks."""
        moves = [each for each in self.observer.events if isinstance(each.event, MOVES)]
        return [(await self.describe(each), each.block.number) for each in moves]

    def judge(self, game: Game) -> None:
        """The right result, from L1's own events: nothing false stands, nothing of ours is lost or twice."""
        state, root = game.state, self.observer.ledger.get_end_root(self.town.to)
        assert root is not None
        truth = compute_assertion_id(self.town.parent, compute_leaf(root, self.town.to, ZERO))
        assert state.rounds[self.town.parent].confirmed == truth, "the truth is not confirmed"
        liar, honest = state.stakers[self.liar], state.stakers[self.honest]
        assert (liar.out, liar.bond) == (True, 0)
        assert (honest.out, honest.bond) == (False, 0), "our bond is not back"
        events = [each.event for each in self.observer.events]
        laid = [each for each in events if isinstance(each, Staked) and each.staker == self.honest]
        back = [each for each in events if isinstance(each, BondWithdrawn) and each.staker == self.honest]
        # More than once where a reorg took the lie away, and the bond came back before it was told again.
        assert len(laid) == len(back) > 0, f"{len(laid)} bonds laid down, {len(back)} taken back"
        claim_id = compute_claim_id(truth, self.honest)
        assert state.claims[claim_id].credit == 0, "credit is left"
        for match in state.matches.values():
            side = Side(match.claims.index(claim_id))
            owed = match.moves[side] and state.claims[match.claims[side.other]].owner in state.pots
            assert not owed, "a refund is left"
        assert self.plan(game).is_resolved


def _wants(proposal: Proposal) -> bool:
    """What the liar does: everything but opening matches, and asking L1 which step is right."""
    return not isinstance(proposal.act, acts.Prove | acts.OpenMatch)


def _wants_in_silence(proposal: Proposal) -> bool:
    """The same without a history: nobody can open a match with it."""
    return not isinstance(proposal.act, acts.Reveal) and _wants(proposal)


class Grounds:
    """A devnet with a town for one game after another, a new one now and then.

    anvil keeps few states once it has mined 500 blocks: a deep reorg then ends on a chain without contracts.
    """

    GAMES: Final = 3

    def __init__(self, directory: Path) -> None:
        """Use as a context manager."""
        self._directory = directory
        self._games = 0
        self._stack = ExitStack()
        self._now: tuple[Devnet, Town] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def open(self) -> Iterator[tuple[Devnet, Town]]:
        """The devnet and its town; what happens to them is undone."""
        if self._now is None or self._games % self.GAMES == 0:
            self._stack.close()
            # Half as long again as on mainnet: no block of a whole dispute is final, so L1 may take back any.
            folder = self._directory / str(self._games)
            network = self._stack.enter_context(Devnet.start(directory=folder, epoch=48))
            self._now = network, asyncio.run(_build(network))
        self._games += 1
        with self._now[0].anvil.snapshot():
            yield self._now


async def _build(network: Devnet) -> Town:
    async with network.connect() as client:
        return await build_town(network, client)


Disturb = Callable[[Bout], Awaitable[None]]


async def fight_through(
    network: Devnet, client: L1Client, town: Town, fault: Fault, disturb: Disturb, *, is_mute: bool = False
) -> None:
    """A whole dispute until the honest side is done; `disturb` is asked after every look of the referee."""
    bout = Bout(network, client, town)
    async with AsyncExitStack() as stack:
        liar = await bout.begin(stack, fault, is_mute=is_mute)
        mine, provider = await bout.learn_truth()
        honest = make_player(network, client, mine, network.cast.challenger, provider, stack)
        async with asyncio.TaskGroup() as group:
            playing = [
                group.create_task(honest.play(POLL)),
                group.create_task(liar.play(POLL, liar.wants)),
            ]
            await _referee(bout, (honest, liar), disturb)
            for task in playing:
                task.cancel()


async def _referee(bout: Bout, players: tuple[WatchedPlayer, WatchedPlayer], disturb: Disturb) -> None:
    while True:
        game = await bout.look()
        if game is not None:
            await disturb(bout)
            if all(player.quiet >= QUIET for player in players):
                for player in players:
                    player.quiet = 0
                plan = bout.plan(game)
                if plan.is_resolved and bout.liar in game.state.stakers and game.state.stakers[bout.liar].out:
                    bout.judge(game)
                    return
                bout.push_clock()
        await asyncio.sleep(POLL)


@dataclass
class ReorgAt:
    """Takes back the last blocks when a move of one kind is on L1 for the first time, the move among them."""

    kind: str  # such as honest:Proven, or TimedOut, whoever did it
    depth: int  # blocks, or as many more as the move lies behind the head
    keep: bool = False  # whether the transactions come back in later blocks, as from the pools of a real L1
    done: int = 0

    async def __call__(self, bout: Bout) -> None:
        """See `Disturb`."""
        for kind, located in bout.news:
            if self.kind in (kind, type(located.event).__name__) and not self.done:
                head = bout.network.anvil.get_block_number()
                self.done = max(self.depth, head - located.block.number + 1)
                reorganise(bout.network, self.done, keep=self.keep)


@dataclass
class Earthquakes:
    """Reorgs of random depth at random moments, up to `count` of them."""

    seed: int
    count: int
    depths: list[int] = field(default_factory=list)  # those that came

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    async def __call__(self, bout: Bout) -> None:
        """See `Disturb`."""
        if bout.news and len(self.depths) < self.count and self._rng.random() < 0.25:
            depth = self._rng.choice([1, 1, 2, 3, 5, 7, 12, 20, 32])
            self.depths.append(depth)
            reorganise(bout.network, depth, keep=self._rng.random() < 0.5)


def reorganise(network: Devnet, depth: int, *, keep: bool) -> None:
    """Replace the last blocks. With `keep` their transactions come again, each one block later."""
    anvil = network.anvil
    again: list[tuple[str, int]] = []
    head = anvil.get_block_number()
    for offset, number in enumerate(range(head - depth + 1, head + 1) if keep else ()):
        for hash_ in anvil.call("eth_getBlockByNumber", hex(number), False)["transactions"]:
            raw = anvil.call("eth_getRawTransactionByHash", hash_)
            again.append((raw, min(offset + 1, depth - 1)))
    anvil.reorganise(depth, again)

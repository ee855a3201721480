"""What an actor is, and how a cast plays: look by look, transaction by transaction, block after block."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from challenger.strategy import acts
from challenger.strategy.modes import DEFEND, Mode
from challenger.trace.provider import TraceProvider
from optimist.base.merkle import ZERO
from tests.support.scene import HONEST, SLOT, Scene, T

LIMIT: Final = 8 * T  # s after which a play that has not ended is stuck

Moves = acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace


@dataclass(frozen=True, slots=True)
class Transaction:
    """An act on its way into a block."""

    sender: bytes
    act: acts.Act


class Actor:
    """Somebody with one habit, and one or more accounts to follow it with."""

    def __init__(self, *accounts: bytes) -> None:
        self.accounts = accounts

    @property
    def account(self) -> bytes:
        """The first account."""
        return self.accounts[0]

    def look(self, scene: Scene) -> Iterator[Transaction]:
        """What the actor sends at this second; each transaction has landed before the next is asked for."""
        yield from ()

    def meet(self, scene: Scene, transaction: Transaction) -> Iterator[Transaction]:
        """What becomes of somebody else's pending transaction. When nothing is returned it does not land."""
        yield transaction

    def find_next_second(self, scene: Scene) -> int | None:
        """A time of L1 at which the actor wants to look, besides every slot."""
        return None

    def send(self, *wanted: acts.Act) -> Iterator[Transaction]:
        """Acts of the first account."""
        for act in wanted:
            yield Transaction(self.account, act)


class Delayed(Actor):
    """Somebody else, from a later second on."""

    def __init__(self, actor: Actor, seconds: int) -> None:
        super().__init__(*actor.accounts)
        self.actor, self.seconds = actor, seconds

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if scene.second >= self.seconds:
            yield from self.actor.look(scene)

    def meet(self, scene: Scene, transaction: Transaction) -> Iterator[Transaction]:
        yield from self.actor.meet(scene, transaction) if scene.second >= self.seconds else (transaction,)

    def find_next_second(self, scene: Scene) -> int | None:
        begins = scene.start + self.seconds
        return begins if scene.arena.now < begins else self.actor.find_next_second(scene)


def assert_end(
    scene: Scene, account: bytes, belief: TraceProvider, parent: bytes | None = None
) -> Iterator[Transaction]:
    """Stake if needed, and claim what `belief` says about a round, unless the account has done so."""
    parent = parent or scene.base
    state = scene.arena.state
    if scene.claim_id(account, belief, parent) in state.claims:
        return
    staker = state.stakers.get(account)
    if staker is None or not staker.bond:
        yield Transaction(account, acts.Stake())
    to = state.rounds[parent].to
    root = belief.get_end_root(to)
    assert root is not None
    yield Transaction(account, acts.AssertState(parent, root, to, state.batches[to].accumulator))


def play_by(
    scene: Scene, account: bytes, belief: TraceProvider, mode: Mode = DEFEND, *, latency: int = 0
) -> Iterator[Transaction]:
    """One look of perfect play by a belief, of somebody who believes that acts take `latency` seconds."""
    for act in scene.arena.plan(account, belief, mode, latency=latency).acts:
        yield Transaction(account, act)


def fix_match(
    scene: Scene, loser: bytes, lie: TraceProvider, winner: bytes, parent: bytes | None = None
) -> Iterator[Transaction]:
    """One hand plays both sides of a match, within a block, so that the lie is proven."""
    lost, won = scene.claim_id(loser, lie, parent), scene.claim_id(winner, scene.truth, parent)
    for _ in range(20):
        if scene.is_out(loser):
            return
        for account, belief in ((loser, lie), (winner, scene.truth)):
            for each in play_by(scene, account, belief):
                if _is_about(each.act, lost, won):
                    yield each


def _is_about(act: acts.Act, lost: bytes, won: bytes) -> bool:
    match act:
        case acts.Reveal(claim, _):
            return claim in (lost, won)
        case acts.OpenMatch(left, right, _):
            return {left, right} == {lost, won}
        case acts.Dissect(fork, _) | acts.CommitTrace(fork, _, _, _) | acts.Prove(fork, _):
            return set(fork.claims) == {lost, won}
        case acts.CommitSecondTrace(claims, _, _, _):
            return set(claims) == {lost, won}
        case _:
            return False


def play(
    scene: Scene,
    cast: Sequence[Actor],
    *,
    until: Callable[[], bool] | None = None,
    limit: int = LIMIT,
) -> int:
    """Let a cast play until something holds (default: the first round is decided); returns the seconds taken.

    After every block the ledger is checked, and that no false end was confirmed. The cast's order is that of
    its transactions in a block.
    """
    is_over = until or (lambda: scene.confirmed() != ZERO)
    began = scene.second
    while True:
        for actor in cast:
            for transaction in actor.look(scene):
                for landing in _deliver(scene, cast, actor, transaction):
                    scene.arena.play(landing.sender, landing.act)
        check(scene)
        if is_over():
            return scene.second - began
        wanted = [second for actor in cast if (second := actor.find_next_second(scene)) is not None]
        slot = scene.start + (scene.second // SLOT + 1) * SLOT
        scene.arena.now = min([slot, *(second for second in wanted if second > scene.arena.now)])
        assert scene.second - began <= limit, "the play has not ended: something is stuck"


def _deliver(
    scene: Scene, cast: Sequence[Actor], sender: Actor, transaction: Transaction
) -> Iterator[Transaction]:
    pending = [transaction]
    for other in cast:
        if other is not sender:
            pending = [each for one in pending for each in other.meet(scene, one)]
    yield from pending


def check(scene: Scene) -> None:
    """What must hold at every second, whoever plays."""
    if scene.is_spoilt:
        return
    scene.arena.check_ledger()
    parent = scene.base
    while (confirmed := scene.confirmed(parent)) != ZERO:
        assert confirmed == scene.node(scene.truth, parent), "a false end was confirmed"
        parent = confirmed


def assert_hero_won(scene: Scene, hero: bytes = HONEST) -> None:
    """The round went to the truth and the hero has its bond, or can still take it."""
    assert scene.confirmed() == scene.node(scene.truth)
    assert not scene.is_out(hero)

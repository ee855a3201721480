"""Those who see transactions before they land, and the one who decides which of them do."""

from collections.abc import Callable, Iterator

from challenger.strategy import acts
from tests.actors.actor import Actor, Transaction, assert_end
from tests.support.scene import E2, HONEST, Scene


class Copycat(Actor):
    """Claims what somebody else is about to claim, one transaction earlier, and leaves the work to him."""

    def __init__(self, account: bytes = E2, victim: bytes = HONEST) -> None:
        super().__init__(account)
        self.victim = victim
        self.copied = 0

    def meet(self, scene: Scene, transaction: Transaction) -> Iterator[Transaction]:
        if transaction.sender == self.victim and isinstance(transaction.act, acts.AssertState):
            self.copied += 1
            staker = scene.arena.state.stakers.get(self.account)
            if staker is None:
                yield from self.send(acts.Stake())
            yield from self.send(transaction.act)
        yield transaction


class FrontRunner(Actor):
    """Sends every transaction that it sees under its own name, one earlier."""

    def __init__(self, account: bytes = E2, victim: bytes = HONEST, *, claims: bool = True) -> None:
        """`claims`: it stakes and claims as well; else it has nothing to lose, and nothing to win."""
        super().__init__(account)
        self.victim, self.claims = victim, claims
        self.tried = 0

    def meet(self, scene: Scene, transaction: Transaction) -> Iterator[Transaction]:
        is_claim = isinstance(transaction.act, acts.Stake | acts.AssertState)
        if self.victim == transaction.sender and (self.claims or not is_claim):
            self.tried += 1
            yield from self.send(transaction.act)
        yield transaction


class Censor(Actor):
    """Keeps one account's transactions out of so many seconds' worth of blocks."""

    def __init__(
        self,
        seconds: int,
        victim: bytes = HONEST,
        when: Callable[[Scene, acts.Act], bool] = lambda _scene, _act: True,
    ) -> None:
        """`when`: what it would rather not see land."""
        super().__init__()
        self.seconds, self.victim, self.when = seconds, victim, when
        self.blocks: set[int] = set()  # seconds of the blocks that it has kept clean
        self._last: int | None = None

    def meet(self, scene: Scene, transaction: Transaction) -> Iterator[Transaction]:
        if transaction.sender != self.victim or not self._holds_back(scene, transaction.act):
            yield transaction

    def _holds_back(self, scene: Scene, act: acts.Act) -> bool:
        now = scene.second
        if now in self.blocks:
            return True
        if not self.when(scene, act) or not self.can_pay(now):
            return False
        self.blocks.add(now)
        return True

    def can_pay(self, now: int) -> bool:
        """Whether another block is within what it can afford: blocks of one slot each."""
        return (len(self.blocks) + 1) * 12 <= self.seconds


class Helper(Actor):
    """A passer-by without a claim who makes every move of the truth that anybody may make."""

    def __init__(self, account: bytes, plays_for: bytes) -> None:
        super().__init__(account)
        self.plays_for = plays_for

    def look(self, scene: Scene) -> Iterator[Transaction]:
        anybody = acts.Dissect | acts.Prove | acts.ProvePadding | acts.Timeout | acts.TimeoutReveal
        anybody |= acts.OpenMatch | acts.Prune | acts.Confirm
        for act in scene.arena.plan(self.plays_for, scene.truth).acts:
            if isinstance(act, anybody):
                yield from self.send(act)


class RangeRacer(Actor):
    """Creates the true node first, so that its round's range is fixed, and has a batch sealed right after."""

    def __init__(self, account: bytes = E2) -> None:
        super().__init__(account)
        self.raced = False

    def meet(self, scene: Scene, transaction: Transaction) -> Iterator[Transaction]:
        act = transaction.act
        if isinstance(act, acts.AssertState) and act.parent == scene.base and not self.raced:
            self.raced = True
            yield from assert_end(scene, self.account, scene.truth)
            scene.seal(b"\x05race")
        yield transaction


class OperatorNamer(Actor):
    """Claims the truth with many bonds and names the hero as operator of all of them: let him do the work."""

    def __init__(self, *accounts: bytes, victim: bytes = HONEST) -> None:
        super().__init__(*accounts)
        self.victim = victim

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if not scene.arena.rollup.is_open(scene.base):
            return
        for account in self.accounts:
            claim = scene.claim_id(account, scene.truth)
            if claim not in scene.arena.state.claims:
                yield from assert_end(scene, account, scene.truth)
                yield Transaction(account, acts.SetOperator(claim, self.victim))

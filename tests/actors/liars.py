"""Those who claim a false end, in every way in which one can be false."""

from collections.abc import Callable, Iterator
from typing import Final

from challenger.game.types import Stage
from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider, get_steps
from optimist.base.keccak import keccak
from tests.actors.actor import Actor, Moves, Transaction, assert_end, play_by
from tests.support.alphabet_liar import (
    EndlessLiar,
    GarbageLiar,
    LeafLiar,
    PaddingLiar,
    RestartLiar,
    StepLiar,
    TornLiar,
)
from tests.support.scene import E1, PARAMETERS, Scene

Lie = Callable[[Scene], AlphabetProvider]
FIRST, LAST = 1, 4  # inputs of the first range
DEEP = (1, 5, 9)  # first inputs of the ranges that follow each other


def _steps(scene: Scene, target: int) -> int:
    return get_steps(scene.truth.openings[target].input_hash)


LIES: Final[dict[str, Lie]] = {
    "first step of the first input": lambda s: StepLiar(PARAMETERS, s.inputs, FIRST, 0),
    "last step of the last input": lambda s: StepLiar(PARAMETERS, s.inputs, LAST, _steps(s, LAST) - 1),
    "a step in the middle": lambda s: StepLiar(PARAMETERS, s.inputs, 3, _steps(s, 3) // 2),
    "a machine that never stops": lambda s: EndlessLiar(PARAMETERS, s.inputs, 2, 0),
    "a machine that goes on after it has stopped": lambda s: RestartLiar(PARAMETERS, s.inputs, 2, 0),
    "another chain of inputs": lambda s: LeafLiar(PARAMETERS, s.inputs, 2, rest=b"\x05" * 32),
    "another batch number": lambda s: LeafLiar(PARAMETERS, s.inputs, 3, batch_delta=1),
    "a true history with a false end": lambda s: TornLiar(PARAMETERS, s.inputs, 2),
    "an end that nothing leads to": lambda s: GarbageLiar(PARAMETERS, s.inputs),
    "a change past the last input": lambda s: PaddingLiar(PARAMETERS, s.inputs, 2, 3),
}


class Liar(Actor):
    """Claims a false end and plays it as well as it can be played: it never asks L1 who is right."""

    def __init__(
        self,
        lie: Lie = lambda scene: scene.x,
        account: bytes = E1,
        *,
        joins: int = 0,
        parent: Callable[[Scene], bytes | None] = lambda _: None,
    ) -> None:
        """`joins`: second of its claim. `parent`: the round that it lies in, once that exists."""
        super().__init__(account)
        self.lie, self.joins, self.parent = lie, joins, parent
        self._belief: AlphabetProvider | None = None

    def get_belief(self, scene: Scene) -> AlphabetProvider:
        """The history that it stands for; made once."""
        self._belief = self._belief or self.lie(scene)
        return self._belief

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if scene.second < self.joins:
            return
        belief, parent = self.get_belief(scene), self.parent(scene) or scene.base
        if scene.arena.rollup.is_open(parent) and not scene.is_out(self.account):
            yield from assert_end(scene, self.account, belief, parent)
        if isinstance(belief, GarbageLiar):
            return  # it has no history to reveal
        for each in play_by(scene, self.account, belief):
            if self.wants(scene, each.act):
                yield each

    def find_next_second(self, scene: Scene) -> int | None:
        joins = scene.start + self.joins
        return joins if joins > scene.arena.now else None

    def wants(self, scene: Scene, act: acts.Act) -> bool:
        """Which acts of perfect play it carries out."""
        return not isinstance(act, acts.Prove | acts.ProvePadding)


class Stubborn(Liar):
    """A liar that believes itself, and asks L1 who is right."""

    def wants(self, scene: Scene, act: acts.Act) -> bool:
        return True


class Staller(Liar):
    """Claims, reveals, and never moves."""

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if scene.second < self.joins or not scene.arena.rollup.is_open(scene.base):
            return
        belief = self.get_belief(scene)
        claim = scene.claim_id(self.account, belief)
        if claim not in scene.arena.state.claims:
            yield from assert_end(scene, self.account, belief)
            history = belief.get_history(1, 2)
            yield from self.send(acts.Reveal(claim, history.words(history.height, 0)))


class LastSecondMover(Liar):
    """Makes every move in the last second of its clock."""

    def wants(self, scene: Scene, act: acts.Act) -> bool:
        if not isinstance(act, Moves):
            return super().wants(scene, act)
        claims = act.claims if isinstance(act, acts.CommitSecondTrace) else act.fork.claims
        match = scene.match(*claims)
        return scene.arena.now == match.last + match.clocks[match.turn] - 1

    def find_next_second(self, scene: Scene) -> int | None:
        wanted = [super().find_next_second(scene)]
        for match in scene.arena.state.matches.values():
            owner = scene.arena.state.claims[match.claims[match.turn]].owner
            if owner == self.account and match.clocks[match.turn] > 1:
                wanted.append(match.last + match.clocks[match.turn] - 1)
        coming = [second for second in wanted if second is not None and second > scene.arena.now]
        return min(coming, default=None)


class LateJoiner(Liar):
    """Brings a false end in the last second in which the round takes one, and reveals it at once."""

    def __init__(self, lie: Lie = lambda scene: scene.x, account: bytes = E1) -> None:
        super().__init__(lie, account, joins=PARAMETERS.challenge_period - 1)

    def look(self, scene: Scene) -> Iterator[Transaction]:
        yield from super().look(scene)
        claim = scene.claim_id(self.account, self.get_belief(scene))
        found = scene.arena.state.claims.get(claim)
        if found is not None and not found.revealed_at:
            history = self.get_belief(scene).get_history(1, 2)
            yield from self.send(acts.Reveal(claim, history.words(history.height, 0)))


class GarbageCommitter(Liar):
    """Commits to words that nothing stands behind: it has no move to make."""

    def look(self, scene: Scene) -> Iterator[Transaction]:
        yield from assert_end(scene, self.account, scene.x)
        claim = scene.claim_id(self.account, scene.x)
        words = (keccak(b"one"), keccak(b"two"), keccak(b"three"), scene.x.get_history(1, 2).last_end)
        if not scene.arena.state.claims[claim].revealed_at:
            yield from self.send(acts.Reveal(claim, words))


class TraceLiar(Liar):
    """Tells the truth about every state between inputs but one, and leads the game to the machine there."""

    def __init__(self, account: bytes = E1, step: int = 1) -> None:
        super().__init__(lambda scene: scene.lie(target=2, step=step), account)

    def is_at_the_machine(self, scene: Scene) -> bool:
        """Whether one of its matches is about machine steps."""
        return any(match.stage is Stage.STEPS for match in scene.arena.state.matches.values())


class DeepLiar(Liar):
    """Tells the truth for some rounds, one on top of the other, and lies in the next one."""

    def __init__(self, depth: int, account: bytes = E1, *, joins: int = 0) -> None:
        """`depth`: rounds of truth. `joins`: second of the lie; the truth is claimed at once."""
        super().__init__(lambda scene: scene.lie(DEEP[depth], 0), account, joins=joins)
        self.depth = depth

    def get_parent(self, scene: Scene) -> bytes:
        """The round of the lie, once all before it exist."""
        parent = scene.base
        for _ in range(self.depth):
            parent = scene.node(scene.truth, parent)
        return parent

    def look(self, scene: Scene) -> Iterator[Transaction]:
        parent = scene.base
        for _ in range(self.depth):
            if scene.arena.rollup.is_open(parent):
                yield from assert_end(scene, self.account, scene.truth, parent)
            parent = scene.node(scene.truth, parent)
        if scene.second < self.joins or scene.is_out(self.account):
            return
        belief = self.get_belief(scene)
        if scene.arena.rollup.is_open(parent):
            yield from assert_end(scene, self.account, belief, parent)
        for each in play_by(scene, self.account, belief):
            if self.wants(scene, each.act):
                yield each


class Vulture(Actor):
    """Does nothing but time out one match as soon as it can."""

    def __init__(self, account: bytes, claims: tuple[bytes, bytes]) -> None:
        super().__init__(account)
        self.claims = (min(claims), max(claims))

    def look(self, scene: Scene) -> Iterator[Transaction]:
        yield from self.send(acts.Timeout(self.claims))

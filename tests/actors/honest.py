"""Those who tell the truth, each with a weakness of its own but the hero."""

from collections.abc import Callable, Iterator

from challenger.chain.reading import read_game
from challenger.strategy.modes import DEFEND, Mode
from challenger.strategy.strategy import compute_plan
from challenger.strategy.view import Facts
from challenger.trace.alphabet import AlphabetProvider
from tests.actors.actor import Actor, Transaction, assert_end, play_by
from tests.support.mirror import START
from tests.support.scene import HONEST, SLOT, Scene


class Hero(Actor):
    """The honest strategy, once a slot. A watcher: it bonds when something false lives."""

    def __init__(self, account: bytes = HONEST, latency: int = 0, mode: Mode = DEFEND) -> None:
        """`latency`: slots before the first look. `mode`: the rules it follows."""
        super().__init__(account)
        self.latency, self.mode = latency, mode

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if scene.second % SLOT == 0 and scene.second >= self.latency * SLOT:
            yield from play_by(scene, self.account, scene.truth, self.mode, latency=SLOT)


class Proposer(Hero):
    """A hero that claims at once, whether or not anything false lives."""

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if scene.arena.rollup.is_open(scene.base):
            yield from assert_end(scene, self.account, scene.truth)
        yield from super().look(scene)


class Amnesiac(Hero):
    """A hero that is killed after every look: it knows nothing but the events of the contracts."""

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if scene.second % SLOT:
            return
        told = read_game(
            scene.stage.contracts.read_events(),
            arity=scene.parameters.arity,
            genesis_time=START,
            count_inputs=lambda batch: scene.arena.state.batches[batch].cumulative,
        )
        facts = Facts(scene.parameters, told.state, scene.arena.now, told.lists, told.disputed, SLOT)
        plan = compute_plan(facts, AlphabetProvider(scene.parameters, scene.inputs), self.account)
        yield from self.send(*plan.acts)


class AbsentOwner(Hero):
    """A hero that is never seen again once something has happened."""

    def __init__(self, account: bytes, leaves_when: Callable[[Scene], bool]) -> None:
        super().__init__(account)
        self.leaves_when = leaves_when
        self.is_gone = False

    def look(self, scene: Scene) -> Iterator[Transaction]:
        self.is_gone = self.is_gone or self.leaves_when(scene)
        if not self.is_gone:
            for each in super().look(scene):
                if self.leaves_when(scene):
                    self.is_gone = True
                    return
                yield each


class Misled(Hero):
    """An honest player whose node has wrong data, and who believes it."""

    def look(self, scene: Scene) -> Iterator[Transaction]:
        if scene.second % SLOT == 0:
            yield from play_by(scene, self.account, scene.y)

"""The hero without one of its rules loses something to somebody of the zoo: its bond, a round, or money."""

from collections.abc import Callable

import pytest

from challenger.strategy import acts
from challenger.strategy.modes import DEFEND, Mode
from tests.actors.actor import Actor, play
from tests.actors.honest import Hero
from tests.actors.liars import DeepLiar, LastSecondMover, Liar, Staller
from tests.support.alphabet_liar import GarbageLiar
from tests.support.scene import E2, HONEST, PARAMETERS, Scene, T

Outcome = tuple[bool, bool, bool, bool, int]  # as `fight` says; more is better, in each place


class Careless(DeepLiar):
    """Claims the truth and a lie below it, and defends neither: it loses its bond above the lie."""

    def wants(self, scene: Scene, act: acts.Act) -> bool:
        return False


def just_a_liar() -> list[Actor]:
    return [Liar(lambda scene: scene.lie(2, 0))]


OPPONENTS: dict[str, Callable[[], list[Actor]]] = {  # by rule: who makes it necessary
    "hold the true path": just_a_liar,
    "prune claims without bond": lambda: [Careless(1), LastSecondMover(account=E2)],
    "play every match": just_a_liar,
    "reveal against false ends": just_a_liar,
    "time out hidden claims": lambda: [Liar(lambda scene: GarbageLiar(PARAMETERS, scene.inputs))],
    "open every match": lambda: [Staller()],
    "time out late opponents": lambda: [Staller()],
    "confirm what we hold": lambda: [Staller()],
    "collect refunds": just_a_liar,
    "claim what we are owed": just_a_liar,
    "withdraw an idle bond": just_a_liar,
}


def fight(opponents: list[Actor], mode: Mode) -> Outcome:
    """No lie confirmed; the round decided; the one below too, if there is one; bond back; wei won."""
    scene = Scene()
    try:
        play(scene, [*opponents, Hero(mode=mode)], until=lambda: scene.second >= 4 * T)
    except AssertionError:
        return (False, False, False, False, 0)
    is_decided = scene.confirmed() == scene.node(scene.truth)
    below = scene.arena.state.rounds.get(scene.node(scene.truth))
    is_clear = below is None or below.live_ends == 0 or bool(any(below.confirmed))
    staker = scene.arena.state.stakers.get(HONEST)
    is_back = staker is None or (not staker.out and not staker.bond)
    return True, is_decided, is_clear, is_back, scene.stage.get_profit(HONEST)


def test_there_is_an_opponent_for_every_rule() -> None:
    assert OPPONENTS.keys() == {rule.name for rule in DEFEND.rules}


@pytest.mark.parametrize("rule", OPPONENTS)
def test_without_it_the_hero_loses_something(rule: str) -> None:
    whole, less = fight(OPPONENTS[rule](), DEFEND), fight(OPPONENTS[rule](), DEFEND.without(rule))
    assert whole[:4] == (True, True, True, True)
    assert whole[4] >= 0
    assert any(a > b for a, b in zip(whole, less, strict=True)), (whole, less)
    assert all(a >= b for a, b in zip(whole, less, strict=True)), (whole, less)

"""Scenarios 49 to 52: traps in the shape of lists, and claims that their owner can no longer lose."""

import pytest

from challenger.game.lists import History, Words, compute_list_hash
from challenger.game.types import Stage
from challenger.strategy import acts
from optimist.base.keccak import keccak, tagged
from optimist.base.merkle import ZERO
from optimist.base.tags import ENDS, LIST
from optimist.vm.state import compute_final_state
from tests.actors.actor import assert_hero_won, play
from tests.actors.honest import Hero
from tests.actors.zoo import ZOO, make
from tests.support.alphabet_liar import StepLiar
from tests.support.arena import address
from tests.support.plays import get_proven
from tests.support.scene import E1, E2, E3, HONEST, SLOT, Scene, T
from tests.support.spoiling import Cut

BOTH_TURNS = pytest.mark.parametrize("honest_first", [True, False], ids=["honest first", "liar first"])
GARBAGE = keccak(b"a word that nothing stands behind")


@pytest.fixture
def scene() -> Scene:
    return Scene()


# -------------------------------------------------------------------------------------------------------- s49


def test_s49_a_list_of_leaves_has_no_room_for_anything_but_ends(scene: Scene) -> None:
    """Pairs at the bottom could differ in words that mean nothing, while all ends agree."""
    history = scene.truth.get_history(1, 2)
    true = history.words(2, 0)
    false_end = scene.x.get_history(1, 2).last_end
    pairs: Words = (GARBAGE, history.end(2), GARBAGE, false_end)  # twice as many words as a leaf list has
    top: Words = (true[0], true[1], compute_list_hash(pairs, 2), false_end)
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x)
    assert scene.reveal_words(E1, evil, top) == ""
    scene.reveal(HONEST, scene.truth)
    scene.open(E1, honest, evil, evil)
    fork = scene.fork((honest, evil))
    assert scene.arena.play(E1, acts.Dissect(fork, pairs)) == "WrongLength"
    assert scene.arena.play(E1, acts.Dissect(fork, (history.end(2), false_end))) == "WrongList"
    scene.watch(lambda: scene.is_out(E1))
    scene.assert_truth_wins()


def test_s49_the_same_words_never_hash_alike_at_two_heights() -> None:
    words = tuple(bytes([i]) * 32 for i in range(4))
    assert compute_list_hash(words, 4) == tagged(ENDS, *words)
    assert compute_list_hash(words, 2) == tagged(LIST, *words)
    assert compute_list_hash(words, 4) != compute_list_hash(words, 2)


# -------------------------------------------------------------------------------------------------------- s50


class BorrowingHistory(History):
    """True lists all over, under a top list that ends elsewhere."""

    __slots__ = ("false_end",)

    def __init__(self, true: History, false_end: bytes) -> None:
        self.false_end = false_end
        super().__init__(true.arity, true.height, true.ends)

    def words(self, height: int, index: int) -> Words:
        true = super().words(height, index)
        return (*true[:-1], self.false_end) if height == self.height else true


class BorrowingLiar(StepLiar):
    """Borrows the true machine's lists for its own trace of one input, but for the last end."""

    def get_trace(self, start: int, position: int) -> History:
        true = StepLiar(self.parameters, self.inputs, 999, 0).get_trace(start, position)
        number = self.batches[start].cumulative + position
        if number != self.target:
            return true
        return BorrowingHistory(true, compute_final_state(self.roots[number]))

    def __init__(self, scene: Scene, target: int) -> None:
        self.inputs = scene.inputs
        super().__init__(scene.parameters, scene.inputs, target, 0)


@BOTH_TURNS
def test_s50_a_borrowed_child_with_another_end_leaves_the_liar_without_a_move(
    scene: Scene, honest_first: bool
) -> None:
    lie = BorrowingLiar(scene, 2)
    claims = scene.begin(lie, honest_first=honest_first)
    scene.advance_to(lie, claims, lambda match: match.stage is Stage.STEPS)
    scene.watch(lambda: scene.is_out(E1), also=[(E1, lie)])
    assert not scene.is_out(HONEST)
    assert get_proven(scene) == []  # nothing needed to be executed: its clock ran out
    assert scene.count(acts.Timeout, by=HONEST) == 1
    assert scene.second <= T + SLOT
    scene.assert_truth_wins()


# ------------------------------------------------------------------------------------------------ s51 and s52


def test_s51_two_ends_never_have_one_history(scene: Scene) -> None:
    scene.claim(HONEST, scene.truth)
    scene.reveal(HONEST, scene.truth)
    scene.claim(E1, scene.x)
    top = scene.truth.get_history(1, 2).words(2, 0)
    assert scene.reveal_words(E1, scene.claim_id(E1, scene.x), top) == "WrongEnd"
    scene.claim(E2, scene.truth)
    false = scene.x.get_history(1, 2).words(2, 0)
    assert scene.reveal_words(E2, scene.claim_id(E2, scene.truth), false) == "WrongEnd"


def test_s51_could_they_the_honest_side_would_find_no_difference() -> None:
    scene = Scene(cuts=[Cut("if get_end(words, arity - 1, height) != end:", "if False:")])
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x)
    assert scene.reveal_words(E1, evil, scene.truth.get_history(1, 2).words(2, 0)) == ""
    scene.reveal(HONEST, scene.truth)
    assert scene.open(E1, honest, evil, honest) == ""
    scene.watch(limit=T + SLOT)
    assert scene.arena.play(E1, acts.Timeout(scene.match(honest, evil).claims)) == ""
    assert scene.is_out(HONEST)


@pytest.mark.parametrize("name", ["sybil swarm", "pot drainer", "decoy proposer with three hands"])
def test_s51_in_no_play_do_two_ends_share_a_top_list(scene: Scene, name: str) -> None:
    play(scene, [make(name), Hero()])
    assert name in ZOO
    nodes_by_top: dict[bytes, set[bytes]] = {}
    for claim in scene.arena.state.claims.values():
        if claim.revealed_at:
            nodes_by_top.setdefault(claim.top, set()).add(claim.node)
    assert len(nodes_by_top) > 1
    assert all(len(nodes) == 1 for nodes in nodes_by_top.values())


def leave_a_claim_behind(scene: Scene, owners: list[bytes]) -> bytes:
    """The owners lose their bonds in one round, and stand on a false end in the next; returns that round."""
    for owner in owners:
        assert scene.claim(owner, scene.truth) == ""
    child = scene.node(scene.truth)
    lie = scene.lie(5, 0)
    for owner in owners:
        assert scene.claim(owner, lie, child) == ""
    scene.claim(E3, scene.x)
    scene.reveal(E3, scene.x)
    scene.claim(HONEST, scene.truth)
    scene.reveal(HONEST, scene.truth)
    scene.claim(HONEST, scene.truth, child)
    scene.at(T)
    rival = scene.claim_id(E3, scene.x)
    for owner in owners:  # they never meant to defend the truth
        assert scene.arena.play(E3, acts.TimeoutReveal(scene.claim_id(owner, scene.truth), rival)) == ""
    return child


def test_s52_a_claim_whose_bond_is_lost_elsewhere_is_pruned(scene: Scene) -> None:
    child = leave_a_claim_behind(scene, [E1])
    lie, asked = scene.lie(5, 0), scene.arena.state.rounds[child]
    left_behind, honest = scene.claim_id(E1, lie, child), scene.claim_id(HONEST, scene.truth, child)
    assert asked.live_ends == 2  # it still keeps its end alive …
    assert scene.open(HONEST, honest, left_behind, honest) == "ClaimNotLive"  # … and cannot be fought
    assert scene.arena.play(HONEST, acts.TimeoutReveal(left_behind, honest)) == "ClaimNotLive"
    assert scene.arena.play(E2, acts.Prune(honest)) == "StakerNotOut"
    assert scene.arena.play(E2, acts.Prune(left_behind)) == ""  # anybody may
    assert asked.live_ends == 1
    assert scene.arena.state.claims[left_behind].pot == 0  # the bond was split once, where it was lost
    scene.assert_truth_wins()
    scene.assert_truth_wins(child)


def test_s52_left_unpruned_it_would_hold_the_round_for_ever(scene: Scene) -> None:
    child = leave_a_claim_behind(scene, [E1])
    while scene.second < 6 * T:
        for each in Hero().look(scene):
            if not isinstance(each.act, acts.Prune):
                scene.arena.play(each.sender, each.act)
        scene.at(scene.second + SLOT)
    assert scene.confirmed() == scene.node(scene.truth)
    assert scene.arena.state.rounds[child].live_ends == 2
    assert scene.confirmed(child) == ZERO


def test_s52_the_hero_prunes_them_all_each_at_one_price(scene: Scene) -> None:
    owners = [address(800 + i) for i in range(6)]
    child = leave_a_claim_behind(scene, owners)
    scene.watch(lambda: scene.confirmed(child) != ZERO)
    assert scene.confirmed(child) == scene.node(scene.truth, child)
    assert_hero_won(scene)
    assert scene.count(acts.Prune, by=HONEST) == len(owners)

"""Violations V1 to V9: how rounds (births, clocks, joining, bonds) were broken once; each must fail now.

Each story is played by the contracts and by their twin. The second test of a pair plays it against a twin
without the check that stops it, and shows the loss.
"""

import pytest

from challenger.game.types import Status
from challenger.strategy import acts
from optimist.base.merkle import ZERO
from tests.support.scene import E1, E2, E3, HONEST, PARAMETERS, SLOT, Scene, T
from tests.support.spoiling import Cut


@pytest.fixture
def scene() -> Scene:
    return Scene()


def confirm_the_lie(scene: Scene) -> str:
    """What L1 says when somebody asks to decide for X."""
    return scene.arena.play(E1, acts.Confirm(scene.node(scene.x)))


def time_out_hidden(scene: Scene, victim: bytes, rival: bytes) -> str:
    return scene.arena.play(E1, acts.TimeoutReveal(victim, rival))


# -------------------------------------------------------------------------------------------------------- V1


def revive_the_lie(scene: Scene) -> None:
    scene.claim(E2, scene.x)
    scene.claim(HONEST, scene.truth)
    scene.kill(E2, scene.x, HONEST)
    assert scene.arena.state.rounds[scene.base].live_ends == 1
    scene.at(T - 1)
    assert scene.claim(E1, scene.x) == ""
    scene.at(T)


def test_v01_an_end_that_comes_to_life_again_counts_again(scene: Scene) -> None:
    revive_the_lie(scene)
    assert scene.arena.state.rounds[scene.base].live_ends == 2
    assert confirm_the_lie(scene) == "NotSoleEnd"
    scene.assert_truth_wins()


def test_v01_counted_once_only_it_hides_its_rival() -> None:
    scene = Scene(cuts=[Cut("asked.live_ends += 1", "asked.live_ends += node.created_at == now")])
    revive_the_lie(scene)
    scene.at(2 * T - 1)
    assert scene.arena.state.rounds[scene.base].live_ends == 1
    assert confirm_the_lie(scene) == ""


# -------------------------------------------------------------------------------------------------------- V2


def decoy(scene: Scene) -> None:
    """The truth from one hand of the adversary; the lie from the other when nobody else can look in time."""
    scene.claim(E2, scene.truth)
    scene.watch(limit=T - 1)
    assert HONEST not in scene.arena.state.stakers  # a watcher bonds only when something false lives
    assert scene.claim(E1, scene.x) == ""
    scene.reveal(E1, scene.x)
    scene.at(T)


def test_v02_a_decoy_that_posts_the_truth_first_does_not_lock_the_watcher_out(scene: Scene) -> None:
    decoy(scene)
    assert confirm_the_lie(scene) == "NotSoleEnd"
    scene.assert_truth_wins()
    born = scene.arena.state.nodes[scene.node(scene.x)].born
    assert scene.arena.now <= born + T + T // 2  # its clock: one second, for the truth is old


def test_v02_without_the_window_of_the_incumbent_the_lie_is_confirmed() -> None:
    window = "asked.rival_at + period if node_id == asked.incumbent else asked.until"
    scene = Scene(cuts=[Cut(window, "asked.until")])
    decoy(scene)
    assert scene.claim(HONEST, scene.truth) == "JoinClosed"
    scene.at(2 * T)
    assert time_out_hidden(scene, scene.claim_id(E2, scene.truth), scene.claim_id(E1, scene.x)) == ""
    scene.at(2 * T + PARAMETERS.grace)
    assert confirm_the_lie(scene) == ""


def join_late(scene: Scene) -> str:
    """The watcher joins behind the decoy; then somebody tries to time it out at once."""
    decoy(scene)
    assert scene.claim(HONEST, scene.truth) == ""
    return time_out_hidden(scene, scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x))


def test_v02b_who_joins_late_is_not_charged_for_the_time_before_the_rival(scene: Scene) -> None:
    assert join_late(scene) == "TooEarly"
    scene.assert_truth_wins()


def test_v02b_charged_from_its_own_birth_the_late_watcher_dies_at_once() -> None:
    scene = Scene(
        cuts=[Cut("late = self.state.nodes[rival.node].born", "late = self.state.nodes[claim.node].born")]
    )
    assert join_late(scene) == ""
    assert scene.is_out(HONEST)


def three_hands(scene: Scene) -> str:
    scene.claim(E1, scene.x)
    scene.at(1)
    scene.claim(E2, scene.truth)
    scene.kill(E1, scene.x, E2)
    scene.watch(limit=T - 2)
    assert HONEST not in scene.arena.state.stakers
    assert scene.claim(E3, scene.x) == ""
    scene.at(T)
    assert scene.claim(HONEST, scene.truth) == ""
    return time_out_hidden(scene, scene.claim_id(HONEST, scene.truth), scene.claim_id(E3, scene.x))


def test_v02c_three_attackers_cannot_close_the_true_end(scene: Scene) -> None:
    assert three_hands(scene) == "TooEarly"  # X was born again a second ago
    scene.assert_truth_wins()


def test_v02c_if_a_birth_were_never_renewed_the_watcher_would_die_at_once() -> None:
    scene = Scene(cuts=[Cut("node.born = now", "node.born = node.born or now")])
    assert three_hands(scene) == ""
    assert scene.is_out(HONEST)


# -------------------------------------------------------------------------------------------------- V3 to V6

BOTH_LIVE = Cut(
    "if not self._is_standing(claim_id):\n                raise",
    "if False:\n                raise",
)


def play_against_the_dead(scene: Scene) -> str:
    scene.claim(E2, scene.x)
    scene.claim(E1, scene.truth)
    scene.claim(HONEST, scene.truth)
    scene.reveal(HONEST, scene.truth)
    scene.reveal(E2, scene.x)
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E2, scene.x)
    assert scene.open(E2, honest, evil, honest) == ""
    scene.kill(E2, scene.x, E1)
    scene.at(3 * T)
    return scene.arena.play(E1, acts.Timeout(scene.match(honest, evil).claims))


def test_v03_a_dead_opponent_times_nobody_out(scene: Scene) -> None:
    assert play_against_the_dead(scene) == "ClaimNotLive"
    assert not scene.is_out(HONEST)


def test_v03_if_only_the_loser_had_to_live_the_winner_would_die() -> None:
    scene = Scene(cuts=[BOTH_LIVE])
    assert play_against_the_dead(scene) == ""
    assert scene.is_out(HONEST)


def stay_hidden(scene: Scene) -> str:
    scene.claim(E2, scene.x)
    scene.claim(E1, scene.truth)
    scene.claim(HONEST, scene.truth)
    scene.kill(E2, scene.x, E1)
    scene.at(T)
    return time_out_hidden(scene, scene.claim_id(HONEST, scene.truth), scene.claim_id(E2, scene.x))


def test_v04_a_dead_rival_costs_a_hidden_claim_nothing(scene: Scene) -> None:
    assert stay_hidden(scene) == "ClaimNotLive"
    assert not scene.is_out(HONEST)


def test_v04_if_a_dead_rival_counted_the_hidden_claim_would_die() -> None:
    scene = Scene(cuts=[BOTH_LIVE])
    assert stay_hidden(scene) == ""
    assert scene.is_out(HONEST)


def attack_after_the_decision(scene: Scene) -> str:
    """A supporter of the confirmed end never had to reveal; a rival comes when all is decided."""
    scene.claim(HONEST, scene.truth)
    scene.at(T)
    assert scene.arena.play(E2, acts.Confirm(scene.node(scene.truth))) == ""
    refused = scene.claim(E3, scene.x)
    if refused:
        return refused
    scene.at(2 * T)
    return time_out_hidden(scene, scene.claim_id(HONEST, scene.truth), scene.claim_id(E3, scene.x))


def test_v05_no_bond_is_lost_after_the_decision(scene: Scene) -> None:
    assert attack_after_the_decision(scene) == "RoundClosed"
    assert scene.arena.play(HONEST, acts.Withdraw()) == ""
    assert scene.stage.get_profit(HONEST) == 0


def test_v05_if_a_decided_round_stayed_open_its_winner_could_be_killed() -> None:
    closed = Cut("asked.confirmed == ZERO and not self.is_rejected(round_id)", "True")
    joinable = Cut('raise Revert("JoinClosed", now, closes)', "pass")
    scene = Scene(cuts=[closed, joinable])
    assert attack_after_the_decision(scene) == ""
    assert scene.is_out(HONEST)


def reveal_too_late(scene: Scene) -> str:
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    scene.reveal(HONEST, scene.truth)
    scene.at(T + 3)
    assert scene.reveal(E1, scene.x) == ""
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x)
    return scene.open(HONEST, honest, evil, evil)


def test_v06_who_reveals_too_late_has_a_clock_of_zero_and_dies(scene: Scene) -> None:
    assert reveal_too_late(scene) == ""
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x)
    match = scene.match(honest, evil)
    assert match.clocks[scene.side(evil, honest)] == 0
    assert scene.arena.play(HONEST, acts.Timeout(match.claims)) == ""
    assert scene.is_out(E1)
    scene.assert_truth_wins()


def test_v06_if_a_clock_below_zero_were_an_error_the_lie_would_live_for_ever() -> None:
    clamp = "return compute_budget(self.parameters.challenge_period, revealed_at, rival_born)"
    strict = (
        "left = self.parameters.challenge_period - (revealed_at - rival_born)\n"
        "        if left < 0:\n            raise Revert('Panic')\n        return left"
    )
    scene = Scene(cuts=[Cut(clamp, strict)])
    assert reveal_too_late(scene) == "Panic"
    scene.watch(limit=6 * T)
    assert not scene.is_out(E1)
    assert scene.confirmed() == ZERO


# -------------------------------------------------------------------------------------------------- V7 to V9


def lose_twice(scene: Scene) -> str:
    """One bond below two claims; both are attacked."""
    lie = scene.lie(5, 0)  # the truth in the first range, false in the second
    scene.claim(E1, scene.truth)
    parent = scene.node(scene.truth)
    assert scene.claim(E1, lie, parent) == ""
    scene.claim(HONEST, scene.truth)
    scene.claim(HONEST, scene.truth, parent)
    scene.kill(E1, lie, HONEST, parent)
    claims = scene.arena.state.claims
    assert claims[scene.claim_id(E1, lie, parent)].pot == PARAMETERS.bond * 40 // 100
    assert claims[scene.claim_id(E1, scene.truth)].status is Status.LIVE
    scene.claim(E2, scene.x)  # a rival above, so that the other claim of the lost bond can be attacked too
    scene.at(T)
    return scene.arena.play(
        E2, acts.TimeoutReveal(scene.claim_id(E1, scene.truth), scene.claim_id(E2, scene.x))
    )


def test_v07_one_bond_is_split_once(scene: Scene) -> None:
    assert lose_twice(scene) == "ClaimNotLive"
    above = scene.claim_id(E1, scene.truth)
    assert scene.arena.play(E2, acts.Prune(above)) == ""
    assert scene.arena.state.claims[above].pot == 0
    scene.arena.check_ledger()


def test_v07_split_twice_the_ledger_owes_what_it_does_not_have() -> None:
    scene = Scene(
        cuts=[
            Cut("lost, staker.bond = staker.bond, 0", "lost, staker.bond = self.parameters.bond, 0"),
            Cut("if staker.out:\n            return", "if False:\n            return"),
            Cut("claim.status is Status.LIVE and not self.state.stakers[claim.owner].out", "True"),
        ]
    )
    assert lose_twice(scene) == ""
    with pytest.raises(AssertionError):
        scene.arena.check_ledger()


def lose_and_withdraw(scene: Scene) -> str:
    scene.claim(E1, scene.truth)
    scene.claim(E2, scene.x)
    scene.reveal(E2, scene.x)
    scene.claim(HONEST, scene.truth)
    scene.at(T)
    kill = acts.TimeoutReveal(scene.claim_id(E1, scene.truth), scene.claim_id(E2, scene.x))
    assert scene.arena.play(E2, kill) == ""
    scene.assert_truth_wins()
    return scene.arena.play(E1, acts.Withdraw())


def test_v08_a_burnt_bond_cannot_be_withdrawn(scene: Scene) -> None:
    assert lose_and_withdraw(scene) == "NotStaked"
    assert scene.arena.play(E1, acts.Stake()) == "StakerOut"
    assert scene.stage.get_profit(E1) == -PARAMETERS.bond


def test_v08_if_it_could_the_others_would_pay_for_it() -> None:
    scene = Scene(cuts=[Cut("lost, staker.bond = staker.bond, 0", "lost = staker.bond")])
    assert lose_and_withdraw(scene) == ""
    with pytest.raises(AssertionError):
        scene.arena.check_ledger()


def lock_out(scene: Scene) -> None:
    """The true end of a round stays undisputed until its window has closed; then a lie appears two below."""
    scene.claim(E1, scene.truth)
    child = scene.node(scene.truth)
    scene.claim(E1, scene.truth, child)
    grandchild = scene.node(scene.truth, child)
    scene.watch(limit=T - 1)
    scene.claim(E2, scene.x)
    scene.watch(limit=1)
    scene.claim(HONEST, scene.truth)
    scene.at(T + 1)
    assert scene.claim(E1, scene.lie(9, 0), grandchild) == ""


def test_v09_a_watcher_is_not_locked_out_of_a_child_round(scene: Scene) -> None:
    lock_out(scene)
    child = scene.node(scene.truth)
    grandchild = scene.node(scene.truth, child)
    for parent in (scene.base, child, grandchild):
        scene.assert_truth_wins(parent)
    assert scene.is_out(E1)
    assert scene.is_out(E2)


def test_v09_if_an_undisputed_end_closed_the_watcher_could_not_come_below_it() -> None:
    sole = "if asked.live_ends == 0 or (asked.live_ends == 1 and node_id == asked.xor_live):"
    scene = Scene(cuts=[Cut(sole, "if asked.live_ends == 0:")])
    lock_out(scene)
    assert scene.claim(HONEST, scene.truth, scene.node(scene.truth)) == "JoinClosed"


def test_v09b_nor_when_the_true_parent_came_second(scene: Scene) -> None:
    scene.claim(E1, scene.x)
    scene.at(1)
    scene.claim(E2, scene.truth)
    scene.kill(E1, scene.x, E2)
    scene.at(2)
    child = scene.node(scene.truth)
    assert scene.claim(E2, scene.lie(5, 0), child) == ""
    scene.at(T - SLOT)  # the watcher looks late
    scene.assert_truth_wins(child)
    assert scene.is_out(E2)

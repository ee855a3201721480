"""Violations V19 to V23: ranges that others fix, refunds that others take, claims that others hold.

Played by the contracts and by their twin; where one check holds the line, also without it.
"""

from dataclasses import replace

import pytest

from challenger.strategy import acts
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from tests.support.scene import E1, E2, HONEST, PARAMETERS, SLOT, Scene, T
from tests.support.spoiling import Cut

TIP = 2 * 10**9  # wei: what the refund pays for a unit of gas where the base fee is 0


@pytest.fixture
def scene() -> Scene:
    return Scene()


# ------------------------------------------------------------------------------------------------------- V19

SHORT = ((b"\x05a", b"\x05b", b"\x05c"), (b"\x05d",))  # the second range has room for one more batch


def race(scene: Scene) -> str:
    """The adversary creates the true node before a batch lands, the honest player claims below it after."""
    assert scene.claim(E1, scene.truth) == ""
    child = scene.node(scene.truth)
    scene.at(SLOT)
    scene.seal(b"\x05e")
    assert scene.claim(HONEST, scene.truth) == ""
    root = scene.truth.get_end_root(4)
    assert root is not None
    accumulator = scene.truth.batches[4].accumulator
    return scene.arena.play(HONEST, acts.AssertState(child, root, 4, accumulator))


def test_v19_a_claim_about_a_range_that_another_has_cut_short_is_refused() -> None:
    scene = Scene(rows=SHORT)
    assert race(scene) == "UnexpectedRange"
    assert scene.claim(HONEST, scene.truth, scene.node(scene.truth)) == ""  # about the range as it is
    scene.assert_truth_wins()


def test_v19_were_it_taken_the_truth_about_four_batches_would_be_a_lie_about_three() -> None:
    blind = [
        Cut("if expected_to != to:", "if False:"),
        Cut("if expected_acc != accumulator:", "if False:"),
    ]
    scene = Scene(rows=SHORT, cuts=blind)
    assert race(scene) == ""
    child = scene.node(scene.truth)
    assert scene.claim_id(HONEST, scene.truth, child) not in scene.arena.state.claims
    assert len([c for c in scene.arena.state.claims.values() if c.owner == HONEST]) == 2


def test_v19_so_is_one_about_another_history_or_about_batches_to_come(scene: Scene) -> None:
    root = scene.truth.get_end_root(2)
    assert root is not None
    scene.arena.play(HONEST, acts.Stake())
    claim = acts.AssertState(scene.base, root, 2, scene.truth.batches[2].accumulator)
    assert scene.arena.play(HONEST, replace(claim, expected_acc=keccak(b"another history"))) == "WrongHistory"
    last = scene.base
    while scene.arena.state.rounds[last].to <= scene.arena.state.batch_count:
        assert scene.claim(E2, scene.truth, last) == ""
        last = scene.node(scene.truth, last)
    beyond = scene.arena.state.rounds[last].to
    assert scene.arena.play(E2, acts.AssertState(last, root, beyond, ZERO)) == "RangeNotSealed"
    assert scene.stage.get_profit(HONEST) == 0


# ------------------------------------------------------------------------------------------------------- V20


def test_v20_a_new_assertion_waits_unless_its_range_is_full() -> None:
    scene = Scene(replace(PARAMETERS, min_period=60), rows=[[b"\x05a"], [b"\x05b"], [b"\x05c", b"\x05d"]])
    assert scene.arena.state.rounds[scene.base].full
    assert scene.claim(E1, scene.truth) == ""
    child = scene.node(scene.truth)
    assert not scene.arena.state.rounds[child].full
    scene.at(59)
    assert scene.claim(E1, scene.truth, child) == "TooEarly"
    assert (
        scene.claim(E1, scene.x, child) == "TooEarly"
    )  # the rule never holds the truth back where a lie may go
    scene.at(60)
    assert scene.claim(E1, scene.truth, child) == ""
    assert scene.claim(HONEST, scene.truth) == ""
    assert scene.claim(HONEST, scene.truth, child) == ""  # nor does a supporter wait


def test_v20_without_the_wait_every_batch_could_become_a_range_of_its_own() -> None:
    rows = [[b"\x05a"], [b"\x05b"]]
    lengths = []
    for period in (0, 60):
        scene = Scene(replace(PARAMETERS, min_period=period), rows)
        node, asserted = scene.base, 0
        for number in range(10):
            scene.at(SLOT * number)
            if not scene.claim(E1, scene.truth, node):
                node, asserted = scene.node(scene.truth, node), asserted + 1
            scene.seal(bytes([5, number]))
        lengths.append(asserted)
    assert lengths[0] == 10
    assert lengths[1] < 5, lengths


# ------------------------------------------------------------------------------------------------------- V21


def test_v21_sniping_the_last_blow_does_not_take_the_refund(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    honest, evil = scene.begin(lie, honest_first=True)
    for _ in range(3):  # the honest side has made moves …
        scene.arena.look_and_act(HONEST, scene.truth)
        scene.arena.look_and_act(E1, lie)
    moves = scene.match(honest, evil).moves[scene.side(honest, evil)]
    assert moves > 0
    scene.claim(E2, scene.truth)
    scene.kill(E1, lie, E2)  # … when the liar's own copy of the truth strikes
    claims = scene.arena.state.claims
    assert claims[scene.claim_id(E2, scene.truth)].credit >= PARAMETERS.bond // 10
    assert scene.arena.play(HONEST, acts.Collect(honest, evil)) == ""
    assert claims[honest].credit == moves * 150_000 * TIP
    assert scene.arena.play(HONEST, acts.Collect(honest, evil)) == "NothingToCollect"
    scene.assert_truth_wins()
    scene.watch(limit=2 * SLOT)
    assert scene.stage.get_profit(HONEST) == moves * 150_000 * TIP  # paid, not only promised


# ----------------------------------------------------------------------------------------------- V22 and V23


def test_v22_one_bond_stands_on_one_end_of_a_round(scene: Scene) -> None:
    below = scene.lie(5, 0)
    scene.claim(E1, scene.truth)
    assert scene.claim(E1, scene.x) == "WrongBranch"
    child = scene.node(scene.truth)
    assert scene.claim(E1, scene.truth, child) == ""
    assert scene.claim(E1, below, child) == "WrongBranch"
    scene.at(T)
    assert scene.arena.play(E1, acts.Confirm(scene.node(scene.truth))) == ""
    assert scene.claim(E1, below, child) == "WrongBranch"


def test_v22_else_one_bond_would_back_both_sides() -> None:
    scene = Scene(
        cuts=[Cut("        if not free:\n            raise", "        if False:\n            raise")]
    )
    scene.claim(E1, scene.truth)
    assert scene.claim(E1, scene.x) == ""
    assert scene.arena.state.rounds[scene.base].live_ends == 2  # a rival for nothing


def test_v23_nobody_stands_below_a_claim_that_is_not_its_own(scene: Scene) -> None:
    scene.claim(E1, scene.truth)
    child = scene.node(scene.truth)
    assert scene.claim(HONEST, scene.truth, child) == "WrongBranch"
    assert scene.claim(HONEST, scene.truth) == ""
    assert scene.claim(HONEST, scene.truth, child) == ""


def test_v23_else_the_adversary_could_let_the_ground_fall_away() -> None:
    scene = Scene(
        cuts=[Cut("        if not free:\n            raise", "        if False:\n            raise")]
    )
    scene.claim(E1, scene.truth)
    child = scene.node(scene.truth)
    assert scene.claim(HONEST, scene.truth, child) == ""  # without a claim of its own on the parent
    scene.claim(E2, scene.x)
    scene.reveal(E2, scene.x)
    scene.at(T)
    supporter, rival = scene.claim_id(E1, scene.truth), scene.claim_id(E2, scene.x)
    assert scene.arena.play(E2, acts.TimeoutReveal(supporter, rival)) == ""  # it never meant to defend it
    scene.at(T + PARAMETERS.grace)
    assert scene.arena.play(E2, acts.Confirm(scene.node(scene.x))) == ""
    assert not scene.arena.rollup.is_live(scene.claim_id(HONEST, scene.truth, child))
    assert scene.arena.play(HONEST, acts.Withdraw()) == "ClaimUndecided"  # the bond is locked up for ever

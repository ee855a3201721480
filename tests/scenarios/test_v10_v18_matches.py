"""Violations V10 to V18: how a match could leave the honest side without a move, or prove it wrong.

Played by the contracts and by their twin; where one check holds the line, also without it.
"""

from dataclasses import replace
from typing import Any

import pytest

from challenger.game.dispute import Fork, Machine
from challenger.game.lists import History, Words
from challenger.game.types import Revert, Stage
from challenger.strategy import acts
from challenger.trace.alphabet import STATE_BYTES, AlphabetProvider, apply_step, get_steps
from optimist.base.keccak import keccak
from optimist.derive.commitments import compute_input_hash
from optimist.vm.state import compute_final_state
from tests.support.alphabet_liar import LeafLiar, RestartLiar
from tests.support.mirror import compile_game
from tests.support.scene import E1, HONEST, PARAMETERS, Scene, T
from tests.support.spoiling import Cut

BOTH_TURNS = pytest.mark.parametrize("honest_first", [True, False], ids=["honest first", "liar first"])


@pytest.fixture
def scene() -> Scene:
    return Scene()


def is_at_commitments(match: object) -> bool:
    return getattr(match, "height", 0) == 1


def get_commit(scene: Scene, lie: AlphabetProvider) -> acts.CommitTrace:
    (commit,) = [a for a in scene.arena.plan(E1, lie).acts if isinstance(a, acts.CommitTrace)]
    return commit


def play_out(scene: Scene, lie: AlphabetProvider) -> acts.Prove | None:
    """Both play by their belief until the liar is out; the deciding step, if it was one."""
    scene.watch(lambda: scene.is_out(E1), also=[(E1, lie)])
    assert not scene.is_out(HONEST)
    proofs = [a for _, _, a, error in scene.arena.log if isinstance(a, acts.Prove) and not error]
    return proofs[0] if proofs else None


def assert_honest_is_stuck(scene: Scene) -> None:
    """The honest side is on turn and has nothing to play; its clock kills it."""
    assert scene.arena.plan(HONEST, scene.truth).alarms
    scene.watch(limit=T + 1)
    claims = next(iter(scene.arena.state.matches.values())).claims
    assert scene.arena.play(E1, acts.Timeout(claims)) == ""
    assert scene.is_out(HONEST)


def commit_to_the_honest_trace(scene: Scene, lie: AlphabetProvider, claims: tuple[bytes, bytes]) -> None:
    """The honest side has committed; the liar commits to the very same trace of input 2."""
    scene.advance_to(lie, claims, lambda match: match.stage is Stage.HALF)
    position, true = scene.match(*claims).position, scene.truth.get_trace(1, 1)
    second = acts.CommitSecondTrace(
        scene.match(*claims).claims, position, scene.truth.roots[2], true.words(4, 0)
    )
    answer = scene.arena.play(E1, second)
    if answer:  # the liar's leaf names another root
        answer = scene.arena.play(E1, replace(second, next_root=lie.roots[2]))
    assert answer == ""


def top_words(scene: Scene) -> Words:
    """The honest list at the top of the first range."""
    return scene.truth.get_history(1, 2).words(2, 0)


def false_end(scene: Scene) -> bytes:
    return scene.x.get_history(1, 2).last_end


def begin_with_words(scene: Scene, words: Words, *, honest_first: bool) -> tuple[bytes, bytes]:
    """As `Scene.begin`, the liar's history being words that no provider stands behind."""
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x)
    assert scene.reveal_words(E1, evil, words) == ""
    assert scene.reveal(HONEST, scene.truth) == ""
    assert scene.open(HONEST, honest, evil, honest if honest_first else evil) == ""
    return honest, evil


def make_fork(scene: Scene, claims: tuple[bytes, bytes], truth: Words, lie: Words) -> Fork:
    """The lists of both sides where their match stands, in its order."""
    match = scene.match(*claims)
    lists = (truth, lie) if claims[0] < claims[1] else (lie, truth)
    return Fork(match.claims, match.position.round, match.position.prev, lists)


# ------------------------------------------------------------------------------------------------ V10 to V12


def is_rejected(row: bytes) -> bool:
    return compute_input_hash(row)[31] % 5 == 0


@BOTH_TURNS
def test_v10_an_input_that_was_rejected_can_be_defended(honest_first: bool) -> None:
    rejected = next(row for row in (b"\x05" + bytes([i]) for i in range(256)) if is_rejected(row))
    scene = Scene(rows=[[b"\x05a", rejected, b"\x05b"]])
    target = 3
    assert scene.truth.roots[target] == scene.truth.openings[target].root  # rejected: nothing has changed
    lie = scene.lie(target, 0)
    scene.begin(lie, honest_first=honest_first)
    assert play_out(scene, lie) is not None


def test_v11_a_true_root_with_a_false_chain_cannot_be_committed_to(scene: Scene) -> None:
    lie = LeafLiar(PARAMETERS, scene.inputs, 2, rest=b"\x05" * 32)
    scene.begin(lie, honest_first=False)
    play_out(scene, lie)
    assert scene.count(acts.CommitTrace, by=E1) == 0


def test_v11_could_it_be_committed_to_the_honest_side_would_find_no_difference() -> None:
    scene = Scene(cuts=[Cut("if leaf != position.nodes[turn]:", "if False:")])
    lie = LeafLiar(PARAMETERS, scene.inputs, 2, rest=b"\x05" * 32)
    commit_to_the_honest_trace(scene, lie, scene.begin(lie, honest_first=False))
    assert_honest_is_stuck(scene)


@BOTH_TURNS
def test_v12_a_rival_end_without_preimage_does_not_block_the_first_commitment(honest_first: bool) -> None:
    scene = Scene()
    history = scene.truth.get_history(1, 2)
    ends = [history.ends[0], keccak(b"no leaf"), history.ends[2], false_end(scene)]
    garbage = History(2, 2, ends)
    claims = begin_with_words(scene, garbage.words(2, 0), honest_first=honest_first)
    if not honest_first:
        fork = make_fork(scene, claims, history.words(2, 0), garbage.words(2, 0))
        assert scene.arena.play(E1, acts.Dissect(fork, garbage.list_at(1, 0))) == ""
    else:
        scene.arena.look_and_act(HONEST, scene.truth)
        fork = make_fork(scene, claims, history.list_at(1, 0), garbage.list_at(1, 0))
        assert (
            scene.arena.play(E1, acts.ProvePadding(fork)) == "NotPadding"
        )  # and it has nothing else to play
    scene.watch(lambda: scene.is_out(E1))
    if not honest_first:
        assert scene.count(acts.CommitTrace, by=HONEST) == 1
    assert not scene.is_out(HONEST)


# ------------------------------------------------------------------------------------------------ V13 to V16


def test_v13_no_function_takes_the_index_of_a_child() -> None:
    """The child is computed. The one number that a move takes is part of a preimage: the batch of a leaf."""
    moves = {"dissect", "commitTrace", "commitSecondTrace", "prove", "provePadding", "timeout"}
    functions = [e for e in compile_game()["Dispute"].abi if e["type"] == "function" and e["name"] in moves]
    assert {e["name"] for e in functions} == moves

    def find_numbers(arguments: list[dict[str, Any]]) -> set[str]:
        own = {
            argument["name"] for argument in arguments if argument["type"].startswith(("uint", "int", "bool"))
        }
        return own.union(*(find_numbers(argument.get("components", [])) for argument in arguments))

    assert set().union(*(find_numbers(e["inputs"]) for e in functions)) == {"batch"}


@BOTH_TURNS
def test_v13_a_later_difference_cannot_be_chosen(honest_first: bool) -> None:
    scene = Scene()
    lie = scene.lie(1, 0)  # every leaf differs, so every child does
    claims = scene.begin(lie, honest_first=honest_first)
    mover, belief = (HONEST, scene.truth) if honest_first else (E1, lie)
    fork = make_fork(scene, claims, top_words(scene), lie.get_history(1, 2).words(2, 0))
    later = belief.get_history(1, 2).list_at(1, 2)
    assert scene.arena.play(mover, acts.Dissect(fork, later)) == "WrongList"
    assert scene.arena.play(mover, acts.Dissect(fork, belief.get_history(1, 2).list_at(1, 0))) == ""
    assert scene.match(*claims).start == 0
    proof = play_out(scene, lie)
    assert proof is not None


def test_v14_a_child_list_must_end_where_its_parent_said(scene: Scene) -> None:
    top = top_words(scene)
    forged = (*top[:3], false_end(scene))  # the honest child, another end
    claims = begin_with_words(scene, forged, honest_first=False)
    fork = make_fork(scene, claims, top, forged)
    copied = scene.truth.get_history(1, 2).list_at(1, 2)
    assert scene.arena.play(E1, acts.Dissect(fork, copied)) == "WrongEnd"
    scene.watch(lambda: scene.is_out(E1))
    assert not scene.is_out(HONEST)


def test_v14_if_it_need_not_the_honest_side_would_meet_its_own_list() -> None:
    scene = Scene(cuts=[Cut("if following[-1] != end:", "if False:")])
    top = top_words(scene)
    forged = (*top[:3], false_end(scene))
    claims = begin_with_words(scene, forged, honest_first=False)
    fork = make_fork(scene, claims, top, forged)
    assert scene.arena.play(E1, acts.Dissect(fork, scene.truth.get_history(1, 2).list_at(1, 2))) == ""
    assert_honest_is_stuck(scene)


def test_v15_the_honest_trace_cannot_be_committed_to_by_the_liar(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    claims = scene.begin(lie, honest_first=True)
    scene.advance_to(lie, claims, is_at_commitments)
    commit = get_commit(scene, lie)
    trace = scene.truth.get_trace(1, 1)
    copied = replace(commit, trace=trace.words(4, 0))
    assert scene.arena.play(E1, copied) == "WrongEnd"
    assert scene.arena.play(E1, replace(copied, next_root=scene.truth.roots[2])) == "WrongLeaf"
    assert scene.match(*claims).height == 1


def test_v15_if_it_could_the_honest_side_would_find_no_difference() -> None:
    scene = Scene(cuts=[Cut("if trace[-1] != end:", "if False:")])
    lie = scene.lie(2, 0)
    commit_to_the_honest_trace(scene, lie, scene.begin(lie, honest_first=False))
    assert_honest_is_stuck(scene)


@BOTH_TURNS
def test_v16_a_copied_child_with_another_end_is_a_difference(honest_first: bool) -> None:
    scene = Scene()
    forged = (*top_words(scene)[:3], false_end(scene))
    begin_with_words(scene, forged, honest_first=honest_first)
    scene.watch(lambda: scene.is_out(E1))
    assert not scene.is_out(HONEST)


def test_v16_compared_by_children_alone_it_would_be_none() -> None:
    old = "child = compute_first_difference(left, right, match.height)"
    subs = "next((i for i in range(arity) if left[2 * i] != right[2 * i]), None)"
    scene = Scene(cuts=[Cut(old, f"child = {subs} if match.height > 1 else 0")])
    forged = (*top_words(scene)[:3], false_end(scene))
    begin_with_words(scene, forged, honest_first=True)
    scene.watch(limit=T + 1)
    refused = [
        error for _, who, act, error in scene.arena.log if who == HONEST and isinstance(act, acts.Dissect)
    ]
    assert set(refused) == {"NoDifference"}
    claims = next(iter(scene.arena.state.matches.values())).claims
    assert scene.arena.play(E1, acts.Timeout(claims)) == ""
    assert scene.is_out(HONEST)


# ------------------------------------------------------------------------------------------------ V17 and V18


@BOTH_TURNS
def test_v17_a_machine_that_has_stopped_can_be_stepped(honest_first: bool) -> None:
    scene = Scene()
    lie = RestartLiar(PARAMETERS, scene.inputs, 2, 0)
    scene.begin(lie, honest_first=honest_first)
    proof = play_out(scene, lie)
    assert proof is not None
    assert len(proof.proof) == 32  # it opened a stopped machine: its root alone


def test_v17_were_it_not_total_the_last_word_would_be_the_clock() -> None:
    def only_running(before: bytes, proof: bytes) -> bytes:
        if len(proof) != STATE_BYTES:
            raise Revert("FalseWitness")
        return apply_step(before, proof)

    scene = Scene(cuts=[Cut("MOVE_GAS = 150_000", "MOVE_GAS = 150_001")])
    scene.arena.dispute.machine = Machine(scene.arena.dispute.machine.start, only_running)
    lie = RestartLiar(PARAMETERS, scene.inputs, 2, 0)
    claims = scene.begin(lie, honest_first=True)
    match = scene.match(*claims)
    while scene.second <= 2 * T and not scene.is_out(HONEST) and not scene.is_out(E1):
        scene.arena.look_and_act(E1, lie)
        scene.arena.look_and_act(HONEST, scene.truth)
        scene.arena.now += 1
    refused = [
        error for _, who, act, error in scene.arena.log if who == HONEST and isinstance(act, acts.Prove)
    ]
    assert "FalseWitness" in refused
    assert "" not in refused  # whoever is on turn loses, right or wrong
    assert match.stage is Stage.STEPS


def test_v18_a_trace_must_end_in_a_stopped_machine(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    claims = scene.begin(lie, honest_first=True)
    scene.advance_to(lie, claims, is_at_commitments)
    running = History(2, 4, [keccak(bytes([i])) for i in range(16)])
    assert scene.arena.play(E1, replace(get_commit(scene, lie), trace=running.words(4, 0))) == "WrongEnd"
    foreign = [
        *running.ends[:-1],
        compute_final_state(scene.truth.roots[2]),
    ]  # stopped, in a root not its own
    assert (
        scene.arena.play(E1, replace(get_commit(scene, lie), trace=History(2, 4, foreign).words(4, 0)))
        == "WrongEnd"
    )


def test_v18_every_toy_input_stops_before_its_trace_ends(scene: Scene) -> None:
    assert any(get_steps(opening.input_hash) > 2 for opening in scene.truth.openings[1:5])
    for position in range(4):
        trace = scene.truth.get_trace(1, position)
        assert len(trace.ends) <= 2**PARAMETERS.step_height
        assert trace.last_end == compute_final_state(scene.truth.roots[1 + position])

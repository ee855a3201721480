"""Every way in which an earlier form of the game was broken, replayed: each must fail now.

V1 to V9 are about rounds (births, clocks, joining, bonds), V10 to V18 about matches, V19 and V20 ranges,
V21 to V23 about money and branches. V13, a child chosen by the mover, has no argument left to try it with.
"""

import pytest

from challenger.game.dispute import Fork
from challenger.game.lists import History, compute_list_hash
from challenger.game.types import Parameters, Status
from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider, get_steps
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.vm.state import compute_final_state
from tests.support.alphabet_liar import LeafLiar, StepLiar
from tests.support.arena import BASE_FEE
from tests.support.scene import E1, E2, E3, HONEST, Scene

T = 16
PARAMETERS = Parameters(arity=2, input_height=2, step_height=4, challenge_period=T, grace=2, min_period=0)
INPUTS = [[b"a", b"b"], [b"c", b"d"], [b"e", b"f", b"g"], [b"h", b"i"], [b"j"], [b"k", b"l", b"m", b"n"]]


@pytest.fixture
def scene() -> Scene:
    return Scene(PARAMETERS, INPUTS)


def assert_truth_wins(scene: Scene, parent: bytes = GENESIS_ASSERTION) -> None:
    """The honest player keeps its bond, and the round is decided for the truth."""
    scene.watch(lambda: scene.confirmed(parent) != ZERO)
    assert scene.confirmed(parent) == scene.node(scene.truth, parent)
    assert not scene.arena.state.stakers[HONEST].out


# ---------------------------------------------------------------------------------------------------- rounds


def test_V1_a_node_that_comes_to_life_again_counts_again(scene: Scene) -> None:
    scene.claim(E2, scene.x)
    scene.claim(HONEST, scene.truth)
    scene.kill(E2, scene.x, HONEST)
    assert scene.arena.state.rounds[GENESIS_ASSERTION].live_ends == 1
    scene.at(T - 1)
    assert scene.claim(E1, scene.x) == ""
    assert scene.arena.state.rounds[GENESIS_ASSERTION].live_ends == 2
    scene.at(T)
    assert scene.arena.play(E1, acts.Confirm(scene.node(scene.x))) == "NotSoleEnd"
    assert_truth_wins(scene)


def test_V2_a_decoy_that_posts_the_truth_first_does_not_lock_the_watcher_out(scene: Scene) -> None:
    scene.claim(E2, scene.truth)
    scene.watch(limit=T - 1)
    assert HONEST not in scene.arena.state.stakers  # a watcher bonds only when something false lives
    scene.claim(E1, scene.x)
    scene.reveal(E1, scene.x)
    scene.at(T)
    assert scene.arena.play(E1, acts.Confirm(scene.node(scene.x))) == "NotSoleEnd"
    assert_truth_wins(scene)


def test_V2b_who_joins_late_is_not_charged_for_the_time_before_the_rival(scene: Scene) -> None:
    scene.claim(E2, scene.truth)
    scene.at(T - 1)
    scene.claim(E1, scene.x)
    scene.reveal(E1, scene.x)
    scene.at(T)
    assert scene.claim(HONEST, scene.truth) == ""
    kill = acts.TimeoutReveal(scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x))
    assert scene.arena.play(E1, kill) == "TooEarly"
    assert_truth_wins(scene)


def test_V2c_three_attackers_cannot_close_the_true_end(scene: Scene) -> None:
    scene.claim(E1, scene.x)
    scene.at(1)
    scene.claim(E2, scene.truth)
    scene.kill(E1, scene.x, E2)
    scene.watch(limit=T - 2)
    assert HONEST not in scene.arena.state.stakers
    assert scene.claim(E3, scene.x) == ""
    scene.at(T)
    assert scene.claim(HONEST, scene.truth) == ""
    # X was born again a second ago: its first life does not count against anybody
    kill = acts.TimeoutReveal(scene.claim_id(HONEST, scene.truth), scene.claim_id(E3, scene.x))
    assert scene.arena.play(E3, kill) == "TooEarly"
    assert_truth_wins(scene)


def test_V3_a_dead_opponent_times_nobody_out(scene: Scene) -> None:
    scene.claim(E2, scene.x)
    scene.claim(E1, scene.truth)
    scene.claim(HONEST, scene.truth)
    scene.reveal(HONEST, scene.truth)
    scene.reveal(E2, scene.x)
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E2, scene.x)
    assert scene.open(E2, honest, evil, honest) == ""
    scene.kill(E2, scene.x, E1)
    scene.at(3 * T)
    assert scene.arena.play(E1, acts.Timeout(scene.match(honest, evil).claims)) == "ClaimNotLive"
    assert not scene.arena.state.stakers[HONEST].out


def test_V4_a_dead_rival_costs_a_lazy_claim_nothing(scene: Scene) -> None:
    scene.claim(E2, scene.x)
    scene.claim(E1, scene.truth)
    scene.claim(HONEST, scene.truth)
    scene.kill(E2, scene.x, E1)
    scene.at(T)
    kill = acts.TimeoutReveal(scene.claim_id(HONEST, scene.truth), scene.claim_id(E2, scene.x))
    assert scene.arena.play(E1, kill) == "ClaimNotLive"


def test_V5_no_bond_is_lost_after_the_decision(scene: Scene) -> None:
    scene.claim(HONEST, scene.truth)
    scene.claim(E1, scene.truth)
    scene.claim(E2, scene.x)
    scene.kill(E2, scene.x, E1)
    scene.at(T + 2)
    assert scene.arena.play(E1, acts.Confirm(scene.node(scene.truth))) == ""
    kill = acts.TimeoutReveal(scene.claim_id(HONEST, scene.truth), scene.claim_id(E2, scene.x))
    assert scene.arena.play(E1, kill) == "ClaimNotLive"
    assert scene.claim(E3, scene.x) == "RoundClosed"
    assert scene.arena.play(HONEST, acts.Withdraw()) == ""


def test_V6_who_reveals_too_late_has_a_clock_of_zero_and_dies(scene: Scene) -> None:
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    scene.reveal(HONEST, scene.truth)
    scene.at(T + 3)
    assert scene.reveal(E1, scene.x) == ""
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x)
    assert scene.open(HONEST, honest, evil, evil) == ""
    match = scene.match(honest, evil)
    assert match.clocks[scene.side(evil, honest)] == 0
    assert scene.arena.play(HONEST, acts.Timeout(match.claims)) == ""
    assert scene.arena.state.stakers[E1].out


def test_V7_one_bond_is_split_once(scene: Scene) -> None:
    lie = StepLiar(PARAMETERS, INPUTS, target=4, step=0)  # the truth in the first range, false in the second
    scene.claim(E1, scene.truth)
    parent = scene.node(scene.truth)
    assert scene.claim(E1, lie, parent) == ""
    scene.claim(HONEST, scene.truth)
    scene.claim(HONEST, scene.truth, parent)
    scene.kill(E1, lie, HONEST, parent)
    below, above = scene.claim_id(E1, lie, parent), scene.claim_id(E1, scene.truth)
    claims = scene.arena.state.claims
    assert claims[below].pot == PARAMETERS.bond * 40 // 100
    assert claims[above].status is Status.LIVE
    scene.claim(E2, scene.x)  # a rival above, so that the other claim of the lost bond could be attacked too
    scene.at(T)
    kill = acts.TimeoutReveal(above, scene.claim_id(E2, scene.x))
    assert scene.arena.play(E2, kill) == "ClaimNotLive"
    assert scene.arena.play(E2, acts.Prune(above)) == ""
    assert claims[above].pot == 0
    scene.arena.check_ledger()


def test_V8_a_burnt_bond_cannot_be_withdrawn(scene: Scene) -> None:
    scene.claim(E1, scene.truth)
    scene.claim(E2, scene.x)
    scene.reveal(E2, scene.x)
    scene.claim(HONEST, scene.truth)
    scene.at(T)
    kill = acts.TimeoutReveal(scene.claim_id(E1, scene.truth), scene.claim_id(E2, scene.x))
    assert scene.arena.play(E2, kill) == ""
    assert_truth_wins(scene)
    assert scene.arena.play(E1, acts.Withdraw()) == "NotStaked"
    assert scene.arena.play(E1, acts.Stake()) == "StakerOut"


def test_V9_a_watcher_is_not_locked_out_of_a_child_round(scene: Scene) -> None:
    scene.claim(E1, scene.truth)
    child = scene.node(scene.truth)
    scene.claim(E1, scene.truth, child)
    grandchild = scene.node(scene.truth, child)
    scene.watch(limit=T - 1)
    scene.claim(E2, scene.x)
    scene.watch(limit=1)
    assert scene.claim(E1, StepLiar(PARAMETERS, INPUTS, 7, 0), grandchild) == ""
    assert_truth_wins(scene, GENESIS_ASSERTION)
    assert_truth_wins(scene, child)
    assert_truth_wins(scene, grandchild)


def test_V9b_nor_when_the_true_parent_came_second(scene: Scene) -> None:
    scene.claim(E1, scene.x)
    scene.at(1)
    scene.claim(E2, scene.truth)
    scene.kill(E1, scene.x, E2)
    scene.at(2)
    child = scene.node(scene.truth)
    assert scene.claim(E2, StepLiar(PARAMETERS, INPUTS, 4, 0), child) == ""
    scene.at(T - 1)  # the watcher looks late
    assert_truth_wins(scene, child)


# --------------------------------------------------------------------------------------------------- matches


def begin(scene: Scene, lie: AlphabetProvider, *, honest_first: bool) -> tuple[bytes, bytes]:
    """Both have claimed, revealed and opened; returns the two claims, the honest one first."""
    scene.claim(E1, lie)
    scene.claim(HONEST, scene.truth)
    scene.reveal(E1, lie)
    scene.reveal(HONEST, scene.truth)
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, lie)
    assert scene.open(HONEST, honest, evil, honest if honest_first else evil) == ""
    return honest, evil


def find_input(scene: Scene, *, rejected: bool) -> int:
    """Position in the first range of an input that is (not) rejected."""
    for position in range(4):
        if (scene.truth.openings[position].input_hash[31] % 5 == 0) == rejected:
            return position
    raise AssertionError("choose other inputs")


@pytest.mark.parametrize("honest_first", [True, False])
def test_V10_an_input_that_was_rejected_can_be_defended(honest_first: bool) -> None:
    inputs = [[b"r" + bytes([i]) for i in range(4)], [b"z"]]
    scene = Scene(PARAMETERS, inputs)
    target = find_input(scene, rejected=True)
    assert scene.truth.roots[target] == scene.truth.openings[target].root
    lie = StepLiar(PARAMETERS, inputs, target, 0)
    begin(scene, lie, honest_first=honest_first)
    scene.watch(lambda: scene.arena.state.stakers[E1].out, also=[(E1, lie)])
    assert any(isinstance(act, acts.Prove) and not error for _, _, act, error in scene.arena.log)


def test_V11_a_true_root_with_a_false_chain_cannot_be_committed_to(scene: Scene) -> None:
    lie = LeafLiar(PARAMETERS, INPUTS, 1, rest=b"\x05" * 32)
    begin(scene, lie, honest_first=False)
    scene.watch(lambda: scene.arena.state.stakers[E1].out, also=[(E1, lie)])
    commits = [
        (player, error) for _, player, act, error in scene.arena.log if isinstance(act, acts.CommitTrace)
    ]
    assert (E1, "") not in commits


@pytest.mark.parametrize("honest_first", [True, False])
def test_V12_a_rival_end_without_preimage_does_not_block_the_first_commitment(honest_first: bool) -> None:
    scene = Scene(PARAMETERS, INPUTS)
    history = scene.truth.get_history(0, 2)
    root = scene.x.get_end_root(2)
    assert root is not None
    last = scene.x.get_history(0, 2).last_end
    garbage = History(2, 2, [history.ends[0], keccak(b"no leaf"), history.ends[2], last])
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    evil, honest = scene.claim_id(E1, scene.x), scene.claim_id(HONEST, scene.truth)
    scene.reveal_words(E1, evil, garbage.words(2, 0))
    scene.reveal(HONEST, scene.truth)
    scene.open(HONEST, honest, evil, honest if honest_first else evil)
    for _ in range(4):
        match = scene.match(honest, evil)
        if match.turn is scene.side(evil, honest) and match.height == 2:
            fork = Fork(
                match.claims,
                match.position.round,
                match.position.prev,
                fork_lists(scene, honest, evil, history, garbage),
            )
            assert scene.arena.play(E1, acts.Dissect(fork, garbage.list_at(1, 0))) == ""
        scene.arena.look_and_act(HONEST, scene.truth)
        scene.arena.now += 1
    if honest_first:  # one dissection: the liar's; the honest side commits first
        assert scene.arena.state.stakers[HONEST].out is False
    scene.watch(lambda: scene.arena.state.stakers[E1].out)


def fork_lists(
    scene: Scene, honest: bytes, evil: bytes, truth: History, lie: History
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The lists of both sides where their match stands, in its order."""
    match = scene.match(honest, evil)
    ours, theirs = truth.list_at(match.height, match.start), lie.list_at(match.height, match.start)
    return (ours, theirs) if honest < evil else (theirs, ours)


def test_V14_a_child_list_must_end_where_its_parent_said(scene: Scene) -> None:
    history = scene.truth.get_history(0, 2)
    top = list(history.words(2, 0))
    false_end = scene.x.get_history(0, 2).last_end
    forged = (*top[:3], false_end)  # the honest child, another end
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    evil, honest = scene.claim_id(E1, scene.x), scene.claim_id(HONEST, scene.truth)
    assert scene.reveal_words(E1, evil, forged) == ""
    scene.reveal(HONEST, scene.truth)
    scene.open(HONEST, honest, evil, evil)
    match = scene.match(honest, evil)
    lists = (tuple(top), forged) if honest < evil else (forged, tuple(top))
    fork = Fork(match.claims, match.position.round, match.position.prev, lists)
    assert scene.arena.play(E1, acts.Dissect(fork, history.list_at(1, 2))) == "WrongEnd"
    scene.watch(lambda: scene.arena.state.stakers[E1].out)


@pytest.mark.parametrize("honest_first", [True, False])
def test_V16_a_copied_child_with_another_end_is_a_difference(honest_first: bool) -> None:
    scene = Scene(PARAMETERS, INPUTS)
    top = list(scene.truth.get_history(0, 2).words(2, 0))
    forged = (*top[:3], scene.x.get_history(0, 2).last_end)
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    evil, honest = scene.claim_id(E1, scene.x), scene.claim_id(HONEST, scene.truth)
    scene.reveal_words(E1, evil, forged)
    scene.reveal(HONEST, scene.truth)
    scene.open(HONEST, honest, evil, honest if honest_first else evil)
    scene.watch(lambda: scene.arena.state.stakers[E1].out)
    assert not scene.arena.state.stakers[HONEST].out


def reach_commitments(scene: Scene, lie: AlphabetProvider, *, honest_first: bool) -> tuple[bytes, bytes]:
    """Both dissect until somebody has to commit to a trace."""
    honest, evil = begin(scene, lie, honest_first=honest_first)
    for _ in range(10):
        match = scene.match(honest, evil)
        if match.height == 1:
            return honest, evil
        player, provider = (E1, lie) if match.turn is scene.side(evil, honest) else (HONEST, scene.truth)
        scene.arena.look_and_act(player, provider)
    raise AssertionError("no commitment was reached")


def test_V15_the_honest_trace_cannot_be_committed_to_by_the_liar(scene: Scene) -> None:
    lie = StepLiar(PARAMETERS, INPUTS, 1, 0)
    honest, evil = reach_commitments(scene, lie, honest_first=True)
    (commit,) = [a for a in scene.arena.plan(E1, lie).acts if isinstance(a, acts.CommitTrace)]
    trace = scene.truth.get_trace(0, 1)
    copied = acts.CommitTrace(commit.fork, commit.opening, commit.next_root, trace.words(4, 0))
    assert scene.arena.play(E1, copied) == "WrongEnd"
    other_root = acts.CommitTrace(commit.fork, commit.opening, scene.truth.roots[1], trace.words(4, 0))
    assert scene.arena.play(E1, other_root) == "WrongLeaf"
    assert scene.match(honest, evil).height == 1


class RestartLiar(StepLiar):
    """Lets the machine stop as it should, and go on one step later."""

    def get_trace(self, start: int, position: int) -> History:
        true = AlphabetProvider.get_trace(self, start, position)
        if position != self.target:
            return true
        opening = self.openings[position]
        root = AlphabetProvider.apply(self, opening.root, opening.input_hash)
        ends = [*true.ends[:-1], compute_final_state(root), compute_final_state(self.roots[position])]
        return History(true.arity, true.height, ends)


@pytest.mark.parametrize("honest_first", [True, False])
def test_V17_a_machine_that_has_stopped_can_be_stepped(honest_first: bool) -> None:
    scene = Scene(PARAMETERS, INPUTS)
    lie = RestartLiar(PARAMETERS, INPUTS, 1, 0)
    begin(scene, lie, honest_first=honest_first)
    scene.watch(lambda: scene.arena.state.stakers[E1].out, also=[(E1, lie)])
    (proof,) = [a.proof for _, _, a, error in scene.arena.log if isinstance(a, acts.Prove) and not error]
    assert len(proof) == 32  # it opened a stopped machine: its root alone


def test_V18_a_trace_must_end_in_a_stopped_machine(scene: Scene) -> None:
    lie = StepLiar(PARAMETERS, INPUTS, 1, 0)
    reach_commitments(scene, lie, honest_first=True)
    (commit,) = [a for a in scene.arena.plan(E1, lie).acts if isinstance(a, acts.CommitTrace)]
    running = History(2, 4, [keccak(bytes([i])) for i in range(16)])
    forged = acts.CommitTrace(commit.fork, commit.opening, commit.next_root, running.words(4, 0))
    assert scene.arena.play(E1, forged) == "WrongEnd"


# ---------------------------------------------------------------------------------------------------- ranges


def test_V19_an_assertion_made_for_another_range_or_history_costs_nothing(scene: Scene) -> None:
    state = scene.arena.state
    root = scene.truth.get_end_root(2)
    assert root is not None
    scene.arena.play(HONEST, acts.Stake())
    wrong_range = acts.AssertState(GENESIS_ASSERTION, root, 1, state.batches[1].accumulator)
    assert scene.arena.play(HONEST, wrong_range) == "UnexpectedRange"
    reorganised = acts.AssertState(GENESIS_ASSERTION, root, 2, keccak(b"another history"))
    assert scene.arena.play(HONEST, reorganised) == "WrongHistory"
    state.rounds[GENESIS_ASSERTION].to = len(state.batches)
    to_come = acts.AssertState(GENESIS_ASSERTION, root, len(state.batches), ZERO)
    assert scene.arena.play(HONEST, to_come) == "RangeNotSealed"
    assert state.claims == {}
    assert state.stakers[HONEST].bond == PARAMETERS.bond


def test_V20_a_new_assertion_waits_unless_its_range_is_full() -> None:
    slow = Parameters(arity=2, input_height=2, step_height=4, challenge_period=T, grace=2, min_period=5)
    scene = Scene(slow, [[b"a", b"b"], [b"c", b"d"], [b"e"]])
    assert scene.arena.state.rounds[GENESIS_ASSERTION].full
    assert scene.claim(E1, scene.truth) == ""
    child = scene.node(scene.truth)
    assert not scene.arena.state.rounds[child].full
    scene.at(4)
    assert scene.claim(E1, scene.truth, child) == "TooEarly"
    scene.at(5)
    assert scene.claim(E1, scene.truth, child) == ""


# ----------------------------------------------------------------------------------------------------- money


def test_V21_sniping_the_last_blow_does_not_take_the_refund() -> None:
    scene = Scene(PARAMETERS, INPUTS)
    lie = StepLiar(PARAMETERS, INPUTS, 1, 0)
    honest, evil = begin(scene, lie, honest_first=True)
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
    assert claims[honest].credit == moves * 150_000 * (BASE_FEE + 2 * 10**9)
    assert scene.arena.play(HONEST, acts.Collect(honest, evil)) == "NothingToCollect"


def test_V22_one_bond_stands_on_one_end_of_a_round(scene: Scene) -> None:
    scene.claim(E1, scene.truth)
    assert scene.claim(E1, scene.x) == "WrongBranch"
    child = scene.node(scene.truth)
    assert scene.claim(E1, scene.truth, child) == ""
    assert scene.claim(E1, StepLiar(PARAMETERS, INPUTS, 4, 0), child) == "WrongBranch"
    scene.at(T)
    assert scene.arena.play(E1, acts.Confirm(scene.node(scene.truth))) == ""
    assert scene.claim(E1, StepLiar(PARAMETERS, INPUTS, 4, 0), child) == "WrongBranch"


def test_V23_nobody_stands_below_a_claim_that_is_not_its_own(scene: Scene) -> None:
    scene.claim(E1, scene.truth)
    child = scene.node(scene.truth)
    assert scene.claim(HONEST, scene.truth, child) == "WrongBranch"
    assert scene.claim(HONEST, scene.truth) == ""
    assert scene.claim(HONEST, scene.truth, child) == ""


def test_the_toy_inputs_are_long_enough_to_be_disputed(scene: Scene) -> None:
    assert any(get_steps(opening.input_hash) > 2 for opening in scene.truth.openings[:4])
    assert (
        compute_list_hash(scene.truth.get_history(0, 2).words(2, 0), 2) == scene.truth.get_history(0, 2).root
    )

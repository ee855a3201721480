"""Scenarios 16 to 30: clocks, censorship, outages and reorgs; parents and children; the end of a match."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from challenger.game.types import Match, Stage
from challenger.strategy import acts
from optimist.base.merkle import ZERO
from tests.actors.actor import Actor, assert_hero_won, play
from tests.actors.crowds import SelfDisputer, SybilSwarm
from tests.actors.honest import Hero, Proposer
from tests.actors.liars import LastSecondMover, LateJoiner, Liar, Staller
from tests.actors.mempool import Censor
from tests.support.alphabet_liar import PaddingLiar
from tests.support.arena import address
from tests.support.mirror import compile_game
from tests.support.plays import get_replay
from tests.support.scene import E1, E2, HONEST, PARAMETERS, SLOT, Scene, T
from tests.support.spoiling import Cut

GRACE = PARAMETERS.grace
LATENCY = 4 * SLOT  # s that the hero needs at most: join, reveal, open, end
CENSORED = 5 * SLOT  # s of blocks without the hero that the parameters of these scenes leave room for


@pytest.fixture
def scene() -> Scene:
    return Scene()


def time_alone() -> int:
    """Seconds until a round without any rival is confirmed."""
    return play(Scene(), [Proposer()])


# ------------------------------------------------------------------------------------------------ s16 to s21


def test_s16_joining_at_the_last_second_gives_no_allowance(scene: Scene) -> None:
    seconds = play(scene, [LateJoiner(), Proposer()])
    assert_hero_won(scene)
    assert scene.is_out(E1)
    (match,) = scene.arena.state.matches.values()
    evil = scene.claim_id(E1, scene.x)
    assert match.clocks[match.claims.index(evil)] == 1  # of T, for it came T - 1 after the truth
    assert seconds <= time_alone() + LATENCY + GRACE


def test_s16_measured_from_its_own_claim_it_would_have_a_whole_period() -> None:
    old = "rival_born = self.state.nodes[self.state.claims[rival_id].node].born"
    scene = Scene(cuts=[Cut(old, "rival_born = self.state.nodes[self.state.claims[claim_id].node].born")])
    seconds = play(scene, [LateJoiner(), Proposer()])
    assert seconds > time_alone() + T // 2


def test_s17_a_liar_that_never_moves_dies_with_its_allowance(scene: Scene) -> None:
    seconds = play(scene, [Staller(), Hero()])
    assert_hero_won(scene)
    assert scene.is_out(E1)
    assert scene.count(acts.Timeout, by=HONEST) == 1
    assert T <= seconds <= T + LATENCY + GRACE


def test_s18_moving_at_the_last_second_uses_one_allowance_up_once(scene: Scene) -> None:
    seconds = play(scene, [LastSecondMover(), Hero()])
    assert_hero_won(scene)
    assert scene.is_out(E1)
    assert scene.count(acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace, by=E1) >= 1
    assert seconds <= T + LATENCY + GRACE


def test_s18_a_fresh_clock_for_every_move_would_multiply_the_delay() -> None:
    scene = Scene(cuts=[Cut("clocks[match.turn] -= now - match.last", "clocks[match.turn] -= 0")])
    assert play(scene, [LastSecondMover(), Hero()]) > 2 * T


def test_s19_a_hundred_sybils_delay_no_more_than_one() -> None:
    seconds = {}
    for count in (1, 100):
        scene = Scene()
        swarm = SybilSwarm([address(2_000 + i) for i in range(count)], active=False)
        seconds[count] = play(scene, [swarm, Hero()])
        assert_hero_won(scene)
        assert sum(map(scene.is_out, swarm.accounts)) == count
        assert scene.count(acts.Stake, by=HONEST) == 1
    assert seconds[100] == seconds[1]


def test_s19_nor_do_a_dozen_who_play_every_move() -> None:
    seconds = []
    for count in (1, 12):
        scene = Scene()
        swarm = SybilSwarm([address(2_000 + i) for i in range(count)])
        seconds.append(play(scene, [swarm, Hero()]))
        assert_hero_won(scene)
        assert sum(map(scene.is_out, swarm.accounts)) == count
    assert seconds[1] == seconds[0]


def test_s20_sybils_that_come_later_have_less_time(scene: Scene) -> None:
    count = 100
    swarm = SybilSwarm([address(2_000 + i) for i in range(count)], spread=T - SLOT, active=False)
    seconds = play(scene, [swarm, Proposer()])
    assert_hero_won(scene)
    assert seconds <= time_alone() + LATENCY + GRACE
    state, allowances = scene.arena.state, {}
    for match in state.matches.values():
        for claim, clock in zip(match.claims, match.clocks, strict=True):
            if state.claims[claim].owner != HONEST:
                allowances[state.claims[claim].revealed_at - scene.start] = clock
    assert len(allowances) > 10
    assert all(clock == T - joined for joined, clock in allowances.items())
    assert sum(map(scene.is_out, swarm.accounts)) == count


def test_s21_losing_on_purpose_gains_neither_time_nor_money(scene: Scene) -> None:
    disputer = SelfDisputer(*(address(300 + i) for i in range(4)))
    seconds = play(scene, [disputer, Proposer()])
    assert_hero_won(scene)
    assert seconds <= time_alone() + GRACE
    play(scene, [disputer, Proposer()], until=lambda: scene.second >= seconds + 3 * SLOT)
    lost = 3 * PARAMETERS.bond
    assert sum(map(scene.is_out, disputer.accounts)) == 3
    assert -lost <= scene.stage.get_profit(*disputer.accounts) <= -lost // 2
    assert scene.stage.get_profit(HONEST) == 0


# ------------------------------------------------------------------------------------------------ s22 to s24


@pytest.mark.parametrize("since", range(0, 6 * SLOT, SLOT))
def test_s22_censored_for_as_long_as_allowed_the_hero_wins(scene: Scene, since: int) -> None:
    censor = Censor(CENSORED, when=lambda at, _: at.second >= since)
    seconds = play(scene, [Liar(), censor, Hero()])
    assert len(censor.blocks) > 0
    assert_hero_won(scene)
    assert scene.is_out(E1)
    assert seconds <= T + CENSORED + LATENCY + GRACE


def test_s22_censored_for_a_whole_period_it_could_not_be_heard(scene: Scene) -> None:
    """The assumption is needed: who is kept out of every block until the round closes has lost it."""
    with pytest.raises(AssertionError, match="a false end was confirmed"):
        play(scene, [Liar(), Censor(T + SLOT), Hero()])


Reach = Callable[[Match], bool]
AT_LEAF = 1


def reach_dissect(match: Match) -> bool:
    return match.height == 2 and match.stage is Stage.INPUTS


def reach_first_commitment(match: Match) -> bool:
    return match.height == AT_LEAF and match.stage is Stage.INPUTS


def reach_second_commitment(match: Match) -> bool:
    return match.stage is Stage.HALF


def reach_proof(match: Match) -> bool:
    return match.height == AT_LEAF and match.stage is Stage.STEPS


DEADLINES: dict[str, tuple[Reach, bool, type]] = {  # where, who moves first, the act of the honest side then
    "dissect": (reach_dissect, True, acts.Dissect),
    "commitTrace": (reach_first_commitment, False, acts.CommitTrace),
    "commitSecondTrace": (reach_second_commitment, True, acts.CommitSecondTrace),
    "prove": (reach_proof, True, acts.Prove),
    "provePadding": (reach_first_commitment, False, acts.ProvePadding),
}


def get_to(scene: Scene, name: str) -> tuple[acts.Act, Match]:
    reach, honest_first, kind = DEADLINES[name]
    lie = PaddingLiar(PARAMETERS, scene.inputs, 2, 3) if kind is acts.ProvePadding else scene.lie(2, 0)
    claims = scene.begin(lie, honest_first=honest_first)
    match = scene.advance_to(lie, claims, reach)
    (move,) = [act for act in scene.arena.plan(HONEST, scene.truth).acts if isinstance(act, kind)]
    return move, match


def make_scene(name: str, *cuts: Cut) -> Scene:
    rows = [[b"\x05a", b"\x05b"]] if name == "provePadding" else None
    return Scene(rows=rows, cuts=cuts) if rows else Scene(cuts=cuts)


@pytest.mark.parametrize("name", DEADLINES)
def test_s23_at_every_second_a_move_or_a_timeout_is_valid_never_both_never_neither(name: str) -> None:
    scene = make_scene(name)
    move, match = get_to(scene, name)
    timeout = acts.Timeout(match.claims)
    last_second = match.last + match.clocks[match.turn] - 1
    for second, expected in ((last_second, ("", "NotLate")), (last_second + 1, ("Late", ""))):
        scene.arena.now = second
        answers = []
        for act in (move, timeout):
            undo = scene.stage.remember()
            answers.append(scene.arena.play(HONEST, act))
            undo()
        assert tuple(answers) == expected


def test_s23_one_second_of_both_would_let_the_order_in_a_block_decide() -> None:
    scene = make_scene(
        "dissect", Cut("if not is_in_time(now, match.last, clock):", "if now - match.last > clock:")
    )
    move, match = get_to(scene, "dissect")
    scene.arena.now = match.last + match.clocks[match.turn]
    assert scene.arena.play(HONEST, move) == ""  # and a timeout would have been taken as well


@pytest.mark.parametrize("honest_first", [True, False])
def test_s24_only_the_side_on_turn_can_be_timed_out(scene: Scene, honest_first: bool) -> None:
    """Both clocks are at 0; still one of them dies, not both, and not the one that has nothing to do."""
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    scene.at(2 * T)
    scene.reveal(E1, scene.x)
    scene.reveal(HONEST, scene.truth)
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.x)
    assert scene.open(E2, honest, evil, honest if honest_first else evil) == ""
    match = scene.match(honest, evil)
    assert match.clocks == (0, 0)
    assert scene.arena.play(E2, acts.Timeout(match.claims)) == ""
    assert (scene.is_out(HONEST), scene.is_out(E1)) == (honest_first, not honest_first)
    assert scene.arena.play(E2, acts.Timeout(match.claims)) == "ClaimNotLive"
    assert scene.arena.state.rounds[scene.base].live_ends == 1  # somebody is always left


# ------------------------------------------------------------------------------------------------ s25 to s27


def count_slots(*cast: Actor) -> int:
    return play(Scene(), list(cast)) // SLOT


@pytest.mark.parametrize("slot", range(6))
def test_s25_moves_that_a_reorg_drops_and_replays_backwards_do_no_harm(scene: Scene, slot: int) -> None:
    cast = [Liar(lambda s: s.lie(2, 0)), Hero()]
    play(scene, cast, until=lambda: scene.second >= slot * SLOT)
    undo, before = scene.stage.remember(), len(scene.arena.log)
    now = scene.arena.now
    for _ in range(2):
        scene.arena.now += SLOT
        play(scene, cast, until=lambda: True)
    dropped = [(who, act) for _, who, act, error in scene.arena.log[before:] if not error]
    assert dropped
    undo()
    scene.arena.now = now + SLOT
    for who, act in reversed(dropped):
        scene.arena.play(who, act)  # lands, or reverts by name; the mirror would tell a panic
    play(scene, cast)
    assert_hero_won(scene)
    assert scene.is_out(E1)
    scene.stage.compare()


def test_s26_a_match_against_a_claim_that_a_reorg_dropped_is_no_match(scene: Scene) -> None:
    scene.claim(HONEST, scene.truth)
    undo = scene.stage.remember()
    lie, other = scene.lie(2, 0), scene.lie(2, 0, salt=8)
    scene.claim(E1, lie)
    scene.reveal(E1, lie)
    scene.reveal(HONEST, scene.truth)
    honest, evil = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, lie)
    opening = acts.OpenMatch(min(honest, evil), max(honest, evil), honest)
    assert scene.arena.play(HONEST, opening) == ""
    (move,) = [act for act in scene.arena.plan(HONEST, scene.truth).acts if isinstance(act, acts.Dissect)]
    undo()
    assert scene.claim(E1, other) == ""  # in the new history it has claimed something else
    assert scene.reveal(E1, other) == ""
    scene.reveal(HONEST, scene.truth)
    assert scene.arena.play(HONEST, opening) == "ClaimNotLive"
    assert scene.arena.play(HONEST, move) == "UnknownMatch"
    assert scene.open(HONEST, honest, scene.claim_id(E1, other), honest) == ""
    assert scene.arena.play(HONEST, move) == "UnknownMatch"  # a move names its claims, never a number
    scene.assert_truth_wins()


@pytest.mark.parametrize("slot", range(7))
def test_s27_hours_without_blocks_are_only_time(scene: Scene, slot: int) -> None:
    cast = [Liar(), Hero()]
    play(scene, cast, until=lambda: scene.second >= slot * SLOT)
    scene.arena.now += CENSORED // SLOT * SLOT  # nobody can do anything
    seconds = play(scene, cast)
    assert_hero_won(scene)
    assert scene.is_out(E1)
    assert seconds <= T + CENSORED + LATENCY + GRACE


def test_s27_nobody_can_stop_or_stretch_the_clocks() -> None:
    changing = {"nonpayable", "payable"}
    names = {
        entry["name"]
        for contract in ("Rollup", "Dispute", "Inbox", "Vault")
        for entry in compile_game()[contract].abi
        if entry["type"] == "function" and entry["stateMutability"] in changing
    }
    assert "confirm" in names
    switches = re.compile("pause|extend|owner|upgrade|guardian|admin|set(?!Operator)|freeze", re.IGNORECASE)
    assert [name for name in names if switches.search(name)] == []


# ------------------------------------------------------------------------------------------------ s28 to s30


def test_s28_a_child_is_disputed_at_once_and_confirmed_after_its_parent(scene: Scene) -> None:
    scene.claim(E1, scene.truth)
    child = scene.node(scene.truth)
    lie = scene.lie(5, 0)
    assert scene.claim(E1, lie, child) == ""
    scene.claim(HONEST, scene.truth)
    scene.claim(HONEST, scene.truth, child)
    scene.watch(lambda: scene.is_out(E1), also=[(E1, lie)])
    assert scene.second < T // 2  # long before the parent is confirmed
    grandchild = scene.node(scene.truth, child)
    assert scene.arena.play(E1, acts.Confirm(grandchild)) == "ParentUnconfirmed"
    scene.at(T)
    assert scene.arena.play(E1, acts.Confirm(grandchild)) == "ParentUnconfirmed"
    assert scene.arena.play(E1, acts.Confirm(child)) == ""
    assert scene.arena.play(E1, acts.Confirm(grandchild)) == ""


def build_on_a_lie(scene: Scene, builders: int) -> tuple[bytes, list[bytes]]:
    """Claims on X, and on children of X that differ; the parent and the owners."""
    owners = [address(700 + i) for i in range(builders)]
    parent = scene.node(scene.x)
    for number, owner in enumerate(owners):
        assert scene.claim(owner, scene.x) == ""
        assert scene.claim(owner, scene.lie(6, 0, salt=number + 1), parent) == ""
    return parent, owners


def test_s29_what_was_built_on_a_rejected_parent_is_void(scene: Scene) -> None:
    parent, owners = build_on_a_lie(scene, 3)
    below = [claim for claim, found in scene.arena.state.claims.items() if found.node != parent]
    play(scene, [Hero()])  # nobody defends X
    assert_hero_won(scene)
    assert all(map(scene.is_out, owners))
    children = [node for node, found in scene.arena.state.nodes.items() if found.parent == parent]
    assert len(children) == 3
    assert not scene.arena.rollup.is_open(parent)
    assert scene.claim(E2, scene.truth) == "RoundClosed"
    late = [scene.arena.play(E2, acts.Confirm(node)) for node in children]
    assert set(late) == {"ParentUnconfirmed"}  # for ever: a rejected parent is never confirmed
    left, right = sorted(below[:2])
    assert scene.arena.play(E2, acts.OpenMatch(left, right, left)) == "ClaimNotLive"
    assert scene.arena.play(E2, acts.TimeoutReveal(left, right)) == "ClaimNotLive"
    words = scene.truth.get_history(2, 3).words(2, 0)
    assert scene.arena.play(owners[0], acts.Reveal(below[0], words)) == "ClaimNotLive"
    assert [scene.arena.play(owner, acts.Withdraw()) for owner in owners] == ["NotStaked"] * 3
    scene.arena.check_ledger()


def test_s29_rejecting_costs_the_same_however_much_was_built() -> None:
    assert measure_rejection(1) == measure_rejection(12)


def measure_rejection(builders: int) -> int:
    """Gas of the confirmation that rejects X and all that stands on it."""
    scene = Scene()
    build_on_a_lie(scene, builders)
    asked = scene.arena.state.rounds[scene.base]
    scene.watch(lambda: asked.live_ends == 1 and scene.second > T)
    scene.at(scene.second + GRACE)
    assert scene.arena.play(HONEST, acts.Confirm(scene.node(scene.truth))) == ""
    return scene.stage.get_gas_used()


def test_s30_nothing_can_be_played_after_a_match_is_decided(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    claims = scene.begin(lie, honest_first=True)
    scene.watch(lambda: scene.is_out(E1), also=[(E1, lie)])
    moves = [(who, act) for who, act in get_replay(scene) if is_move(act)]
    assert {type(act) for _, act in moves} >= {
        acts.Dissect,
        acts.CommitTrace,
        acts.CommitSecondTrace,
        acts.Prove,
    }
    for closed in (False, True):
        if closed:
            scene.assert_truth_wins()
        for who, act in moves:
            assert scene.arena.play(who, act) == "ClaimNotLive", act
        assert scene.arena.play(HONEST, acts.Timeout(scene.match(*claims).claims)) == "ClaimNotLive"
    scene.arena.check_ledger()


def is_move(act: acts.Act) -> bool:
    kinds = acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace | acts.Prove | acts.ProvePadding
    return isinstance(act, kinds)


def test_s30_what_a_dead_match_holds_is_worth_nothing(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    claims = scene.begin(lie, honest_first=True)
    scene.watch(lambda: scene.is_out(E1), also=[(E1, lie)])
    spent = replace(scene.match(*claims))
    assert scene.arena.play(E1, acts.Collect(claims[1], claims[0])) == "StakerOut"
    assert scene.match(*claims) == spent
    assert scene.confirmed() == ZERO

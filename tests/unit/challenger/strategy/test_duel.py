"""The honest strategy against one liar of each kind: the lie dies by a check that L1 makes."""

import itertools
from dataclasses import replace

import pytest

from challenger.game.types import Parameters, Stage, Status
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider, get_steps
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION
from tests.support.alphabet_liar import EndlessLiar, GarbageLiar, LeafLiar, PaddingLiar, StepLiar
from tests.support.arena import Arena, address

HONEST, LIAR = address(1), address(2)
PARAMETERS = Parameters(arity=2, input_height=3, step_height=4, challenge_period=40, grace=2, min_period=1)
# Two batches in the first range (8 positions hold 5 inputs and three of padding), one in the second.
INPUTS = [[b"a"], [b"b", b"c", b"d", b"e"], [b"f", b"g", b"h", b"i"]]


def play(liar: AlphabetProvider, *, liar_first: bool = True, ticks: int = 90) -> Arena:
    """The liar asserts; both look every second and do all they can, in either order."""
    truth = AlphabetProvider(PARAMETERS, INPUTS)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches)
    arena.now = 10
    asked = arena.state.rounds[GENESIS_ASSERTION]
    end_root = liar.get_end_root(asked.to)
    assert end_root is not None
    arena.play(LIAR, acts.Stake())
    accumulator = truth.batches[asked.to].accumulator
    assert arena.play(LIAR, acts.AssertState(GENESIS_ASSERTION, end_root, asked.to, accumulator)) == ""
    players = [(LIAR, liar), (HONEST, truth)]
    for _ in range(ticks):
        for player, provider in players if liar_first else reversed(players):
            if isinstance(provider, GarbageLiar):
                continue
            arena.look_and_act(player, provider)
            arena.check_ledger()
        arena.now += 1
    return arena


def landed(arena: Arena, kind: type) -> list[bytes]:
    """Who landed acts of one kind."""
    return [sender for _, sender, act, error in arena.log if isinstance(act, kind) and not error]


def assert_truth_won(arena: Arena) -> None:
    truth = AlphabetProvider(PARAMETERS, INPUTS)
    asked = arena.state.rounds[GENESIS_ASSERTION]
    confirmed = arena.state.nodes[asked.confirmed]
    assert asked.confirmed != ZERO
    assert confirmed.end == truth.get_history(0, asked.to).last_end
    assert arena.state.stakers[LIAR].out
    assert not arena.state.stakers[HONEST].out
    dead = [claim for claim in arena.state.claims.values() if claim.status is Status.DEAD]
    assert [claim.owner for claim in dead] == [LIAR]


STEPS = [
    (target, step, liar_first)
    for target, step, liar_first in itertools.product(range(5), range(13), (True, False))
    if step < get_steps(AlphabetProvider(PARAMETERS, INPUTS).openings[target].input_hash)
]


@pytest.mark.parametrize(("target", "step", "liar_first"), STEPS)
def test_a_false_step_of_any_input_is_proven(target: int, step: int, liar_first: bool) -> None:
    arena = play(StepLiar(PARAMETERS, INPUTS, target, step), liar_first=liar_first)
    assert_truth_won(arena)
    proofs = [act for _, _, act, error in arena.log if isinstance(act, acts.Prove) and not error]
    assert len(proofs) == 1
    assert len(landed(arena, acts.Dissect)) == PARAMETERS.input_height - 1 + PARAMETERS.step_height - 1


@pytest.mark.parametrize("target", range(5))
def test_a_machine_that_never_stops_is_proven_wrong(target: int) -> None:
    arena = play(EndlessLiar(PARAMETERS, INPUTS, target, step=0))
    assert_truth_won(arena)
    assert landed(arena, acts.Prove)


@pytest.mark.parametrize("position", [5, 6, 7])
@pytest.mark.parametrize("liar_first", [True, False])
def test_a_change_past_the_last_input_is_decided_without_the_machine(position: int, liar_first: bool) -> None:
    arena = play(PaddingLiar(PARAMETERS, INPUTS, 2, position), liar_first=liar_first)
    assert_truth_won(arena)
    assert landed(arena, acts.ProvePadding)
    assert not landed(arena, acts.Prove)


@pytest.mark.parametrize("target", range(4))
@pytest.mark.parametrize(("batch_delta", "rest"), [(1, None), (-1, None), (0, b"\x07" * 32), (0, bytes(32))])
@pytest.mark.parametrize("liar_first", [True, False])
def test_a_leaf_of_another_batch_or_chain_cannot_be_committed_to(
    target: int, batch_delta: int, rest: bytes | None, liar_first: bool
) -> None:
    liar = LeafLiar(PARAMETERS, INPUTS, target, batch_delta=batch_delta, rest=rest)
    arena = play(liar, liar_first=liar_first)
    assert_truth_won(arena)
    dies_by_the_clock = bool(landed(arena, acts.Timeout))
    assert dies_by_the_clock or landed(arena, acts.Prove)


def test_an_end_without_a_history_dies_after_the_challenge_period() -> None:
    arena = play(GarbageLiar(PARAMETERS, INPUTS))
    assert_truth_won(arena)
    assert landed(arena, acts.TimeoutReveal) == [HONEST]


def test_the_honest_player_is_paid_for_its_gas_and_its_victory() -> None:
    arena = play(StepLiar(PARAMETERS, INPUTS, 2, 0))
    assert landed(arena, acts.Collect) == [HONEST]
    assert landed(arena, acts.ClaimCredit) == [HONEST]
    assert landed(arena, acts.Withdraw) == [HONEST]
    bounty = PARAMETERS.bond // 10
    moves = sum(
        isinstance(a, acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace) and not e and s == HONEST
        for _, s, a, e in arena.log
    )
    assert arena.paid_out == PARAMETERS.bond + bounty + moves * 150_000 * 32 * 10**9
    arena.check_ledger()


def test_a_plan_depends_on_the_facts_alone() -> None:
    truth, liar = AlphabetProvider(PARAMETERS, INPUTS), StepLiar(PARAMETERS, INPUTS, 3, 0)
    arena = play(liar, ticks=2)
    first, second = arena.plan(HONEST, truth), arena.plan(HONEST, truth)
    assert first == second
    arena.look_and_act(HONEST, truth)
    repeated = [act for act in arena.plan(HONEST, truth).acts if act in first.acts]
    assert repeated == []


PROPOSER = address(3)


def propose(arena: Arena, provider: AlphabetProvider) -> bytes:
    """The proposer claims what it believes and names the honest player its operator; returns the claim."""
    claim = arena.claim(PROPOSER, provider)
    assert arena.play(PROPOSER, acts.SetOperator(claim, HONEST)) == ""
    return claim


def test_an_operator_keeps_the_proposers_claim_alive_as_well() -> None:
    truth, liar = AlphabetProvider(PARAMETERS, INPUTS), StepLiar(PARAMETERS, INPUTS, 2, 1)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches)
    arena.now = 10
    claim = propose(arena, truth)
    asked = arena.state.rounds[GENESIS_ASSERTION]
    arena.play(LIAR, acts.Stake())
    root, accumulator = liar.get_end_root(asked.to), truth.batches[asked.to].accumulator
    assert root is not None
    arena.play(LIAR, acts.AssertState(GENESIS_ASSERTION, root, asked.to, accumulator))
    for _ in range(90):
        arena.look_and_act(HONEST, truth, owners={PROPOSER})
        if not arena.state.stakers[LIAR].out:
            arena.look_and_act(LIAR, liar)
        arena.now += 1
    assert arena.state.stakers[LIAR].out
    assert arena.state.claims[claim].status is Status.LIVE
    assert arena.state.claims[claim].revealed_at > 0
    assert not arena.state.stakers[PROPOSER].out


def test_nobody_becomes_an_operator_without_having_agreed() -> None:
    """Else whoever names us could make us work, at our cost, for claims whose refunds are its own."""
    truth, liar = AlphabetProvider(PARAMETERS, INPUTS), StepLiar(PARAMETERS, INPUTS, 2, 1)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches)
    arena.now = 10
    named = propose(arena, truth)
    asked = arena.state.rounds[GENESIS_ASSERTION]
    arena.play(LIAR, acts.Stake())
    root, accumulator = liar.get_end_root(asked.to), truth.batches[asked.to].accumulator
    assert root is not None
    arena.play(LIAR, acts.AssertState(GENESIS_ASSERTION, root, asked.to, accumulator))
    lie = arena.state.stakers[LIAR].last_claim
    arena.play(LIAR, acts.SetOperator(lie, HONEST))
    assert arena.plan(HONEST, truth).alarms == []  # nor can a liar raise our alarm
    for _ in range(90):
        arena.look_and_act(HONEST, truth)
        arena.look_and_act(LIAR, liar)
        arena.now += 1
    assert arena.state.stakers[LIAR].out
    assert arena.state.claims[named].revealed_at == 0
    assert all(named not in match.claims for match in arena.state.matches.values())


def test_nothing_false_means_no_bond_and_nothing_said() -> None:
    truth = AlphabetProvider(PARAMETERS, INPUTS)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches)
    arena.now = 10
    propose(arena, truth)
    plan = arena.plan(HONEST, truth)
    assert plan.alarms == []
    assert not any(isinstance(act, acts.Stake | acts.AssertState | acts.Reveal) for act in plan.acts)


def test_a_false_claim_in_our_own_name_is_an_alarm_and_is_not_played() -> None:
    truth, liar = AlphabetProvider(PARAMETERS, INPUTS), StepLiar(PARAMETERS, INPUTS, 2, 1)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches)
    arena.now = 10
    claim = propose(arena, liar)
    plan = arena.plan(HONEST, truth, owners={PROPOSER})
    assert any(claim.hex() in alarm for alarm in plan.alarms)
    assert not any(isinstance(act, acts.Reveal) and act.claim == claim for act in plan.acts)
    assert any(isinstance(act, acts.AssertState) for act in plan.acts)


def test_a_history_that_we_cannot_reproduce_is_an_alarm_and_stops_nothing_else() -> None:
    truth, liar = AlphabetProvider(PARAMETERS, INPUTS), StepLiar(PARAMETERS, INPUTS, 2, 1)
    arena = play(liar, ticks=3)
    (match,) = arena.state.matches.values()
    assert match.stage is Stage.INPUTS
    honest = next(i for i, claim in arena.state.claims.items() if claim.owner == HONEST)
    if match.claims[match.turn] != honest:
        arena.look_and_act(LIAR, liar)
    side, nodes = match.claims.index(honest), list(match.position.nodes)
    nodes[side] = b"\x66" * 32  # as if other data had been committed to
    match.position = replace(match.position, nodes=(nodes[0], nodes[1]))
    plan = arena.plan(HONEST, truth)
    assert any("compute another one" in alarm for alarm in plan.alarms), (match, plan)

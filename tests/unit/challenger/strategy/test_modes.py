"""What each mode does, and what it must never do."""

import ast
import inspect
from dataclasses import replace

import pytest

from challenger.game.types import Parameters, Status
from challenger.strategy import acts, helping, rules
from challenger.strategy.modes import DEFEND, MODES, PROPOSE, RESOLVE, WATCH, Mode
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_claim_id
from tests.support.alphabet_liar import GarbageLiar, PaddingLiar, StepLiar
from tests.support.arena import Arena, address

HONEST, LIAR, OWNER = address(1), address(2), address(3)
PARAMETERS = Parameters(arity=2, input_height=2, step_height=4, challenge_period=40, grace=2, min_period=3)
INPUTS = [[b"a"], [b"b", b"c"], [b"d", b"e", b"f"], [b"g"]]


def build(parameters: Parameters = PARAMETERS) -> tuple[Arena, AlphabetProvider]:
    truth = AlphabetProvider(parameters, INPUTS)
    arena = Arena(parameters, MACHINE_RULES, truth.batches)
    arena.now = 10
    return arena, truth


def run(
    arena: Arena, mode: Mode, truth: AlphabetProvider, liar: AlphabetProvider | None, ticks: int = 90
) -> list[acts.Act]:
    """Both look every second; what the honest player has landed."""
    before = len(arena.log)
    for _ in range(ticks):
        for act in arena.plan(HONEST, truth, mode, owners={OWNER}).acts:
            arena.play(HONEST, act)
        if liar is not None:
            arena.look_and_act(LIAR, liar)
        arena.check_ledger()
        arena.now += 1
    return [act for _, who, act, error in arena.log[before:] if who == HONEST and not error]


def test_every_rule_has_a_name_and_a_reason_and_is_in_a_mode() -> None:
    used = {rule.propose for mode in MODES.values() for rule in mode.rules}
    for module in (rules, helping):
        own = {
            f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__
        }
        assert {f for f in own if not f.__name__.startswith("_")} <= used, "a rule that nobody follows"
    for mode in MODES.values():
        names = [rule.name for rule in mode.rules]
        assert len(set(names)) == len(names)
        assert all(len(rule.rationale) > 40 for rule in mode.rules)
        assert len(mode.rationale) > 80


def test_a_mode_needs_a_bond_exactly_when_a_rule_of_it_stakes() -> None:
    for mode in MODES.values():
        sources = "".join(inspect.getsource(rule.propose) for rule in mode.rules)
        calls = {
            ast.unparse(node.func) for node in ast.walk(ast.parse(sources)) if isinstance(node, ast.Call)
        }
        assert ("claim_ends" in calls) == mode.needs_bond, mode.name


def test_watching_does_nothing_and_still_raises_its_alarms() -> None:
    arena, truth = build()
    liar = StepLiar(PARAMETERS, INPUTS, 1, 0)
    arena.claim(LIAR, liar)
    assert run(arena, WATCH, truth, liar) == []
    arena.play(LIAR, acts.Confirm(arena.state.rounds[GENESIS_ASSERTION].xor_live))
    plan = arena.plan(HONEST, truth, WATCH)
    assert any("false end" in alarm for alarm in plan.alarms)
    assert plan.acts == []


def test_defending_without_a_lie_costs_nothing() -> None:
    arena, truth = build()
    arena.claim(OWNER, truth)
    assert run(arena, DEFEND, truth, None) == []


def test_defending_holds_every_undecided_node_above_the_lie_and_takes_the_bond_back() -> None:
    arena, truth = build()
    top = arena.state.claims[arena.claim(OWNER, truth)].node
    arena.now += PARAMETERS.min_period
    arena.claim(OWNER, truth, top)
    liar = StepLiar(PARAMETERS, INPUTS, 4, 0)  # true in the first range, false in the second
    arena.claim(LIAR, liar)
    arena.claim(LIAR, liar, top)
    done = run(arena, DEFEND, truth, liar)
    assert [act.parent for act in done if isinstance(act, acts.AssertState)] == [GENESIS_ASSERTION, top]
    assert arena.state.rounds[top].confirmed != ZERO
    assert arena.state.stakers[LIAR].out
    assert isinstance(done[-1], acts.Withdraw)
    assert arena.state.stakers[HONEST].bond == 0
    assert arena.plan(HONEST, truth).is_resolved


def test_a_bond_is_taken_back_only_when_nothing_stands_on_it() -> None:
    arena, truth = build()
    arena.claim(HONEST, truth)
    for _ in range(PARAMETERS.challenge_period):
        assert not any(isinstance(act, acts.Withdraw) for act in arena.plan(HONEST, truth).acts)
        arena.now += 1
    liar = StepLiar(PARAMETERS, INPUTS, 5, 0)
    node = arena.state.claims[arena.state.stakers[HONEST].last_claim].node
    arena.claim(LIAR, liar)
    arena.claim(LIAR, liar, node)  # a lie in the next round: the bond is needed there
    for act in arena.plan(HONEST, truth).acts:
        arena.play(HONEST, act)
    assert arena.state.rounds[GENESIS_ASSERTION].confirmed == node
    assert not any(isinstance(act, acts.Withdraw) for act in arena.plan(HONEST, truth).acts)


def test_keeping_the_bond_is_leaving_one_rule_out() -> None:
    arena, truth = build()
    arena.play(HONEST, acts.Stake())
    assert arena.plan(HONEST, truth).acts == [acts.Withdraw()]
    keeping = DEFEND.without("withdraw an idle bond")
    assert len(keeping.rules) == len(DEFEND.rules) - 1
    assert arena.plan(HONEST, truth, keeping).acts == []


def test_proposing_asserts_every_range_as_soon_as_l1_takes_it() -> None:
    arena, truth = build()
    done = run(arena, PROPOSE, truth, None, ticks=15)
    asserted = [
        (now, act) for now, _, act, error in arena.log if isinstance(act, acts.AssertState) and not error
    ]
    assert [now for now, _ in asserted] == [10, 10 + PARAMETERS.min_period]
    assert [act for act in done if not isinstance(act, acts.Stake)] == [act for _, act in asserted]
    errors = [error for _, _, _, error in arena.log if error]
    assert errors == [], "it waited for the time at which L1 takes a claim"
    run(arena, PROPOSE, truth, None, ticks=60)
    assert all(asked.confirmed != ZERO for i, asked in arena.state.rounds.items() if asked.to <= len(INPUTS))
    assert arena.state.stakers[HONEST].bond == PARAMETERS.bond, "the next range will need it"


def test_proposing_also_claims_what_another_has_asserted() -> None:
    arena, truth = build()
    node = arena.state.claims[arena.claim(OWNER, truth)].node
    run(arena, PROPOSE, truth, None, ticks=1)
    assert [c.node for c in arena.state.claims.values() if c.owner == HONEST] == [node]


FOR_OTHERS = {
    "step": (StepLiar(PARAMETERS, INPUTS, 1, 0), acts.Timeout),
    "padding": (PaddingLiar(PARAMETERS, INPUTS, 2, 3), acts.ProvePadding),
    "garbage": (GarbageLiar(PARAMETERS, INPUTS), acts.TimeoutReveal),
}


@pytest.mark.parametrize("kind", FOR_OTHERS)
def test_resolving_wins_for_an_owner_who_has_revealed_and_gone(kind: str) -> None:
    """It may dissect, prove, time out and confirm for a claim of somebody else; its owner pulls the money."""
    liar, last_blow = FOR_OTHERS[kind]
    arena, truth = build()
    own = arena.claim(OWNER, truth)
    arena.claim(LIAR, liar)
    history = truth.get_history(0, arena.state.rounds[GENESIS_ASSERTION].to)
    assert arena.play(OWNER, acts.Reveal(own, history.words(history.height, 0))) == ""
    plays = None if isinstance(liar, GarbageLiar) or kind == "step" else liar
    if kind == "step":
        reveal_for(arena, liar)  # and then it falls silent: its clock runs out
    done = run(arena, RESOLVE, truth, plays)
    assert any(isinstance(act, last_blow) for act in done), done
    assert arena.state.stakers[LIAR].out
    assert arena.state.claims[own].status is Status.LIVE
    assert arena.state.rounds[GENESIS_ASSERTION].confirmed == arena.state.claims[own].node
    assert not any(isinstance(act, acts.Stake | acts.AssertState) for act in done)
    assert HONEST not in arena.state.stakers
    if last_blow is not acts.TimeoutReveal:  # that one has no winner
        assert arena.state.claims[own].credit > 0
        assert arena.play(OWNER, acts.ClaimCredit(own)) == ""
    assert not any(isinstance(act, acts.ClaimCredit) for act in done)


def reveal_for(arena: Arena, liar: AlphabetProvider) -> None:
    lie = arena.state.stakers[LIAR].last_claim
    history = liar.get_history(0, arena.state.rounds[GENESIS_ASSERTION].to)
    assert arena.play(LIAR, acts.Reveal(lie, history.words(history.height, 0))) == ""


def test_resolving_cannot_commit_to_a_trace_for_another_and_does_not_try() -> None:
    higher = replace(PARAMETERS, input_height=3)  # dissections of level 1: one by the liar, then one by us
    arena, truth = build(higher)
    liar = StepLiar(higher, INPUTS, 1, 0)
    own = arena.claim(OWNER, truth)
    arena.claim(LIAR, liar)
    history = truth.get_history(0, arena.state.rounds[GENESIS_ASSERTION].to)
    arena.play(OWNER, acts.Reveal(own, history.words(history.height, 0)))
    done = run(arena, RESOLVE, truth, liar, ticks=20)
    assert any(isinstance(act, acts.Dissect) for act in done)
    refused = [error for _, who, _, error in arena.log if who == HONEST and error]
    assert "NotMover" not in refused
    assert "NotOwner" not in refused


def test_resolving_plays_a_claim_that_it_operates_to_the_last_step() -> None:
    arena, truth = build()
    liar = StepLiar(PARAMETERS, INPUTS, 1, 0)
    own = arena.claim(OWNER, truth)
    arena.play(OWNER, acts.SetOperator(own, HONEST))
    arena.claim(LIAR, liar)
    done = run(arena, RESOLVE, truth, liar)
    assert any(isinstance(act, acts.Reveal) for act in done)
    assert any(isinstance(act, acts.CommitTrace) for act in done)
    assert arena.state.claims[own].credit > 0
    assert not any(isinstance(act, acts.ClaimCredit) for act in done), "it would run the owner's code"
    assert arena.state.stakers[LIAR].out
    assert arena.state.claims[own].status is Status.LIVE
    assert arena.state.rounds[GENESIS_ASSERTION].confirmed == arena.state.claims[own].node


COPIES = 4


def test_resolving_opens_and_plays_one_match_for_each_false_claim() -> None:
    """A liar with many claims on the truth, all returned to it, gains no work of ours for them."""
    higher = replace(PARAMETERS, input_height=3)
    arena, truth = build(higher)
    liar = StepLiar(higher, INPUTS, 1, 0)
    history = truth.get_history(0, arena.state.rounds[GENESIS_ASSERTION].to)
    for i in range(COPIES):
        own = arena.claim(address(50 + i), truth)
        assert arena.play(address(50 + i), acts.Reveal(own, history.words(history.height, 0))) == ""
        arena.now += 1
    lie = arena.claim(LIAR, liar)
    false = liar.get_history(0, arena.state.rounds[GENESIS_ASSERTION].to)
    assert arena.play(LIAR, acts.Reveal(lie, false.words(false.height, 0))) == ""
    (opening,) = arena.plan(HONEST, truth, RESOLVE).acts
    assert isinstance(opening, acts.OpenMatch)
    assert arena.play(HONEST, opening) == ""
    assert arena.plan(HONEST, truth, RESOLVE).acts == [], "its match is open, the liar is on turn"
    for i in range(COPIES):  # the liar opens all the others itself, and has us on turn in each
        left, right = sorted(
            (compute_claim_id(arena.state.claims[lie].node, LIAR), _get_claim(arena, 50 + i))
        )
        first = right if left == lie else left
        arena.play(LIAR, acts.OpenMatch(left, right, first))
    arena.look_and_act(LIAR, liar)
    assert len(arena.state.matches) == COPIES
    moves = arena.plan(HONEST, truth, RESOLVE).acts
    assert len(moves) == 1, "the furthest one"
    arena.now += higher.challenge_period + 1
    late = [act for act in arena.plan(HONEST, truth, RESOLVE).acts if isinstance(act, acts.Timeout)]
    assert len(late) <= 1, "one death is enough"


def _get_claim(arena: Arena, number: int) -> bytes:
    return arena.state.stakers[address(number)].last_claim


def test_resolving_leaves_a_claim_alone_whose_history_is_not_the_true_one() -> None:
    """A copy of the true end over a false history is the liar's own: nothing to play for, no alarm either."""
    arena, truth = build()
    own = arena.claim(OWNER, truth)
    liar = StepLiar(PARAMETERS, INPUTS, 1, 0)
    arena.claim(LIAR, liar)
    history = truth.get_history(0, arena.state.rounds[GENESIS_ASSERTION].to)
    words = list(history.words(history.height, 0))
    words[0] = b"\x66" * 32  # the first sub-list: nobody knows what is below it
    assert arena.play(OWNER, acts.Reveal(own, tuple(words))) == ""
    reveal_for(arena, liar)
    lie = arena.state.stakers[LIAR].last_claim
    left, right = sorted((own, lie))
    assert arena.play(LIAR, acts.OpenMatch(left, right, own)) == ""
    plan = arena.plan(HONEST, truth, RESOLVE)
    assert plan.alarms == []
    assert plan.acts == []
    honest = arena.claim(address(60), truth)  # whoever holds the true history as well is helped against it
    assert arena.play(address(60), acts.Reveal(honest, history.words(history.height, 0))) == ""
    (opening,) = arena.plan(HONEST, truth, RESOLVE).acts
    assert isinstance(opening, acts.OpenMatch)
    assert {opening.left, opening.right} == {honest, lie}


def test_nothing_is_resolved_while_a_lie_lives_and_nobody_can_do_anything() -> None:
    arena, truth = build()
    arena.claim(LIAR, GarbageLiar(PARAMETERS, INPUTS))
    plan = arena.plan(HONEST, truth, RESOLVE)  # no true claim to help
    assert plan.acts == []
    assert plan.rivals == 1
    assert not plan.is_resolved

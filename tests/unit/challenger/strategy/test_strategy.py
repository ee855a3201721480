"""The plan as a whole: where the path begins, when all is resolved, what a person has to look at."""

from challenger.costs import compute_stand
from challenger.game.types import Parameters
from challenger.strategy import acts
from challenger.strategy.modes import DEFEND, PROPOSE, RESOLVE
from challenger.strategy.strategy import compute_plan
from challenger.strategy.view import View
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_claim_id
from tests.support.alphabet_liar import GarbageLiar, StepLiar
from tests.support.arena import Arena, address

HONEST, LIAR, OTHER = address(1), address(2), address(3)
PARAMETERS = Parameters(arity=2, input_height=2, step_height=4, challenge_period=40, grace=2, min_period=3)
INPUTS = [[b"a"], [b"b", b"c"], [b"d", b"e", b"f"], [b"g"], [b"h", b"i"]]


class AskedProvider(AlphabetProvider):
    """Remembers which end roots it was asked for."""

    def __init__(self, parameters: Parameters, inputs: list[list[bytes]]) -> None:
        self.asked: list[int] = []
        super().__init__(parameters, inputs)

    def get_end_root(self, batch: int) -> bytes | None:
        self.asked.append(batch)
        return super().get_end_root(batch)


def build() -> tuple[Arena, AskedProvider]:
    truth = AskedProvider(PARAMETERS, INPUTS)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches)
    arena.now = 10
    return arena, truth


def claim(arena: Arena, owner: bytes, provider: AlphabetProvider, parent: bytes = GENESIS_ASSERTION) -> bytes:
    return arena.state.claims[arena.claim(owner, provider, parent)].node


def confirm(arena: Arena, node: bytes) -> None:
    arena.now += PARAMETERS.challenge_period
    assert arena.play(OTHER, acts.Confirm(node)) == ""


def test_the_path_begins_at_the_last_confirmed_node() -> None:
    arena, truth = build()
    first = claim(arena, OTHER, truth)
    confirm(arena, first)
    second = claim(arena, OTHER, truth, first)
    view = View(arena.facts, truth, HONEST)
    assert [step.parent for step in view.path] == [first, second]
    assert view.confirmed == [GENESIS_ASSERTION, first]
    assert view.true_nodes == {step.node for step in view.path}
    confirm(arena, second)
    truth.asked.clear()
    view = View(arena.facts, truth, HONEST)
    assert [step.parent for step in view.path] == [second]
    assert set(truth.asked) == {arena.state.nodes[second].batch, arena.state.rounds[second].to}


def test_claims_behind_the_last_confirmed_node_are_still_true() -> None:
    """Refunds and credits of earlier rounds are asked for after the path has moved on."""
    arena, truth = build()
    liar = StepLiar(PARAMETERS, INPUTS, 1, 0)
    first = claim(arena, OTHER, truth)
    claim(arena, LIAR, liar)
    for _ in range(60):
        for act in arena.plan(HONEST, truth).acts:
            if not isinstance(act, acts.Collect | acts.ClaimCredit | acts.Withdraw):
                arena.play(HONEST, act)
        arena.look_and_act(LIAR, liar)
        arena.now += 1
    assert arena.state.rounds[GENESIS_ASSERTION].confirmed == first
    confirm(arena, claim(arena, OTHER, truth, first))
    kinds = [type(act) for act in arena.plan(HONEST, truth).acts]
    assert kinds == [acts.Collect, acts.ClaimCredit, acts.Withdraw]


def test_moves_are_refunded_though_the_bond_was_lost_for_another_claim() -> None:
    """And by nobody but who made them: whoever resolves for others does not even try."""
    arena, truth = build()
    liar = StepLiar(PARAMETERS, INPUTS, 1, 0)
    false = claim(arena, LIAR, liar)
    arena.now += PARAMETERS.min_period
    below = compute_claim_id(claim(arena, LIAR, liar, false), LIAR)
    for _ in range(3):
        arena.look_and_act(HONEST, truth)
        arena.look_and_act(LIAR, liar)
    (match,) = arena.state.matches.values()
    own = arena.state.stakers[HONEST].last_claim
    assert match.moves[match.claims.index(own)] > 0
    assert not any(isinstance(act, acts.Collect) for act in arena.plan(HONEST, truth).acts)
    arena.rollup.eliminate(arena.now, below, ZERO)
    pot = PARAMETERS.bond * 40 // 100
    assert not any(isinstance(act, acts.Collect) for act in arena.plan(OTHER, truth, RESOLVE).acts)
    (collect,) = [act for act in arena.plan(HONEST, truth).acts if isinstance(act, acts.Collect)]
    due = compute_stand(PARAMETERS, arena.state, HONEST).refunds
    assert arena.play(OTHER, collect) == "NotMover"
    assert arena.play(HONEST, collect) == ""
    paid = arena.state.claims[own].credit
    assert 0 < paid <= due
    assert arena.state.claims[below].pot == pot - paid
    assert compute_stand(PARAMETERS, arena.state, HONEST).refunds == 0
    arena.check_ledger()


def test_a_false_end_that_was_confirmed_is_an_alarm_for_ever_and_ends_the_play() -> None:
    arena, truth = build()
    liar = StepLiar(PARAMETERS, INPUTS, 1, 0)
    false = claim(arena, LIAR, liar)
    assert arena.plan(HONEST, truth, PROPOSE).alarms == []
    confirm(arena, false)
    tip = false
    for _ in range(2):
        plan = compute_plan(arena.facts, truth, HONEST, PROPOSE)
        assert len(plan.alarms) == 1
        assert false.hex() in plan.alarms[0]
        assert plan.acts == [], "nothing true can follow what is false"
        assert plan.is_resolved, "with an alarm: the command ends with 1"
        arena.now += PARAMETERS.min_period
        tip = claim(arena, LIAR, liar, tip)


def test_a_false_end_further_back_is_found_behind_a_true_one() -> None:
    arena, truth = build()
    false = claim(arena, LIAR, StepLiar(PARAMETERS, INPUTS, 1, 0))
    confirm(arena, false)
    confirm(arena, claim(arena, LIAR, truth, false))  # a true root below a false one, and nobody objected
    (alarm,) = arena.plan(HONEST, truth).alarms
    assert false.hex() in alarm


def test_resolved_means_nothing_false_lives_and_nothing_of_ours_is_open() -> None:
    arena, truth = build()
    assert arena.plan(HONEST, truth).is_resolved, "there is nothing at all"
    claim(arena, OTHER, truth)
    assert arena.plan(HONEST, truth).is_resolved, "somebody else's true claim is not our business"
    garbage = GarbageLiar(PARAMETERS, INPUTS)
    claim(arena, LIAR, garbage)
    seen = []
    for _ in range(PARAMETERS.challenge_period + PARAMETERS.grace + 5):
        plan = arena.plan(HONEST, truth)
        seen.append(plan.is_resolved)
        for act in plan.acts:
            arena.play(HONEST, act)
        arena.now += 1
    assert not seen[0], "a false end lives"
    waiting = [now for now, done in enumerate(seen) if not done]
    assert waiting == list(range(len(waiting))), "once resolved, always resolved"
    assert arena.state.rounds[GENESIS_ASSERTION].confirmed != ZERO
    assert arena.state.stakers[HONEST].bond == 0
    assert seen[-1]


def test_a_claim_of_ours_that_waits_for_its_confirmation_is_not_resolved() -> None:
    arena, truth = build()
    claim(arena, HONEST, truth)
    plan = arena.plan(HONEST, truth)
    assert plan.acts == []
    assert not plan.is_resolved


def test_unpaid_credit_is_not_resolved() -> None:
    arena, truth = build()
    node = claim(arena, HONEST, truth)
    confirm(arena, node)
    own = next(iter(arena.state.claims.values()))
    own.credit = 5
    plan = arena.plan(HONEST, truth, DEFEND)
    assert any(isinstance(act, acts.ClaimCredit) for act in plan.acts)
    assert not plan.is_resolved


def test_rivals_are_the_false_claims_that_live() -> None:
    arena, truth = build()
    claim(arena, OTHER, truth)
    claim(arena, LIAR, StepLiar(PARAMETERS, INPUTS, 1, 0))
    claim(arena, address(9), GarbageLiar(PARAMETERS, INPUTS))
    assert arena.plan(HONEST, truth).rivals == 2


def test_what_holds_our_claim_back_too_long_is_an_alarm_before_it_is_too_late() -> None:
    arena, truth = build()
    claim(arena, OTHER, truth)
    arena.now += 5
    claim(arena, LIAR, StepLiar(PARAMETERS, INPUTS, 1, 0))
    assert arena.plan(HONEST, truth).alarms == []
    arena.now += PARAMETERS.challenge_period * 3 // 4  # nothing of ours has landed for so long
    plan = arena.plan(HONEST, truth)
    assert [type(act) for act in plan.acts] == [acts.Stake, acts.AssertState]
    assert "holds it back" in plan.alarms[0]
    arena.now += PARAMETERS.challenge_period // 4 - 1
    assert all(arena.play(HONEST, act) == "" for act in plan.acts), "the last second"


def test_coming_too_late_lays_down_no_bond_and_is_an_alarm() -> None:
    arena, truth = build()
    claim(arena, OTHER, truth)
    claim(arena, LIAR, StepLiar(PARAMETERS, INPUTS, 1, 0))
    arena.now += PARAMETERS.challenge_period
    plan = arena.plan(HONEST, truth)
    assert not any(isinstance(act, acts.Stake | acts.AssertState) for act in plan.acts)
    assert "too late" in plan.alarms[0]


def test_the_sole_live_end_can_be_joined_as_long_as_one_likes() -> None:
    arena, truth = build()
    node = claim(arena, OTHER, truth)
    arena.now += PARAMETERS.challenge_period * 5
    claim(arena, LIAR, StepLiar(PARAMETERS, INPUTS, 5, 0))  # the same true end: a supporter
    claim(arena, LIAR, StepLiar(PARAMETERS, INPUTS, 5, 0), node)  # a lie below it
    plan = arena.plan(HONEST, truth)
    assert plan.alarms == []
    assert all(arena.play(HONEST, act) == "" for act in plan.acts)

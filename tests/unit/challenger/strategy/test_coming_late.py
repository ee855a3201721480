"""A player that comes back with little time left: which rounds it still enters, and with which bond."""

import pytest

from challenger.game.clock import SLOT
from challenger.game.types import Parameters
from challenger.strategy import acts
from challenger.strategy.entry import Entry, compute_defence_time, count_open
from challenger.strategy.modes import DEFEND, PROPOSE
from challenger.strategy.strategy import Plan
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from optimist.derive.commitments import GENESIS_ASSERTION
from tests.support.alphabet_liar import StepLiar
from tests.support.arena import Arena, address

HONEST, LIAR, OTHER = address(1), address(2), address(3)
PARAMETERS = Parameters(arity=2, input_height=2, step_height=4, challenge_period=600, grace=10, min_period=5)
INPUTS = [[b"a"], [b"b", b"c"], [b"d", b"e", b"f"]]
NEEDED = compute_defence_time(PARAMETERS, SLOT)
TRUTH = AlphabetProvider(PARAMETERS, INPUTS)


def build() -> Arena:
    arena = Arena(PARAMETERS, MACHINE_RULES, TRUTH.batches)
    arena.now = 10
    return arena


def claim(arena: Arena, owner: bytes, provider: AlphabetProvider, parent: bytes = GENESIS_ASSERTION) -> bytes:
    """Stand on what a provider believes, history opened; the node's id."""
    own = arena.claim(owner, provider, parent)
    history = provider.get_history(arena.state.nodes[parent].batch, arena.state.rounds[parent].to)
    assert arena.play(owner, acts.Reveal(own, history.words(history.height, 0))) == ""
    return arena.state.claims[own].node


def plan(arena: Arena) -> Plan:
    return arena.plan(HONEST, TRUTH, latency=SLOT)


def get_kinds(found: Plan) -> list[type]:
    return [type(act) for act in found.acts]


@pytest.mark.parametrize("left", [1, 11, 30, 60, NEEDED, NEEDED + 1, 120, 400])
def test_a_bond_is_laid_down_exactly_where_it_can_be_defended(left: int) -> None:
    """The liar plays to the end, and every act of ours, the bond included, takes a slot to land."""
    arena, liar = build(), StepLiar(PARAMETERS, INPUTS, 2, 0)
    claim(arena, LIAR, liar)
    arena.now += PARAMETERS.challenge_period - left  # we were away until now
    first = plan(arena)
    told = any(f"a defence takes {NEEDED} s" in alarm for alarm in first.alarms)
    assert told == (left <= NEEDED)
    for _ in range(60):
        wanted = plan(arena).acts
        arena.now += SLOT
        for act in wanted[:1] if acts.Stake() in wanted else wanted:
            arena.play(HONEST, act)
        for act in arena.plan(LIAR, liar).acts:
            arena.play(LIAR, act)
    assert (HONEST in arena.state.stakers) == (left > NEEDED)
    if left > NEEDED:
        assert not arena.state.stakers[HONEST].out
        assert arena.state.stakers[LIAR].out


@pytest.mark.parametrize("mode", [DEFEND, PROPOSE], ids=lambda mode: mode.name)
def test_a_bond_that_stands_undisputed_is_put_on_the_truth_to_the_last_second(mode: object) -> None:
    """It has nothing else to lose, and the liar may be asleep."""
    arena = build()
    top = claim(arena, HONEST, TRUTH)
    arena.now += PARAMETERS.min_period
    liar = StepLiar(PARAMETERS, INPUTS, 5, 0)  # true in the first range, false in the second
    claim(arena, LIAR, liar)
    claim(arena, LIAR, liar, top)
    arena.now += PARAMETERS.challenge_period - 1
    found = arena.plan(HONEST, TRUTH, mode, latency=SLOT)  # type: ignore[arg-type] # a parameter
    assert acts.AssertState in get_kinds(found)
    assert any("holds it back" in alarm for alarm in found.alarms)


def test_a_bond_that_defends_a_round_is_not_put_on_another_one_that_is_lost() -> None:
    arena = build()
    top = claim(arena, HONEST, TRUTH)
    arena.now += PARAMETERS.min_period
    below = StepLiar(PARAMETERS, INPUTS, 5, 0)
    claim(arena, LIAR, below)
    claim(arena, LIAR, below, top)
    arena.now += PARAMETERS.challenge_period - NEEDED - 7  # in the first round nothing is false until now
    claim(arena, OTHER, StepLiar(PARAMETERS, INPUTS, 2, 0))
    assert acts.AssertState in get_kinds(plan(arena))
    arena.now += 7
    late = plan(arena)
    assert acts.AssertState not in get_kinds(late)
    assert acts.OpenMatch in get_kinds(late), "the first round is fought for"
    assert any("too little time" in alarm for alarm in late.alarms)


def test_no_bond_for_a_round_that_only_leads_to_one_that_is_lost() -> None:
    arena = build()
    top = claim(arena, OTHER, TRUTH)
    arena.now += PARAMETERS.min_period
    liar = StepLiar(PARAMETERS, INPUTS, 5, 0)
    claim(arena, LIAR, liar)
    claim(arena, LIAR, liar, top)
    arena.now += PARAMETERS.challenge_period - NEEDED - 1
    assert get_kinds(plan(arena)) == [acts.Stake, acts.AssertState, acts.AssertState]
    arena.now += 1
    assert get_kinds(plan(arena)) == []


FREE = Entry(None, is_disputed=False, is_held=False)
FRESH, LATE = (Entry(left, is_disputed=True, is_held=False) for left in (101, 100))


@pytest.mark.parametrize(
    ("entries", "without", "standing"),
    [
        ([FREE, FREE], 2, 2),
        ([FREE, FRESH, FREE], 3, 3),
        ([FREE, LATE], 0, 2),
        ([FRESH, FREE, LATE], 1, 3),
        ([Entry(0, is_disputed=True, is_held=False)], 0, 0),
        ([FREE, Entry(0, is_disputed=True, is_held=False)], 0, 1),
    ],
)
def test_how_far_a_claim_is_made_without_a_bond_and_with_one(
    entries: list[Entry], without: int, standing: int
) -> None:
    assert count_open(entries, has_bond=False, needed=100) == without
    assert count_open(entries, has_bond=True, needed=100) == standing


def test_a_bond_that_fights_goes_no_further_than_a_new_one() -> None:
    held = Entry(None, is_disputed=True, is_held=True)
    assert count_open([held, FRESH], has_bond=True, needed=100) == 2
    assert count_open([held, FREE, LATE, FREE], has_bond=True, needed=100) == 2


def test_a_defence_takes_a_slot_more_than_the_rollup_demands_of_its_period() -> None:
    """The Rollup counts the moves of a match and two more; before them comes the bond."""
    for input_height, step_height in [(2, 4), (5, 6), (3, 4)]:
        parameters = Parameters(input_height=input_height, step_height=step_height)
        least = SLOT * ((input_height + step_height + 2) // 2 + 2)
        assert compute_defence_time(parameters, SLOT) == least + SLOT

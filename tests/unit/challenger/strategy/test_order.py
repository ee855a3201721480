"""The order of acts among many rivals: what bounds the delay first, our own last minutes before all."""

import pytest

from challenger.game.lists import History
from challenger.game.types import Parameters, Side
from challenger.strategy import acts
from challenger.strategy.modes import DEFEND
from challenger.strategy.order import Priority, Rank, choose, compute_priority, get_match_id
from challenger.strategy.strategy import Plan, compute_plan
from challenger.strategy.view import View
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from optimist.derive.commitments import GENESIS_ASSERTION, compute_claim_id
from tests.support.alphabet_liar import GarbageLiar, StepLiar
from tests.support.arena import Arena, address

HONEST = address(1)
PERIOD = 400
PARAMETERS = Parameters(
    arity=2, input_height=3, step_height=4, challenge_period=PERIOD, grace=2, min_period=1
)
INPUTS = [[b"a"], [b"b", b"c", b"d", b"e"]]


class CountingProvider(AlphabetProvider):
    """Counts how often a trace or a history was asked for."""

    asked = 0

    def get_history(self, start: int, to: int) -> History:
        self.asked += 1
        return super().get_history(start, to)


def build(rivals: int, *, apart: int = 0) -> tuple[Arena, CountingProvider, list[StepLiar]]:
    """The honest claim, and rivals with a false end each, that come `apart` seconds after one another."""
    truth = CountingProvider(PARAMETERS, INPUTS)
    arena = Arena(PARAMETERS, MACHINE_RULES, truth.batches)
    arena.now = 10
    asked = arena.state.rounds[GENESIS_ASSERTION]
    accumulator = truth.batches[asked.to].accumulator
    liars = [StepLiar(PARAMETERS, INPUTS, 2, 0, salt=i + 1) for i in range(rivals)]
    for who, provider in [(HONEST, truth), *((address(100 + i), liar) for i, liar in enumerate(liars))]:
        arena.play(who, acts.Stake())
        root = provider.get_end_root(asked.to)
        assert root is not None
        assert arena.play(who, acts.AssertState(GENESIS_ASSERTION, root, asked.to, accumulator)) == ""
        claim = arena.state.stakers[who].last_claim
        history = provider.get_history(0, asked.to)
        assert arena.play(who, acts.Reveal(claim, history.words(history.height, 0))) == ""
        arena.now += apart
    return arena, truth, liars


def plan(
    arena: Arena,
    truth: AlphabetProvider,
    *,
    limit: int | None = None,
    at_once: int | None = None,
    busy: frozenset[bytes] = frozenset(),
) -> Plan:
    return compute_plan(arena.facts, truth, HONEST, DEFEND, limit=limit, at_once=at_once, busy=busy)


def get_owners(arena: Arena, planned: list[acts.Act]) -> list[bytes]:
    """The opponents that the acts are about, in order."""
    owners = []
    for act in planned:
        if isinstance(act, acts.OpenMatch):
            claims = (act.left, act.right)
        else:
            claims = arena.state.matches[get_match_id(act)].claims
        owners += [arena.state.claims[i].owner for i in claims if arena.state.claims[i].owner != HONEST]
    return owners


def test_the_opponent_with_most_time_left_comes_first() -> None:
    arena, truth, _ = build(4, apart=20)  # each later one had less time from its birth to our answer
    openings = plan(arena, truth).acts
    assert all(isinstance(act, acts.OpenMatch) for act in openings)
    assert get_owners(arena, openings) == [address(100 + i) for i in range(4)]
    for act in openings[::-1]:
        assert arena.play(HONEST, act) == ""
    arena.now += 5
    for i, liar in enumerate(build(4)[2]):
        arena.look_and_act(address(100 + i), liar)
    moves = plan(arena, truth).acts
    assert {type(act) for act in moves} == {acts.Dissect}
    clocks = [arena.state.matches[get_match_id(act)] for act in moves]
    left = [m.clocks[Side.A if arena.state.claims[m.claims[1]].owner == HONEST else Side.B] for m in clocks]
    assert left == sorted(left, reverse=True)
    assert left[0] > left[-1]


def test_our_own_last_minutes_go_before_everything() -> None:
    arena, truth, liars = build(3)
    for act in plan(arena, truth).acts:
        arena.play(HONEST, act)
    arena.now += 1
    slow = address(101)
    arena.look_and_act(slow, liars[1])  # moves at once: our clock begins to run in that match
    arena.now += PERIOD * 3 // 4
    for i in (0, 2):
        arena.look_and_act(address(100 + i), liars[i])
    proposals = plan(arena, truth).proposals
    assert [each.priority.rank for each in proposals] == [Rank.URGENT, Rank.RIVALS, Rank.RIVALS]
    assert get_owners(arena, [proposals[0].act]) == [slow]
    assert proposals[0].priority.score == PERIOD - PERIOD * 3 // 4


def test_only_what_stops_a_clock_of_ours_says_when_that_clock_ends() -> None:
    """Whoever holds such an act back must know: see `challenger.setbacks`."""
    arena, truth, (liar,) = build(1)
    born = arena.now
    newcomer = compute_plan(arena.facts, truth, address(7), DEFEND).proposals
    assert [(type(each.act), each.closes) for each in newcomer] == [
        (acts.Stake, born + PERIOD),
        (acts.AssertState, born + PERIOD),
    ]
    for each in newcomer:
        arena.play(address(7), each.act)
    arena.now += 30
    (reveal,) = compute_plan(arena.facts, truth, address(7), DEFEND).proposals
    assert (type(reveal.act), reveal.closes) == (acts.Reveal, born + PERIOD)
    (opening,) = plan(arena, truth).proposals
    assert (type(opening.act), opening.closes) == (acts.OpenMatch, None)
    arena.play(HONEST, opening.act)
    arena.now += 1
    arena.look_and_act(address(100), liar)
    arena.now += 1
    (move,) = plan(arena, truth).proposals
    assert (type(move.act), move.closes) == (acts.Dissect, arena.now - 1 + PERIOD)
    arena.play(HONEST, move.act)
    arena.now += PERIOD
    (timeout,) = plan(arena, truth).proposals
    assert (type(timeout.act), timeout.closes) == (acts.Timeout, None)


def test_an_act_that_has_waited_a_challenge_period_goes_before_any_newcomer() -> None:
    """The bound behind "nobody starves": no allowance is larger than the challenge period."""
    arena, truth, _ = build(2)
    asked = arena.state.rounds[GENESIS_ASSERTION]
    garbage = GarbageLiar(PARAMETERS, INPUTS)
    arena.play(address(50), acts.Stake())
    root = garbage.get_end_root(asked.to)
    assert root is not None
    accumulator = truth.batches[asked.to].accumulator
    arena.play(address(50), acts.AssertState(GENESIS_ASSERTION, root, asked.to, accumulator))
    view = View(arena.facts, truth, HONEST)
    own = arena.state.stakers[HONEST].last_claim
    hidden = acts.TimeoutReveal(arena.state.stakers[address(50)].last_claim, own)
    opening = next(act for act in plan(arena, truth).acts if isinstance(act, acts.OpenMatch))
    fresh = compute_priority(view, opening)
    assert fresh == Priority(Rank.RIVALS, -PERIOD)
    arena.now += PERIOD  # from now on the hidden claim is late
    aged = View(arena.facts, truth, HONEST)
    assert compute_priority(aged, hidden) == Priority(Rank.RIVALS, 0)
    arena.now += PERIOD + 1
    assert compute_priority(View(arena.facts, truth, HONEST), hidden) < fresh


@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_computes_no_more_moves_than_it_lets_through(limit: int) -> None:
    arena, truth, liars = build(6)
    for act in plan(arena, truth).acts:
        arena.play(HONEST, act)
    arena.now += 1
    for i, liar in enumerate(liars):
        arena.look_and_act(address(100 + i), liar)
    truth.asked = 0
    limited = plan(arena, truth, limit=limit)
    moves = limited.acts
    assert len(moves) == limit
    assert not limited.is_complete
    assert plan(arena, truth).is_complete
    assert plan(arena, truth, limit=len(liars)).is_complete
    truth.asked = 0
    assert plan(arena, truth, limit=limit).acts == moves
    assert truth.asked <= 3 * limit, "histories of matches that have to wait were computed"
    assert moves == plan(arena, truth).acts[:limit]


def test_a_limit_holds_nothing_back_that_is_urgent() -> None:
    arena, truth, liars = build(6)
    for act in plan(arena, truth).acts:
        arena.play(HONEST, act)
    arena.now += 1
    for i, liar in enumerate(liars):
        arena.look_and_act(address(100 + i), liar)
    arena.now += PERIOD - 10
    assert len(plan(arena, truth, limit=1).acts) == len(liars)


def test_in_a_hurry_the_first_moves_do_not_wait_for_the_traces_of_the_last() -> None:
    """Six clocks with seconds left: two moves are computed and sent, then two more, whatever the limit."""
    arena, truth, liars = build(6)
    for act in plan(arena, truth).acts:
        arena.play(HONEST, act)
    arena.now += 1
    for i, liar in enumerate(liars):
        arena.look_and_act(address(100 + i), liar)
    arena.now += PERIOD - 10
    every = plan(arena, truth).acts
    assert len(every) == len(liars)
    sent: list[acts.Act] = []
    for _ in range(3):
        truth.asked = 0
        busy = frozenset(map(get_match_id, sent))
        now = plan(arena, truth, limit=0, at_once=2, busy=busy)
        assert len(now.acts) == 2
        assert truth.asked <= 6
        assert now.is_complete == (len(sent) == 4)
        sent += now.acts
    assert sent == every


def test_a_match_with_a_move_on_its_way_is_left_out() -> None:
    arena, truth, liars = build(3)
    for act in plan(arena, truth).acts:
        arena.play(HONEST, act)
    for i, liar in enumerate(liars):
        arena.look_and_act(address(100 + i), liar)
    first, *others = plan(arena, truth).acts
    busy = frozenset({get_match_id(first)})
    assert plan(arena, truth, busy=busy).acts == others
    assert plan(arena, truth, limit=1, busy=busy).acts == others[:1]


@pytest.mark.parametrize(
    ("room", "chosen"), [(-1, [0, 1, 5]), (0, [0, 1, 5]), (2, [0, 1, 2, 3, 5]), (9, [*range(6)])]
)
def test_only_acts_about_rivals_wait_for_a_place(room: int, chosen: list[int]) -> None:
    ranks = [Rank.URGENT, Rank.FIRST, Rank.RIVALS, Rank.RIVALS, Rank.RIVALS, Rank.MONEY]
    assert choose([Priority(rank) for rank in ranks], room) == chosen


def test_with_a_limit_every_rival_is_beaten_all_the_same() -> None:
    """Twelve rivals, two acts a second: the honest player is on its own clock most of the time, and wins."""
    arena, truth, liars = build(12)
    for _ in range(PERIOD + PARAMETERS.grace + 10):
        plan_now = plan(arena, truth, limit=2)
        limited = [each.act for each in plan_now.proposals if each.priority.is_limited][:2]
        for each in plan_now.proposals:
            if not each.priority.is_limited or each.act in limited:
                arena.play(HONEST, each.act)
        for i, liar in enumerate(liars):
            arena.look_and_act(address(100 + i), liar)
        arena.now += 1
    assert all(arena.state.stakers[address(100 + i)].out for i in range(12))
    assert not arena.state.stakers[HONEST].out
    confirmed = arena.state.rounds[GENESIS_ASSERTION].confirmed
    assert compute_claim_id(confirmed, HONEST) in arena.state.claims

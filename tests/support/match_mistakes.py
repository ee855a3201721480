"""Wrong calls on purpose, about matches: a function for each kind of mistake prepares what it needs."""

from dataclasses import replace
from typing import Final

from challenger.game.dispute import Fork
from challenger.game.types import Match, Stage
from challenger.strategy import acts
from optimist.base.merkle import ZERO
from tests.support.misprint import Choose, misprint
from tests.support.mistake_setup import NOWHERE, STRANGER, begin, begin_by_stage, claim_something, collect
from tests.support.mistakes import Mistake
from tests.support.twin_table import Table


def not_a_match(table: Table, choose: Choose) -> None:
    """NotOrdered, NotInMatch, NotRevealed, NotRivals, UnknownMatch, NothingToCollect, MatchExists."""
    round_id = table.get_fresh_round()
    liar = table.make_liar("step", round_id, choose(range(32)), choose(range(1, 4)))
    believed = (table.truth, liar, table.truth)
    claims = [table.stand(table.meet(), provider, round_id) for provider in believed]
    one, rival, friend = claims
    if one is None or rival is None or friend is None:
        return
    low, high = sorted((one, rival))
    for left, right, first in (
        (high, low, low),
        (low, high, NOWHERE),
        (low, high, low),
        (*sorted((one, friend)), one),
        (*sorted((one, NOWHERE)), one),
    ):
        table.call(STRANGER, acts.OpenMatch(left, right, first))
    table.call(STRANGER, acts.Timeout((low, high)))
    table.call(STRANGER, acts.Collect(low, high))
    collect(table, low, high)
    table.reveal(choose((one, rival)))
    table.call(STRANGER, acts.OpenMatch(low, high, high))
    for claim in (one, rival):
        if not table.state.claims[claim].revealed_at:
            table.reveal(claim)
    if table.open(low, high, low) is not None:
        table.open(low, high, high)
        table.call(STRANGER, acts.Timeout((high, low)))
        table.call(STRANGER, acts.Timeout((low, high)))
        collect(table, low, high)


def wrong_stage(table: Table, choose: Choose) -> None:
    """What belongs to one stage, in each of the others."""
    match = begin_by_stage(table, choose)
    if match is None:
        return
    fork = table.believers.get_fork(match) or _guess_fork(table, match)
    following = fork.lists[0]
    opening, trace = table.truth.get_opening(0, 0), table.truth.get_trace(0, 0)
    words = trace.words(trace.height, 0)
    owner = table.get_owner(match)
    table.call(owner, acts.CommitSecondTrace(match.claims, match.position, ZERO, words))
    if match.stage is not Stage.INPUTS or match.height != 1:
        table.call(owner, acts.CommitTrace(fork, opening, ZERO, words))
        table.call(STRANGER, acts.ProvePadding(fork))
    if match.stage is not Stage.STEPS or match.height != 1:
        table.call(STRANGER, acts.Prove(fork, b""))
    if match.stage is Stage.HALF or match.height == 1:
        table.call(STRANGER, acts.Dissect(fork, following))


def _guess_fork(table: Table, match: Match) -> Fork:
    words = tuple(NOWHERE for _ in range(table.parameters.arity))
    return Fork(match.claims, match.position.round, match.position.prev, (words, words))


def not_mover(table: Table, choose: Choose) -> None:
    """A stranger commits for somebody, before and after he is named operator."""
    match = begin(table, choose, "step", table.parameters.input_height - 1 + choose((0, 1)))
    act = None if match is None else table.believers.compute_move(match)
    if match is not None and act is not None:
        owner = table.get_owner(match)
        table.call(STRANGER, act)
        table.call(owner, acts.SetOperator(match.claims[match.turn], STRANGER))
        table.call(STRANGER, act)


def is_padding(table: Table, choose: Choose) -> None:
    """A commitment to an input that does not exist."""
    _decide_padding(table, begin(table, choose, "padding", table.parameters.input_height - 1))


def not_padding(table: Table, choose: Choose) -> None:
    """A proof of padding where there is an input."""
    _decide_padding(table, begin(table, choose, "step", table.parameters.input_height - 1))


def _decide_padding(table: Table, match: Match | None) -> None:
    fork = None if match is None else table.believers.get_fork(match)
    if match is not None and fork is not None and match.height == 1 and match.stage is Stage.INPUTS:
        opening, trace = table.truth.get_opening(0, 0), table.truth.get_trace(0, 0)
        owner = table.get_owner(match)
        table.call(owner, acts.CommitTrace(fork, opening, ZERO, trace.words(trace.height, 0)))
        table.call(STRANGER, acts.ProvePadding(fork))


def wrong_input(table: Table, choose: Choose) -> None:
    """Another input, another chain, another root, another trace than those that were agreed."""
    match = begin(table, choose, "step", table.parameters.input_height - 1)
    act = None if match is None else table.believers.compute_move(match)
    if match is not None and isinstance(act, acts.CommitTrace):
        sound, owner = act.opening, table.get_owner(match)
        for opening in (
            replace(sound, input_hash=sound.input_hash[::-1]),
            replace(sound, next_rest=NOWHERE),
            replace(sound, root=NOWHERE),
            replace(sound, batch=sound.batch + 1),
        ):
            table.call(owner, replace(act, opening=opening))
        table.call(owner, replace(act, next_root=NOWHERE))
        table.call(owner, replace(act, trace=act.trace[:-1]))
        table.call(owner, replace(act, trace=(*act.trace[:-1], NOWHERE)))


def misprinted_move(table: Table, choose: Choose) -> None:
    """The right move, wrong in one place: WrongList, WrongEnd, WrongLength, WrongPosition, FalseWitness …"""
    match = begin_by_stage(table, choose)
    for _ in range(3):
        act = None if match is None else table.believers.compute_move(match)
        if match is None or act is None:
            return
        table.call(table.get_owner(match), misprint(act, choose))
        if table.move(match):
            return


def wrong_list(table: Table, choose: Choose) -> None:
    """The right move with another list of the right length, a shorter one, and lists of another match."""
    match = begin(table, choose, "step", choose((0, table.parameters.input_height + 1)))
    act = None if match is None else table.believers.compute_move(match)
    if isinstance(act, acts.Dissect):
        table.call(STRANGER, replace(act, following=(NOWHERE, *act.following[1:])))
        table.call(STRANGER, replace(act, following=act.following[:-1]))
        table.call(STRANGER, replace(act, following=(*act.following[:-1], NOWHERE)))
        table.call(STRANGER, replace(act, fork=replace(act.fork, prev=NOWHERE)))


def false_witness(table: Table, choose: Choose) -> None:
    heights = table.parameters.input_height, table.parameters.step_height
    match = begin(table, choose, "step", sum(heights))
    act = None if match is None else table.believers.compute_move(match)
    if isinstance(act, acts.Prove):
        for proof in (b"", bytes(32), act.proof[::-1], (*act.proof, 0)):
            table.call(STRANGER, acts.Prove(act.fork, bytes(proof)))


def no_difference(table: Table, choose: Choose) -> None:
    """A liar whose children are the true ones: after the truth has moved, both sides stand on one list."""
    level = choose((0, table.parameters.input_height + 1))
    match = begin(table, choose, "torn trace" if level else "torn", level + choose(range(3)))
    for _ in range(3):
        fork = None if match is None else table.believers.get_fork(match)
        if match is None or fork is None:
            return
        if fork.lists[0] == fork.lists[1]:
            opening, trace = table.truth.get_opening(0, 0), table.truth.get_trace(0, 0)
            owner, words = table.get_owner(match), trace.words(trace.height, 0)
            table.call(owner, acts.Dissect(fork, words))
            table.call(owner, acts.CommitTrace(fork, opening, ZERO, words))
            table.call(STRANGER, acts.ProvePadding(fork))
            table.call(STRANGER, acts.Prove(fork, b""))
        elif table.move(match):
            return


def not_late(table: Table, choose: Choose) -> None:
    """Around the second at which a clock runs out, exactly one of a move and a timeout is valid."""
    match = begin_by_stage(table, choose)
    act = None if match is None else table.believers.compute_move(match)
    if match is not None and act is not None:
        table.wait(max(0, match.clocks[match.turn] - choose((0, 1, 2))))
        owner = table.get_owner(match)
        for call in choose(((act, acts.Timeout(match.claims)), (acts.Timeout(match.claims), act))):
            table.call(owner, call)


def empty_pot(table: Table, choose: Choose) -> None:
    """A refund from somebody who lives, and one after the pot has been emptied."""
    match = begin_by_stage(table, choose)
    if match is not None:
        for one, other in (match.claims, match.claims[::-1]):
            collect(table, one, other)


def every_wrong_move(table: Table, choose: Choose) -> None:
    """The right move with other claims, another round, another past, a shorter list; or too late."""
    match = begin_by_stage(table, choose)
    act = None if match is None else table.believers.compute_move(match)
    if match is None or act is None:
        return
    owner, clock = table.get_owner(match), match.clocks[match.turn]
    if isinstance(act, acts.CommitSecondTrace):
        table.call(owner, replace(act, claims=act.claims[::-1]))
        table.call(owner, replace(act, position=replace(act.position, round=ZERO)))
        table.call(owner, replace(act, position=replace(act.position, prev=NOWHERE)))
        table.call(owner, replace(act, trace=act.trace[:-1]))
        table.call(owner, replace(act, trace=(*act.trace[:-1], NOWHERE)))
    else:
        fork, (left, right) = act.fork, act.fork.lists
        table.call(owner, replace(act, fork=replace(fork, claims=fork.claims[::-1])))
        table.call(owner, replace(act, fork=replace(fork, round=ZERO)))
        table.call(owner, replace(act, fork=replace(fork, prev=NOWHERE)))
        table.call(owner, replace(act, fork=replace(fork, lists=(left[:-1], right))))
    table.wait(clock)
    table.call(owner, act)


def friends_in_a_decided_round(table: Table, choose: Choose) -> None:
    """Nobody can fight where all is decided."""
    claim, friend = claim_something(table, choose), claim_something(table, choose)
    if claim is not None and friend is not None:
        table.confirm_round(table.world.rollup.get_round_of(claim))
        left, right = sorted((claim, friend))
        table.call(STRANGER, acts.OpenMatch(left, right, left))
        table.call(STRANGER, acts.TimeoutReveal(left, right))


def void_match(table: Table, choose: Choose) -> None:
    """Moves and proofs in a match that has lost a claim, or whose round is decided."""
    match = begin_by_stage(table, choose)
    act = None if match is None else table.believers.compute_move(match)
    if match is None or act is None:
        return
    owner = table.get_owner(match)
    table.wait(match.clocks[match.turn])
    table.call(STRANGER, acts.Timeout(match.claims))
    if choose((False, True)):
        table.confirm_round(match.position.round)
    table.call(owner, act)
    table.call(STRANGER, acts.Timeout(match.claims))
    for claim in match.claims:
        table.reveal(claim)
        table.call(STRANGER, acts.TimeoutReveal(claim, match.claims[0]))
        table.call(table.state.claims[claim].owner, acts.SetOperator(claim, STRANGER))


ABOUT_MATCHES: Final[tuple[Mistake, ...]] = (
    not_a_match,
    wrong_stage,
    not_mover,
    is_padding,
    not_padding,
    wrong_input,
    misprinted_move,
    wrong_list,
    false_witness,
    no_difference,
    not_late,
    empty_pot,
    void_match,
    every_wrong_move,
    friends_in_a_decided_round,
)

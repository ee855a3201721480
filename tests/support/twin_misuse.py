"""Wrong calls on purpose, one function for each kind of mistake; it prepares what the mistake needs.

Most are named after the custom error that they aim at. They need not hit: twin and contracts have to agree.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from challenger.calls import Call
from challenger.game.dispute import Fork
from challenger.game.types import NOBODY, Match, Revert, Stage
from challenger.strategy import acts
from optimist.base.merkle import ZERO
from tests.support.misprint import Choose, misprint
from tests.support.twin_table import HONEST, Table

STRANGER: Final = b"\x99" * 20
NOWHERE: Final = b"\x77" * 32
REFUSE_ETHER: Final = bytes.fromhex("5f5ffd")  # PUSH0 PUSH0 REVERT
Misuse = Callable[[Table, Choose], None]


def _begin(table: Table, choose: Choose, kind: str, moves: int) -> Match | None:
    """A match of the truth against a liar, so many moves old."""
    round_id = table.get_fresh_round()
    liar = table.make_liar(kind, round_id, choose(range(32)), choose(range(1, 4)))
    providers = choose(((table.truth, liar), (liar, table.truth)))
    match = table.begin_fight(round_id, providers, swap=choose((False, True)))
    if match is not None:
        table.play(match, moves)
    return match


def _begin_by_stage(table: Table, choose: Choose) -> Match | None:
    """A match in any of its stages."""
    heights = table.parameters.input_height, table.parameters.step_height
    return _begin(table, choose, choose(("step", "padding")), choose(range(sum(heights) + 1)))


def _claim(table: Table, choose: Choose, kind: str = "truth") -> bytes | None:
    """A newcomer's claim, unrevealed."""
    round_id = table.get_fresh_round()
    lie = None if kind == "truth" else table.make_liar(kind, round_id, choose(range(32)), choose(range(1, 4)))
    return table.stand(table.meet(), lie or table.truth, round_id)


# ------------------------------------------------------------------------------------------------ bonds


def wrong_bond(table: Table, choose: Choose) -> None:
    """A wei too little, or too much."""
    who, value = table.meet(), table.parameters.bond + choose((-1, 1))
    rule = table.world.rollup.stake
    table.call_anything(who, Call("Rollup", "stake", (), value), lambda: rule(who, value))


def already_staked(table: Table, _: Choose) -> None:
    who = table.meet()
    table.call(who, acts.Stake())
    table.call(who, acts.Stake())


def staker_out(table: Table, choose: Choose) -> None:
    """Who is out cannot stake again, cannot collect, is not paid."""
    out = [who for who, staker in table.state.stakers.items() if staker.out]
    if not out:
        match = _begin(table, choose, "step", table.parameters.input_height)
        if match is None:
            return
        out = [table.get_owner(match)]
        table.wait(table.parameters.challenge_period)
        table.call(STRANGER, acts.Timeout(match.claims))
    table.call(choose(out), acts.Stake())
    for match in list(table.state.matches.values())[-3:]:
        table.call(STRANGER, acts.Collect(*match.claims))
        table.call(STRANGER, acts.Collect(*reversed(match.claims)))


def not_staked(table: Table, _: Choose) -> None:
    who, round_id = table.meet(), table.get_fresh_round()
    to = table.state.rounds[round_id].to
    table.call(who, acts.Withdraw())
    table.call(who, acts.AssertState(round_id, ZERO, to, table.state.batches[to].accumulator))


def claim_undecided(table: Table, choose: Choose) -> None:
    claim = _claim(table, choose)
    if claim is not None:
        table.call(table.state.claims[claim].owner, acts.Withdraw())


def transfer_failed(table: Table, choose: Choose) -> None:
    """The winner has become a contract that takes no ether; nobody can call for it, all others can."""
    for claim_id, claim in list(table.state.claims.items()):
        if claim.credit and not table.state.stakers[claim.owner].out:
            winner, round_id = claim_id, table.world.rollup.get_round_of(claim_id)
            break
    else:
        match = _begin(table, choose, "step", 0)
        if match is None:
            return
        loser = choose(match.claims)
        winner, round_id = next(i for i in match.claims if i != loser), match.position.round
        if match.claims[match.turn] != loser:
            table.move(match)
        table.wait(table.parameters.challenge_period)
        table.call(STRANGER, acts.Timeout(match.claims))
    owner = table.state.claims[winner].owner
    table.world.refusing.add(owner)
    table.world.contracts.install(owner, REFUSE_ETHER)
    table.confirm_round(round_id)
    table.call(STRANGER, acts.ClaimCredit(winner))


# ----------------------------------------------------------------------------------------------- claims


def zero_address(table: Table, choose: Choose) -> None:
    claim = _claim(table, choose)
    if claim is not None:
        table.call(table.state.claims[claim].owner, acts.SetOperator(claim, NOBODY))


def not_owner(table: Table, choose: Choose) -> None:
    """A stranger names an operator and reveals; so does an operator, who may only reveal."""
    claim, operator = _claim(table, choose), table.meet()
    if claim is not None:
        table.call(STRANGER, acts.SetOperator(claim, STRANGER))
        table.reveal(claim, STRANGER)
        table.call(table.state.claims[claim].owner, acts.SetOperator(claim, operator))
        table.call(operator, acts.SetOperator(claim, operator))
        table.reveal(claim, operator)


def claim_twice(table: Table, choose: Choose) -> None:
    """The same claim again with the same bond: it meets the rule of the branch first."""
    claim = _claim(table, choose)
    if claim is not None:
        round_id = table.world.rollup.get_round_of(claim)
        table.stand(table.state.claims[claim].owner, table.truth, round_id)


def already_revealed(table: Table, choose: Choose) -> None:
    claim = _claim(table, choose)
    if claim is not None:
        table.reveal(claim)
        table.reveal(claim)
        rival = _claim(table, choose, "garbage")
        if rival is not None:
            table.call(STRANGER, acts.TimeoutReveal(claim, rival))


def wrong_words(table: Table, choose: Choose) -> None:
    """A history with a word more or less, or with another end."""
    claim = _claim(table, choose)
    if claim is not None:
        node = table.state.nodes[table.state.claims[claim].node]
        history = table.truth.get_history(table.state.nodes[node.parent].batch, node.batch)
        words = history.words(history.height, 0)
        for wrong in (words[:-1], (*words, words[-1]), (*words[:-1], words[-1][::-1])):
            table.call(table.state.claims[claim].owner, acts.Reveal(claim, wrong))


def wrong_range(table: Table, choose: Choose) -> None:
    """UnexpectedRange, WrongHistory, RangeNotSealed, UnknownNode, WrongBranch."""
    claim = _claim(table, choose)
    who, round_id = table.meet(), table.get_fresh_round()
    table.call(who, acts.Stake())
    to = table.state.rounds[round_id].to
    accumulator = table.state.batches[to].accumulator
    table.call(who, acts.AssertState(round_id, ZERO, to + choose((-1, 1)), accumulator))
    table.call(who, acts.AssertState(round_id, ZERO, to, accumulator[::-1]))
    table.call(who, acts.AssertState(NOWHERE, ZERO, to, accumulator))
    if claim is not None:
        child = table.state.claims[claim].node
        beyond = table.state.rounds[child].to
        known = min(beyond, table.state.batch_count)
        table.call(who, acts.AssertState(child, ZERO, beyond, table.state.batches[known].accumulator))


def not_a_branch(table: Table, choose: Choose) -> None:
    """WrongBranch: nobody stands on a node without a claim on its parent. TooEarly: a child at once."""
    claim = _claim(table, choose)
    if claim is not None:
        child = table.state.claims[claim].node
        while table.state.batch_count < table.state.rounds[child].to:
            table.seal([b"\x05later"])
        table.stand(table.meet(), table.truth, child)
        table.stand(table.state.claims[claim].owner, table.truth, child)


def join_closed(table: Table, choose: Choose) -> None:
    """A rival after the challenge period; a third end and a supporter of the incumbent after theirs."""
    round_id = table.get_fresh_round()
    kinds = choose((("truth", "late"), ("truth", "step", "late"), ("truth", "step", "late truth")))
    liar = table.make_liar("step", round_id, choose(range(32)), 1)
    for kind in kinds:
        if kind.startswith("late"):
            table.wait(table.parameters.challenge_period - choose((0, 0, 1)))
        late = table.make_liar("padding", round_id, 0, 9) if kind == "late" else table.truth
        table.stand(table.meet(), liar if kind == "step" else late, round_id)


# -------------------------------------------------------------------------------------------- decisions


def too_early(table: Table, choose: Choose) -> None:
    """Confirmed a second before its time, or just in time; the same for a claim that has not revealed."""
    claim, rival = _claim(table, choose), None
    if choose((False, True)):
        rival = _claim(table, choose, "garbage")
    if claim is not None:
        table.wait(max(0, table.parameters.challenge_period - choose((0, 1))))
        if rival is not None:
            table.call(STRANGER, acts.TimeoutReveal(rival, claim))
        table.call(STRANGER, acts.Confirm(table.state.claims[claim].node))


def unripe(table: Table, choose: Choose) -> None:
    """Confirm what does not exist, what has no confirmed parent, what has rivals, what is decided."""
    claim = _claim(table, choose)
    _claim(table, choose, "step")
    nodes = list(table.state.nodes)
    for node in (NOWHERE, choose(nodes), nodes[0]):
        table.call(STRANGER, acts.Confirm(node))
    if claim is not None:
        node = table.state.claims[claim].node
        table.call(STRANGER, acts.Confirm(node))
        table.call(STRANGER, acts.ClaimCredit(claim))
        while table.state.batch_count < table.state.rounds[node].to:
            table.seal([b"\x05deeper"])
        table.wait(table.parameters.min_period)
        child = table.stand(table.state.claims[claim].owner, table.truth, node)
        if child is not None:
            table.call(STRANGER, acts.Confirm(table.state.claims[child].node))


def round_closed(table: Table, choose: Choose) -> None:
    """Claims, confirmations and matches in a round that is decided."""
    table.settle()
    rounds = [i for i, asked in table.state.rounds.items() if asked.confirmed != ZERO]
    if rounds:
        round_id = choose(rounds)
        table.stand(table.meet(), table.truth, round_id)
        table.call(STRANGER, acts.Confirm(table.state.rounds[round_id].confirmed))
    for claim_id in list(table.state.claims)[-3:]:
        table.reveal(claim_id)
        table.call(STRANGER, acts.Prune(claim_id))


def staker_not_out(table: Table, choose: Choose) -> None:
    claim = _claim(table, choose)
    if claim is not None:
        table.call(STRANGER, acts.Prune(claim))
        table.call(STRANGER, acts.Prune(NOWHERE))


def no_credit(table: Table, choose: Choose) -> None:
    claim = _claim(table, choose)
    if claim is not None:
        table.confirm_round(table.world.rollup.get_round_of(claim))
        table.call(STRANGER, acts.ClaimCredit(claim))


def not_dispute(table: Table, choose: Choose) -> None:
    """Kill and refund without the Dispute contract."""
    claim = choose([*table.state.claims, NOWHERE])

    def refuse() -> None:
        raise Revert("NotDispute", HONEST)

    table.call_anything(HONEST, Call("Rollup", "eliminate", (claim, ZERO)), refuse)
    table.call_anything(HONEST, Call("Rollup", "refund", (claim, claim, 1)), refuse)


# ---------------------------------------------------------------------------------------------- matches


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
    table.reveal(choose((one, rival)))
    table.call(STRANGER, acts.OpenMatch(low, high, high))
    for claim in (one, rival):
        if not table.state.claims[claim].revealed_at:
            table.reveal(claim)
    if table.open(low, high, low) is not None:
        table.open(low, high, high)
        table.call(STRANGER, acts.Timeout((high, low)))
        table.call(STRANGER, acts.Timeout((low, high)))
        table.call(STRANGER, acts.Collect(low, high))


def wrong_stage(table: Table, choose: Choose) -> None:
    """What belongs to one stage, in each of the others."""
    match = _begin_by_stage(table, choose)
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
    match = _begin(table, choose, "step", table.parameters.input_height - 1 + choose((0, 1)))
    act = None if match is None else table.believers.compute_move(match)
    if match is not None and act is not None:
        owner = table.get_owner(match)
        table.call(STRANGER, act)
        table.call(owner, acts.SetOperator(match.claims[match.turn], STRANGER))
        table.call(STRANGER, act)


def is_padding(table: Table, choose: Choose) -> None:
    """A commitment to an input that does not exist."""
    _decide_padding(table, _begin(table, choose, "padding", table.parameters.input_height - 1))


def not_padding(table: Table, choose: Choose) -> None:
    """A proof of padding where there is an input."""
    _decide_padding(table, _begin(table, choose, "step", table.parameters.input_height - 1))


def _decide_padding(table: Table, match: Match | None) -> None:
    fork = None if match is None else table.believers.get_fork(match)
    if match is not None and fork is not None and match.height == 1 and match.stage is Stage.INPUTS:
        opening, trace = table.truth.get_opening(0, 0), table.truth.get_trace(0, 0)
        owner = table.get_owner(match)
        table.call(owner, acts.CommitTrace(fork, opening, ZERO, trace.words(trace.height, 0)))
        table.call(STRANGER, acts.ProvePadding(fork))


def wrong_input(table: Table, choose: Choose) -> None:
    """Another input, another chain, another root, another trace than those that were agreed."""
    match = _begin(table, choose, "step", table.parameters.input_height - 1)
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
    match = _begin_by_stage(table, choose)
    for _ in range(3):
        act = None if match is None else table.believers.compute_move(match)
        if match is None or act is None:
            return
        table.call(table.get_owner(match), misprint(act, choose))
        if table.move(match):
            return


def wrong_list(table: Table, choose: Choose) -> None:
    """The right move with another list of the right length, a shorter one, and lists of another match."""
    match = _begin(table, choose, "step", choose((0, table.parameters.input_height + 1)))
    act = None if match is None else table.believers.compute_move(match)
    if isinstance(act, acts.Dissect):
        table.call(STRANGER, replace(act, following=(NOWHERE, *act.following[1:])))
        table.call(STRANGER, replace(act, following=act.following[:-1]))
        table.call(STRANGER, replace(act, following=(*act.following[:-1], NOWHERE)))
        table.call(STRANGER, replace(act, fork=replace(act.fork, prev=NOWHERE)))


def false_witness(table: Table, choose: Choose) -> None:
    heights = table.parameters.input_height, table.parameters.step_height
    match = _begin(table, choose, "step", sum(heights))
    act = None if match is None else table.believers.compute_move(match)
    if isinstance(act, acts.Prove):
        for proof in (b"", bytes(32), act.proof[::-1], (*act.proof, 0)):
            table.call(STRANGER, acts.Prove(act.fork, bytes(proof)))


def no_difference(table: Table, choose: Choose) -> None:
    """A liar whose children are the true ones: after the truth has moved, both sides stand on one list."""
    match = _begin(table, choose, "torn", choose(range(3)))
    for _ in range(2):
        act = None if match is None else table.believers.compute_move(match)
        if match is None or act is None or not table.call(STRANGER, act):
            return
        owner = table.get_owner(match)
        table.call(owner, act)


def not_late(table: Table, choose: Choose) -> None:
    """Around the second at which a clock runs out, exactly one of a move and a timeout is valid."""
    match = _begin_by_stage(table, choose)
    act = None if match is None else table.believers.compute_move(match)
    if match is not None and act is not None:
        table.wait(max(0, match.clocks[match.turn] - choose((0, 1, 2))))
        owner = table.get_owner(match)
        for call in choose(((act, acts.Timeout(match.claims)), (acts.Timeout(match.claims), act))):
            table.call(owner, call)


def empty_pot(table: Table, choose: Choose) -> None:
    """A refund from somebody who lives, and one after the pot has been emptied."""
    match = _begin_by_stage(table, choose)
    if match is not None:
        for one, other in (match.claims, match.claims[::-1]):
            table.call(STRANGER, acts.Collect(one, other))


MISUSES: Final[tuple[Misuse, ...]] = (
    wrong_bond,
    already_staked,
    staker_out,
    not_staked,
    claim_undecided,
    transfer_failed,
    zero_address,
    not_owner,
    claim_twice,
    already_revealed,
    wrong_words,
    wrong_range,
    not_a_branch,
    join_closed,
    too_early,
    unripe,
    round_closed,
    staker_not_out,
    no_credit,
    not_dispute,
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
)

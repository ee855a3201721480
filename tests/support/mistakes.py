"""Wrong calls on purpose, about bonds and claims: a function for each kind of mistake prepares what it needs.

Most are named after the custom error that they aim at. They need not hit: twin and contracts have to agree.
"""

from collections.abc import Callable
from typing import Final

from challenger.calls import Call
from challenger.game.types import NOBODY, Revert
from challenger.strategy import acts
from optimist.base.merkle import ZERO
from tests.support.misprint import Choose
from tests.support.mistake_setup import NOWHERE, STRANGER, begin, claim_something, collect
from tests.support.twin_table import HONEST, Table

REFUSE_ETHER: Final = bytes.fromhex("5f5ffd")  # PUSH0 PUSH0 REVERT
Mistake = Callable[[Table, Choose], None]


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
        match = begin(table, choose, "step", table.parameters.input_height)
        if match is None:
            return
        out = [table.get_owner(match)]
        table.wait(table.parameters.challenge_period)
        table.call(STRANGER, acts.Timeout(match.claims))
    table.call(choose(out), acts.Stake())
    for match in list(table.state.matches.values())[-3:]:
        for one, other in (match.claims, match.claims[::-1]):
            collect(table, one, other)


def not_staked(table: Table, _: Choose) -> None:
    who, round_id = table.meet(), table.get_fresh_round()
    to = table.state.rounds[round_id].to
    table.call(who, acts.Withdraw())
    table.call(who, acts.AssertState(round_id, ZERO, to, table.state.batches[to].accumulator))


def claim_undecided(table: Table, choose: Choose) -> None:
    claim = claim_something(table, choose)
    if claim is not None:
        table.call(table.state.claims[claim].owner, acts.Withdraw())


def transfer_failed(table: Table, choose: Choose) -> None:
    """The winner has become a contract that takes no ether; nobody can call for it, all others can."""
    for claim_id, claim in list(table.state.claims.items()):
        if claim.credit and not table.state.stakers[claim.owner].out:
            winner, round_id = claim_id, table.world.rollup.get_round_of(claim_id)
            break
    else:
        match = begin(table, choose, "step", 0)
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


def lose_what_was_won(table: Table, choose: Choose) -> None:
    """The bond that was right in one round is lost in the next: what it won before is not paid."""
    round_id, who = table.get_fresh_round(), table.meet()
    claim = table.stand(who, table.truth, round_id)
    table.confirm_round(round_id)
    below = table.get_fresh_round()
    liar = table.make_liar("garbage", below, choose(range(32)), 1)
    lie, honest = table.stand(who, liar, below), table.stand(table.meet(), table.truth, below)
    if claim is not None and lie is not None and honest is not None:
        table.wait(table.parameters.challenge_period)
        table.call(STRANGER, acts.TimeoutReveal(lie, honest))
        table.call(STRANGER, acts.ClaimCredit(claim))


# ----------------------------------------------------------------------------------------------- claims


def zero_address(table: Table, choose: Choose) -> None:
    claim = claim_something(table, choose)
    if claim is not None:
        table.call(table.state.claims[claim].owner, acts.SetOperator(claim, NOBODY))


def not_owner(table: Table, choose: Choose) -> None:
    """A stranger names an operator and reveals; so does an operator, who may only reveal."""
    claim, operator = claim_something(table, choose), table.meet()
    if claim is not None:
        table.call(STRANGER, acts.SetOperator(claim, STRANGER))
        table.reveal(claim, STRANGER)
        table.call(table.state.claims[claim].owner, acts.SetOperator(claim, operator))
        table.call(operator, acts.SetOperator(claim, operator))
        table.reveal(claim, operator)


def claim_twice(table: Table, choose: Choose) -> None:
    """The same claim again with the same bond: it meets the rule of the branch first."""
    claim = claim_something(table, choose)
    if claim is not None:
        round_id = table.world.rollup.get_round_of(claim)
        table.stand(table.state.claims[claim].owner, table.truth, round_id)


def already_revealed(table: Table, choose: Choose) -> None:
    claim = claim_something(table, choose)
    if claim is not None:
        table.reveal(claim)
        table.reveal(claim)
        rival = claim_something(table, choose, "garbage")
        if rival is not None:
            table.call(STRANGER, acts.TimeoutReveal(claim, rival))


def wrong_words(table: Table, choose: Choose) -> None:
    """A history with a word more or less, or with another end."""
    claim = claim_something(table, choose)
    if claim is not None:
        node = table.state.nodes[table.state.claims[claim].node]
        history = table.truth.get_history(table.state.nodes[node.parent].batch, node.batch)
        words = history.words(history.height, 0)
        for wrong in (words[:-1], (*words, words[-1]), (*words[:-1], words[-1][::-1])):
            table.call(table.state.claims[claim].owner, acts.Reveal(claim, wrong))


def wrong_range(table: Table, choose: Choose) -> None:
    """UnexpectedRange, WrongHistory, RangeNotSealed, UnknownNode, WrongBranch."""
    claim = claim_something(table, choose)
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
    claim = claim_something(table, choose)
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


def join_at_the_last_second(table: Table, choose: Choose) -> None:
    """Ends come, die and come again, each around the seconds at which a window closes."""
    round_id, period = table.get_fresh_round(), table.parameters.challenge_period
    ends = [table.truth, *(table.make_liar("step", round_id, choose(range(32)), salt) for salt in (1, 2))]
    table.stand(table.meet(), ends[0], round_id)
    table.wait(choose((1, period // 2, period - 1)))
    table.stand(table.meet(), ends[1], round_id)
    for _ in range(5):
        deadlines = table.get_deadlines() or [table.world.now]
        table.wait(max(0, choose(deadlines) - choose((0, 1)) - table.world.now))
        table.stand(table.meet(), choose(ends), round_id)
        for one, other in table.get_rivals()[: choose((0, 0, 1))]:
            table.call(STRANGER, acts.TimeoutReveal(one, other))


def wrong_in_two_ways(table: Table, choose: Choose) -> None:
    """Two things are wrong at once: it is the first check that speaks."""
    claim = claim_something(table, choose)
    if claim is None:
        return
    node, owner = table.state.claims[claim].node, table.state.claims[claim].owner
    tip, who = table.world.rollup.get_round_of(claim), choose((owner, table.meet()))
    if who != owner and choose((True, False)):
        table.call(who, acts.Stake())
    for parent in (node, tip, NOWHERE):
        to = table.state.rounds[parent].to if parent in table.state.rounds else 1
        known = table.state.batches[min(to, table.state.batch_count)].accumulator
        table.call(who, acts.AssertState(parent, NOWHERE, to + choose((0, 1)), choose((known, ZERO))))
    table.call(who, acts.Reveal(claim, (NOWHERE,) * choose((1, table.parameters.arity * 2))))
    table.call(who, acts.SetOperator(claim, NOBODY))
    left, right = choose(((claim, claim), (claim, NOWHERE), (NOWHERE, claim)))
    table.call(who, acts.OpenMatch(left, right, ZERO))
    table.call(who, acts.TimeoutReveal(claim, claim))


# -------------------------------------------------------------------------------------------- decisions


def too_early(table: Table, choose: Choose) -> None:
    """Confirmed a second before its time, or just in time; the same for a claim that has not revealed."""
    claim, rival = claim_something(table, choose), None
    if choose((False, True)):
        rival = claim_something(table, choose, "garbage")
    if claim is not None:
        table.wait(max(0, table.parameters.challenge_period - choose((0, 1))))
        if rival is not None:
            table.call(STRANGER, acts.TimeoutReveal(rival, claim))
        table.call(STRANGER, acts.Confirm(table.state.claims[claim].node))


def unripe(table: Table, choose: Choose) -> None:
    """Confirm what does not exist, what has no confirmed parent, what has rivals, what is decided."""
    claim = claim_something(table, choose)
    claim_something(table, choose, "step")
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
    claim = claim_something(table, choose)
    if claim is not None:
        table.call(STRANGER, acts.Prune(claim))
        table.call(STRANGER, acts.Prune(NOWHERE))


def prune_too_late(table: Table, choose: Choose) -> None:
    """A bond was lost on two floors, and the round of one of them is decided before anybody prunes."""
    round_id, cheat = table.get_fresh_round(), table.meet()
    liar = table.make_liar("step", round_id, choose(range(32)), choose(range(1, 4)))
    honest, false = table.stand(table.meet(), table.truth, round_id), table.stand(cheat, liar, round_id)
    if honest is None or false is None:
        return
    node = table.state.claims[false].node
    while table.state.batch_count < table.state.rounds[node].to:
        table.seal([b"\x05floor"])
    table.wait(table.parameters.min_period)
    above = table.stand(cheat, liar, node)
    table.wait(table.parameters.challenge_period)
    table.call(STRANGER, acts.TimeoutReveal(false, honest))
    table.confirm_round(round_id)
    if above is not None:
        table.call(STRANGER, acts.Prune(above))
        table.call(STRANGER, acts.TimeoutReveal(above, honest))


def no_credit(table: Table, choose: Choose) -> None:
    claim = claim_something(table, choose)
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


ABOUT_BONDS: Final[tuple[Mistake, ...]] = (
    wrong_bond,
    already_staked,
    staker_out,
    not_staked,
    claim_undecided,
    transfer_failed,
    no_credit,
    not_dispute,
    staker_not_out,
    prune_too_late,
    lose_what_was_won,
)
ABOUT_CLAIMS: Final[tuple[Mistake, ...]] = (
    zero_address,
    not_owner,
    claim_twice,
    already_revealed,
    wrong_words,
    wrong_range,
    not_a_branch,
    join_closed,
    join_at_the_last_second,
    wrong_in_two_ways,
    too_early,
    unripe,
    round_closed,
)

"""What is wrong, and how bad it is. Each finding is a function of what the monitor sees.

notice      nothing is at risk
disagree    something false is open, or time runs out for something true
broken      money is missing, a lie was confirmed or will be, or nothing moves on any more
"""

from collections.abc import Iterator
from typing import Final

from challenger.monitor.assertions import get_rival_births, get_round_state
from challenger.monitor.forecast import Forecast, get_false_claims
from challenger.monitor.matches import compute_clock, get_true_side
from challenger.monitor.snapshot import Snapshot
from challenger.monitor.views import Alarm, LedgerView, Level, RoundState
from challenger.watcher import Status, Verdict

LOW_CLOCK: Final = 4  # a true side with less than a quarter of the challenge period left is in danger
IDLE: Final = 10  # what anybody could do and nobody does for a tenth of the period is stuck


def find_alarms(snapshot: Snapshot, ledger: LedgerView, found: Forecast) -> list[Alarm]:
    """Everything that a person should know, worst first."""
    alarms = [
        *(Alarm("mismatch", Level.BROKEN, subject, text) for subject, text in snapshot.mismatches),
        *_check_age(snapshot),
        *_check_ledger(ledger),
        *_check_assertions(snapshot),
        *_check_rounds(snapshot),
        *_check_futures(snapshot, found),
        *_check_clocks(snapshot),
        *_check_idleness(snapshot),
    ]
    order = list(Level)
    return sorted(alarms, key=lambda alarm: -order.index(alarm.level))


def _check_age(snapshot: Snapshot) -> Iterator[Alarm]:
    lag = 0 if snapshot.latest is None else snapshot.latest - snapshot.now
    if lag >= snapshot.parameters.challenge_period // IDLE:
        text = f"the block that we look at is {lag} s older than L1's newest: clocks run that we do not see"
        yield Alarm("behind", Level.DISAGREE, None, text)


def _check_ledger(ledger: LedgerView) -> Iterator[Alarm]:
    """The contract owes what the events say; and what was burnt is still there, for nothing pays it out."""
    if ledger.balance is None:
        return
    if not ledger.is_solvent:
        text = f"the Rollup holds {ledger.balance} wei and owes {ledger.liabilities}"
        yield Alarm("insolvent", Level.BROKEN, None, text)
    elif ledger.balance < ledger.liabilities + ledger.burnt:
        gone = ledger.liabilities + ledger.burnt - ledger.balance
        text = f"{gone} wei of lost bonds have left the Rollup, and no function can pay them out"
        yield Alarm("leak", Level.BROKEN, None, text)


def _check_assertions(snapshot: Snapshot) -> Iterator[Alarm]:
    for node_id, opinion in snapshot.opinions.items():
        status, batch = snapshot.statuses[node_id], snapshot.state.nodes[node_id].batch
        if opinion.verdict is Verdict.DISAGREE and status is Status.CONFIRMED:
            text = f"L1 has confirmed a false state after batch {batch}: {opinion.reason}"
            yield Alarm("lost", Level.BROKEN, node_id, text)
        elif opinion.verdict is Verdict.DISAGREE and status is Status.OPEN:
            text = f"a false assertion about batch {batch} is undecided: {opinion.reason}"
            yield Alarm("false-assertion", Level.DISAGREE, node_id, text)
        elif opinion.verdict is Verdict.UNKNOWN and status is not Status.REJECTED:
            yield Alarm("unknown", Level.NOTICE, node_id, opinion.reason)


def _check_rounds(snapshot: Snapshot) -> Iterator[Alarm]:
    for step in snapshot.path:
        if get_round_state(snapshot, step.parent) is RoundState.ABANDONED:
            text = f"all who answered up to batch {step.to} are dead: somebody has to claim the truth again"
            yield Alarm("abandoned", Level.BROKEN, step.parent, text)
        claims = snapshot.claims.get(step.node, [])
        if get_false_claims(snapshot, step) and not any(snapshot.rollup.is_live(i) for i, _ in claims):
            until = snapshot.rollup.compute_join_end(snapshot.state.rounds[step.parent], step.node)
            left = "" if until is None else f"; {max(0, until - snapshot.now)} s are left to join it"
            text = f"nobody stands on the true answer up to batch {step.to}, somebody on a false one{left}"
            yield Alarm("unanswered", Level.DISAGREE, step.parent, text)


def _check_futures(snapshot: Snapshot, found: Forecast) -> Iterator[Alarm]:
    """The first round of the true path that a future does not decide for the truth: others wait for it."""
    for step in snapshot.path:
        if get_round_state(snapshot, step.parent) not in (RoundState.DISPUTED, RoundState.UNDISPUTED):
            return
        decisions = [future.decided.get(step.parent) for future in found.futures]
        if any(decision is not None and decision.node != step.node for decision in decisions):
            at = min(decision.at for decision in decisions if decision and decision.node != step.node)
            text = f"a false state after batch {step.to} will be confirmed, at {at} at the earliest"
            yield Alarm("losing", Level.BROKEN, step.parent, text)
            return
        if found.silent.decided.get(step.parent) is None:
            text = f"the round up to batch {step.to} does not come to an end, whatever honest parties do"
            yield Alarm("unresolvable", Level.BROKEN, step.parent, text)
            return


def _check_clocks(snapshot: Snapshot) -> Iterator[Alarm]:
    """Time that runs out for somebody who tells the truth."""
    low = snapshot.parameters.challenge_period // LOW_CLOCK
    for match_id, match in snapshot.state.matches.items():
        side = get_true_side(snapshot, match)
        if side is None or match.turn is not side or not snapshot.is_playable(match):
            continue
        if (left := compute_clock(match, side, snapshot.now)) < low:
            text = f"{left} s are left for the true side {side.name.lower()}, which is on turn"
            yield Alarm("clock", Level.DISAGREE, match_id, text)
    for step in snapshot.path:
        for claim_id, claim in snapshot.claims.get(step.node, []):
            if claim.revealed_at or not snapshot.rollup.is_live(claim_id):
                continue
            births = list(get_rival_births(snapshot, claim))
            left = min(births, default=snapshot.now) + snapshot.parameters.challenge_period - snapshot.now
            if births and left < low:
                text = f"a true claim has to reveal its history within {max(0, left)} s"
                yield Alarm("clock", Level.DISAGREE, claim_id, text)


def _check_idleness(snapshot: Snapshot) -> Iterator[Alarm]:
    """What anybody could do, and nobody does."""
    patience = snapshot.parameters.challenge_period // IDLE
    for step in snapshot.path[:1]:
        asked = snapshot.state.rounds[step.parent]
        if asked.live_ends == 1:
            waited = snapshot.now - snapshot.rollup.compute_ripe_at(asked.xor_live)
            if waited >= patience:
                text = f"nobody confirms the answer up to batch {step.to}, for {waited} s"
                yield Alarm("idle", Level.BROKEN, asked.xor_live, text)
    for step in snapshot.path:
        node = snapshot.state.nodes.get(step.node)
        waited = snapshot.now - node.born - snapshot.parameters.challenge_period if node and node.live else 0
        for claim_id in get_false_claims(snapshot, step) if waited >= patience else []:
            if not snapshot.state.claims[claim_id].revealed_at:
                text = f"nobody eliminates a false claim that has not revealed, for {waited} s"
                yield Alarm("idle", Level.BROKEN, claim_id, text)
    for match_id, match in snapshot.state.matches.items():
        waited = snapshot.now - match.last - match.clocks[match.turn]
        side = get_true_side(snapshot, match)
        if waited >= patience and side is match.turn.other and snapshot.is_playable(match):
            text = f"nobody claims the time-out of side {match.turn.name.lower()}, for {waited} s"
            yield Alarm("idle", Level.BROKEN, match_id, text)

"""Money: bonds, credits and pots of every staker, and whether the contract holds what it owes."""

from challenger.game.types import Claim, Staker
from challenger.monitor.snapshot import Snapshot
from challenger.monitor.views import LedgerView, StakerView, Wei
from challenger.watcher import Status, Verdict
from optimist.base.merkle import ZERO


def view_ledger(snapshot: Snapshot) -> LedgerView:
    """All ether of the game: what is owed to whom, against what is there."""
    state, balance = snapshot.state, snapshot.balance
    bonds = sum(staker.bond for staker in state.stakers.values())
    credited = sum(claim.credit for claim in state.claims.values())
    pots = sum(claim.pot for claim in state.claims.values())
    liabilities = bonds + credited + pots
    return LedgerView(
        balance=None if balance is None else Wei(balance),
        bonds=Wei(bonds),
        credits=Wei(credited),
        pots=Wei(pots),
        liabilities=Wei(liabilities),
        burnt=Wei(state.burnt),
        surplus=None if balance is None else Wei(balance - liabilities - state.burnt),
        is_solvent=balance is None or balance >= liabilities,
        stakers=tuple(_view_staker(snapshot, *each) for each in sorted(state.stakers.items())),
    )


def _view_staker(snapshot: Snapshot, address: bytes, staker: Staker) -> StakerView:
    claims = [claim for claim in snapshot.state.claims.values() if claim.owner == address]
    owed = {"due": 0, "locked": 0, "stranded": 0}
    for claim in claims:
        owed[_place_credit(snapshot, claim, staker)] += claim.credit
    last = snapshot.state.claims.get(staker.last_claim)
    is_free = last is None or snapshot.rollup.is_confirmed(last.node)
    return StakerView(
        staker=address,
        status="out" if staker.out else "staked" if staker.bond else "withdrawn",
        bond=Wei(staker.bond),
        is_withdrawable=bool(staker.bond) and is_free,
        expectation=_expect(snapshot, last, staker),
        last_claim=None if staker.last_claim == ZERO else staker.last_claim,
        credit_due=Wei(owed["due"]),
        credit_locked=Wei(owed["locked"]),
        credit_stranded=Wei(owed["stranded"]),
        pot=Wei(sum(claim.pot for claim in claims)),
    )


def _place_credit(snapshot: Snapshot, claim: Claim, staker: Staker) -> str:
    status = snapshot.statuses[claim.node]
    if staker.out or status is Status.REJECTED:
        return "stranded"
    return "due" if status is Status.CONFIRMED else "locked"


def _expect(snapshot: Snapshot, last: Claim | None, staker: Staker) -> str:
    """What becomes of a bond if the truth wins: it stands on its last claim and on all below that."""
    if staker.out:
        return "lost"
    if last is None or snapshot.rollup.is_confirmed(last.node):
        return "returned"
    verdict = snapshot.get_verdict(last.node)
    return {Verdict.AGREE: "returned", Verdict.DISAGREE: "lost"}.get(verdict, "unknown")

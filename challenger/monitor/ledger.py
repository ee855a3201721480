"""Money: bonds, credits and pots of every staker, and whether the contract holds what it owes."""

from challenger.game.dispute import MOVE_GAS
from challenger.game.types import Claim, Side, Staker
from challenger.monitor.snapshot import Snapshot, is_standing
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
        stakers=_view_stakers(snapshot),
    )


def _view_stakers(snapshot: Snapshot) -> tuple[StakerView, ...]:
    claims: dict[bytes, list[Claim]] = {}
    for claim in snapshot.state.claims.values():
        claims.setdefault(claim.owner, []).append(claim)
    refunds = _find_refunds(snapshot)
    return tuple(
        _view_staker(snapshot, address, staker, claims.get(address, []), refunds.get(address, 0))
        for address, staker in sorted(snapshot.state.stakers.items())
    )


def _find_refunds(snapshot: Snapshot) -> dict[bytes, int]:
    """By owner: moves that were made against somebody whose pot is not empty, at the highest price."""
    found: dict[bytes, int] = {}
    pots = snapshot.state.pots
    for match in snapshot.state.matches.values():
        for side in Side:
            claim, opponent = (snapshot.state.claims[match.claims[each]] for each in (side, side.other))
            if is_standing(snapshot.state, claim) and opponent.owner in pots:
                most = match.moves[side] * MOVE_GAS * snapshot.parameters.gas_price_cap
                found[claim.owner] = found.get(claim.owner, 0) + min(most, pots[opponent.owner].pot)
    return found


def _view_staker(
    snapshot: Snapshot, address: bytes, staker: Staker, claims: list[Claim], refund: int
) -> StakerView:
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
        refund_due=Wei(refund),
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

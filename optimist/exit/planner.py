"""Facts in, steps out: how one account leaves. Pure; it remembers nothing, so it can be killed anywhere.

    positions in a dead market    announce its closing, close it a window later
    bankrupt accounts             settle them while the group is held, so that their loss is known
    money                         force a withdrawal of all that the law gives
    what waits in the queue       seal a public batch once it is overdue
    a withdrawal in a batch       assert the root after it, unless somebody has; confirm; pay
    our bond                      take it back

The plan is everything that is left to do, in order. What can be done now is `is_due`; for the rest `at` is
the first second at which it can be, as far as that can be known today (None: it cannot).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from optimist.exit.facts import NOT_SEALED, Facts, OpenPosition, Payment


class Kind(StrEnum):
    """What is done, a transaction each."""

    ANNOUNCE = "announce"
    CLOSE = "close"
    SETTLE = "settle"
    WITHDRAW = "withdraw"
    SEAL = "seal"
    ASSERT = "assert"
    CONFIRM = "confirm"
    PAY = "pay"
    UNBOND = "unbond"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Numbers that do not belong to its kind are 0.

    `amount`: of a withdrawal what leaves the account, of a payment what arrives; 0: not known yet.
    """

    kind: Kind
    at: int | None
    is_due: bool
    market: int = 0
    account: int = 0
    amount: int = 0
    row: int = 0


def make_plan(facts: Facts) -> tuple[Step, ...]:
    """What is left to do, in order; nothing when the account is out."""
    leaving = [*_leave_positions(facts), *_settle(facts), *_withdraw(facts)]
    last_forced = max((step.at for step in leaving if step.at is not None), default=None)
    sealing = _seal(facts, leaving, last_forced)
    sealed_at = sealing[-1].at if sealing else None
    paying = _be_paid(facts, sealed_at, is_more_to_come=bool(leaving))
    steps = (*leaving, *sealing, *paying)
    return (*steps, *_unbond(facts, steps))


def _leave_positions(facts: Facts) -> list[Step]:
    return [step for position in facts.ahead.positions for step in _leave(facts, position)]


def _leave(facts: Facts, position: OpenPosition) -> list[Step]:
    window = facts.times.window
    if position.announced_at:
        due = position.announced_at + window
        return [Step(Kind.CLOSE, due, facts.now >= due, market=position.market)]
    at = max(position.dead_at, facts.now)
    announced = at + facts.times.forced_deadline
    return [
        Step(Kind.ANNOUNCE, at, facts.now >= position.dead_at, market=position.market),
        Step(Kind.CLOSE, announced + window, is_due=False, market=position.market),
    ]


def _settle(facts: Facts) -> list[Step]:
    """Losses of others become everybody's before we go, not after."""
    if not facts.ahead.takes and not facts.ahead.positions:
        return []
    return [
        Step(Kind.SETTLE, facts.now, is_due=True, market=market, account=bankrupt.account)
        for bankrupt in facts.ahead.bankrupts
        for market in bankrupt.markets
    ]


def _withdraw(facts: Facts) -> list[Step]:
    ahead = facts.ahead
    if ahead.positions:
        closed = max(step.at or 0 for step in _leave_positions(facts)) + facts.times.forced_deadline
        return [Step(Kind.WITHDRAW, closed + facts.times.window, is_due=False, account=facts.account)]
    if not ahead.takes:
        return []
    at = max(ahead.held_until, facts.now)
    # Accounts to be settled come first: they change what is paid.
    is_due = facts.now >= ahead.held_until and not ahead.bankrupts
    return [Step(Kind.WITHDRAW, at, is_due, account=facts.account, amount=ahead.takes)]


def _seal(facts: Facts, leaving: list[Step], last_forced: int | None) -> list[Step]:
    """What is forced until the queue is overdue is sealed with it. Batches in between are not listed."""
    steps = []
    covered = 0  # second up to which what is forced is sealed with what waits
    if facts.queue.waiting and (leaving or facts.is_queue_ours):
        covered = max(facts.queue.seal_at, facts.now)
        steps.append(Step(Kind.SEAL, covered, facts.now >= covered))
    if last_forced is not None and last_forced > covered:
        steps.append(Step(Kind.SEAL, last_forced + facts.times.forced_deadline + 1, is_due=False))
    return steps


def _be_paid(facts: Facts, sealed_at: int | None, *, is_more_to_come: bool) -> list[Step]:
    confirmed = facts.roots.confirmed_to
    unpaid = [each for each in facts.payments if not each.is_paid]
    ready = [each for each in unpaid if NOT_SEALED < each.batch <= confirmed]
    waiting = [each for each in unpaid if not NOT_SEALED < each.batch <= confirmed]
    steps = [_pay(facts, facts.now, each.amount, each.row, is_due=True) for each in ready]
    if not waiting and not is_more_to_come:
        return steps
    found, confirmed_at = _confirm(facts, waiting, sealed_at or facts.now, is_more_to_come=is_more_to_come)
    steps += found
    steps += [_pay(facts, confirmed_at, each.amount, each.row) for each in waiting]
    if is_more_to_come:
        steps.append(_pay(facts, confirmed_at, facts.ahead.pays))
    return steps


def _pay(facts: Facts, at: int | None, amount: int, row: int = 0, *, is_due: bool = False) -> Step:
    return Step(Kind.PAY, at, is_due, account=facts.account, amount=amount, row=row)


def _confirm(
    facts: Facts, waiting: Sequence[Payment], sealed_at: int, *, is_more_to_come: bool
) -> tuple[list[Step], int | None]:
    """What makes the root behind all that is waited for final, and when it will be."""
    roots, now = facts.roots, facts.now
    sealed = [each.batch for each in waiting if each.batch != NOT_SEALED]
    steps: list[Step] = []
    if is_more_to_come or len(sealed) < len(waiting) or max(sealed) > roots.asserted_to:
        at = max(roots.next_at, sealed_at)
        is_ours_next = any(batch > roots.asserted_to for batch in sealed)
        is_due = is_ours_next and roots.is_next_sealed and now >= roots.next_at
        steps.append(Step(Kind.ASSERT, now if is_due else at, is_due))
        confirmed_at: int | None = at + facts.times.challenge_period
    else:
        covering = next(root for root in roots.path if root.to >= max(sealed))
        confirmed_at = None if covering.ripe_at is None else max(covering.ripe_at, now)
    oldest = roots.path[0].ripe_at if roots.path else None
    if oldest is not None and now >= oldest:
        steps.append(Step(Kind.CONFIRM, now, is_due=True))
    else:
        steps.append(Step(Kind.CONFIRM, confirmed_at, is_due=False))
    return steps, confirmed_at


def _unbond(facts: Facts, before: Sequence[Step]) -> list[Step]:
    """The bond stays down as long as another assertion may be needed, and until nothing stands on it."""
    if not facts.bond.is_down:
        return []
    is_needed = any(step.kind is Kind.ASSERT for step in before)
    if facts.bond.is_free and not is_needed:
        return [Step(Kind.UNBOND, facts.now, is_due=True)]
    ripe = [root.ripe_at for root in facts.roots.path]
    at = None if is_needed or not ripe or ripe[-1] is None else max(ripe[-1], facts.now)
    # Nothing else brings our last assertion home.
    oldest = facts.roots.path[0].ripe_at if facts.roots.path else None
    confirm = []
    if all(step.kind is not Kind.CONFIRM for step in before):
        is_due = oldest is not None and facts.now >= oldest
        confirm = [Step(Kind.CONFIRM, at, is_due)]
    return [*confirm, Step(Kind.UNBOND, at, is_due=False)]

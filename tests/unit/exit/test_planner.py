"""The plan of whoever leaves: what is due at which moment, and what never is."""

from dataclasses import replace
from typing import Any, Final

from optimist.exit.facts import (
    NOT_SEALED,
    Bankrupt,
    Bond,
    Facts,
    OpenPosition,
    Outlook,
    Payment,
    PendingRoot,
    Queue,
    Roots,
    Times,
)
from optimist.exit.planner import Kind, Step, make_plan

NOW: Final = 1_700_000_000  # s
TIMES: Final = Times(forced_deadline=86_400, challenge_period=604_800, silence=259_200, window=43_200)
USD: Final = 10**6
OWNER: Final = bytes(range(20))
NODE: Final = bytes([7]) * 32
# The account is out: no money, no positions, nothing that waits.
OUT: Final = Outlook(
    owner=OWNER,
    worth=0,
    positions=(),
    takes=0,
    pays=0,
    held_until=0,
    bankrupts=(),
    rows=(),
    refusal=None,
)
RICH: Final = replace(OUT, worth=100 * USD, takes=100 * USD, pays=100 * USD)
LONG: Final = OpenPosition(market=3, size=5, dead_at=NOW - 10, announced_at=0)
PATH: Final = (PendingRoot(NODE, 6, NOW + 500),)


def facts(ahead: Outlook = OUT, **changes: Any) -> Facts:
    """Six batches; the first five are behind the confirmed root, and nobody has asserted the sixth."""
    found = Facts(
        now=NOW,
        account=1,
        batches=6,
        times=TIMES,
        queue=Queue(0, 0),
        is_queue_ours=False,
        ahead=ahead,
        payments=(),
        roots=Roots(confirmed_to=5, path=(), next_at=NOW - 1, is_next_sealed=True),
        bond=Bond(),
    )
    return replace(found, **changes)


def name_steps(found: Facts) -> list[tuple[Kind, bool]]:
    return [(step.kind, step.is_due) for step in make_plan(found)]


def find_due(found: Facts) -> list[Kind]:
    return [step.kind for step in make_plan(found) if step.is_due]


def find_step(found: Facts, kind: Kind) -> Step:
    (step,) = [step for step in make_plan(found) if step.kind is kind]
    return step


def test_nothing_is_left_for_an_account_that_is_out() -> None:
    assert make_plan(facts()) == ()
    paid = Payment(row=1, amount=100 * USD, batch=5, is_paid=True)
    assert make_plan(facts(payments=(paid,))) == ()


def test_free_money_is_forced_out_first_and_the_rest_of_the_way_is_named() -> None:
    plan = make_plan(facts(RICH))
    assert [step.kind for step in plan] == [Kind.WITHDRAW, Kind.SEAL, Kind.ASSERT, Kind.CONFIRM, Kind.PAY]
    assert [step.is_due for step in plan] == [True, False, False, False, False]
    withdraw, seal, assert_, confirm, pay = plan
    assert (withdraw.at, withdraw.amount) == (NOW, 100 * USD)
    assert seal.at == assert_.at == NOW + TIMES.forced_deadline + 1
    assert confirm.at == pay.at == NOW + TIMES.forced_deadline + 1 + TIMES.challenge_period
    assert pay.amount == 100 * USD


def test_position_in_a_living_market_waits_for_silence() -> None:
    ahead = replace(RICH, positions=(replace(LONG, dead_at=NOW + 1),), takes=0, pays=0)
    found = facts(ahead)
    assert find_due(found) == []
    assert find_step(found, Kind.ANNOUNCE).at == NOW + 1
    assert find_due(replace(found, now=NOW + 1)) == [Kind.ANNOUNCE]


def test_market_is_closed_a_window_after_its_announcement_and_not_a_second_before() -> None:
    ahead = replace(RICH, positions=(replace(LONG, announced_at=NOW),), takes=0, pays=0)
    found = facts(ahead)
    assert find_due(replace(found, now=NOW + TIMES.window - 1)) == []
    assert find_due(replace(found, now=NOW + TIMES.window)) == [Kind.CLOSE]


def test_two_markets_are_announced_side_by_side() -> None:
    positions = (LONG, replace(LONG, market=4), replace(LONG, market=5, announced_at=NOW - TIMES.window))
    plan = make_plan(facts(replace(RICH, positions=positions, takes=0, pays=0)))
    due = [(step.kind, step.market) for step in plan if step.is_due]
    assert due == [(Kind.ANNOUNCE, 3), (Kind.ANNOUNCE, 4), (Kind.CLOSE, 5)]


def test_way_out_of_a_dead_market_is_told_to_its_end() -> None:
    """A deadline and a window for each of two steps, a deadline for the money, a challenge period."""
    ahead = replace(RICH, positions=(LONG,), takes=0, pays=0)
    last = make_plan(facts(ahead))[-1]
    assert last.kind is Kind.PAY
    wait = 3 * TIMES.forced_deadline + 2 * TIMES.window + 1 + TIMES.challenge_period
    assert last.at == NOW + wait


def test_nothing_is_withdrawn_while_the_group_is_held() -> None:
    held = facts(replace(RICH, held_until=NOW + 1))
    assert find_due(held) == []
    assert find_step(held, Kind.WITHDRAW).at == NOW + 1
    assert find_due(replace(held, now=NOW + 1)) == [Kind.WITHDRAW]


def test_losses_of_others_are_settled_before_money_leaves() -> None:
    bankrupts = (Bankrupt(7, (0, 3), owes=5), Bankrupt(9, (3,), owes=1))
    plan = make_plan(facts(replace(RICH, bankrupts=bankrupts)))
    assert [(s.account, s.market) for s in plan if s.is_due] == [(7, 0), (7, 3), (9, 3)]
    assert not find_step(facts(replace(RICH, bankrupts=bankrupts)), Kind.WITHDRAW).is_due


def test_losses_of_others_are_nothing_to_an_account_without_money() -> None:
    assert make_plan(facts(replace(OUT, bankrupts=(Bankrupt(7, (0,), owes=5),)))) == ()


def test_queue_is_sealed_from_its_deadline_on() -> None:
    row = Payment(row=4, amount=USD, batch=NOT_SEALED, is_paid=False)
    found = facts(queue=Queue(2, seal_at=NOW + 1), is_queue_ours=True, payments=(row,))
    assert find_due(found) == []
    assert find_due(replace(found, now=NOW + 1)) == [Kind.SEAL]


def test_queue_that_is_nothing_to_us_is_left_to_others() -> None:
    assert make_plan(facts(queue=Queue(2, seal_at=NOW), is_queue_ours=False)) == ()


def test_queue_of_others_is_sealed_when_we_need_the_clock_to_move() -> None:
    assert Kind.SEAL in find_due(facts(RICH, queue=Queue(1, seal_at=NOW), is_queue_ours=False))


def test_what_is_forced_in_time_is_sealed_with_what_waits_already() -> None:
    """And what comes later in a batch of its own."""
    overdue = NOW + TIMES.forced_deadline - 100
    plan = make_plan(facts(RICH, queue=Queue(1, seal_at=overdue)))
    assert [step.at for step in plan if step.kind is Kind.SEAL] == [overdue]
    held = replace(RICH, held_until=overdue + 1)
    plan = make_plan(facts(held, queue=Queue(1, seal_at=overdue)))
    later = overdue + 1 + TIMES.forced_deadline + 1
    assert [step.at for step in plan if step.kind is Kind.SEAL] == [overdue, later]


def test_sealed_withdrawal_is_asserted_when_nobody_has() -> None:
    found = facts(payments=(Payment(4, USD, batch=6, is_paid=False),))
    assert name_steps(found) == [(Kind.ASSERT, True), (Kind.CONFIRM, False), (Kind.PAY, False)]
    early = replace(found, roots=replace(found.roots, next_at=NOW + 3))
    assert (find_step(early, Kind.ASSERT).at, find_due(early)) == (NOW + 3, [])
    not_sealed = replace(found, roots=replace(found.roots, is_next_sealed=False))
    assert find_due(not_sealed) == []


def test_assertion_of_somebody_else_is_used() -> None:
    found = facts(
        payments=(Payment(4, USD, batch=6, is_paid=False),),
        roots=Roots(confirmed_to=5, path=PATH, next_at=NOW, is_next_sealed=False),
    )
    assert name_steps(found) == [(Kind.CONFIRM, False), (Kind.PAY, False)]
    assert find_step(found, Kind.PAY).at == NOW + 500
    assert find_due(replace(found, now=NOW + 500)) == [Kind.CONFIRM]


def test_disputed_root_has_no_date() -> None:
    path = (PendingRoot(NODE, 6, ripe_at=None),)
    found = facts(
        payments=(Payment(4, USD, batch=6, is_paid=False),),
        roots=Roots(confirmed_to=5, path=path, next_at=NOW, is_next_sealed=False),
    )
    assert [(step.kind, step.at, step.is_due) for step in make_plan(found)] == [
        (Kind.CONFIRM, None, False),
        (Kind.PAY, None, False),
    ]


def test_roots_before_ours_are_confirmed_one_by_one() -> None:
    """The oldest comes first; ours is confirmed only when its own time has come."""
    path = (PendingRoot(NODE, 6, NOW), PendingRoot(bytes(32), 7, NOW + 100))
    found = facts(
        batches=7,
        payments=(Payment(4, USD, batch=7, is_paid=False),),
        roots=Roots(confirmed_to=5, path=path, next_at=NOW, is_next_sealed=False),
    )
    assert find_due(found) == [Kind.CONFIRM]
    assert find_step(found, Kind.PAY).at == NOW + 100


def test_confirmed_withdrawals_are_paid_each_and_once() -> None:
    payments = (
        Payment(2, 5 * USD, batch=3, is_paid=True),
        Payment(4, USD, batch=4, is_paid=False),
        Payment(5, 2 * USD, batch=5, is_paid=False),
        Payment(6, 3 * USD, batch=6, is_paid=False),
    )
    plan = make_plan(facts(payments=payments))
    assert [(step.row, step.amount) for step in plan if step.kind is Kind.PAY and step.is_due] == [
        (4, USD),
        (5, 2 * USD),
    ]
    assert [step.row for step in plan if step.kind is Kind.PAY and not step.is_due] == [6]


def test_bond_comes_back_when_nothing_stands_on_it() -> None:
    assert find_due(facts(bond=Bond(is_down=True, is_free=True))) == [Kind.UNBOND]


def test_bond_stays_while_another_assertion_may_be_needed() -> None:
    found = facts(RICH, bond=Bond(is_down=True, is_free=True))
    assert find_due(found) == [Kind.WITHDRAW]
    assert make_plan(found)[-1].kind is Kind.UNBOND


def test_own_assertion_is_confirmed_for_the_bond_though_the_money_is_paid() -> None:
    found = facts(
        bond=Bond(is_down=True, is_free=False),
        roots=Roots(confirmed_to=5, path=PATH, next_at=NOW, is_next_sealed=False),
    )
    assert find_due(found) == []
    assert find_step(found, Kind.UNBOND).at == NOW + 500
    assert find_due(replace(found, now=NOW + 500)) == [Kind.CONFIRM]


def test_what_is_not_due_is_never_in_the_past() -> None:
    """Or somebody would wait for a moment that has gone by: whatever the mix of facts."""
    for ahead in (RICH, replace(RICH, positions=(LONG,)), replace(RICH, held_until=NOW + 9), OUT):
        for queue in (Queue(0, 0), Queue(1, NOW - 5), Queue(1, NOW + 5)):
            for batch in (NOT_SEALED, 5, 6):
                found = facts(
                    ahead, queue=queue, is_queue_ours=True, payments=(Payment(1, USD, batch, is_paid=False),)
                )
                for step in make_plan(found):
                    assert step.at is None or step.at >= NOW, step
                    assert not step.is_due or step.at is not None

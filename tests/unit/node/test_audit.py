"""The audit finds nothing wrong with any state that the law makes, and something with every other one."""

from typing import Any, cast

import pytest

from optimist.node.audit import Audit
from optimist.provable import State
from optimist.stf.constants import ONE
from optimist.stf.law import get_law
from optimist.stf.records import Account, Group, Position, Side, Withdrawal
from tests.support.ledger import Ledger
from tests.support.workload import generate_workload


def play(seed: int, count: int = 220) -> State:
    state = State()
    for data in generate_workload(seed).inputs[:count]:
        state.apply(get_law("minimal"), data)
    return state


@pytest.mark.parametrize("seed", range(4))
def test_states_of_stormy_markets_are_sound_at_any_time(seed: int) -> None:
    state = State()
    for number, data in enumerate(generate_workload(seed).inputs):
        state.apply(get_law("minimal"), data)
        if number % 10 == 0:
            assert Audit(state).find_faults() == []
    ledger = Ledger(dict(state.items()))
    ledger.check_conservation(Audit(state).compute_owed())
    assert Audit(state).compute_owed() > 0


@pytest.mark.parametrize(
    ("kind", "field", "names"),
    [
        (Account, "collateral", "group 0 has"),
        (Group, "fund", "group 0 has"),
        (Group, "money", "group 0 has"),
        (Position, "shares", "its positions have"),
        (Position, "index", "group 0 has"),
        (Side, "shares", "its positions have"),
        (Side, "index", "group 0 has"),
        (Side, "multiplier", "units more than longs"),
    ],
)
def test_a_record_that_is_off_is_found(kind: type[Any], field: str, names: str) -> None:
    state = play(3)
    row, record = next(
        (row, record)
        for row, record in Ledger(dict(state.items())).all_records(kind).items()
        if getattr(record, field)
        and (kind is not Side or (record.shares and row % 2))
        and record_is_live(state, record)
    )
    setattr(record, field, getattr(record, field) + (1 if field != "multiplier" else -ONE // 2))
    state.set_bytes(kind.record_base + row, record.record_bytes())
    faults = Audit(state).find_faults()
    assert any(names in fault for fault in faults), faults


def record_is_live(state: State, record: object) -> bool:
    """Whether a position is one of its side's present epoch: others are only paid, no longer counted."""
    if not isinstance(record, Position):
        return True
    row = record.market_plus_one - 1 << 1 | (record.shares < 0)
    return bool(Ledger(dict(state.items())).record(Side, row).epoch == record.epoch)


def test_a_withdrawal_more_is_money_that_is_owed() -> None:
    state = play(1)
    before = Audit(state).compute_owed()
    state.set_bytes(
        (9 << 40) + 999,
        cast("Any", Withdrawal(recipient=1, amount=7, account=1, reason=0)).record_bytes(),
    )
    assert Audit(state).compute_owed() == before + 7

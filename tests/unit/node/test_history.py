"""Histories on disk: whole, in order, taken back with their batches, and dropped when they are old."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from optimist.node.execution import Receipts
from optimist.node.history import DAY, READ_AT_ONCE, History, NoHistory, describe_history
from optimist.node.receipts import (
    KeptReceipt,
    Place,
    describe_note,
    encode_receipt,
    find_accounts,
    keep_receipt,
    parse_place,
)
from optimist.provable import State, i128, record, u16, u40, u64, u160
from optimist.stf.law import get_law
from optimist.stf.records import Account
from optimist.store.state_store import Change, StateStore
from tests.support.histories import rebuild
from tests.support.ledger import Ledger
from tests.support.workload import generate_workload
from tests.support.world import START

FIRST = Place(0, 0)


@record()
class Paid:
    account: u40
    to_account: u40
    recipient: u160
    amount: u64
    large: i128
    is_final: bool


@record()
class Announced:
    market: u16


def announce(market: int) -> Any:
    """A note that names no account."""
    return Announced(market=market)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    with StateStore(tmp_path / "state", b"\x42" * 32) as store:
        yield store


class Rollup:
    """A workload as batches whose receipts are kept; `states` are those after each batch."""

    def __init__(self, store: StateStore, seed: int, days: int = 1) -> None:
        self.store, self.history = store, History(store, days)
        self.states: list[dict[int, bytes]] = []
        state, law = State(), get_law("minimal")
        noted: Receipts = {}
        for number, data in enumerate(generate_workload(seed, 500).inputs):
            if number % 40 == 39:
                self._seal(noted, state)
            receipt = state.apply(law, data)
            if receipt.notes:
                noted[number] = keep_receipt(START + number, receipt.notes)
        self._seal(noted, state)

    def _seal(self, noted: Receipts, state: State) -> None:
        change = Change(b"cursor")
        self.history.keep(len(self.states) + 1, noted, change)
        self.store.write(change)
        self.states.append(dict(state.items()))
        noted.clear()

    def check(self, batch: int) -> int:
        """Rebuild every account from its own history, and compare it with the state after a batch."""
        ledger, entries = Ledger(self.states[batch - 1]), 0
        for account, found in ledger.all_records(Account).items():
            history = self.history.read(account, FIRST, READ_AT_ONCE)
            assert [entry.place for entry in history] == sorted(entry.place for entry in history)
            notes = [note for entry in history for note in entry.notes]
            for note in notes:
                named, is_for_all = find_accounts([note])
                assert account in named or is_for_all, "a note of somebody else"
            rebuilt = rebuild(notes)
            assert rebuilt[account].collateral == found.collateral
            assert rebuilt[account].positions == ledger.positions(account)
            entries += len(history)
        return entries


def test_every_account_is_rebuilt_from_its_own_history_at_every_batch_end(store: StateStore) -> None:
    rollup = Rollup(store, seed=3)
    assert len(rollup.states) > 10
    entries = rollup.check(len(rollup.states))
    for batch in range(len(rollup.states), 1, -1):
        change = Change(b"cursor")
        rollup.history.take_back(batch, change)
        store.write(change)
        left = rollup.check(batch - 1)
        assert left <= entries
        entries = left
    change = Change(b"cursor")
    rollup.history.take_back(1, change)
    store.write(change)
    assert list(store.read_receipts(0)) == []


def test_pages_of_a_history_are_the_whole_of_it(store: StateStore) -> None:
    rollup = Rollup(store, seed=5)
    whole = rollup.history.read(1, FIRST, READ_AT_ONCE)
    assert len(whole) > 10
    pages, after = [], FIRST
    while page := rollup.history.read(1, after, 7):
        assert len(page) <= 7
        pages += page
        told = describe_history(1, page)
        after = parse_place(told["next"])
    assert pages == whole
    assert describe_history(1, [])["next"] is None


def test_receipts_of_former_days_are_dropped_and_nothing_of_them_stays(store: StateStore) -> None:
    rollup = Rollup(store, seed=5)
    total = len(list(store.read_receipts(0)))
    now = START + DAY + 250
    change = Change(b"cursor")
    dropped = rollup.history.prune(now, change)
    assert 0 < dropped < total
    store.write(change)
    assert len(list(store.read_receipts(0))) == total - dropped
    for account in range(7):
        entries = rollup.history.read(account, FIRST, READ_AT_ONCE)
        assert all(entry.second + DAY >= now for entry in entries)
    change = Change(b"cursor")
    rollup.history.prune(now + DAY, change)
    store.write(change)
    assert not any(rollup.history.read(account, FIRST, READ_AT_ONCE) for account in range(7))


def test_note_belongs_to_whom_it_names_and_one_that_names_nobody_to_everybody(store: StateStore) -> None:
    history = History(store, 1)
    paid: Any = Paid(account=1, to_account=2, recipient=7, amount=2**63, large=-(2**70), is_final=True)
    change = Change(b"cursor")
    history.keep(1, {4: keep_receipt(START, (paid, announce(3)))}, change)
    history.keep(2, {0: keep_receipt(START + 1, (announce(5),))}, change)
    store.write(change)
    told = describe_note(paid)
    assert told == {
        "type": "Paid",
        "account": 1,
        "toAccount": 2,
        "recipient": "0x" + "07".rjust(40, "0"),
        "amount": str(2**63),
        "large": str(-(2**70)),
        "isFinal": True,
    }
    announced = [{"type": "Announced", "market": market} for market in (3, 5)]
    for account in (1, 2):
        first, second = history.read(account, FIRST, 10)
        assert (first.place, first.notes) == (Place(1, 4), [told, announced[0]])
        assert (second.place, second.notes, second.second) == (Place(2, 0), [announced[1]], START + 1)
    assert [entry.notes for entry in history.read(9, FIRST, 10)] == [[announced[0]], [announced[1]]]


@pytest.mark.parametrize("days", [0, 1])
def test_without_a_store_or_without_days_nothing_is_kept_and_asking_says_so(
    store: StateStore, days: int
) -> None:
    history = History(None if days else store, days)
    change = Change(b"cursor")
    history.keep(1, {0: keep_receipt(START, (announce(3),))}, change)
    history.take_back(1, change)
    assert history.prune(START, change) == 0
    assert (change.receipts, change.histories) == ({}, {})
    with pytest.raises(NoHistory, match="--datadir"):
        history.read(1, FIRST, 1)


@pytest.mark.parametrize("text", ["", "1", "1.", ".1", "1.2.3", "-1.2", "a.b", "٣.1", "1." + "1" * 40])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        parse_place(text)


def test_receipt_is_readable_as_it_is_kept() -> None:
    assert encode_receipt(KeptReceipt(9, [describe_note(announce(3))])) == (
        b'{"second":9,"notes":[{"type":"Announced","market":3}]}'
    )

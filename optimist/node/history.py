"""Account histories: receipts of the last days, on disk. A node makes them as it applies batches.

L1 is the only archive. What is older than `days` is dropped, and a node that derives anew has it again while
it catches up. Without a data directory nothing is kept.
"""

from dataclasses import dataclass
from typing import Any, Final

from optimist.node.execution import Receipts
from optimist.node.receipts import (
    EVERYBODY,
    Place,
    decode_receipt,
    find_owners,
    select_notes,
)
from optimist.store.state_store import Change, StateStore

DAY: Final = 86_400
PRUNED_AT_ONCE: Final = 1_000  # receipts dropped in one look at most
READ_AT_ONCE: Final = 500  # entries of a history in one answer at most


class NoHistory(LookupError):
    """No histories are kept here: give the node a data directory, and days to keep."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one input meant for one account."""

    place: Place
    second: int
    notes: list[dict[str, Any]]


class History:
    """The receipts in a state store. Changes are collected in a `Change`, and count when it is written."""

    def __init__(self, store: StateStore | None, days: int) -> None:
        """Keep receipts for so many days; 0: none."""
        self._store = store if days else None
        self._seconds = days * DAY

    @property
    def is_kept(self) -> bool:
        """Whether there is a place, and time, to keep receipts."""
        return self._store is not None

    def keep(self, batch: int, receipts: Receipts, change: Change) -> None:
        """Keep the receipts of a batch."""
        if self._store is None:
            return
        for index, (receipt, owners) in receipts.items():
            change.receipts[batch, index] = receipt
            for owner in owners:
                change.histories[owner, batch, index] = b""

    def take_back(self, batch: int, change: Change) -> None:
        """Drop what was kept of a batch that L1 has lost. Raises StateDamaged."""
        if self._store is None:
            return
        for found, index, data in self._store.read_receipts(batch):
            if found != batch:
                break
            self._drop(found, index, data, change)

    def prune(self, now: int, change: Change) -> int:
        """Drop the oldest receipts that are too old at second `now`, some at a time; how many."""
        if self._store is None:
            return 0
        dropped = 0
        for batch, index, data in self._store.read_receipts(0):
            if dropped == PRUNED_AT_ONCE or decode_receipt(data).second + self._seconds >= now:
                break
            self._drop(batch, index, data, change)
            dropped += 1
        return dropped

    def read(self, account: int, after: Place, count: int) -> list[Entry]:
        """Entries of an account's history behind a place, oldest first, at most `count` of them.

        Raises NoHistory or StateDamaged.
        """
        if self._store is None:
            raise NoHistory("no histories are kept here: run with --datadir and --history-days above 0")
        count = min(count, READ_AT_ONCE)
        found: dict[Place, bytes] = {}
        for owner in (account, EVERYBODY):
            for batch, index, data in self._store.read_history(owner, (after.batch, after.index), count):
                if data is not None:
                    found[Place(batch, index)] = data
        entries = []
        for place in sorted(found)[:count]:
            receipt = decode_receipt(found[place])
            entries.append(Entry(place, receipt.second, select_notes(receipt.notes, account)))
        return entries

    def _drop(self, batch: int, index: int, data: bytes, change: Change) -> None:
        change.receipts[batch, index] = None
        for owner in find_owners(decode_receipt(data)):
            change.histories[owner, batch, index] = None


def describe_history(account: int, entries: list[Entry]) -> dict[str, Any]:
    """Entries as a JSON object; `next`: behind which to go on, null when there was nothing."""
    return {
        "account": account,
        "entries": [
            {"place": str(entry.place), "second": entry.second, "notes": entry.notes} for entry in entries
        ],
        "next": str(entries[-1].place) if entries else None,
    }

"""States between inputs: they never change, so what was decoded of one is kept for the next."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeVar, cast

from tests.support.ledger import Ledger

R = TypeVar("R")
Writes = Mapping[int, tuple[bytes | None, bytes | None]]


class Snapshot(Ledger):
    """A `Ledger` of one moment."""

    def __init__(
        self, records: Mapping[int, bytes], decoded: Mapping[Any, dict[int, Any]] | None = None
    ) -> None:
        """`decoded`: kind -> row -> record of all tables that were decoded already."""
        super().__init__(records)
        self._decoded = dict(decoded or {})
        self._held: dict[int, dict[int, Fraction]] = {}
        self._interests: dict[int, int] = {}

    def then(self, writes: Writes) -> "Snapshot":
        """The state after an input: key -> (old, new) of what it changed, as its receipt says."""
        records, decoded = dict(self.records), dict(self._decoded)
        for key, (_, new) in writes.items():
            if new is None:
                del records[key]
            else:
                records[key] = new
        for kind, known in self._decoded.items():
            table = kind.record_base >> 40
            changed = {key & (1 << 40) - 1: new for key, (_, new) in writes.items() if key >> 40 == table}
            if changed:
                decoded[kind] = rows = dict(known)
                for row, new in changed.items():
                    if new is None:
                        rows.pop(row, None)
                    else:
                        rows[row] = kind.record_from_bytes(new)
        return Snapshot(records, decoded)

    def all_records(self, kind: type[R]) -> dict[int, R]:
        """See `Ledger`."""
        if kind not in self._decoded:
            self._decoded[kind] = super().all_records(kind)
        return cast("dict[int, R]", self._decoded[kind])

    def record(self, kind: type[R], row: int) -> R:
        """See `Ledger`."""
        made: Any = kind
        rows: Any = self._decoded.get(kind) or self.all_records(kind)
        found: R = rows.get(row) or made.record_zero
        return found

    def positions(self, account: int) -> dict[int, Fraction]:
        """See `Ledger`."""
        if account not in self._held:
            self._held[account] = super().positions(account)
        return self._held[account]

    def open_interest(self, market: int) -> int:
        """See `Ledger`."""
        if market not in self._interests:
            self._interests[market] = super().open_interest(market)
        return self._interests[market]

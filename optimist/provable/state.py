"""The state of the law on the native path: records by key, one input applied at a time, all or nothing.

Key = table << 40 | row. A record in the dictionary is never changed in place: `store` puts a copy there. So
the old and new values of an input can be kept by reference and turned into bytes only when somebody asks.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, TypeVar

from optimist.provable import intrinsics
from optimist.provable.context import CONTEXT, Notes, Records, Signatures, Touched
from optimist.provable.record import RECORD_BYTES, Record
from optimist.provable.rejection import ACCEPTED, Rejected
from optimist.vm.isa import REJECT_DIVISION

R = TypeVar("R")

ABSENT: Final = bytes(RECORD_BYTES)
_OWN_FOLDER: Final = str(Path(__file__).parent)


class Receipt:
    """What one input did: accepted (code 0) or rejected (its code), and the records that it stored.

    `notes` are copies of what the law noted, in order; none when rejected. They are no part of the state.

    `reached` are the keys that a rejected input had stored before it was rejected and undone: how far it
    came.
    """

    __slots__ = ("rejected", "code", "reached", "notes", "_before", "_after")

    def __init__(
        self,
        rejected: bool,
        code: int,
        before: Touched,
        after: Touched,
        reached: tuple[int, ...] = (),
        notes: tuple[Record, ...] = (),
    ) -> None:
        self.rejected = rejected
        self.code = code
        self.reached = reached
        self.notes = notes
        self._before = before
        self._after = after

    @property
    def before(self) -> Touched:
        """Key -> what was there before, as the state held it, of every record that was stored."""
        return self._before

    @property
    def keys(self) -> tuple[int, ...]:
        """Keys of the records that were stored, in the order of their first store. Empty when rejected."""
        return tuple(self._before)

    @property
    def writes(self) -> dict[int, tuple[bytes | None, bytes | None]]:
        """Key -> (old, new) 256-byte records, None for absent, of every record whose bytes changed."""
        return _find_changes(self._before, self._after)

    def __repr__(self) -> str:
        outcome = (
            f"rejected with code {self.code}" if self.rejected else f"{len(self._before)} records stored"
        )
        return f"<Receipt: {outcome}>"


class State:
    """All records, and the signatures that are known already. Single-threaded, as the law is."""

    __slots__ = ("_records", "signatures")

    def __init__(self, records: Mapping[int, bytes] | None = None) -> None:
        """`records`: key -> 256 bytes. Raises ValueError on a record of another length."""
        self._records: Records = {}
        self.signatures: Signatures = {}  # workers may fill it beforehand; the law only reads it
        for key, data in (records or {}).items():
            self.set_bytes(key, data)

    def apply(self, entry: Callable[[], None], data: bytes) -> Receipt:
        """Apply one input with the law `entry`. A rejected input leaves no trace."""
        touched: Touched = {}
        notes: Notes = []
        records = self._records
        code = ACCEPTED
        done = False
        CONTEXT.open(data, records, touched, self.signatures, notes)
        try:
            entry()
            done = True
        except Rejected as rejection:
            code = rejection.code
        except ZeroDivisionError as error:
            if not _is_division_of_the_law(error.__traceback__):
                raise
            code = REJECT_DIVISION
        finally:
            CONTEXT.close()
            if not done:
                _restore(records, touched)
        if not done:
            return Receipt(True, code, {}, {}, tuple(touched))
        after: Touched = {key: records[key] for key in touched}
        return Receipt(False, ACCEPTED, touched, after, notes=tuple(notes))

    def compare(self, before: Touched) -> dict[int, tuple[bytes | None, bytes | None]]:
        """Key -> (old, new) 256-byte records, None for absent, of what is not any more as `before` says."""
        return _find_changes(before, self._records)

    def undo(self, receipt: Receipt) -> None:
        """Take back an input; only the last one that was not taken back yet."""
        _restore(self._records, receipt._before)  # noqa: SLF001 - the receipt is this module's own

    def read(self, kind: type[R], row: int) -> R:
        """Record `row` of the table of `kind`, shared and read-only; all fields zero when absent.

        As the law's `peek`, from outside. Its class may be that of another loading of the law.
        """
        wanted: Any = kind
        held: Any = self._records.get(wanted.record_base + row)
        if held is None:
            held = wanted.record_zero
        elif held.__class__ is bytes:
            held = wanted.record_from_bytes(held)
        found: R = held
        return found

    def get_bytes(self, key: int) -> bytes | None:
        """The 256 bytes of a record; None when absent."""
        return _to_bytes(self._records.get(key))

    def set_bytes(self, key: int, data: bytes | None) -> None:
        """Set or delete a record from outside of the law, to restore a state."""
        if data is None or data == ABSENT:
            self._records.pop(key, None)
        elif len(data) == RECORD_BYTES:
            self._records[key] = data
        else:
            raise ValueError(f"record {key:#x} has {len(data)} bytes instead of {RECORD_BYTES}")

    def items(self) -> Iterator[tuple[int, bytes]]:
        """(key, 256 bytes) of every record that is not absent, in the order of first insertion."""
        for key, held in self._records.items():
            data = _to_bytes(held)
            if data is not None:
                yield key, data

    def copy(self) -> "State":
        """An independent state. Cheap: records are shared, since they are never changed in place."""
        twin = State()
        twin._records = self._records.copy()
        twin.signatures = self.signatures.copy()
        return twin

    def fork(self) -> "State":
        """A state that begins as this one, at once, whatever its size; forget it before this one changes.

        It keeps what it changes for itself, and reads everything else here. It cannot list its records.
        """
        twin = State()
        twin._records = _Fork(self._records)
        twin.signatures = self.signatures.copy()
        return twin


class _Fork(dict[int, Record | bytes]):
    """Records over others that it never changes: just what the law and `State` do with records, no more."""

    __slots__ = ("_below", "_gone")

    def __init__(self, below: Records) -> None:
        super().__init__()
        self._below = below
        self._gone: set[int] = set()  # of those below

    def get(self, key: int, default: Any = None) -> Any:
        found = super().get(key)
        if found is None and key not in self._gone:
            return self._below.get(key, default)
        return default if found is None else found

    def __setitem__(self, key: int, value: Record | bytes) -> None:
        self._gone.discard(key)
        super().__setitem__(key, value)

    def pop(self, key: int, default: Any = None) -> Any:
        self._gone.add(key)
        return super().pop(key, default)

    def _refuse(self) -> NoReturn:
        raise NotImplementedError("a forked state cannot list its records: copy the state instead")

    items = copy = _refuse


def _to_bytes(held: Record | bytes | None) -> bytes | None:
    if held is None:
        return None
    data = held if isinstance(held, bytes) else held.record_bytes()
    return None if data == ABSENT else data


def _find_changes(before: Touched, after: Touched | Records) -> dict[int, tuple[bytes | None, bytes | None]]:
    changed = {}
    for key, held in before.items():
        old, new = _to_bytes(held), _to_bytes(after.get(key))
        if old != new:
            changed[key] = (old, new)
    return changed


def _restore(records: Records, touched: Touched) -> None:
    for key, before in touched.items():
        if before is None:
            records.pop(key, None)
        else:
            records[key] = before


def _is_division_of_the_law(traceback: TracebackType | None) -> bool:
    """True when the division that failed is written in the law, or is its `ceil_div`; a bug is neither."""
    codes = []
    while traceback is not None:
        codes.append(traceback.tb_frame.f_code)
        traceback = traceback.tb_next
    if codes[-1] is intrinsics.ceil_div.__code__:
        return True
    # The first frame is State.apply. An intrinsic on the way down means that the law did not divide.
    return len(codes) > 1 and not any(code.co_filename.startswith(_OWN_FOLDER) for code in codes[1:])

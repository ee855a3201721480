"""What the intrinsics of the law work on while one input is applied: the only ambient thing in the language.

The law reads `load(Account, 7)`, not `context.load(...)`, because the compiled law has no such object. So one
process applies one input at a time; entering twice raises.
"""

from typing import Final, NoReturn, cast

from optimist.provable.record import Record

Records = dict[int, "Record | bytes"]  # key -> record; bytes until the record is first looked at
Touched = dict[int, "Record | bytes | None"]  # key -> what it held before this input, None for absent
Notes = list[Record]  # what the law noted, in order
Signatures = dict[tuple[bytes, int, bytes, bytes], int]  # (digest, v, r, s) -> address, 0 if invalid


class OutsideOfInput(Exception):
    """An intrinsic was called while no input is applied, or an input was applied inside of another one."""


class _Closed:
    """Stands in for every part of the context between two inputs, so that the happy path needs no check."""

    def _refuse(self, *_arguments: object) -> NoReturn:
        raise OutsideOfInput("no input is being applied: call the law through State.apply")

    __getitem__ = __setitem__ = __contains__ = __len__ = get = append = _refuse


class Context:
    """Input, records, undo log, known signatures and notes of the input that is being applied."""

    __slots__ = ("input", "records", "touched", "signatures", "notes", "active")

    def __init__(self) -> None:
        self.active = False
        self.close()

    def open(
        self, data: bytes, records: Records, touched: Touched, signatures: Signatures, notes: Notes
    ) -> None:
        """Begin an input. Raises OutsideOfInput when another one has not ended."""
        if self.active:
            raise OutsideOfInput("an input is being applied already: one at a time in a process")
        self.input, self.records, self.touched, self.signatures = data, records, touched, signatures
        self.notes = notes
        self.active = True

    def close(self) -> None:
        """Forget the input."""
        closed = _Closed()
        self.input = cast("bytes", closed)
        self.records = cast("Records", closed)
        self.touched = cast("Touched", closed)
        self.signatures = cast("Signatures", closed)
        self.notes = cast("Notes", closed)
        self.active = False


CONTEXT: Final = Context()

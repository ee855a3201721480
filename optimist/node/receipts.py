"""Receipts: what the law noted of an input, as the node keeps it and tells it. Pure.

A note is an object with its record's name as `type`. Integers that JavaScript would round are decimal
strings, addresses hexadecimal. Every note belongs to the history of each account that it
names, in a field whose name ends in `account`; one that names none belongs to everybody's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from optimist.provable.record import Field, Record
from optimist.provable.widths import WIDTHS, Range

EVERYBODY: Final = 1 << 40  # no account has this number: whose history is a part of everybody's
EXACT: Final = 1 << 53  # up to here every JSON parser keeps an integer exact

Note = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an input stands: batch and index in it. Places are ordered as the inputs are."""

    batch: int
    index: int

    def __str__(self) -> str:
        return f"{self.batch}.{self.index}"


class KeptReceipt(msgspec.Struct, frozen=True):
    """The receipt of one input that noted anything. `second`: at which it acted."""

    second: int
    notes: list[Note]


_decoder: msgspec.json.Decoder[KeptReceipt] = msgspec.json.Decoder(KeptReceipt)


def describe_note(note: Record) -> Note:
    """A note as a JSON object: its type, and its fields in camelCase."""
    described: Note = {"type": note.record_layout.name}
    for field in note.record_layout.fields:
        described[_to_camel(field.name)] = _describe(field, getattr(note, field.name))
    return described


def find_accounts(notes: Iterable[Note]) -> tuple[set[int], bool]:
    """The accounts whose history these notes belong to, and whether one of them belongs to everybody's."""
    accounts: set[int] = set()
    is_for_all = False
    for note in notes:
        named = {value for name, value in note.items() if _names_account(name)}
        accounts |= named
        is_for_all = is_for_all or not named
    return accounts, is_for_all


def select_notes(notes: Iterable[Note], account: int) -> list[Note]:
    """Those that belong to the history of an account."""
    chosen = []
    for note in notes:
        named = [value for name, value in note.items() if _names_account(name)]
        if account in named or not named:
            chosen.append(note)
    return chosen


def find_owners(receipt: KeptReceipt) -> list[int]:
    """Whose histories a receipt is in: accounts, and EVERYBODY when a note of it names none."""
    accounts, is_for_all = find_accounts(receipt.notes)
    return sorted(accounts | ({EVERYBODY} if is_for_all else set()))


def keep_receipt(second: int, notes: Iterable[Record]) -> tuple[bytes, tuple[int, ...]]:
    """What the law noted of one input, as the state store keeps it, and whose histories it is in."""
    receipt = KeptReceipt(second, [describe_note(note) for note in notes])
    return encode_receipt(receipt), tuple(find_owners(receipt))


def encode_receipt(receipt: KeptReceipt) -> bytes:
    """A receipt as the state store keeps it."""
    return msgspec.json.encode(receipt)


def decode_receipt(data: bytes) -> KeptReceipt:
    """The inverse of `encode_receipt`. Raises ValueError on bytes that it did not write."""
    return _decoder.decode(data)


def parse_place(text: str) -> Place:
    """The place that `str(place)` wrote. Raises ValueError."""
    batch, dot, index = text.partition(".")
    if not dot or not (batch.isdecimal() and index.isdecimal()) or len(text) > 30 or not text.isascii():
        raise ValueError(f"{text[:40]!r} is no place: write batch.index, such as 17.3")
    return Place(int(batch), int(index))


def _describe(field: Field, value: Any) -> Any:
    if isinstance(value, bool) or field.kind is bool:
        return bool(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if field.length:
        return [str(element) for element in value]
    width: Range = field.kind
    if width == WIDTHS["u160"]:
        return f"0x{value:040x}"
    return value if width.low >= -EXACT and width.high <= EXACT else str(value)


def _names_account(name: str) -> bool:
    return name == "account" or name.endswith("Account")


def _to_camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)

"""Accounts rebuilt from nothing but what the law noted."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from optimist.stf.constants import REASON_DEPOSIT_REFUSED

Note = dict[str, Any]


@dataclass
class Rebuilt:
    """What the notes of one account add up to: 1e-6 USD, and sizes by market."""

    collateral: int = 0
    positions: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def rebuild(notes: Iterable[Note]) -> dict[int, Rebuilt]:
    """Every account that some note names, from all notes in order. Raises ValueError on an unknown note."""
    accounts: dict[int, Rebuilt] = defaultdict(Rebuilt)
    for note in notes:
        if note["type"] == "Transferred":
            accounts[note["sourceAccount"]].collateral -= int(note["amount"])
            accounts[note["targetAccount"]].collateral += int(note["amount"])
            continue
        account = accounts[note["account"]]
        match note["type"]:
            case "Deposited":
                account.collateral += int(note["amount"])
            case "Withdrawn":
                account.collateral -= int(note["amount"]) if note["reason"] != REASON_DEPOSIT_REFUSED else 0
            case "FundingPaid":
                account.collateral += int(note["amount"])
            case "Filled":
                _fill(account, note, int(note["fee"]))
            case "Liquidated":
                _fill(account, note, int(note["charge"]))
            case "TakenOver":
                _fill(account, note, int(note["shortfall"]))
            case kind:
                raise ValueError(f"a note {kind} that nobody knows how to add up")
    return accounts


def _fill(account: Rebuilt, note: Note, paid: int) -> None:
    account.collateral += int(note["quote"]) - paid
    size = account.positions[note["market"]] + int(note["size"])
    account.positions[note["market"]] = size
    if size == 0:
        del account.positions[note["market"]]

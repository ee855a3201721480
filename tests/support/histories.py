"""Accounts rebuilt from nothing but what the law noted."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from optimist.stf.constants import ONE, REASON_DEPOSIT_REFUSED

Note = dict[str, Any]


@dataclass
class Rebuilt:
    """What the notes of one account add up to: 1e-6 USD, and sizes by market."""

    collateral: int = 0
    positions: dict[int, Fraction] = field(default_factory=dict)


def rebuild(notes: Iterable[Note]) -> dict[int, Rebuilt]:
    """Every account that some note names, from all notes in order. Raises ValueError on an unknown note."""
    accounts: dict[int, Rebuilt] = defaultdict(Rebuilt)
    for note in notes:
        if note["type"] == "Transferred":
            accounts[note["sourceAccount"]].collateral -= int(note["amount"])
            accounts[note["targetAccount"]].collateral += int(note["amount"])
            continue
        if note["type"] == "SideScaled":
            _scale(accounts, note)
            continue
        if note["type"] in ("MarketProposed", "MarketEnacted", "MarketClosed"):
            continue  # nobody's money, or his sides have been scaled to nothing
        account = accounts[note["account"]]
        match note["type"]:
            case "Deposited":
                account.collateral += int(note["amount"])
            case "Withdrawn":
                account.collateral -= int(note["amount"]) if note["reason"] != REASON_DEPOSIT_REFUSED else 0
            case "Haircut":
                account.collateral -= int(note["amount"])
            case "Settled" | "WrittenOff":
                account.collateral += int(note["amount"])
            case "Held":
                account.positions[note["market"]] = Fraction(int(note["parts"]), ONE)
                if int(note["parts"]) == 0:
                    del account.positions[note["market"]]
            case "Filled":
                account.collateral += int(note["quote"]) - int(note["fee"])
            case "Liquidated" | "Deleveraged":
                account.collateral += int(note["quote"]) - int(note["charge"])
            case "TakenOver":
                account.collateral += int(note["quote"]) - int(note["shortfall"])
            case kind:
                raise ValueError(f"a note {kind} that nobody knows how to add up")
    return accounts


def _scale(accounts: dict[int, Rebuilt], note: Note) -> None:
    """All positions of a side become smaller alike."""
    market, after = note["market"], int(note["after"])
    left = Fraction(after, int(note["before"])) if after else Fraction(0)
    for account in accounts.values():
        if (account.positions.get(market, 0) < 0) == note["isShort"] and market in account.positions:
            account.positions[market] *= left
            if left == 0:
                del account.positions[market]

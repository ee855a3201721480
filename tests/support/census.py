"""Counts what happened to inputs: how many, of what kind, with which codes, and what the law noted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from optimist.provable import Receipt
from optimist.stf import inputs
from optimist.stf.codes import Code
from optimist.stf.inputs import ORIGIN_FORCED, ORIGIN_SEQUENCED
from optimist.stf.notes import Deleveraged
from optimist.stf.records import ForcedOutcome

ORIGINS = {
    getattr(inputs, name): name.removeprefix("ORIGIN_") for name in dir(inputs) if name.startswith("ORIGIN_")
}
KINDS = {
    getattr(inputs, name): name.removeprefix("KIND_") for name in dir(inputs) if name.startswith("KIND_")
}
OUTCOMES: Any = ForcedOutcome
KIND_AT = {ORIGIN_SEQUENCED: inputs.SEQUENCED_KIND_AT, ORIGIN_FORCED: inputs.FORCED_KIND_AT}


@dataclass
class Census:
    """Of any number of histories. Plain counters, so that processes can send it."""

    histories: int = 0
    accepted: Counter[str] = field(default_factory=Counter)  # by origin and kind
    rejected: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)  # of rejected inputs and of forced outcomes
    liquidations: int = 0
    deleveragings: int = 0
    socialised: int = 0  # deleveragings with a loss that a whole group carries
    haircuts: int = 0  # times that money left less than it was worth

    @property
    def inputs(self) -> int:
        """All of them."""
        return self.accepted.total() + self.rejected.total()

    @property
    def accepted_share(self) -> float:
        """Of the inputs that were accepted; 0 of none."""
        return self.accepted.total() / max(self.inputs, 1)

    def count(self, data: bytes, receipt: Receipt) -> None:
        """Count one input."""
        (self.rejected if receipt.rejected else self.accepted)[describe_kind(data)] += 1
        if receipt.rejected:
            self.codes[receipt.code] += 1
            return
        for key, (_, new) in receipt.writes.items():
            if key >> 40 == OUTCOMES.record_base >> 40 and new is not None:
                code = OUTCOMES.record_from_bytes(new).code
                if code:
                    self.codes[code] += 1
        for note in receipt.notes:
            match note.record_layout.name:
                case "Liquidated":
                    self.liquidations += 1
                case "Deleveraged":
                    self.liquidations += 1
                    self.deleveragings += 1
                    self.socialised += cast("Deleveraged", note).lost > 0
                case "Haircut":
                    self.haircuts += 1
                case _:
                    pass

    def add(self, other: "Census") -> None:
        """Count what another census has counted."""
        for name, counted in vars(other).items():
            mine = getattr(self, name)
            if isinstance(mine, Counter):
                mine.update(counted)
            else:
                setattr(self, name, mine + counted)

    def never(self, codes: Iterable[int]) -> list[str]:
        """Names of the codes that nothing has ended with."""
        return [Code(code).name for code in codes if not self.codes[code]]

    def __str__(self) -> str:
        """One table."""
        losses = f"{self.socialised:,} of these with a loss for the group; {self.haircuts:,} haircuts"
        lines = [
            f"{self.inputs:,} inputs in {self.histories:,} histories, {self.accepted_share:.1%} accepted",
            f"{self.liquidations:,} liquidations, {self.deleveragings:,} of them deleveragings, {losses}",
            f"{'kind':28}{'accepted':>10}{'rejected':>10}",
        ]
        known = [kind for kind in sorted(self.accepted | self.rejected) if "unknown" not in kind]
        lines += [f"{kind:28}{self.accepted[kind]:>10,}{self.rejected[kind]:>10,}" for kind in known]
        others = self.inputs - sum(self.accepted[kind] + self.rejected[kind] for kind in known)
        lines.append(f"{'no such origin or kind':28}{others:>20,}")
        lines.append("by code, rarest first:")
        named = sorted(
            (count, Code(code).name if code in set(Code) else str(code)) for code, count in self.codes.items()
        )
        lines.append(", ".join(f"{name} {count:,}" for count, name in named))
        return "\n".join(lines)


def describe_kind(data: bytes) -> str:
    """Origin and kind of any bytes."""
    if not data or data[0] not in ORIGINS:
        return "unknown origin"
    origin = ORIGINS[data[0]]
    at = KIND_AT.get(data[0])
    if at is None:
        return origin
    return f"{origin} {KINDS.get(data[at], 'unknown') if len(data) > at else 'unknown'}"

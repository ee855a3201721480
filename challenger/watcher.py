"""The watcher: holds no key, re-executes every batch, and says what it thinks of every assertion. Pure part.

agree       the assertion ends in the root that our own execution of L1's inputs gives
disagree    it does not: it is false, or our law is not the one that it was made with
unknown     we have not executed its last batch yet (and why)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from optimist.base.merkle import ZERO
from optimist.derive.commitments import compute_leaf
from optimist.l1.events import Confirmed, Located, NodeCreated


class Verdict(Enum):
    """What we think of an assertion."""

    AGREE = "agree"
    DISAGREE = "disagree"
    UNKNOWN = "unknown"


class Status(Enum):
    """What L1 has decided about an assertion."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"  # another one won its round, or it stands on a rejected one


class Roots(Protocol):
    """Our own execution."""

    def get_end_root(self, batch: int) -> bytes | None:
        """State root after `batch`; None while it is not known here."""
        ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """An assertion and what we think of it. Roots are of 32 bytes; `own` is None while unknown."""

    node: bytes
    batch: int
    claimed: bytes
    own: bytes | None
    verdict: Verdict
    reason: str
    status: Status

    @property
    def is_alarming(self) -> bool:
        """Whether something false can still be believed: it is not rejected."""
        return self.verdict is Verdict.DISAGREE and self.status is not Status.REJECTED


def judge(events: Iterable[Located], roots: Roots) -> list[Judgement]:
    """What we think of every assertion that these events (all of them) tell of, oldest first."""
    listed = [each.event for each in events]
    winners = {event.parent: event.node for event in listed if isinstance(event, Confirmed)}
    asserted = [event for event in listed if isinstance(event, NodeCreated) and event.to]
    statuses: dict[bytes, Status] = {}
    for event in asserted:  # a parent comes before its children
        statuses[event.node] = _get_status(event, winners, statuses.get(event.parent, Status.CONFIRMED))
    return [_judge(event, roots, statuses[event.node]) for event in asserted]


def _get_status(asserted: NodeCreated, winners: Mapping[bytes, bytes], parent: Status) -> Status:
    winner = winners.get(asserted.parent)
    if winner == asserted.node:
        return Status.CONFIRMED
    return Status.OPEN if winner is None and parent is not Status.REJECTED else Status.REJECTED


def _judge(asserted: NodeCreated, roots: Roots, status: Status) -> Judgement:
    own = roots.get_end_root(asserted.to)
    if own is None:
        verdict, reason = Verdict.UNKNOWN, f"batch {asserted.to} is not executed here yet"
    elif compute_leaf(own, asserted.to, ZERO) == asserted.end:
        verdict, reason = Verdict.AGREE, "our own execution gives the same root"
    else:
        verdict, reason = Verdict.DISAGREE, f"our own execution gives another root after batch {asserted.to}"
    return Judgement(asserted.node, asserted.to, asserted.end_root, own, verdict, reason, status)

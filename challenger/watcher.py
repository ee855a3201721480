"""The watcher: holds no key, re-executes every batch, and says what it thinks of every assertion. Pure part.

agree       the assertion, and every one that it stands on, ends in the root that our own execution gives
disagree    it does not, or it stands on one that does not (or our law is not the one they were made with)
unknown     we have not executed its last batch yet (and why)

A true root below a false assertion is false all the same: whoever confirms it has confirmed the other one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from optimist.base.merkle import ZERO
from optimist.derive.commitments import compute_leaf
from optimist.l1.events import Confirmed, Located, NodeCreated
from optimist.l1.types import to_hex


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
class Opinion:
    """What we think of an end, and why. `own` is our root after its batch; None while it is unknown."""

    verdict: Verdict
    reason: str
    own: bytes | None = None
    culprit: bytes | None = None  # the first false assertion on the way to it, itself included


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
    culprit: bytes | None = None  # the first false assertion on the way to it, itself included

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
    opinions: dict[bytes, Opinion] = {}
    for event in asserted:  # a parent comes before its children
        statuses[event.node] = _get_status(event, winners, statuses.get(event.parent, Status.CONFIRMED))
        above = opinions.get(event.parent)
        opinions[event.node] = compute_opinion(event.node, event.end, event.to, roots, above)
    return [_judge(event, opinions[event.node], statuses[event.node]) for event in asserted]


def compute_opinion(node: bytes, end: bytes, batch: int, roots: Roots, above: Opinion | None) -> Opinion:
    """What we think of the end `end` after `batch`. `above`: of its parent; None below genesis."""
    own = roots.get_end_root(batch)
    is_ours = own is not None and compute_leaf(own, batch, ZERO) == end
    if above is not None and above.culprit is not None:
        what = "its root is ours, but it" if is_ours else "it"
        reason = f"{what} stands on the false assertion {to_hex(above.culprit)}"
        return Opinion(Verdict.DISAGREE, reason, own, above.culprit)
    if own is None:
        return Opinion(Verdict.UNKNOWN, f"batch {batch} is not executed here yet")
    if is_ours:
        return Opinion(Verdict.AGREE, "our own execution gives the same root", own)
    reason = f"our own execution gives another root after batch {batch}"
    return Opinion(Verdict.DISAGREE, reason, own, node)


def _get_status(asserted: NodeCreated, winners: Mapping[bytes, bytes], parent: Status) -> Status:
    winner = winners.get(asserted.parent)
    if winner == asserted.node:
        return Status.CONFIRMED
    return Status.OPEN if winner is None and parent is not Status.REJECTED else Status.REJECTED


def _judge(asserted: NodeCreated, opinion: Opinion, status: Status) -> Judgement:
    return Judgement(
        node=asserted.node,
        batch=asserted.to,
        claimed=asserted.end_root,
        own=opinion.own,
        verdict=opinion.verdict,
        reason=opinion.reason,
        status=status,
        culprit=opinion.culprit,
    )

"""The watcher: holds no key, re-executes every batch, and says what it thinks of every assertion. Pure part.

agree       the assertion ends in the root that our own execution of L1's inputs gives
disagree    it does not: it is false, or our law is not the one that it was made with
unknown     we have not executed its last batch yet (and why)
"""

from collections.abc import Iterable
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
    is_confirmed: bool


def judge(events: Iterable[Located], roots: Roots) -> list[Judgement]:
    """What we think of every assertion that these events (all of them) tell of, oldest first."""
    listed = list(events)
    confirmed = {each.event.node for each in listed if isinstance(each.event, Confirmed)}
    asserted = [each.event for each in listed if isinstance(each.event, NodeCreated) and each.event.to]
    return [_judge(event, roots, is_confirmed=event.node in confirmed) for event in asserted]


def _judge(asserted: NodeCreated, roots: Roots, *, is_confirmed: bool) -> Judgement:
    own = roots.get_end_root(asserted.to)
    if own is None:
        verdict, reason = Verdict.UNKNOWN, f"batch {asserted.to} is not executed here yet"
    elif compute_leaf(own, asserted.to, ZERO) == asserted.end:
        verdict, reason = Verdict.AGREE, "our own execution gives the same root"
    else:
        verdict, reason = Verdict.DISAGREE, f"our own execution gives another root after batch {asserted.to}"
    return Judgement(asserted.node, asserted.to, asserted.end_root, own, verdict, reason, is_confirmed)

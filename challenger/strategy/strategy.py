"""The honest player as one function: facts, truth and time in, acts out."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise

from challenger.strategy.acts import Act
from challenger.strategy.modes import DEFEND, Mode
from challenger.strategy.order import Priority, compute_closing, compute_priority
from challenger.strategy.rule import Alarm, Rule
from challenger.strategy.view import Facts, View
from challenger.trace.provider import TraceProvider


@dataclass(frozen=True, slots=True)
class Proposal:
    """An act, the rule that wants it, and its place among all that are wanted now.

    closes: the second at which a clock of ours ends that only this act stops; None where none runs.
    """

    act: Act
    rule: Rule
    priority: Priority
    closes: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send now, in this order, and what a person has to look at."""

    proposals: list[Proposal] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    is_resolved: bool = False  # nothing false lives, nothing of ours is undecided or unpaid
    is_complete: bool = True  # no move was left out because of a limit
    rivals: int = 0  # false claims that are alive on the true path
    bond: int = 0  # of ours that stands, wei

    @property
    def acts(self) -> list[Act]:
        """The acts alone."""
        return [proposal.act for proposal in self.proposals]


def compute_plan(
    facts: Facts,
    provider: TraceProvider,
    player: bytes,
    mode: Mode = DEFEND,
    *,
    owners: AbstractSet[bytes] = frozenset(),
    limit: int | None = None,
    at_once: int | None = None,
    busy: AbstractSet[bytes] = frozenset(),
) -> Plan:
    """Everything that `player` wants to do on L1 at `facts.now`, best first.

    Idempotent: it depends on the facts alone, and an act that has landed is not proposed again. A claim whose
    history we cannot reproduce raises an alarm and does not stop the others.

    owners: whose claims we have agreed to operate, besides our own.
    limit: how many moves in matches to compute, of those that may wait. at_once: how many of all, however
    urgent: the most urgent ones. None: all. busy: matches in which a move of ours is on its way, which are
    left out.
    """
    view = View(facts, provider, player, owners=owners, limit=limit, at_once=at_once, busy=busy)
    proposals: list[Proposal] = []
    alarms = find_alarms(view)
    for rule in mode.rules:
        for wish in rule.propose(view):
            if isinstance(wish, Alarm):
                alarms.append(wish.text)
            else:
                proposals.append(
                    Proposal(wish, rule, compute_priority(view, wish), compute_closing(view, wish))
                )
    proposals.sort(key=lambda proposal: proposal.priority)
    is_over = not proposals and is_resolved(view)
    return Plan(
        proposals,
        alarms,
        is_resolved=is_over,
        is_complete=not view.has_left_out,
        rivals=count_rivals(view),
        bond=view.staker.bond,
    )


def count_rivals(view: View) -> int:
    """False claims that are alive on the true path."""
    return sum(len(view.get_false_claims(step)) for step in view.path)


def is_resolved(view: View) -> bool:
    """Whether no round of the true path has a false end alive, or a claim of ours that is undecided."""
    return not any(view.get_false_claims(step) or view.get_own_claims(step) for step in view.path)


def find_alarms(view: View) -> list[str]:
    """What must never happen to an honest player, in words."""
    alarms = []
    for parent, node in pairwise(view.confirmed):
        if not view.is_true_end(node):
            alarms.append(f"round {parent.hex()} was decided for the false end {node.hex()}")
    for step in view.path:
        for claim_id, claim in view.get_false_claims(step):
            if view.may_play_for(claim):
                alarms.append(f"claim {claim_id.hex()}, which we could play for, stands on a false end")
    if view.staker.out:
        alarms.append("our bond is lost: this key can claim nothing any more")
    return alarms

"""The honest player as one function: facts, truth and time in, acts out."""

from dataclasses import dataclass, field

from challenger.strategy.acts import Act
from challenger.strategy.rules import RULES, Alarm, Rule
from challenger.strategy.view import Facts, View
from challenger.trace.provider import TraceProvider
from optimist.base.merkle import ZERO


@dataclass(frozen=True, slots=True)
class Proposal:
    """An act and the rule that wants it."""

    act: Act
    rule: Rule


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send now, in this order, and what a person has to look at."""

    proposals: list[Proposal] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    is_resolved: bool = False  # nothing false lives, nothing of ours is undecided or unpaid

    @property
    def acts(self) -> list[Act]:
        """The acts alone."""
        return [proposal.act for proposal in self.proposals]


def compute_plan(facts: Facts, provider: TraceProvider, player: bytes) -> Plan:
    """Everything that `player` wants to do on L1 at `facts.now`.

    Idempotent: it depends on the facts alone, and an act that has landed is not proposed again. A claim whose
    history we cannot reproduce raises an alarm and does not stop the others.
    """
    view = View(facts, provider, player)
    proposals, alarms = [], find_alarms(view)
    for rule in RULES:
        for wish in rule.propose(view):
            if isinstance(wish, Alarm):
                alarms.append(wish.text)
            else:
                proposals.append(Proposal(wish, rule))
    return Plan(proposals, alarms, is_resolved=not proposals and is_resolved(view))


def is_resolved(view: View) -> bool:
    """Whether no round of the true path has a false end alive, or a claim of ours that is undecided."""
    return not any(view.get_false_claims(step) or view.get_own_claims(step) for step in view.open_steps())


def find_alarms(view: View) -> list[str]:
    """What must never happen to an honest player, in words."""
    alarms = []
    for step in view.path:
        if step.round.confirmed not in (ZERO, step.node):
            confirmed = step.round.confirmed.hex()
            alarms.append(f"round {step.parent.hex()} was decided for the false end {confirmed}")
    for step in view.open_steps():
        for claim_id, claim in view.get_false_claims(step):
            if view.may_play_for(claim):
                alarms.append(f"claim {claim_id.hex()}, which we could play for, stands on a false end")
    staker = view.state.stakers.get(view.player)
    if staker is not None and staker.out:
        alarms.append("our bond is lost: this key can claim nothing any more")
    return alarms

"""The modes of a player: named sets of rules. What a mode may do, its rules may do, and nothing else."""

from dataclasses import dataclass, replace
from typing import Final

from challenger.strategy import helping, rules
from challenger.strategy.rule import Rule


@dataclass(frozen=True, slots=True)
class Mode:
    """A set of rules under a name, and who should choose it."""

    name: str
    rationale: str
    rules: tuple[Rule, ...]
    needs_bond: bool  # whether one of its rules stakes

    def without(self, *names: str) -> "Mode":
        """The mode less some rules, by name."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.name not in names))


_OWN: Final = tuple(
    Rule(propose)
    for propose in (
        rules.prune_claims_without_bond,
        rules.play_every_match,
        rules.reveal_against_false_ends,
        rules.time_out_hidden_claims,
        rules.open_every_match,
        rules.time_out_late_opponents,
        rules.confirm_what_we_hold,
        rules.collect_refunds,
        rules.claim_what_we_are_owed,
    )
)
_HOLD: Final = Rule(rules.hold_the_true_path)
_ASSERT: Final = Rule(rules.assert_every_sealed_range)
_WITHDRAW: Final = Rule(rules.withdraw_an_idle_bond)
_OTHERS: Final = tuple(
    Rule(propose, is_help=True)
    for propose in (
        helping.play_for_others,
        helping.time_out_hidden_claims_for_others,
        helping.open_matches_for_others,
        helping.time_out_late_opponents_of_others,
        helping.confirm_the_truth,
    )
)

WATCH: Final = Mode(
    "watch",
    "Judges and does nothing. Whoever relies on the rollup runs at least this: it needs no key and no money, "
    "and its exit code says whether something false may win.",
    (),
    needs_bond=False,
)
RESOLVE: Final = Mode(
    "resolve",
    "Does everything that needs neither a bond nor a claim of its own: plays on for true claims whose owners "
    "are gone, and for those that it operates, ends what is late, confirms what is ripe. Owners pull their "
    "own money. It can lose nothing but gas, and nobody has to trust it.",
    (*(rule for rule in _OWN if rule.name != "confirm what we hold"), *_OTHERS),
    needs_bond=False,
)
DEFEND: Final = Mode(
    "defend",
    "Lays down one bond when a false end lives, holds its own claim on the true path against it, plays every "
    "match to its end, and takes the bond back. One such party is enough for the truth to win.",
    (_HOLD, *_OWN, _WITHDRAW),
    needs_bond=True,
)
PROPOSE: Final = Mode(
    "propose",
    "Defends, and asserts the true end of every range by itself as soon as L1 takes it: a rollup whose own "
    "proposer has stopped goes on. The bond stays down, for there is always a next range.",
    (_ASSERT, *_OWN),
    needs_bond=True,
)

MODES: Final = {mode.name: mode for mode in (WATCH, DEFEND, RESOLVE, PROPOSE)}

"""Protocols with one planted bug each. Every one of them was once proposed, shipped somewhere, or nearly so.

A bug is named by what it does. `finds` is the kind of harm that the search must come upon. Where the harm
shows first in a counter that is plainly wrong, that check is left out, to see what follows from it.
"""

from dataclasses import dataclass
from typing import Final

from challenger.game.dispute import Machine
from challenger.game.types import Revert
from challenger.trace.alphabet import MACHINE_RULES
from tests.model.ring import Law
from tests.model.world import Config
from tests.support.twin_source import DISPUTE, ROLLUP, Patch

ONE: Final = Config(adversaries=1, period=4, censored=0, heights=(1, 1), lean=True)
QUIET: Final = Config(adversaries=3, period=4, censored=0, heights=(1, 1), silent=True)
TWO: Final = Config(adversaries=2, period=4, censored=0, heights=(1, 1), lean=True)


@dataclass(frozen=True, slots=True)
class Bug:
    """A patch of the protocol, and where the search must find it out."""

    name: str
    patches: tuple[Patch, ...]
    config: Config
    finds: str  # name of the check that fails
    ignored: frozenset[str] = frozenset()
    exact: bool = False  # it reads what canonical keys leave out
    is_slow: bool = False  # left to the long tests


def _rollup(old: str, new: str) -> Patch:
    return Patch(ROLLUP, old, new)


def _dispute(old: str, new: str) -> Patch:
    return Patch(DISPUTE, old, new)


_BIRTH: Final = """        if node.live == 0:
            node.born = now
            asked.live_ends += 1
"""
# For bugs that measure from the first claim of a round: its time, in a field that nothing else reads here.
_ROUND_START: Final = _rollup(
    "        if asked.live_ends == 1 and node_id != asked.xor_live:\n",
    "        if asked.live_ends == 0:\n"
    "            state.nodes[parent].created_at = now\n"
    "        if asked.live_ends == 1 and node_id != asked.xor_live:\n",
)
_START_OF_ASKED: Final = (
    "next(self.state.nodes[i].created_at for i, each in self.state.rounds.items() if each is asked)"
)
_SOLE_END_CLOSES: Final = _rollup(" or (asked.live_ends == 1 and node_id == asked.xor_live):", ":")

ROUND_BUGS: Final = (
    Bug(
        "V1 an end that comes to life again is not counted again",
        (
            _rollup(
                "            node = self._create_node(parent, end, asked.to, now)\n" + _BIRTH,
                "            node = self._create_node(parent, end, asked.to, now)\n"
                "            asked.live_ends += 1\n"
                "        if node.live == 0:\n"
                "            node.born = now\n",
            ),
        ),
        QUIET,
        "false root",
        frozenset({"counters", "locked out", "crash"}),
        exact=True,
    ),
    Bug(
        "V2 a round closes for everybody a period after its first claim",
        (
            _ROUND_START,
            _SOLE_END_CLOSES,
            _rollup("self.state.nodes[asked.xor_live].born + period\n", f"{_START_OF_ASKED} + period\n"),
            _rollup(
                "asked.rival_at + period if node_id == asked.incumbent else asked.until",
                f"{_START_OF_ASKED} + period",
            ),
        ),
        QUIET,
        "false root",
        frozenset({"locked out"}),
        exact=True,
    ),
    Bug(
        "V2b all clocks run from the first claim of the round",
        (
            _ROUND_START,
            _rollup(
                "        rival_born = self.state.nodes[self.state.claims[rival_id].node].born\n"
                "        return compute_budget(",
                "        rival_born = self.state.nodes[self.get_round_of(claim_id)].created_at\n"
                "        return compute_budget(",
            ),
            _rollup(
                "        late = self.state.nodes[rival.node].born + self.parameters.challenge_period\n",
                "        start = self.state.nodes[self.get_round_of(claim_id)].created_at\n"
                "        late = start + self.parameters.challenge_period\n",
            ),
        ),
        TWO,
        "lost bond",
        exact=True,
        is_slow=True,
    ),
    Bug(
        "V3 a dead opponent's match still runs",
        (
            _dispute(
                "        match = self._require_match(self.rollup.get_round_of(claims[0]), claims)\n",
                "        match = self.state.matches[compute_match_id(*claims)]\n"
                "        mover = match.claims[match.turn]\n"
                "        self.rollup.require_live(self.rollup.get_round_of(mover), mover, mover)\n",
            ),
        ),
        ONE,
        "lost bond",
        exact=True,
    ),
    Bug(
        "V4 a dead rival still makes a claim late to reveal",
        (
            _rollup(
                "        self.require_rivals(claim_id, rival_id)\n        claim, rival =",
                "        self.require_live(self.get_round_of(claim_id), claim_id, claim_id)\n"
                "        claim, rival =",
            ),
        ),
        Config(adversaries=1, period=4, censored=0, heights=(1, 1), habit="always", silent=True),
        "lost bond",
        exact=True,
    ),
    Bug(
        "V6 a clock below zero is an underflow",
        (
            _rollup(
                "        return compute_budget(self.parameters.challenge_period, revealed_at, rival_born)\n",
                "        if revealed_at > rival_born + self.parameters.challenge_period:\n"
                '            raise Revert("Underflow")\n'
                "        return compute_budget(self.parameters.challenge_period, revealed_at, rival_born)\n",
            ),
        ),
        Config(adversaries=1, period=5, censored=1, heights=(1, 1), lean=False),
        "overdue",
    ),
    Bug(
        "V7 one bond is split for each of its claims",
        (
            _rollup(" and not self.state.stakers[claim.owner].out\n", "\n"),
            _rollup(
                "        if staker.out:\n            return\n        lost, staker.bond = staker.bond, 0\n",
                "        lost, staker.bond = self.parameters.bond, 0\n",
            ),
        ),
        Config(adversaries=2, period=4, censored=0, heights=(1, 1), rounds=2, money=True, lean=True),
        "ledger",
    ),
    Bug(
        "V8 a bond that was split can be withdrawn",
        (_rollup("        lost, staker.bond = staker.bond, 0\n", "        lost = staker.bond\n"),),
        Config(adversaries=2, period=4, censored=0, heights=(1, 1), money=True, silent=True),
        "ledger",
        exact=True,
    ),
    Bug(
        "V9 even the sole live end closes",
        (_SOLE_END_CLOSES,),
        Config(adversaries=2, period=4, censored=0, heights=(1, 1), rounds=3, silent=True),
        "locked out",
        is_slow=True,
    ),
    Bug(
        "V22 one bond stands on several branches",
        (
            _rollup(
                "free = last_node == parent or (self.is_confirmed(parent) and self.is_confirmed(last_node))",
                "free = last_node == parent or self.is_confirmed(parent)",
            ),
        ),
        ONE,
        "one bond",
    ),
    Bug(
        "the end that was first closes with all others",
        (_rollup("asked.rival_at + period if node_id == asked.incumbent else asked.until", "asked.until"),),
        QUIET,
        "locked out",
    ),
    Bug(
        "an end that comes to life again keeps its first birth",
        (_rollup("            node.born = now\n", "            node.born = node.born or now\n"),),
        QUIET,
        "false root",
        exact=True,
        is_slow=True,
    ),
    Bug(
        "the period of a confirmation runs from the first claim of the round",
        (
            _ROUND_START,
            _rollup(
                "compute_ripe_at(node.born, ", "compute_ripe_at(self.state.nodes[node.parent].created_at, "
            ),
        ),
        QUIET,
        "false root",
        exact=True,
    ),
    Bug(
        "an end is confirmed beside a live rival",
        (_rollup("if node.live == 0 or asked.live_ends != 1:", "if node.live == 0:"),),
        ONE,
        "false root",
    ),
    Bug(
        "a match can be opened again",
        (_dispute("        if match_id in state.matches:\n", "        if match_id == ZERO:\n"),),
        ONE,
        "overdue",
    ),
    Bug(
        "a move costs no time",
        (_dispute("    clocks[match.turn] -= now - match.last\n", ""),),
        Config(adversaries=1, period=5, censored=0, lean=True),
        "overdue",
        exact=True,
        is_slow=True,
    ),
    Bug(
        "a side is timed out on its last tick",
        (
            _dispute(
                '        if is_in_time(now, match.last, clock):\n            raise Revert("NotLate"',
                '        if is_in_time(now + 1, match.last, clock):\n            raise Revert("NotLate"',
            ),
        ),
        ONE,
        "lost bond",
    ),
)


LAW: Final = Law(steps=(2, 3))


@dataclass(frozen=True, slots=True)
class MatchBug:
    """A patch of the match, or of the machine that judges it, and a law with which it does harm."""

    name: str
    patches: tuple[Patch, ...]
    finds: str  # kind of harm
    machine: Machine = MACHINE_RULES
    law: Law = LAW


def _step_but_not_when_stopped(before: bytes, proof: bytes) -> bytes:
    if len(proof) == 32:
        raise Revert("Stopped", before)
    return MACHINE_RULES.step(before, proof)


_FIRST: Final = "        child = compute_first_difference(left, right, match.height)\n"

MATCH_BUGS: Final = (
    MatchBug(
        "V11 the leaf before a trace is not opened",
        (_dispute("        if leaf != position.nodes[turn]:\n", "        if leaf == ZERO:\n"),),
        "stuck",
    ),
    MatchBug(
        "V12 a commitment opens the claimed ends of both sides",
        (
            _dispute(
                "        ends = (fork.lists[0][child], fork.lists[1][child])\n",
                "        ends = (fork.lists[0][child], fork.lists[1][child])\n"
                "        if any(end not in self.forms for end in ends):\n"
                '            raise Revert("WrongLeaf", *ends)\n',
            ),
        ),
        "stuck",
    ),
    MatchBug(
        "V13 the mover names the child",
        (_dispute(_FIRST, "        child = self.choose(left, right, match.height)\n"),),
        "stuck",
    ),
    MatchBug(
        "V14 a child need not end where its parent said",
        (_dispute("        if following[-1] != end:\n", "        if following[-1] == ZERO:\n"),),
        "stuck",
    ),
    MatchBug(
        "V15 a trace need not end in the claimed root",
        (_dispute("        if trace[-1] != end:\n", "        if trace[-1] == ZERO:\n"),),
        "stuck",
    ),
    MatchBug(
        "V16 children are compared by their lists alone",
        (
            _dispute(
                _FIRST,
                "        width = 1 if match.height == 1 else 2\n"
                "        child = compute_first_difference(left[::width], right[::width], 1)\n",
            ),
        ),
        "stuck",
    ),
    MatchBug(
        "V17 a stopped machine cannot be stepped",
        (),
        "stuck",
        Machine(start=MACHINE_RULES.start, step=_step_but_not_when_stopped),
    ),
    MatchBug(
        "the mover names the state before the child",
        (
            _dispute(
                "        given = Position(fork.round, nodes, fork.prev)\n",
                "        given = Position(fork.round, nodes, match.position.prev)\n",
            ),
        ),
        "stuck",
    ),
    MatchBug(
        "the first position past the last input is not padding",
        (_dispute("        if position < inputs:\n", "        if position <= inputs:\n"),),
        "stuck",
    ),
    MatchBug(
        "a proof judges the side on turn alone",
        (
            _dispute(
                "        self._decide(match, now, (left[child] != after, right[child] != after))",
                "        wrong = fork.lists[match.turn][child] != after\n"
                "        self._decide(match, now, (wrong and not match.turn, wrong and bool(match.turn)))",
            ),
        ),
        "draw",
    ),
)

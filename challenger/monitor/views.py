"""What the monitor says, as plain data: the same objects become tables for people and JSON for machines.

Identifiers and roots have 32 bytes, addresses 20. Times are seconds of L1; None says "never" or "not known".
"""

from dataclasses import dataclass
from enum import Enum

from challenger.watcher import Status, Verdict


class Wei(int):
    """An amount of ether. A decimal string in JSON, for it may not fit a machine's number."""


class RoundState(Enum):
    """How a question stands."""

    WAITING = "waiting"  # nobody has answered it yet
    UNDISPUTED = "undisputed"
    DISPUTED = "disputed"
    ABANDONED = "abandoned"  # all who answered it are dead: somebody has to answer again
    DECIDED = "decided"
    VOID = "void"  # it stands on a rejected answer


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One staker's stand on an assertion."""

    claim: bytes
    owner: bytes
    operator: bytes | None
    status: str  # live, out (the bond was lost elsewhere) or dead
    is_revealed: bool
    reveal_by: int | None  # from then on a rival may eliminate it for its silence; None: nothing to reveal
    credit: Wei
    pot: Wei


@dataclass(frozen=True, slots=True)
class EndView:
    """An assertion: one answer to a round."""

    node: bytes
    batch: int
    claimed_root: bytes | None
    own_root: bytes | None
    verdict: Verdict
    reason: str
    culprit: bytes | None  # the first false assertion on the way to it
    status: Status
    created_at: int
    born: int  # since when somebody has stood on it without a break
    live_claims: int
    is_joinable: bool
    joinable_until: int | None  # None: as long as nothing changes
    confirmable_at: int | None  # as things stand; None: it is not alone, or decided
    claims: tuple[ClaimView, ...]


@dataclass(frozen=True, slots=True)
class RoundView:
    """A question that an assertion asks: which state do the next batches lead to."""

    round: bytes  # the assertion that it follows
    first_batch: int
    last_batch: int
    inputs: int | None  # None: the last batch is not sealed yet
    is_full: bool
    state: RoundState
    expected: bytes | None  # the answer that our own execution gives; None: unknown, or there is no true one
    reason: str
    ends: tuple[EndView, ...]


@dataclass(frozen=True, slots=True)
class SideView:
    """One side of a match."""

    claim: bytes
    owner: bytes
    verdict: Verdict
    clock: int  # seconds left for its moves
    moves: int  # made and not refunded yet


@dataclass(frozen=True, slots=True)
class MatchView:
    """A dispute between two claims. Side a is the smaller claim id."""

    match: bytes
    round: bytes
    status: str  # on, or over: one of its claims no longer lives
    stage: str  # inputs, half (one trace is committed, the other is not), steps
    height: int
    start: int  # first input of the range, or first step of the input, that is still in dispute
    width: int  # how many are
    input: int | None  # the disputed one, counted from the first of the range; None: not found yet
    turn: str
    deadline: int  # the first second at which the side on turn is late
    is_late: bool
    moves_left: int  # until a proof can decide it
    expected: str | None  # side that tells the truth; None: neither, or unknown
    a: SideView
    b: SideView


@dataclass(frozen=True, slots=True)
class StakerView:
    """One address and its money in the game."""

    staker: bytes
    status: str  # staked, withdrawn, or out
    bond: Wei  # locked
    is_withdrawable: bool  # nothing that depends on the bond is undecided
    expectation: str  # returned, lost or unknown: the bond, if the truth wins
    last_claim: bytes | None
    credit_due: Wei  # can be claimed now
    credit_locked: Wei  # can be claimed once an assertion is confirmed
    credit_stranded: Wei  # can never be claimed
    refund_due: Wei  # what its moves in won matches can still collect from pots, at most
    pot: Wei  # what is left of its own lost bond, for the gas of those who won


@dataclass(frozen=True, slots=True)
class LedgerView:
    """All ether of the game."""

    balance: Wei | None  # of the contract; None: not looked up
    bonds: Wei
    credits: Wei
    pots: Wei
    liabilities: Wei  # the sum of these three
    burnt: Wei  # nobody can ever take it out
    surplus: Wei | None  # balance less liabilities less burnt: sent to the contract without reason
    is_solvent: bool  # the balance covers the liabilities
    stakers: tuple[StakerView, ...]


@dataclass(frozen=True, slots=True)
class OutcomeView:
    """How a round ends under one habit of those who lie."""

    winner: bytes | None  # None: never by itself
    verdict: Verdict | None
    at: int | None  # the first second at which it can be confirmed


@dataclass(frozen=True, slots=True)
class ForecastView:
    """How an undecided round of the true path ends, if every honest act lands and nobody brings a new end."""

    round: bytes
    first_batch: int
    last_batch: int
    state: RoundState
    expected: bytes
    earliest: OutcomeView
    if_silent: OutcomeView
    latest: OutcomeView
    is_safe: bool  # the truth wins in all three


@dataclass(frozen=True, slots=True)
class StepView:
    """Something that happens in a forecast."""

    at: int
    act: str
    subject: bytes  # a claim, a match, or an assertion
    by: bytes | None  # None: anybody
    is_honest: bool


class Level(Enum):
    """How bad it is."""

    NOTICE = "notice"
    DISAGREE = "disagree"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should know. docs/CHALLENGING.md says for each code what to do."""

    code: str
    level: Level
    subject: bytes | None
    text: str

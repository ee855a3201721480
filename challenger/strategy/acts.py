"""Everything a player can do on L1, as data. The names are those of the contracts' functions."""

from dataclasses import dataclass

from challenger.game.dispute import Fork, Opening
from challenger.game.lists import Words
from challenger.game.types import Position


@dataclass(frozen=True, slots=True)
class Stake:
    """Lay down the bond."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the bond back."""


@dataclass(frozen=True, slots=True)
class SetOperator:
    """Name a second key that may reveal and commit for a claim. No rule wants it: a person does."""

    claim: bytes
    operator: bytes


@dataclass(frozen=True, slots=True)
class AssertState:
    """Claim the state root after the parent's range. Another's like claim is no success: we need our own."""

    parent: bytes
    end_root: bytes
    expected_to: int
    expected_acc: bytes


@dataclass(frozen=True, slots=True)
class Reveal:
    """Open the history of a claim."""

    claim: bytes
    words: Words


@dataclass(frozen=True, slots=True)
class TimeoutReveal:
    """Eliminate a claim that never opened its history."""

    claim: bytes
    rival: bytes


@dataclass(frozen=True, slots=True)
class OpenMatch:
    """Begin the match of two rivals, smaller claim id first, `first` on turn."""

    left: bytes
    right: bytes
    first: bytes


@dataclass(frozen=True, slots=True)
class Dissect:
    """Lead a match one height down."""

    fork: Fork
    following: Words


@dataclass(frozen=True, slots=True)
class CommitTrace:
    """First commitment to the trace of the disputed input."""

    fork: Fork
    opening: Opening
    next_root: bytes
    trace: Words


@dataclass(frozen=True, slots=True)
class CommitSecondTrace:
    """Second commitment to the trace of the disputed input."""

    claims: tuple[bytes, bytes]
    position: Position
    next_root: bytes
    trace: Words


@dataclass(frozen=True, slots=True)
class ProvePadding:
    """Decide a match past the last input."""

    fork: Fork


@dataclass(frozen=True, slots=True)
class Prove:
    """Decide a match by one machine step."""

    fork: Fork
    proof: bytes


@dataclass(frozen=True, slots=True)
class Timeout:
    """Decide a match by the clock."""

    claims: tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Prune:
    """Take a claim without a bond off the count."""

    claim: bytes


@dataclass(frozen=True, slots=True)
class Confirm:
    """Decide a round."""

    node: bytes


@dataclass(frozen=True, slots=True)
class Collect:
    """Turn our moves in a won match into credit."""

    claim: bytes
    opponent: bytes


@dataclass(frozen=True, slots=True)
class ClaimCredit:
    """Have a confirmed claim's credit paid."""

    claim: bytes


Act = (
    Stake
    | Withdraw
    | SetOperator
    | AssertState
    | Reveal
    | TimeoutReveal
    | OpenMatch
    | Dissect
    | CommitTrace
    | CommitSecondTrace
    | ProvePadding
    | Prove
    | Timeout
    | Prune
    | Confirm
    | Collect
    | ClaimCredit
)

"""What the contracts of the game store, as plain data. Times are seconds of L1, money is wei."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from optimist.base.merkle import ZERO

NOBODY: Final = bytes(20)  # the address that owns nothing


class Revert(Exception):
    """A precondition failed and nothing has changed. `name` is the custom error of the contract."""

    def __init__(self, name: str, *values: object) -> None:
        self.name = name
        self.values = values
        super().__init__(f"{name}({', '.join(map(_show, values))})")


def _show(value: object) -> str:
    return value.hex()[:12] if isinstance(value, bytes) else str(value)


class Status(IntEnum):
    """Of a claim. 0 is no claim."""

    NONE = 0
    LIVE = 1
    DEAD = 2


class Side(IntEnum):
    """Of a match."""

    A = 0
    B = 1

    @property
    def other(self) -> "Side":
        """The opponent."""
        return Side(1 - self)


class Stage(IntEnum):
    """Of a match. 0 is no match."""

    NONE = 0
    INPUTS = 1  # lists of inputs' leaves
    HALF = 2  # one side has committed to its trace, the other has to
    STEPS = 3  # lists of machine states


@dataclass(frozen=True, slots=True)
class Parameters:
    """Constructor immutables of Rollup and Dispute (docs/PROTOCOL.md section 7)."""

    arity: int = 8
    input_height: int = 5  # arity**input_height inputs at most in the range of an assertion
    step_height: int = 6  # arity**step_height machine steps at most in one input
    challenge_period: int = 600
    grace: int = 10
    min_period: int = 5
    bond: int = 10**18
    gas_price_cap: int = 100 * 10**9

    @property
    def max_inputs(self) -> int:
        """Inputs that the range of one assertion can hold."""
        return int(self.arity**self.input_height)


@dataclass(slots=True)
class Node:
    """An assertion: after the range of its parent's round, the state is `end`."""

    parent: bytes
    end: bytes  # leaf L(end root, batch, 0)
    batch: int  # last one of its range
    created_at: int
    born: int  # when its count of live claims last rose from 0
    live: int = 0


@dataclass(slots=True)
class Round:
    """The question that a node asks: which state follows me? Keyed by its id; its answers are nodes."""

    to: int  # last batch of the range, fixed when the parent was created
    full: bool  # more batches existed than fitted
    live_ends: int = 0
    xor_live: bytes = ZERO  # xor of the ids of all nodes with live claims: the sole one when live_ends is 1
    incumbent: bytes = ZERO  # the node that was alone when its first rival came
    rival_at: int = 0
    until: int = 0  # when the round closes for ends other than the incumbent
    confirmed: bytes = ZERO
    decided_at: int = 0  # when an end last died; 0: none has


@dataclass(slots=True)
class Claim:
    """One staker's stand on a node."""

    node: bytes
    owner: bytes
    operator: bytes
    top: bytes = ZERO  # history commitment, once revealed
    revealed_at: int = 0  # 0: not revealed
    status: Status = Status.LIVE
    credit: int = 0  # wei to be paid to the owner once the node is confirmed
    pot: int = 0  # wei left for refunds, where its death has split the bond of its owner


@dataclass(frozen=True, slots=True)
class Position:
    """What both sides of a match stand on. L1 keeps its hash alone; the words are in events."""

    round: bytes
    nodes: tuple[bytes, bytes]  # hash of each side's list; in stage HALF of its trace, or its claimed leaf
    prev: bytes  # the state before the span on which both agree; before the first input the round's own node
    batch: int = 0  # stage HALF: batch of the leaves after the disputed input …
    rest: bytes = ZERO  # … and that batch's chain after it


@dataclass(slots=True)
class Match:
    """A dispute between two claims of one round. Side A is the smaller claim id."""

    claims: tuple[bytes, bytes]
    position: Position
    start: int  # first input of the range, or first step of the trace, that the lists are about
    height: int  # of the lists to be opened next
    stage: Stage
    turn: Side
    last: int  # time of the last move
    clocks: tuple[int, int]  # seconds left, by side
    moves: tuple[int, int] = (0, 0)  # moves made and not refunded, by side


@dataclass(slots=True)
class Staker:
    """One address and its one bond."""

    bond: int = 0
    last_claim: bytes = ZERO
    out: bool = False


@dataclass(slots=True)
class Batch:
    """What the Inbox keeps of a sealed batch."""

    accumulator: bytes
    head: bytes
    cumulative: int  # inputs up to and with this batch


@dataclass(slots=True)
class State:
    """Everything the game stores on L1. Batch 0 stands for "before everything"."""

    batches: list[Batch] = field(default_factory=lambda: [Batch(ZERO, ZERO, 0)])
    nodes: dict[bytes, Node] = field(default_factory=dict)
    rounds: dict[bytes, Round] = field(default_factory=dict)
    claims: dict[bytes, Claim] = field(default_factory=dict)
    matches: dict[bytes, Match] = field(default_factory=dict)
    stakers: dict[bytes, Staker] = field(default_factory=dict)
    balance: int = 0  # wei that somebody is owed
    burnt: int = 0  # wei that nobody can ever take out

    @property
    def pots(self) -> dict[bytes, Claim]:
        """By owner, of those who have lost a bond: the claim it was lost for, with what is left of it."""
        return {claim.owner: claim for claim in self.claims.values() if claim.pot}

    @property
    def batch_count(self) -> int:
        """Number of the last sealed batch."""
        return len(self.batches) - 1

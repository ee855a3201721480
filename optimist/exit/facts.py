"""What the way out depends on: one account, its group, L1's queue, the assertions. Plain values, no I/O.

Seconds are L1's, money is in 1e-6 USD. What the law decides is told of two moments: as L1 has sealed it, and
as it will be when what waits in the queue is sealed in a public batch (`Outlook`). Steps are chosen by the
second, so that nothing is forced twice while it waits.
"""

from dataclasses import dataclass
from typing import Final

NOT_SEALED: Final = -1  # batch of what only stands in the queue


@dataclass(frozen=True, slots=True)
class OpenPosition:
    """A position that its market still owns. `size` in the market's units, negative: short."""

    market: int
    size: int
    dead_at: int  # the market counts as dead from this second on, if nothing is heard until then
    announced_at: int  # when its closing was announced; 0: it was not, or that is void


@dataclass(frozen=True, slots=True)
class Bankrupt:
    """Somebody whose positions were closed and who owes more than he has: not yet the fund's loss."""

    account: int
    markets: tuple[int, ...]  # to be settled, one by one
    owes: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A Withdrawal record of the account. `batch`: after which it stands in the state, or NOT_SEALED."""

    row: int
    amount: int
    batch: int
    is_paid: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """The newest ForcedOutcome of the account that is not "done"."""

    row: int
    code: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the law says of the account at one moment.

    `takes`: the largest withdrawal that it would carry out; `pays`: what of it would leave the group.
    """

    owner: bytes
    worth: int  # collateral, and what closed positions are owed; what open ones are worth is not in it
    positions: tuple[OpenPosition, ...]
    takes: int
    pays: int
    held_until: int  # second before which no money leaves the group; 0 when none ever did wait
    bankrupts: tuple[Bankrupt, ...]
    rows: tuple[tuple[int, int], ...]  # withdrawals: row, amount
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Queue:
    """L1's queue: items that are in no batch yet. `seal_at`: from then on anyone may seal; 0: it is empty."""

    waiting: int
    seal_at: int


@dataclass(frozen=True, slots=True)
class PendingRoot:
    """An unconfirmed assertion that is true. `ripe_at`: None while rivals live, or its parent is not ripe."""

    node: bytes
    to: int
    ripe_at: int | None


@dataclass(frozen=True, slots=True)
class Roots:
    """How far the truth has come on L1. `path`: true assertions below the confirmed one, oldest first."""

    confirmed_to: int
    path: tuple[PendingRoot, ...]
    next_at: int  # second from which an assertion below the last of them is taken
    is_next_sealed: bool  # whether all batches of its range are there

    @property
    def asserted_to(self) -> int:
        """The last batch that a true assertion covers."""
        return self.path[-1].to if self.path else self.confirmed_to


@dataclass(frozen=True, slots=True)
class Bond:
    """The bond of our key. `is_free`: nothing stands on it any more."""

    is_down: bool = False
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """Parameters of the deployment and of the law, in seconds."""

    forced_deadline: int
    challenge_period: int
    silence: int
    window: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a plan is made from. `now`: second of L1's newest block."""

    now: int
    account: int
    batches: int  # sealed so far
    times: Times
    queue: Queue
    is_queue_ours: bool  # whether something in it changes what there is to do
    ahead: Outlook  # once the queue is sealed
    payments: tuple[Payment, ...]
    roots: Roots
    bond: Bond

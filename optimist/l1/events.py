"""Every event of our contracts as a typed value. A test compares the classes with the ABI snapshots.

Times are L1 seconds, amounts of ether wei, of collateral 1e-6 USD; identifiers have 32 bytes, addresses 20.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeAlias, get_type_hints

from optimist.derive.batch import SealedBatch
from optimist.l1.codec import load_abi
from optimist.l1.errors import L1Inconsistent
from optimist.l1.types import BlockRef, Log

# ----------------------------------------------------------------------------------------------- Inbox


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A deposit or a forced input was queued; `input` is the whole input."""

    index: int
    enqueued_at: int
    input: bytes


@dataclass(frozen=True, slots=True)
class BatchSealed:
    """A batch was sealed. `rows`: its sequenced inputs (batch 1: the INIT input)."""

    batch: int
    acc: bytes
    head: bytes
    first: int
    last: int
    mode: int
    queue_from: int
    queue_count: int
    rows: bytes

    def to_sealed_batch(self) -> SealedBatch:
        """What the derivation needs of it."""
        return SealedBatch(
            batch=self.batch,
            accumulator=self.acc,
            first=self.first,
            last=self.last,
            mode=self.mode,
            queue_from=self.queue_from,
            queue_count=self.queue_count,
            rows=self.rows,
        )


# ----------------------------------------------------------------------------------------------- Vault


@dataclass(frozen=True, slots=True)
class AccountOpened:
    """An account id was handed out."""

    account: int
    owner: bytes


@dataclass(frozen=True, slots=True)
class Deposited:
    """A deposit was taken and queued."""

    account: int
    payer: bytes
    amount: int
    queue_index: int


@dataclass(frozen=True, slots=True)
class Paid:
    """A withdrawal record was paid."""

    row: int
    recipient: bytes
    account: int
    amount: int


# ---------------------------------------------------------------------------------------------- Rollup


@dataclass(frozen=True, slots=True)
class Staked:
    """A bond was paid in."""

    staker: bytes
    bond: int


@dataclass(frozen=True, slots=True)
class BondWithdrawn:
    """A bond was paid back."""

    staker: bytes
    bond: int


@dataclass(frozen=True, slots=True)
class OperatorSet:
    """Somebody else than the owner may move for a claim."""

    claim: bytes
    operator: bytes


@dataclass(frozen=True, slots=True)
class NodeCreated:
    """A new assertion about batches from + 1 to `to`. next_to, next_full: the range of its own round."""

    node: bytes
    parent: bytes
    end: bytes
    end_root: bytes
    from_: int
    to: int
    acc: bytes
    next_to: int
    next_full: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """A staker stands on a node."""

    claim: bytes
    node: bytes
    owner: bytes
    time: int
    born: int


@dataclass(frozen=True, slots=True)
class RivalAppeared:
    """A round that had one live end has a second one."""

    round: bytes
    incumbent: bytes
    rival_at: int
    until: int


@dataclass(frozen=True, slots=True)
class Revealed:
    """A claim has opened its history."""

    claim: bytes
    top: bytes
    time: int
    list: list[bytes]


@dataclass(frozen=True, slots=True)
class Eliminated:
    """A claim is dead; `winner` is 0 when nobody gets the bounty."""

    claim: bytes
    node: bytes
    winner: bytes
    time: int
    pot: int
    bounty: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """A claim whose owner was out no longer counts."""

    claim: bytes
    node: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A node has won its round."""

    node: bytes
    parent: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Refunded:
    """A claim was credited from a dead opponent's pot."""

    claim: bytes
    pot: bytes
    amount: int


@dataclass(frozen=True, slots=True)
class CreditPaid:
    """A claim's credit was paid out."""

    claim: bytes
    owner: bytes
    amount: int


# --------------------------------------------------------------------------------------------- Dispute


@dataclass(frozen=True, slots=True)
class MatchState:
    """What the contract keeps of a match, after the move that its event tells of."""

    position: bytes
    start: int
    last: int
    clock_a: int
    clock_b: int
    height: int
    stage: int
    turn_b: bool
    moves_a: int
    moves_b: int


@dataclass(frozen=True, slots=True)
class MatchPosition:
    """What both sides of a match stand on."""

    round: bytes
    node_a: bytes
    node_b: bytes
    prev: bytes
    batch: int
    rest: bytes


@dataclass(frozen=True, slots=True)
class MatchOpened:
    """Two claims play. `a` is the smaller id."""

    id: bytes
    a: bytes
    b: bytes
    state: MatchState
    position: MatchPosition


@dataclass(frozen=True, slots=True)
class Dissected:
    """A side has narrowed the dispute to one child and opened its own list of it.

    start: where the child begins. What else the match stands on follows from lists that were opened before.
    """

    id: bytes
    time: int
    start: int
    next: list[bytes]


@dataclass(frozen=True, slots=True)
class TraceCommitted:
    """A side has committed to its machine trace of the disputed input."""

    id: bytes
    state: MatchState
    position: MatchPosition
    trace: list[bytes]


@dataclass(frozen=True, slots=True)
class Proven:
    """The disputed step was executed on L1."""

    id: bytes
    step: int
    pre: bytes
    post: bytes
    lost_a: bool
    lost_b: bool


@dataclass(frozen=True, slots=True)
class PaddingProven:
    """The dispute was about a position behind the last input."""

    id: bytes
    position: int
    prev: bytes
    lost_a: bool
    lost_b: bool


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The side on turn ran out of time."""

    id: bytes
    lost_b: bool


@dataclass(frozen=True, slots=True)
class Collected:
    """A side was refunded for its moves."""

    id: bytes
    claim: bytes
    moves: int
    amount: int


# --------------------------------------------------------------------------------------------- reading

InboxEvent: TypeAlias = QueueItem | BatchSealed
VaultEvent: TypeAlias = AccountOpened | Deposited | Paid
RollupEvent: TypeAlias = (
    Staked
    | BondWithdrawn
    | OperatorSet
    | NodeCreated
    | Claimed
    | RivalAppeared
    | Revealed
    | Eliminated
    | Pruned
    | Confirmed
    | Refunded
    | CreditPaid
)
DisputeEvent: TypeAlias = (
    MatchOpened | Dissected | TraceCommitted | Proven | PaddingProven | TimedOut | Collected
)
Event: TypeAlias = InboxEvent | VaultEvent | RollupEvent | DisputeEvent

EVENTS: Final[dict[str, tuple[type, ...]]] = {
    "Inbox": InboxEvent.__args__,
    "Vault": VaultEvent.__args__,
    "Rollup": RollupEvent.__args__,
    "Dispute": DisputeEvent.__args__,
}
_BY_NAME: Final = {contract: {cls.__name__: cls for cls in kinds} for contract, kinds in EVENTS.items()}


@dataclass(frozen=True, slots=True)
class Located:
    """An event and where it stands on L1. `log` is what it was read from."""

    event: Event
    contract: str
    log: Log

    @property
    def block(self) -> BlockRef:
        """The block that holds it."""
        return BlockRef(self.log.block, self.log.block_hash)


class EventReader:
    """Reads the logs of a deployment's contracts."""

    def __init__(self, addresses: dict[str, bytes]) -> None:
        """`addresses`: contract name (Inbox, Vault, Rollup, Dispute) to address; others are not followed."""
        self._contracts = {addresses[name]: name for name in EVENTS if name in addresses}

    @property
    def addresses(self) -> list[bytes]:
        """The contracts whose logs it reads."""
        return list(self._contracts)

    def read(self, log: Log) -> Located:
        """The event of a log. Raises L1Inconsistent on a log that none of our contracts can have written."""
        contract = self._contracts.get(log.address)
        decoded = load_abi(contract).decode_event(log) if contract else None
        if contract is None or decoded is None:
            raise L1Inconsistent(f"log {log.index} of block {log.block} is no event of a contract of ours")
        name, arguments = decoded
        return Located(_build(_BY_NAME[contract][name], arguments), contract, log)

    def rewrite(self, located: Located) -> Log:
        """The log that reads as this event, for one whose arguments that are not indexed were changed."""
        log = located.log
        data = load_abi(located.contract).encode_event_data(log.topics[0], located.event)
        return replace(log, data=data)


def _build(cls: type, arguments: dict[str, Any]) -> Any:
    hints = get_type_hints(cls)
    values = {}
    for field in fields(cls):
        kind, value = hints[field.name], arguments[field.name]
        values[field.name] = kind(**value) if isinstance(value, dict) else value
    return cls(**values)

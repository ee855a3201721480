"""What was ordered, what the law made of it, and what came of it on L1."""

from collections import Counter
from typing import Any

from devnet.history import AppliedInput, RollupHistory
from optimist.derive.actions import (
    Liquidate,
    Sequenced,
)
from optimist.derive.decode import decode
from optimist.derive.octets import DecodingError
from optimist.l1.events import Paid
from optimist.l1.types import to_hex
from optimist.node.proofs import WITHDRAWAL_TABLE
from optimist.provable import State
from optimist.sequencer.views import get_position_size, get_record
from optimist.stf import inputs
from optimist.stf.records import Price
from optimist.vm.records import compute_record_key, unpack_record

LIQUIDATE = "LIQUIDATE"
_KINDS = {
    value: name.removeprefix("KIND_") for name, value in vars(inputs).items() if name.startswith("KIND_")
}


def name_kind(data: bytes) -> str:
    """What kind of input these bytes are; UNKNOWN for bytes that are none of the protocol."""
    try:
        decoded = decode(data)
    except DecodingError:
        return "UNKNOWN"
    if isinstance(decoded, Sequenced):
        return _KINDS[decoded.action.KIND]
    return type(decoded).__name__.upper()


def describe_inputs(history: RollupHistory) -> dict[str, Any]:
    """Counts of all inputs, by kind, and of those that the law rejected."""
    applied = [one for record in history.batches for one in record.inputs]
    kinds = Counter(name_kind(one.data) for one in applied)
    return {
        "total": len(applied),
        "rejected": sum(one.code != 0 for one in applied),
        "by_kind": dict(sorted(kinds.items())),
    }


def describe_batches(history: RollupHistory) -> list[dict[str, Any]]:
    """Every batch: its inputs, how many of them the law rejects, and the state root that follows."""
    return [
        {
            "batch": record.batch.number,
            "inputs": len(record.inputs),
            "rejected": sum(applied.code != 0 for applied in record.inputs),
            "root": to_hex(record.root),
            "transaction": to_hex(record.sealed.log.transaction),
        }
        for record in history.batches
    ]


def describe_liquidations(history: RollupHistory) -> list[dict[str, Any]]:
    """Every liquidation that the law carried out: how much of which position, at which price.

    `size` is what was closed, signed as the position was (a long is positive); `price` in 1e-8 USD.
    """
    found = []
    state = State()
    for applied in (applied for record in history.batches for applied in record.inputs):
        wanted = get_liquidation(applied)
        before = get_position(state, wanted) if wanted else 0
        for key, (_, new) in applied.writes.items():
            state.set_bytes(key, new)
        if wanted:
            found.append(
                {
                    "account": wanted.account,
                    "market": wanted.market,
                    "size": str(before - get_position(state, wanted)),
                    "price": str(get_record(state, Price, wanted.market).mark),
                }
            )
    return found


def get_liquidation(applied: AppliedInput) -> Liquidate | None:
    """The liquidation that an input was; None when it was none, or the law rejected it."""
    if applied.code != 0 or name_kind(applied.data) != LIQUIDATE:
        return None
    decoded = decode(applied.data)
    action = decoded.action if isinstance(decoded, Sequenced) else None
    return action if isinstance(action, Liquidate) else None


def get_position(state: State, wanted: Liquidate) -> int:
    """Signed size of the account's position in the market; 0 when it has none."""
    return get_position_size(state, wanted.account, wanted.market)


def describe_payments(history: RollupHistory) -> list[dict[str, Any]]:
    """Every withdrawal that the Vault has paid. `is_due`: the last known state holds just this record."""
    records = history.get_records(history.batch_count)
    payments = []
    for located in history.events:
        paid = located.event
        if not isinstance(paid, Paid):
            continue
        data = records.get(compute_record_key(WITHDRAWAL_TABLE, paid.row))
        recipient, amount, account, *_ = unpack_record(data) if data else (0, 0, 0)
        expected = (recipient.to_bytes(20, "big"), amount, account)
        payments.append(
            {
                "row": paid.row,
                "account": paid.account,
                "recipient": to_hex(paid.recipient),
                "amount": str(paid.amount),
                "is_due": expected == (paid.recipient, paid.amount, paid.account),
                "transaction": to_hex(located.log.transaction),
            }
        )
    return payments

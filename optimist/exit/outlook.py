"""What the law says of an account, and what it will say when L1's queue is sealed. Pure.

The law itself is asked where it can be: the queue is applied to a copy of the state as the public batch that
anyone may seal. What may leave is read from the records, for an account all of whose positions are closed:
then its worth is money, and the law takes as much of it as the group still holds (`stf/group.py`).
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from optimist.derive.batch import Header
from optimist.exit.facts import Bankrupt, OpenPosition, Outlook, Refusal
from optimist.provable import State
from optimist.sequencer.views import compute_size, compute_unpaid, get_record
from optimist.stf.constants import GROUP_BITS, SLOT_BITS
from optimist.stf.group import compute_haircut
from optimist.stf.inputs import MODE_PUBLIC
from optimist.stf.records import (
    Account,
    Closing,
    ForcedOutcome,
    Group,
    Position,
    Price,
    Side,
    System,
    WindDown,
    Withdrawal,
)
from optimist.stf.sides import get_side_row


def look_ahead(law: Callable[[], None], state: State, queue: Sequence[bytes], second: int) -> State:
    """The state after a public batch of `queue` at `second`; `state` itself stays as it is."""
    if not queue:
        return state
    ahead = state.copy()
    batch = get_record(ahead, System, 0).batch + 1
    for data in (Header(batch, second, second, MODE_PUBLIC).encode(), *queue):
        ahead.apply(law, data)
    return ahead


def find_accounts(state: State, owner: bytes) -> list[int]:
    """The accounts of an address."""
    wanted = int.from_bytes(owner, "big")
    return [row for row in _get_rows(state, Account) if get_record(state, Account, row).owner == wanted]


def measure(state: State, account: int) -> Outlook:
    """What the law says of `account` in `state`; owner zero when there is no such account."""
    found = get_record(state, Account, account)
    held = _get_positions(state, account)
    still_open = [each for each in held if _is_open(state, each)]
    worth = found.collateral + sum(compute_unpaid(state, each) for each in held if not _is_open(state, each))
    group = get_record(state, Group, account >> GROUP_BITS)
    # All of a group together claim what was paid in and its loss; somebody's claim may still be uncovered.
    claims = group.money + max(-group.fund, 0)
    takes = 0 if still_open else max(0, min(worth, claims))
    pays = takes - compute_haircut(group, takes)
    return Outlook(
        owner=found.owner.to_bytes(20, "big"),
        worth=worth,
        positions=tuple(_describe(state, each) for each in still_open),
        takes=takes if pays else 0,
        pays=pays,
        held_until=group.held_until,
        bankrupts=tuple(_find_bankrupts(state, account)),
        rows=tuple(_find_withdrawals(state, account)),
        refusal=_find_refusal(state, account, found.owner),
    )


def _describe(state: State, position: Position) -> OpenPosition:
    market = position.market_plus_one - 1
    silence = get_record(state, WindDown, 0).silence
    heard = min(get_record(state, System, 0).last_sequenced, get_record(state, Price, market).publish_time)
    announced = get_record(state, Closing, market).announced_at
    return OpenPosition(
        market=market,
        size=compute_size(state, position),
        dead_at=heard + silence,
        announced_at=announced if announced >= heard + silence else 0,
    )


def _find_bankrupts(state: State, but: int) -> list[Bankrupt]:
    """Accounts of the same group whose positions are all closed, and whom they have left below nothing."""
    found = []
    for account in _get_rows(state, Account):
        held = _get_positions(state, account)
        if account == but or account >> GROUP_BITS != but >> GROUP_BITS or not held:
            continue
        worth = get_record(state, Account, account).collateral
        worth += sum(compute_unpaid(state, each) for each in held)
        if worth < 0 and not any(_is_open(state, each) for each in held):
            found.append(Bankrupt(account, tuple(each.market_plus_one - 1 for each in held), -worth))
    return found


def _find_withdrawals(state: State, account: int) -> list[tuple[int, int]]:
    rows = [(row, get_record(state, Withdrawal, row)) for row in _get_rows(state, Withdrawal)]
    return [(row, each.amount) for row, each in rows if each.account == account]


def _find_refusal(state: State, account: int, owner: int) -> Refusal | None:
    """The newest outcome that the owner has forced, if it is a refusal."""
    for row in range(get_record(state, System, 0).next_forced - 1, 0, -1):
        outcome = get_record(state, ForcedOutcome, row)
        if outcome.account == account and outcome.sender == owner:
            return Refusal(row, outcome.code) if outcome.code else None
    return None


def _get_positions(state: State, account: int) -> list[Position]:
    rows = range(account << SLOT_BITS, (account + 1) << SLOT_BITS)
    found = [get_record(state, Position, row) for row in rows]
    return [position for position in found if position.market_plus_one]


def _is_open(state: State, position: Position) -> bool:
    side = get_record(state, Side, get_side_row(position.market_plus_one - 1, position.shares < 0))
    return position.epoch == side.epoch


def _get_rows(state: State, kind: type) -> list[int]:
    base = cast("Any", kind).record_base
    return sorted(key - base for key, _ in state.items() if base <= key < base + (1 << 40))

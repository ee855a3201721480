"""Risk groups: markets and accounts that share a fund, a backstop and their losses, and nothing with others.

The number of an account names its group, and its first account is the group's backstop:

    account = group << 32 | number          backstop of a group = group << 32

The fund takes fees, penalties and what rounding leaves, and pays what bankrupt accounts cannot. Below 0 it is
a loss that nobody has carried yet: then all accounts together claim more than was paid in, and whoever
withdraws leaves that part behind (`withdrawal.py`). New fees fill the fund up again.
"""

from optimist.provable import ceil_div, fit, i64, i250, inline, load, note, store, u8, u40, u64, u96
from optimist.stf.codes import Code
from optimist.stf.constants import DONE, GROUP_BITS
from optimist.stf.notes import Haircut
from optimist.stf.records import AccountId, Group, GroupId


@inline
def get_group(account_id: AccountId) -> GroupId:
    """The group of an account."""
    return account_id >> GROUP_BITS


@inline
def get_backstop(group_id: GroupId) -> AccountId:
    """The account that takes over what is liquidated in a group."""
    return group_id << GROUP_BITS


@inline
def add_to_fund(group: Group, amount: i250) -> None:
    """Add to the fund; a negative amount is paid out of it, below 0 if need be."""
    group.fund = fit(i64, group.fund + amount, Code.COLLATERAL_BOUND)


@inline
def compute_haircut(group: Group, amount: u64) -> u64:
    """What stays behind of `amount` when it leaves the group: ceil(amount * loss / (money + loss)).

    All accounts of the group together claim money + loss.
    """
    loss = max(-group.fund, 0)
    return min(ceil_div(amount * loss, max(group.money + loss, 1)), amount)


def leave_group(account_id: AccountId, amount: u64, least_paid: u64, now: u40) -> tuple[u8, u64]:
    """Let `amount` of an account leave its group: DONE, and what is paid outside, less its part of a loss.

    Otherwise why not, 0, and no change. Losses of a closed market may still be settled. The group may not
    hold so much: somebody's profit may be there before whoever owes it has been liquidated. And the owner may
    want `least_paid` or nothing: what a group lacks can have grown since he signed. The account's collateral
    is the caller's to change.
    """
    group_id = get_group(account_id)
    group = load(Group, group_id)
    if now < group.held_until:
        return Code.GROUP_HELD, 0
    haircut = compute_haircut(group, amount)
    paid = max(amount - haircut, 0)
    if paid > group.money:
        # INVARIANT: a group never pays out more than was paid in.
        return Code.GROUP_SHORT, 0
    if paid < least_paid:
        return Code.PAID_TOO_LITTLE, 0
    group.money = group.money - paid
    if haircut != 0:
        add_to_fund(group, haircut)
        note(Haircut(account=account_id, amount=haircut))
    store(group_id, group)
    return DONE, paid


def enter_group(account_id: AccountId, amount: u64) -> None:
    """Count money that an account brings into its group."""
    group_id = get_group(account_id)
    group = load(Group, group_id)
    group.money = fit(u96, group.money + amount, Code.COLLATERAL_BOUND)
    store(group_id, group)

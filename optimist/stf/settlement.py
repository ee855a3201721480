"""SETTLE: pay out a position that was closed with its whole side. Anyone's input, signed by nobody.

Positions settle by themselves whenever they change. One that was closed whole, by deleveraging or with its
market, has no reason to change any more, yet holds a slot, and its money is in the account's value but not in
its collateral. This clears it. It asks for no price and no signature: nobody gains or loses by it.

What an account owes when its last position is gone, nobody can liquidate any more: it is the fund's loss.
"""

from optimist.provable import handler, input_length, input_uint, load, note, peek, require, store, u16, zero
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, SLOT_BITS
from optimist.stf.group import add_to_fund, get_group
from optimist.stf.inputs import SETTLE_ACCOUNT_AT, SETTLE_BODY_LENGTH, SETTLE_MARKET_AT
from optimist.stf.margin import Holdings, scan_holdings, settle
from optimist.stf.notes import Held, WrittenOff
from optimist.stf.preset import POSITION_SLOTS
from optimist.stf.records import Account, AccountId, BodyOffset, Group, Parameters, Position, System


@handler
def apply_settle(system: System, at: BodyOffset) -> None:
    """Pay what the side of an account's closed position owes it, and free the slot.

    `at`: where the body begins.
    """
    require(input_length() == at + SETTLE_BODY_LENGTH, Code.MALFORMED)
    account_id = input_uint(at + SETTLE_ACCOUNT_AT, 5)
    market_id = input_uint(at + SETTLE_MARKET_AT, 2)
    require(account_id < ACCOUNT_LIMIT, Code.UNKNOWN_ACCOUNT)
    require(market_id < peek(Parameters, 0).markets, Code.UNKNOWN_MARKET)
    holdings = zero(Holdings)
    scan_holdings(holdings, account_id, market_id + 1, system.clock, 0)
    require(holdings.is_held, Code.NO_POSITION)
    require(holdings.shares == 0, Code.STILL_OPEN)
    group_id = get_group(account_id)
    group = load(Group, group_id)
    account = load(Account, account_id)
    settle(group, account, holdings, market_id)
    store(account_id << SLOT_BITS | holdings.slot, zero(Position))
    note(Held(account=account_id, market=market_id, parts=0))
    if account.collateral < 0 and is_flat(account_id):
        note(WrittenOff(account=account_id, amount=-account.collateral))
        add_to_fund(group, account.collateral)
        account.collateral = 0
    store(account_id, account)
    store(group_id, group)


def is_flat(account_id: AccountId) -> bool:
    """True if no slot of an account holds a position."""
    held: u16 = 0
    for slot in range(POSITION_SLOTS):
        held = max(held, peek(Position, account_id << SLOT_BITS | slot).market_plus_one)
    return held == 0

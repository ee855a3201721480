"""FORCED: what anybody may push through L1 past the sequencer.

A right of an account (money out) is never rejected. A rejected input leaves no trace, so nobody could prove
on L1 that it was refused, or why: therefore it ends in a ForcedOutcome, garbage too; code 0 is done, anything
else says why not.

A service to everybody (a price, a liquidation or settlement that is due, rules of a market, the end of a dead
one) is what it would be from the sequencer: it takes effect or is rejected. So a sequencer that suppresses
prices, or protects a friend, cannot keep anyone else from stating the one and liquidating the other.
"""

from optimist.provable import (
    fit,
    handler,
    input_length,
    input_uint,
    load,
    store,
    u16,
    u40,
    zero,
)
from optimist.stf.cancel import force_cancel_all
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, DONE, MAX_COLLATERAL, REASON_FORCED
from optimist.stf.inputs import (
    FORCED_BODY_AT,
    FORCED_CANCEL_ALL_ACCOUNT_AT,
    FORCED_CANCEL_ALL_LENGTH,
    FORCED_CANCEL_ALL_NONCE_AT,
    FORCED_ENQUEUED_AT,
    FORCED_KIND_AT,
    FORCED_REDUCE_ACCOUNT_AT,
    FORCED_REDUCE_LENGTH,
    FORCED_REDUCE_SIZE_AT,
    FORCED_SENDER_AT,
    FORCED_SESSION_KEY_ACCOUNT_AT,
    FORCED_SESSION_KEY_LENGTH,
    FORCED_WITHDRAW_ACCOUNT_AT,
    FORCED_WITHDRAW_AMOUNT_AT,
    FORCED_WITHDRAW_LEAST_AT,
    FORCED_WITHDRAW_LENGTH,
    KIND_CANCEL_ALL,
    KIND_CLOSE_MARKET,
    KIND_ENACT_MARKET,
    KIND_LIQUIDATE,
    KIND_PRICE,
    KIND_PROPOSE_MARKET,
    KIND_REDUCE,
    KIND_SESSION_KEY,
    KIND_SETTLE,
    KIND_WITHDRAW,
)
from optimist.stf.liquidation import apply_liquidate
from optimist.stf.oracle import apply_price
from optimist.stf.records import Account, ForcedOutcome, System
from optimist.stf.reduce import force_reduce
from optimist.stf.session import force_session_end
from optimist.stf.settlement import apply_settle
from optimist.stf.timelock import apply_enact_market, apply_propose_market
from optimist.stf.wind_down import apply_close_market
from optimist.stf.withdrawal import judge_withdrawal, pay_out


@handler
def apply_forced(system: System) -> None:
    """Carry out a forced input if it may be; write the outcome of what is the right of an account."""
    kind = input_uint(FORCED_KIND_AT, 1)
    if kind == KIND_PRICE:
        apply_price(system, FORCED_BODY_AT)
        return
    if kind == KIND_LIQUIDATE:
        apply_liquidate(system, FORCED_BODY_AT)
        return
    if kind == KIND_SETTLE:
        apply_settle(system, FORCED_BODY_AT)
        return
    if kind == KIND_PROPOSE_MARKET:
        apply_propose_market(system, FORCED_BODY_AT)
        return
    if kind == KIND_ENACT_MARKET:
        apply_enact_market(system, FORCED_BODY_AT)
        return
    if kind == KIND_CLOSE_MARKET:
        apply_close_market(system, FORCED_BODY_AT)
        return
    outcome = zero(ForcedOutcome)
    outcome.sender = input_uint(FORCED_SENDER_AT, 20)
    if kind == KIND_WITHDRAW and input_length() == FORCED_WITHDRAW_LENGTH:
        outcome.account = input_uint(FORCED_WITHDRAW_ACCOUNT_AT, 5)
        outcome.amount = input_uint(FORCED_WITHDRAW_AMOUNT_AT, 8)
        outcome.code = force_withdraw(system, outcome)
    elif kind == KIND_CANCEL_ALL and input_length() == FORCED_CANCEL_ALL_LENGTH:
        outcome.account = input_uint(FORCED_CANCEL_ALL_ACCOUNT_AT, 5)
        outcome.amount = input_uint(FORCED_CANCEL_ALL_NONCE_AT, 8)
        outcome.code = force_cancel_all(outcome)
    elif kind == KIND_SESSION_KEY and input_length() == FORCED_SESSION_KEY_LENGTH:
        outcome.account = input_uint(FORCED_SESSION_KEY_ACCOUNT_AT, 5)
        outcome.code = force_session_end(outcome)
    elif kind == KIND_REDUCE and input_length() == FORCED_REDUCE_LENGTH:
        outcome.account = input_uint(FORCED_REDUCE_ACCOUNT_AT, 5)
        outcome.amount = input_uint(FORCED_REDUCE_SIZE_AT, 8)
        outcome.code = force_reduce(system, outcome)
    else:
        outcome.code = Code.MALFORMED
    row = system.next_forced
    system.next_forced = fit(u40, row + 1, Code.COUNTER_EXHAUSTED)
    store(row, outcome)


def force_withdraw(system: System, wanted: ForcedOutcome) -> u16:
    """Pay `amount` to the account's owner, who must be the sender; DONE, or the Code of the refusal.

    The age of prices is measured at the second at which the withdrawal was enqueued on L1: otherwise whoever
    delays it makes it stale. A group is held for it if it was held then: otherwise it would be carried out
    before the settlements that the group waits for, which stand behind it in the queue.
    """
    account_id = wanted.account
    if account_id >= ACCOUNT_LIMIT:
        return Code.UNKNOWN_ACCOUNT
    account = load(Account, account_id)
    if account.owner == 0:
        return Code.UNKNOWN_ACCOUNT
    if account.owner != wanted.sender:
        return Code.NOT_OWNER
    if wanted.amount == 0:
        return Code.AMOUNT_ZERO
    collateral = account.collateral - wanted.amount
    if collateral < -MAX_COLLATERAL:
        return Code.COLLATERAL_BOUND
    enqueued_at = input_uint(FORCED_ENQUEUED_AT, 5)
    verdict = judge_withdrawal(account_id, collateral, enqueued_at)
    if verdict != DONE:
        return verdict
    least_paid = input_uint(FORCED_WITHDRAW_LEAST_AT, 8)
    now = min(system.clock, enqueued_at)
    verdict = pay_out(system, account_id, wanted.amount, least_paid, account.owner, REASON_FORCED, now)
    if verdict != DONE:
        return verdict
    account.collateral = collateral
    store(account_id, account)
    return DONE

"""FORCED: what anybody may push through L1 past the sequencer. Never rejected: its outcome is a record.

A rejected input leaves no trace, so nobody could prove on L1 that a forced one was refused, or why. Therefore
every forced input, garbage included, ends in a ForcedOutcome: code 0 is done, anything else says why not.
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
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, DONE, MAX_COLLATERAL, REASON_FORCED
from optimist.stf.inputs import (
    FORCED_ENQUEUED_AT,
    FORCED_KIND_AT,
    FORCED_SENDER_AT,
    FORCED_WITHDRAW_ACCOUNT_AT,
    FORCED_WITHDRAW_AMOUNT_AT,
    FORCED_WITHDRAW_LENGTH,
    KIND_WITHDRAW,
)
from optimist.stf.records import Account, ForcedOutcome, System
from optimist.stf.withdrawal import judge_withdrawal, write_withdrawal


@handler
def apply_forced(system: System) -> None:
    """Carry out a forced input if it may be, and write its outcome."""
    outcome = zero(ForcedOutcome)
    outcome.sender = input_uint(FORCED_SENDER_AT, 20)
    if input_uint(FORCED_KIND_AT, 1) == KIND_WITHDRAW and input_length() == FORCED_WITHDRAW_LENGTH:
        outcome.account = input_uint(FORCED_WITHDRAW_ACCOUNT_AT, 5)
        outcome.amount = input_uint(FORCED_WITHDRAW_AMOUNT_AT, 8)
        outcome.code = force_withdraw(system, outcome)
    else:
        outcome.code = Code.MALFORMED
    row = system.next_forced
    system.next_forced = fit(u40, row + 1, Code.COUNTER_EXHAUSTED)
    store(row, outcome)


def force_withdraw(system: System, wanted: ForcedOutcome) -> u16:
    """Pay `amount` to the account's owner, who must be the sender; DONE, or the Code of the refusal.

    The age of prices is measured at the second at which the withdrawal was enqueued on L1: otherwise whoever
    delays it makes it stale.
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
    verdict = judge_withdrawal(account_id, collateral, input_uint(FORCED_ENQUEUED_AT, 5))
    if verdict != DONE:
        return verdict
    account.collateral = collateral
    store(account_id, account)
    write_withdrawal(system, account.owner, wanted.amount, account_id, REASON_FORCED)
    return DONE

"""The table of contents of the law: which rule an input is for.

`apply_input` is what a sequencer, a watcher and the machine run for every input. It reads the input, changes
records, or rejects and changes nothing. Byte 0 is the origin, written or checked by the Inbox, so a sequenced
input cannot pass for a deposit.
"""

from optimist.provable import input_uint, load, peek, reject, require, store
from optimist.stf.cancel import apply_cancel, apply_cancel_all
from optimist.stf.clock import advance_clock
from optimist.stf.codes import Code
from optimist.stf.deposit import apply_deposit
from optimist.stf.fees import apply_account_tier, apply_fees
from optimist.stf.forced import apply_forced
from optimist.stf.genesis import apply_init
from optimist.stf.header import apply_header
from optimist.stf.inputs import (
    KIND_ACCOUNT_TIER,
    KIND_CANCEL,
    KIND_CANCEL_ALL,
    KIND_ENACT_MARKET,
    KIND_FEES,
    KIND_LIQUIDATE,
    KIND_PRICE,
    KIND_PROPOSE_MARKET,
    KIND_SESSION_KEY,
    KIND_SETTLE,
    KIND_TRADE,
    KIND_TRANSFER,
    KIND_WITHDRAW,
    ORIGIN_DEPOSIT,
    ORIGIN_FORCED,
    ORIGIN_HEADER,
    ORIGIN_INIT,
    ORIGIN_SEQUENCED,
    SEQUENCED_BODY_AT,
    SEQUENCED_KIND_AT,
    SEQUENCED_SECOND_AT,
)
from optimist.stf.liquidation import apply_liquidate
from optimist.stf.oracle import apply_price
from optimist.stf.records import Parameters, System
from optimist.stf.session import apply_session_key
from optimist.stf.settlement import apply_settle
from optimist.stf.timelock import apply_enact_market, apply_propose_market
from optimist.stf.trade import apply_trade
from optimist.stf.transfer import apply_transfer
from optimist.stf.withdrawal import apply_withdraw


def apply_input() -> None:
    """Apply one input of any origin. INIT comes first and once."""
    system = load(System, 0)
    origin = input_uint(0, 1)
    require(origin == ORIGIN_INIT or peek(Parameters, 0).initialised == 1, Code.NOT_INITIALISED)
    if origin == ORIGIN_SEQUENCED:
        apply_sequenced(system)
    elif origin == ORIGIN_DEPOSIT:
        apply_deposit(system)
    elif origin == ORIGIN_FORCED:
        apply_forced(system)
    elif origin == ORIGIN_HEADER:
        apply_header(system)
    elif origin == ORIGIN_INIT:
        apply_init(system)
    else:
        reject(Code.UNKNOWN_ORIGIN)
    store(0, system)


def apply_sequenced(system: System) -> None:
    """Apply what the sequencer ordered, at the second that it names."""
    advance_clock(system, input_uint(SEQUENCED_SECOND_AT, 5))
    kind = input_uint(SEQUENCED_KIND_AT, 1)
    if kind == KIND_TRADE:
        apply_trade(system)
    elif kind == KIND_PRICE:
        apply_price(system, SEQUENCED_BODY_AT)
    elif kind == KIND_LIQUIDATE:
        apply_liquidate(system, SEQUENCED_BODY_AT)
    elif kind == KIND_SETTLE:
        apply_settle(system, SEQUENCED_BODY_AT)
    elif kind == KIND_WITHDRAW:
        apply_withdraw(system)
    elif kind == KIND_CANCEL:
        apply_cancel(system)
    elif kind == KIND_CANCEL_ALL:
        apply_cancel_all(system)
    elif kind == KIND_TRANSFER:
        apply_transfer(system)
    elif kind == KIND_SESSION_KEY:
        apply_session_key(system)
    elif kind == KIND_FEES:
        apply_fees(system)
    elif kind == KIND_ACCOUNT_TIER:
        apply_account_tier(system)
    elif kind == KIND_PROPOSE_MARKET:
        apply_propose_market(system, SEQUENCED_BODY_AT)
    elif kind == KIND_ENACT_MARKET:
        apply_enact_market(system, SEQUENCED_BODY_AT)
    else:
        reject(Code.UNKNOWN_KIND)

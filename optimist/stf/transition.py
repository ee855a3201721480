"""The table of contents of the law: which rule an input is for.

`apply_input` is what a sequencer, a watcher and the machine run for every input. It reads the input, changes
records, or rejects and changes nothing. Byte 0 is the origin, written or checked by the Inbox, so a sequenced
input cannot pass for a deposit.
"""

from optimist.provable import input_uint, load, peek, reject, require, store
from optimist.stf.clock import advance_clock
from optimist.stf.codes import Code
from optimist.stf.deposit import apply_deposit
from optimist.stf.forced import apply_forced
from optimist.stf.genesis import apply_init
from optimist.stf.header import apply_header
from optimist.stf.inputs import (
    KIND_LIQUIDATE,
    KIND_PRICE,
    KIND_TRADE,
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
from optimist.stf.trade import apply_trade
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
    elif kind == KIND_WITHDRAW:
        apply_withdraw(system)
    else:
        reject(Code.UNKNOWN_KIND)

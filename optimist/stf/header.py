"""HEADER: the first input of every batch but the first. It moves the clock and bounds the batch in time."""

from optimist.provable import handler, input_length, input_uint, require, store
from optimist.stf.codes import Code
from optimist.stf.inputs import (
    HEADER_BATCH_AT,
    HEADER_FIRST_AT,
    HEADER_LAST_AT,
    HEADER_LENGTH,
    HEADER_MODE_AT,
    MODE_PUBLIC,
)
from optimist.stf.records import BatchLimit, System


@handler
def apply_header(system: System) -> None:
    """Open a batch: clock = first, limit = last, mode as written.

    The Inbox writes headers and cannot write one that is refused here: batches are numbered without gaps, and
    first is never before the previous last, which the clock never passes. The rules stand here all the same,
    because the clock of the law must not rest on a contract.
    """
    require(input_length() == HEADER_LENGTH, Code.MALFORMED)
    batch = input_uint(HEADER_BATCH_AT, 8)
    first = input_uint(HEADER_FIRST_AT, 5)
    last = input_uint(HEADER_LAST_AT, 5)
    mode = input_uint(HEADER_MODE_AT, 1)
    require(batch == system.batch + 1, Code.BATCH_NOT_NEXT)
    require(system.clock <= first <= last, Code.HEADER_SECONDS)
    require(mode <= MODE_PUBLIC, Code.HEADER_MODE)
    system.batch = batch
    system.clock = first
    system.mode = mode
    store(0, BatchLimit(last=last))

"""Time. The law knows no time but what its inputs say, and its clock never runs backwards.

A sequenced input acts at its own second, which lies between the clock and the last second of its batch. INIT,
headers and queue items act where the clock stands. L1 time itself never enters the state.
"""

from optimist.provable import peek, require, u40
from optimist.stf.codes import Code
from optimist.stf.records import BatchLimit, System


def advance_clock(system: System, second: u40) -> None:
    """Move the clock to the second of a sequenced input.

    Rejects a second before the clock, or after the last one that the batch allows.
    """
    require(second >= system.clock, Code.SECOND_BEFORE_CLOCK)
    require(second <= peek(BatchLimit, 0).last, Code.SECOND_AFTER_LIMIT)
    system.clock = second
    system.last_sequenced = second

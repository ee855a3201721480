"""CLOSE_MARKET: how everyone leaves a market that is dead. Forced only, anyone's input, signed by nobody.

A market is dead when for INIT's silence the sequencer has sequenced nothing at all, or no price of the market
has been published. Then anyone may

1. announce its closing. For INIT's window newer prices, reductions and liquidations can still be forced in.
   A market that has come back to life meanwhile is not closed, and its announcement is void;
2. close it, by an input that was enqueued after the window: every position ends at the mark that stands then,
   longs and shorts alike, however many there are (`sides.close_sides`). What a position is owed is its
   owner's money from that moment on, settled or not;
3. for another window no money leaves the market's group, while anyone settles the accounts that the closing
   has left below nothing (`settlement.py`): their loss is the fund's, so it is known before whoever is quick
   could leave it to the others;
4. withdraw; by force, with what was enqueued after that window.

A queue on L1 is slow. By their second of enqueuing, whatever somebody forces within a window is carried out
before what must wait for its end, even if both are carried out a day later.

So nothing needs to be valued on L1, and nobody's consent is needed to leave. A market whose sequencer or
oracle returns begins anew with nobody in it.
"""

from optimist.provable import (
    fit,
    handler,
    input_length,
    input_uint,
    load,
    note,
    peek,
    require,
    store,
    u40,
    zero,
)
from optimist.stf.codes import Code
from optimist.stf.inputs import CLOSE_BODY_LENGTH, CLOSE_MARKET_AT, FORCED_ENQUEUED_AT
from optimist.stf.notes import MarketClosed
from optimist.stf.records import (
    BodyOffset,
    Closing,
    Group,
    Listing,
    MarketId,
    Parameters,
    Price,
    Side,
    System,
    WindDown,
)
from optimist.stf.sides import close_sides, get_side_row


@handler
def apply_close_market(system: System, at: BodyOffset) -> None:
    """Announce the closing of a dead market, or close it once that is due. `at`: where the body begins."""
    require(input_length() == at + CLOSE_BODY_LENGTH, Code.MALFORMED)
    market_id = input_uint(at + CLOSE_MARKET_AT, 2)
    require(market_id < peek(Parameters, 0).markets, Code.UNKNOWN_MARKET)
    # INVARIANT: longs without shorts do not exist, so a market without shorts is empty.
    require(peek(Side, get_side_row(market_id, True)).shares > 0, Code.NO_POSITION)
    require(is_dead(system, market_id, system.clock), Code.NOT_DEAD)
    announced_at = peek(Closing, market_id).announced_at
    if not is_dead(system, market_id, announced_at):
        store(market_id, Closing(announced_at=system.clock))
        return
    due = fit(u40, announced_at + peek(WindDown, 0).window, Code.SECOND_AFTER_LIMIT)
    # What was enqueued within the window comes before what was enqueued after it, however long both wait.
    require(min(system.clock, input_uint(FORCED_ENQUEUED_AT, 5)) >= due, Code.CLOSING_NOT_DUE)
    store(market_id, zero(Closing))
    close_market(market_id, system.clock)


def is_dead(system: System, market_id: MarketId, second: u40) -> bool:
    """True if at `second` the sequencer, or the market's price, had been silent for long enough."""
    silence = peek(WindDown, 0).silence
    is_sequencer_silent = second - system.last_sequenced >= silence
    return is_sequencer_silent or second - peek(Price, market_id).publish_time >= silence


def close_market(market_id: MarketId, now: u40) -> None:
    """End all positions at the mark, and hold back the group's money until losses are known."""
    mark = peek(Price, market_id).mark
    close_sides(market_id, mark)
    group_id = peek(Listing, market_id).group
    group = load(Group, group_id)
    group.held_until = fit(u40, now + peek(WindDown, 0).window, Code.SECOND_AFTER_LIMIT)
    store(group_id, group)
    note(MarketClosed(market=market_id, price=mark))

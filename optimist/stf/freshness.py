"""Whether a price may be used at all: the one question that every rule asks before it values anything."""

from optimist.provable import inline, u32, u40
from optimist.stf.constants import PRICE_CONFIRMED
from optimist.stf.records import Price


@inline
def is_price_fresh(price: Price, now: u40, heartbeat: u32) -> bool:
    """True if the price is confirmed and its age, max(0, now - publish time), at most `heartbeat` seconds."""
    if price.price == 0 or price.status != PRICE_CONFIRMED:
        return False
    return price.publish_time + heartbeat >= now

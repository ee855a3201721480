"""An auction by sealed bids: what the language makes of comparisons that are kept, not branched on.

Input: row:1 | count:1 | count bids of amount:8 | bidder:5 | second:4, at most 8.
"""

from enum import IntEnum
from typing import Final

from optimist.provable import (
    b32,
    fit,
    input_uint,
    keccak_of,
    load,
    record,
    require,
    store,
    u8,
    u16,
    u32,
    u40,
    u64,
)

MOST_BIDS: Final = 8
BID_BYTES: Final = 17


class Code(IntEnum):
    TOO_MANY = 16
    NO_BIDDER = 17
    NOT_IN_ORDER = 18


@record(table=1)
class Standing:
    amount: u64
    bidder: u40
    second: u32
    is_contested: bool
    is_late: bool
    rounds: u64
    outbid: u64


@record(table=2)
class Tally:
    ties: u64
    repeated: u64
    lower: u64
    different: u64
    fingerprint: b32


@record()
class Bid:
    amount: u64
    bidder: u40
    second: u32


def read_bid(bid: Bid, offset: u16) -> None:
    bid.amount = input_uint(offset, 8)
    bid.bidder = input_uint(offset + 8, 5)
    bid.second = input_uint(offset + 13, 4)


def count(flag: bool, before: u64) -> u64:
    return fit(u64, before + (1 if flag else 0), Code.TOO_MANY)


def place(standing: Standing, tally: Tally, bid: Bid) -> u8:
    """Who leads after a bid: 0 nothing changed, 1 outbid by another, 2 raised by the leader."""
    is_tie = bid.amount == standing.amount
    is_same = bid.bidder == standing.bidder
    is_other = bid.bidder != standing.bidder
    is_higher = bid.amount > standing.amount
    is_lower = bid.amount < standing.amount
    in_order = standing.second <= bid.second
    moved = bid.second != standing.second
    is_fair = bid.amount - standing.amount <= standing.amount
    tally.ties = count(is_tie, tally.ties)
    tally.repeated = count(is_same, tally.repeated)
    tally.lower = count(is_lower, tally.lower)
    tally.different = count(is_other == moved, tally.different)
    require(in_order or not is_higher, Code.NOT_IN_ORDER)
    standing.is_late = moved != is_fair
    standing.is_contested = is_higher and is_other
    if not is_higher:
        return 0
    standing.outbid = standing.amount
    standing.amount = bid.amount
    standing.bidder = bid.bidder
    standing.second = bid.second
    return 1 if is_other else 2


def keep(row: u8, standing: Standing, tally: Tally) -> None:
    tally.fingerprint = keccak_of(standing)
    store(row, standing)
    store(row, tally)


def apply_input() -> None:
    row = input_uint(0, 1)
    bids = input_uint(1, 1)
    require(bids <= MOST_BIDS, Code.TOO_MANY)
    standing = load(Standing, row)
    tally = load(Tally, row)
    changes: u64 = 0
    for i in range(bids):
        bid = Bid(amount=0, bidder=0, second=0)
        read_bid(bid, 2 + i * BID_BYTES)
        require(bid.bidder != 0, Code.NO_BIDDER)
        changes = fit(u64, changes + place(standing, tally, bid), Code.TOO_MANY)
    standing.rounds = fit(u64, standing.rounds + changes, Code.TOO_MANY)
    keep(row, standing, tally)

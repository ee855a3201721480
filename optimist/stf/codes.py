"""Why the law said no: the code in the receipt of a rejected input, or in the ForcedOutcome of a forced one.

Codes below 16 belong to the machine (see `optimist/vm/isa.py`): no rule of the law uses them.
"""

from enum import IntEnum


class Code(IntEnum):
    """Reject codes of the law. A number is part of the protocol and never gets another meaning."""

    # Every input
    UNKNOWN_ORIGIN = 16
    UNKNOWN_KIND = 17
    MALFORMED = 18  # the length is not that of the kind, or a flag is neither 0 nor 1
    NOT_INITIALISED = 19  # anything before INIT
    SECOND_BEFORE_CLOCK = 20
    SECOND_AFTER_LIMIT = 21  # later than the batch's last second
    COUNTER_EXHAUSTED = 22  # 2**40 withdrawals or forced inputs

    # INIT
    ALREADY_INITIALISED = 24
    BAD_OWNER = 25  # the backstop without an owner
    BAD_SIGNERS = 26  # number, quorum, an empty or a repeated key
    BAD_MARKETS = 27  # number of markets, size decimals, lot, largest position or its notional
    BAD_MARGIN = 28  # not 0 < maintenance <= initial <= 100 %
    BAD_FEE = 29  # a fee, penalty or buffer out of its range
    BAD_PRICE_RULE = 30  # not 0 < step <= halt <= 100 %, or a gap of nothing
    BAD_FUNDING_RULE = 31  # a rate, premium or damper out of its range, or no smoothing

    # HEADER
    BATCH_NOT_NEXT = 32
    HEADER_SECONDS = 33  # the clock would run backwards, or last < first
    HEADER_MODE = 34

    # PRICE
    UNKNOWN_MARKET = 40
    PRICE_NOT_NEWER = 41
    PRICE_FROM_FUTURE = 42
    NO_QUORUM = 43  # fewer signatures than the quorum, or more than keys
    UNKNOWN_SIGNER = 44
    REPEATED_SIGNER = 45
    PRICES_NOT_ASCENDING = 46
    PRICE_BOUND = 47  # not in 1 .. 2**60 - 1
    PRICE_SIGNATURE = 48  # not signed by the key that it names

    # Accounts, signatures, money
    UNKNOWN_ACCOUNT = 56  # never credited: it has no owner
    NOT_SIGNED_BY_OWNER = 57
    NONCE_USED = 58
    AMOUNT_ZERO = 59
    RECIPIENT_ZERO = 60
    COLLATERAL_BOUND = 61  # |collateral| or the insurance fund would reach 2**63
    PRICE_STALE = 62  # a market has no price, one older than the heartbeat, or one that is not confirmed
    BELOW_INITIAL_MARGIN = 63
    VALUE_BOUND = 64  # a sum over positions beyond 2**111: impossible with the markets that INIT allows

    # TRADE
    SELF_TRADE = 72  # both accounts have one owner
    SAME_SIDE = 73
    FILL_SIZE = 74  # zero, or no multiple of the lot and not the end of a reduce-only order's position
    LIMIT_PRICE = 75
    ORDER_EXPIRED = 76
    ORDER_SLOT = 77
    ORDER_NONCE = 78  # the slot has moved on to a higher nonce
    ORDER_OVERFILLED = 79
    FEE_ABOVE_MAX = 80  # of the account's tier, before any cap
    SLOTS_FULL = 81
    POSITION_BOUND = 82
    FILL_PRICE = 83  # not in 1 .. 2**60 - 1

    # LIQUIDATE
    BACKSTOP_ITSELF = 88
    NO_POSITION = 89
    NOT_LIQUIDATABLE = 90
    BACKSTOP_UNABLE = 91  # nor does the account call for deleveraging: it is above its close-out margin

    # Markets
    BAD_TIERS = 128  # not ascending, a smaller fraction in a later one, or maintenance above initial
    BAD_OPEN_INTEREST = 129  # a cap of nothing or beyond 2**61, or not lower < upper
    BAD_MARK_RULE = 131  # a cap beyond 100 %
    BAD_VOLATILITY_RULE = 132  # a multiplier without a horizon or a window, or samples rarer than the window
    BAD_TIMELOCK = 133  # a governor without one
    NOT_SIGNED_BY_GOVERNOR = 134
    MARKET_FIXED = 135  # size decimals and lot of a market never change
    NO_PROPOSAL = 136
    PROPOSAL_NOT_DUE = 137
    OPEN_INTEREST_BOUND = 130  # the fill would raise open interest beyond the market's cap

    # FORCED
    NOT_OWNER = 96  # the sender of a forced input does not own the account

    # Risk groups and sides
    OTHER_GROUP = 100  # the account and the market belong to different risk groups
    NO_COUNTERPART = 101  # nobody holds the other side
    GROUP_SHORT = 103  # more than the group holds: accounts that owe it are not liquidated yet
    STILL_OPEN = 104  # a position that is to be settled has not been closed

    # Orders, keys, subaccounts, fee tiers
    ORDER_CANCELLED = 144  # its nonce is below the floor of its account
    REDUCE_ONLY = 145  # the fill would not make the position smaller, or take it to the other side
    TAKER_ONLY = 146  # an immediate order cannot be the maker
    FILL_OR_KILL = 147  # less than the whole order in one fill
    SESSION_UNKNOWN = 148  # the account has no session key there
    SESSION_EXPIRED = 149
    SESSION_RIGHTS = 150  # the session key may not sign this
    BAD_SESSION = 151  # a session key without rights or with unknown ones, or an index not in 1 .. 15
    OTHER_OWNER = 152  # a transfer to somebody else's account, or to one that cannot be opened
    SAME_ACCOUNT = 153  # a transfer from an account to itself
    NOT_FEE_MANAGER = 154
    BAD_FEE_TIER = 155  # a tier that does not exist, or is not cheaper than tier 0

    # CLOSE_MARKET
    NOT_DEAD = 176  # neither the sequencer nor the market's price has been silent for long enough
    CLOSING_NOT_DUE = 177
    GROUP_HELD = 178  # no money leaves a group while losses of a market that was closed are being settled
    BAD_WIND_DOWN = 179  # a silence or a window of nothing

    # Money that leaves a group with a loss
    PAID_TOO_LITTLE = 190  # a part stays behind, and less would be paid than the owner asked for at least

    # Session keys, once more
    SESSION_NONCE = 191  # beyond 2**63 - 1: those are the owner's

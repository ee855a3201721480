"""Constants of the law: value, arithmetic and unit on the line above each."""

from typing import Final

# 10**6 (= 1,000,000) parts: the scale of every fraction (margins, fees, penalties, buffers)
PPM: Final = 1_000_000

# 2**36 (= 68,719,476,736) accounts: a row of 40 bits less 4 bits for the slot
ACCOUNT_LIMIT: Final = 1 << 36

# 4 bits of a row hold the slot of a position or of an order, in every preset
SLOT_BITS: Final = 4

# account 0 is the backstop of group 0; the backstops of other groups have its owner
BACKSTOP: Final = 0

# 1 .. 15: the session keys of an account; 0 stands for its owner
MAX_SESSION_KEYS: Final = 15

# 2**63 - 1 (= 9,223,372,036,854,775,807): the last nonce of an order or a cancellation that a session key may
# sign; those beyond are the owner's, so that no session key can use up the nonces of an account
MAX_SESSION_NONCE: Final = (1 << 63) - 1

# What a session key may sign: the bits of its rights.
RIGHT_TRADE: Final = 1  # orders
RIGHT_CANCEL: Final = 2  # cancellations

# 2**32 (= 4,294,967,296) accounts in each of 16 risk groups: account n of group g is g << 32 | n
GROUP_BITS: Final = 32

# 0 .. 7: the fee tiers of a market
MAX_FEE_TIER: Final = 7

# How long an order waits.
GOOD_TILL_CANCELLED: Final = 0  # until it expires or is cancelled
IMMEDIATE_OR_CANCEL: Final = 1  # never: it takes what is there
FILL_OR_KILL: Final = 2  # never, and it takes all of its size in one fill or nothing

# 3: a tree of at most 2**3 (= 8) orders under one signature
MAX_TREE_DEPTH: Final = 3
# 2**4 (= 16) risk groups: ACCOUNT_LIMIT >> GROUP_BITS
MAX_GROUPS: Final = 16

# 2**48 (= 281,474,976,710,656) parts of a unit of size; what a share is worth until its side is deleveraged
ONE: Final = 1 << 48

# 2**24 (= 16,777,216) parts: what a share is worth at least, lest sizes round too coarsely
MIN_MULTIPLIER: Final = 1 << 24

# 24 bits of the row of a SideEnd count epochs
EPOCH_BITS: Final = 24

# 666,666 ppm (about 2 / 3) of the maintenance margin: an account that is worth less is taken over whole
CLOSE_OUT_PPM: Final = 666_666

# 7 keys at most may sign prices
MAX_SIGNERS: Final = 7

# 16 markets at most: 2**SLOT_BITS, so that an account of the largest preset can be in all of them
MAX_MARKETS: Final = 16

# 128: the rules that are proposed for a market stand this many rows behind those in force
PROPOSED: Final = 128

# 4 tiers of margin at most in a market, the first among them
MAX_TIERS: Final = 4

# 3 bits of a row hold the number of a tier
TIER_BITS: Final = 3

# 10 decimals at most in the size of a market: 10**(10 + 2) < 2**48
MAX_SIZE_DECIMALS: Final = 10

# 2**61 - 1 (= 2,305,843,009,213,693,951) units of size: the most that a signed position holds
MAX_SIZE: Final = (1 << 61) - 1

# 2**60 - 1 (= 1,152,921,504,606,846,975) * 1e-8 USD: about 1.15e10 USD
MAX_PRICE: Final = (1 << 60) - 1

# 2**63 - 1 (= 9,223,372,036,854,775,807) * 1e-6 USD: about 9.2e12 USD, either sign
MAX_COLLATERAL: Final = (1 << 63) - 1

# 10**12 (= 1,000,000,000,000): the notional divisor of a market with 10 size decimals
MAX_NOTIONAL_DIVISOR: Final = 10**12

# 2**106 * 1e-6 USD: the largest position at the largest price; 16 of them stay below 2**111
MAX_NOTIONAL: Final = 1 << 106

# 10**9 parts: the scale of premiums and funding rates
BILLION: Final = 1_000_000_000

# 10**18 * 1e-18 (= 1) a second: the variance of a return of 100 % in a second
MAX_VARIANCE: Final = 10**18

# 3,600 * 10**9 * 2**48 (about 1.01e27): 1e-9 an hour, over seconds and parts of a unit of size.
# Times the notional divisor: how many parts of a side's index make 1e-6 USD
INDEX_SCALE: Final = 3_600_000_000_000 << 48

# 3,600 * 10**9: a price in 1e-8 USD, as a funding of as many 1e-17 USD-hours
PRICE_SCALE: Final = 3_600_000_000_000

# 8 hours: what interest and premium are stated over
FUNDING_HOURS: Final = 8

# 3,600 s: the longest time for which one rate counts
MAX_FUNDING_SECONDS: Final = 3_600

# 4 * 10**7 * 1e-9 (= 4 %) an hour: the largest rate that a market may allow
MAX_FUNDING_RATE: Final = 40_000_000

# 256: from here on a feed is what the perpetual of market (feed - 256) costs elsewhere
PERPETUAL_FEED: Final = 256

# What the newest price of a market may be used for.
PRICE_CONFIRMED: Final = 0  # everything, while it is fresh
PRICE_UNCONFIRMED: Final = 1  # nothing, until the next round agrees
PRICE_HALTED: Final = 2  # nothing, until the market resumes

# the outcome of a forced input that was carried out; refusals are `Code`s
DONE: Final = 0

# Why a withdrawal record was written.
REASON_SIGNED: Final = 1  # a signed withdrawal
REASON_FORCED: Final = 2  # a forced withdrawal
REASON_DEPOSIT_REFUSED: Final = 3  # a deposit that could not be credited goes back to its owner

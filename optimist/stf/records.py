"""The records of the state (`docs/PROTOCOL.md` §2). One field is one word; an all-zero record is absent.

Money is in 1e-6 USD (the unit of the token on L1), prices in 1e-8 USD per 1.0 of size, sizes in
10^-(size decimals), fractions in parts per million, time in seconds.
"""

from typing import Annotated

from optimist.provable import Range, b32, i64, record, u8, u16, u32, u40, u60, u62, u64, u96, u160

Ppm = Annotated[int, Range(0, 1_000_000)]
SignedPpm = Annotated[int, Range(-1_000_000, 1_000_000)]  # negative: a rebate
Flag = Annotated[int, Range(0, 1)]
MarketId = Annotated[int, Range(0, 255)]
MarketPlusOne = Annotated[int, Range(0, 256)]  # 0: none
Billionths = Annotated[int, Range(-1_000_000_000, 1_000_000_000)]
HourlyRate = Annotated[int, Range(-40_000_000, 40_000_000)]  # 1e-9
PriceStatus = Annotated[int, Range(0, 2)]
FeeTierId = Annotated[int, Range(0, 7)]
Rights = Annotated[int, Range(0, 3)]
SignerCount = Annotated[int, Range(0, 7)]
NotionalDivisor = Annotated[int, Range(0, 1_000_000_000_000)]
PositionBound = Annotated[int, Range(0, 2**61 - 1)]
InputOffset = Annotated[int, Range(0, 1_023)]  # of a byte in an input
BodyOffset = Annotated[int, Range(0, 255)]  # where a body begins, behind envelope and kind
PositionShares = Annotated[int, Range(-(2**85), 2**85)]  # MAX_SIZE * ONE / MIN_MULTIPLIER, either side
SideShares = Annotated[int, Range(0, 2**88 - 1)]  # of all positions of a side
Multiplier = Annotated[int, Range(0, 2**48)]  # ONE at most
WholeParts = Annotated[int, Range(-(2**109), 2**109)]  # MAX_SIZE * ONE, either side
Parts = Annotated[int, Range(-(2**110), 2**110)]  # 2^-48 units of size, rounded to shares; positive: long
SideIndex = Annotated[int, Range(-(2**168), 2**168)]
IndexChange = Annotated[int, Range(-(2**102), 2**102)]  # 1e-17 USD-hours: an hour's funding, or a whole price
Owed = Annotated[int, Range(-(2**254), 2**254)]
Unit = Annotated[int, Range(1, 2**130)]  # INDEX_SCALE * a notional divisor
Remainder = Annotated[int, Range(-(2**240), 2**240)]
Epoch = Annotated[int, Range(0, 2**24 - 1)]
SideRow = Annotated[int, Range(0, 511)]  # market << 1 | 1 if short
GroupId = Annotated[int, Range(0, 15)]
AccountId = Annotated[int, Range(0, 2**36 - 1)]  # what a row has room for, beside four bits for a slot


@record(table=1)
class System:
    """Row 0. What the law remembers about itself."""

    domain: b32  # EIP-712 domain separator, fixed by INIT
    clock: u40  # second at which the law stands; never runs backwards
    last_sequenced: u40  # second of the last accepted sequenced input
    batch: u64
    next_withdrawal: u40  # row of the next Withdrawal, from 1
    next_forced: u40  # row of the next ForcedOutcome, from 1
    mode: u8  # of the current batch: 0 sequencer, 1 public


@record(table=2)
class BatchLimit:
    """Row 0. Kept apart from System: the sequencer knows it only when it seals the batch."""

    last: u40  # last second that a sequenced input of this batch may name


@record(table=3)
class Parameters:
    """Row 0. Fixed by INIT."""

    quorum: SignerCount
    signers: SignerCount
    markets: u8
    future_tolerance: u32  # seconds that a publish time may lie ahead of the clock
    trade_heartbeat: u32  # oldest price, in seconds, that may open a position or let money out
    liquidation_heartbeat: u32  # oldest price, in seconds, that may liquidate
    liquidation_buffer_ppm: Ppm  # a liquidation restores maintenance margin * (1 + buffer)
    initialised: Flag


@record(table=4)
class Market:
    """Row = market. Fixed by INIT; `lot` is 0 where there is no market."""

    notional_divisor: NotionalDivisor  # 10^(size decimals + 2): size * price / divisor is 1e-6 USD
    lot: PositionBound  # every fill is a multiple of it
    initial_margin_ppm: Ppm  # of the first tier, as the next
    maintenance_margin_ppm: Ppm
    liquidation_penalty_ppm: Ppm
    max_position: PositionBound  # of one account, either side


@record(table=5)
class Price:
    """Row = market: its index. Row = PERPETUAL_FEED + market: what the perpetual costs elsewhere.

    `price` is 0 until the first one arrives.
    """

    price: u60  # of the newest round
    publish_time: u40
    confirmed: u60  # of the newest round that was CONFIRMED
    status: PriceStatus
    halted_at: u40  # second at which the market was halted last
    mark: u60  # of an index: what positions are valued at since the newest confirmed round (`mark.py`)


@record(table=6)
class OracleSigner:
    """Row = signer index."""

    signer: u160


@record(table=7)
class Account:
    """Row = account. `owner` is 0 until the first deposit."""

    owner: u160
    collateral: i64  # what the account paid in, less what its positions cost: no entry price is kept
    nonce: u64  # last one used by what only the owner may sign: withdrawals, transfers, session keys
    order_floor: u64  # orders with a nonce below it are dead, in every slot
    fee_tier: FeeTierId


@record(table=8)
class Position:
    """Row = account << 4 | slot. A slot is empty or holds one market; no account holds a market twice."""

    market_plus_one: MarketPlusOne
    shares: PositionShares  # of its side; positive: long
    index: SideIndex  # up to which the side has paid it
    epoch: Epoch  # of its side; once the side's is another one, nothing is left but what it is still paid


@record(table=9)
class Withdrawal:
    """Row = a counter from 1, never changed or reused. The Vault pays it against any confirmed root, once."""

    recipient: u160
    amount: u64
    account: u40
    reason: u8


@record(table=10)
class OrderSlot:
    """Row = account << 4 | slot. How much of the orders signed with `nonce` has been filled."""

    nonce: u64
    filled: u62


@record(table=11)
class ForcedOutcome:
    """Row = a counter from 1. What became of a forced input: code 0 is done."""

    code: u16
    account: u40
    sender: u160
    amount: u64


@record(table=12)
class PriceRule:
    """Row = market. Fixed by INIT. When a new price is believed at once (`oracle.py`)."""

    step_ppm: Ppm  # a larger move between two rounds must be confirmed by the next one
    halt_ppm: Ppm  # a larger move from the last confirmed price halts the market
    halt_seconds: u32  # for this long at least
    gap_seconds: u32  # after a longer silence the first round must be confirmed as well


@record(table=13)
class Funding:
    """Row = market (`funding.py`)."""

    accrued_at: u40  # second up to which the sides have been paid; 0 before the first price
    rate: HourlyRate  # in force since then; positive: longs pay
    fill_premium: Billionths  # time-weighted average
    last_premium: Billionths  # of the last fill
    averaged_at: u40
    remainder: Remainder  # what rounding has left of payments to and from the sides, in parts of 1e-6 USD


@record(table=14)
class FundingRule:
    """Row = market. Fixed by INIT; all in 1e-9 but the time."""

    interest: Billionths  # over eight hours, where the premium is small
    damper: Billionths  # how far a premium may differ from interest and not count
    max_rate: HourlyRate  # an hour, either way
    max_premium: Billionths  # of one fill, and of the perpetual elsewhere
    smoothing_seconds: u32  # over which the premium of fills is averaged


@record(table=15)
class Group:
    """Row = risk group. What its accounts share, and no other group's accounts."""

    fund: i64  # the insurance fund, fees included; below 0: a loss that nobody has carried yet
    money: u96  # what was paid in and not paid out again: what the Vault holds for this group
    held_until: u40  # second before which no money leaves: losses of a closed market are being settled


@record(table=16)
class Side:
    """Row = market << 1 | 1 if short. All long, or all short, positions of a market (`sides.py`)."""

    shares: SideShares
    multiplier: Multiplier  # what a share is worth, in 2^-48 units of size
    index: SideIndex  # what a share has been paid since the beginning, in parts of 1e-6 USD
    epoch: Epoch  # how often the whole side has been deleveraged


@record(table=17)
class SideEnd:
    """Row = (market << 1 | 1 if short) << 24 | epoch. Where the index of a side stood when an epoch ended."""

    index: SideIndex


@record(table=18)
class Listing:
    """Row = market. Where it is traded: only accounts of the group may hold it."""

    group: GroupId


@record(table=19)
class WindDown:
    """Row 0. Fixed by INIT. When a market counts as dead (`wind_down.py`)."""

    silence: u32  # seconds without a sequenced input, or without a price of the market
    window: u32  # seconds from announcing to closing, and from closing until money leaves


@record(table=20)
class Closing:
    """Row = market. When its closing was announced; void once the market has come back to life."""

    announced_at: u40


@record(table=21)
class SessionKey:
    """Row = account << 4 | index, index from 1 (`session.py`). Never good for money."""

    key: u160
    expiry: u40  # last second at which it counts
    rights: Rights  # RIGHT_TRADE | RIGHT_CANCEL


@record(table=22)
class FeeTier:
    """Row = market << 3 | tier (`fees.py`). Tier 0 is INIT's; one that is not listed counts as tier 0."""

    is_listed: Flag
    maker_ppm: SignedPpm  # negative: a rebate, paid out of the taker's fee
    taker_ppm: Ppm


@record(table=23)
class FeeManager:
    """Row 0. Who may list cheaper tiers and say which account is in which."""

    manager: u160  # fixed by INIT; 0: nobody
    nonce: u64  # last one used


@record(table=26)
class MarginTier:
    """Row = market << 3 | tier, from 1 to 3: tier 0 is the Market. Zeros where there is none."""

    from_notional: u64  # of a position, 1e-6 USD; what lies beyond is asked these fractions (`tiers.py`)
    initial_margin_ppm: Ppm
    maintenance_margin_ppm: Ppm


@record(table=27)
class RiskRule:
    """Row = market. What a market as a whole may be, and what that asks of its positions."""

    max_open_interest: PositionBound  # a fill that raises open interest beyond it is rejected
    open_interest_lower: u64  # 1e-6 USD; from here on initial margin rises (`tiers.py`)
    open_interest_upper: u64  # 1e-6 USD; here it is 100 %. 0: it does not rise
    mark_cap_ppm: Ppm  # how far the mark price may be from the index
    volatility_multiplier_ppm: u32  # of sigma over the horizon: the least initial margin. 0: there is none
    volatility_horizon: u32  # seconds
    volatility_window: u32  # seconds over which variance is averaged and forgotten (`volatility.py`)
    volatility_sample: u32  # seconds between two samples at least


@record(table=29)
class Volatility:
    """Row = market. Variances are of returns, in 1e-18 a second (`volatility.py`)."""

    sampled_price: u60  # 1e-8 USD; 0 before the first
    sampled_at: u40  # its publish time
    variance: u64  # up to that sample
    peak: u64  # what it has been since, forgotten slowly
    peak_at: u40
    floor_ppm: Ppm  # the least initial fraction


@record(table=30)
class Governance:
    """Row 0. Who may propose the rules of a market, and how long everybody has to leave."""

    governor: u160  # 0: nobody, ever
    timelock: u32  # seconds between a proposal and its enactment, at least
    nonce: u64  # last one used by a proposal


@record(table=31)
class Proposal:
    """Row = market. Its rules stand in the rows PROPOSED + market of their tables."""

    not_before: u40  # second from which on they may be enacted; 0: there is none

"""PRICE: a market's price is the lower median of what a quorum of registered keys has signed.

**The quorum.** n keys are registered and at least a quorum of them, more than n / 2, must sign one publish
time. Prices stand in ascending order, the price is the one at index (count - 1) // 2. So a minority cannot
push the median beyond what an honest key has signed, unless the quorum was chosen around the honest ones:
hence a quorum well above n / 2.

**The step rule.** A round is what one PRICE input says. Its price is CONFIRMED, and only then used for
anything, if it lies within `step_ppm` of the last confirmed price, or of the round before it. So a single
absurd print liquidates nobody, and a real crash is believed one round later. After a silence of more than
`gap_seconds` the first round needs the second one's word as well. A price further than `halt_ppm` from the
last confirmed one halts the market: it resumes with a round that agrees with the one before it,
`halt_seconds` later at the earliest.
"""

from typing import Final

from optimist.provable import (
    b32,
    handler,
    inline,
    input_length,
    input_uint,
    keccak_of,
    keccak_text,
    load,
    peek,
    record,
    require,
    store,
    u8,
    u16,
    u40,
    u60,
    u160,
)
from optimist.stf.codes import Code
from optimist.stf.constants import (
    MAX_PRICE,
    PERPETUAL_FEED,
    PPM,
    PRICE_CONFIRMED,
    PRICE_HALTED,
    PRICE_UNCONFIRMED,
)
from optimist.stf.funding import accrue_funding, update_rate
from optimist.stf.inputs import (
    PRICE_COUNT_AT,
    PRICE_FEED_AT,
    PRICE_LIST_AT,
    PRICE_PUBLISH_TIME_AT,
    SIGNED_PRICE_LENGTH,
    SIGNED_PRICE_PRICE_AT,
    SIGNED_PRICE_SIGNATURE_AT,
    SIGNED_PRICE_SIGNER_AT,
)
from optimist.stf.mark import compute_mark
from optimist.stf.records import (
    BodyOffset,
    InputOffset,
    MarketId,
    OracleSigner,
    Parameters,
    Ppm,
    Price,
    PriceRule,
    PriceStatus,
    RiskRule,
    SignerCount,
    System,
)
from optimist.stf.signatures import recover_at
from optimist.stf.volatility import update_volatility

PRICE_TYPE_HASH: Final = keccak_text("Price(uint16 market,uint64 price,uint40 publishTime)")


@record()
class PriceReport:
    """The EIP-712 struct that a key signs."""

    type_hash: b32
    market: u16
    price: u60
    publish_time: u40


@handler
def apply_price(system: System, at: BodyOffset) -> None:
    """Store a newer price. Rejects anything but a quorum of distinct, sorted, signed prices of one time.

    `at`: where the body begins.
    """
    parameters = peek(Parameters, 0)
    feed = input_uint(at + PRICE_FEED_AT, 2)
    market_id: u16 = feed
    if feed >= PERPETUAL_FEED:
        market_id = feed - PERPETUAL_FEED
    publish_time = input_uint(at + PRICE_PUBLISH_TIME_AT, 5)
    count = input_uint(at + PRICE_COUNT_AT, 1)
    require(parameters.quorum <= count <= parameters.signers, Code.NO_QUORUM)
    require(input_length() == at + PRICE_LIST_AT + count * SIGNED_PRICE_LENGTH, Code.MALFORMED)
    require(market_id < parameters.markets, Code.UNKNOWN_MARKET)
    price = load(Price, feed)
    require(publish_time > price.publish_time, Code.PRICE_NOT_NEWER)
    require(publish_time <= system.clock + parameters.future_tolerance, Code.PRICE_FROM_FUTURE)

    median = read_median(system, feed, publish_time, count, at + PRICE_LIST_AT)
    if feed < PERPETUAL_FEED:
        accrue_funding(market_id, price.confirmed, system.clock)
    before = price.status
    price.status = judge_price(price, median, publish_time, system.clock, market_id)
    if price.status == PRICE_CONFIRMED:
        price.confirmed = median
    elif price.status == PRICE_HALTED and before != PRICE_HALTED:
        price.halted_at = system.clock
    price.price = median
    price.publish_time = publish_time
    if feed < PERPETUAL_FEED:
        premium = update_rate(market_id, price, system.clock)
        if price.status == PRICE_CONFIRMED:
            update_volatility(market_id, median, publish_time)
            price.mark = compute_mark(median, premium, peek(RiskRule, market_id).mark_cap_ppm)
    store(feed, price)


def read_median(system: System, feed: u16, publish_time: u40, count: SignerCount, at: InputOffset) -> u60:
    """Check all signed prices from `at` on and return the lower median, 1e-8 USD."""
    signers = peek(Parameters, 0).signers
    report = PriceReport(type_hash=PRICE_TYPE_HASH, market=feed, price=0, publish_time=publish_time)
    seen: u8 = 0  # one bit a signer
    previous: u60 = 0
    median: u60 = 0
    for i in range(count):
        offset = at + i * SIGNED_PRICE_LENGTH
        index = input_uint(offset + SIGNED_PRICE_SIGNER_AT, 1)
        require(index < signers, Code.UNKNOWN_SIGNER)
        require(seen >> index & 1 == 0, Code.REPEATED_SIGNER)
        seen = seen | 1 << index
        price = input_uint(offset + SIGNED_PRICE_PRICE_AT, 8)
        require(0 < price <= MAX_PRICE, Code.PRICE_BOUND)
        require(price >= previous, Code.PRICES_NOT_ASCENDING)
        previous = price
        if i == (count - 1) // 2:
            median = price
        report.price = price
        check_price_signature(
            report, offset + SIGNED_PRICE_SIGNATURE_AT, peek(OracleSigner, index).signer, system.domain
        )
    return median


def judge_price(last: Price, price: u60, publish_time: u40, clock: u40, market_id: MarketId) -> PriceStatus:
    """What a new round's `price` may be used for, after the rounds that `last` remembers."""
    if last.price == 0:
        return PRICE_CONFIRMED
    rule = peek(PriceRule, market_id)
    is_far = not is_within(price, last.confirmed, rule.halt_ppm)
    is_continuous = publish_time <= last.publish_time + rule.gap_seconds
    agrees = is_continuous and is_within(price, last.price, rule.step_ppm)
    if last.status == PRICE_HALTED:
        return PRICE_CONFIRMED if agrees and clock >= last.halted_at + rule.halt_seconds else PRICE_HALTED
    if is_far:
        return PRICE_HALTED
    if last.status == PRICE_UNCONFIRMED and agrees:
        return PRICE_CONFIRMED
    is_near = is_continuous and is_within(price, last.confirmed, rule.step_ppm)
    return PRICE_CONFIRMED if is_near else PRICE_UNCONFIRMED


@inline
def is_within(price: u60, reference: u60, step_ppm: Ppm) -> bool:
    """True if |price - reference| / reference <= step, exactly."""
    return abs(price - reference) * PPM <= reference * step_ppm


def check_price_signature(report: PriceReport, at: u16, key: u160, domain: b32) -> None:
    """Reject a report whose signature, which begins at `at`, is not that of `key` (never 0, see INIT)."""
    signer = recover_at(domain, keccak_of(report), at)
    require(signer == key, Code.PRICE_SIGNATURE)

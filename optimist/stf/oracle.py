"""PRICE: a market's price is the lower median of what a quorum of registered keys has signed.

n keys are registered and at least a quorum of them, more than n / 2, must sign one publish time. Prices stand
in ascending order, the price is the one at index (count - 1) // 2. So a minority cannot push the median
beyond what an honest key has signed, unless the quorum was chosen around the honest ones: hence a quorum well
above n / 2.
"""

from typing import Final

from optimist.provable import (
    b32,
    eip712_digest,
    handler,
    input_b32,
    input_length,
    input_uint,
    keccak_of,
    keccak_text,
    peek,
    record,
    recover_signer,
    require,
    store,
    u8,
    u16,
    u40,
    u60,
    u160,
)
from optimist.stf.codes import Code
from optimist.stf.constants import MAX_PRICE
from optimist.stf.inputs import (
    PRICE_COUNT_AT,
    PRICE_LIST_AT,
    PRICE_MARKET_AT,
    PRICE_PUBLISH_TIME_AT,
    SIGNED_PRICE_LENGTH,
    SIGNED_PRICE_PRICE_AT,
    SIGNED_PRICE_R_AT,
    SIGNED_PRICE_S_AT,
    SIGNED_PRICE_SIGNER_AT,
    SIGNED_PRICE_V_AT,
)
from optimist.stf.records import OracleSigner, Parameters, Price, System

PRICE_TYPE_HASH: Final = keccak_text("Price(uint16 market,uint64 price,uint40 publishTime)")


@record()
class PriceReport:
    """The EIP-712 struct that a key signs."""

    type_hash: b32
    market: u16
    price: u60
    publish_time: u40


@handler
def apply_price(system: System) -> None:
    """Store a newer price. Rejects anything but a quorum of distinct, sorted, signed prices of one time."""
    parameters = peek(Parameters, 0)
    market_id = input_uint(PRICE_MARKET_AT, 2)
    publish_time = input_uint(PRICE_PUBLISH_TIME_AT, 5)
    count = input_uint(PRICE_COUNT_AT, 1)
    require(parameters.quorum <= count <= parameters.signers, Code.NO_QUORUM)
    require(input_length() == PRICE_LIST_AT + count * SIGNED_PRICE_LENGTH, Code.MALFORMED)
    require(market_id < parameters.markets, Code.UNKNOWN_MARKET)
    require(publish_time > peek(Price, market_id).publish_time, Code.PRICE_NOT_NEWER)
    require(publish_time <= system.clock + parameters.future_tolerance, Code.PRICE_FROM_FUTURE)

    report = PriceReport(type_hash=PRICE_TYPE_HASH, market=market_id, price=0, publish_time=publish_time)
    seen: u8 = 0  # one bit a signer
    previous: u60 = 0
    median: u60 = 0
    for i in range(count):
        offset = PRICE_LIST_AT + i * SIGNED_PRICE_LENGTH
        index = input_uint(offset + SIGNED_PRICE_SIGNER_AT, 1)
        require(index < parameters.signers, Code.UNKNOWN_SIGNER)
        require(seen >> index & 1 == 0, Code.REPEATED_SIGNER)
        seen = seen | 1 << index
        price = input_uint(offset + SIGNED_PRICE_PRICE_AT, 8)
        require(0 < price <= MAX_PRICE, Code.PRICE_BOUND)
        require(price >= previous, Code.PRICES_NOT_ASCENDING)
        previous = price
        if i == (count - 1) // 2:
            median = price
        report.price = price
        check_price_signature(report, offset, peek(OracleSigner, index).signer, system.domain)
    store(market_id, Price(price=median, publish_time=publish_time))


def check_price_signature(report: PriceReport, offset: u16, key: u160, domain: b32) -> None:
    """Reject a report that `key` (never 0, see INIT) has not signed."""
    signer = recover_signer(
        eip712_digest(domain, keccak_of(report)),
        input_uint(offset + SIGNED_PRICE_V_AT, 1),
        input_b32(offset + SIGNED_PRICE_R_AT),
        input_b32(offset + SIGNED_PRICE_S_AT),
    )
    require(signer == key, Code.PRICE_SIGNATURE)

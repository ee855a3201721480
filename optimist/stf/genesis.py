"""INIT: the single input of batch 1. All that can be chosen about a rollup is chosen, and checked, here.

A rejected INIT leaves a rollup that refuses every later input: whoever deploys one runs this first. The rules
make the rest of the law safe: markets whose notional cannot overflow a sum, fees that never keep an account
from reducing before it can be liquidated, keys among which nobody signs twice.
"""

from typing import Final

from optimist.provable import (
    b32,
    handler,
    input_length,
    input_uint,
    keccak_of,
    keccak_text,
    peek,
    record,
    require,
    store,
    u8,
    u16,
    u64,
    u160,
)
from optimist.stf.codes import Code
from optimist.stf.constants import (
    BACKSTOP,
    BILLION,
    MAX_FUNDING_RATE,
    MAX_MARKETS,
    MAX_NOTIONAL,
    MAX_NOTIONAL_DIVISOR,
    MAX_PRICE,
    MAX_SIGNERS,
    MAX_SIZE,
    MAX_SIZE_DECIMALS,
    PPM,
)
from optimist.stf.inputs import (
    INIT_BACKSTOP_OWNER_AT,
    INIT_CHAIN_ID_AT,
    INIT_FUTURE_TOLERANCE_AT,
    INIT_LIQUIDATION_BUFFER_AT,
    INIT_LIQUIDATION_HEARTBEAT_AT,
    INIT_LISTS_AT,
    INIT_MARKET_LENGTH,
    INIT_MARKETS_AT,
    INIT_QUORUM_AT,
    INIT_SECOND_AT,
    INIT_SIGNER_LENGTH,
    INIT_SIGNERS_AT,
    INIT_TRADE_HEARTBEAT_AT,
    INIT_VAULT_AT,
    MARKET_DAMPER_AT,
    MARKET_GAP_SECONDS_AT,
    MARKET_HALT_AT,
    MARKET_HALT_SECONDS_AT,
    MARKET_INITIAL_MARGIN_AT,
    MARKET_INTEREST_AT,
    MARKET_LIQUIDATION_PENALTY_AT,
    MARKET_LOT_AT,
    MARKET_MAINTENANCE_MARGIN_AT,
    MARKET_MAKER_FEE_AT,
    MARKET_MAX_POSITION_AT,
    MARKET_MAX_PREMIUM_AT,
    MARKET_MAX_RATE_AT,
    MARKET_SIZE_DECIMALS_AT,
    MARKET_SMOOTHING_AT,
    MARKET_STEP_AT,
    MARKET_TAKER_FEE_AT,
    MODE_SEQUENCER,
)
from optimist.stf.records import (
    Account,
    BatchLimit,
    FundingRule,
    Market,
    NotionalDivisor,
    OracleSigner,
    Parameters,
    PriceRule,
    SignerCount,
    System,
)

DOMAIN_TYPE_HASH: Final = keccak_text(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
DOMAIN_NAME_HASH: Final = keccak_text("Optimist")
DOMAIN_VERSION_HASH: Final = keccak_text("1")


@record()
class Domain:
    """The EIP-712 domain: no signature for this rollup is valid for another one."""

    type_hash: b32
    name_hash: b32
    version_hash: b32
    chain_id: u64
    vault: u160


@handler
def apply_init(system: System) -> None:
    """Write the first state."""
    require(peek(Parameters, 0).initialised == 0, Code.ALREADY_INITIALISED)
    signers = input_uint(INIT_SIGNERS_AT, 1)
    markets = input_uint(INIT_MARKETS_AT, 1)
    quorum = input_uint(INIT_QUORUM_AT, 1)
    require(signers <= MAX_SIGNERS, Code.BAD_SIGNERS)
    require(quorum <= signers < 2 * quorum, Code.BAD_SIGNERS)
    require(1 <= markets <= MAX_MARKETS, Code.BAD_MARKETS)
    markets_at = INIT_LISTS_AT + signers * INIT_SIGNER_LENGTH
    require(input_length() == markets_at + markets * INIT_MARKET_LENGTH, Code.MALFORMED)
    set_parameters(quorum, signers, markets)
    set_backstop()
    for i in range(signers):
        set_signer(i)
    for i in range(markets):
        set_market(i, markets_at + i * INIT_MARKET_LENGTH)
        set_price_rule(i, markets_at + i * INIT_MARKET_LENGTH)
        set_funding_rule(i, markets_at + i * INIT_MARKET_LENGTH)
    set_system(system)


def set_parameters(quorum: SignerCount, signers: SignerCount, markets: u8) -> None:
    """Heartbeats and tolerances are free; the buffer is at most 100 %."""
    buffer_ppm = input_uint(INIT_LIQUIDATION_BUFFER_AT, 4)
    require(buffer_ppm <= PPM, Code.BAD_FEE)
    parameters = Parameters(
        quorum=quorum,
        signers=signers,
        markets=markets,
        future_tolerance=input_uint(INIT_FUTURE_TOLERANCE_AT, 4),
        trade_heartbeat=input_uint(INIT_TRADE_HEARTBEAT_AT, 4),
        liquidation_heartbeat=input_uint(INIT_LIQUIDATION_HEARTBEAT_AT, 4),
        liquidation_buffer_ppm=buffer_ppm,
        initialised=1,
    )
    store(0, parameters)


def set_backstop() -> None:
    """Account 0 has an owner from the start and no money: deposits bring it."""
    owner = input_uint(INIT_BACKSTOP_OWNER_AT, 20)
    require(owner != 0, Code.BAD_OWNER)
    store(BACKSTOP, Account(owner=owner, collateral=0, nonce=0))


def set_signer(index: u8) -> None:
    """A key is not 0 (which is what an invalid signature recovers to) and stands in the list once."""
    signer = input_uint(INIT_LISTS_AT + index * INIT_SIGNER_LENGTH, 20)
    require(signer != 0, Code.BAD_SIGNERS)
    for earlier in range(index):
        require(peek(OracleSigner, earlier).signer != signer, Code.BAD_SIGNERS)
    store(index, OracleSigner(signer=signer))


def set_market(market_id: u8, offset: u16) -> None:
    """0 < maintenance <= initial <= 100 %; fees and penalty at most the maintenance margin.

    The last means that whoever cannot be liquidated yet can always reduce at the last price, in spite of the
    fee: TV falls by at most mmf * N and MMR by just that, which cannot lower TV / MMR while it is 1 or more.
    """
    decimals = input_uint(offset + MARKET_SIZE_DECIMALS_AT, 1)
    lot = input_uint(offset + MARKET_LOT_AT, 8)
    initial = input_uint(offset + MARKET_INITIAL_MARGIN_AT, 4)
    maintenance = input_uint(offset + MARKET_MAINTENANCE_MARGIN_AT, 4)
    maker_fee = input_uint(offset + MARKET_MAKER_FEE_AT, 4)
    taker_fee = input_uint(offset + MARKET_TAKER_FEE_AT, 4)
    penalty = input_uint(offset + MARKET_LIQUIDATION_PENALTY_AT, 4)
    max_position = input_uint(offset + MARKET_MAX_POSITION_AT, 8)
    require(decimals <= MAX_SIZE_DECIMALS and max_position <= MAX_SIZE, Code.BAD_MARKETS)
    require(0 < lot <= max_position, Code.BAD_MARKETS)
    divisor = compute_divisor(decimals)
    require(max_position * MAX_PRICE < MAX_NOTIONAL * divisor, Code.BAD_MARKETS)
    require(initial <= PPM and 0 < maintenance <= initial, Code.BAD_MARGIN)
    require(maker_fee <= maintenance and taker_fee <= maintenance and penalty <= maintenance, Code.BAD_FEE)
    market = Market(
        notional_divisor=divisor,
        lot=lot,
        initial_margin_ppm=initial,
        maintenance_margin_ppm=maintenance,
        maker_fee_ppm=maker_fee,
        taker_fee_ppm=taker_fee,
        liquidation_penalty_ppm=penalty,
        max_position=max_position,
    )
    store(market_id, market)


def set_price_rule(market_id: u8, offset: u16) -> None:
    """0 < step <= halt <= 100 %: at 100 % a price may fall to anything, and double, without a halt."""
    step = input_uint(offset + MARKET_STEP_AT, 4)
    halt = input_uint(offset + MARKET_HALT_AT, 4)
    gap_seconds = input_uint(offset + MARKET_GAP_SECONDS_AT, 4)
    require(halt <= PPM and 0 < step <= halt, Code.BAD_PRICE_RULE)
    require(gap_seconds > 0, Code.BAD_PRICE_RULE)
    rule = PriceRule(
        step_ppm=step,
        halt_ppm=halt,
        halt_seconds=input_uint(offset + MARKET_HALT_SECONDS_AT, 4),
        gap_seconds=gap_seconds,
    )
    store(market_id, rule)


def set_funding_rule(market_id: u8, offset: u16) -> None:
    """Rates at most 4 % an hour, fractions at most 100 %."""
    interest = input_uint(offset + MARKET_INTEREST_AT, 4)
    damper = input_uint(offset + MARKET_DAMPER_AT, 4)
    max_rate = input_uint(offset + MARKET_MAX_RATE_AT, 4)
    max_premium = input_uint(offset + MARKET_MAX_PREMIUM_AT, 4)
    smoothing_seconds = input_uint(offset + MARKET_SMOOTHING_AT, 4)
    require(interest <= BILLION and damper <= BILLION, Code.BAD_FUNDING_RULE)
    require(max_rate <= MAX_FUNDING_RATE and max_premium <= BILLION, Code.BAD_FUNDING_RULE)
    require(smoothing_seconds > 0, Code.BAD_FUNDING_RULE)
    rule = FundingRule(
        interest=interest,
        damper=damper,
        max_rate=max_rate,
        max_premium=max_premium,
        smoothing_seconds=smoothing_seconds,
    )
    store(market_id, rule)


def compute_divisor(size_decimals: u8) -> NotionalDivisor:
    """10^(size decimals + 2), which turns 10^-(size decimals) * 1e-8 USD into 1e-6 USD."""
    divisor: NotionalDivisor = 100
    for _ in range(min(size_decimals, MAX_SIZE_DECIMALS)):
        divisor = min(10 * divisor, MAX_NOTIONAL_DIVISOR)
    return divisor


def set_system(system: System) -> None:
    """Clock, counters and the domain that every signature names."""
    domain = Domain(
        type_hash=DOMAIN_TYPE_HASH,
        name_hash=DOMAIN_NAME_HASH,
        version_hash=DOMAIN_VERSION_HASH,
        chain_id=input_uint(INIT_CHAIN_ID_AT, 8),
        vault=input_uint(INIT_VAULT_AT, 20),
    )
    second = input_uint(INIT_SECOND_AT, 5)
    system.domain = keccak_of(domain)
    system.clock = second
    system.last_sequenced = second
    system.batch = 1
    system.next_withdrawal = 1
    system.next_forced = 1
    system.insurance = 0
    system.mode = MODE_SEQUENCER
    store(0, BatchLimit(last=second))

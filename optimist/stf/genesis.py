"""INIT: the single input of batch 1. All that can be chosen about a rollup is chosen, and checked, here.

A rejected INIT leaves a rollup that refuses every later input: whoever deploys one runs this first. What a
market must be like stands in `markets.py`.
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
    u64,
    u160,
)
from optimist.stf.codes import Code
from optimist.stf.constants import (
    BACKSTOP,
    MAX_MARKETS,
    MAX_SIGNERS,
    PPM,
)
from optimist.stf.inputs import (
    INIT_BACKSTOP_OWNER_AT,
    INIT_CHAIN_ID_AT,
    INIT_FEE_MANAGER_AT,
    INIT_FUTURE_TOLERANCE_AT,
    INIT_GOVERNOR_AT,
    INIT_LIQUIDATION_BUFFER_AT,
    INIT_LIQUIDATION_HEARTBEAT_AT,
    INIT_LISTS_AT,
    INIT_MARKET_LENGTH,
    INIT_MARKETS_AT,
    INIT_QUORUM_AT,
    INIT_SECOND_AT,
    INIT_SIGNER_LENGTH,
    INIT_SIGNERS_AT,
    INIT_SILENCE_AT,
    INIT_TIMELOCK_AT,
    INIT_TRADE_HEARTBEAT_AT,
    INIT_VAULT_AT,
    INIT_WINDOW_AT,
    MODE_SEQUENCER,
)
from optimist.stf.markets import open_market, set_market_rules
from optimist.stf.records import (
    Account,
    BatchLimit,
    FeeManager,
    Governance,
    OracleSigner,
    Parameters,
    SignerCount,
    System,
    WindDown,
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
    store(0, FeeManager(manager=input_uint(INIT_FEE_MANAGER_AT, 20), nonce=0))
    for i in range(signers):
        set_signer(i)
    for i in range(markets):
        set_market_rules(i, markets_at + i * INIT_MARKET_LENGTH)
        open_market(i)
    set_governance()
    set_wind_down()
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
    store(BACKSTOP, Account(owner=owner, collateral=0, nonce=0, order_floor=0, fee_tier=0))


def set_governance() -> None:
    """Nobody, or somebody whose proposals wait. How long is for users to judge: it is in INIT."""
    governor = input_uint(INIT_GOVERNOR_AT, 20)
    timelock = input_uint(INIT_TIMELOCK_AT, 4)
    require(governor == 0 or timelock > 0, Code.BAD_TIMELOCK)
    store(0, Governance(governor=governor, timelock=timelock, nonce=0))


def set_wind_down() -> None:
    """How long a silence kills a market, and how long everyone then has, is for users to judge."""
    silence = input_uint(INIT_SILENCE_AT, 4)
    window = input_uint(INIT_WINDOW_AT, 4)
    require(silence > 0 and window > 0, Code.BAD_WIND_DOWN)
    store(0, WindDown(silence=silence, window=window))


def set_signer(index: u8) -> None:
    """A key is not 0 (which is what an invalid signature recovers to) and stands in the list once."""
    signer = input_uint(INIT_LISTS_AT + index * INIT_SIGNER_LENGTH, 20)
    require(signer != 0, Code.BAD_SIGNERS)
    for earlier in range(index):
        require(peek(OracleSigner, earlier).signer != signer, Code.BAD_SIGNERS)
    store(index, OracleSigner(signer=signer))


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
    system.mode = MODE_SEQUENCER
    store(0, BatchLimit(last=second))

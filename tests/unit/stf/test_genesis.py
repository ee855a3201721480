"""INIT: what it writes, and every parameter that it refuses."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from optimist.provable import State
from optimist.stf.codes import Code
from optimist.stf.law import get_law
from optimist.stf.records import BatchLimit, FeeManager, FeeTier, OracleSigner
from tests.support.world import BTC, ETH, START, VAULT, World, address, build_init


def code_of(**changes: Any) -> int:
    return State().apply(get_law("minimal"), build_init(**changes).encode()).code


def test_init_writes_every_parameter() -> None:
    world = World()
    parameters = world.parameters
    assert (parameters.quorum, parameters.signers, parameters.markets) == (3, 5, 2)
    assert (parameters.future_tolerance, parameters.trade_heartbeat) == (60, 10)
    assert (parameters.liquidation_heartbeat, parameters.liquidation_buffer_ppm) == (30, 150_000)
    assert [world.record(OracleSigner, i).signer for i in range(6)] == [
        *(int.from_bytes(address(f"oracle {i}"), "big") for i in range(5)),
        0,
    ]
    market = world.market(0)
    assert market.notional_divisor == 10**10
    assert (market.lot, market.max_position) == (BTC.lot, BTC.max_position)
    assert (market.initial_margin_ppm, market.maintenance_margin_ppm) == (50_000, 30_000)
    assert market.liquidation_penalty_ppm == 10_000
    fees = world.record(FeeTier, 0)
    assert (fees.is_listed, fees.maker_ppm, fees.taker_ppm) == (1, 200, 500)
    assert world.record(FeeManager, 0).manager == int.from_bytes(address("fee manager"), "big")
    assert world.market(1).notional_divisor == 10**8
    assert world.account(0).owner == int.from_bytes(address("backstop"), "big")


def test_init_starts_clock_and_counters() -> None:
    state = State()
    assert state.apply(get_law("minimal"), build_init().encode()).code == 0
    world = World()
    world.state = state
    system = world.system
    assert (system.clock, system.last_sequenced, system.batch) == (START, START, 1)
    assert (system.next_withdrawal, system.next_forced, system.mode) == (1, 1, 0)
    assert world.record(BatchLimit, 0).last == START


def test_domain_is_that_of_the_vault_and_the_chain() -> None:
    kind = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    expected = keccak(
        encode(
            ["bytes32", "bytes32", "bytes32", "uint256", "address"],
            [kind, keccak(text="Optimist"), keccak(text="1"), 31_337, VAULT],
        )
    )
    assert World().system.domain == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"quorum": 0, "signers": ()},
        {"quorum": 6},
        {"quorum": 2, "signers": tuple(address(str(i)) for i in range(4))},  # 2 of 4 is no majority
        {"quorum": 8, "signers": tuple(address(str(i)) for i in range(8))},
        {"signers": (address("a"), address("b"), address("a"))},
        {"signers": (address("a"), bytes(20), address("b"))},
    ],
)
def test_unsound_keys_are_refused(changes: dict[str, Any]) -> None:
    assert code_of(**changes) == Code.BAD_SIGNERS


@pytest.mark.parametrize("count", [1, 3, 5, 7])
def test_up_to_seven_keys_are_accepted(count: int) -> None:
    signers = tuple(address(str(i)) for i in range(count))
    assert code_of(quorum=count // 2 + 1, signers=signers) == 0
    assert code_of(quorum=count, signers=signers) == 0


@pytest.mark.parametrize("markets", [(), (BTC,) * 17])
def test_number_of_markets_is_bounded(markets: tuple[Any, ...]) -> None:
    assert code_of(markets=markets) == Code.BAD_MARKETS


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"size_decimals": 11}, Code.BAD_MARKETS),
        ({"size_decimals": 255}, Code.BAD_MARKETS),
        ({"lot": 0}, Code.BAD_MARKETS),
        ({"lot": BTC.max_position + 1}, Code.BAD_MARKETS),
        ({"max_position": 0}, Code.BAD_MARKETS),
        ({"max_position": 2**61}, Code.BAD_MARKETS),
        ({"size_decimals": 0, "max_position": 2**61 - 1}, Code.BAD_MARKETS),  # notional could pass 2^106
        ({"maintenance_margin_ppm": 0}, Code.BAD_MARGIN),
        ({"maintenance_margin_ppm": 50_001}, Code.BAD_MARGIN),
        ({"initial_margin_ppm": 1_000_001}, Code.BAD_MARGIN),
        ({"maker_fee_ppm": 30_001}, Code.BAD_FEE),
        ({"taker_fee_ppm": 30_001}, Code.BAD_FEE),
        ({"liquidation_penalty_ppm": 30_001}, Code.BAD_FEE),
        ({"step_ppm": 0}, Code.BAD_PRICE_RULE),
        ({"step_ppm": 250_001, "halt_ppm": 250_000}, Code.BAD_PRICE_RULE),
        ({"halt_ppm": 1_000_001}, Code.BAD_PRICE_RULE),
        ({"gap_seconds": 0}, Code.BAD_PRICE_RULE),
        ({"interest": 10**9 + 1}, Code.BAD_FUNDING_RULE),
        ({"damper": 10**9 + 1}, Code.BAD_FUNDING_RULE),
        ({"max_rate": 40_000_001}, Code.BAD_FUNDING_RULE),
        ({"max_premium": 10**9 + 1}, Code.BAD_FUNDING_RULE),
        ({"smoothing_seconds": 0}, Code.BAD_FUNDING_RULE),
        ({"max_open_interest": 0}, Code.BAD_OPEN_INTEREST),
        ({"max_open_interest": 2**61}, Code.BAD_OPEN_INTEREST),
        ({"open_interest_lower": 7, "open_interest_upper": 7}, Code.BAD_OPEN_INTEREST),
        ({"open_interest_lower": 7}, Code.BAD_OPEN_INTEREST),
        ({"mark_cap_ppm": 1_000_001}, Code.BAD_MARK_RULE),
        ({"volatility_multiplier_ppm": 1, "volatility_horizon": 0}, Code.BAD_VOLATILITY_RULE),
        ({"volatility_multiplier_ppm": 1, "volatility_window": 0}, Code.BAD_VOLATILITY_RULE),
        ({"volatility_sample": 86_401}, Code.BAD_VOLATILITY_RULE),
    ],
)
def test_unsound_market_is_refused(changes: dict[str, Any], code: Code) -> None:
    assert code_of(markets=(replace(BTC, **changes),)) == code
    assert code_of(markets=(ETH, replace(BTC, **changes))) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"size_decimals": 10},
        {"size_decimals": 0, "max_position": 10**15},
        {"lot": BTC.max_position},
        {"initial_margin_ppm": 1_000_000, "maintenance_margin_ppm": 1_000_000},
        {"maker_fee_ppm": 30_000, "taker_fee_ppm": 30_000, "liquidation_penalty_ppm": 30_000},
        {"interest": 10**9, "damper": 10**9, "max_rate": 4 * 10**7, "max_premium": 10**9},
        {"interest": 0, "damper": 0, "max_rate": 0, "max_premium": 0, "smoothing_seconds": 1},
        {"step_ppm": 1, "halt_ppm": 1, "halt_seconds": 0, "gap_seconds": 1},
        {"step_ppm": 1_000_000, "halt_ppm": 1_000_000, "halt_seconds": 2**32 - 1, "gap_seconds": 2**32 - 1},
        {"initial_margin_ppm": 30_000},
        {"max_open_interest": 1},
        {"volatility_horizon": 0, "volatility_window": 0, "volatility_sample": 0},
        {"volatility_multiplier_ppm": 2**32 - 1, "volatility_horizon": 2**32 - 1, "volatility_window": 60},
        {"volatility_sample": 86_400, "volatility_multiplier_ppm": 1},
        {"mark_cap_ppm": 0},
        {"mark_cap_ppm": 1_000_000},
        {"open_interest_upper": 1},
        {"open_interest_lower": 2**64 - 2, "open_interest_upper": 2**64 - 1},
    ],
)
def test_market_at_its_bounds_is_accepted(changes: dict[str, Any]) -> None:
    assert code_of(markets=(replace(BTC, **changes),)) == 0


def test_divisor_is_ten_to_the_size_decimals_plus_two() -> None:
    for decimals in range(11):
        world = World(markets=(replace(BTC, size_decimals=decimals, lot=1, max_position=10**14),))
        assert world.market(0).notional_divisor == 10 ** (decimals + 2)


def test_backstop_without_owner_is_refused() -> None:
    assert code_of(backstop_owner=bytes(20)) == Code.BAD_OWNER


def test_buffer_beyond_the_whole_is_refused() -> None:
    assert code_of(liquidation_buffer_ppm=1_000_001) == Code.BAD_FEE
    assert code_of(liquidation_buffer_ppm=1_000_000) == 0


def test_governor_without_a_timelock_is_refused() -> None:
    assert code_of(timelock=0) == Code.BAD_TIMELOCK
    assert code_of(timelock=0, governor=bytes(20)) == 0
    assert code_of(timelock=1) == 0


def test_sixteen_markets_are_accepted() -> None:
    assert code_of(markets=(BTC,) * 16) == 0


def test_wrong_length_is_refused() -> None:
    data = build_init().encode()
    for wrong in (data[:-1], data + b"\0"):
        assert State().apply(get_law("minimal"), wrong).code == Code.MALFORMED


def test_rejected_init_leaves_the_empty_state() -> None:
    state = State()
    state.apply(get_law("minimal"), build_init(signers=(address("a"), address("b"), address("a"))).encode())
    assert dict(state.items()) == {}

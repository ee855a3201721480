"""What the devnet's rollup is about: its two markets, its oracle, its tolerances."""

from collections.abc import Sequence
from typing import Any, Final

from optimist.derive.actions import NOBODY, Init, MarketParameters

BTC = 0  # market numbers
ETH = 1
QUORUM = 5  # of seven: two liars cannot choose the median, whoever submits, and two may be silent

# In ppm. 10 times leverage at most, liquidation at 20 times. Fees and penalty stay below maintenance.
_MARGINS: Final[dict[str, Any]] = {
    "initial_margin_ppm": 100_000,  # (= 10 %)
    "maintenance_margin_ppm": 50_000,  # (= 5 %)
    "maker_fee_ppm": 100,  # (= 0.01 %)
    "taker_fee_ppm": 500,  # (= 0.05 %)
    "liquidation_penalty_ppm": 10_000,  # (= 1 %)
    "volatility_multiplier_ppm": 1_000_000,  # (= 1) sigma over eight hours; a usual day asks 2 %
}

BTC_MARKET = MarketParameters(
    size_decimals=8,
    lot=10_000,  # 1e-8 BTC (= 0.0001 BTC)
    max_position=100_000_000_000,  # 1e-8 BTC (= 1,000 BTC)
    max_open_interest=1_000_000_000_000,  # 1e-8 BTC (= 10,000 BTC)
    **_MARGINS,
)
ETH_MARKET = MarketParameters(
    size_decimals=8,
    lot=100_000,  # 1e-8 ETH (= 0.001 ETH)
    max_position=2_000_000_000_000,  # 1e-8 ETH (= 20,000 ETH)
    max_open_interest=20_000_000_000_000,  # 1e-8 ETH (= 200,000 ETH)
    **_MARGINS,
)


def make_init(
    *,
    chain_id: int,
    vault: bytes,
    second: int,
    backstop_owner: bytes,
    signers: Sequence[bytes],
    governor: bytes = NOBODY,
    timelock: int = 0,
) -> Init:
    """The devnet's INIT input. `second`: the time of the block that seals it, which L1 writes itself.

    `timelock`: seconds between a proposal of the governor's and its enactment.
    """
    return Init(
        chain_id=chain_id,
        vault=vault,
        second=second,
        backstop_owner=backstop_owner,
        quorum=QUORUM,
        future_tolerance=60,  # s, as far as a batch may run ahead of L1
        trade_heartbeat=300,  # s (= 5 * 60)
        liquidation_heartbeat=300,  # s
        liquidation_buffer_ppm=200_000,  # (= 20 %) of maintenance margin: one liquidation lasts a while
        silence=604_800,  # s (= 7 * 86,400)
        window=86_400,  # s (= 24 * 3,600)
        signers=tuple(signers),
        markets=(BTC_MARKET, ETH_MARKET),
        governor=governor,
        timelock=timelock,
    )

"""The keeper: looks at accounts from outside and asks for the liquidation of those that are unhealthy.

Whether it is right is for the law to say: it uses the same formulas (`optimist/stf/margin.py`) on what the
API shows, so that it does not ask in vain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devnet.prices import PPM
from optimist.derive.actions import Liquidate, MarketParameters


@dataclass(frozen=True, slots=True)
class Health:
    """What an account is worth and what it must be worth at least, in 1e-6 USD."""

    value: int
    maintenance: int
    initial: int

    @property
    def is_liquidatable(self) -> bool:
        """Whether the law would liquidate it."""
        return self.value < self.maintenance


def compute_health(
    account: Mapping[str, Any], markets: Sequence[MarketParameters], prices: Sequence[int]
) -> Health:
    """Health of an account as the API describes it, at the mark `prices` (1e-8 USD) of the markets."""
    value, maintenance, initial = int(account["collateral"]), 0, 0
    for position in account["positions"]:
        market = markets[position["market"]]
        worth = int(position["size"]) * prices[position["market"]]
        divisor = 10 ** (market.size_decimals + 2)
        notional = -(-abs(worth) // divisor)
        value += worth // divisor + int(position["funding"])
        maintenance += -(-notional * market.maintenance_margin_ppm // PPM)
        initial += -(-notional * market.initial_margin_ppm // PPM)
    return Health(value, maintenance, initial)


def choose_liquidation(
    account: Mapping[str, Any], markets: Sequence[MarketParameters], prices: Sequence[int]
) -> Liquidate | None:
    """What to ask for: the account's largest position by value, if it is unhealthy at all."""
    if not compute_health(account, markets, prices).is_liquidatable:
        return None
    largest = max(account["positions"], key=lambda each: abs(int(each["size"])) * prices[int(each["market"])])
    return Liquidate(account["account"], largest["market"])

"""The keeper: looks at accounts from outside and asks for the liquidation of those that are unhealthy.

It knows no formula. Whether an account may be liquidated is the sequencer's answer to what-if, which is the
law's own code; which of its markets to name is the keeper's choice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from optimist.derive.actions import Liquidate, MarketParameters

LIQUIDATABLE = ("liquidatable", "close-out", "bankrupt")


def choose_liquidation(
    account: Mapping[str, Any],
    prospect: Mapping[str, Any],
    markets: Sequence[MarketParameters],
    marks: Sequence[int],
) -> Liquidate | None:
    """What to ask for: the account's largest position by value at the `marks`, if it is unhealthy at all.

    `account` and `prospect` as the API tells them.
    """
    if prospect["before"]["state"] not in LIQUIDATABLE:
        return None

    def notional(position: Mapping[str, Any]) -> int:
        market = int(position["market"])
        divisor: int = 10 ** (markets[market].size_decimals + 2)
        return abs(int(position["size"])) * marks[market] // divisor

    held = [position for position in account["positions"] if int(position["size"])]
    return Liquidate(account["account"], max(held, key=notional)["market"]) if held else None

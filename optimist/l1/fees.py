"""What a transaction offers for its gas (EIP-1559). Pure; everything in wei per gas.

Ethereum nodes replace a waiting transaction only by one that offers at least 10 % more, in both fields.
"""

from dataclasses import dataclass
from typing import Final

BUMP_PERCENT: Final = 10
BASE_FEE_HEADROOM: Final = 2  # full blocks raise the base fee by an eighth each: enough for five of them


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """cap: never offer more in total. min_tip: never offer a smaller tip."""

    cap: int
    min_tip: int


@dataclass(frozen=True, slots=True)
class Fees:
    """An offer: at most `max_fee` in total, of which at most `tip` goes to the builder."""

    max_fee: int
    tip: int


def compute_fees(base_fee: int, suggested_tip: int, policy: FeePolicy) -> Fees | None:
    """A first offer; None while the base fee alone is above the cap: wait."""
    if base_fee > policy.cap:
        return None
    tip = max(suggested_tip, policy.min_tip)
    max_fee = min(BASE_FEE_HEADROOM * base_fee + tip, policy.cap)
    return Fees(max_fee, min(tip, max_fee))


def compute_bump(last: Fees, base_fee: int, suggested_tip: int, policy: FeePolicy) -> Fees | None:
    """An offer that replaces `last`; None where the cap forbids it: wait, the last offer stands."""
    tip = max(_raise(last.tip), suggested_tip, policy.min_tip)
    least = _raise(last.max_fee)
    if least > policy.cap:
        return None
    max_fee = min(max(least, BASE_FEE_HEADROOM * base_fee + tip), policy.cap)
    if _raise(last.tip) > max_fee:
        return None
    return Fees(max_fee, min(tip, max_fee))


def _raise(value: int) -> int:
    """At least 10 % more, rounded up; and more than nothing."""
    return max(-(-value * (100 + BUMP_PERCENT) // 100), value + 1)

"""The presets: every parameter of a deployment that is not part of the law's state, in one table.

`minimal` is for tests and the devnet, where nobody waits for a week; `mainnet` is what one would deploy. Each
value stands beside its unit and its reason. `docs/PROTOCOL.md` section 7 is the same table; a test
compares the two.
"""

from dataclasses import dataclass
from typing import Final

DAY: Final = 86_400  # s (= 24 * 60 * 60)
ETHER: Final = 10**18  # wei
GWEI: Final = 10**9  # wei
USD: Final = 10**6  # units of collateral (1e-6 USD)


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Parameters of one deployment. All immutable on L1; the slots are part of the image."""

    name: str

    # --- the law: part of the image root
    position_slots: int  # positions an account can hold at once
    order_slots: int  # orders an account can have partly filled at once

    # --- the game
    k: int = 8  # children of a dissection: 2 * 8 words of a list are the widest that stays below 100 k gas
    h1: int = 5  # heights of level 1: 8**5 = 32,768 inputs in the range of one assertion
    h2: int = 6  # heights of level 2: 8**6 = 262,144 machine steps in one input
    challenge_period: int  # s: T, the clock of each side of a match
    grace: int  # s after the last death of an end in a round before the other can be confirmed
    min_period: int  # s between an assertion and its child, unless the child's range is full
    bond: int  # wei
    gas_price_cap: int = 100 * GWEI  # wei: refunds are computed with at most this

    # --- the canonical inputs
    max_batch: int = 4_096  # inputs in one batch; at most k**h1, or a batch would have no legal end
    max_queue_items: int = 64  # queue items one batch takes; an overdue flood is sealed in several batches
    forced_deadline: int  # s a queue item may wait; then anyone may seal a batch
    max_delay: int  # s a batch may lag behind L1: the L1 outage that one wants to survive
    drift: int = 60  # s a batch may run ahead of L1

    # --- the collateral
    max_deposit: int = 10**7 * USD  # 1e-6 USD (= 10^13)
    max_total: int = 10**9 * USD  # 1e-6 USD (= 10^15); < 2**62, so that no deposit can overflow an account


MINIMAL: Final = Preset(
    name="minimal",
    position_slots=4,
    order_slots=4,
    challenge_period=600,  # (= 10 * 60) a dispute of about twenty moves fits, and a test can warp over it
    grace=10,
    min_period=5,
    bond=1 * ETHER,
    forced_deadline=120,  # (= 2 * 60)
    max_delay=3_600,  # (= 60 * 60)
)

MAINNET: Final = Preset(
    name="mainnet",
    position_slots=16,
    order_slots=16,
    challenge_period=7 * DAY,  # (= 604,800) long enough to outlast censorship that the whole world can see
    grace=1 * DAY,
    min_period=3_600,  # (= 60 * 60)
    bond=2 * ETHER,
    forced_deadline=1 * DAY,
    max_delay=43_200,  # (= 12 * 60 * 60)
)

PRESETS: Final = {preset.name: preset for preset in (MINIMAL, MAINNET)}


def get_preset(name: str) -> Preset:
    """The preset called `name`. Raises ValueError that lists the known ones."""
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; use one of: {', '.join(sorted(PRESETS))}")
    return PRESETS[name]

"""Laws that were patched: which lines of `optimist/stf` a liar replaces.

A patch is text for text, each text exactly once in its module: a patch which the law has outgrown says so
instead of doing nothing. Patched laws compile: their owner can commit to the trace of its own machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Replacement:
    """One text in one module of the law."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A law that gives somebody what is not his."""

    story: str
    replacements: tuple[Replacement, ...]


_TRADE, _LIQUIDATION = "optimist.stf.trade", "optimist.stf.liquidation"
_DEPOSIT, _ORACLE, _WITHDRAWAL = "optimist.stf.deposit", "optimist.stf.oracle", "optimist.stf.withdrawal"

PATCHES: Final[Mapping[str, Patch]] = {
    "skip-margin-check": Patch(
        "a trade leaves an account with less than its initial margin",
        (
            Replacement(
                _TRADE,
                "require(is_allowed(before, after, holdings.size, size), Code.BELOW_INITIAL_MARGIN)",
                "require(is_allowed(before, after, holdings.size, size) or size != 0, "
                "Code.BELOW_INITIAL_MARGIN)",
            ),
        ),
    ),
    "skip-fees": Patch(
        "traders pay no fees",
        (
            Replacement(
                _TRADE,
                "fee = compute_fraction(fill.cost, fee_ppm)",
                "fee = compute_fraction(fill.cost, 0)",
            ),
        ),
    ),
    "liquidate-healthy": Patch(
        "an account with margin enough loses its position",
        (
            Replacement(
                _LIQUIDATION,
                "require(before.value < before.maintenance, Code.NOT_LIQUIDATABLE)",
                "require(before.maintenance > 0, Code.NOT_LIQUIDATABLE)",
            ),
            Replacement(
                _LIQUIDATION,
                "if before.value < 0 or relief <= 0:",
                "if before.value < 0 or relief <= 0 or before.value >= before.maintenance:",
            ),
        ),
    ),
    "wrong-price": Patch(
        "the stored price is a tenth below the median of the signed ones",
        (
            Replacement(
                _ORACLE,
                "store(market_id, Price(price=median, publish_time=publish_time))",
                "store(market_id, Price(price=median - median // 10, publish_time=publish_time))",
            ),
        ),
    ),
    "mint": Patch(
        "every deposit counts twice",
        (
            Replacement(
                _DEPOSIT,
                "account.collateral = total",
                "account.collateral = min(total + amount, MAX_COLLATERAL)",
            ),
        ),
    ),
    "free-withdrawal": Patch(
        "a withdrawal is paid and the collateral stays",
        (
            Replacement(
                _WITHDRAWAL,
                "account.collateral = fit(i64, account.collateral - amount, Code.COLLATERAL_BOUND)",
                "account.collateral = fit(i64, account.collateral, Code.COLLATERAL_BOUND)",
            ),
        ),
    ),
    "any-signature": Patch(
        "anybody's signature withdraws from any account",
        (
            Replacement(
                _WITHDRAWAL,
                "require(signer == account.owner, Code.NOT_SIGNED_BY_OWNER)",
                "require(signer != 0, Code.NOT_SIGNED_BY_OWNER)",
            ),
        ),
    ),
}


def patch_sources(sources: Mapping[str, str], name: str) -> dict[str, str]:
    """The law `sources` (module name -> text) with the patch called `name`.

    Raises ValueError for an unknown name, and when a text does not occur exactly once.
    """
    if name not in PATCHES:
        raise ValueError(f"there is no patch {name!r}; use one of: {', '.join(PATCHES)}")
    patched = dict(sources)
    for item in PATCHES[name].replacements:
        count = patched[item.module].count(item.old)
        if count != 1:
            raise ValueError(
                f"patch {name!r}: {item.module} holds {item.old!r} {count} times instead of once"
            )
        patched[item.module] = patched[item.module].replace(item.old, item.new)
    return patched

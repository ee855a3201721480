"""Laws that were patched: which lines of `optimist/stf` a liar replaces.

A patch is text for text, each text exactly once in its module: a patch which the law has outgrown says so
instead of doing nothing. Patched laws compile: their owner can commit to the trace of its own machine.
Where a patch compiles to as many instructions as what it replaces, the programs differ nowhere else, and the
disputed step is the patched instruction itself; otherwise it is the first jump to code that has moved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from optimist.prove.law import Law, Patch, load_law


@dataclass(frozen=True, slots=True)
class FalseLaw:
    """A law that gives somebody what is not his."""

    story: str
    patches: tuple[Patch, ...]


_TRADE, _MARGIN, _LIQUIDATION = "optimist.stf.trade", "optimist.stf.margin", "optimist.stf.liquidation"
_DEPOSIT, _ORACLE, _WITHDRAWAL = "optimist.stf.deposit", "optimist.stf.oracle", "optimist.stf.withdrawal"

PATCHES: Final[Mapping[str, FalseLaw]] = {
    "skip-margin-check": FalseLaw(
        "an account need not have its initial margin",
        (
            Patch(
                _MARGIN,
                "if after.value >= after.initial:",
                "if after.initial >= after.initial:",
            ),
        ),
    ),
    "skip-fees": FalseLaw(
        "traders pay no fees",
        (
            Patch(
                _TRADE,
                "full_fee = compute_fee(fill, fee_ppm, most_rebate)",
                "full_fee = compute_fee(fill, 0, most_rebate)",
            ),
        ),
    ),
    "liquidate-healthy": FalseLaw(
        "an account with margin enough loses its position",
        (
            Patch(
                _LIQUIDATION,
                "require(before.value < before.maintenance, Code.NOT_LIQUIDATABLE)",
                "require(before.value != before.maintenance, Code.NOT_LIQUIDATABLE)",
            ),
            Patch(
                _LIQUIDATION,
                "shortage = max(before.maintenance * restored - before.value * PPM, 1)",
                "shortage = max(before.value * restored - before.maintenance * PPM, 1)",
            ),
        ),
    ),
    "wrong-price": FalseLaw(
        "the stored price is a tenth below the median of the signed ones",
        (
            Patch(
                _ORACLE,
                "    price.price = median\n",
                "    price.price = median // 10 * 9\n",
            ),
        ),
    ),
    "mint": FalseLaw(
        "every deposit counts twice",
        (
            Patch(
                _DEPOSIT,
                "account.collateral = total",
                "account.collateral = min(total + amount, MAX_COLLATERAL)",
            ),
        ),
    ),
    "free-withdrawal": FalseLaw(
        "a withdrawal is paid and the collateral stays",
        (
            Patch(
                _WITHDRAWAL,
                "account.collateral = fit(i64, account.collateral - amount, Code.COLLATERAL_BOUND)",
                "account.collateral = fit(i64, account.collateral, Code.COLLATERAL_BOUND)",
            ),
        ),
    ),
    "any-signature": FalseLaw(
        "anybody's signature withdraws from any account",
        (
            Patch(
                _WITHDRAWAL,
                "require(signer == account.owner, Code.NOT_SIGNED_BY_OWNER)",
                "require(signer != 0, Code.NOT_SIGNED_BY_OWNER)",
            ),
        ),
    ),
}


def load_false_law(preset: str, name: str) -> Law:
    """The law of a preset with the patches called `name`.

    Raises ValueError for an unknown name, and when a text does not stand exactly once in its module.
    """
    if name not in PATCHES:
        raise ValueError(f"there is no patched law {name!r}; use one of: {', '.join(PATCHES)}")
    return load_law(preset, PATCHES[name].patches)

"""Numbers and answers of `optimist account` for people: decimals in, decimals out, never a float."""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

import click

from optimist.stf.codes import Code

PRICE_DECIMALS: Final = 8
MONEY_DECIMALS: Final = 6

Answer = dict[str, Any]


def parse_decimal(name: str, text: str, decimals: int, limit: int) -> int:
    """A positive decimal number in units of 10^-decimals, exactly. Raises click.UsageError."""
    try:
        scaled = Decimal(text).scaleb(decimals) if len(text) <= 40 else Decimal("nan")
    except InvalidOperation:
        scaled = Decimal("nan")
    if not scaled.is_finite() or not 0 < scaled <= limit or scaled != int(scaled):
        raise click.UsageError(
            f"{name} is a positive number with at most {decimals} decimals, not {text[:40]!r}"
        )
    return int(scaled)


def show_history(found: Answer, limit: int) -> str:
    """A page of a history, a line a note."""
    lines = []
    for entry in found["entries"]:
        for note in entry["notes"]:
            told = {name: value for name, value in note.items() if name not in ("type", "account")}
            text = "  ".join(f"{name} {value}" for name, value in told.items())
            lines.append(f"{entry['place']:>10}  {entry['second']:>10}  {note['type']:<12} {text}")
    if len(found["entries"]) == limit:
        lines.append(f"more: --after {found['next']}")
    return "\n".join(lines) or "nothing was noted of this account"


def show_prospect(found: Answer) -> str:
    """An answer for people: USD with all their decimals."""
    lines = []
    if found["code"]:
        lines.append(f"the law would reject this trade ({name_code(found['code'])}): nothing changes")
    lines.append(f"account {found['account']:<18}{'now':>22}{'then':>22}")
    for name, label in (
        ("collateral", "collateral"),
        ("value", "value"),
        ("maintenance", "maintenance margin"),
        ("initial", "initial margin"),
    ):
        now, then = (show_units(found[when][name], MONEY_DECIMALS) for when in ("before", "after"))
        lines.append(f"{label:<26}{now:>22}{then:>22}")
    lines.append(f"{'state':<26}{found['before']['state']:>22}{found['after']['state']:>22}")
    fills = [note for note in found["notes"] if note["type"] == "Filled"]
    lines += [f"{'fee':<26}{'':>22}{show_units(note['fee'], MONEY_DECIMALS):>22}" for note in fills]
    lines += [_show_liquidation(each, found["after"]) for each in found["liquidationPrices"]]
    return "\n".join(lines)


def _show_liquidation(each: Answer, then: Answer) -> str:
    price = f"market {each['market']} at {show_units(each['price'], PRICE_DECIMALS)}:"
    sides = [
        f"{side} {show_units(each[key], PRICE_DECIMALS)} and {beyond}"
        for key, side, beyond in (("below", "at", "below"), ("above", "at", "above"))
        if each[key] is not None
    ]
    if int(then["value"]) < int(then["maintenance"]):
        return f"{price} liquidatable there already"
    return f"{price} liquidatable {' or '.join(sides)}" if sides else f"{price} no liquidation price"


def show_units(amount: str, decimals: int) -> str:
    """An integer as a decimal number, exactly, with a comma every thousand."""
    value = int(amount)
    whole, rest = divmod(abs(value), 10**decimals)
    return f"{'-' if value < 0 else ''}{whole:,}.{rest:0{decimals}}"


def name_code(code: int) -> str:
    """What a code of the law is called."""
    return Code(code).name if code in {each.value for each in Code} else f"code {code}"

"""The tables of docs/REPLAYS.md, from the reviewed reports: `python -m tests.support.replay_table`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.support.replay import FOUR_YEARS, SNAPSHOT

PAGE: Final = Path(__file__).parents[2] / "docs" / "REPLAYS.md"
BEGIN: Final = "<!-- table: python -m tests.support.replay_table -->\n"
END: Final = "<!-- end of the table -->\n"
CRASHES: Final = ("crash of 2025-10-10", "47 % in a day", "oracle silent in the crash")
QUIET: Final = ("everybody leaves", FOUR_YEARS)
UNPAID: Final = ", nobody to pay"
MONEY: Final = (
    "volume",
    "liquidated notional",
    "deleveraged notional",
    "bad debt",
    "paid by the fund",
    "paid by the backstop",
    "paid by counterparts",
    "socialised",
    "penalties",
    "fund before",
    "fund after",
    "paid in",
    "accounted for",
)
NUMBERS: Final = (
    "inputs",
    "accepted",
    "fills",
    "accounts liquidated",
    "liquidations",
    "deleveragings",
    "liquidated late",
    "longest wait",
    "still due",
    "owed by empty accounts",
)

Reports = Mapping[str, Mapping[str, int]]


def read_reports() -> Reports:
    """Scenario -> figure -> amount in 1e-6 USD, seconds or count."""
    reports: Reports = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return reports


def build_tables(reports: Reports) -> str:
    """Both tables: crashes with and without anybody to pay, and days without one."""
    crashes = [name + suffix for name in CRASHES for suffix in ("", UNPAID)]
    heads = [name.replace(UNPAID, ", *nobody to pay*") for name in crashes]
    return build_table(reports, crashes, heads) + "\n" + build_table(reports, QUIET, QUIET)


def build_table(reports: Reports, names: Sequence[str], heads: Sequence[str]) -> str:
    """One row a figure; figures that are 0 everywhere are left out unless 0 is what they should be."""
    lines = [f"| | {' | '.join(heads)} |", "|---|" + "---:|" * len(names)]
    for figure in (*NUMBERS, *MONEY):
        amounts = [reports[name].get(figure) for name in names]
        if any(amounts) or figure in ("still due", "owed by empty accounts"):
            cells = " | ".join(write(figure, amount) for amount in amounts)
            unit = ", USD" if figure in MONEY else ", s" if figure == "longest wait" else ""
            lines.append(f"| {figure}{unit} | {cells} |")
    return "\n".join(lines) + "\n"


def write(figure: str, amount: int | None) -> str:
    """An amount as people write it: whole USD, cut towards 0."""
    if amount is None:
        return ""
    if figure not in MONEY:
        return f"{amount:,}"
    return f"{'-' if amount < 0 else ''}{abs(amount) // 10**6:,}"


def read_tables() -> str:
    """What the page says."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def write_tables() -> None:
    """Replace them."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    page = before + BEGIN + build_tables(read_reports()) + END + rest.split(END)[1]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write_tables()

"""Tells the story on a terminal: one line a moment, with the seconds since it began."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from devnet.prices import PRICE_SCALE

USD = 10**6
ETHER = 10**18


class Narrator:
    """Prints lines and tables. Colours only where the terminal has them."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the story began."""
        return time.monotonic() - self._begun

    def title(self, text: str) -> None:
        """The beginning of an act."""
        self._console.print()
        self._console.print(Text(f"── {text} ", style="bold"))

    def say(self, who: str, text: str, *, style: str = "") -> None:
        """One line: who did what."""
        line = Text(f"{self.seconds:7.1f}s  ", style="dim")
        line.append(f"{who:<13s}", style="cyan")
        line.append(text, style=style)
        self._console.print(line, soft_wrap=True)

    def good(self, who: str, text: str) -> None:
        """A line about something that went as it should."""
        self.say(who, text, style="green")

    def bad(self, who: str, text: str) -> None:
        """A line about a lie or a loss."""
        self.say(who, text, style="red")

    def show_moves(self, number: int, lie: Mapping[str, Any]) -> None:
        """Every transaction of a dispute with its gas."""
        table = Table(title=f"Lie {number}: {lie['fault']}", title_justify="left")
        table.add_column("#", justify="right")
        table.add_column("who")
        table.add_column("call")
        table.add_column("gas", justify="right")
        for index, sent in enumerate(lie["transactions"], start=1):
            is_liar = sent["sender"] == lie["liar"]
            who = Text("liar", style="red") if is_liar else Text("challenger", style="green")
            table.add_row(str(index), who, sent["function"], f"{sent['gas']:,}")
        table.add_section()
        table.add_row("", "", "all together", f"{lie['total_gas']:,}")
        table.add_row("", "", "the match alone", f"{lie['match_gas']:,}")
        table.add_row("", "", "the step alone, in Step.sol", f"{lie['worst_step_gas']:,}")
        self._console.print(table)

    def show_summary(self, rows: Sequence[tuple[str, str]]) -> None:
        """What happened, in figures."""
        table = Table(show_header=False, title="In figures", title_justify="left")
        for label, value in rows:
            table.add_row(label, value)
        self._console.print(table)


def format_price(price: int) -> str:
    """A price of 1e-8 USD in whole dollars."""
    return f"${price // PRICE_SCALE:,}"


def format_usd(amount: int) -> str:
    """An amount of 1e-6 USD in dollars."""
    return f"${amount / USD:,.2f}"


def format_ether(wei: int) -> str:
    """An amount of wei in ether."""
    return f"{wei / ETHER:g} ETH"


def short(value: bytes | str) -> str:
    """The beginning of a hash."""
    text = value if isinstance(value, str) else f"0x{value.hex()}"
    return f"{text[:10]}…"

"""`optimist account`: what happened to an account, and what would become of it.

Both ask a sequencer's API (`--api`), or the data directory of a node that does not run (`--datadir` and
`--deployment`). The directory knows the batches that are on L1, the sequencer what it has acknowledged too.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from optimist.api.account_sources import ApiSource, DirectorySource, Source
from optimist.api.account_text import PRICE_DECIMALS, parse_decimal, show_history, show_prospect
from optimist.node.what_if import HypotheticalTrade
from optimist.stf.constants import MAX_PRICE, MAX_SIZE


@dataclass(frozen=True, slots=True)
class Where:
    """What the command line says about where to ask."""

    api: str | None
    datadir: Path | None
    deployment: Path | None

    def open(self, stack: ExitStack) -> Source:
        """The source, until `stack` is closed. Raises click.UsageError."""
        if self.api is not None and self.datadir is None:
            if not self.api.startswith(("http://", "https://")):
                raise click.UsageError(f"--api is a URL such as http://127.0.0.1:8645, not {self.api!r}")
            return ApiSource(self.api)
        if self.api is None and self.datadir is not None and self.deployment is not None:
            return DirectorySource(self.datadir, self.deployment, stack)
        raise click.UsageError("give either --api, or --datadir and --deployment")


def _asking(command: Callable[..., None]) -> Callable[..., None]:
    """Adds ACCOUNT, where to ask (`where`) and --json to a command."""

    @wraps(command)
    def run(*, api: str | None, datadir: Path | None, deployment: Path | None, **options: Any) -> None:
        command(where=Where(api, datadir, deployment), **options)

    decorated: Callable[..., None] = run
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object; exact integers."),
        click.option("--deployment", type=click.Path(path_type=Path), help="deployment.json of the rollup."),
        click.option("--datadir", type=click.Path(path_type=Path), help="Data directory of a stopped node."),
        click.option("--api", metavar="URL", help="API of a sequencer."),
        click.argument("account", type=click.IntRange(0, (1 << 36) - 1)),
    ):
        decorated = option(decorated)
    return decorated


@click.group()
def account() -> None:
    """What happened to an account, and what would become of it."""


@account.command()
@click.option("--after", default="0.0", help="Go on behind this place, such as 17.3.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True, help="Entries at most.")
@_asking
def history(
    account: int,
    where: Where,
    as_json: bool,
    after: str,
    limit: int,
) -> None:
    """What the law noted of ACCOUNT in batches that are on L1, oldest first."""
    with ExitStack() as stack:
        found = where.open(stack).get_history(account, after, limit)
    click.echo(json.dumps(found, indent=2) if as_json else show_history(found, limit))


@account.command("what-if")
@click.option("--market", type=click.IntRange(0, 255), default=0, show_default=True, help="Where to trade.")
@click.option("--buy", metavar="SIZE", help="Buy so much, such as 0.5.")
@click.option("--sell", metavar="SIZE", help="Sell so much.")
@click.option("--at", metavar="USD", help="Price of the trade, such as 64000.25.")
@click.option(
    "--price", "prices", metavar="MARKET=USD", multiple=True, help="Then let a market's price be this."
)
@_asking
def what_if(
    account: int,
    where: Where,
    as_json: bool,
    market: int,
    buy: str | None,
    sell: str | None,
    at: str | None,
    prices: tuple[str, ...],
) -> None:
    """Margin, health and liquidation prices of ACCOUNT, now and after a trade or at other prices.

    By the law's own code, as if all prices were fresh. The account trades as taker.
    """
    moved = dict(_parse_price(text) for text in prices)
    with ExitStack() as stack:
        source = where.open(stack)
        trade = _parse_trade(source, market, buy, sell, at)
        found = source.get_prospect(account, trade, moved)
    click.echo(json.dumps(found, indent=2) if as_json else show_prospect(found))


def _parse_trade(
    source: Source, market: int, buy: str | None, sell: str | None, at: str | None
) -> HypotheticalTrade | None:
    if buy is None and sell is None and at is None:
        return None
    if (buy is None) == (sell is None) or at is None:
        raise click.UsageError("a trade is --buy SIZE or --sell SIZE, and --at USD")
    decimals = source.get_size_decimals(market)
    size = parse_decimal("--buy" if buy else "--sell", buy or sell or "", decimals, MAX_SIZE)
    price = parse_decimal("--at", at, PRICE_DECIMALS, MAX_PRICE)
    return HypotheticalTrade(market, size if buy else -size, price)


def _parse_price(text: str) -> tuple[int, int]:
    market, equals, price = text.partition("=")
    if not equals or not market.isdecimal():
        raise click.UsageError(f"--price is MARKET=USD, such as 0=64000.25, not {text!r}")
    return int(market), parse_decimal("--price", price, PRICE_DECIMALS, MAX_PRICE)

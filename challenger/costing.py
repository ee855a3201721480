"""`challenger cost`: what a dispute costs, what to keep in reserve, what is locked and due. No key."""

import json
from dataclasses import asdict, dataclass
from typing import Any

import click

from challenger.chain.reading import read_game
from challenger.costs import Bill, Stand, compute_bill, compute_stand
from challenger.exits import run_program
from challenger.monitor.documents import SCHEMA, to_json
from challenger.monitor.views import Wei
from challenger.settings import CostSettings, get_parameters
from challenger.strategy.strategy import count_rivals
from challenger.strategy.view import Facts, View
from challenger.trace.law import LawProvider
from optimist.l1.client import require_header
from optimist.l1.types import from_hex
from optimist.node.opening import open_node
from optimist.ops.config import settings_options
from optimist.ops.logs import configure_logs

GWEI = 10**9
ETHER = 10**18
NOBODY = bytes(20)


@dataclass(frozen=True, slots=True)
class Costs:
    """What the command shows. Money in wei; `balance` is that of the address, None without one."""

    bill: Bill
    stand: Stand
    balance: int | None


async def compute_costs(settings: CostSettings) -> Costs:
    """Follow L1 up to its head once. Raises what `open_node` raises, and L1Error."""
    address = None if settings.address is None else from_hex(settings.address)
    async with open_node(
        l1_rpc=settings.l1_rpc,
        deployment=settings.deployment,
        tag=settings.l1_tag,
        l1_timeout=settings.l1_timeout,
        datadir=settings.datadir,
    ) as opened:
        node, client = opened.node, opened.client
        parameters = get_parameters(opened.deployment.preset)
        await node.catch_up()
        game = read_game(
            node.events, arity=parameters.arity, genesis_time=0, count_inputs=node.ledger.get_input_count
        )
        rivals = settings.rivals
        if rivals is None:
            truth = LawProvider(parameters, node.ledger, opened.law)
            rivals = count_rivals(View(Facts(parameters, game.state, node.timestamp), truth, NOBODY))
        if settings.gas_price_gwei is None:
            header = require_header(await client.get_header("latest"), "latest")
            price = header.base_fee + await client.get_tip()
        else:
            price = int(settings.gas_price_gwei * GWEI)
        return Costs(
            compute_bill(parameters, price, rivals, int(settings.max_fee_gwei * GWEI)),
            compute_stand(parameters, game.state, address),
            None if address is None else await client.get_balance(address),
        )


@click.command("cost")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; money is wei, as a string.")
@settings_options(CostSettings)
def cost_command(settings: CostSettings, as_json: bool) -> None:
    """What one dispute costs, the reserve to keep for those that may come, and what is locked and due."""
    configure_logs("warning", settings.log.format)
    costs = run_program(compute_costs(settings))
    if as_json:
        click.echo(json.dumps(make_cost_document(costs)))
        return
    bill, stand = costs.bill, costs.stand
    price, reserve_price = _gwei(bill.gas_price), _gwei(bill.reserve_price)
    lines = [
        ("gas price", price, "base fee and tip" if settings.gas_price_gwei is None else "as given"),
        ("one dispute", _ether(bill.dispute_cost), f"{bill.dispute_gas:,} gas to the last step, at most"),
        ("", _ether(bill.refund), "of it comes back when it is won"),
        ("one round", _ether(bill.round_cost), f"{bill.round_gas:,} gas, however many rivals"),
        ("bond", _ether(bill.bond), "comes back when all that stands on it is confirmed"),
        (
            "reserve",
            _ether(bill.reserve),
            f"2 x {max(1, bill.rivals)} rivals at {reserve_price}, beside the bond",
        ),
        ("locked", _ether(stand.locked), f"bonds of {settings.address or 'everybody'}"),
        ("due", _ether(stand.due), "credit that can be claimed now"),
        ("pending", _ether(stand.pending), "credit that waits for a confirmation"),
        ("refunds", _ether(stand.refunds), "for moves in won matches, not collected yet, at most"),
    ]
    if costs.balance is not None:
        missing = max(0, bill.reserve - costs.balance)
        advice = f"send {_ether(missing)} to reach the reserve" if missing else "the reserve is there"
        lines.append(("balance", _ether(costs.balance), advice))
    for name, amount, text in lines:
        click.echo(f"{name:12s} {amount:>14s}  {text}")


def make_cost_document(costs: Costs) -> dict[str, Any]:
    """For machines: gas and counts as numbers, money as decimal strings of wei."""
    plain = {"dispute_gas", "round_gas", "rivals"}
    bill = {name: value if name in plain else Wei(value) for name, value in asdict(costs.bill).items()}
    return {
        "schema": SCHEMA,
        "command": "cost",
        "bill": to_json(bill),
        "stand": to_json({name: Wei(value) for name, value in asdict(costs.stand).items()}),
        "balance": to_json(None if costs.balance is None else Wei(costs.balance)),
    }


def _ether(wei: int) -> str:
    return f"{wei / ETHER:.6f} ETH"


def _gwei(wei: int) -> str:
    return f"{wei / GWEI:.3g} gwei"

"""A plan for people and for programs."""

from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from optimist.api.account_text import name_code
from optimist.exit.facts import Facts
from optimist.exit.planner import Kind, Step

MONEY: Final = 10**6
WHAT: Final = {
    Kind.ANNOUNCE: "announce that market {market} is dead",
    Kind.CLOSE: "close market {market}: every position ends at its mark",
    Kind.SETTLE: "settle account {account} in market {market}: it owes more than it has",
    Kind.WITHDRAW: "force the withdrawal of {money}",
    Kind.SEAL: "seal a public batch of L1's queue",
    Kind.ASSERT: "assert the state root with a bond, unless somebody else does",
    Kind.CONFIRM: "confirm it after the challenge period",
    Kind.PAY: "have {money} paid by the Vault",
    Kind.UNBOND: "take the bond back",
}


def describe_plan(facts: Facts, plan: tuple[Step, ...]) -> dict[str, Any]:
    """A plan as a JSON object; amounts in 1e-6 USD as decimal strings, seconds of L1."""
    ahead = facts.ahead
    return {
        "account": facts.account,
        "owner": "0x" + ahead.owner.hex(),
        "now": facts.now,
        "worth": str(ahead.worth),
        "positions": [
            {"market": each.market, "size": str(each.size), "deadAt": each.dead_at}
            for each in ahead.positions
        ],
        "heldUntil": ahead.held_until,
        "bankrupt": [{"account": each.account, "owes": str(each.owes)} for each in ahead.bankrupts],
        "lastRefusal": name_code(ahead.refusal.code) if ahead.refusal else None,
        "paid": str(sum(each.amount for each in facts.payments if each.is_paid)),
        "steps": [
            {
                "step": step.kind.value,
                "what": describe_step(step),
                "at": step.at,
                "isDue": step.is_due,
                "market": step.market,
                "account": step.account,
                "amount": str(step.amount),
                "row": step.row,
            }
            for step in plan
        ],
    }


def describe_step(step: Step) -> str:
    """What a step is, in words."""
    money = show_money(step.amount) if step.amount else "what is left"
    return WHAT[step.kind].format(market=step.market, account=step.account, money=money)


def print_plan(console: Console, facts: Facts, plan: tuple[Step, ...]) -> None:
    """A plan as a table."""
    ahead = facts.ahead
    console.print(
        f"account {facts.account} of 0x{ahead.owner.hex()}: {show_money(ahead.worth)} USD free of positions"
    )
    for position in ahead.positions:
        console.print(
            f"  {'short' if position.size < 0 else 'long'} in market {position.market}; it counts as dead "
            f"from {show_time(position.dead_at)} on, if nothing is heard of it until then"
        )
    for bankrupt in ahead.bankrupts:
        console.print(f"  account {bankrupt.account} owes {show_money(bankrupt.owes)} USD more than it has")
    for payment in facts.payments:
        if payment.is_paid:
            console.print(f"  paid: {show_money(payment.amount)} USD (withdrawal {payment.row})")
    if ahead.refusal is not None:
        console.print(f"  the last forced input was refused: {name_code(ahead.refusal.code)}")
    if not plan:
        console.print("nothing is left to do")
        return
    table = Table("step", "earliest (UTC)", "what", box=None)
    for step in plan:
        when = "now" if step.is_due else show_time(step.at)
        table.add_row(step.kind.value, when, describe_step(step))
    console.print(table)


def show_money(amount: int) -> str:
    """1e-6 USD as people write it."""
    whole, rest = divmod(abs(amount), MONEY)
    return f"{'-' if amount < 0 else ''}{whole:,}.{rest:06d}"


def show_time(second: int | None) -> str:
    """A second of L1; None: unknown."""
    return (
        "not known yet"
        if second is None
        else datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")
    )

"""Second half of the story: the operator itself goes bad, and a liar vouches for it with a bond."""

from collections.abc import Sequence
from dataclasses import replace

from devnet.accounts import Actor
from devnet.actors.operator import Operator
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.evidence.calldata import SentTransaction, read_transactions
from devnet.evidence.dispute import Lie, find_lies
from devnet.evidence.inputs import name_kind
from devnet.genesis import BTC
from devnet.liar.faults import PatchedLaw, parse_fault
from devnet.liar.patches import PATCHES
from devnet.services import start_liar
from devnet.story.narrator import USD, format_ether, short
from devnet.story.stage import Stage
from optimist.derive.actions import Action, Liquidate, Sequenced, Trade, Withdraw
from optimist.l1.events import Collected, Confirmed, CreditPaid, Eliminated, Located
from optimist.l1.types import to_hex

INSIDER_NOTIONAL = 1_500_000  # USD, on 50,000 of margin: 30 times leverage, where 10 is the most
FAIR_NOTIONAL = 1_000  # USD
TOP_UP = 1_000 * USD
STOLEN = 5_000 * USD
UNUSED_NONCE = 1_000  # above what the owner has signed himself
ORDER_LIFETIME = 600  # s


async def tell_lie(stage: Stage, liar: Actor, fault: str, number: int) -> None:
    """A batch that the law must reject in part, a false assertion about it, the dispute, and its end."""
    stage.narrator.title(f"Lie {number}: {fault}{_get_story(fault)}")
    batch = await post_poisoned_batch(stage)
    service = start_liar(stage.network, liar, fault)
    stage.services[liar.name] = service
    told = await stage.wait_for_event(liar.name, "lie_told")
    stage.seen.faults.append((fault, told["node"]))
    stage.narrator.bad(
        "liar", f"asserts root {short(told['root'])} after batch {batch}, with a bond of {_get_bond(stage)}"
    )
    judged = await stage.wait_for_event("watcher", "assertion_judged", node=told["node"])
    stage.narrator.good("watcher", f"{judged['verdict']}s: its own root is {short(judged['own_root'])}")
    await follow_dispute(stage, told["node"])
    service.stop()
    del stage.services[liar.name]
    await confirm_truth(stage, told["node"])


async def post_poisoned_batch(stage: Stage) -> int:
    """The operator posts honest inputs and such as the law rejects; the batch's number.

    There is one for each patched law to be false about: a deposit, prices, a fair trade and one without
    margin, the liquidation of a healthy account, a withdrawal and a stolen one. L1 takes any bytes; the law
    rejects the trade without margin, the liquidation and the theft, and every node knows it.
    """
    network = stage.network
    saver, thief = stage.traders["saver"], stage.traders["insider"]
    await network.get_bank().top_up(stage.wallet(saver.actor.name), saver.account, TOP_UP)
    history = await stage.read_history()
    second = max(await stage.now(), stage.published + 1)
    stage.published = second
    oracle = Oracle(network.init.domain, network.cast.oracle, network.init.quorum)
    actions: list[Action] = [oracle.sign(market, price, second) for market, price in enumerate(stage.prices)]
    victim = stage.traders["careful"].account
    stolen = replace(thief.sign_withdrawal(STOLEN).request, account=victim, nonce=UNUSED_NONCE)
    actions += [
        _make_trade(stage, saver, FAIR_NOTIONAL, second),
        _make_trade(stage, thief, INSIDER_NOTIONAL, second),
        Liquidate(victim, BTC),
        saver.sign_withdrawal(TOP_UP),
        Withdraw(stolen, stolen.sign(network.init.domain, thief.actor.secret)),
    ]
    receipt = await Operator(stage.wallet("sequencer"), network.get_contract("Inbox")).post(
        history, actions, second
    )
    batch = history.batch_count + 1
    stage.note_batch(batch, receipt.transaction)
    stage.seen.kinds.update(["HEADER", "DEPOSIT", *map(name_action, actions)])
    stage.seen.rejected += 3
    stage.narrator.bad(
        "operator",
        f"posts batch {batch}: among honest inputs an insider's trade at 30 times leverage, the liquidation "
        f"of account {victim}, which is healthy, and a withdrawal from it that another has signed",
    )
    return batch


def name_action(action: Action) -> str:
    """What kind of input an action becomes."""
    return name_kind(Sequenced(0, action).encode())


def _make_trade(stage: Stage, trader: Trader, notional: int, second: int) -> Trade:
    """A purchase worth `notional` USD from the market maker, at the last price."""
    market = stage.network.init.markets[BTC]
    price = stage.prices[BTC]
    lots = notional * 10 ** (8 + market.size_decimals) // price // market.lot
    terms = {
        "market": BTC,
        "size": lots * market.lot,
        "price": price,
        "expiry": second + ORDER_LIFETIME,
        "slot": 3,
    }
    maker = stage.traders["market-maker"].sign_order(is_buy=False, **terms)
    taker = trader.sign_order(is_buy=True, **terms)
    return Trade(lots * market.lot, price, maker, taker)


async def follow_dispute(stage: Stage, false_node: str) -> None:
    """Tell every move until no claim on the lie lives."""
    shown: set[bytes] = set()

    async def look() -> bool | None:
        lie = await find_lie(stage, false_node)
        if lie is None:
            return None
        events = [located for located in lie.events if located.log.transaction not in shown]
        sent = await read_transactions(stage.l1, [located.log.transaction for located in events])
        for transaction in sent.values():
            shown.add(transaction.hash)
            _tell_move(stage, lie, transaction, events)
        return True if any(lie.is_false(event.claim) for event, _ in lie.select(Eliminated)) else None

    await stage.wait_for("the death of the false claim", look)


def _tell_move(stage: Stage, lie: Lie, sent: SentTransaction, events: Sequence[Located]) -> None:
    owner = {claim.owner for claim in lie.claims.values() if lie.is_false(claim.claim)}
    tell = stage.narrator.bad if sent.sender in owner else stage.narrator.good
    tell("liar" if sent.sender in owner else "challenger", f"{sent.function}  ({sent.gas:,} gas)")
    for located in events:
        event = located.event
        if isinstance(event, Eliminated) and located.log.transaction == sent.hash:
            stage.narrator.good(
                "L1",
                f"executed the step: the claim {short(event.claim)} is dead, its bond lost; "
                f"{format_ether(event.bounty)} to the winner, {format_ether(event.pot)} for refunds, "
                "the rest is burnt",
            )


async def confirm_truth(stage: Stage, false_node: str) -> None:
    """After its challenge period, L1 confirms what the challenger claimed, and pays it."""
    period = stage.network.deployment.preset.challenge_period
    stage.warp(period, "the challenge period of the true assertion; nobody lives who contradicts")

    async def look() -> Lie | None:
        lie = await find_lie(stage, false_node)
        if lie is None:
            return None
        is_paid = bool(lie.select(Collected)) and bool(lie.select(CreditPaid))
        return lie if is_paid and lie.select(Confirmed) else None

    lie = await stage.wait_for("the confirmation of the truth", look)
    node = lie.select(Confirmed)[-1][0].node
    paid = sum(event.amount for event, _ in lie.select(CreditPaid))
    stage.narrator.good(
        "L1", f"confirms {short(node)}, the challenger's assertion, and pays it {format_ether(paid)}"
    )


async def find_lie(stage: Stage, false_node: str) -> Lie | None:
    """The lie as L1 has it now."""
    for lie in find_lies(await stage.read_history()):
        if to_hex(lie.node.node) == false_node:
            return lie
    return None


def _get_story(fault: str) -> str:
    parsed = parse_fault(fault)
    return f": {PATCHES[parsed.name].story}" if isinstance(parsed, PatchedLaw) else ""


def _get_bond(stage: Stage) -> str:
    return format_ether(stage.network.deployment.preset.bond)

"""First half of the story: deposits, a market that crashes, batches on L1, a root confirmed, money out."""

import asyncio
from collections.abc import Sequence

from devnet.actors.client import SequencerClient
from devnet.actors.market import MarketDay, Tick
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.evidence.dispute import find_assertions
from devnet.genesis import BTC
from devnet.prices import PPM, PRICE_SCALE
from devnet.story.narrator import USD, format_price, format_usd, short
from devnet.story.stage import Stage, StoryFailed
from optimist.api.errors import ApiError
from optimist.l1.contracts import Contract
from optimist.l1.events import Confirmed
from optimist.l1.types import to_hex
from optimist.node.proofs import prove_withdrawals

BACKSTOP_MONEY = 1_000_000  # USD
MAKER_MONEY = 5_000_000
TRADER_MONEY = 50_000
GAMBLER_NOTIONAL = 475_000  # USD: 9.5 times leverage, where 10 is the most
CAREFUL_NOTIONAL = 20_000
WITHDRAWAL = 10_000
NEEDED_MOVE_PPM = 65_000  # how far the market must move against the gambler, in ppm
TICK_INTERVAL = 0.25  # s between two ticks of the price path


def choose_side(prices: Sequence[int]) -> bool:
    """Whether the gambler buys: it takes the side that this path ruins. Raises StoryFailed if none is."""
    start, low, high = prices[0], min(prices), max(prices)
    fall, rise = (start - low) * PPM // start, (high - start) * PPM // start
    if max(fall, rise) < NEEDED_MOVE_PPM:
        raise StoryFailed(
            f"these prices fall by {fall / 1e4:.1f} % and rise by {rise / 1e4:.1f} % from the first one; the "
            f"story needs {NEEDED_MOVE_PPM / 1e4:.1f} %, so that 9.5 times leverage is liquidated"
        )
    return fall >= rise


async def deposit(stage: Stage, api: SequencerClient) -> None:
    """Everybody brings money to the Vault, and the sequencer sees it."""
    stage.narrator.title("Deposits: everybody brings money to the Vault on L1")
    network, cast, bank = stage.network, stage.network.cast, stage.network.get_bank()
    await bank.top_up(network.get_wallet(stage.l1, cast.backstop), 0, BACKSTOP_MONEY * USD)
    stage.narrator.say("backstop", f"account 0 holds {format_usd(BACKSTOP_MONEY * USD)}")
    names = ["market-maker", "gambler", "careful", "saver", "insider"]
    for name, actor in zip(names, [cast.market_maker, *cast.traders], strict=False):
        money = MAKER_MONEY if name == "market-maker" else TRADER_MONEY
        account, _ = await bank.open_account(network.get_wallet(stage.l1, actor), money * USD)
        stage.traders[name] = Trader(network.init.domain, actor, account)
        stage.narrator.say(name, f"opens account {account} with {format_usd(money * USD)}")
    stage.seen.kinds["DEPOSIT"] = 1 + len(names)

    async def look() -> bool | None:
        try:
            await api.get_account(stage.traders["insider"].account)
        except ApiError:
            return None
        return True

    await stage.wait_for("the deposits at the sequencer", look)
    stage.narrator.good("sequencer", "has seen them on L1 and credits them")


async def trade(stage: Stage, api: SequencerClient, prices: Sequence[int], seed: int) -> None:
    """Open the positions that the story is about, then follow the price path."""
    is_buy = choose_side(prices)
    market = "falls" if is_buy else "rises"
    stage.narrator.title(f"A market that {market}: {len(prices)} prices, signed by 5 of 7 oracle keys")
    day = MarketDay(
        api,
        now=stage.now,
        oracle=Oracle(stage.network.init.domain, stage.network.cast.oracle, stage.network.init.quorum),
        markets=stage.network.init.markets,
        maker=stage.traders["market-maker"],
        traders=[stage.traders["careful"], stage.traders["saver"]],
        seed=seed,
    )
    day.watched = [stage.traders[name].account for name in ("gambler", "careful", "saver")]
    tick = await _open_positions(stage, day, prices[0], is_buy=is_buy)
    for index, price in enumerate(prices):
        tick = await day.play(price)
        _note(stage, tick)
        _tell(stage, tick, index)
        await asyncio.sleep(TICK_INTERVAL)
    stage.published, stage.prices = day.published, tick.prices
    if not stage.seen.liquidations:
        raise StoryFailed("the market moved, but nobody was liquidated")


async def _open_positions(stage: Stage, day: MarketDay, price: int, *, is_buy: bool) -> Tick:
    opening = Tick(day.derive_prices(price))
    await day.publish(opening.prices)
    for name, notional, side in (("gambler", GAMBLER_NOTIONAL, is_buy), ("careful", CAREFUL_NOTIONAL, True)):
        size = day.compute_size(BTC, notional, price)
        await day.trade(opening, stage.traders[name], BTC, is_buy=side, size=size)
        leverage = notional / TRADER_MONEY
        stage.narrator.say(
            name,
            f"{'buys' if side else 'sells'} {size / 10**8:.4f} BTC at {format_price(price)}: "
            f"{leverage:.1f} times leverage",
        )
    if opening.trades != 2:
        raise StoryFailed(f"the positions that the story is about were refused: {opening.refusals}")
    _note(stage, opening)
    return opening


def _note(stage: Stage, tick: Tick) -> None:
    stage.seen.kinds["PRICE"] += 2 * len(tick.prices)  # each index, and its perpetual elsewhere
    stage.seen.kinds["TRADE"] += tick.trades
    stage.seen.kinds["LIQUIDATE"] += len(tick.liquidations)
    stage.seen.kinds.update(tick.others)
    stage.seen.liquidations += tick.liquidations


def _tell(stage: Stage, tick: Tick, index: int) -> None:
    if index % 10 == 0:
        stage.narrator.say("market", f"BTC {format_price(tick.prices[BTC])}")
    for liquidation in tick.liquidations:
        stage.narrator.bad(
            "keeper",
            f"account {liquidation.account} is liquidated: {liquidation.size / 10**8:+.4f} BTC "
            f"at {liquidation.price / PRICE_SCALE:,.0f}",
        )


async def withdraw(stage: Stage, api: SequencerClient) -> None:
    """A trader asks for money; everything goes to L1 and is asserted."""
    stage.narrator.title("Batches on L1, a root asserted and confirmed, a withdrawal paid")
    saver = stage.traders["saver"]
    await api.submit(saver.sign_withdrawal(WITHDRAWAL * USD))
    stage.seen.kinds["WITHDRAW"] += 1
    stage.narrator.say("saver", f"asks for {format_usd(WITHDRAWAL * USD)}: the sequencer has promised it")

    async def look() -> int | None:
        status = await api.get_status()
        is_idle = status["openBatch"] is None and not status["unposted"]
        return int(status["postedBatch"]) if is_idle else None

    last = await stage.wait_for("all batches on L1", look)
    await _tell_batches(stage)
    stage.seen.kinds["HEADER"] = last - 1
    stage.seen.kinds["INIT"] = 1
    asserted = await stage.wait_for_event("watcher", "assertion_judged", batch=last)
    stage.narrator.say("proposer", f"asserts root {short(asserted['claimed_root'])} after batch {last}")
    stage.narrator.good("watcher", f"{asserted['verdict']}s: {asserted['reason']}")


async def _tell_batches(stage: Stage) -> None:
    for done in stage.services["sequencer"].events("transaction_done"):
        kind, number, *_ = [*str(done["purpose"]).split(":"), ""]
        if kind == "batch":
            stage.note_batch(int(number), done["hash"])
            derived = await stage.wait_for_event("watcher", "batch_derived", batch=int(number))
            stage.narrator.say(
                "batch",
                f"{number}: {derived['inputs']} inputs, root {short(derived['root'])}, {done['gas']:,} gas",
            )


async def pay(stage: Stage) -> None:
    """The challenge period passes without a contradiction; the Vault pays."""
    period = stage.network.deployment.preset.challenge_period
    stage.warp(period, "the challenge period of all assertions; nobody contradicted")

    async def all_confirmed() -> bytes | None:
        history = await stage.read_history()
        confirmed = {each.event.node for each in history.events if isinstance(each.event, Confirmed)}
        asserted = find_assertions(history)
        return list(asserted)[-1] if confirmed >= set(asserted) else None

    node = await stage.wait_for("the confirmation of all assertions", all_confirmed)
    stage.narrator.good("L1", f"confirms assertion {short(node)}")
    own_node = stage.network.make_node(stage.l1)  # nobody has to believe the sequencer to get money out
    await own_node.catch_up()
    proofs = prove_withdrawals(own_node, [1])
    if not proofs:
        raise StoryFailed("the confirmed state holds no withdrawal")
    [withdrawal] = proofs
    payer = stage.wallet("trader-5")
    receipt = await stage.network.get_bank().pay(payer, withdrawal)
    token = Contract.named("IERC20", stage.network.deployment.addresses["token"])
    balance = await token.read(stage.l1, receipt.block.hash, "balanceOf", withdrawal.recipient)
    stage.seen.withdrawals.append(
        {
            "row": withdrawal.row,
            "account": withdrawal.account,
            "recipient": to_hex(withdrawal.recipient),
            "amount": str(withdrawal.amount),
            "is_due": True,
            "transaction": to_hex(receipt.transaction),
        }
    )
    stage.narrator.good(
        "vault",
        f"pays {format_usd(withdrawal.amount)} against 48 siblings ({receipt.gas_used:,} gas); "
        f"the saver now owns {format_usd(balance)} on L1",
    )

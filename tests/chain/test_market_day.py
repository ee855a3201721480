"""A whole market day through the real sequencer, in a process of its own; judged from L1 alone."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from devnet.actors.client import SequencerClient
from devnet.actors.governor import Governor
from devnet.actors.market import MarketDay, Tick
from devnet.actors.oracle import Oracle
from devnet.actors.trader import Trader
from devnet.evidence.dispute import describe_assertions, find_lies
from devnet.evidence.inputs import describe_inputs, describe_liquidations
from devnet.genesis import BTC, QUORUM
from devnet.history import RollupHistory
from devnet.network import Devnet
from devnet.prices import compress, compute_ticks, generate_crash
from devnet.pytest_plugin import StartDevnet
from devnet.services import Service, start_sequencer
from optimist.api.errors import ApiError
from optimist.derive.actions import EnactMarket
from optimist.l1.client import L1Client, require_header
from optimist.stf.codes import Code

USD = 10**6
SEED = 11


@pytest.fixture
def network(start_devnet: StartDevnet) -> Devnet:
    return start_devnet(block_time=1)


@pytest.fixture
def sequencer(network: Devnet) -> Iterator[tuple[Service, str]]:
    service, url = start_sequencer(network, batch_age=1.0)
    yield service, url
    assert service.stop() == 0, service.process.read_log()[-2000:]


async def open_accounts(network: Devnet, l1: L1Client) -> list[Trader]:
    """The backstop, the market maker and three traders, with money."""
    bank, cast = network.get_bank(), network.cast
    await bank.top_up(network.get_wallet(l1, cast.backstop), 0, 10**6 * USD)
    traders = []
    for actor, amount in [(cast.market_maker, 5 * 10**6), *((actor, 50_000) for actor in cast.traders[:3])]:
        account, _ = await bank.open_account(network.get_wallet(l1, actor), amount * USD)
        traders.append(Trader(network.init.domain, actor, account))
    return traders


async def wait_for_account(api: SequencerClient, account: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            await api.get_account(account)
        except ApiError:
            await asyncio.sleep(0.1)
        else:
            return
    raise TimeoutError(f"the sequencer never saw account {account}")


async def play_a_crash(network: Devnet, url: str) -> tuple[list[Tick], dict[str, Any], RollupHistory]:
    async with network.connect() as l1, SequencerClient(url) as api:

        async def now() -> int:
            return require_header(await l1.get_header("latest"), "latest").timestamp

        maker, gambler, *others = await open_accounts(network, l1)
        await wait_for_account(api, others[-1].account)
        oracle = Oracle(network.init.domain, network.cast.oracle, QUORUM)
        day = MarketDay(
            api, now=now, oracle=oracle, markets=network.init.markets, maker=maker, traders=others, seed=SEED
        )
        day.watched.append(gambler.account)
        prices = compute_ticks(compress(generate_crash(SEED), 12))
        opening = Tick(MarketDay.derive_prices(prices[0]))
        await day.publish(opening.prices)
        size = day.compute_size(BTC, 475_000, prices[0])  # 9.5 times leverage
        await day.trade(opening, gambler, BTC, is_buy=True, size=size)
        ticks = [opening, *[await day.play(price) for price in prices]]
        ticks.append(await change_the_rules(network, api, day, others[0]))
        status = await api.get_status()
        deadline = time.monotonic() + 60
        while True:
            history = await network.read_history(l1)
            asserted = max([each["batch"] for each in describe_assertions(history)], default=0)
            if asserted >= status["openBatch"]:
                return ticks, status, history
            assert time.monotonic() < deadline, "the last batch, or an assertion about it, never came"
            await asyncio.sleep(0.3)


async def change_the_rules(network: Devnet, api: SequencerClient, day: MarketDay, trader: Trader) -> Tick:
    """The governor asks five times as much margin; it binds after the timelock, and not before."""
    rules = replace(network.init.markets[BTC], initial_margin_ppm=500_000)
    governor = Governor(network.init.domain, network.cast.governor)
    await api.submit(governor.propose(BTC, rules))
    with pytest.raises(ApiError) as refused:
        await api.submit(EnactMarket(BTC))
    assert refused.value.number == Code.PROPOSAL_NOT_DUE
    assert (await api.get_market(BTC))["initialMarginPpm"] == network.init.markets[BTC].initial_margin_ppm
    network.anvil.increase_time(network.init.timelock)
    deadline = time.monotonic() + 60
    while True:
        try:
            await api.submit(EnactMarket(BTC))
        except ApiError as error:
            if error.number != Code.PROPOSAL_NOT_DUE or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            break
    assert (await api.get_market(BTC))["initialMarginPpm"] == rules.initial_margin_ppm
    late = Tick(MarketDay.derive_prices(int((await api.get_market(BTC))["price"])))
    await day.publish(late.prices)
    size = day.compute_size(BTC, 150_000, late.prices[BTC])  # three times leverage, where two is the most now
    await day.trade(late, trader, BTC, is_buy=True, size=size)
    assert late.trades == 0, "a position beyond the new margin was opened"
    size = day.compute_size(BTC, 5_000, late.prices[BTC])
    await day.trade(late, trader, BTC, is_buy=True, size=size)
    assert late.trades == 1
    return late


def test_what_the_sequencer_acknowledged_is_what_l1_says(
    network: Devnet, sequencer: tuple[Service, str]
) -> None:
    ticks, status, history = asyncio.run(play_a_crash(network, sequencer[1]))
    inputs = describe_inputs(history)
    others = sum((tick.others for tick in ticks), Counter())
    assert set(others) == {"SESSION_KEY", "CANCEL", "CANCEL_ALL", "TRANSFER"}
    others.update(PROPOSE_MARKET=1, ENACT_MARKET=1)
    assert others.items() <= inputs["by_kind"].items()
    sequenced = sum(inputs["by_kind"][kind] for kind in ("PRICE", "TRADE", "LIQUIDATE", *others))
    assert sequenced == status["softInputs"]
    assert inputs["rejected"] == 0
    assert inputs["by_kind"]["TRADE"] == sum(tick.trades for tick in ticks) >= len(ticks) - 3

    found = describe_liquidations(history)
    acknowledged = [liquidation for tick in ticks for liquidation in tick.liquidations]
    assert [(each["account"], each["market"], int(each["size"]), int(each["price"])) for each in found] == [
        (each.account, each.market, each.size, each.price) for each in acknowledged
    ]
    assert acknowledged

    assertions = describe_assertions(history)
    assert all(each["is_true"] for each in assertions)
    assert assertions[0]["batch"] == 1
    assert find_lies(history) == []

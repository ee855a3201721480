"""A sequencer does not start from a state that is not sound, or that owes more than the Vault holds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.node.opening import OpenNode, open_node
from optimist.provable import State
from optimist.sequencer.gate import GateClosed, check_gate, read_money
from optimist.stf.records import Account, Group
from tests.chain.test_node import live
from tests.support.operator import Operator

USD = 10**6
ACCOUNT = cast("Any", Account).record_base + 1  # the first user's
GROUP = cast("Any", Group).record_base


def play(network: Devnet, story: Callable[[OpenNode], Awaitable[None]]) -> None:
    """On a chain with deposits, prices, forced withdrawals, and a deposit that no batch has yet."""

    async def run() -> None:
        async with network.connect() as client:
            await live(network, client, Operator(network, client), days=2)
            await network.get_bank().top_up(Wallet(client, network.cast.traders[0]), 1, 5 * USD)
        async with open_node(
            l1_rpc=[network.anvil.url],
            deployment=network.deployment_file,
            tag="latest",
            l1_timeout=10.0,
            datadir=None,
        ) as opened:
            await opened.node.catch_up()
            await story(opened)

    asyncio.run(run())


def edit(state: State, kind: type[Any], key: int, **changes: int) -> None:
    data = state.get_bytes(key)
    assert data is not None
    record = kind.record_from_bytes(data)
    for name, change in changes.items():
        assert getattr(record, name), f"{name} is zero: is this the record?"
        setattr(record, name, getattr(record, name) + change)
    state.set_bytes(key, record.record_bytes())


def test_gate_opens_for_what_is_true_and_for_nothing_else(devnet: Devnet) -> None:
    async def story(opened: OpenNode) -> None:
        state = opened.node.ledger.state
        money = await read_money(opened)
        assert money is not None
        assert money.surplus == 0, money
        assert money.queued == 5 * USD
        assert money.held + money.paid == money.owed + money.queued > 1_000 * USD
        await check_gate(opened, state.copy())

        broken = state.copy()
        edit(broken, Account, ACCOUNT, collateral=1)
        with pytest.raises(GateClosed, match="after the journal: group 0 has"):
            await check_gate(opened, broken)

        edit(state, Account, ACCOUNT, collateral=7)
        with pytest.raises(GateClosed, match="after L1's last batch: group 0 has"):
            await check_gate(opened, broken)
        edit(state, Group, GROUP, money=7)  # sound in itself, but where should the money come from?
        with pytest.raises(GateClosed, match="the Vault lacks 7 of what the state owes"):
            await check_gate(opened, state.copy())

    play(devnet, story)

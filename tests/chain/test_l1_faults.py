"""A node and a sender behind an L1 endpoint that fails all the time: slower, never wrong."""

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from devnet.network import Devnet
from devnet.pytest_plugin import StartDevnet
from devnet.wallet import Wallet
from optimist.derive.batch import DerivationError
from optimist.l1.client import L1Client
from optimist.l1.codec import load_abi
from optimist.l1.errors import L1Inconsistent, L1Unavailable
from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import MemoryOutbox
from optimist.l1.sender import Call, Sender, SendPolicy
from optimist.l1.signer import Signer
from optimist.l1.types import from_hex, to_hex
from optimist.store.state_store import StateStore
from tests.support.fault_proxy import MOODS, FaultProxy
from tests.support.operator import Operator, make_node

ELSEWHERE = b"\xaa" * 20
GWEI = 10**9


def impatient(url: str) -> L1Client:
    return L1Client([url], timeout=0.3, attempts=4, pause=0.005, longest_pause=0.02)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_node_behind_a_bad_endpoint_comes_to_the_same_roots(start_devnet: StartDevnet, seed: int) -> None:
    network = start_devnet(epoch=32)

    async def story(proxy: FaultProxy, good: L1Client, bad: L1Client) -> None:
        operator = Operator(network, good)
        node = make_node(network, bad, chunk=5)
        following = asyncio.create_task(node.run(0.005))
        for day in count():
            if day >= 25 and sum(proxy.moods.values()) > 10:
                break
            await operator.publish(day % 2, (100 + day) * 10**8)
            if day % 6 == 5:
                network.anvil.reorganise(3)
            await asyncio.sleep(0.02)
        proxy.fault_rate = 0.0
        network.anvil.mine()
        await operator.node.catch_up()
        for _ in range(400):
            if node.head == operator.node.head:
                break
            await asyncio.sleep(0.02)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        assert node.head == operator.node.head
        ledger, expected = node.ledger, operator.node.ledger
        assert ledger.batch_count == expected.batch_count > 5
        assert ledger.root == expected.root
        assert ledger.get_accumulator() == expected.get_accumulator()
        assert sum(proxy.moods.values()) > 10

    async def inside() -> None:
        async with (
            FaultProxy(network.anvil.url, seed, 0.4) as proxy,
            network.connect() as good,
            impatient(proxy.url) as bad,
        ):
            await story(proxy, good, bad)

    asyncio.run(inside())


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_sender_behind_a_bad_endpoint_sends_everything_exactly_once(devnet: Devnet, seed: int) -> None:
    actor = devnet.cast.traders[0]

    async def story(proxy: FaultProxy, good: L1Client, bad: L1Client) -> None:
        policy = SendPolicy(FeePolicy(500 * GWEI, GWEI), poll=0.01, resubmission_timeout=5)
        sender = Sender(bad, Signer(actor.secret), MemoryOutbox(), policy, chain_id=31337)
        before = await good.get_nonce(actor.address)

        async def gift(number: int) -> None:
            call = Call(f"gift:{number}", ELSEWHERE, value=10**number)
            for _ in range(200):
                try:
                    await sender.send(call)
                except (L1Unavailable, L1Inconsistent):
                    continue  # what a caller does: ask for the same purpose again
                return
            pytest.fail("never sent")

        await asyncio.wait_for(asyncio.gather(*(gift(number) for number in range(12))), 100)
        assert await good.get_balance(ELSEWHERE) == 111_111_111_111
        assert await good.get_nonce(actor.address) == before + 12
        assert sum(proxy.moods.values()) > len(MOODS)
        await sender.close()

    async def inside() -> None:
        async with (
            FaultProxy(devnet.anvil.url, seed, 0.3) as proxy,
            devnet.connect() as good,
            impatient(proxy.url) as bad,
        ):
            await story(proxy, good, bad)

    asyncio.run(inside())


def alter(event: str) -> Callable[[Any, Any], Any]:
    """Flip the last bit of the last byte that is not zero, in the data of every such log."""
    topics = [to_hex(each.selector) for each in load_abi("Inbox").events.values() if each.name == event]

    def flip(entry: dict[str, Any]) -> dict[str, Any]:
        if entry["topics"][0] not in topics:
            return entry
        data = from_hex(entry["data"])
        kept = data.rstrip(b"\0")
        altered = kept[:-1] + bytes([kept[-1] ^ 1]) + data[len(kept) :]
        return {**entry, "data": to_hex(altered)}

    def lie(call: Any, result: Any) -> Any:
        return list(map(flip, result)) if call["method"] == "eth_getLogs" else result

    return lie


@pytest.mark.parametrize("event", ["BatchSealed", "QueueItem"])
def test_one_false_bit_does_not_spoil_a_data_directory(devnet: Devnet, tmp_path: Path, event: str) -> None:
    """A queue item is believed until the batch that takes it: it may have been kept long before."""

    async def inside() -> None:
        async with (
            FaultProxy(devnet.anvil.url, 0, 0.0) as liar,
            devnet.connect() as good,
            L1Client([liar.url]) as bad,
        ):
            operator = Operator(devnet, good)
            wallet = Wallet(good, devnet.cast.traders[0])
            account, _ = await devnet.get_bank().open_account(wallet, 10**9)
            await devnet.get_bank().top_up(wallet, account, 10**6)
            await operator.seal()
            liar.lie = alter(event)
            with (
                StateStore(tmp_path / "state", b"\x42" * 32) as store,
                pytest.raises(DerivationError, match="but the Inbox says"),
            ):
                await make_node(devnet, bad, store, chunk=1).catch_up()
            with StateStore(tmp_path / "state", b"\x42" * 32) as store:
                node = make_node(devnet, good, store)
                await node.catch_up()
                await operator.node.catch_up()
                assert node.ledger.root == operator.node.ledger.root

    asyncio.run(inside())

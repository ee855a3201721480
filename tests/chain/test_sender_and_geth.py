"""The sender before a node with geth's pool: its rules for replacing, money and gaps, and its reorgs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from devnet.anvil import Anvil
from optimist.l1.client import L1Client
from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import Attempt, MemoryOutbox
from optimist.l1.sender import MAX_TRANSACTION_BYTES, MAX_TRANSACTION_GAS, Call, Sender, SendPolicy
from optimist.l1.signer import Signer
from optimist.l1.transactions import Transaction
from optimist.l1.types import Receipt, to_hex
from tests.support.geth_pool import MAX_BYTES, MAX_GAS
from tests.support.geth_proxy import GethProxy
from tests.support.waiting import until_true

GWEI = 10**9
CHAIN_ID = 31337
SIGNER = Signer(b"\x51" * 32)
ELSEWHERE = b"\xaa" * 20
CAP = 500 * GWEI


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Anvil]:
    with Anvil(tmp_path) as anvil:
        anvil.set_balance(to_hex(SIGNER.address), 10**21)
        yield anvil


class Desk:
    """A sender behind the proxy, and a second connection past it."""

    def __init__(self, proxy: GethProxy, client: L1Client, **changes: Any) -> None:
        rules = {"fees": FeePolicy(cap=CAP, min_tip=GWEI), "poll": 0.02, "resubmission_timeout": 60.0}
        self.proxy, self.client = proxy, client
        self.outbox = MemoryOutbox()
        self.sender = Sender(
            client, SIGNER, self.outbox, SendPolicy(**{**rules, **changes}), chain_id=CHAIN_ID
        )

    async def start(self, purpose: str, value: int) -> asyncio.Task[Receipt]:
        """Begin to send a gift; returns once the pool has taken or refused it, and built it if it builds."""
        before = len(self.outbox.load())
        task = asyncio.create_task(self.sender.send(Call(purpose, ELSEWHERE, value=value)))
        await until_true(
            lambda: len(self.attempts) > before and self.attempts[before].hash in self.proxy.answered
        )
        return task

    @property
    def attempts(self) -> list[Attempt]:
        return self.outbox.load()

    async def get_gifts(self) -> int:
        return await self.client.get_balance(ELSEWHERE)

    async def set_base_fee(self, wei: int) -> None:
        await self.proxy.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))
        await self.proxy.rpc("evm_mine")
        await self.proxy.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))


def play(anvil: Anvil, story: Callable[[Desk], Awaitable[None]], **changes: Any) -> None:
    async def inside() -> None:
        async with GethProxy(anvil.url) as proxy, L1Client([proxy.url], timeout=5) as client:
            desk = Desk(proxy, client, **changes)
            try:
                await asyncio.wait_for(story(desk), 60)
            finally:
                await desk.sender.close()

    asyncio.run(inside())


@pytest.mark.parametrize("winner", [0, 1, -1])
def test_every_replacement_is_one_that_geth_takes_and_whichever_is_mined_counts_once(
    anvil: Anvil, winner: int
) -> None:
    async def story(desk: Desk) -> None:
        desk.proxy.is_building = False
        task = await desk.start("gift", 5)
        await until_true(lambda: len(seen) >= 4)
        assert desk.proxy.pool.refused == [], "each offer was 10 % better in both fields"
        await desk.proxy.mine_outright(seen[winner].raw)
        receipt = await task
        assert receipt.transaction in [attempt.hash for attempt in desk.attempts]
        assert len({attempt.nonce for attempt in desk.attempts}) == 1
        assert await desk.get_gifts() == 5

    seen: list[Any] = []
    play(anvil, remember(seen, story), resubmission_timeout=0.15)


def remember(seen: list[Any], story: Callable[[Desk], Awaitable[None]]) -> Callable[[Desk], Awaitable[None]]:
    """Run the story with every transaction that the pool took in `seen`: a builder may hold an old one."""

    async def inside(desk: Desk) -> None:
        add = desk.proxy.pool.add

        def add_and_remember(raw: bytes, *, next_nonce: int, balance: int) -> Any:
            seen.append(add(raw, next_nonce=next_nonce, balance=balance))
            return seen[-1]

        desk.proxy.pool.add = add_and_remember  # type: ignore[method-assign]  # a spy for one test
        await story(desk)

    return inside


def test_base_fee_a_hundred_times_higher_is_bumped_to_the_cap_and_then_waited_out(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        with capture_logs() as logs:
            await desk.set_base_fee(10 * GWEI)
            desk.proxy.is_building = False
            task = await desk.start("gift", 5)
            desk.proxy.is_building = True
            await desk.set_base_fee(1_000 * GWEI)
            await until_true(lambda: any(line["event"] == "fee_cap_reached" for line in logs))
            at_cap = len(desk.attempts)
            await asyncio.sleep(0.5)
            assert len(desk.attempts) == at_cap, "nothing more is offered, or signed"
            assert all(attempt.fees.max_fee <= CAP for attempt in desk.attempts)
            assert not task.done()
            await desk.set_base_fee(20 * GWEI)
            await desk.proxy.build()
            receipt = await task
        assert receipt.gas_price <= CAP
        assert desk.sender.spent == receipt.gas_price * 21_000
        assert "replacement transaction underpriced" not in desk.proxy.pool.refused
        assert await desk.get_gifts() == 5

    play(anvil, story, resubmission_timeout=0.1)


def test_dropped_transaction_is_sent_again_and_those_behind_it_keep_their_nonces(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        desk.proxy.is_building = False
        tasks = [await desk.start(f"gift:{i}", 10**i) for i in range(3)]
        first = desk.attempts[0]
        desk.proxy.pool.drop(first.hash)
        await until_true(lambda: desk.proxy.pool.find(first.hash) is not None)
        assert await desk.proxy.build() == 3
        assert all(receipt.succeeded for receipt in await asyncio.gather(*tasks))
        assert [attempt.nonce for attempt in desk.attempts] == [0, 1, 2], "nothing was signed anew"
        assert await desk.get_gifts() == 111

    play(anvil, story)


def test_cheap_offer_that_a_dead_process_left_in_the_pool_is_replaced_and_blocks_nobody(anvil: Anvil) -> None:
    """What it was for is not wanted any more: nobody asks for it again, so nobody else would raise it."""

    async def story(desk: Desk) -> None:
        desk.proxy.is_building = False
        abandoned = await desk.start("abandoned", 5)
        await desk.sender.close()
        await asyncio.gather(abandoned, return_exceptions=True)
        await desk.set_base_fee(50 * GWEI)
        desk.sender = Sender(desk.client, SIGNER, desk.outbox, desk.sender._policy, chain_id=CHAIN_ID)
        assert await desk.proxy.build() == 0, "it pays too little"
        task = await desk.start("wanted", 100)
        await until_true(lambda: any(attempt.purpose == "fill:0" for attempt in desk.attempts))
        desk.proxy.is_building = True
        assert (await task).succeeded
        assert "replacement transaction underpriced" not in desk.proxy.pool.refused
        assert await desk.get_gifts() == 100

    play(anvil, story, resubmission_timeout=0.3)


def test_money_is_counted_over_all_that_waits_and_sending_goes_on_when_somebody_pays_in(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        desk.proxy.is_building = False
        first = await desk.start("gift:0", 1)
        (waiting,) = desk.proxy.pool.waiting[SIGNER.address].values()
        await desk.proxy.rpc("anvil_setBalance", to_hex(SIGNER.address), hex(waiting.cost + 1_000))
        with capture_logs() as logs:
            second = await desk.start("gift:1", 10)
            await until_true(lambda: any(line["event"] == "insufficient_funds" for line in logs))
        assert "overshot" in desk.proxy.pool.refused[-1]
        await desk.proxy.rpc("anvil_setBalance", to_hex(SIGNER.address), hex(10**20))
        desk.proxy.is_building = True
        await until_true(lambda: len(desk.proxy.pool.waiting[SIGNER.address]) == 2 or second.done())
        await desk.proxy.build()
        assert all(receipt.succeeded for receipt in await asyncio.gather(first, second))
        assert await desk.get_gifts() == 11
        assert [attempt.nonce for attempt in desk.attempts] == [0, 1]

    play(anvil, story)


def test_foreign_transaction_with_our_nonce_is_an_alarm_and_costs_nothing_twice(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        desk.proxy.is_building = False
        task = await desk.start("gift", 5)
        foreign = Transaction(
            chain_id=CHAIN_ID,
            nonce=0,
            to=ELSEWHERE,
            value=100,
            data=b"",
            gas=21_000,
            max_fee=400 * GWEI,
            tip=300 * GWEI,
        )
        raw, _ = await foreign.sign(SIGNER)
        with capture_logs() as logs:
            await desk.proxy.mine_outright(raw)
            desk.proxy.is_building = True
            assert (await task).succeeded
        alarms = [line for line in logs if line["event"] == "foreign_nonce"]
        assert [(line["log_level"], line["nonce"]) for line in alarms] == [("error", 0)]
        assert desk.sender.foreign_nonces == 1
        assert [attempt.nonce for attempt in desk.attempts] == [0, 1]
        assert await desk.get_gifts() == 105

    play(anvil, story)


def test_place_in_the_pool_that_blobs_of_the_same_key_hold_is_waited_for(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        desk.proxy.pool.reserved.add(SIGNER.address)
        task = await desk.start("gift", 5)
        await asyncio.sleep(0.2)
        assert not task.done()
        desk.proxy.pool.reserved.clear()
        assert (await task).succeeded
        assert len(desk.attempts) == 1

    play(anvil, story)


@pytest.mark.parametrize("depth", [1, 4, 16])
def test_transactions_that_a_reorg_puts_back_into_the_pool_are_mined_once_in_their_order(
    anvil: Anvil, depth: int
) -> None:
    async def story(desk: Desk) -> None:
        await desk.proxy.rpc("anvil_mine", "0x10")
        tasks = [await desk.start(f"gift:{i}", 10**i) for i in range(4)]
        await until_true(lambda: len(desk.proxy.mined) == 4)
        assert await desk.get_gifts() == 1_111
        desk.proxy.is_building = False
        lost = await desk.proxy.reorganise(depth)
        assert lost == [attempt.hash for attempt in desk.attempts][-len(lost) :]
        await asyncio.sleep(0.1)  # the sender sees them waiting, or hands them in and is told they are known
        desk.proxy.is_building = True
        await desk.proxy.build()
        await desk.proxy.rpc("anvil_mine", "0x20")
        receipts = await asyncio.gather(*tasks)
        assert [receipt.transaction for receipt in receipts] == [each.hash for each in desk.attempts]
        numbers = [receipt.block.number for receipt in receipts]
        assert numbers == sorted(numbers)
        assert await desk.get_gifts() == 1_111
        assert await desk.client.get_nonce(SIGNER.address) == 4

    play(anvil, story, confirmations=24)


def test_limits_are_those_of_geth(anvil: Anvil) -> None:
    """What the sender refuses by itself is what the pool would refuse, and no more."""
    assert MAX_TRANSACTION_BYTES == MAX_BYTES
    assert MAX_TRANSACTION_GAS == MAX_GAS - 1, "anvil refuses the cap itself"

    async def story(desk: Desk) -> None:
        largest = bytes(MAX_BYTES - 150)  # what is around the data of a transaction has 110 to 120 bytes
        call = Call("long", ELSEWHERE, largest, gas=MAX_TRANSACTION_GAS)
        assert (await desk.sender.send(call)).succeeded
        assert desk.proxy.pool.refused == []

    play(anvil, story)

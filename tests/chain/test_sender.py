"""One sender against a real chain that drops, reorganises, replaces and runs out of money."""

import asyncio
import itertools
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from devnet.accounts import Actor
from devnet.anvil import Anvil
from devnet.compile import compile_contracts
from devnet.wallet import Wallet
from optimist.base.keccak import keccak
from optimist.l1.client import L1Client
from optimist.l1.codec import load_abi
from optimist.l1.creation import encode_creation
from optimist.l1.errors import L1Unavailable, Reverted, RpcError
from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import Attempt, MemoryOutbox, compute_outbox_identity
from optimist.l1.sender import Call, Sender, SendPolicy, SendRefused, TransactionTooLarge
from optimist.l1.signer import Signer
from optimist.l1.types import Receipt, from_hex, to_hex
from optimist.store.outbox import JournalOutbox
from tests.support.fault_proxy import FaultProxy
from tests.support.waiting import until_true

GWEI = 10**9
CHAIN_ID = 31337
SECRET = b"\x51" * 32
SIGNER = Signer(SECRET)
ELSEWHERE = b"\xaa" * 20


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Anvil]:
    with Anvil(tmp_path) as anvil:
        anvil.set_balance(to_hex(SIGNER.address), 10**21)
        yield anvil


def policy(**changes: Any) -> SendPolicy:
    defaults = {"fees": FeePolicy(cap=500 * GWEI, min_tip=GWEI), "poll": 0.02, "resubmission_timeout": 60.0}
    return SendPolicy(**{**defaults, **changes})


class Desk:
    """A sender, its outbox and its chain, inside one event loop."""

    def __init__(self, anvil: Anvil, client: L1Client, outbox: Any, rules: SendPolicy) -> None:
        self.anvil = anvil
        self.client = client
        self.outbox = outbox
        self.sender = Sender(client, SIGNER, outbox, rules, chain_id=CHAIN_ID)

    async def rpc(self, method: str, *params: Any) -> Any:
        return await self.client.call(method, *params)

    async def start(self, call: Call) -> asyncio.Task[Receipt]:
        """Begin to send; returns once the transaction is recorded and handed in."""
        before = len(self.outbox.load())
        task = asyncio.create_task(self.sender.send(call))
        await until_true(lambda: len(self.outbox.load()) > before or task.done())
        await asyncio.sleep(0.05)
        return task

    async def wait_for_attempts(self, count: int) -> list[Attempt]:
        await until_true(lambda: len(self.outbox.load()) >= count)
        await asyncio.sleep(0.1)
        attempts: list[Attempt] = self.outbox.load()
        return attempts


def play(anvil: Anvil, story: Callable[[Desk], Awaitable[Any]], *, outbox: Any = None, **changes: Any) -> Any:
    async def inside() -> Any:
        async with L1Client([anvil.url], timeout=5) as client:
            desk = Desk(anvil, client, outbox or MemoryOutbox(), policy(**changes))
            try:
                return await asyncio.wait_for(story(desk), 60)
            finally:
                await desk.sender.close()

    return asyncio.run(inside())


def test_transaction_is_sent_once_however_often_it_is_asked_for(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        call = Call("gift", ELSEWHERE, value=5)
        first, second = await asyncio.gather(desk.sender.send(call), desk.sender.send(call))
        third = await desk.sender.send(call)
        assert first == second == third
        assert first.succeeded
        assert await desk.client.get_balance(ELSEWHERE) == 5
        assert [attempt.nonce for attempt in desk.outbox.load()] == [0]

    play(anvil, story)


def test_many_at_once_take_consecutive_nonces(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        calls = [Call(f"gift:{i}", ELSEWHERE, value=1) for i in range(12)]
        receipts = await asyncio.gather(*(desk.sender.send(call) for call in calls))
        assert all(receipt.succeeded for receipt in receipts)
        assert sorted(attempt.nonce for attempt in desk.outbox.load()) == list(range(12))
        assert await desk.client.get_balance(ELSEWHERE) == 12

    play(anvil, story, max_pending=5)


def test_waiting_transaction_is_replaced_by_ten_percent_more_until_mined(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        await desk.rpc("evm_setAutomine", False)
        task = await desk.start(Call("slow", ELSEWHERE, value=1))
        attempts = await desk.wait_for_attempts(3)
        await desk.rpc("evm_mine")
        receipt = await task
        assert {attempt.nonce for attempt in attempts} == {0}
        for cheap, dear in itertools.pairwise(attempts):
            assert dear.fees.max_fee * 100 >= cheap.fees.max_fee * 110
            assert dear.fees.tip * 100 >= cheap.fees.tip * 110
        assert receipt.transaction in {attempt.hash for attempt in desk.outbox.load()}
        assert await desk.client.get_balance(ELSEWHERE) == 1

    play(anvil, story, resubmission_timeout=0.2)


def test_bumping_stops_at_the_cap(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        await desk.rpc("evm_setAutomine", False)
        task = await desk.start(Call("slow", ELSEWHERE))
        await asyncio.sleep(0.6)
        attempts = desk.outbox.load()
        assert max(attempt.fees.max_fee for attempt in attempts) <= 4 * GWEI
        assert len(attempts) < 6
        await desk.rpc("evm_mine")
        assert (await task).succeeded

    play(anvil, story, resubmission_timeout=0.05, fees=FeePolicy(cap=4 * GWEI, min_tip=GWEI))


def test_waits_while_the_base_fee_is_above_the_cap(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        await desk.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
        await desk.rpc("evm_mine")
        task = asyncio.create_task(desk.sender.send(Call("cheap", ELSEWHERE, value=1)))
        await asyncio.sleep(0.3)
        assert not task.done()
        assert desk.outbox.load() == []
        await desk.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        await desk.rpc("evm_mine")
        assert (await task).succeeded

    play(anvil, story, fees=FeePolicy(cap=10 * GWEI, min_tip=GWEI))


def test_dropped_transaction_is_sent_again_with_the_same_bytes(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        await desk.rpc("evm_setAutomine", False)
        task = await desk.start(Call("dropped", ELSEWHERE, value=1))
        (attempt,) = desk.outbox.load()
        await desk.rpc("anvil_dropTransaction", to_hex(attempt.hash))
        await asyncio.sleep(0.3)
        await desk.rpc("evm_mine")
        assert (await task).transaction == attempt.hash
        assert desk.outbox.load() == [attempt]

    play(anvil, story)


def test_nonce_that_somebody_else_used_is_replaced_by_another(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        await desk.rpc("evm_setAutomine", False)
        task = await desk.start(Call("late", ELSEWHERE, value=1))
        foreign = Account.sign_transaction(
            {
                "type": 2,
                "chainId": CHAIN_ID,
                "nonce": 0,
                "to": b"\xbb" * 20,
                "value": 7,
                "data": b"",
                "gas": 21_000,
                "maxFeePerGas": 400 * GWEI,
                "maxPriorityFeePerGas": 300 * GWEI,
            },
            SECRET,
        ).raw_transaction
        await desk.client.send_raw(foreign)
        await desk.rpc("evm_mine")
        await desk.rpc("evm_setAutomine", True)
        receipt = await task
        assert receipt.succeeded
        assert [attempt.nonce for attempt in desk.outbox.load()] == [0, 1]
        assert await desk.client.get_balance(ELSEWHERE) == 1

    play(anvil, story)


def test_transaction_lost_in_a_reorg_while_waiting_for_depth_is_sent_again(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        task = await desk.start(Call("deep", ELSEWHERE, value=1))
        await desk.rpc("evm_mine")
        assert not task.done()
        assert await desk.client.get_balance(ELSEWHERE) == 1
        await desk.rpc("anvil_reorg", 2, [])
        for _ in range(200):
            if await desk.client.get_balance(ELSEWHERE):
                break
            await asyncio.sleep(0.02)
        await desk.rpc("anvil_mine", hex(4))
        assert (await task).succeeded
        assert await desk.client.get_balance(ELSEWHERE) == 1

    play(anvil, story, confirmations=4)


def test_transaction_lost_in_a_reorg_afterwards_is_sent_again_when_asked_for(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        call = Call("shallow", ELSEWHERE, value=1)
        first = await desk.sender.send(call)
        await desk.rpc("anvil_reorg", 1, [])
        assert await desk.client.get_balance(ELSEWHERE) == 0
        second = await desk.sender.send(call)
        assert second.transaction == first.transaction
        assert await desk.client.get_balance(ELSEWHERE) == 1
        assert len(desk.outbox.load()) == 1

    play(anvil, story)


def test_abandoned_nonce_does_not_block_those_after_it(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        await desk.rpc("evm_setAutomine", False)
        abandoned = await desk.start(Call("first", ELSEWHERE, value=1))
        later = await desk.start(Call("second", ELSEWHERE, value=10))
        first, _ = desk.outbox.load()
        desk.sender._running["first"].cancel()
        await asyncio.gather(abandoned, return_exceptions=True)
        await desk.rpc("anvil_dropTransaction", to_hex(first.hash))
        await desk.wait_for_attempts(3)
        await desk.rpc("evm_setAutomine", True)
        await desk.rpc("evm_mine")
        assert (await later).succeeded
        assert await desk.client.get_balance(ELSEWHERE) == 10
        assert desk.outbox.load()[2].purpose == "fill:0"

    play(anvil, story)


def test_without_money_it_waits_for_some(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        call = Call("poor", ELSEWHERE, value=0, gas=21_000)
        await desk.rpc("anvil_setBalance", to_hex(SIGNER.address), "0x0")
        task = await desk.start(call)
        await asyncio.sleep(0.2)
        assert not task.done()
        await desk.rpc("anvil_setBalance", to_hex(SIGNER.address), hex(10**20))
        assert (await task).succeeded
        assert len(desk.outbox.load()) == 1

    play(anvil, story)


async def create_vault(desk: Desk) -> bytes:
    """A Vault on a real token; the contracts around it are not needed for it to refuse."""
    contracts = compile_contracts()
    wallet = Wallet(desk.client, Actor("vault owner", SECRET, SIGNER.address))
    token, _ = await wallet.create(contracts["TestToken"].creation)
    parameters = {
        "token": token,
        "inbox": ELSEWHERE,
        "rollup": ELSEWHERE,
        "backstopOwner": ELSEWHERE,
        "maxDeposit": 10,
        "maxTotal": 10,
    }
    vault, _ = await wallet.create(encode_creation(contracts["Vault"], [parameters]))
    return vault


TOP_UP = load_abi("Vault").encode_call("topUp", 99, ELSEWHERE, 5)


def test_call_that_would_revert_is_not_sent(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        vault = await create_vault(desk)
        with pytest.raises(Reverted, match=r"UnknownAccount\(account=99, next=1\)"):
            await desk.sender.send(Call("refused", vault, TOP_UP))
        assert desk.outbox.load() == []

    play(anvil, story)


def test_call_that_reverts_in_its_block_says_why_and_may_be_tried_again(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        call = Call("refused", await create_vault(desk), TOP_UP, gas=100_000)
        for _ in range(2):
            with pytest.raises(Reverted) as refusal:
                await desk.sender.send(call)
            assert (refusal.value.name, refusal.value.arguments) == (
                "UnknownAccount",
                {"account": 99, "next": 1},
            )
        assert [attempt.nonce for attempt in desk.outbox.load()] == [2, 3]
        assert desk.sender.pending == 0

    play(anvil, story)


def test_transaction_above_the_limits_of_ethereum_is_never_sent(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(TransactionTooLarge, match="bytes"):
            await desk.sender.send(Call("long", ELSEWHERE, bytes(128 * 1024), gas=10_000_000))
        with pytest.raises(TransactionTooLarge, match="gas"):
            await desk.sender.send(Call("heavy", ELSEWHERE, gas=1 << 24))
        assert desk.outbox.load() == []
        assert desk.sender.pending == 0
        assert (await desk.sender.send(Call("fine", ELSEWHERE))).succeeded

    play(anvil, story)


def test_refusal_for_good_frees_the_nonce(anvil: Anvil) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(SendRefused):
            await desk.sender.send(Call("too little gas", ELSEWHERE, gas=1_000))
        receipt = await desk.sender.send(Call("next", ELSEWHERE))
        assert receipt.succeeded
        assert desk.sender.pending == 0

    play(anvil, story)


@pytest.mark.parametrize(
    "refusal",
    [
        "txpool is full",
        "account limit exceeded: pooled 16 txs",
        "nonce too far in future",
        "Transaction nonce is too distant from current sender nonce",
    ],
)
def test_a_pool_that_keeps_few_transactions_of_one_key_is_filled_again_as_it_empties(
    anvil: Anvil, refusal: str
) -> None:
    class SmallPool(L1Client):
        """Refuses what goes beyond four of one key, but never the very next nonce, as nodes do."""

        lock = asyncio.Lock()
        most = refused = 0

        async def send_raw(self, transaction: bytes) -> bytes:
            async with self.lock:
                # The nonce first: a block in between then makes the pool look smaller, never larger.
                mined = await self.get_nonce(SIGNER.address)
                status = await self.call("txpool_status")
                waiting = int(status["pending"], 16) + int(status["queued"], 16)
                nonce = next(a.nonce for a in outbox.load() if a.hash == keccak(transaction))
                if waiting >= 4 and nonce > mined:
                    self.refused += 1
                    raise RpcError("eth_sendRawTransaction", -32000, refusal)
                self.most = max(self.most, waiting + 1)
                return await super().send_raw(transaction)

    outbox = MemoryOutbox()

    async def story() -> None:
        async with SmallPool([anvil.url], timeout=5) as client:
            sender = Sender(client, SIGNER, outbox, policy(max_pending=14), chain_id=CHAIN_ID)
            await client.call("evm_setAutomine", False)
            calls = [Call(f"gift:{i}", ELSEWHERE, value=1) for i in range(14)]
            sending = asyncio.gather(*(sender.send(call) for call in calls))
            await until_true(lambda: client.refused > 0)
            while not sending.done():
                await asyncio.sleep(0.1)
                await client.call("evm_mine")
            assert all(receipt.succeeded for receipt in await sending)
            assert sorted(attempt.nonce for attempt in outbox.load()) == list(range(14))
            assert await client.get_balance(ELSEWHERE) == 14
            assert client.most <= 5
            await sender.close()

    asyncio.run(asyncio.wait_for(story(), 60))


def test_answer_that_got_lost_is_not_a_second_transaction(anvil: Anvil) -> None:
    class Deaf(L1Client):
        async def send_raw(self, transaction: bytes) -> bytes:
            await super().send_raw(transaction)
            raise L1Unavailable("the answer got lost")

    async def story() -> None:
        async with Deaf([anvil.url]) as client:
            outbox = MemoryOutbox()
            sender = Sender(client, SIGNER, outbox, policy(), chain_id=CHAIN_ID)
            assert (await sender.send(Call("gift", ELSEWHERE, value=3))).succeeded
            assert len(outbox.load()) == 1
            assert await client.get_balance(ELSEWHERE) == 3

    asyncio.run(story())


def tell_a_high_base_fee(call: Any, result: Any) -> Any:
    is_header = call["method"] == "eth_getBlockByNumber"
    return {**result, "baseFeePerGas": hex(10**30)} if is_header else result


def tell_a_high_nonce(call: Any, result: Any) -> Any:
    return hex(1_000_000) if call["method"] == "eth_getTransactionCount" else result


@pytest.mark.parametrize("lie", [tell_a_high_base_fee, tell_a_high_nonce])
def test_an_endpoint_that_lies_about_fees_or_nonces_holds_nothing_up_for_long(
    anvil: Anvil, lie: Callable[[Any, Any], Any]
) -> None:
    """A nonce far off is left alone: to fill the gap before it would cost a million transactions."""

    async def story() -> None:
        async with FaultProxy(anvil.url, 0, 0.0) as liar, L1Client([liar.url, anvil.url]) as client:
            liar.lie = lie
            rules = policy(resubmission_timeout=0.5)
            sender = Sender(client, SIGNER, MemoryOutbox(), rules, chain_id=CHAIN_ID)
            gifts = [sender.send(Call(f"gift:{i}", ELSEWHERE, value=3)) for i in range(3)]
            assert all(receipt.succeeded for receipt in await asyncio.wait_for(asyncio.gather(*gifts), 20))
            await sender.close()
        async with L1Client([anvil.url]) as client:
            assert await client.get_balance(ELSEWHERE) == 9
            assert await client.get_nonce(SIGNER.address) <= 10

    asyncio.run(story())


class Miser(FaultProxy):
    """Takes every transaction, says that it knows it, and passes none on."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, 0, 0.0)
        self.hidden: set[str] = set()
        self.lie = self.pretend

    async def _forward(self, body: Any) -> Any:
        if isinstance(body, dict) and body["method"] == "eth_sendRawTransaction":
            self.hidden.add(hash_ := to_hex(keccak(from_hex(body["params"][0]))))
            return {"id": body["id"], "result": hash_}
        return await super()._forward(body)

    def pretend(self, call: Any, result: Any) -> Any:
        is_asked_for = call["method"] == "eth_getTransactionByHash" and call["params"][0] in self.hidden
        return {"hash": call["params"][0]} if is_asked_for else result


@pytest.mark.parametrize("count", [1, 2, 5])
def test_an_endpoint_that_keeps_transactions_to_itself_holds_them_up_for_one_timeout(
    anvil: Anvil, count: int
) -> None:
    async def story() -> None:
        async with Miser(anvil.url) as miser, L1Client([miser.url, anvil.url]) as client:
            rules = policy(resubmission_timeout=0.5)
            sender = Sender(client, SIGNER, MemoryOutbox(), rules, chain_id=CHAIN_ID)
            gifts = [sender.send(Call(f"gift:{i}", ELSEWHERE, value=3)) for i in range(count)]
            receipts = await asyncio.wait_for(asyncio.gather(*gifts), 20)
            assert all(receipt.succeeded for receipt in receipts)
            assert len(miser.hidden) >= count
            assert await client.get_balance(ELSEWHERE) == 3 * count
            await sender.close()

    asyncio.run(story())


# -------------------------------------------------------------------------------------------------- kill -9

VICTIM = """
import asyncio, os, signal, sys
from pathlib import Path
from optimist.l1.client import L1Client
from optimist.l1.fees import FeePolicy
from optimist.l1.outbox import Attempt, compute_outbox_identity
from optimist.l1.sender import Call, Sender, SendPolicy
from optimist.l1.signer import Signer
from optimist.store.outbox import JournalOutbox
from tests.support.fault_proxy import FaultProxy
from tests.support.waiting import until_true

url, path, point = sys.argv[1:]
signer = Signer(bytes([0x51]) * 32)

def die(at):
    if at == point:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    outbox = JournalOutbox(Path(path), compute_outbox_identity(31337, signer.address), Attempt)
    policy = SendPolicy(FeePolicy(cap=500 * 10**9, min_tip=10**9), poll=0.02)
    async with L1Client([url]) as client:
        sender = Sender(client, signer, outbox, policy, chain_id=31337, checkpoint=die)
        await sender.send(Call("gift", bytes([0xAA]) * 20, value=5))

asyncio.run(main())
"""


@pytest.mark.parametrize("point", ["before-send", "after-send"])
@pytest.mark.parametrize("automine", [True, False])
def test_killed_between_record_and_send_sends_exactly_once(
    anvil: Anvil, tmp_path: Path, point: str, automine: bool
) -> None:
    path = tmp_path / "outbox"
    anvil.call("evm_setAutomine", automine)
    victim = subprocess.run([sys.executable, "-c", VICTIM, anvil.url, str(path), point], check=False)
    assert victim.returncode == -signal.SIGKILL
    outbox = JournalOutbox(path, compute_outbox_identity(CHAIN_ID, SIGNER.address), Attempt)
    assert len(outbox.load()) == 1

    async def story(desk: Desk) -> None:
        task = asyncio.create_task(desk.sender.send(Call("gift", ELSEWHERE, value=5)))
        await asyncio.sleep(0.3)
        await desk.rpc("evm_mine")
        assert (await task).succeeded
        assert await desk.client.get_balance(ELSEWHERE) == 5
        assert await desk.client.get_nonce(SIGNER.address) == 1
        assert len(desk.outbox.load()) == 1, "the same bytes were used again"

    play(anvil, story, outbox=outbox)
    outbox.close()

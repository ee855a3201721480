"""The same trades as transactions: an anvil of its own with Exchange.sol, and relayers that send batches."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
import rlp

from devnet.anvil import HARDFORK, find_anvil
from devnet.genesis import BTC_MARKET
from devnet.processes import Process
from optimist.base.keccak import keccak
from optimist.base.signature import address_of, sign
from optimist.derive.actions import SignedOrder
from optimist.l1.creation import compute_create_address
from tests.support.exchange_contract import (
    ACCOUNTS,
    POSITION,
    decode_last,
    encode_creation,
    encode_list,
    encode_open,
    encode_question,
    encode_trade,
)
from tests.support.load import INDEX, MARKET, MONEY, PRICE, Pair, Timings

CHAIN_ID: Final = 31_337
GAS: Final = 1_000_000  # of a transaction at most
BLOCK_GAS: Final = 1 << 40  # blocks of any size: nothing but the machine is in the way
HEARTBEAT: Final = 1 << 40
POLL: Final = 0.01  # s between two looks at whether something is mined
PATIENCE: Final = 60.0  # s
LISTENING: Final = "Listening on "


class ContractLoad:
    """An anvil, and one relayer for each pair of traders."""

    def __init__(self, directory: Path, block_time: int | None) -> None:
        """`block_time`: seconds between blocks; None: a block for every transaction."""
        command = [str(find_anvil()), "--host", "127.0.0.1", "--port", "0", "--hardfork", HARDFORK]
        command += ["--chain-id", str(CHAIN_ID), "--accounts", "1", "--no-cors"]
        command += ["--gas-limit", str(BLOCK_GAS), "--base-fee", "0", "--no-request-size-limit"]
        if block_time is not None:
            command += ["--block-time", str(block_time)]
        self.block_time = block_time
        self._process = Process("anvil", command, directory / "contract-anvil.log")
        line = self._process.wait_for_line(LISTENING)
        self._url = f"http://{line.removeprefix(LISTENING).strip()}"
        self._nonces: dict[bytes, int] = {}
        self._contract = b""

    @property
    def pid(self) -> int:
        """Of anvil."""
        return self._process.pid

    def stop(self) -> None:
        """End anvil."""
        self._process.stop()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        self.stop()

    async def prepare(self, pairs: Sequence[Pair]) -> None:
        """Create the contract, list the market, credit everybody."""
        deployer = keccak(b"load deployer")
        creation = encode_creation(pairs[0].domain, HEARTBEAT, 4, 4)
        self._contract = compute_create_address(address_of(deployer), 0)
        calls = [encode_list(MARKET, BTC_MARKET, INDEX * PRICE, 1, 0)]
        for pair in pairs:
            for account, secret in zip(pair.accounts, pair.secrets, strict=True):
                calls.append(encode_open(account, address_of(secret), MONEY))
        signed = [self.sign(deployer, creation, to=b"", gas=10_000_000)]
        signed += [self.sign(deployer, call) for call in calls]
        await self._send(signed)
        await self._wait(deployer, len(signed))

    def sign(self, secret: bytes, data: bytes, *, to: bytes | None = None, gas: int = GAS) -> str:
        """A transaction of type 2, with the sender's next nonce."""
        nonce = self._nonces.get(secret, 0)
        self._nonces[secret] = nonce + 1
        target = self._contract if to is None else to
        fields: list[Any] = [CHAIN_ID, nonce, 0, 0, gas, target, 0, data, []]
        v, r, s = sign(keccak(b"\x02" + rlp.encode(fields)), secret)
        encoded: bytes = rlp.encode([*fields, v - 27, r, s])
        return "0x02" + encoded.hex()

    def sign_trades(self, pair: Pair, trades: Sequence[tuple[SignedOrder, SignedOrder]]) -> list[str]:
        """A transaction for each trade, all by the relayer of the pair."""
        calls = [encode_trade(maker.order.size, maker.order.price, maker, taker) for maker, taker in trades]
        return [self.sign(_relayer(pair), call) for call in calls]

    def get_nonce(self, pair: Pair) -> int:
        """Of the relayer's next transaction."""
        return self._nonces[_relayer(pair)]

    async def submit(
        self, pair: Pair, transactions: Sequence[str], accepted: Timings, mined: Timings, until: int
    ) -> None:
        """Send transactions in one request; `until`: the relayer's nonce behind them."""
        begun = time.perf_counter()
        await self._send(transactions)
        accepted.seconds.append(time.perf_counter() - begun)
        await self._wait(_relayer(pair), until)
        mined.seconds.append(time.perf_counter() - begun)

    async def read_collateral(self, account: int) -> int:
        """1e-6 USD."""
        return decode_last(await self._ask(encode_question(ACCOUNTS, account)))

    async def read_position(self, account: int) -> int:
        """Units of size."""
        return decode_last(await self._ask(encode_question(POSITION, account, MARKET)))

    async def read_gas(self) -> int:
        """Gas of the last transaction of the newest block that has any."""
        number = int(await self._call("eth_blockNumber"), 16)
        while True:
            block = await self._call("eth_getBlockByNumber", hex(number), False)
            if block["transactions"]:
                receipt = await self._call("eth_getTransactionReceipt", block["transactions"][-1])
                assert receipt["status"] == "0x1", "a trade was refused"
                return int(receipt["gasUsed"], 16)
            number -= 1

    async def _ask(self, data: bytes) -> bytes:
        call = {"to": "0x" + self._contract.hex(), "data": "0x" + data.hex()}
        return bytes.fromhex((await self._call("eth_call", call, "latest"))[2:])

    async def _send(self, transactions: Sequence[str]) -> None:
        requests = [
            {"jsonrpc": "2.0", "id": number, "method": "eth_sendRawTransaction", "params": [raw]}
            for number, raw in enumerate(transactions)
        ]
        async with self._session.post(self._url, json=requests) as response:
            for answer in await response.json():
                assert "result" in answer, answer

    async def _wait(self, sender: bytes, nonce: int) -> None:
        address = "0x" + address_of(sender).hex()
        for _ in range(round(PATIENCE / POLL)):
            if int(await self._call("eth_getTransactionCount", address, "latest"), 16) >= nonce:
                return
            await asyncio.sleep(POLL)
        raise AssertionError(f"not mined within {PATIENCE} s")

    async def _call(self, method: str, *params: object) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self._session.post(self._url, json=request) as response:
            answer = await response.json()
            assert "result" in answer, answer
            return answer["result"]


def _relayer(pair: Pair) -> bytes:
    return keccak(f"relayer {pair.number}".encode())

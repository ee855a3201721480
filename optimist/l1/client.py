"""Questions to an Ethereum node: JSON-RPC over HTTP, with deadlines, retries and several endpoints.

A call without a usable answer is tried again after a growing, random pause, at the next endpoint: connection
errors, timeouts, HTTP 429 and 5xx, "limit exceeded", answers that are no JSON-RPC. Every method used here may
be repeated without harm: sending the same signed transaction twice is one transaction. A refusal (RpcError)
is an answer and is not tried again.

Reads that belong together are made at one block HASH (`at`), so that no reorg can come between them.
"""

import asyncio
import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Self

import aiohttp
import msgspec
import structlog

from optimist.l1.errors import L1Inconsistent, L1Unavailable, RpcError
from optimist.l1.types import Header, Log, Receipt, SentTransaction, read_bytes, read_number, to_hex

log = structlog.get_logger(__name__)

Json = Any  # whatever JSON the method answers
Tag = Literal["latest", "safe", "finalized"]

LIMIT_EXCEEDED: Final = -32005
BATCH_LIMIT: Final = 100  # calls in one request: public providers refuse more
MAX_ANSWER_BYTES: Final = 256 << 20  # a look at many full batches is large, but not endless
_NOT_YET_KNOWN: Final = ("header not found", "unknown block", "block not found")


class _Retry(Exception):
    """An attempt gave nothing; `after` is the pause that the server asked for, in seconds."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class L1Client:
    """A connection to L1 through one or more endpoints: the one that answered last is asked first."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout: float = 10.0,
        attempts: int = 6,
        pause: float = 0.25,
        longest_pause: float = 8.0,
    ) -> None:
        """timeout: seconds for one attempt. attempts: how often a call is tried. pause: seconds before the
        second attempt, doubled with each further one up to longest_pause and cut at random by up to half.
        """
        if not urls:
            raise ValueError("an L1 client needs at least one URL")
        self._urls = list(urls)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._attempts = attempts
        self._pause = pause
        self._longest_pause = longest_pause
        self._session: aiohttp.ClientSession | None = None
        self._ids = itertools.count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def endpoint_count(self) -> int:
        """Among how many `turn_to_next` turns."""
        return len(self._urls)

    def turn_to_next(self) -> None:
        """Ask another endpoint first from now on: what this one says does not fit together."""
        self._urls.append(self._urls.pop(0))

    # -------------------------------------------------------------------------------------------- any call

    async def call(self, method: str, *params: Json) -> Json:
        """The result of one call. Raises RpcError or L1Unavailable."""
        answer = (await self._ask([(method, params)]))[0]
        if isinstance(answer, RpcError):
            raise answer
        return answer

    async def batch(self, calls: Sequence[tuple[str, Sequence[Json]]]) -> list[Json]:
        """The results of many calls, in order, in as few requests as allowed. Raises the first RpcError."""
        results: list[Json] = []
        for start in range(0, len(calls), BATCH_LIMIT):
            results += await self._ask(calls[start : start + BATCH_LIMIT])
        for result in results:
            if isinstance(result, RpcError):
                raise result
        return results

    # ----------------------------------------------------------------------------------------------- reads

    async def get_chain_id(self) -> int:
        """The chain that the endpoint is on."""
        return read_number(await self.call("eth_chainId"))

    async def get_header(self, which: int | bytes | Tag) -> Header | None:
        """Header by number, hash or tag; None when there is no such block."""
        answer = await self.call(*_header_call(which))
        return None if answer is None else Header.from_json(answer)

    async def get_headers(self, which: Sequence[int | bytes | Tag]) -> list[Header | None]:
        """Many headers in one request."""
        calls = [(method, params) for method, *params in map(_header_call, which)]
        return [None if answer is None else Header.from_json(answer) for answer in await self.batch(calls)]

    async def get_logs(self, addresses: Sequence[bytes], *, first: int, last: int) -> list[Log]:
        """Logs of contracts in the blocks first to last."""
        where = {"fromBlock": hex(first), "toBlock": hex(last)}
        answer = await self.call("eth_getLogs", {"address": [to_hex(a) for a in addresses], **where})
        return _read_logs(answer)

    async def get_logs_of_blocks(self, wanted: Sequence[tuple[bytes, Sequence[bytes]]]) -> list[Log]:
        """Logs of contracts in single blocks: `wanted` pairs a block hash with addresses."""
        calls = [
            ("eth_getLogs", ({"blockHash": to_hex(hash_), "address": [to_hex(a) for a in addresses]},))
            for hash_, addresses in wanted
        ]
        return [entry for answer in await self.batch(calls) for entry in _read_logs(answer)]

    async def eth_call(
        self, to: bytes, data: bytes, *, at: bytes, sender: bytes = b"", value: int = 0
    ) -> bytes:
        """What the contract returns, in the state after block `at` (hash). RpcError holds revert data."""
        request = _request(to, data, sender, value)
        return read_bytes(await self.call("eth_call", request, at_block(at)))

    async def get_code(self, address: bytes, at: bytes) -> bytes:
        """Code of a contract; empty when there is none."""
        return (await self.get_codes([address], at))[0]

    async def get_codes(self, addresses: Sequence[bytes], at: bytes) -> list[bytes]:
        """Code of many contracts in one request; empty where there is none."""
        calls = [("eth_getCode", (to_hex(address), at_block(at))) for address in addresses]
        return [read_bytes(answer) for answer in await self.batch(calls)]

    async def get_balance(self, address: bytes, at: bytes | None = None) -> int:
        """Wei of an account, in the state after block `at` (hash) or after the latest."""
        block = "latest" if at is None else at_block(at)
        return read_number(await self.call("eth_getBalance", to_hex(address), block))

    # ---------------------------------------------------------------------------------------- transactions

    async def get_nonce(self, address: bytes) -> int:
        """Number of transactions that an account has mined, latest."""
        return read_number(await self.call("eth_getTransactionCount", to_hex(address), "latest"))

    async def estimate_gas(self, sender: bytes, to: bytes, data: bytes, value: int = 0) -> int:
        """Gas that a transaction would use now. Raises RpcError with revert data when it would revert."""
        return read_number(await self.call("eth_estimateGas", _request(to, data, sender, value)))

    async def get_tip(self) -> int:
        """The tip per gas that the node suggests, wei."""
        return read_number(await self.call("eth_maxPriorityFeePerGas"))

    async def send_raw(self, transaction: bytes) -> bytes:
        """Hand in a signed transaction; returns its hash. Raises RpcError when it is refused."""
        return read_bytes(await self.call("eth_sendRawTransaction", to_hex(transaction)))

    async def get_receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        """Receipts of transactions; None where it is not mined."""
        calls = [("eth_getTransactionReceipt", (to_hex(hash_),)) for hash_ in hashes]
        return [None if answer is None else Receipt.from_json(answer) for answer in await self.batch(calls)]

    async def get_transactions(self, hashes: Sequence[bytes]) -> list[SentTransaction | None]:
        """Transactions in blocks; None where there is none in any, or none that the node remembers."""
        calls = [("eth_getTransactionByHash", (to_hex(hash_),)) for hash_ in hashes]
        return [
            None
            if answer is None or (isinstance(answer, dict) and not answer.get("blockHash"))
            else SentTransaction.from_json(answer)
            for answer in await self.batch(calls)
        ]

    async def get_standing(
        self, hashes: Sequence[bytes], sender: bytes
    ) -> tuple[list[Receipt | None], int, bool]:
        """Receipts, the sender's nonce, and whether the node has the last transaction: in one request."""
        calls: list[tuple[str, Sequence[Json]]] = [
            ("eth_getTransactionReceipt", (to_hex(each),)) for each in hashes
        ]
        calls += [
            ("eth_getTransactionCount", (to_hex(sender), "latest")),
            ("eth_getTransactionByHash", (to_hex(hashes[-1]),)),
        ]
        *receipts, nonce, known = await self.batch(calls)
        found = [None if answer is None else Receipt.from_json(answer) for answer in receipts]
        return found, read_number(nonce), known is not None

    async def is_known(self, hash_: bytes) -> bool:
        """Whether the node has the transaction, mined or waiting."""
        return await self.call("eth_getTransactionByHash", to_hex(hash_)) is not None

    # ------------------------------------------------------------------------------------------- transport

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Json]]]) -> list[Json]:
        """Results, RpcErrors among them, in the order of the calls."""
        reason = ""
        for attempt in range(self._attempts):
            try:
                return await self._attempt(calls)
            except _Retry as retry:
                reason = str(retry)
                log.debug(
                    "l1_retry", method=calls[0][0], attempt=attempt + 1, reason=reason, url=self._urls[0]
                )
                self.turn_to_next()
                if attempt + 1 < self._attempts:
                    await asyncio.sleep(
                        max(self._compute_pause(attempt), min(retry.after, self._longest_pause))
                    )
        raise L1Unavailable(f"{calls[0][0]}: no usable answer in {self._attempts} attempts; last: {reason}")

    def _compute_pause(self, attempt: int) -> float:
        longest = min(self._pause * 2.0**attempt, self._longest_pause)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load; guards nothing

    async def _attempt(self, calls: Sequence[tuple[str, Sequence[Json]]]) -> list[Json]:
        requests = [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}
            for method, params in calls
        ]
        body = msgspec.json.encode(requests if len(requests) > 1 else requests[0])
        answers = _decode(await self._post(body))
        if len(requests) == 1 or isinstance(answers, dict):
            answers = [answers]
        if not isinstance(answers, list):
            raise _Retry("the answer is no JSON-RPC")
        by_id = {
            answer["id"]: answer
            for answer in answers
            if isinstance(answer, dict) and isinstance(answer.get("id"), int)
        }
        return [_result(request, by_id.get(request["id"]) or _only_error(answers)) for request in requests]

    async def _post(self, body: bytes) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self._urls[0], data=body, headers=headers) as response:
                if response.status == 429 or response.status >= 500:
                    raise _Retry(f"HTTP {response.status}", _retry_after(response.headers.get("Retry-After")))
                answer = bytearray()
                async for part in response.content.iter_any():
                    answer += part
                    if len(answer) > MAX_ANSWER_BYTES:
                        raise _Retry(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
                if response.status >= 400 and not answer.lstrip().startswith((b"{", b"[")):
                    raise _Retry(f"HTTP {response.status}")
        except TimeoutError:
            raise _Retry(f"no answer within {self._timeout.total} s") from None
        except aiohttp.ClientError as error:
            raise _Retry(_describe(error)) from None
        return bytes(answer)


def _describe(error: aiohttp.ClientError) -> str:
    """The error without the URL, which may hold a key: those about a response or a redirect would show it."""
    kind = type(error).__name__
    return f"{kind}: {error}" if isinstance(error, aiohttp.ClientConnectionError) else kind


def at_block(block_hash: bytes) -> Json:
    """The EIP-1898 parameter that names a block by its hash, and refuses one that is not canonical."""
    return {"blockHash": to_hex(block_hash), "requireCanonical": True}


def _header_call(which: int | bytes | str) -> tuple[str, Json, bool]:
    if isinstance(which, bytes):
        return "eth_getBlockByHash", to_hex(which), False
    return "eth_getBlockByNumber", hex(which) if isinstance(which, int) else which, False


def _request(to: bytes, data: bytes, sender: bytes, value: int) -> Json:
    request = {"data": to_hex(data), "value": hex(value)}
    if to:  # nobody: a contract is created
        request["to"] = to_hex(to)
    return {**request, "from": to_hex(sender)} if sender else request


def _decode(answer: bytes) -> Json:
    try:
        return msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        raise _Retry("the answer is no JSON") from None


def _read_logs(answer: Json) -> list[Log]:
    if not isinstance(answer, list):
        raise L1Inconsistent(f"malformed logs: {str(answer)[:60]!r}")
    return [Log.from_json(entry) for entry in answer]


def _only_error(answers: list[Json]) -> Json:
    """Some servers answer a batch they refuse with one error that belongs to no call."""
    return (
        answers[0] if len(answers) == 1 and isinstance(answers[0], dict) and answers[0].get("error") else None
    )


def _result(request: Mapping[str, Json], answer: Json) -> Json:
    if answer is None:
        raise _Retry(f"{request['method']}: no answer to this call")
    error = answer.get("error")
    if error is None:
        if "result" not in answer:
            raise _Retry(f"{request['method']}: neither result nor error")
        return answer["result"]
    if not isinstance(error, dict):
        raise _Retry(f"{request['method']}: {error}")
    code, message = error.get("code", 0), str(error.get("message", ""))
    if not isinstance(code, int):
        raise _Retry(f"{request['method']}: {message}")
    if code == LIMIT_EXCEEDED or any(text in message.lower() for text in _NOT_YET_KNOWN):
        raise _Retry(f"{request['method']}: {message}")
    return RpcError(str(request["method"]), code, message, _revert_data(error.get("data")))


def _revert_data(data: Json) -> bytes | None:
    """Revert data as the different clients send it: "0x...", or an object that holds it."""
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    if isinstance(data, str) and data.startswith("0x"):
        try:
            return bytes.fromhex(data[2:])
        except ValueError:
            return None
    return None


def _retry_after(value: str | None) -> float:
    return float(value) if value is not None and value.isascii() and value.isdigit() else 0.0


def require_header(header: Header | None, what: object) -> Header:
    """`header`, or L1Inconsistent when the node did not have a block that must exist."""
    if header is None:
        raise L1Inconsistent(f"L1 has no block {to_hex(what) if isinstance(what, bytes) else what}")
    return header

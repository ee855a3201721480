"""The client against a real HTTP server that misbehaves by script."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from optimist.l1.client import L1Client
from optimist.l1.contracts import Contract
from optimist.l1.errors import L1Error, L1Inconsistent, L1Unavailable, RpcError

pytestmark = pytest.mark.asyncio

Answer = Callable[[Any], Awaitable[web.Response]]


class ScriptedServer:
    """Answers each request with the next behaviour of the script; the last one goes on for ever."""

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.requests: list[Any] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        behaviour = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await behaviour(body)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    app = web.Application()
    app.router.add_post("/", scripted.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield scripted
    await runner.cleanup()


def reply(body: Any) -> Any:
    """The method's name as the result of every call."""
    if isinstance(body, list):
        return [reply(call) for call in body]
    return {"jsonrpc": "2.0", "id": body["id"], "result": body["method"]}


async def good(body: Any) -> web.Response:
    return web.json_response(reply(body))


async def reversed_batch(body: Any) -> web.Response:
    return web.json_response(list(reversed(reply(body))))


async def hang(body: Any) -> web.Response:
    del body
    await asyncio.sleep(30)
    return web.Response()


def status(code: int, text: str = "", headers: dict[str, str] | None = None) -> Answer:
    async def answer(body: Any) -> web.Response:
        del body
        return web.Response(status=code, text=text, headers=headers)

    return answer


def error(code: int, message: str, data: Any = None) -> Answer:
    async def answer(body: Any) -> web.Response:
        content = {"code": code, "message": message, **({} if data is None else {"data": data})}
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], "error": content})

    return answer


def raw(text: str) -> Answer:
    return status(200, text)


def client(*urls: str, attempts: int = 4) -> L1Client:
    return L1Client(urls, timeout=0.3, attempts=attempts, pause=0.001, longest_pause=0.05)


@pytest.mark.parametrize(
    "fault",
    [
        status(429),
        status(429, headers={"Retry-After": "0"}),
        status(503),
        status(401, "wrong key"),
        hang,
        raw("not json"),
        raw("[]"),
        raw('"x"'),
        raw("{}"),
        raw('{"jsonrpc": "2.0", "id": 999999, "result": "somebody else\'s"}'),
        error(-32005, "limit exceeded"),
        error(-32000, "header not found"),
        raw('{"id": 1, "error": {"code": null}}'),
        status(429, headers={"Retry-After": "\xb2"}),
    ],
)
async def test_fault_is_retried_until_a_good_answer(server: ScriptedServer, fault: Answer) -> None:
    server.script = [fault, fault, good]
    async with client(server.url) as l1:
        assert await l1.call("eth_x") == "eth_x"
    assert len(server.requests) == 3


async def test_gives_up_after_all_attempts_and_says_why(server: ScriptedServer) -> None:
    server.script = [status(503)]
    async with client(server.url, attempts=3) as l1:
        with pytest.raises(L1Unavailable, match=r"eth_x: no usable answer in 3 attempts; last: HTTP 503"):
            await l1.call("eth_x")
    assert len(server.requests) == 3


async def test_refused_connection_is_unavailable() -> None:
    async with client("http://127.0.0.1:9/", attempts=2) as l1:
        with pytest.raises(L1Unavailable, match="ClientConnectorError"):
            await l1.call("eth_x")


async def test_key_in_a_url_is_not_shown_when_the_endpoint_redirects(server: ScriptedServer) -> None:
    secret = f"{server.url}?key=secret"
    for where in (secret, "ftp://elsewhere/secret"):
        server.script = [status(307, headers={"Location": where})]
        async with client(secret, attempts=1) as l1:
            with pytest.raises(L1Unavailable, match="Redirect") as caught:
                await l1.call("eth_x")
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("answer", [None, 7, "", "no hex", "0xzz", ["0x01"], {"a": "0x01"}])
async def test_answer_that_is_no_code_and_no_number_is_an_error_of_l1(
    server: ScriptedServer, answer: Any
) -> None:
    async def reply_with(body: Any) -> web.Response:
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], "result": answer})

    server.script = [reply_with]
    async with client(server.url, attempts=1) as l1:
        with pytest.raises(L1Inconsistent, match="malformed"):
            await l1.get_chain_id()
        with pytest.raises(L1Inconsistent, match="malformed"):
            await l1.get_code(b"\x01" * 20, b"\x02" * 32)
        if answer is not None and not isinstance(answer, dict):
            with pytest.raises(L1Inconsistent, match="malformed"):
                await l1.get_transactions([b"\x03" * 32])


JUNK = [
    None, True, 7, -1.5, "", "0x", "0xzz", "-0x1", "0x" + "f" * 5_000, [], [None], ["0x01"], [["0x01"]], {},
    {"hash": 7, "number": None}, [{"address": 1, "topics": None}], {"transactionHash": 1, "logs": 7},
]  # fmt: skip
WORD, ADDRESS = b"\x02" * 32, b"\x01" * 20
INBOX = Contract.named("Inbox", ADDRESS)
QUESTIONS: dict[str, Callable[[L1Client], Awaitable[Any]]] = {
    "chain id": lambda l1: l1.get_chain_id(),
    "header": lambda l1: l1.get_header("latest"),
    "headers": lambda l1: l1.get_headers([1]),
    "logs": lambda l1: l1.get_logs([ADDRESS], first=1, last=2),
    "logs of blocks": lambda l1: l1.get_logs_of_blocks([(WORD, [ADDRESS])]),
    "call": lambda l1: l1.eth_call(ADDRESS, b"", at=WORD),
    "contract": lambda l1: INBOX.read(l1, WORD, "getBatch", 1),
    "codes": lambda l1: l1.get_codes([ADDRESS], WORD),
    "balance": lambda l1: l1.get_balance(ADDRESS),
    "nonce": lambda l1: l1.get_nonce(ADDRESS),
    "gas": lambda l1: l1.estimate_gas(ADDRESS, ADDRESS, b""),
    "tip": lambda l1: l1.get_tip(),
    "sent": lambda l1: l1.send_raw(b""),
    "receipts": lambda l1: l1.get_receipts([WORD]),
    "transactions": lambda l1: l1.get_transactions([WORD]),
    "standing": lambda l1: l1.get_standing([WORD], ADDRESS),
    "known": lambda l1: l1.is_known(WORD),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
async def test_no_answer_is_more_than_an_error_of_l1(
    server: ScriptedServer, question: Callable[[L1Client], Awaitable[Any]]
) -> None:
    """Whatever an endpoint makes up, a program waits it out, and asks another one: it does not fall over."""
    refused = 0
    async with client(server.url, attempts=1) as l1:
        for junk in JUNK:
            for part in ("result", "error", "id"):

                def answer(call: Any, part: str = part, junk: Any = junk) -> Any:
                    return {"id": call["id"], "result": "0x01", part: junk}

                async def reply_with(body: Any, answer: Callable[[Any], Any] = answer) -> web.Response:
                    return web.json_response(
                        list(map(answer, body)) if isinstance(body, list) else answer(body)
                    )

                server.script = [reply_with]
                try:
                    await question(l1)
                except L1Error:
                    refused += 1
        for text in ("[" * 5_000, '{"a":' * 5_000):
            server.script = [raw(text)]
            with pytest.raises(L1Unavailable, match="no JSON"):
                await question(l1)
    assert refused >= len(JUNK)


async def test_next_endpoint_takes_over(server: ScriptedServer) -> None:
    server.script = [good]
    async with client("http://127.0.0.1:9/", server.url) as l1:
        assert await l1.call("eth_x") == "eth_x"
        assert await l1.call("eth_y") == "eth_y"


async def test_refusal_is_an_answer_and_is_not_repeated(server: ScriptedServer) -> None:
    server.script = [error(3, "execution reverted", "0xdeadbeef")]
    async with client(server.url) as l1:
        with pytest.raises(RpcError) as refusal:
            await l1.call("eth_call")
    assert (refusal.value.code, refusal.value.data) == (3, b"\xde\xad\xbe\xef")
    assert len(server.requests) == 1


@pytest.mark.parametrize("data", [{"data": "0x12"}, {"result": "0x12"}, "0x12"])
async def test_revert_data_is_found_wherever_a_node_puts_it(server: ScriptedServer, data: Any) -> None:
    server.script = [error(-32000, "execution reverted", data)]
    async with client(server.url) as l1:
        with pytest.raises(RpcError) as refusal:
            await l1.call("eth_call")
    assert refusal.value.data == b"\x12"


async def test_batch_keeps_the_order_whatever_order_the_answers_have(server: ScriptedServer) -> None:
    server.script = [reversed_batch]
    async with client(server.url) as l1:
        calls: list[tuple[str, list[Any]]] = [(f"eth_{i}", []) for i in range(7)]
        assert await l1.batch(calls) == [f"eth_{i}" for i in range(7)]


async def test_large_batch_is_split(server: ScriptedServer) -> None:
    server.script = [good]
    async with client(server.url) as l1:
        calls: list[tuple[str, list[Any]]] = [(f"eth_{i}", []) for i in range(250)]
        assert await l1.batch(calls) == [f"eth_{i}" for i in range(250)]
    assert [len(request) for request in server.requests] == [100, 100, 50]


async def test_batch_with_a_missing_answer_is_asked_again(server: ScriptedServer) -> None:
    async def without_last(body: Any) -> web.Response:
        return web.json_response(reply(body)[:-1])

    server.script = [without_last, good]
    async with client(server.url) as l1:
        assert await l1.batch([("a", []), ("b", [])]) == ["a", "b"]
    assert len(server.requests) == 2


async def test_malformed_header_is_inconsistent_not_a_crash(server: ScriptedServer) -> None:
    async def half(body: Any) -> web.Response:
        return web.json_response({"id": body["id"], "result": {"number": "0x1"}})

    server.script = [half]
    async with client(server.url) as l1:
        with pytest.raises(L1Inconsistent, match="malformed block header"):
            await l1.get_header("latest")


async def test_reads_name_their_block_by_hash(server: ScriptedServer) -> None:
    async def zero(body: Any) -> web.Response:
        return web.Response(text=json.dumps({"id": body["id"], "result": "0x"}))

    server.script = [zero]
    async with client(server.url) as l1:
        await l1.eth_call(b"\x01" * 20, b"\x02", at=b"\x03" * 32)
    assert server.requests[0]["params"][1] == {"blockHash": "0x" + "03" * 32, "requireCanonical": True}

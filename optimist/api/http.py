"""HTTP in front of the sequencer: one door for signed actions, reads, and the stream."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from aiohttp import web

from optimist.api.errors import ApiError, ErrorCode, api_error
from optimist.api.hub import Hub
from optimist.api.limits import (
    COST_OF_HISTORY,
    COST_OF_READING,
    COST_OF_WHAT_IF,
    LONGEST_PAUSE,
    Budget,
    GuardedSite,
    Limits,
    find_address,
)
from optimist.api.parts import Door, Purse, Reader, describe_results
from optimist.api.schema import parse_action, parse_actions
from optimist.api.stream import Streams
from optimist.node.history import READ_AT_ONCE
from optimist.node.receipts import Place, parse_place
from optimist.node.what_if import HypotheticalTrade
from optimist.stf.constants import MAX_PRICE, MAX_SIZE

log = structlog.get_logger(__name__)

UINT64_DIGITS = 20
STOP_GRACE = 1.0  # s for requests that are being answered when the sequencer stops
INPUTS = "Optimist-Inputs"  # of every read: how many sequenced inputs it knows of
L1_SECOND = "Optimist-L1-Second"  # and until when it knows L1
MAX_BODY_BYTES = 256 * 1024  # 64 actions; the largest is a price update of seven signatures, below 2 KiB

DEPTH = 100  # levels of a book, unless asked for otherwise
MAX_DEPTH = 1_000
ENTRIES = 100  # of a history, unless asked for otherwise

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an API is made of."""

    door: Door
    reader: Reader
    hub: Hub
    limits: Limits = field(default_factory=Limits)


class _Api:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._door = parts.door
        self._reader = parts.reader
        self._limits = parts.limits
        self._budget = Budget(parts.limits.rate, parts.limits.burst, time.monotonic)
        self._streams = Streams(parts.door, parts.reader, parts.hub, parts.limits)

    def make_application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_answer_errors])
        application.add_routes(
            [web.post("/v1/actions", self.post_actions), web.get("/v1/stream", self.stream)]
        )
        reads: tuple[tuple[str, Callable[[web.Request], Any], int], ...] = (
            ("/v1/status", lambda _: self._door.status(), COST_OF_READING),
            ("/v1/network", lambda _: self._reader.network(), COST_OF_READING),
            ("/v1/markets", lambda _: self._reader.markets(), COST_OF_READING),
            ("/v1/markets/{market}", self.get_market, COST_OF_READING),
            ("/v1/markets/{market}/book", self.get_book, COST_OF_READING),
            ("/v1/markets/{market}/trades", self.get_trades, COST_OF_READING),
            ("/v1/accounts/{account}", self.get_account, COST_OF_READING),
            ("/v1/accounts/{account}/orders", self.get_orders, COST_OF_READING),
            ("/v1/accounts/{account}/history", self.get_history, COST_OF_HISTORY),
            ("/v1/accounts/{account}/what-if", self.get_what_if, COST_OF_WHAT_IF),
            ("/v1/inputs/{input}", self.get_input, COST_OF_READING),
        )
        application.add_routes([web.get(path, self._read(answer, cost)) for path, answer, cost in reads])
        application.on_shutdown.append(self._close_streams)
        return application

    async def _close_streams(self, _: web.Application) -> None:
        await self._streams.close()

    def _get_purse(self, request: web.Request) -> Purse:
        return Purse(self._budget, find_address(request, is_proxied=self._limits.is_proxied))

    def _read(self, answer: Callable[[web.Request], Any], cost: int) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            self._get_purse(request).spend(cost)
            response = _answer(answer(request))
            inputs, second = self._reader.as_of()
            response.headers[INPUTS], response.headers[L1_SECOND] = str(inputs), str(second)
            return response

        return handle

    async def post_actions(self, request: web.Request) -> web.Response:
        purse = self._get_purse(request)
        try:
            async with asyncio.timeout(self._limits.body):
                body = await request.read()
        except TimeoutError:
            raise api_error(
                ErrorCode.REQUEST_TIMEOUT, f"the body did not come within {self._limits.body} s"
            ) from None
        if body.lstrip()[:1] == b"[":
            actions = purse.pay_for_parsing(parse_actions, body)
            results, confirmation = await self._door.submit_all(actions)
            purse.charge_for(results)
            return _answer({"results": describe_results(results), "confirmation": confirmation})
        actions = purse.pay_for_parsing(lambda single: [parse_action(single)], body)
        [result], confirmation = await self._door.submit_all(actions)
        if isinstance(result, ApiError):
            purse.charge_for((result,))
            raise result
        return _answer({**msgspec.to_builtins(result), "confirmation": confirmation})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        return await self._streams.serve(request, self._get_purse(request))

    def get_market(self, request: web.Request) -> Any:
        return self._reader.market(_index(request, "market"))

    def get_book(self, request: web.Request) -> Any:
        depth = _query(request, "depth", DEPTH, MAX_DEPTH)
        return self._reader.book(_index(request, "market"), depth)

    def get_trades(self, request: web.Request) -> Any:
        return self._reader.trades(_index(request, "market"))

    def get_account(self, request: web.Request) -> Any:
        return self._reader.account(_index(request, "account"))

    def get_orders(self, request: web.Request) -> Any:
        return self._reader.orders(_index(request, "account"))

    def get_history(self, request: web.Request) -> Any:
        after, limit = _place(request), _query(request, "limit", ENTRIES, READ_AT_ONCE)
        return self._reader.history(_index(request, "account"), after, limit)

    def get_what_if(self, request: web.Request) -> Any:
        trade, prices = _trade(request), _prices(request)
        return self._reader.what_if(_index(request, "account"), trade, prices)

    def get_input(self, request: web.Request) -> Any:
        return self._reader.input(request.match_info["input"])


def make_application(parts: Parts) -> web.Application:
    """The application; `start_server` serves it."""
    return _Api(parts).make_application()


async def start_server(parts: Parts, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve until `runner.cleanup()`; returns the runner and the port (0 picks a free one)."""
    runner = web.AppRunner(
        make_application(parts),
        access_log=None,
        keepalive_timeout=parts.limits.idle,
        shutdown_timeout=STOP_GRACE,
    )
    await runner.setup()
    site = GuardedSite(runner, host, port, parts.limits)
    await site.start()
    log.info("api_listening", url=f"http://{host}:{site.port}")
    return runner, site.port


def _answer(answer: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def _index(request: web.Request, name: str) -> int:
    return _number(name, request.match_info[name])


def _query(request: web.Request, name: str, otherwise: int, most: int) -> int:
    value = _number(name, request.query.get(name, str(otherwise)))
    if value > most:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"{name} is at most {most}, not {value}")
    return value


def _place(request: web.Request) -> Place:
    try:
        return parse_place(request.query.get("after", "0.0"))
    except ValueError as error:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"after: {error}") from None


def _trade(request: web.Request) -> HypotheticalTrade | None:
    """`trade=0:-100:6400000000000`: market, signed size, price."""
    text = request.query.get("trade")
    if text is None:
        return None
    if text.count(":") != 2:
        raise api_error(ErrorCode.MALFORMED_REQUEST, "trade is market:size:price, such as 0:-5:6400000000000")
    market, size, price = text.split(":")
    magnitude = _number("the size of the trade", size.removeprefix("-"), UINT64_DIGITS)
    trade = HypotheticalTrade(
        _number("the market of the trade", market),
        -magnitude if size.startswith("-") else magnitude,
        _number("the price of the trade", price, UINT64_DIGITS),
    )
    if not (0 < magnitude <= MAX_SIZE and 0 < trade.price <= MAX_PRICE):
        raise api_error(
            ErrorCode.MALFORMED_REQUEST,
            f"a trade has a size of 1..{MAX_SIZE}, and a price of 1..{MAX_PRICE}",
        )
    return trade


def _prices(request: web.Request) -> dict[int, int]:
    """`prices=0:6400000000000,1:200000000000`."""
    prices = {}
    for part in filter(None, request.query.get("prices", "").split(",")):
        market, _, price = part.partition(":")
        prices[_number("a market of prices", market)] = _number("a price", price, UINT64_DIGITS)
    return prices


def _number(name: str, text: str, digits: int = 12) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"{name} must be a number, not {text[:20]!r}")
    return int(text)


@web.middleware
async def _answer_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Every answer is JSON; what the client did wrong is never a 5xx."""
    try:
        response: web.StreamResponse = await handler(request)
    except ApiError as error:
        if error.number == ErrorCode.RATE_LIMITED.number:
            # Whoever floods waits with his connection, of which he has but so many.
            await asyncio.sleep(min(error.details["retry_after_ms"] / 1_000, LONGEST_PAUSE))
        return _to_response(error)
    except web.HTTPRequestEntityTooLarge:
        return _to_response(
            api_error(ErrorCode.REQUEST_TOO_LARGE, f"a request has at most {MAX_BODY_BYTES} bytes")
        )
    except web.HTTPNotFound:
        return _to_response(api_error(ErrorCode.NOT_FOUND, f"there is no {request.path[:80]!r}"))
    except web.HTTPMethodNotAllowed as refused:
        allowed = ", ".join(sorted(refused.allowed_methods))
        response = _to_response(api_error(ErrorCode.METHOD_NOT_ALLOWED, f"use {allowed}"))
        response.headers["Allow"] = allowed
    return response


def _to_response(error: ApiError) -> web.Response:
    return web.json_response(error.to_json(), status=error.status)

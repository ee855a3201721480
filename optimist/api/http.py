"""HTTP in front of the sequencer: `POST /v1/actions` and a few reads; on 127.0.0.1 unless told otherwise."""

from typing import Any, Protocol

import msgspec
import structlog
from aiohttp import web

from optimist.api.errors import ApiError, ErrorCode, api_error
from optimist.api.schema import ActionAnswer, ParsedAction, parse_action
from optimist.node.receipts import Place, parse_place
from optimist.node.what_if import HypotheticalTrade
from optimist.stf.constants import MAX_PRICE, MAX_SIZE

log = structlog.get_logger(__name__)

UINT64_DIGITS = 20
STOP_GRACE = 1.0  # s for requests that are being answered when the sequencer stops
MAX_BODY_BYTES = 16_384  # the largest action is a price update of seven signatures, below 2 KiB


class Door(Protocol):
    """What stands behind the API."""

    async def submit(self, action: ParsedAction) -> ActionAnswer:
        """Sequence an action and answer once it is safe on disk. Raises ApiError."""
        ...

    def status(self) -> dict[str, Any]:
        """Heads, backlog, readiness."""
        ...

    def account(self, account: int) -> dict[str, Any]:
        """An account as the sequencer sees it. Raises ApiError."""
        ...

    def history(self, account: int, after: Place, limit: int) -> dict[str, Any]:
        """What the law noted of an account, in batches that are on L1, oldest first. Raises ApiError."""
        ...

    def what_if(
        self, account: int, trade: HypotheticalTrade | None, prices: dict[int, int]
    ) -> dict[str, Any]:
        """What an account would be worth after a trade and at other prices. Raises ApiError."""
        ...

    def market(self, market: int) -> dict[str, Any]:
        """A market and its book. Raises ApiError."""
        ...

    def network(self) -> dict[str, Any]:
        """What a client needs to sign: chain id, Vault, preset, image root."""
        ...


def make_application(door: Door) -> web.Application:
    """The application; `run_application` serves it."""
    application = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_answer_errors])

    async def post_action(request: web.Request) -> web.Response:
        body = await request.read()
        answer = await door.submit(parse_action(body))
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def get_status(_: web.Request) -> web.Response:
        return web.json_response(door.status())

    async def get_network(_: web.Request) -> web.Response:
        return web.json_response(door.network())

    async def get_account(request: web.Request) -> web.Response:
        return web.json_response(door.account(_index(request, "account")))

    async def get_history(request: web.Request) -> web.Response:
        after, limit = _place(request), _number("limit", request.query.get("limit", "100"))
        return web.json_response(door.history(_index(request, "account"), after, limit))

    async def get_what_if(request: web.Request) -> web.Response:
        trade, prices = _trade(request), _prices(request)
        return web.json_response(door.what_if(_index(request, "account"), trade, prices))

    async def get_market(request: web.Request) -> web.Response:
        return web.json_response(door.market(_index(request, "market")))

    application.add_routes(
        [
            web.post("/v1/actions", post_action),
            web.get("/v1/status", get_status),
            web.get("/v1/network", get_network),
            web.get("/v1/accounts/{account}", get_account),
            web.get("/v1/accounts/{account}/history", get_history),
            web.get("/v1/accounts/{account}/what-if", get_what_if),
            web.get("/v1/markets/{market}", get_market),
        ]
    )
    return application


async def start_server(door: Door, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve until `runner.cleanup()`; returns the runner and the port (0 picks a free one)."""
    runner = web.AppRunner(
        make_application(door), access_log=None, keepalive_timeout=30.0, shutdown_timeout=STOP_GRACE
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    bound: int = runner.addresses[0][1]
    log.info("api_listening", url=f"http://{host}:{bound}")
    return runner, bound


def _index(request: web.Request, name: str) -> int:
    return _number(name, request.match_info[name])


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
        return _to_response(error)
    except web.HTTPRequestEntityTooLarge:
        return _to_response(
            api_error(ErrorCode.REQUEST_TOO_LARGE, f"a request has at most {MAX_BODY_BYTES} bytes")
        )
    except web.HTTPNotFound:
        return _to_response(api_error(ErrorCode.NOT_FOUND, f"there is no {request.path[:80]!r}"))
    except web.HTTPMethodNotAllowed as refused:
        allowed = ", ".join(sorted(refused.allowed_methods))
        return _to_response(api_error(ErrorCode.METHOD_NOT_ALLOWED, f"use {allowed}"))
    return response


def _to_response(error: ApiError) -> web.Response:
    return web.json_response(error.to_json(), status=error.status)

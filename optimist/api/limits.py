"""How much anybody may ask: token buckets, bounded in memory; who asks; how many connections there may be."""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from optimist.api.errors import ErrorCode, api_error

MOST_KEYS = 65_536  # buckets kept; the one that was not used for longest is forgotten first

# What a request costs, in tokens. One token is one action.
COST_OF_READING = 1
COST_OF_HISTORY = 5  # reads the disk
COST_OF_WHAT_IF = 20  # some milliseconds of computing
COST_OF_SUBSCRIBING = 5
COST_OF_NONSENSE = 20  # on top, for what cannot be parsed: no honest program sends it
COST_OF_BAD_SIGNATURE = 20  # on top, for each: recovering it cost more than anything else

LONGEST_PAUSE = 1.0  # seconds that a connection over its budget waits for its answer, or for being read again


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one API serves."""

    rate: float = 1_000.0  # tokens a second for one address
    burst: float = 2_000.0
    connections: int = 1_000
    connections_per_address: int = 100
    subscriptions: int = 100  # of one connection
    idle: float = 20.0  # seconds for the head of a request, and between two requests
    body: float = 10.0  # seconds for the body of a request
    is_proxied: bool = False  # the address is the last one in X-Forwarded-For


class Budget:
    """Token buckets: each fills at `rate` a second up to `burst`."""

    def __init__(self, rate: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._monotonic = monotonic
        self._buckets: OrderedDict[str | int, tuple[float, float]] = OrderedDict()  # tokens, when

    def spend(self, key: str | int, tokens: float) -> None:
        """Take tokens. Raises ApiError RATE_LIMITED, which says when to come back, and takes none."""
        left = self.get(key)
        if left < min(tokens, self._burst):
            wait = (min(tokens, self._burst) - left) / self._rate
            raise api_error(
                ErrorCode.RATE_LIMITED,
                f"too many requests: come back in {wait:.3f} s",
                retry_after_ms=int(wait * 1_000) + 1,
            )
        self._put(key, left - tokens)

    def charge(self, key: str | int, tokens: float) -> None:
        """Take tokens even where there are none: then the next ones come later, by at most a whole burst."""
        self._put(key, max(self.get(key) - tokens, -self._burst))

    def get(self, key: str | int) -> float:
        """Tokens in a bucket now."""
        tokens, when = self._buckets.get(key, (self._burst, 0.0))
        return min(self._burst, tokens + (self._monotonic() - when) * self._rate)

    def __len__(self) -> int:
        """Buckets in memory."""
        return len(self._buckets)

    def _put(self, key: str | int, tokens: float) -> None:
        self._buckets[key] = (tokens, self._monotonic())
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_KEYS:
            self._buckets.popitem(last=False)


def find_address(request: web.BaseRequest, *, is_proxied: bool) -> str:
    """Whose budget a request is on: an IPv4 address, or the /64 of an IPv6 one."""
    address = request.remote or ""
    if is_proxied:
        address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
    return normalize_address(address)


def normalize_address(address: str) -> str:
    """An address as a key; an empty or broken one is a key too."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class GuardedSite(web.BaseSite):
    """Listens like `web.TCPSite`, but refuses connections beyond the caps before anything is read of them."""

    def __init__(self, runner: web.AppRunner, host: str, port: int, limits: Limits) -> None:
        super().__init__(runner)
        self._host = host
        self._port = port
        self._limits = limits
        self._open: dict[str, set[asyncio.BaseTransport]] = {}
        self.refused = 0

    @property
    def name(self) -> str:
        """Where it listens."""
        return f"http://{self._host}:{self._port}"

    @property
    def open_connections(self) -> int:
        """Connections that are not closed."""
        return sum(len(transports) for transports in self._open.values())

    async def start(self) -> None:
        """Listen."""
        await super().start()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Gate(self), self._host, self._port, backlog=128)

    @property
    def port(self) -> int:
        """The port it listens on, once it does."""
        found: int = self._runner.addresses[0][1]
        return found

    def admit(self, transport: asyncio.BaseTransport) -> bool:
        """Whether a new connection is within the caps. It counts until its transport is closing."""
        peer = transport.get_extra_info("peername")
        key = normalize_address(peer[0] if peer else "")
        for address in (key, *self._find_crowded()):
            still_open = {each for each in self._open.get(address, ()) if not each.is_closing()}
            self._open[address] = still_open
            if not still_open:
                del self._open[address]
        of_this = self._open.setdefault(key, set())
        # A proxy is one address for all its clients: there only the whole counts.
        most = self._limits.connections if self._limits.is_proxied else self._limits.connections_per_address
        if len(of_this) >= most or self.open_connections >= self._limits.connections:
            self.refused += 1
            return False
        of_this.add(transport)
        return True

    def make_handler(self) -> asyncio.Protocol:
        """What serves an admitted connection."""
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        handler: asyncio.Protocol = server()
        return handler

    def _find_crowded(self) -> list[str]:
        """Where to look for closed connections: nowhere, until the whole seems full."""
        return list(self._open) if self.open_connections >= self._limits.connections else []


class _Gate(asyncio.Protocol):
    """The first protocol of a connection: hands it on to the server's own, or closes it."""

    def __init__(self, site: GuardedSite) -> None:
        self._site = site

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit or refuse."""
        if not isinstance(transport, asyncio.Transport) or not self._site.admit(transport):
            transport.close()
            return
        handler = self._site.make_handler()
        transport.set_protocol(handler)
        handler.connection_made(transport)

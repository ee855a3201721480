"""The door for operators: health, metrics and switches, apart from the door for traders.

    GET  /livez                       200: the event loop turns
    GET  /readyz                      200, or 503 with the reasons
    GET  /metrics                     Prometheus
    GET  /version
    GET  /admin/parts                 what can be stopped and started         } with the token of
    POST /admin/{part}/{start|stop}   batcher, proposer                       } <datadir>/admin-token
    POST /admin/log-level             {"level": "debug"}                      }

On 127.0.0.1 unless told otherwise: whoever can reach it learns how the business goes.
"""

import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import structlog
from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from optimist.ops.health import Health
from optimist.ops.lifecycle import Switch
from optimist.ops.logs import LEVELS, set_level
from optimist.ops.metrics import Metrics

log = structlog.get_logger(__name__)

TOKEN_FILE: Final = "admin-token"  # noqa: S105 - the name of a file
TOKEN_BYTES: Final = 32
MAX_BODY_BYTES: Final = 1_024
GRACE: Final = 1.0  # s for requests that are being answered when the program stops


class OpsPortTaken(Exception):
    """Somebody else listens there."""


class _LogLevel(msgspec.Struct, forbid_unknown_fields=True):
    level: str


@dataclass(frozen=True, slots=True)
class Surface:
    """What an operator sees of a program. Without a `token` there is nothing to switch."""

    program: str
    version: str
    metrics: Metrics
    health: Health
    switches: Mapping[str, Switch] = field(default_factory=dict)
    token: str = ""

    def __repr__(self) -> str:
        """Without the token."""
        return f"<Surface {self.program}>"


def load_token(directory: Path) -> str:
    """The admin token of a data directory; made, readable by its owner alone, when there is none."""
    file = directory / TOKEN_FILE
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    token = secrets.token_hex(TOKEN_BYTES)
    with os.fdopen(handle, "w") as written:
        written.write(token + "\n")
    return token


def make_application(surface: Surface) -> web.Application:
    """The application; `start_ops_server` serves it."""
    application = web.Application(client_max_size=MAX_BODY_BYTES)

    async def get_livez(_: web.Request) -> web.Response:
        return _answer(200, alive=True)

    async def get_readyz(_: web.Request) -> web.Response:
        reasons = surface.health.find_reasons()
        return _answer(503 if reasons else 200, ready=not reasons, reasons=reasons)

    async def get_version(_: web.Request) -> web.Response:
        return _answer(200, program=surface.program, version=surface.version)

    application.add_routes(
        [
            web.get("/livez", get_livez),
            web.get("/readyz", get_readyz),
            web.get("/version", get_version),
            web.get("/metrics", make_aiohttp_handler(surface.metrics.registry)),
        ]
    )
    if surface.token:
        admin = _Admin(surface)
        application.add_routes(
            [
                web.get("/admin/parts", admin.get_parts),
                web.post("/admin/log-level", admin.post_log_level),
                web.post("/admin/{part}/{action:start|stop}", admin.post_action),
            ]
        )
    return application


async def start_ops_server(surface: Surface, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve until `runner.cleanup()`; returns the runner and the port (0 picks a free one).

    Raises OpsPortTaken.
    """
    runner = web.AppRunner(make_application(surface), access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise OpsPortTaken(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another port with --ops.port"
        ) from error
    bound: int = runner.addresses[0][1]
    log.info("ops_listening", program=surface.program, host=host, ops_port=bound)
    return runner, bound


def _answer(status: int, **content: object) -> web.Response:
    return web.json_response(content, status=status)


class _Admin:
    """What changes how the program runs: only with the token."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    async def get_parts(self, request: web.Request) -> web.Response:
        self._check(request)
        running = {name: switch.is_on for name, switch in self._surface.switches.items()}
        return _answer(200, running=running)

    async def post_action(self, request: web.Request) -> web.Response:
        self._check(request)
        name, action = request.match_info["part"], request.match_info["action"]
        switch = self._surface.switches.get(name)
        if switch is None:
            known = ", ".join(sorted(self._surface.switches)) or "nothing"
            return _answer(404, error=f"there is no {name!r} to {action} here: {known}")
        (switch.start if action == "start" else switch.stop)()
        return _answer(200, part=name, running=switch.is_on)

    async def post_log_level(self, request: web.Request) -> web.Response:
        self._check(request)
        try:
            wanted = msgspec.json.decode(await request.read(), type=_LogLevel).level
            set_level(wanted)
        except (msgspec.DecodeError, ValueError):
            return _answer(400, error=f'send {{"level": "..."}}, one of {", ".join(LEVELS)}')
        log.info("log_level_set", level=wanted)
        return _answer(200, level=wanted)

    def _check(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        # Headers may hold any bytes, which come as surrogates.
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), self._surface.token.encode()):
            log.warning("admin_refused", path=request.path)
            raise web.HTTPUnauthorized(
                text=f'send "Authorization: Bearer <token>"; it is in {TOKEN_FILE} of the data directory\n'
            )

"""`GET /v1/stream`: actions and market data over one WebSocket, every message a JSON object.

    {"op": "submit", "id": 1, "actions": [...]}        -> {"id": 1, "results": [...], "confirmation": {...}}
    {"op": "subscribe", "id": 2, "channels": [...]}    -> {"id": 2, "channels": [...]}, then snapshots
    {"op": "unsubscribe", "id": 3, "channels": [...]}  -> {"id": 3, "channels": [...]}
    {"op": "ping", "id": 4}                            -> {"id": 4}

What cannot be done is answered with {"id": ..., "error": {...}}; `id` is null where it could not be read.
Frames of one connection are matched in the order in which they came. Who reads too slowly is cut off with
close code 1013; who asks too much waits.
"""

import asyncio
from typing import Annotated, Any, Final

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from msgspec import Meta, Struct

from optimist.api.errors import ApiError, ErrorCode, api_error
from optimist.api.hub import Hub, Outbox
from optimist.api.limits import COST_OF_NONSENSE, COST_OF_SUBSCRIBING, LONGEST_PAUSE, Limits
from optimist.api.parts import Door, Purse, Reader, describe_results
from optimist.api.schema import parse_actions

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES: Final = 256 * 1024  # 64 of the largest actions
MOST_IN_FLIGHT: Final = 8  # frames of one connection that wait for the disk
HEARTBEAT: Final = 20.0  # seconds of silence after which a ping is sent; half as long later it is over

RequestId = Annotated[int, Meta(ge=0, lt=1 << 53)]


class _Request(Struct, tag_field="op", forbid_unknown_fields=True):
    """Base of what a client sends."""

    id: RequestId


class Submit(_Request, tag="submit"):
    """Sequence some actions."""

    actions: msgspec.Raw


class Subscribe(_Request, tag="subscribe"):
    """Listen to channels."""

    channels: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=100)]


class Unsubscribe(_Request, tag="unsubscribe"):
    """Listen no more."""

    channels: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=100)]


class Ping(_Request, tag="ping"):
    """Ask whether anybody is there."""


_decoder: msgspec.json.Decoder[Submit | Subscribe | Unsubscribe | Ping] = msgspec.json.Decoder(
    Submit | Subscribe | Unsubscribe | Ping
)
_encoder = msgspec.json.Encoder()


class Streams:
    """All open WebSockets."""

    def __init__(self, door: Door, reader: Reader, hub: Hub, limits: Limits) -> None:
        self._door = door
        self._reader = reader
        self._hub = hub
        self._limits = limits
        self._open: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request, purse: Purse) -> web.WebSocketResponse:
        """One connection, to its end."""
        socket = web.WebSocketResponse(
            timeout=1.0,
            heartbeat=HEARTBEAT,
            compress=False,
            max_msg_size=MAX_MESSAGE_BYTES,
            decode_text=False,
        )
        await socket.prepare(request)
        self._open.add(socket)
        connection = _Connection(socket, self._door, self._reader, self._hub, purse, self._limits)
        try:
            await connection.run()
        finally:
            self._open.discard(socket)
            if request.transport is not None:
                request.transport.abort()  # whoever does not read would keep it open for long
        return socket

    async def close(self) -> None:
        """Tell everybody that the server goes away."""
        for socket in list(self._open):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server stops", drain=False)


class _Connection:
    """One WebSocket: reads in order, answers through its outbox."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        door: Door,
        reader: Reader,
        hub: Hub,
        purse: Purse,
        limits: Limits,
    ) -> None:
        self._socket = socket
        self._door = door
        self._reader = reader
        self._hub = hub
        self._purse = purse
        self._limits = limits
        self._outbox = Outbox()
        self._channels: set[str] = set()
        self._in_flight = asyncio.Semaphore(MOST_IN_FLIGHT)
        self._frames: set[asyncio.Task[None]] = set()
        self._is_proven = False  # something in its last frame was good: until then one frame at a time

    async def run(self) -> None:
        """Until either side ends it, or its reader is too slow."""
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        overfull = asyncio.create_task(self._outbox.overfull.wait())
        tasks = (reading, writing, overfull)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if overfull.done():
                log.info("slow_reader_dropped", channels=len(self._channels))
                writing.cancel()
                await self._socket.close(
                    code=WSCloseCode.TRY_AGAIN_LATER, message=b"you read too slowly", drain=False
                )
        finally:
            for channel in self._channels:
                self._hub.leave(self._outbox, channel)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                raise result

    async def _write(self) -> None:
        while True:
            await self._socket.send_frame(await self._outbox.get(), WSMsgType.TEXT)

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return  # closed, or not a WebSocket any more
            try:
                await self._take(message.data)
            except ApiError as error:
                self._send({"id": _guess_id(message.data), **error.to_json()})
                if error.number == ErrorCode.RATE_LIMITED.number:
                    pause = error.details["retry_after_ms"] / 1_000
                    await asyncio.sleep(min(pause, LONGEST_PAUSE))

    async def _take(self, data: bytes) -> None:
        try:
            request = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._purse.spend(1 + COST_OF_NONSENSE)
            raise api_error(ErrorCode.MALFORMED_REQUEST, str(error)[:300]) from None
        match request:
            case Submit():
                await self._submit(request)
            case Subscribe():
                self._subscribe(request)
            case Unsubscribe():
                self._purse.spend(1)
                for channel in request.channels:
                    self._channels.discard(channel)
                    self._hub.leave(self._outbox, channel)
                self._send({"id": request.id, "channels": request.channels})
            case Ping():
                self._purse.spend(1)
                self._send({"id": request.id})

    async def _submit(self, request: Submit) -> None:
        actions = self._purse.pay_for_parsing(parse_actions, request.actions)
        if self._frames and not self._is_proven:
            await asyncio.wait(self._frames)  # a stranger could fill the door with what nobody has signed
        await self._in_flight.acquire()

        async def answer() -> None:
            try:
                results, confirmation = await self._door.submit_all(actions)
            except ApiError as error:
                self._send({"id": request.id, **error.to_json()})
            else:
                self._purse.charge_for(results)
                self._is_proven = not all(isinstance(result, ApiError) for result in results)
                described = describe_results(results)
                self._send({"id": request.id, "results": described, "confirmation": confirmation})
            finally:
                self._in_flight.release()

        task = asyncio.create_task(answer())  # it goes on if the connection ends: what is taken is taken
        self._frames.add(task)
        task.add_done_callback(self._frames.discard)

    def _subscribe(self, request: Subscribe) -> None:
        self._purse.spend(COST_OF_SUBSCRIBING * len(request.channels))
        wanted = self._channels | set(request.channels)
        if len(wanted) > self._limits.subscriptions:
            raise api_error(
                ErrorCode.TOO_MANY_CHANNELS,
                f"a connection listens to at most {self._limits.subscriptions} channels",
            )
        snapshots = {channel: self._reader.snapshot(channel) for channel in request.channels}
        self._send({"id": request.id, "channels": request.channels})
        for channel, snapshot in snapshots.items():
            self._channels.add(channel)
            self._hub.join(self._outbox, channel, snapshot)

    def _send(self, answer: dict[str, Any]) -> None:
        self._outbox.put(_encoder.encode(answer))


class _Numbered(Struct):
    id: RequestId | None = None


_id_decoder = msgspec.json.Decoder(_Numbered)


def _guess_id(data: bytes) -> int | None:
    """The id of a request that could not be understood, if that much could."""
    try:
        return _id_decoder.decode(data).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

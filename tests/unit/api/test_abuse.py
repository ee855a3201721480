"""Nobody gets more of the API than the limits say, and whoever tries takes nothing away from others."""

import asyncio
import gzip
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from optimist.api.errors import ApiError
from optimist.api.hub import MOST_MESSAGES
from optimist.api.limits import Budget, Limits
from optimist.api.schema import parse_actions
from optimist.sequencer.recoverer import Recoverer
from tests.support.door import Town, open_town
from tests.unit.api.test_front import LOT, ask, order

SOON = 0.3  # seconds that a deadline has here


def play(directory: Path, limits: Limits, story: Callable[[Town], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_town(directory, limits) as town:
            await story(town)

    asyncio.run(run())


class Raw:
    """A connection that may say anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, town: Town) -> "Raw":
        host, port = town.url.removeprefix("http://").split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ends(self, seconds: float = 5) -> bytes:
        """What was still said before the server closed the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), seconds)
        except ConnectionResetError:
            return b""
        finally:
            self.writer.close()

    async def say(self, data: bytes, seconds: float = 5) -> tuple[int, bytes]:
        """Send something; the status of the answer, and all of it."""
        self.writer.write(data)
        answer = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), seconds)
        return int(answer.split()[1]), answer


# ------------------------------------------------------------------------------------------------ connections


def test_connections_beyond_the_caps_are_closed_at_once_and_their_places_come_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        held = [await Raw.open(town) for _ in range(4)]
        one_too_many = await Raw.open(town)
        assert await one_too_many.ends() == b""
        for each in held:
            each.writer.close()
        await asyncio.sleep(0.1)
        assert (await town.get("/v1/status"))["ready"]

    play(tmp_path, Limits(connections=10, connections_per_address=4), story)


def test_all_connections_together_have_a_cap_of_their_own(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        held = [await Raw.open(town) for _ in range(3)]
        one_too_many = await Raw.open(town)
        assert await one_too_many.ends() == b""
        held.pop().writer.close()
        await asyncio.sleep(0.1)
        assert (await town.get("/v1/status"))["ready"]
        for each in held:
            each.writer.close()

    play(tmp_path, Limits(connections=3, connections_per_address=1, is_proxied=True), story)


def test_half_sent_heads_are_closed_after_a_while_and_meanwhile_others_are_served(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        slow = [await Raw.open(town) for _ in range(50)]
        for each in slow:
            each.writer.write(b"POST /v1/actions HTTP/1.1\r\nHost: x\r\nX-Slow:")
        assert (await town.get("/v1/status"))["ready"]
        assert all(b"200" not in each for each in await asyncio.gather(*(each.ends() for each in slow)))

    play(tmp_path, Limits(idle=3 * SOON), story)


def test_dripping_a_head_byte_by_byte_wins_no_time(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        slow = await Raw.open(town)

        async def drip() -> None:
            for byte in b"GET /v1/status HTTP/1.1\r\nX-Slow: " + b"a" * 1_000:
                slow.writer.write(bytes([byte]))
                await asyncio.sleep(SOON / 10)

        dripping = asyncio.create_task(drip())
        try:
            assert b"200" not in await slow.ends(SOON * 8)
        finally:
            dripping.cancel()

    play(tmp_path, Limits(idle=SOON), story)


def test_body_that_does_not_come_is_a_408(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        slow = await Raw.open(town)
        head = b"POST /v1/actions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[{"
        status, _ = await slow.say(head)
        assert status == 408
        slow.writer.close()

    play(tmp_path, Limits(body=SOON), story)


def test_requests_that_end_in_two_places_or_nowhere_are_a_400(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        for lines in (
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
            b"Content-Length: -1\r\n\r\n",
            b"Content-Length: +2\r\n\r\n[]",
            b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            b"X-Long: " + b"a" * 16_384 + b"\r\n\r\n",
            b"X Broken: 1\r\n\r\n",
        ):
            raw = await Raw.open(town)
            status, answer = await raw.say(b"POST /v1/actions HTTP/1.1\r\nHost: x\r\n" + lines)
            assert status == 400, (lines[:40], answer)
            raw.writer.close()
        assert (await town.get("/v1/status"))["ready"]

    play(tmp_path, Limits(), story)


# ----------------------------------------------------------------------------------------------------- bodies


@pytest.fixture
def usual_depth() -> Iterator[None]:
    """How deep Python recurses in a program of its own: a library that other tests load has raised it."""
    found = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    yield
    sys.setrecursionlimit(found)


@pytest.mark.usefixtures("usual_depth")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" + b"1," * 200_000 + b"1]", 413),
        (b" " * (1 << 20), 413),
        (b"[" * 5_000 + b"]" * 5_000, 400),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
        (b"[" + b"1," * 64 + b"1]", 400),
        (b'[{"type":"order","size":"' + b"9" * 100_000 + b'"}]', 200),
        (b'{"type":"settle","account":' + b"9" * 4_301 + b',"market":0}', 400),
        (b'{"type":"order","size":' + b"9" * 100_000 + b"}", 400),
    ],
    ids=["long array", "long", "deep array", "deep object", "too many", "digits", "number", "long number"],
)
def test_outsized_body_is_refused(body: bytes, status: int, tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with town.session.post(town.url + "/v1/actions", data=body) as response:
            assert response.status == status
            answer = await response.json()
        if status == 200:
            [answer] = answer["results"]
        assert answer["error"]["name"] in {"REQUEST_TOO_LARGE", "MALFORMED_REQUEST"}

    play(tmp_path, Limits(), story)


@pytest.mark.parametrize("body", [b"[" * 5_000, b"[" * 250_000, b"[" + b"1," * 100_000 + b"1]"])
def test_outsized_body_costs_next_to_nothing(body: bytes) -> None:
    begun = time.thread_time()
    with pytest.raises(ApiError):
        parse_actions(body)
    assert time.thread_time() - begun < 0.05


def test_compressed_body_is_not_inflated_beyond_the_limit(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        bomb = gzip.compress(b" " * (64 << 20))
        headers = {"Content-Encoding": "gzip"}
        async with town.session.post(town.url + "/v1/actions", data=bomb, headers=headers) as response:
            assert response.status in (400, 413)

    play(tmp_path, Limits(), story)


def test_message_beyond_the_limit_ends_a_stream(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with town.stream() as stream:
            await stream.send_str(" " * (1 << 20))
            message = await stream.receive(timeout=5)
            assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    play(tmp_path, Limits(), story)


# ----------------------------------------------------------------------------------------------------- floods


def test_budget_fills_at_its_rate_and_forgets_who_has_long_been_silent() -> None:
    now = 100.0
    budget = Budget(10.0, 20.0, lambda: now)
    budget.spend("a", 20)
    with pytest.raises(ApiError, match=r"come back in 0\.500 s") as refused:
        budget.spend("a", 5)
    assert refused.value.details == {"retry_after_ms": 501}
    budget.spend("b", 20)
    now += 0.5
    budget.spend("a", 5)
    budget.charge("a", 1_000)
    assert budget.get("a") == -20.0, "nobody is shut out for longer than a burst takes twice"


def test_budgets_take_a_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimist.api.limits.MOST_KEYS", 3)
    budget = Budget(10.0, 20.0, lambda: 100.0)
    for key in "abcde":
        budget.spend(key, 20)
    assert len(budget) == 3
    assert budget.get("e") == 0.0


def test_who_asks_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        frame = [order(town, 1, False, LOT, 101_000) for _ in range(50)]
        await town.post(frame)
        refused = await town.post(frame, 429)
        assert refused["error"]["name"] == "RATE_LIMITED"
        assert 0 < refused["error"]["details"]["retry_after_ms"] <= 36_000
        await town.post([order(town, 1, False, LOT, 101_000) for _ in range(10)])

    play(tmp_path, Limits(rate=1.0, burst=64.0), story)


def test_bad_signatures_are_paid_for_and_stop_costing_the_sequencer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovered = 0
    recover = Recoverer.recover

    async def count(self: Recoverer, asked: Any) -> list[int]:
        nonlocal recovered
        recovered += len(asked)
        return await recover(self, asked)

    monkeypatch.setattr(Recoverer, "recover", count)

    async def story(town: Town) -> None:
        nonlocal recovered
        forged = [order(town, 1, False, LOT, 101_000, signer="nobody") for _ in range(64)]
        recovered = 0
        answer = await town.post(forged)
        assert {each["error"]["name"] for each in answer["results"]} == {"BAD_SIGNATURE"}
        for _ in range(2):
            assert (await town.post(forged, 429))["error"]["name"] == "RATE_LIMITED"
        assert recovered == 64

    play(tmp_path, Limits(rate=1.0, burst=200.0), story)


def test_frames_of_a_stranger_come_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(town: Town) -> None:
        at_the_door: list[int] = []
        recover = town.sequencer._recoverer.recover

        async def look(asked: Any) -> list[int]:
            at_the_door.append(town.sequencer._waiting)
            return await recover(asked)

        monkeypatch.setattr(town.sequencer._recoverer, "recover", look)
        forged = [order(town, 1, False, LOT, 101_000, signer="nobody") for _ in range(10)]
        async with town.stream() as stream:
            for number in range(6):
                await stream.send_json({"op": "submit", "id": number, "actions": forged})
            for _ in range(6):
                await stream.receive(timeout=10)
        assert at_the_door == [10] * 6

    play(tmp_path, Limits(), story)


@pytest.mark.parametrize("nonsense", ['"?"', "[1, 2]", "{}"], ids=["no array", "no actions", "an object"])
def test_nonsense_is_paid_for_over_the_stream(nonsense: str, tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with town.stream() as stream:
            for number in range(6):
                await stream.send_str(f'{{"op": "submit", "id": {number}, "actions": {nonsense}}}')
            refused = 0
            for _ in range(6):
                answer = json.loads((await stream.receive(timeout=10)).data)
                refused += answer.get("error", {}).get("name") == "RATE_LIMITED"
            assert refused > 0

    play(tmp_path, Limits(rate=1.0, burst=64.0), story)


def test_nonsense_is_paid_for_over_http_and_whoever_floods_waits_for_the_answer(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        for _ in range(4):
            await town.post({"type": "nonsense"}, 400)
        begun = time.monotonic()
        await town.post({"type": "nonsense"}, 429)
        assert time.monotonic() - begun > 0.9

    play(tmp_path, Limits(rate=1.0, burst=64.0), story)


def test_nothing_is_recovered_for_what_cannot_be_sequenced_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(town: Town) -> None:
        hopeless = [
            order(town, 9, False, LOT, 101_000),  # no such account
            order(town, 1, False, LOT, 101_000, market=7),
            order(town, 1, False, LOT, 101_000, expiry=1),
            order(town, 1, False, LOT, 101_000, slot=200),
            order(town, 1, False, 0, 101_000),
        ]

        def refuse(*_: Any) -> Any:
            raise AssertionError("a signature was recovered")

        monkeypatch.setattr("optimist.sequencer.recoverer._recover_all", refuse)
        answer = await town.post(hopeless)
        assert [each["error"]["name"] for each in answer["results"]] == [
            "UNKNOWN_ACCOUNT",
            "UNKNOWN_MARKET",
            "ORDER_EXPIRED",
            "ORDER_SLOT",
            "MALFORMED_REQUEST",
        ]

    play(tmp_path, Limits(), story)


def test_stream_over_its_budget_is_read_no_faster_than_it_pays_for(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with town.stream() as stream:
            begun = time.monotonic()
            for number in range(100):
                await stream.send_str(json.dumps({"op": "ping", "id": number}))
            answers = [json.loads((await stream.receive(timeout=10)).data) for _ in range(100)]
            assert time.monotonic() - begun > 0.5
            refused = [each for each in answers if "error" in each]
            assert {each["error"]["name"] for each in refused} == {"RATE_LIMITED"}
            assert len(answers) - len(refused) >= 64

    play(tmp_path, Limits(rate=20.0, burst=64.0), story)


def test_who_listens_and_never_reads_is_cut_off_and_nobody_else_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimist.api.hub.MOST_MESSAGES", MOST_MESSAGES // 100)

    async def story(town: Town) -> None:
        silent = await Raw.open(town)
        status, _ = await silent.say(
            b"GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert status == 101
        text = json.dumps({"op": "subscribe", "id": 1, "channels": ["book:0"]}).encode()
        silent.writer.write(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
        async with town.stream() as stream:
            await ask(stream, {"op": "subscribe", "id": 1, "channels": ["book:0"]})
            levels = [["1", "1"]] * 20_000  # some updates of this size fill every buffer on the way
            for _ in range(40):
                town.front.hub.publish("book:0", {"bids": levels, "asks": []})
                await asyncio.sleep(0)
                assert json.loads((await stream.receive(timeout=5)).data)
            assert await ask(stream, {"op": "ping", "id": 2}) == {"id": 2}
        for _ in range(50):
            if town.front.hub.subscriptions == 0:
                break
            await asyncio.sleep(0.1)
        assert town.front.hub.subscriptions == 0
        assert len(await silent.ends()) < 20 << 20

    play(tmp_path, Limits(), story)


def test_one_connection_has_a_bounded_number_of_channels(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with town.stream() as stream:
            channels = ["book:0", "book:1", "mark:0"]
            answer = await ask(stream, {"op": "subscribe", "id": 1, "channels": channels})
            assert answer["error"]["name"] == "TOO_MANY_CHANNELS"
            answer = await ask(stream, {"op": "subscribe", "id": 1, "channels": channels[:2]})
            assert "error" not in answer

    play(tmp_path, Limits(subscriptions=2), story)


def test_door_has_a_bounded_queue(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        frames = [[order(town, 1, False, LOT, 101_000) for _ in range(30)] for _ in range(4)]

        async def post(frame: list[Any]) -> str:
            async with town.session.post(town.url + "/v1/actions", json=frame) as response:
                answer = await response.json()
                return str(answer["error"]["name"]) if response.status == 503 else "taken"

        town.sequencer._cadence = type(town.sequencer._cadence)(age=1e9, waiting=70)
        outcomes = await asyncio.gather(*(post(frame) for frame in frames))
        assert set(outcomes) <= {"taken", "OVERLOADED"}
        assert outcomes.count("taken") >= 2
        assert town.sequencer._waiting == 0

    play(tmp_path, Limits(), story)

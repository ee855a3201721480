"""The API on a real port before a real sequencer: frames, the stream, what only the sequencer promises."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from optimist.api.errors import ErrorCode
from optimist.api.promises import DeadMan, PostOnly, SwitchRequest
from optimist.api.schema import to_body
from optimist.derive.account_actions import CancelAll, CancelAllRequest
from optimist.derive.typed_data import Signature, SoftConfirmation
from optimist.stf.codes import Code
from tests.support.bench import ONE
from tests.support.door import Town, open_town
from tests.support.world import START, address, secret, trader

LOT = ONE // 100


def play(directory: Path, story: Callable[[Town], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with open_town(directory, **options) as town:
            await story(town)

    asyncio.run(run())


def order(town: Town, account: int, is_buy: bool, size: int, usd: int, **terms: Any) -> dict[str, Any]:
    post_only = terms.pop("post_only", False)
    signed = town.bench.world.order(account, is_buy, size, usd, **terms)
    return to_body(PostOnly(signed) if post_only else signed)


def dead_man(town: Town, account: int, seconds: int, nonce: int, until: int = START + 30) -> dict[str, Any]:
    request = SwitchRequest(account, seconds, nonce, until)
    return to_body(DeadMan(request, request.sign(town.bench.world.domain, secret(trader(account)))))


def cancel_all(town: Town, account: int, nonce: int = 1 << 40) -> dict[str, Any]:
    request = CancelAllRequest(account, nonce)
    return to_body(CancelAll(request, request.sign(town.bench.world.domain, secret(trader(account)))))


async def ask(stream: Any, question: dict[str, Any]) -> dict[str, Any]:
    """The answer with the id of the question; what channels say before it is passed over."""
    await stream.send_json(question)
    while True:
        answer: dict[str, Any] = json.loads((await stream.receive(timeout=5)).data)
        if "channel" not in answer:
            return answer


async def listen(stream: Any, channel: str) -> dict[str, Any]:
    """The next message of a channel."""
    while True:
        message: dict[str, Any] = json.loads((await stream.receive(timeout=5)).data)
        if message.get("channel") == channel:
            return message


def test_frame_answers_each_action_in_its_place_with_one_confirmation_for_all(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        actions = [
            order(town, 1, False, LOT, 100_000),
            {"type": "nonsense"},
            order(town, 2, True, LOT, 100_000, signer=trader(3)),
            order(town, 2, True, LOT, 100_000),
            order(town, 3, True, LOT, 99_000, time_in_force=2),
        ]
        records = town.journal.next_sequence
        answer = await town.post(actions)
        assert town.journal.next_sequence == records + 1, "one record for the whole frame"
        first, nonsense, forged, second, killed = answer["results"]
        assert (first["resting"], first["inputs"]) == (str(LOT), [])
        assert nonsense["error"]["name"] == "MALFORMED_REQUEST"
        assert forged["error"]["name"] == "BAD_SIGNATURE"
        assert (second["filled"], len(second["inputs"])) == (str(LOT), 1)
        assert killed["error"]["code"] == Code.FILL_OR_KILL
        confirmation = answer["confirmation"]
        assert confirmation["number"] == second["number"]
        raw = bytes.fromhex(confirmation["signature"][2:])
        signature = Signature(raw[64], int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))
        message = SoftConfirmation(confirmation["number"], bytes.fromhex(confirmation["history"][2:]))
        assert message.recover(town.bench.world.domain, signature) == address("sequencer")
        refused = await town.post([{"type": "nonsense"}])
        assert refused["confirmation"] is None

    play(tmp_path, story)


def test_stream_takes_the_same_frames_and_keeps_their_order(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        async with town.stream() as stream:
            resting = order(town, 1, False, LOT, 100_000)
            taking = order(town, 2, True, LOT, 100_000)
            await stream.send_json({"op": "submit", "id": 1, "actions": [resting]})
            await stream.send_json({"op": "submit", "id": 2, "actions": [taking]})
            answers = [json.loads((await stream.receive(timeout=5)).data) for _ in range(2)]
            assert [each["id"] for each in answers] == [1, 2]
            assert answers[1]["results"][0]["filled"] == str(LOT)
            for broken in ("{", '{"op": "submit", "id": 9, "actions": {}}', '{"op": "fly", "id": 9}', "[1]"):
                await stream.send_str(broken)
                answer = json.loads((await stream.receive(timeout=5)).data)
                assert answer["error"]["name"] == "MALFORMED_REQUEST"
                assert answer["id"] in (9, None)
            assert await ask(stream, {"op": "ping", "id": 3}) == {"id": 3}

    play(tmp_path, story)


def test_channels_begin_with_a_snapshot_and_go_on_without_a_gap(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        await town.post(order(town, 1, False, 3 * LOT, 100_000))
        channels = ["book:0", "trades:0", "mark:0", "funding:0", "account:1", "confirmations"]
        async with town.stream() as stream:
            answer = await ask(stream, {"op": "subscribe", "id": 1, "channels": channels})
            assert answer == {"id": 1, "channels": channels}
            found = {}
            for _ in channels:
                message = json.loads((await stream.receive(timeout=5)).data)
                assert (message["type"], message["sequence"]) == ("snapshot", 0)
                found[message["channel"]] = message["data"]
            assert found["book:0"] == {"bids": [], "asks": [["10000000000000", str(3 * LOT)]]}
            assert found["mark:0"]["price"] == "10000000000000"
            assert [each["remaining"] for each in found["account:1"]["orders"]] == [str(3 * LOT)]

            answer = await town.post(order(town, 2, True, LOT, 100_000))
            update = await listen(stream, "book:0")
            assert (update["sequence"], update["type"]) == (1, "update")
            assert update["data"]["asks"] == [["10000000000000", str(2 * LOT)]]
            trades = await listen(stream, "trades:0")
            assert trades["data"][0]["number"] == answer["number"]
            assert trades["data"][0]["side"] == "buy"
            events = (await listen(stream, "account:1"))["data"]
            notes = [note["type"] for event in events for note in event.get("input", {}).get("notes", ())]
            assert "Filled" in notes
            assert [event["order"]["remaining"] for event in events if "order" in event] == [str(2 * LOT)]
            counts = await listen(stream, "confirmations")
            assert counts["data"]["soft"] == answer["number"]

            await town.post(cancel_all(town, 1))
            assert (await listen(stream, "book:0"))["data"]["asks"] == [["10000000000000", "0"]]
            answer = await ask(stream, {"op": "subscribe", "id": 2, "channels": ["book:7"]})
            assert answer["error"]["name"] == "UNKNOWN_CHANNEL"
        assert (await town.get("/v1/markets/0/trades"))["trades"] == trades["data"]

    play(tmp_path, story)


def test_post_only_order_rests_or_is_refused_whole(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        await town.post(order(town, 1, False, LOT, 100_000))
        refused = await town.post(order(town, 2, True, 2 * LOT, 100_000, post_only=True), 409)
        assert refused["error"]["name"] == "WOULD_TAKE"
        rests = await town.post(order(town, 2, True, LOT, 99_999, post_only=True))
        assert rests["resting"] == str(LOT)
        immediate = await town.post(order(town, 2, True, LOT, 99_000, time_in_force=1, post_only=True), 400)
        assert immediate["error"]["name"] == "MALFORMED_REQUEST"

    play(tmp_path, story)


def test_fee_limit_below_the_takers_makes_post_only_a_matter_of_the_law(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        market = await town.get("/v1/markets/0")
        assert market["takerFeePpm"] > market["makerFeePpm"]
        await town.post(order(town, 1, False, LOT, 100_000))
        limit = market["takerFeePpm"] - 1
        refused = await town.post(order(town, 2, True, LOT, 100_000, max_fee_ppm=limit), 422)
        assert refused["error"]["code"] == Code.FEE_ABOVE_MAX

    play(tmp_path, story)


def test_dead_man_switch_empties_the_books_of_one_account_unless_it_is_renewed(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        for account in (1, 3):
            await town.post(order(town, account, False, LOT, 101_000))
        await town.post(dead_man(town, 1, 10, nonce=5))
        assert (await town.get("/v1/accounts/1/orders"))["deadMan"] == START + 11
        stale = await town.post(dead_man(town, 1, 0, nonce=5), 409)
        assert stale["error"]["name"] == "STALE_NONCE"
        late = await town.post(dead_man(town, 1, 10, nonce=6, until=START), 422)
        assert late["error"]["name"] == "NOT_VALID_NOW"
        far = await town.post(dead_man(town, 1, 10, nonce=6, until=START + 1_000), 422)
        assert far["error"]["name"] == "NOT_VALID_NOW"
        town.now.value = 9
        await town.post(dead_man(town, 1, 10, nonce=7))
        town.now.value = 19
        await asyncio.sleep(0.1)
        assert len((await town.get("/v1/accounts/1/orders"))["orders"]) == 1
        town.now.value = 20
        await asyncio.sleep(0.1)
        assert await town.get("/v1/accounts/1/orders") == {"account": 1, "orders": [], "deadMan": 0}
        assert len((await town.get("/v1/accounts/3/orders"))["orders"]) == 1

    play(tmp_path, story)


def test_order_leaves_the_book_when_its_time_is_over(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        await town.post(order(town, 1, False, LOT, 101_000, expiry=START + 10))
        town.now.value = 9
        await asyncio.sleep(0.1)
        assert (await town.get("/v1/markets/0/book"))["asks"]
        town.now.value = 10
        await asyncio.sleep(0.1)
        assert not (await town.get("/v1/markets/0/book"))["asks"]

    play(tmp_path, story)


def test_one_order_meets_a_bounded_number_of_others(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        for _ in range(2):
            await town.post([order(town, 1, False, LOT, 100_000) for _ in range(20)])
        answer = await town.post(order(town, 2, True, 40 * LOT, 100_000))
        assert (answer["status"], answer["filled"]) == ("refused in part", str(32 * LOT))
        assert (answer["code"], answer["resting"]) == (ErrorCode.TOO_MANY_FILLS.number, "0")

    play(tmp_path, story)


def test_account_has_a_bounded_number_of_resting_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimist.sequencer.house_rules.MOST_ORDERS", 3)

    async def story(town: Town) -> None:
        answer = await town.post([order(town, 1, False, LOT, 101_000) for _ in range(4)])
        assert [result.get("resting") for result in answer["results"]] == [str(LOT)] * 3 + [None]
        assert answer["results"][3]["error"]["name"] == "TOO_MANY_ORDERS"
        await town.post(cancel_all(town, 1))

    play(tmp_path, story)


def test_full_batch_is_closed_within_a_frame_and_no_batch_outgrows_its_bounds(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        for _ in range(3):
            frame = [
                order(town, 1 + number % 2, number % 2 == 0, LOT, 100_000, slot=number // 2 % 2)
                for number in range(30)
            ]
            answer = await town.post(frame)
            assert sum(len(result["inputs"]) for result in answer["results"]) == 15
        sealed = town.sequencer.unposted
        assert len(sealed) >= 3
        assert all(sum(map(len, each.sequenced)) < 4_000 for each in sealed)

    play(tmp_path, story, row_bytes=3_000)


def test_input_is_found_by_number_and_by_hash_with_how_far_it_has_come(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        number = (await town.get("/v1/status"))["softInputs"]
        found = await town.get(f"/v1/inputs/{number}")
        assert (found["number"], found["stage"]) == (number, "soft")
        assert await town.get(f"/v1/inputs/{found['hash']}") == found
        for wrong in (0, number + 1, "0x" + "00" * 32, "0x" + "zz" * 32, "one", "1" * 19):
            assert (await town.get(f"/v1/inputs/{wrong}", 404))["error"]["name"] == "UNKNOWN_INPUT"

    play(tmp_path, story)

"""Each endpoint must show the rollup of the file: no majority outvotes what another one shows."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from optimist.l1.client import L1Client
from optimist.l1.creation import ORDER, load_code
from optimist.l1.deployment import CATCH_UP, CONTRACTS, Deployment, DeploymentMismatch, check_deployment
from optimist.l1.errors import L1Unavailable, RpcError
from optimist.l1.provenance import check_provenance
from optimist.l1.sources import Source, open_sources
from optimist.l1.types import to_hex
from optimist.l1.verification import check_each
from tests.support.deployed_code import flip, make_codes, make_values, with_law
from tests.unit.l1.test_provenance import DEPLOYER, DEPLOYMENT, NONCE

TRUE = with_law(DEPLOYMENT)
CODES = make_codes(make_values(TRUE))
HEAD = 100_000


class Endpoint(L1Client):
    """Answers from memory. Codes and creation data are those of TRUE but for what is named here."""

    def __init__(
        self,
        codes: Mapping[str, bytes] | None = None,
        creations: Mapping[str, bytes | None] | None = None,
        *,
        chain: int = TRUE.chain_id,
        head: int = HEAD,
    ) -> None:
        super().__init__(["http://nobody"])
        self.codes = {to_hex(TRUE.addresses[name]): {**CODES, **(codes or {})}[name] for name in CONTRACTS}
        data = {name: load_code()[name].creation for name in ORDER}
        self.creations = {
            to_hex(TRUE.transactions[name]): (name, {**data, **(creations or {})}[name]) for name in ORDER
        }
        self.chain, self.head = chain, head
        self.looks = 0

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        self.looks += 1
        return [self._answer(method, params) for method, params in calls]

    def _answer(self, method: str, params: Sequence[Any]) -> Any:
        if method == "eth_chainId":
            return hex(self.chain)
        if method == "eth_getCode":
            return to_hex(self.codes[params[0]])
        if method == "eth_getTransactionByHash":
            name, data = self.creations[params[0]]
            nonce = hex(NONCE + ORDER.index(name))
            sent = {"from": to_hex(DEPLOYER), "nonce": nonce, "to": None, "blockHash": "0x11"}
            return None if data is None else {**sent, "input": to_hex(data)}
        assert (method, params[0]) == ("eth_getBlockByNumber", "latest")
        rest = {"timestamp": "0x1", "logsBloom": to_hex(bytes(256))}
        return {
            "number": hex(self.head),
            "hash": to_hex(b"\x07" * 32),
            "parentHash": "0x" + "06" * 32,
            **rest,
        }


class Silent(Endpoint):
    """Fails at once, as long as it is asked; from the look `wakes_at` on it answers."""

    def __init__(self, wakes_at: int = 1_000) -> None:
        super().__init__()
        self.wakes_at = wakes_at

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        if self.looks + 1 < self.wakes_at:
            self.looks += 1
            raise L1Unavailable("nobody there")
        return await super()._ask(calls)


class Slow(Endpoint):
    """Answers each request, but after a time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        await asyncio.sleep(self.seconds)
        return await super()._ask(calls)


class Gathering:
    """Lets nobody go before `count` have come."""

    def __init__(self, count: int) -> None:
        self.missing = count
        self.is_complete = asyncio.Event()

    async def join(self) -> None:
        self.missing -= 1
        if self.missing <= 0:
            self.is_complete.set()
        await asyncio.wait_for(self.is_complete.wait(), 10)


class Meeting(Endpoint):
    def __init__(self, gathering: Gathering) -> None:
        super().__init__()
        self.gathering = gathering

    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        await self.gathering.join()
        return await super()._ask(calls)


class Refusing(Endpoint):
    async def _ask(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        return [RpcError(method, -32601, "not in your plan") for method, _ in calls]


def altered(name: str) -> Endpoint:
    return Endpoint({name: flip(CODES[name], 5_000)})


def look(*endpoints: L1Client, deployment: Deployment = TRUE, grace: float = 5.0) -> list[str]:
    """Both checks; returns the warnings."""
    sources = [Source(f"{i} (host{i})", endpoint) for i, endpoint in enumerate(endpoints, 1)]

    async def inside() -> None:
        for check in (
            lambda client: check_deployment(client, deployment, deployment.image_root),
            lambda client: check_provenance(client, deployment),
        ):
            await check_each(sources, check, pauses=(0, 0.01, 0.01), grace=grace)

    with capture_logs() as logs:
        asyncio.run(inside())
    assert all(entry["event"] == "l1_endpoint_not_compared" for entry in logs)
    assert all(entry["log_level"] == "warning" for entry in logs)
    return [f"{entry['endpoint']}: {entry['reason']}" for entry in logs]


def refuse(*endpoints: L1Client, deployment: Deployment = TRUE) -> list[str]:
    with pytest.raises(DeploymentMismatch) as mismatch:
        look(*endpoints, deployment=deployment)
    return mismatch.value.differences


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("name", CONTRACTS)
def test_one_endpoint_with_one_other_byte_is_enough_to_refuse_and_is_named(name: str, place: int) -> None:
    endpoints = [Endpoint(), Endpoint()]
    endpoints.insert(place, altered(name))
    line, advice = refuse(*endpoints)
    liar = place + 1
    where = to_hex(TRUE.addresses[name])
    assert line.startswith(f"L1 endpoint {liar} (host{liar}): {name} at {where} is not ours")
    assert line.endswith(f"differs in 1 of {len(CODES[name])} bytes, from byte 5000 on")
    honest = ", ".join(f"{i} (host{i})" for i in (1, 2, 3) if i != liar)
    assert advice.startswith(f"but L1 endpoint {honest}: as in the file")
    assert "--l1-rpc" in advice


def test_endpoints_that_all_show_the_same_other_code_get_the_advice_of_one() -> None:
    (one,) = refuse(altered("Step"))
    assert refuse(altered("Step"), altered("Step")) == [one]
    assert "use the release that it was deployed with" in one
    assert "endpoint" not in one
    first, second = refuse(altered("Step"), altered("Vault"))
    assert first.startswith("L1 endpoint 1 (host1): Step at")
    assert second.startswith("L1 endpoint 2 (host2): Vault at")


def test_one_on_another_chain_is_refused() -> None:
    line, _ = refuse(Endpoint(), Endpoint(chain=5))
    assert line.startswith("L1 endpoint 2 (host2): the chain is 5, not 31337")


def test_silent_ones_are_skipped_with_a_warning_as_long_as_one_answers() -> None:
    warnings = look(Silent(), Endpoint(), Refusing())
    assert [line.split(": ")[:2] for line in warnings[:2]] == [
        ["1 (host1)", "nobody there"],
        ["3 (host3)", "eth_chainId"],
    ]
    assert len(warnings) == 4, "at each of the checks"
    assert look(Endpoint(), Endpoint()) == []


def test_silence_does_not_outvote_a_liar() -> None:
    (line,) = refuse(Silent(), altered("Dispute"))
    assert line.startswith("L1 endpoint 2 (host2): Dispute at")


def test_none_that_answers_is_no_l1_after_several_rounds() -> None:
    silent = Silent(), Silent()
    with pytest.raises(L1Unavailable, match=r"none of 2 .* 1 \(host1\): nobody there; 2 \(host2\)"):
        look(*silent)
    assert [endpoint.looks for endpoint in silent] == [3, 3]
    assert len(look(Silent(wakes_at=3), Silent())) == 2, "the third round found one"


def test_slow_one_is_waited_for_a_little_and_is_heard() -> None:
    assert look(Slow(0.02), Endpoint()) == []
    liar = Slow(0.02)
    liar.codes = altered("Inbox").codes
    assert refuse(liar, Endpoint())[0].startswith("L1 endpoint 1 (host1): Inbox at")


def test_one_that_hangs_does_not_hold_up_the_start() -> None:
    before = time.monotonic()
    warnings = look(Slow(60), Endpoint(), grace=0.05)
    assert time.monotonic() - before < 5
    assert [line.split(" s ")[0] for line in warnings] == ["1 (host1): no answer within 0.05"] * 2


def test_endpoints_are_asked_at_the_same_time() -> None:
    """Each waits for the others to be asked as well: one after the other would never end."""
    gathering = Gathering(3)
    assert look(*(Meeting(gathering) for _ in range(3))) == []


def test_one_that_has_not_come_to_the_contracts_is_skipped_and_one_without_them_is_not() -> None:
    nothing = {"Step": b"", "Dispute": b""}
    young = TRUE.block + CATCH_UP - 1
    (line,) = look(Endpoint(nothing, head=young), Endpoint())
    assert line.count("no code at") == 2
    lines = refuse(Endpoint(nothing, head=young + 1), Endpoint())
    assert [each.split(" at ")[0] for each in lines[:2]] == [
        "L1 endpoint 1 (host1): Dispute: no code",
        "L1 endpoint 1 (host1): Step: no code",
    ]
    assert refuse(Endpoint(nothing, head=young))[0].startswith("Dispute: no code at"), "nobody can tell"


def test_one_that_has_forgotten_the_creation_is_skipped_and_one_that_tells_another_is_not() -> None:
    forgetful = Endpoint(creations=dict.fromkeys(ORDER))
    (line,) = look(forgetful, Endpoint())
    assert line.startswith("1 (host1): ")
    assert line.count("does not know transaction") == len(ORDER)
    other = Endpoint(creations={"Vault": None, "Rollup": b"\x60\x00"})
    lines = refuse(other, Endpoint(), forgetful)
    assert any("L1 endpoint 1 (host1): Rollup: other code than ours created" in line for line in lines)
    assert lines[-1].startswith("but L1 endpoint 2 (host2): as in the file")
    assert all("does not know" in line for line in refuse(forgetful, Endpoint(creations={"Inbox": None})))


def test_law_of_this_program_is_compared_once_for_all() -> None:
    (line,) = refuse(*[Endpoint()] * 3, deployment=replace(TRUE, image_root=b"\x11" * 32))
    assert line.startswith("Step.imageRoot is")


def test_key_in_a_url_is_never_shown() -> None:
    urls = ["http://127.0.0.1:9/v3/secret-key", "http://user:password@127.0.0.1:9/?key=secret"]

    async def inside() -> None:
        async with AsyncExitStack() as stack:
            sources = open_sources([*urls, urls[0]], timeout=0.2, attempts=1)
            for source in sources:
                stack.push_async_callback(source.client.close)
            await check_each(sources, lambda client: check_provenance(client, TRUE), pauses=(0,))

    with pytest.raises(L1Unavailable, match="none of 2 ") as caught:
        asyncio.run(inside())
    assert "1 (127.0.0.1:9): " in str(caught.value)
    assert "2 (127.0.0.1:9): " in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "password" not in str(caught.value)

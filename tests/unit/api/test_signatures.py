"""Only the owner's own, canonical signature over this very order in this very rollup is taken, and once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from optimist.api.schema import to_body
from optimist.base.keccak import keccak
from optimist.derive.actions import SignedOrder
from optimist.derive.typed_data import Domain, Order, Signature, compute_digest, sign_digest
from tests.support.door import Town
from tests.support.world import VAULT, secret, trader
from tests.unit.api.test_front import LOT, play

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

Forgery = Callable[[Order, Signature, Domain], Signature]


def with_v(v: int) -> Forgery:
    return lambda _, good, __: good._replace(v=v)


def sign_elsewhere(**changes: Any) -> Forgery:
    return lambda order, _, domain: order.sign(replace(domain, **changes), secret(trader(1)))


def sign_as_text(order: Order, _: Signature, domain: Domain) -> Signature:
    """What `personal_sign` makes of the digest."""
    digest = order.digest(domain)
    return sign_digest(keccak(b"\x19Ethereum Signed Message:\n32" + digest), secret(trader(1)))


def sign_another_type(order: Order, _: Signature, domain: Domain) -> Signature:
    """The same words under another type's name."""
    words = order.struct_hash()
    return sign_digest(compute_digest(domain, keccak(b"\x00" + words)), secret(trader(1)))


def sign_another_version(order: Order, _: Signature, domain: Domain) -> Signature:
    """In a domain whose separator is not ours."""
    digest = keccak(b"\x19\x01" + keccak(domain.separator) + order.struct_hash())
    return sign_digest(digest, secret(trader(1)))


FORGERIES: dict[str, Forgery] = {
    "high-s twin": lambda _, good, __: Signature(55 - good.v, good.r, CURVE_ORDER - good.s),
    "other v": lambda _, good, __: good._replace(v=55 - good.v),
    **{f"v {v}": with_v(v) for v in (0, 1, 2, 26, 29, 255)},
    "r 0": lambda _, good, __: good._replace(r=0),
    "s 0": lambda _, good, __: good._replace(s=0),
    "r of the curve's order": lambda _, good, __: good._replace(r=CURVE_ORDER),
    "r beyond it": lambda _, good, __: good._replace(r=(1 << 256) - 1),
    "all zeros": lambda *_: Signature(0, 0, 0),
    "another chain": sign_elsewhere(chain_id=1),
    "another vault": sign_elsewhere(vault=bytes(20)),
    "another domain": sign_another_version,
    "another type": sign_another_type,
    "personal_sign": sign_as_text,
    "somebody else": lambda order, _, domain: order.sign(domain, secret(trader(2))),
    "another order": lambda order, _, domain: replace(order, size=order.size + 1).sign(
        domain, secret(trader(1))
    ),
}


def test_no_other_signature_is_taken_and_the_good_one_still_is(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        domain = town.bench.world.domain
        assert domain.vault == VAULT
        signed = town.bench.world.order(1, False, LOT, 101_000)
        forged = {
            name: SignedOrder(signed.order, forge(signed.order, signed.signature, domain))
            for name, forge in FORGERIES.items()
        }
        answer = await town.post([to_body(each) for each in forged.values()])
        names = [each["error"]["name"] for each in answer["results"]]
        assert dict(zip(forged, names, strict=True)) == dict.fromkeys(forged, "BAD_SIGNATURE")
        assert (await town.post(to_body(signed)))["resting"] == str(LOT)

    play(tmp_path, story)


@pytest.mark.parametrize("length", [0, 1, 64, 66])
def test_signature_of_another_length_is_no_signature(length: int, tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        body = to_body(town.bench.world.order(1, False, LOT, 101_000))
        refused = await town.post({**body, "signature": "0x" + "11" * length}, 400)
        assert refused["error"]["name"] == "MALFORMED_REQUEST"

    play(tmp_path, story)


@pytest.mark.parametrize("nonce", [7, (1 << 64) - 1])
def test_of_many_copies_at_once_one_is_taken(nonce: int, tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        body = to_body(town.bench.world.order(1, False, LOT, 101_000, nonce=nonce))

        async def post() -> str:
            async with town.session.post(town.url + "/v1/actions", json=[body] * 20) as response:
                results = (await response.json())["results"]
            return ",".join(str(each["error"]["name"]) if "error" in each else "taken" for each in results)

        outcomes = ",".join(await asyncio.gather(*(post() for _ in range(15)))).split(",")
        assert outcomes.count("taken") == 1
        assert set(outcomes) == {"taken", "ORDER_RESTS_ALREADY"}
        taking = to_body(town.bench.world.order(2, True, LOT, 101_000))
        assert (await town.post(taking))["filled"] == str(LOT)
        again = await town.post(body, 409)
        assert again["error"]["name"] == "ORDER_HAD_ITS_TURN"
        older = await town.post(to_body(town.bench.world.order(1, False, LOT, 101_000, nonce=6)), 422)
        assert older["error"]["name"] == "ORDER_NONCE", (
            "no nonce comes after the largest one: it does not wrap"
        )

    play(tmp_path, story)


def test_account_without_an_owner_is_not_that_of_a_broken_signature(tmp_path: Path) -> None:
    async def story(town: Town) -> None:
        signed = town.bench.world.order(9, False, LOT, 101_000)
        nobody = replace(signed, signature=Signature(27, 0, 0))
        refused = await town.post(to_body(nobody), 404)
        assert refused["error"]["name"] == "UNKNOWN_ACCOUNT"

    play(tmp_path, story)

"""The edge of the API: strict integers, strings for amounts, and an error that names the fault."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from optimist.api.errors import ApiError, ErrorCode
from optimist.api.governance import RulesBody
from optimist.api.promises import DeadMan, PostOnly, SwitchRequest
from optimist.api.schema import ParsedAction, parse_action, to_body
from optimist.derive.account_actions import (
    AccountTierRequest,
    Cancel,
    CancelAll,
    CancelAllRequest,
    CancelRequest,
    FeeTierRequest,
    SessionKeyRequest,
    SetAccountTier,
    SetFees,
    SetSessionKey,
    Transfer,
    TransferRequest,
)
from optimist.derive.actions import (
    Action,
    EnactMarket,
    Liquidate,
    MarketParameters,
    PriceUpdate,
    ProposeMarket,
    Settle,
    SignedOrder,
    SignedPrice,
    Tier,
    Trade,
    Withdraw,
)
from optimist.derive.order_tree import OrderTree
from optimist.derive.typed_data import Domain, Order, PriceReport, WithdrawRequest
from tests.support.world import ETH, USD

API_DOCUMENT = Path(__file__).parents[3] / "docs" / "API.md"
DOMAIN = Domain(31337, bytes.fromhex("5f") * 20)
SECRET = bytes.fromhex("11" * 32)
ORDER = Order(
    account=3,
    market=1,
    is_buy=True,
    size=10**6,
    price=6 * 10**12,
    max_fee_ppm=500,
    slot=2,
    nonce=9,
    expiry=10**9,
)
REQUEST = WithdrawRequest(3, 5_000_000, 4_000_000, bytes.fromhex("ab" * 20), 4)

SIGNATURE = REQUEST.sign(DOMAIN, SECRET)

ACTIONS: list[ParsedAction] = [
    SignedOrder(ORDER, ORDER.sign(DOMAIN, SECRET)),
    Withdraw(REQUEST, REQUEST.sign(DOMAIN, SECRET)),
    PriceUpdate(
        0,
        77,
        tuple(SignedPrice(i, 100 + i, PriceReport(0, 100 + i, 77).sign(DOMAIN, SECRET)) for i in range(5)),
    ),
    Liquidate(8, 1),
    PostOnly(SignedOrder(ORDER, ORDER.sign(DOMAIN, SECRET))),
    DeadMan(SwitchRequest(3, 30, 5, 10**9), SIGNATURE, 2),
    *OrderTree((replace(ORDER, reduce_only=True), replace(ORDER, time_in_force=2))).sign(DOMAIN, SECRET),
    SignedOrder(ORDER, SIGNATURE, key=3),
    Cancel(CancelRequest(3, 1, 7), SIGNATURE, 2),
    CancelAll(CancelAllRequest(3, 7), SIGNATURE),
    Transfer(TransferRequest(3, 1 << 32 | 3, 5, 4, 7), SIGNATURE),
    SetSessionKey(SessionKeyRequest(3, 1, bytes.fromhex("cd" * 20), 3, 10**9, 7), SIGNATURE),
    SetFees(FeeTierRequest(1, 2, -50, 100, 7), SIGNATURE),
    SetAccountTier(AccountTierRequest(3, 2, 7), SIGNATURE),
    Settle(8, 1),
    ProposeMarket(1, 7, replace(ETH, tiers=(Tier(5 * USD, 200_000, 100_000),)), SIGNATURE),
    EnactMarket(1),
]


def test_document_lists_every_error_code_of_ours() -> None:
    rows = re.findall(r"^\| (\d{4}) \| (\w+) \| (\d{3}) \|$", API_DOCUMENT.read_text(), re.MULTILINE)
    assert rows == [
        (str(code.number), code.name, str(code.status))
        for code in sorted(ErrorCode, key=lambda code: code.number)
    ]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_action_round_trips_through_its_json(action: Any) -> None:
    assert parse_action(json.dumps(to_body(action)).encode()) == action


def order_json(**changes: Any) -> bytes:
    return json.dumps({**to_body(ACTIONS[0]), **changes}).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 1_000_000},  # a number where a string belongs
        {"size": "1e6"},
        {"timeInForce": 3},
        {"reduceOnly": 1},
        {"key": 16},
        {"index": 1},
        {"siblings": ["0x" + "00" * 32] * 4},
        {"siblings": ["0x" + "00" * 31]},
        {"size": "1_000"},
        {"size": " 12"},
        {"size": "-1"},
        {"size": "+1"},
        {"size": "007"},
        {"size": "١٢"},  # Arabic digits, which int() takes
        {"size": "1" * 4301},
        {"size": str(1 << 64)},
        {"account": 1.0},
        {"account": True},
        {"account": 1 << 36},
        {"account": -1},
        {"expiry": 1 << 40},
        {"isBuy": 1},
        {"isBuy": "true"},
        {"signature": "0x" + "00" * 64},
        {"signature": "00" * 65},
        {"unknown": 1},
        {"type": "cancelEverything"},
    ],
    ids=str,
)
def test_anything_but_the_canonical_form_is_a_400(changes: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        parse_action(order_json(**changes))
    assert caught.value.number == ErrorCode.MALFORMED_REQUEST.number
    assert caught.value.status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"type": "order"}', b"NaN", b"[" * 5000])
def test_nonsense_is_a_400(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        parse_action(body)
    assert caught.value.status == 400


@pytest.mark.parametrize("number", ["1e3", "3.0", "+3", "03", "NaN", "Infinity", "0x3", str(1 << 64), "null"])
def test_number_that_is_no_plain_integer_is_a_400(number: str) -> None:
    body = order_json().replace(b'"account": 3', f'"account": {number}'.encode())
    assert body != order_json()
    with pytest.raises(ApiError) as caught:
        parse_action(body)
    assert caught.value.status == 400


def test_minus_zero_is_zero() -> None:
    body = order_json().replace(b'"account": 3', b'"account": -0')
    assert parse_action(body) == parse_action(order_json(account=0))


def test_field_that_is_given_twice_counts_as_it_stands_last_and_so_must_be_signed() -> None:
    body = order_json().replace(b'{"type"', b'{"size": "7", "type"')
    assert parse_action(body) == parse_action(order_json())


def test_error_says_where_the_fault_is() -> None:
    with pytest.raises(ApiError, match="expiry"):
        parse_action(order_json(expiry="soon"))


def test_error_codes_are_distinct_and_apart_from_the_law() -> None:
    numbers = [code.number for code in ErrorCode]
    assert len(set(numbers)) == len(numbers)
    assert min(numbers) >= 1000


def test_every_action_can_be_posted() -> None:
    """But a trade, which the sequencer makes of two orders."""
    assert {type(action) for action in ACTIONS} == {*get_args(Action), SignedOrder, PostOnly, DeadMan} - {
        Trade
    }


def test_no_rule_of_a_market_can_be_left_out() -> None:
    """What is not there would be signed as something else."""
    whole = to_body(next(action for action in ACTIONS if isinstance(action, ProposeMarket)))
    assert set(RulesBody.__struct_fields__) == {field.name for field in fields(MarketParameters)}
    for name in whole["rules"]:
        left = {key: value for key, value in whole["rules"].items() if key != name}
        with pytest.raises(ApiError, match=name):
            parse_action(json.dumps({**whole, "rules": left}).encode())

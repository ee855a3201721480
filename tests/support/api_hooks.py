"""Loaded by schemathesis (`tests/property/test_api_fuzz.py`): signs some of what it makes up.

Random bytes are never anybody's signature: without this, whatever is behind the check of signatures would
hear of nothing. Half of what the schema allows stays as it is.
"""

import json
from dataclasses import replace
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response

from optimist.api.errors import ApiError
from optimist.api.promises import DeadMan, PostOnly
from optimist.api.schema import ParsedAction, parse_action, to_body
from optimist.derive.account_actions import Cancel, SetSessionKey, Transfer
from optimist.derive.actions import Liquidate, SignedOrder, Withdraw
from optimist.derive.typed_data import Domain, Order
from tests.support.bench import ONE
from tests.support.world import PRICE, START, World, secret, trader

LOT = ONE // 100
NOT_UNDERSTOOD = (
    '{"error": {"code": 1000, "name": "MALFORMED_REQUEST", "message": "not '  # ... an action, JSON
)
ACCOUNTS = 3  # funded in `tests/support/door.py`

_domain: Domain = World().domain


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """Whole numbers as integers, which JSON Schema does not tell from 85.0; then sign some actions."""
    body = _to_integers(body)
    if isinstance(body, list):
        return [_sign(each) for each in body]
    return _sign(body)


@schemathesis.check
def a_single_action_is_judged_by_its_schema(
    _context: CheckContext, response: Response, case: Case[Any]
) -> None:
    """What schemathesis' own two checks would ask of POST, could they see into what is answered.

    An array is answered even with a broken action in it: every action has its own result. And what is well
    formed may be MALFORMED_REQUEST all the same, when two fields contradict each other.
    """
    if case.operation.method != "post" or isinstance(case.body, list) or case.meta is None:
        return
    if case.meta.generation.mode.is_negative:
        assert 400 <= response.status_code < 500, f"taken with {response.status_code}"
    else:
        assert not response.text.startswith(NOT_UNDERSTOOD), "well formed, and not understood"


def _to_integers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _to_integers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_to_integers(each) for each in value]
    return value


def _sign(body: Any) -> Any:
    """The same action by somebody who exists, signed by them; whatever is no action stays what it is."""
    if not isinstance(body, dict) or str(body.get("nonce", "")).endswith(("1", "3", "5", "7", "9")):
        return body
    try:
        action = parse_action(json.dumps(body).encode())
    except (ApiError, ValueError, UnicodeError):
        return body
    return to_body(_make_good(action))


def _make_good(action: ParsedAction) -> ParsedAction:
    match action:
        case PostOnly(order=signed):
            return PostOnly(_make_good_order(signed.order))
        case SignedOrder():
            return _make_good_order(action.order)
        case Liquidate(account=number, market=lots):  # plenty of those are made up, and few orders
            return _make_good_order(Order(number, 0, bool(lots % 2), lots, number, 0, 0, number + lots, 0))
        case DeadMan(request=request):
            switch = replace(
                request,
                account=1 + request.account % ACCOUNTS,
                seconds=request.seconds % 100,
                valid_until=START + 30,
            )
            return DeadMan(switch, switch.sign(_domain, _find_secret(switch.account)))
        case Withdraw() | Cancel() | SetSessionKey():
            asked: Any = replace(action.request, account=1 + action.request.account % ACCOUNTS)
            signature = asked.sign(_domain, _find_secret(asked.account))
            return replace(action, request=asked, signature=signature)
        case Transfer(request=transfer):
            between = replace(transfer, source=1, target=2)
            return Transfer(between, between.sign(_domain, _find_secret(1)))
        case _:
            return action


def _make_good_order(wanted: Order) -> SignedOrder:
    order = replace(
        wanted,
        account=1 + wanted.account % ACCOUNTS,
        market=0,
        size=LOT * (1 + wanted.size % 5),
        price=100_000 * PRICE + wanted.price % 3 - 1,
        max_fee_ppm=1_000,
        expiry=START + 1_000_000,
        reduce_only=wanted.reduce_only and wanted.size % 4 == 0,
    )
    return SignedOrder(order, order.sign(_domain, _find_secret(order.account)))


def _find_secret(account: int) -> bytes:
    return secret(trader(account))

"""What comes in and goes out over HTTP, typed. Amounts travel as decimal strings, never as floats.

`parse_action` turns the JSON of `POST /v1/actions` into a signed action of the protocol; everything inside is
bytes and integers. Strict: unknown fields, numbers where strings belong, signs, spaces and leading zeros are
refused.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from optimist.api.errors import ErrorCode, api_error
from optimist.derive.actions import Liquidate, PriceUpdate, SignedOrder, SignedPrice, Withdraw
from optimist.derive.typed_data import Order, Signature, WithdrawRequest

Decimal = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,19})$")]
Address = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}$")]
SignatureHex = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{130}$")]
Account = Annotated[int, Meta(ge=0, lt=1 << 36)]
Market = Annotated[int, Meta(ge=0, lt=1 << 16)]
Second = Annotated[int, Meta(ge=0, lt=1 << 40)]
Slot = Annotated[int, Meta(ge=0, lt=1 << 8)]
Ppm = Annotated[int, Meta(ge=0, lt=1 << 32)]

MAX_UINT64 = (1 << 64) - 1


class _Body(Struct, forbid_unknown_fields=True, rename="camel", tag_field="type"):
    """Base of every action's JSON."""


class OrderBody(_Body, tag="order"):
    """A limit order: size in the market's units, price in 1e-8 USD. Signed over the EIP-712 type Order."""

    account: Account
    market: Market
    is_buy: bool
    size: Decimal
    price: Decimal
    max_fee_ppm: Ppm
    slot: Slot
    nonce: Decimal
    expiry: Second
    signature: SignatureHex


class WithdrawBody(_Body, tag="withdraw"):
    """A withdrawal of `amount` (1e-6 USD) to `recipient` on L1; signed over the EIP-712 type Withdraw."""

    account: Account
    amount: Decimal
    recipient: Address
    nonce: Decimal
    signature: SignatureHex


class ReportBody(Struct, forbid_unknown_fields=True, rename="camel"):
    """One oracle key's price."""

    signer: Annotated[int, Meta(ge=0, lt=256)]
    price: Decimal
    signature: SignatureHex


class PriceBody(_Body, tag="price"):
    """Prices of one market, each signed over the EIP-712 type Price."""

    market: Market
    publish_time: Second
    reports: Annotated[list[ReportBody], Meta(min_length=1, max_length=7)]


class LiquidateBody(_Body, tag="liquidate"):
    """Ask for the liquidation of an unhealthy position. Unsigned: the law decides whether and how much."""

    account: Account
    market: Market


ActionBody = OrderBody | WithdrawBody | PriceBody | LiquidateBody
ParsedAction = SignedOrder | Withdraw | PriceUpdate | Liquidate

_decoder: msgspec.json.Decoder[ActionBody] = msgspec.json.Decoder(ActionBody)


class Confirmation(Struct, rename="camel"):
    """The sequencer's signature over the number of sequenced inputs so far and their history."""

    number: int
    history: str
    signature: str


class ActionAnswer(Struct, rename="camel"):
    """What became of an action. `inputs` are the sequenced inputs that it caused, as 0x hex."""

    status: str
    inputs: list[str]
    filled: str
    resting: str
    order_id: str | None
    confirmation: Confirmation


def parse_action(body: bytes) -> ParsedAction:
    """The action in a request. Raises ApiError MALFORMED_REQUEST with the place of the fault."""
    try:
        parsed = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"not an action: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"not JSON: {error}") from None
    match parsed:
        case OrderBody():
            return _to_order(parsed)
        case WithdrawBody():
            request = WithdrawRequest(
                parsed.account,
                _uint64("amount", parsed.amount),
                bytes.fromhex(parsed.recipient[2:]),
                _uint64("nonce", parsed.nonce),
            )
            return Withdraw(request, _signature(parsed.signature))
        case PriceBody():
            reports = tuple(
                SignedPrice(one.signer, _uint64("price", one.price), _signature(one.signature))
                for one in parsed.reports
            )
            return PriceUpdate(parsed.market, parsed.publish_time, reports).sort()
        case LiquidateBody():
            return Liquidate(parsed.account, parsed.market)


def to_body(action: ParsedAction) -> dict[str, Any]:
    """The JSON object of an action: what a client posts. The inverse of `parse_action`."""
    body: ActionBody
    match action:
        case SignedOrder(order=order):
            body = OrderBody(
                order.account,
                order.market,
                order.is_buy,
                str(order.size),
                str(order.price),
                order.max_fee_ppm,
                order.slot,
                str(order.nonce),
                order.expiry,
                signature_hex(action.signature),
            )
        case Withdraw(request=request):
            body = WithdrawBody(
                request.account,
                str(request.amount),
                "0x" + request.recipient.hex(),
                str(request.nonce),
                signature_hex(action.signature),
            )
        case PriceUpdate():
            reports = [
                ReportBody(one.signer, str(one.price), signature_hex(one.signature)) for one in action.prices
            ]
            body = PriceBody(action.market, action.publish_time, reports)
        case Liquidate():
            body = LiquidateBody(action.account, action.market)
    built: dict[str, Any] = msgspec.to_builtins(body)
    return built


def signature_hex(signature: Signature) -> str:
    """65 bytes r | s | v, as wallets write them."""
    return (
        "0x"
        + (signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big") + bytes((signature.v,))).hex()
    )


def _to_order(body: OrderBody) -> SignedOrder:
    order = Order(
        account=body.account,
        market=body.market,
        is_buy=body.is_buy,
        size=_uint64("size", body.size),
        price=_uint64("price", body.price),
        max_fee_ppm=body.max_fee_ppm,
        slot=body.slot,
        nonce=_uint64("nonce", body.nonce),
        expiry=body.expiry,
    )
    return SignedOrder(order, _signature(body.signature))


def _uint64(name: str, text: str) -> int:
    value = int(text)  # the pattern allows twenty ASCII digits at most
    if value > MAX_UINT64:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"{name} = {text} does not fit 64 bits")
    return value


def _signature(text: str) -> Signature:
    raw = bytes.fromhex(text[2:])
    return Signature(raw[64], int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))

"""What comes in and goes out over HTTP, typed. Amounts travel as decimal strings, never as floats.

`parse_action` turns the JSON of `POST /v1/actions` into a signed action of the protocol; everything inside is
bytes and integers. Strict: unknown fields, numbers where strings belong, signs, spaces and leading zeros are
refused.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from optimist.api.errors import ApiError, ErrorCode, api_error
from optimist.api.fields import (
    Account,
    Address,
    Body,
    Decimal,
    Hash,
    Index,
    Key,
    Market,
    Ppm,
    Second,
    SignatureHex,
    SignedPpm,
    Slot,
    TimeInForce,
    parse_signature,
    parse_uint64,
    signature_hex,
)
from optimist.api.governance import EnactMarketBody, ProposeMarketBody, from_proposal, to_proposal
from optimist.api.promises import DeadMan, PostOnly, SwitchRequest
from optimist.derive.account_actions import (
    AccountAction,
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
    EnactMarket,
    Liquidate,
    PriceUpdate,
    ProposeMarket,
    Settle,
    SignedOrder,
    SignedPrice,
    Withdraw,
)
from optimist.derive.typed_data import Order, WithdrawRequest


class OrderBody(Body, tag="order"):
    """A limit order: size in the market's units, price in 1e-8 USD. Signed over the EIP-712 type Order.

    timeInForce 0 rests until it expires, 1 takes what is there, 2 takes all of its size in one fill or
    nothing. `key` is the session key that signed, 0 the owner. An order that was signed with others over the
    type OrderTree says which of them it is, and gives the hashes on its way up. `postOnly` is not signed: the
    sequencer refuses the order whole when it would meet a resting one.
    """

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
    reduce_only: bool = False
    time_in_force: TimeInForce = 0
    key: Key = 0
    index: Index = 0
    siblings: Annotated[list[Hash], Meta(max_length=3)] = field(default_factory=list)
    post_only: bool = False


class WithdrawBody(Body, tag="withdraw"):
    """A withdrawal of `amount` (1e-6 USD) to `recipient` on L1; signed over the EIP-712 type Withdraw.

    Where the account's risk group has a loss, its part of it stays behind; if less than `leastPaid` would be
    paid, the withdrawal is refused.
    """

    account: Account
    amount: Decimal
    least_paid: Decimal
    recipient: Address
    nonce: Decimal
    signature: SignatureHex


class CancelBody(Body, tag="cancel"):
    """All orders of a slot with a nonce below `nonce` are dead; signed over the EIP-712 type Cancel."""

    account: Account
    slot: Slot
    nonce: Decimal
    signature: SignatureHex
    key: Key = 0


class CancelAllBody(Body, tag="cancelAll"):
    """All orders of an account with a nonce below `nonce` are dead; signed over the type CancelAll."""

    account: Account
    nonce: Decimal
    signature: SignatureHex
    key: Key = 0


class DeadManBody(Body, tag="deadMan"):
    """All orders of an account leave the books unless this is sent again within `seconds`; 0: never mind.

    Signed over the EIP-712 type DeadManSwitch. `nonce` rises with every request; `validUntil` is at most 60
    seconds ahead.
    """

    account: Account
    seconds: Annotated[int, Meta(ge=0, le=86_400)]
    nonce: Decimal
    valid_until: Second
    signature: SignatureHex
    key: Key = 0


class TransferBody(Body, tag="transfer"):
    """`amount` (1e-6 USD) to another account of the same owner; signed over the EIP-712 type Transfer.

    What arrives in another risk group is, as with a withdrawal, at least `leastPaid`.
    """

    source: Account
    target: Account
    amount: Decimal
    least_paid: Decimal
    nonce: Decimal
    signature: SignatureHex


class SessionKeyBody(Body, tag="sessionKey"):
    """Lend a key rights (1 trade, 2 cancel, 3 both); signed over the EIP-712 type SessionKey."""

    account: Account
    index: Annotated[int, Meta(ge=1, lt=16)]
    key: Address
    rights: Annotated[int, Meta(ge=0, le=3)]
    expiry: Second
    nonce: Decimal
    signature: SignatureHex


class FeeTierBody(Body, tag="feeTier"):
    """What a tier of a market pays; signed by the fee manager over the EIP-712 type FeeTier."""

    market: Market
    tier: Index
    maker_ppm: SignedPpm
    taker_ppm: Ppm
    nonce: Decimal
    signature: SignatureHex


class AccountTierBody(Body, tag="accountTier"):
    """The tier of an account; signed by the fee manager over the EIP-712 type AccountTier."""

    account: Account
    tier: Index
    nonce: Decimal
    signature: SignatureHex


class ReportBody(Struct, forbid_unknown_fields=True, rename="camel"):
    """One oracle key's price."""

    signer: Annotated[int, Meta(ge=0, lt=256)]
    price: Decimal
    signature: SignatureHex


class PriceBody(Body, tag="price"):
    """Prices of one market, each signed over the EIP-712 type Price."""

    market: Market
    publish_time: Second
    reports: Annotated[list[ReportBody], Meta(min_length=1, max_length=7)]


class LiquidateBody(Body, tag="liquidate"):
    """Ask for the liquidation of an unhealthy position. Unsigned: the law decides whether and how much."""

    account: Account
    market: Market


class SettleBody(Body, tag="settle"):
    """Ask for the settlement of a position that its whole side's deleveraging has closed. Unsigned."""

    account: Account
    market: Market


AccountBody = CancelBody | CancelAllBody | TransferBody | SessionKeyBody | FeeTierBody | AccountTierBody
MarketBody = ProposeMarketBody | EnactMarketBody
ActionBody = (
    OrderBody | WithdrawBody | PriceBody | LiquidateBody | SettleBody | DeadManBody | MarketBody | AccountBody
)
LawAction = Withdraw | PriceUpdate | Liquidate | Settle | ProposeMarket | EnactMarket | AccountAction
ParsedAction = SignedOrder | PostOnly | DeadMan | LawAction

_decoder: msgspec.json.Decoder[ActionBody] = msgspec.json.Decoder(ActionBody)
_array_decoder: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])


class Confirmation(Struct, rename="camel"):
    """The sequencer's signature over the number of sequenced inputs so far and their history."""

    number: int
    history: str
    signature: str


class ActionResult(Struct, rename="camel"):
    """What became of an action. `inputs` are the sequenced inputs that it caused, as 0x hex.

    `number`: how many inputs there are up to and with the last of them. `code`: why an order was not taken
    further ("refused in part"), else 0. `filled` and `resting`: sizes of an order.
    """

    status: str
    inputs: list[str]
    number: int
    code: int
    filled: str
    resting: str
    order_id: str | None


class ActionAnswer(ActionResult, rename="camel"):
    """The same with the sequencer's word for it."""

    confirmation: Confirmation


class ErrorBody(Struct):
    """What went wrong. `code` is never reused (`docs/API.md` lists all), `message` says what to do."""

    code: int
    name: str
    message: str
    details: dict[str, Any]


class ErrorAnswer(Struct):
    """Every answer that is an error."""

    error: ErrorBody


class FrameAnswer(Struct, rename="camel"):
    """What became of several actions, in their order: each has its result, or its own error.

    One confirmation for all: of the inputs up to and with the last one. Null when every action was refused.
    """

    results: list[dict[str, Any]]  # each an ActionResult or an ErrorAnswer
    confirmation: Confirmation | None


MAX_FRAME = 64  # actions in one request


def parse_actions(body: bytes | msgspec.Raw) -> "list[ParsedAction | ApiError]":
    """The actions of an array, each parsed or with its own error. Raises ApiError if it is no such array."""
    try:
        raw = _array_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise api_error(ErrorCode.MALFORMED_REQUEST, str(error)[:300]) from None
    if not 1 <= len(raw) <= MAX_FRAME:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"send 1 to {MAX_FRAME} actions at once, not {len(raw)}")
    return [_parse_or_error(each) for each in raw]


def _parse_or_error(raw: msgspec.Raw) -> "ParsedAction | ApiError":
    try:
        return parse_action(raw)
    except ApiError as error:
        return error


def parse_action(body: bytes | msgspec.Raw) -> ParsedAction:
    """The action in a request. Raises ApiError MALFORMED_REQUEST with the place of the fault."""
    try:
        parsed = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"not an action: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"not JSON: {error}") from None
    match parsed:
        case OrderBody():
            order = _to_order(parsed)
            return PostOnly(order) if parsed.post_only else order
        case DeadManBody():
            switch = SwitchRequest(
                parsed.account, parsed.seconds, parse_uint64("nonce", parsed.nonce), parsed.valid_until
            )
            return DeadMan(switch, parse_signature(parsed.signature), parsed.key)
        case WithdrawBody():
            request = WithdrawRequest(
                parsed.account,
                parse_uint64("amount", parsed.amount),
                parse_uint64("leastPaid", parsed.least_paid),
                bytes.fromhex(parsed.recipient[2:]),
                parse_uint64("nonce", parsed.nonce),
            )
            return Withdraw(request, parse_signature(parsed.signature))
        case PriceBody():
            reports = tuple(
                SignedPrice(one.signer, parse_uint64("price", one.price), parse_signature(one.signature))
                for one in parsed.reports
            )
            return PriceUpdate(parsed.market, parsed.publish_time, reports).sort()
        case LiquidateBody():
            return Liquidate(parsed.account, parsed.market)
        case SettleBody():
            return Settle(parsed.account, parsed.market)
        case ProposeMarketBody():
            return to_proposal(parsed)
        case EnactMarketBody():
            return EnactMarket(parsed.market)
        case _:
            return _to_account_action(parsed)


def to_body(action: ParsedAction) -> dict[str, Any]:
    """The JSON object of an action: what a client posts. The inverse of `parse_action`."""
    body: ActionBody
    match action:
        case PostOnly(order=signed):
            return {**to_body(signed), "postOnly": True}
        case DeadMan(request=switch):
            body = DeadManBody(
                switch.account,
                switch.seconds,
                str(switch.nonce),
                switch.valid_until,
                signature_hex(action.signature),
                action.key,
            )
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
                order.reduce_only,
                order.time_in_force,
                action.key,
                action.index,
                ["0x" + sibling.hex() for sibling in action.siblings],
            )
        case Withdraw(request=request):
            body = WithdrawBody(
                request.account,
                str(request.amount),
                str(request.least_paid),
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
        case Settle():
            body = SettleBody(action.account, action.market)
        case ProposeMarket():
            body = from_proposal(action)
        case EnactMarket():
            body = EnactMarketBody(action.market)
        case _:
            body = _from_account_action(action)
    built: dict[str, Any] = msgspec.to_builtins(body)
    return built


def _to_order(body: OrderBody) -> SignedOrder:
    order = Order(
        account=body.account,
        market=body.market,
        is_buy=body.is_buy,
        size=parse_uint64("size", body.size),
        price=parse_uint64("price", body.price),
        max_fee_ppm=body.max_fee_ppm,
        slot=body.slot,
        nonce=parse_uint64("nonce", body.nonce),
        expiry=body.expiry,
        reduce_only=body.reduce_only,
        time_in_force=body.time_in_force,
    )
    if body.index >> len(body.siblings):
        raise api_error(
            ErrorCode.MALFORMED_REQUEST,
            f"index {body.index} lies beyond a tree of {1 << len(body.siblings)} orders: give all siblings",
        )
    siblings = tuple(bytes.fromhex(each[2:]) for each in body.siblings)
    return SignedOrder(order, parse_signature(body.signature), body.key, body.index, siblings)


def _to_account_action(body: AccountBody) -> AccountAction:
    signature, nonce = parse_signature(body.signature), parse_uint64("nonce", body.nonce)
    match body:
        case CancelBody():
            return Cancel(CancelRequest(body.account, body.slot, nonce), signature, body.key)
        case CancelAllBody():
            return CancelAll(CancelAllRequest(body.account, nonce), signature, body.key)
        case TransferBody():
            amount, least_paid = (
                parse_uint64("amount", body.amount),
                parse_uint64("leastPaid", body.least_paid),
            )
            request = TransferRequest(body.source, body.target, amount, least_paid, nonce)
            return Transfer(request, signature)
        case SessionKeyBody():
            key = bytes.fromhex(body.key[2:])
            return SetSessionKey(
                SessionKeyRequest(body.account, body.index, key, body.rights, body.expiry, nonce), signature
            )
        case FeeTierBody():
            fees = FeeTierRequest(body.market, body.tier, body.maker_ppm, body.taker_ppm, nonce)
            return SetFees(fees, signature)
        case AccountTierBody():
            return SetAccountTier(AccountTierRequest(body.account, body.tier, nonce), signature)


def _from_account_action(action: AccountAction) -> AccountBody:
    signature, nonce = signature_hex(action.signature), str(action.request.nonce)
    match action:
        case Cancel(request=cancel):
            return CancelBody(cancel.account, cancel.slot, nonce, signature, action.key)
        case CancelAll(request=cancel_all):
            return CancelAllBody(cancel_all.account, nonce, signature, action.key)
        case Transfer(request=transfer):
            return TransferBody(
                transfer.source,
                transfer.target,
                str(transfer.amount),
                str(transfer.least_paid),
                nonce,
                signature,
            )
        case SetSessionKey(request=session):
            key = "0x" + session.key.hex()
            return SessionKeyBody(
                session.account, session.index, key, session.rights, session.expiry, nonce, signature
            )
        case SetFees(request=fees):
            return FeeTierBody(fees.market, fees.tier, fees.maker_ppm, fees.taker_ppm, nonce, signature)
        case SetAccountTier(request=put):
            return AccountTierBody(put.account, put.tier, nonce, signature)

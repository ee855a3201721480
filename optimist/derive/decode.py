"""Bytes of an input back to its typed object: for display, for logs, for the matching of receipts to orders.

The law does not use this: it reads bytes itself, and to it anything is an input.
"""

from typing import Final, TypeAlias

from optimist.derive.account_actions import (
    AccountAction,
    AccountTierRequest,
    Cancel,
    CancelAll,
    CancelAllRequest,
    CancelRequest,
    FeeTierRequest,
    ForcedCancelAll,
    ForcedReduce,
    ForcedSessionEnd,
    SessionKeyRequest,
    SetAccountTier,
    SetFees,
    SetSessionKey,
    Transfer,
    TransferRequest,
)
from optimist.derive.actions import (
    HASH_BYTES,
    NO_TIER,
    Action,
    CloseMarket,
    Deposit,
    EnactMarket,
    Forced,
    ForcedService,
    ForcedWithdraw,
    Header,
    Init,
    Input,
    Liquidate,
    MarketParameters,
    PriceUpdate,
    ProposeMarket,
    Sequenced,
    Settle,
    SignedOrder,
    SignedPrice,
    Tier,
    Trade,
    Withdraw,
)
from optimist.derive.octets import DecodingError, Reader
from optimist.derive.typed_data import ADDRESS_BYTES, Order, Signature, WithdrawRequest
from optimist.stf import inputs
from optimist.stf.constants import FILL_OR_KILL, MAX_TIERS, MAX_TREE_DEPTH

ForcedAction: TypeAlias = (
    ForcedWithdraw | ForcedCancelAll | ForcedReduce | ForcedSessionEnd | CloseMarket | ForcedService
)

MARKET_FIELDS: Final = (
    ("size_decimals", 1),
    ("lot", 8),
    ("initial_margin_ppm", 4),
    ("maintenance_margin_ppm", 4),
    ("maker_fee_ppm", 4),
    ("taker_fee_ppm", 4),
    ("liquidation_penalty_ppm", 4),
    ("max_position", 8),
    ("step_ppm", 4),
    ("halt_ppm", 4),
    ("halt_seconds", 4),
    ("gap_seconds", 4),
    ("interest", 4),
    ("damper", 4),
    ("max_rate", 4),
    ("max_premium", 4),
    ("smoothing_seconds", 4),
)
# What follows the tiers.
MARKET_RISK_FIELDS: Final = (
    ("max_open_interest", 8),
    ("open_interest_lower", 8),
    ("open_interest_upper", 8),
    ("mark_cap_ppm", 4),
    ("volatility_multiplier_ppm", 4),
    ("volatility_horizon", 4),
    ("volatility_window", 4),
    ("volatility_sample", 4),
    ("group", 1),
)


# Kinds that anybody may force: they take effect or are rejected, as from the sequencer.
FORCED_SERVICES: Final = tuple(
    bytes((kind,))
    for kind in (
        inputs.KIND_PRICE,
        inputs.KIND_LIQUIDATE,
        inputs.KIND_SETTLE,
        inputs.KIND_PROPOSE_MARKET,
        inputs.KIND_ENACT_MARKET,
    )
)


def decode(data: bytes) -> Input:
    """The typed object of an input. Raises DecodingError for bytes that are no input of the protocol."""
    reader = Reader(data)
    origin = reader.uint("origin", 1)
    match origin:
        case inputs.ORIGIN_INIT:
            return _decode_init(reader)
        case inputs.ORIGIN_HEADER:
            header = Header(
                reader.uint("batch", 8),
                reader.uint("first", 5),
                reader.uint("last", 5),
                reader.uint("mode", 1),
            )
            reader.end()
            return header
        case inputs.ORIGIN_DEPOSIT:
            deposit = Deposit(
                reader.uint("account", 5), reader.bytes("owner", ADDRESS_BYTES), reader.uint("amount", 8)
            )
            reader.end()
            return deposit
        case inputs.ORIGIN_FORCED:
            return Forced(
                reader.bytes("sender", ADDRESS_BYTES),
                reader.uint("enqueued at", 5),
                data[inputs.FORCED_KIND_AT :],
            )
        case inputs.ORIGIN_SEQUENCED:
            return Sequenced(reader.uint("second", 5), _decode_action(reader))
        case _:
            raise DecodingError(f"origin {origin} does not exist: it is 1 to 5")


def decode_forced(payload: bytes) -> ForcedAction:
    """What was forced, from kind and body. Raises DecodingError where the law says MALFORMED."""
    reader = Reader(payload)
    if payload[:1] in FORCED_SERVICES:
        action = _decode_action(reader)
        assert isinstance(action, ForcedService)  # noqa: S101 - by its kind
        return action
    kind = reader.uint("kind", 1)
    wanted: ForcedAction
    match kind:
        case inputs.KIND_WITHDRAW:
            account, amount = reader.uint("account", 5), reader.uint("amount", 8)
            wanted = ForcedWithdraw(account, amount, reader.uint("least paid", 8))
        case inputs.KIND_CANCEL_ALL:
            wanted = ForcedCancelAll(reader.uint("account", 5), reader.uint("nonce", 8))
        case inputs.KIND_REDUCE:
            account, market = reader.uint("account", 5), reader.uint("market", 2)
            wanted = ForcedReduce(account, market, reader.uint("size", 8), reader.uint("limit", 8))
        case inputs.KIND_SESSION_KEY:
            wanted = ForcedSessionEnd(reader.uint("account", 5), reader.uint("index", 1))
        case inputs.KIND_CLOSE_MARKET:
            wanted = CloseMarket(reader.uint("market", 2))
        case _:
            raise DecodingError(f"kind {kind} cannot be forced: see docs/PROTOCOL.md")
    reader.end()
    return wanted


def decode_order(data: bytes, market: int) -> SignedOrder:
    """The signed order of `market` that `SignedOrder.encode` wrote. Raises DecodingError."""
    reader = Reader(data)
    signed = _read_order(reader, market)
    reader.end()
    return signed


def _decode_init(reader: Reader) -> Init:
    chain_id, vault, second = (
        reader.uint("chain id", 8),
        reader.bytes("vault", ADDRESS_BYTES),
        reader.uint("second", 5),
    )
    backstop_owner = reader.bytes("backstop owner", ADDRESS_BYTES)
    quorum, signers, markets = (reader.uint(name, 1) for name in ("quorum", "signer count", "market count"))
    future, trade, liquidation, buffer = (
        reader.uint(name, 4)
        for name in ("future tolerance", "trade heartbeat", "liquidation heartbeat", "liquidation buffer ppm")
    )
    fee_manager = reader.bytes("fee manager", ADDRESS_BYTES)
    governor, timelock = reader.bytes("governor", ADDRESS_BYTES), reader.uint("timelock", 4)
    silence, window = reader.uint("silence", 4), reader.uint("window", 4)
    init = Init(
        chain_id=chain_id,
        vault=vault,
        second=second,
        backstop_owner=backstop_owner,
        quorum=quorum,
        future_tolerance=future,
        trade_heartbeat=trade,
        liquidation_heartbeat=liquidation,
        liquidation_buffer_ppm=buffer,
        fee_manager=fee_manager,
        signers=tuple(reader.bytes("signer", ADDRESS_BYTES) for _ in range(signers)),
        markets=tuple(_read_market(reader) for _ in range(markets)),
        governor=governor,
        timelock=timelock,
        silence=silence,
        window=window,
    )
    reader.end()
    return init


def _read_market(reader: Reader) -> MarketParameters:
    fields = {name: reader.uint(name, length) for name, length in MARKET_FIELDS}
    tiers = [
        Tier(reader.uint("tier from notional", 8), reader.uint("tier", 4), reader.uint("tier", 4))
        for _ in range(MAX_TIERS - 1)
    ]
    while tiers and tiers[-1] == NO_TIER:
        tiers.pop()
    risk = {name: reader.uint(name, length) for name, length in MARKET_RISK_FIELDS}
    return MarketParameters(**fields, **risk, tiers=tuple(tiers))


def _decode_action(reader: Reader) -> Action:
    kind = reader.uint("kind", 1)
    action: Action
    match kind:
        case inputs.KIND_PRICE:
            market, publish_time = reader.uint("market", 2), reader.uint("publish time", 5)
            count = reader.uint("count", 1)
            prices = tuple(
                SignedPrice(reader.uint("signer index", 1), reader.uint("price", 8), _read_signature(reader))
                for _ in range(count)
            )
            action = PriceUpdate(market, publish_time, prices)
        case inputs.KIND_TRADE:
            market = reader.uint("market", 2)
            size, price = reader.uint("fill size", 8), reader.uint("fill price", 8)
            action = Trade(size, price, _read_order(reader, market), _read_order(reader, market))
        case inputs.KIND_WITHDRAW:
            request = WithdrawRequest(
                reader.uint("account", 5),
                reader.uint("amount", 8),
                reader.uint("least paid", 8),
                reader.bytes("recipient", ADDRESS_BYTES),
                reader.uint("nonce", 8),
            )
            action = Withdraw(request, _read_signature(reader))
        case inputs.KIND_LIQUIDATE:
            action = Liquidate(reader.uint("account", 5), reader.uint("market", 2))
        case inputs.KIND_PROPOSE_MARKET:
            market, nonce = reader.uint("market", 2), reader.uint("nonce", 8)
            signature = _read_signature(reader)
            action = ProposeMarket(market, nonce, _read_market(reader), signature)
        case inputs.KIND_ENACT_MARKET:
            action = EnactMarket(reader.uint("market", 2))
        case inputs.KIND_SETTLE:
            action = Settle(reader.uint("account", 5), reader.uint("market", 2))
        case _:
            action = _decode_account_action(kind, reader)
    reader.end()
    return action


def _decode_account_action(kind: int, reader: Reader) -> AccountAction:
    uint = reader.uint
    match kind:
        case inputs.KIND_CANCEL:
            cancel = CancelRequest(uint("account", 5), uint("slot", 1), uint("nonce", 8))
            key = uint("key", 1)
            return Cancel(cancel, _read_signature(reader), key)
        case inputs.KIND_CANCEL_ALL:
            cancel_all = CancelAllRequest(uint("account", 5), uint("nonce", 8))
            key = uint("key", 1)
            return CancelAll(cancel_all, _read_signature(reader), key)
        case inputs.KIND_TRANSFER:
            source, target = uint("source", 5), uint("target", 5)
            amount, least_paid = uint("amount", 8), uint("least paid", 8)
            transfer = TransferRequest(source, target, amount, least_paid, uint("nonce", 8))
            return Transfer(transfer, _read_signature(reader))
        case inputs.KIND_SESSION_KEY:
            session = SessionKeyRequest(
                uint("account", 5),
                uint("index", 1),
                reader.bytes("key", ADDRESS_BYTES),
                uint("rights", 1),
                uint("expiry", 5),
                uint("nonce", 8),
            )
            return SetSessionKey(session, _read_signature(reader))
        case inputs.KIND_FEES:
            market, tier, maker_ppm = uint("market", 2), uint("tier", 1), reader.signed("maker ppm", 4)
            fees = FeeTierRequest(market, tier, maker_ppm, uint("taker ppm", 4), uint("nonce", 8))
            return SetFees(fees, _read_signature(reader))
        case inputs.KIND_ACCOUNT_TIER:
            put = AccountTierRequest(uint("account", 5), uint("tier", 1), uint("nonce", 8))
            return SetAccountTier(put, _read_signature(reader))
        case _:
            raise DecodingError(f"kind {kind} of a sequenced input does not exist")


def _read_order(reader: Reader, market: int) -> SignedOrder:
    account, flag = reader.uint("account", 5), reader.uint("is buy", 1)
    if flag > 1:
        raise DecodingError(f"is buy is {flag}: it must be 0 or 1")
    terms = {
        "size": reader.uint("size", 8),
        "price": reader.uint("price", 8),
        "max_fee_ppm": reader.uint("max fee ppm", 4),
        "slot": reader.uint("slot", 1),
        "nonce": reader.uint("nonce", 8),
        "expiry": reader.uint("expiry", 5),
    }
    reduce_only = reader.uint("reduce only", 1)
    if reduce_only > 1:
        raise DecodingError(f"reduce only is {reduce_only}: it must be 0 or 1")
    order = Order(
        account=account,
        market=market,
        is_buy=flag == 1,
        **terms,
        reduce_only=reduce_only == 1,
        time_in_force=reader.uint("time in force", 1),
    )
    key, depth, index = reader.uint("key", 1), reader.uint("depth", 1), reader.uint("index", 1)
    if depth > MAX_TREE_DEPTH or order.time_in_force > FILL_OR_KILL or index >> depth:
        raise DecodingError(
            f"depth {depth}, index {index}, time in force {order.time_in_force}: the depth is at most "
            f"{MAX_TREE_DEPTH}, the index below 2**depth, the time in force at most {FILL_OR_KILL}"
        )
    siblings = tuple(reader.bytes("sibling", HASH_BYTES) for _ in range(depth))
    return SignedOrder(order, _read_signature(reader), key, index, siblings)


def _read_signature(reader: Reader) -> Signature:
    return Signature(reader.uint("v", 1), reader.uint("r", 32), reader.uint("s", 32))

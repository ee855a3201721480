"""The bytes of inputs: lengths, offsets and the way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive import actions
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
    CloseMarket,
    Deposit,
    EnactMarket,
    Forced,
    ForcedWithdraw,
    Header,
    Init,
    Input,
    Liquidate,
    MarketParameters,
    PriceUpdate,
    ProposeMarket,
    Sequenced,
    SignedOrder,
    SignedPrice,
    Tier,
    Trade,
    Withdraw,
    encode_forced,
)
from optimist.derive.decode import decode, decode_forced
from optimist.derive.octets import DecodingError, EncodingError
from optimist.derive.typed_data import Order, Signature, WithdrawRequest
from optimist.stf import inputs


def uint(length: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << 8 * length) - 1)


addresses = st.binary(min_size=20, max_size=20)
signatures = st.builds(Signature, uint(1), uint(32), uint(32))


@st.composite
def signed_orders(draw: st.DrawFn) -> SignedOrder:
    order = draw(
        st.builds(
            Order,
            uint(5),
            st.just(7),
            st.booleans(),
            *(uint(length) for length in (8, 8, 4, 1, 8, 5)),
            st.booleans(),
            st.integers(0, 2),
        )
    )
    depth = draw(st.integers(0, 3))
    index = draw(st.integers(0, (1 << depth) - 1))
    siblings = tuple(draw(st.binary(min_size=32, max_size=32)) for _ in range(depth))
    return SignedOrder(order, draw(signatures), draw(uint(1)), index, siblings)


trades = st.builds(Trade, uint(8), uint(8), signed_orders(), signed_orders())
prices = st.builds(
    PriceUpdate,
    uint(2),
    uint(5),
    st.lists(st.builds(SignedPrice, uint(1), uint(8), signatures), max_size=7).map(tuple),
)
withdrawals = st.builds(
    Withdraw, st.builds(WithdrawRequest, uint(5), uint(8), uint(8), addresses, uint(8)), signatures
)
account_actions = st.one_of(
    st.builds(Cancel, st.builds(CancelRequest, uint(5), uint(1), uint(8)), signatures, uint(1)),
    st.builds(CancelAll, st.builds(CancelAllRequest, uint(5), uint(8)), signatures, uint(1)),
    st.builds(Transfer, st.builds(TransferRequest, uint(5), uint(5), uint(8), uint(8), uint(8)), signatures),
    st.builds(
        SetSessionKey,
        st.builds(SessionKeyRequest, uint(5), uint(1), addresses, uint(1), uint(5), uint(8)),
        signatures,
    ),
    st.builds(
        SetFees,
        st.builds(FeeTierRequest, uint(2), uint(1), st.integers(-(1 << 31), (1 << 31) - 1), uint(4), uint(8)),
        signatures,
    ),
    st.builds(SetAccountTier, st.builds(AccountTierRequest, uint(5), uint(1), uint(8)), signatures),
)
tiers = st.lists(st.builds(Tier, st.integers(1, 2**64 - 1), uint(4), uint(4)), max_size=3).map(tuple)
markets = st.builds(
    MarketParameters,
    uint(1),
    uint(8),
    *[uint(4)] * 5,
    uint(8),
    *[uint(4)] * 9,
    tiers,
    *[uint(8)] * 3,
    *[uint(4)] * 5,
)
services = st.one_of(
    prices,
    st.builds(Liquidate, uint(5), uint(2)),
    st.builds(ProposeMarket, uint(2), uint(8), markets, signatures),
    st.builds(EnactMarket, uint(2)),
)
sequenced = st.builds(Sequenced, uint(5), st.one_of(trades, withdrawals, services, account_actions))
inits = st.builds(
    Init,
    uint(8),
    addresses,
    uint(5),
    addresses,
    uint(1),
    *[uint(4)] * 6,
    st.lists(addresses, max_size=7).map(tuple),
    st.lists(markets, max_size=2).map(tuple),
    addresses,
    addresses,
    uint(4),
)
any_input: st.SearchStrategy[Input] = st.one_of(
    inits,
    st.builds(Header, uint(8), uint(5), uint(5), uint(1)),
    st.builds(Deposit, uint(5), addresses, uint(8)),
    st.builds(Forced, addresses, uint(5), st.binary(max_size=40)),
    sequenced,
)


@given(any_input)
def test_decode_is_the_inverse_of_encode(value: Input) -> None:
    data = value.encode()
    assert 1 <= len(data) <= actions.MAX_INPUT_BYTES
    assert decode(data) == value


@given(any_input, st.data())
def test_truncated_or_extended_bytes_are_no_input(value: Input, data: st.DataObject) -> None:
    whole = value.encode()
    cut = data.draw(st.integers(0, len(whole) - 1))
    if not isinstance(value, Forced):  # a forced payload may be anything
        with pytest.raises(DecodingError):
            decode(whole[:cut])
        with pytest.raises(DecodingError):
            decode(whole + b"\0")


def field(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "big")


@given(trades, uint(5))
def test_trade_stands_where_the_law_reads_it(trade: Trade, second: int) -> None:
    data = Sequenced(second, trade).encode()
    assert field(data, inputs.SEQUENCED_SECOND_AT, 5) == second
    assert field(data, inputs.TRADE_MARKET_AT, 2) == trade.market
    assert field(data, inputs.TRADE_SIZE_AT, 8) == trade.size
    assert field(data, inputs.TRADE_PRICE_AT, 8) == trade.price
    at = inputs.TRADE_MAKER_AT
    for signed in (trade.maker, trade.taker):
        order = signed.order
        assert field(data, at + inputs.ORDER_ACCOUNT_AT, 5) == order.account
        assert field(data, at + inputs.ORDER_IS_BUY_AT, 1) == order.is_buy
        assert field(data, at + inputs.ORDER_SIZE_AT, 8) == order.size
        assert field(data, at + inputs.ORDER_PRICE_AT, 8) == order.price
        assert field(data, at + inputs.ORDER_MAX_FEE_AT, 4) == order.max_fee_ppm
        assert field(data, at + inputs.ORDER_SLOT_AT, 1) == order.slot
        assert field(data, at + inputs.ORDER_NONCE_AT, 8) == order.nonce
        assert field(data, at + inputs.ORDER_EXPIRY_AT, 5) == order.expiry
        assert field(data, at + inputs.ORDER_REDUCE_ONLY_AT, 1) == order.reduce_only
        assert field(data, at + inputs.ORDER_TIME_IN_FORCE_AT, 1) == order.time_in_force
        assert field(data, at + inputs.ORDER_KEY_AT, 1) == signed.key
        assert field(data, at + inputs.ORDER_DEPTH_AT, 1) == len(signed.siblings)
        assert field(data, at + inputs.ORDER_INDEX_AT, 1) == signed.index
        at += inputs.ORDER_SIBLINGS_AT
        for sibling in signed.siblings:
            assert data[at : at + inputs.SIBLING_LENGTH] == sibling
            at += inputs.SIBLING_LENGTH
        check_signature_at(data, at, signed.signature)
        at += inputs.SIGNATURE_LENGTH
    assert len(data) == at


def check_signature_at(data: bytes, at: int, signature: Signature) -> None:
    assert field(data, at + inputs.SIGNATURE_V_AT, 1) == signature.v
    assert field(data, at + inputs.SIGNATURE_R_AT, 32) == signature.r
    assert field(data, at + inputs.SIGNATURE_S_AT, 32) == signature.s


SIGNED = Signature(27, 5, 6)


@pytest.mark.parametrize(
    ("action", "fields", "length"),
    [
        (
            Cancel(CancelRequest(1, 2, 3), SIGNED, 4),
            {"ACCOUNT": (5, 1), "SLOT": (1, 2), "NONCE": (8, 3), "KEY": (1, 4)},
            inputs.CANCEL_LENGTH,
        ),
        (
            CancelAll(CancelAllRequest(1, 2), SIGNED, 3),
            {"ACCOUNT": (5, 1), "NONCE": (8, 2), "KEY": (1, 3)},
            inputs.CANCEL_ALL_LENGTH,
        ),
        (
            Transfer(TransferRequest(1, 2, 3, 4, 5), SIGNED),
            {"SOURCE": (5, 1), "TARGET": (5, 2), "AMOUNT": (8, 3), "LEAST": (8, 4), "NONCE": (8, 5)},
            inputs.TRANSFER_LENGTH,
        ),
        (
            SetSessionKey(SessionKeyRequest(1, 2, bytes(19) + b"\3", 4, 5, 6), SIGNED),
            {
                "ACCOUNT": (5, 1),
                "INDEX": (1, 2),
                "KEY": (20, 3),
                "RIGHTS": (1, 4),
                "EXPIRY": (5, 5),
                "NONCE": (8, 6),
            },
            inputs.SESSION_KEY_LENGTH,
        ),
        (
            SetFees(FeeTierRequest(1, 2, -3, 4, 5), SIGNED),
            {
                "MARKET": (2, 1),
                "TIER": (1, 2),
                "MAKER": (4, (1 << 32) - 3),
                "TAKER": (4, 4),
                "NONCE": (8, 5),
            },
            inputs.FEES_LENGTH,
        ),
        (
            SetAccountTier(AccountTierRequest(1, 2, 3), SIGNED),
            {"ACCOUNT": (5, 1), "TIER": (1, 2), "NONCE": (8, 3)},
            inputs.ACCOUNT_TIER_LENGTH,
        ),
    ],
)
def test_account_action_stands_where_the_law_reads_it(
    action: AccountAction, fields: dict[str, tuple[int, int]], length: int
) -> None:
    data = Sequenced(7, action).encode()
    names = {value: name for name, value in vars(inputs).items() if name.startswith("KIND_")}
    kind = names[action.KIND].removeprefix("KIND_")
    for name, (size, value) in fields.items():
        assert field(data, getattr(inputs, f"{kind}_{name}_AT"), size) == value
    check_signature_at(data, getattr(inputs, f"{kind}_SIGNATURE_AT"), SIGNED)
    assert len(data) == length


@given(inits)
def test_init_stands_where_the_law_reads_it(init: Init) -> None:
    data = init.encode()
    assert field(data, inputs.INIT_SECOND_AT, 5) == init.second
    assert data[inputs.INIT_VAULT_AT :][:20] == init.vault
    assert data[inputs.INIT_BACKSTOP_OWNER_AT :][:20] == init.backstop_owner
    assert data[inputs.INIT_FEE_MANAGER_AT :][:20] == init.fee_manager
    assert field(data, inputs.INIT_LIQUIDATION_BUFFER_AT, 4) == init.liquidation_buffer_ppm
    signers = [data[inputs.INIT_LISTS_AT + 20 * i :][:20] for i in range(len(init.signers))]
    assert signers == list(init.signers)
    start = inputs.INIT_LISTS_AT + inputs.INIT_SIGNER_LENGTH * len(signers)
    assert len(data) == start + inputs.INIT_MARKET_LENGTH * len(init.markets)
    for i, market in enumerate(init.markets):
        at = start + inputs.INIT_MARKET_LENGTH * i
        assert field(data, at + inputs.MARKET_LOT_AT, 8) == market.lot
        assert field(data, at + inputs.MARKET_MAX_POSITION_AT, 8) == market.max_position
        assert field(data, at + inputs.MARKET_STEP_AT, 4) == market.step_ppm
        assert field(data, at + inputs.MARKET_GAP_SECONDS_AT, 4) == market.gap_seconds


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (Header(1, 2, 3, 0), inputs.HEADER_LENGTH),
        (Deposit(1, bytes(20), 5), inputs.DEPOSIT_LENGTH),
        (Forced(bytes(20), 9, ForcedWithdraw(1, 5, 4).encode()), inputs.FORCED_WITHDRAW_LENGTH),
        (Forced(bytes(20), 9, ForcedCancelAll(1, 5).encode()), inputs.FORCED_CANCEL_ALL_LENGTH),
        (Forced(bytes(20), 9, ForcedReduce(1, 0, 5, 9).encode()), inputs.FORCED_REDUCE_LENGTH),
        (Forced(bytes(20), 9, ForcedSessionEnd(1, 5).encode()), inputs.FORCED_SESSION_KEY_LENGTH),
        (Sequenced(1, Liquidate(1, 0)), inputs.SEQUENCED_BODY_AT + inputs.LIQUIDATE_BODY_LENGTH),
        (
            Sequenced(1, Withdraw(WithdrawRequest(1, 2, 2, bytes(20), 3), Signature(27, 1, 1))),
            inputs.WITHDRAW_LENGTH,
        ),
        (
            Sequenced(1, PriceUpdate(0, 9, (SignedPrice(0, 1, Signature(27, 1, 1)),) * 3)),
            inputs.SEQUENCED_BODY_AT + inputs.PRICE_LIST_AT + 3 * inputs.SIGNED_PRICE_LENGTH,
        ),
    ],
)
def test_length_is_the_one_that_the_law_demands(value: Input, length: int) -> None:
    assert len(value.encode()) == length


def test_forced_payload_is_read_back() -> None:
    assert decode_forced(ForcedWithdraw(7, 100, 99).encode()) == ForcedWithdraw(7, 100, 99)
    assert decode_forced(ForcedCancelAll(7, 100).encode()) == ForcedCancelAll(7, 100)
    assert decode_forced(ForcedReduce(7, 1, 5, 9).encode()) == ForcedReduce(7, 1, 5, 9)
    assert decode_forced(ForcedSessionEnd(7, 3).encode()) == ForcedSessionEnd(7, 3)
    assert decode_forced(CloseMarket(7).encode()) == CloseMarket(7)
    assert decode_forced(encode_forced(Liquidate(7, 1))) == Liquidate(7, 1)
    price = PriceUpdate(0, 9, (SignedPrice(0, 1, Signature(27, 1, 1)),))
    assert decode_forced(encode_forced(price)) == price
    with pytest.raises(DecodingError):
        decode_forced(b"\x09")
    with pytest.raises(DecodingError):
        decode_forced(ForcedWithdraw(7, 100, 99).encode() + b"\0")


def test_value_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(EncodingError, match="account"):
        Liquidate(1 << 40, 0).encode_body()
    with pytest.raises(EncodingError, match="owner"):
        Deposit(1, bytes(19), 1).encode()


def test_prices_are_sorted_for_the_law() -> None:
    signature = Signature(27, 1, 1)
    update = PriceUpdate(
        0, 1, (SignedPrice(2, 9, signature), SignedPrice(0, 5, signature), SignedPrice(1, 5, signature))
    )
    assert [(one.price, one.signer) for one in update.sort().prices] == [(5, 0), (5, 1), (9, 2)]

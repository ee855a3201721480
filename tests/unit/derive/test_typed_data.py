"""EIP-712 messages against eth_account, which shares no code with ours."""

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from optimist.base.keccak import keccak
from optimist.derive.account_actions import (
    AccountTierRequest,
    CancelAllRequest,
    CancelRequest,
    FeeTierRequest,
    SessionKeyRequest,
    TransferRequest,
)
from optimist.derive.octets import EncodingError
from optimist.derive.typed_data import (
    Domain,
    MarketProposal,
    Message,
    Order,
    PriceReport,
    Signature,
    SoftConfirmation,
    WithdrawRequest,
)

SECRET = keccak(b"a trader's key")


def uint(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


domains = st.builds(Domain, uint(64), st.binary(min_size=20, max_size=20))
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        Order,
        uint(40),
        uint(16),
        st.booleans(),
        *(uint(bits) for bits in (64, 64, 32, 8, 64, 40)),
        st.booleans(),
        uint(8),
    ),
    st.builds(CancelRequest, uint(40), uint(8), uint(64)),
    st.builds(CancelAllRequest, uint(40), uint(64)),
    st.builds(TransferRequest, uint(40), uint(40), uint(64), uint(64), uint(64)),
    st.builds(
        SessionKeyRequest,
        uint(40),
        uint(8),
        st.binary(min_size=20, max_size=20),
        uint(8),
        uint(40),
        uint(64),
    ),
    st.builds(FeeTierRequest, uint(16), uint(8), st.integers(-(1 << 31), (1 << 31) - 1), uint(32), uint(64)),
    st.builds(AccountTierRequest, uint(40), uint(8), uint(64)),
    st.builds(WithdrawRequest, uint(40), uint(64), uint(64), st.binary(min_size=20, max_size=20), uint(64)),
    st.builds(PriceReport, uint(16), uint(64), uint(40)),
    st.builds(SoftConfirmation, uint(64), st.binary(min_size=32, max_size=32)),
    st.builds(MarketProposal, uint(16), uint(64), st.binary(min_size=192, max_size=192)),
)


@given(domains, messages)
def test_digest_is_the_one_that_eth_account_computes(domain: Domain, message: Message) -> None:
    signable = encode_typed_data(full_message=message.to_wallet(domain))
    assert message.digest(domain) == keccak(b"\x19" + signable.version + signable.header + signable.body)
    assert domain.separator == signable.header


@given(domains, messages)
def test_signature_of_a_wallet_is_the_signature_that_we_recover(domain: Domain, message: Message) -> None:
    wallet = EthAccount.from_key(SECRET)
    signed = wallet.sign_typed_data(full_message=message.to_wallet(domain))
    signature = Signature(signed.v, signed.r, signed.s)
    assert message.recover(domain, signature) == bytes.fromhex(wallet.address[2:])
    assert message.sign(domain, SECRET) == signature


def test_signature_of_another_rollup_recovers_to_somebody_else() -> None:
    report = PriceReport(0, 1, 1)
    here, there = Domain(1, bytes(20)), Domain(2, bytes(20))
    assert report.recover(there, report.sign(here, SECRET)) != report.recover(here, report.sign(here, SECRET))


def test_value_that_does_not_fit_its_type_is_refused_by_name() -> None:
    with pytest.raises(EncodingError, match="publishTime"):
        PriceReport(0, 1, 1 << 40).struct_hash()
    with pytest.raises(EncodingError, match="recipient"):
        WithdrawRequest(0, 1, 1, bytes(19), 0).struct_hash()
    with pytest.raises(EncodingError, match="rules"):
        MarketProposal(0, 1, bytes(191)).struct_hash()

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from optimist.l1.signer import Signer
from optimist.l1.transactions import Transaction

SECRET = b"\x11" * 32

transactions = st.builds(
    Transaction,
    chain_id=st.integers(1, 2**64),
    nonce=st.integers(0, 2**64 - 2),
    to=st.just(b"") | st.binary(min_size=20, max_size=20),
    value=st.integers(0, 2**128),
    data=st.binary(max_size=300),
    gas=st.integers(21_000, 2**24),
    max_fee=st.integers(1, 2**64),
    tip=st.integers(0, 2**64),
)


@pytest.mark.asyncio
@given(transactions)
async def test_signed_transaction_is_the_one_that_eth_account_makes(transaction: Transaction) -> None:
    fields = {
        "type": 2,
        "chainId": transaction.chain_id,
        "nonce": transaction.nonce,
        "to": transaction.to,
        "value": transaction.value,
        "data": transaction.data,
        "gas": transaction.gas,
        "maxFeePerGas": transaction.max_fee,
        "maxPriorityFeePerGas": transaction.tip,
    }
    expected = Account.sign_transaction(fields, SECRET)
    assert await transaction.sign(Signer(SECRET)) == (bytes(expected.raw_transaction), bytes(expected.hash))

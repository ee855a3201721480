"""Trees of orders: digests against eth_account, which shares no code with ours, and each way up."""

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from optimist.base.keccak import keccak
from optimist.derive.octets import EncodingError
from optimist.derive.order_tree import OrderTree, compute_signed_digest, recover_signer
from optimist.derive.typed_data import Domain, Order, Signature

SECRET = keccak(b"a trader's key")
DOMAIN = Domain(31_337, bytes(range(20)))


def uint(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


orders = st.builds(
    Order,
    uint(40),
    uint(16),
    st.booleans(),
    *(uint(bits) for bits in (64, 64, 32, 8, 64, 40)),
    st.booleans(),
    st.integers(0, 2),
)
trees = st.sampled_from((2, 4, 8)).flatmap(
    lambda count: st.builds(OrderTree, st.lists(orders, min_size=count, max_size=count).map(tuple))
)


@given(trees)
def test_digest_is_the_one_that_eth_account_computes(tree: OrderTree) -> None:
    signable = encode_typed_data(full_message=tree.to_wallet(DOMAIN))
    assert tree.digest(DOMAIN) == keccak(b"\x19" + signable.version + signable.header + signable.body)


@given(trees)
def test_signature_of_a_wallet_signs_every_order(tree: OrderTree) -> None:
    wallet = EthAccount.from_key(SECRET)
    signed = wallet.sign_typed_data(full_message=tree.to_wallet(DOMAIN))
    split = tree.split(Signature(signed.v, signed.r, signed.s), key=3)
    for number, (one, ours) in enumerate(zip(split, tree.sign(DOMAIN, SECRET), strict=True)):
        assert (one.order, one.index, len(one.siblings)) == (tree.orders[number], number, tree.depth)
        assert (one.key, ours.key, one.signature, one.siblings) == (3, 0, ours.signature, ours.siblings)
        assert compute_signed_digest(one, DOMAIN) == tree.digest(DOMAIN)
        assert recover_signer(one, DOMAIN) == bytes.fromhex(wallet.address[2:])


@pytest.mark.parametrize("count", [0, 1, 3, 5, 16])
def test_other_numbers_of_orders_make_no_tree(count: int) -> None:
    order = Order(1, 0, True, 1, 1, 1, 0, 1, 1)
    with pytest.raises(EncodingError, match="2, 4 or 8"):
        OrderTree((order,) * count)

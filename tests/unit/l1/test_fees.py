from hypothesis import given
from hypothesis import strategies as st

from optimist.l1.fees import FeePolicy, Fees, compute_bump, compute_fees

GWEI = 10**9
WEI = st.integers(0, 1_000 * GWEI)
POLICIES = st.builds(FeePolicy, cap=st.integers(1, 1_000 * GWEI), min_tip=st.integers(0, 5 * GWEI))


@given(WEI, WEI, POLICIES)
def test_first_offer_stays_below_the_cap_and_covers_the_base_fee(
    base_fee: int, tip: int, policy: FeePolicy
) -> None:
    fees = compute_fees(base_fee, tip, policy)
    if fees is None:
        assert base_fee > policy.cap
    else:
        assert base_fee <= fees.max_fee <= policy.cap
        assert fees.tip <= fees.max_fee


@given(st.builds(Fees, max_fee=WEI, tip=WEI), WEI, WEI, POLICIES)
def test_bump_offers_ten_percent_more_in_both_fields_or_nothing(
    last: Fees, base_fee: int, tip: int, policy: FeePolicy
) -> None:
    fees = compute_bump(last, base_fee, tip, policy)
    if fees is not None:
        assert fees.max_fee * 100 >= last.max_fee * 110
        assert fees.tip * 100 >= last.tip * 110
        assert fees.tip <= fees.max_fee <= policy.cap
        assert fees.max_fee > last.max_fee
        assert fees.tip > last.tip


def test_numbers() -> None:
    policy = FeePolicy(cap=100 * GWEI, min_tip=GWEI)
    assert compute_fees(10 * GWEI, 2 * GWEI, policy) == Fees(22 * GWEI, 2 * GWEI)
    assert compute_bump(Fees(22 * GWEI, 2 * GWEI), 10 * GWEI, 0, policy) == Fees(
        24_200_000_000, 2_200_000_000
    )
    assert compute_bump(Fees(95 * GWEI, 2 * GWEI), 10 * GWEI, 0, policy) is None
    assert compute_fees(101 * GWEI, 0, policy) is None

"""Edge cases of what accounts ask for: each refusal of a key, a cancellation, a transfer, a tier, a proposal.

Part of `edge_cases.py`: random workloads meet most of them, but no single one for certain.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from optimist.derive.actions import EnactMarket, Sequenced
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, GROUP_BITS
from optimist.stf.records import Governance
from tests.support.world import OK, USD, World

NOBODY: Final = 9  # an account that does not exist
Builder = Callable[[World], int]


def build_request_cases() -> tuple[Builder, ...]:
    """One builder for each row of CASES, under its name."""
    return tuple(_name(name, act, code) for name, act, code in CASES)


def _name(name: str, act: Callable[[World], object], code: int) -> Builder:
    def builder(world: World) -> int:
        act(world)
        return code

    builder.__name__ = name
    return builder


def lengthen(world: World, act: Callable[[], object]) -> None:
    """What `act` does, with a byte too many."""
    apply = world.apply_bytes
    world.apply_bytes = lambda data: apply(data + b"\0")  # type: ignore[method-assign]  # once, for this case
    act()


def use_nonce(world: World) -> int:
    """Let account 1 use a nonce."""
    assert world.withdraw(1, USD) == OK
    return world.account(1).nonce


CASES: Final[tuple[tuple[str, Callable[[World], object], int], ...]] = (
    ("key_of_no_account", lambda w: w.lend_key(ACCOUNT_LIMIT, 1, "key"), Code.UNKNOWN_ACCOUNT),
    ("key_of_nobody", lambda w: w.lend_key(NOBODY, 1, "key"), Code.UNKNOWN_ACCOUNT),
    ("key_number_zero", lambda w: w.lend_key(1, 0, "key"), Code.BAD_SESSION),
    ("key_number_sixteen", lambda w: w.lend_key(1, 16, "key"), Code.BAD_SESSION),
    ("key_without_rights", lambda w: w.lend_key(1, 1, "key", rights=0), Code.BAD_SESSION),
    ("key_with_unknown_rights", lambda w: w.lend_key(1, 1, "key", rights=4), Code.BAD_SESSION),
    ("key_with_a_used_nonce", lambda w: w.lend_key(1, 1, "key", nonce=use_nonce(w)), Code.NONCE_USED),
    ("key_by_a_stranger", lambda w: w.lend_key(1, 1, "key", signer="x"), Code.NOT_SIGNED_BY_OWNER),
    ("key_ended", lambda w: w.lend_key(1, 1, None), OK),
    ("key_lent", lambda w: w.lend_key(1, 1, "key"), OK),
    ("key_too_long", lambda w: lengthen(w, lambda: w.lend_key(1, 1, "key")), Code.MALFORMED),
    ("cancel_of_nobody", lambda w: w.cancel(NOBODY, 0, 5), Code.UNKNOWN_ACCOUNT),
    ("cancel_of_no_account", lambda w: w.cancel(ACCOUNT_LIMIT, 0, 5), Code.UNKNOWN_ACCOUNT),
    ("cancel_of_no_slot", lambda w: w.cancel(1, 16, 5), Code.ORDER_SLOT),
    ("cancel_by_a_stranger", lambda w: w.cancel(1, 0, 5, "x"), Code.NOT_SIGNED_BY_OWNER),
    ("cancel_by_no_key", lambda w: w.cancel(1, 0, 5, "x", 3), Code.SESSION_UNKNOWN),
    (
        "cancel_by_a_key_with_a_nonce_of_the_owners",
        lambda w: (w.lend_key(1, 1, "key"), w.cancel(1, 0, 1 << 63, "key", 1)),
        Code.SESSION_NONCE,
    ),
    ("cancel_of_all_of_nobody", lambda w: w.cancel_all(NOBODY, 5), Code.UNKNOWN_ACCOUNT),
    ("cancel_of_all_by_a_stranger", lambda w: w.cancel_all(1, 5, "x"), Code.NOT_SIGNED_BY_OWNER),
    ("cancel_too_long", lambda w: lengthen(w, lambda: w.cancel(1, 0, 5)), Code.MALFORMED),
    ("cancel_of_all_too_long", lambda w: lengthen(w, lambda: w.cancel_all(1, 5)), Code.MALFORMED),
    ("transfer_of_nobody", lambda w: w.transfer(NOBODY, 1, USD), Code.UNKNOWN_ACCOUNT),
    ("transfer_to_no_account", lambda w: w.transfer(1, ACCOUNT_LIMIT, USD), Code.UNKNOWN_ACCOUNT),
    ("transfer_to_itself", lambda w: w.transfer(1, 1, USD), Code.SAME_ACCOUNT),
    ("transfer_of_nothing", lambda w: w.transfer(1, 1 << GROUP_BITS | 1, 0), Code.AMOUNT_ZERO),
    ("transfer_to_another_owner", lambda w: w.transfer(1, 2, USD), Code.OTHER_OWNER),
    ("transfer_that_opens_anothers", lambda w: w.transfer(1, 1 << GROUP_BITS | 2, USD), Code.OTHER_OWNER),
    (
        "transfer_with_a_used_nonce",
        lambda w: w.transfer(1, 1 << GROUP_BITS | 1, USD, nonce=use_nonce(w)),
        Code.NONCE_USED,
    ),
    (
        "transfer_by_a_stranger",
        lambda w: w.transfer(1, 1 << GROUP_BITS | 1, USD, signer="x"),
        Code.NOT_SIGNED_BY_OWNER,
    ),
    (
        "transfer_of_too_much",
        lambda w: w.transfer(1, 1 << GROUP_BITS | 1, 1_001 * USD),
        Code.BELOW_INITIAL_MARGIN,
    ),
    (
        "transfer_too_long",
        lambda w: lengthen(w, lambda: w.transfer(1, 1 << GROUP_BITS | 1, USD)),
        Code.MALFORMED,
    ),
    ("withdrawal_of_nobody", lambda w: w.withdraw(NOBODY, USD), Code.UNKNOWN_ACCOUNT),
    ("withdrawal_of_nothing", lambda w: w.withdraw(1, 0), Code.AMOUNT_ZERO),
    ("withdrawal_to_nobody", lambda w: w.withdraw(1, USD, recipient=bytes(20)), Code.RECIPIENT_ZERO),
    ("withdrawal_with_a_used_nonce", lambda w: w.withdraw(1, USD, nonce=use_nonce(w)), Code.NONCE_USED),
    ("withdrawal_by_a_stranger", lambda w: w.withdraw(1, USD, signer="x"), Code.NOT_SIGNED_BY_OWNER),
    ("withdrawal_too_long", lambda w: lengthen(w, lambda: w.withdraw(1, USD)), Code.MALFORMED),
    ("tier_of_no_market", lambda w: w.list_fees(2, 1, 0, 0), Code.UNKNOWN_MARKET),
    ("tier_by_a_stranger", lambda w: w.list_fees(0, 1, 0, 0, signer="x"), Code.NOT_FEE_MANAGER),
    ("tier_with_a_used_nonce", lambda w: w.list_fees(0, 1, 0, 0, nonce=0), Code.NONCE_USED),
    ("tier_number_zero", lambda w: w.list_fees(0, 0, 0, 0), Code.BAD_FEE_TIER),
    ("tier_that_is_dearer", lambda w: w.list_fees(0, 1, 0, 1), Code.BAD_FEE_TIER),
    ("tier_too_long", lambda w: lengthen(w, lambda: w.list_fees(0, 1, 0, 0)), Code.MALFORMED),
    ("tier_of_nobody", lambda w: w.put_in_tier(NOBODY, 1), Code.UNKNOWN_ACCOUNT),
    ("account_in_no_tier", lambda w: w.put_in_tier(1, 8), Code.BAD_FEE_TIER),
    ("account_in_a_tier_by_a_stranger", lambda w: w.put_in_tier(1, 1, signer="x"), Code.NOT_FEE_MANAGER),
    ("account_in_a_tier_too_long", lambda w: lengthen(w, lambda: w.put_in_tier(1, 1)), Code.MALFORMED),
    (
        "proposal_with_a_used_nonce",
        lambda w: w.propose(0, w.init.markets[0], nonce=w.record(Governance, 0).nonce),
        Code.NONCE_USED,
    ),
    (
        "proposal_by_a_stranger",
        lambda w: w.propose(0, w.init.markets[0], signer="x"),
        Code.NOT_SIGNED_BY_GOVERNOR,
    ),
    ("proposal_far_away", lambda w: w.propose(3, w.init.markets[0]), Code.UNKNOWN_MARKET),
    (
        "proposal_of_another_lot",
        lambda w: w.propose(0, replace(w.init.markets[0], lot=1)),
        Code.MARKET_FIXED,
    ),
    (
        "proposal_too_long",
        lambda w: lengthen(w, lambda: w.propose(0, w.init.markets[0])),
        Code.MALFORMED,
    ),
    ("enactment_of_nothing", lambda w: w.enact(0), Code.NO_PROPOSAL),
    ("enactment_of_no_market", lambda w: w.enact(16), Code.UNKNOWN_MARKET),
    ("enactment_too_early", lambda w: (w.propose(0, w.init.markets[0]), w.enact(0)), Code.PROPOSAL_NOT_DUE),
    (
        "enactment_too_long",
        lambda w: w.apply_bytes(Sequenced(w.second, EnactMarket(0)).encode() + b"\0"),
        Code.MALFORMED,
    ),
)

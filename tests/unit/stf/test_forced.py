"""FORCED: an account's right is never rejected, its outcome can be proven from the state; services to all."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.actions import Forced, ForcedWithdraw, Liquidate, encode_forced
from optimist.derive.decode import FORCED_SERVICES
from optimist.stf.codes import Code
from optimist.stf.constants import DONE, REASON_FORCED
from optimist.stf.inputs import KIND_CLOSE_MARKET
from optimist.stf.records import ForcedOutcome
from tests.support.world import FREE, OK, PRICE, START, USD, World, address

BTC_01 = 10**7


@pytest.fixture
def world() -> World:
    world = World(markets=(FREE,))
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    return world


def test_forced_withdrawal_pays_the_owner(world: World) -> None:
    assert world.force_withdraw(1, 300 * USD) == DONE
    record = world.withdrawal(1)
    assert (record.recipient, record.amount) == (int.from_bytes(address("trader 1"), "big"), 300 * USD)
    assert (record.account, record.reason) == (1, REASON_FORCED)
    assert world.account(1).collateral == 700 * USD
    assert world.account(1).nonce == 0
    world.check()


def test_outcome_names_sender_account_and_amount(world: World) -> None:
    world.force_withdraw(1, 300 * USD)
    world.force_withdraw(1, 5, sender="stranger")
    done, refused = world.record(ForcedOutcome, 1), world.record(ForcedOutcome, 2)
    assert (done.code, done.account, done.amount) == (DONE, 1, 300 * USD)
    assert done.sender == int.from_bytes(address("trader 1"), "big")
    assert (refused.code, refused.account, refused.amount) == (Code.NOT_OWNER, 1, 5)
    assert refused.sender == int.from_bytes(address("stranger"), "big")
    assert world.system.next_forced == 3


@pytest.mark.parametrize(
    ("account", "amount", "sender", "code"),
    [
        (1, 1, "trader 2", Code.NOT_OWNER),
        (9, 1, "trader 9", Code.UNKNOWN_ACCOUNT),
        (2**36, 1, "trader 1", Code.UNKNOWN_ACCOUNT),
        (1, 0, "trader 1", Code.AMOUNT_ZERO),
        (1, 1_000 * USD + 1, "trader 1", Code.BELOW_INITIAL_MARGIN),
        (1, 2**64 - 1, "trader 1", Code.COLLATERAL_BOUND),
    ],
)
def test_refusal_is_written_down(world: World, account: int, amount: int, sender: str, code: Code) -> None:
    assert world.force_withdraw(account, amount, sender=sender) == code
    assert world.account(1).collateral == 1_000 * USD
    assert world.system.next_withdrawal == 1


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0", b"\2", b"\5" + bytes(13), ForcedWithdraw(1, 1, 1).encode()[:-1], b"\3" + bytes(998)],
)
def test_garbage_is_malformed(world: World, payload: bytes) -> None:
    assert world.force(payload, "trader 1") == Code.MALFORMED
    outcome = world.record(ForcedOutcome, 1)
    assert (outcome.account, outcome.amount) == (0, 0)


SERVICES_TO_ALL = (*FORCED_SERVICES, bytes((KIND_CLOSE_MARKET,)))


@given(st.binary(max_size=60).filter(lambda payload: payload[:1] not in SERVICES_TO_ALL))
def test_nothing_forced_but_services_to_all_is_ever_rejected(payload: bytes) -> None:
    world = World(markets=(FREE,))
    assert world.apply_bytes(Forced(address("trader 1"), START, payload).encode()).code == OK
    assert world.system.next_forced == 2


def test_envelope_cut_short_is_malformed_too(world: World) -> None:
    assert world.apply_bytes(b"\4").code == OK
    assert world.record(ForcedOutcome, 1).code == Code.MALFORMED


def test_initial_margin_must_stay(world: World) -> None:
    world.trade(1, 2, BTC_01, 50_000)
    assert world.force_withdraw(1, 750 * USD + 1) == Code.BELOW_INITIAL_MARGIN
    assert world.force_withdraw(1, 750 * USD) == DONE


def test_age_of_prices_is_measured_when_it_was_enqueued(world: World) -> None:
    """A sequencer that delays a withdrawal cannot make it stale."""
    world.trade(1, 2, BTC_01, 50_000)
    world.second += 500
    world.open_batch()
    assert world.force_withdraw(1, USD, enqueued_at=START + 10) == DONE
    assert world.force_withdraw(1, USD, enqueued_at=START + 11) == Code.PRICE_STALE
    assert world.force_withdraw(1, USD, enqueued_at=START - 400) == DONE  # the price is newer: age 0


def test_forced_withdrawal_acts_where_the_clock_stands(world: World) -> None:
    clock = world.system.clock
    world.force_withdraw(1, USD, enqueued_at=START + 10**6)
    assert world.system.clock == clock


def test_collateral_bound_is_an_outcome_not_a_rejection(world: World) -> None:
    world.put_collateral(1, -(2**63 - 1))
    assert world.force_withdraw(1, 1) == Code.COLLATERAL_BOUND


def test_counter_of_outcomes_ends_after_2_to_the_40(world: World) -> None:
    system = world.system
    system.next_forced = 2**40 - 1
    world.put(0, system)
    data = Forced(address("trader 1"), START, b"").encode()
    assert world.apply_bytes(data).code == Code.COUNTER_EXHAUSTED


def test_anyone_may_force_a_price(world: World) -> None:
    world.second += 100
    world.open_batch()
    assert world.force_action(world.price_update(0, [(key, 49_000 * PRICE) for key in range(3)])) == OK
    assert world.stored_price(0).price == 49_000 * PRICE
    assert world.system.next_forced == 1, "a service to all needs no outcome of its own"


def test_forced_price_is_as_good_as_its_signatures(world: World) -> None:
    update = world.price_update(0, [(0, 5), (1, 5)], at=world.second + 1)
    assert world.force_action(update) == Code.NO_QUORUM
    good = world.price_update(0, [(key, 5) for key in range(3)], at=world.second + 1)
    data = Forced(address("anyone"), START, encode_forced(good) + b"\0").encode()
    assert world.apply_bytes(data).code == Code.MALFORMED


def test_anyone_may_force_a_liquidation_that_is_due(world: World) -> None:
    """A sequencer that protects a friend protects nobody."""
    world.deposit(0, 100_000)
    world.trade(1, 2, BTC_01, 50_000)  # account 1 is long
    assert world.force_action(Liquidate(1, 0)) == Code.NOT_LIQUIDATABLE
    world.second += 20
    world.open_batch()
    assert world.force_action(world.price_update(0, [(key, 41_000 * PRICE) for key in range(3)])) == OK
    assert world.force_action(Liquidate(1, 0)) == OK
    assert abs(world.position(1, 0)) < BTC_01
    world.check()


def test_codes_of_outcomes_are_those_of_the_protocol() -> None:
    """Outcomes are part of the state, so their codes are in docs/PROTOCOL.md, in the order of the checks."""
    text = (Path(__file__).parents[3] / "docs" / "PROTOCOL.md").read_text(encoding="utf-8")
    sentence = text[text.index("Codes: 0 done") : text.index("the first that applies")]
    without_remarks = re.sub(r"\(.*?\)", "", sentence, flags=re.DOTALL)
    assert [int(number) for number in re.findall(r"\d+", without_remarks)] == [
        DONE,
        Code.MALFORMED,
        Code.UNKNOWN_ACCOUNT,
        Code.NOT_OWNER,
        Code.AMOUNT_ZERO,
        Code.COLLATERAL_BOUND,
        Code.PRICE_STALE,
        Code.BELOW_INITIAL_MARGIN,
        Code.GROUP_HELD,
        Code.GROUP_SHORT,
        Code.PAID_TOO_LITTLE,
    ]

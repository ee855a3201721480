"""Session keys: what they may sign, how long, and that money is never theirs."""

import pytest

from optimist.derive.account_actions import SessionKeyRequest, SetSessionKey, Transfer, TransferRequest
from optimist.derive.actions import Trade, Withdraw
from optimist.derive.typed_data import WithdrawRequest
from optimist.stf.codes import Code
from optimist.stf.records import SessionKey
from tests.support.world import FREE, OK, PRICE, World, address, secret

LOT = 1_000
AT = 50_000
TRADE, CANCEL = 1, 2


@pytest.fixture
def world() -> World:
    world = World(markets=(FREE,))
    for account in (1, 2):
        world.deposit(account, 1_000)
    world.price(0, AT)
    return world


def trade(world: World, key: int, signer: str = "bot") -> int:
    order = world.order(1, True, LOT, AT, signer=signer, key=key)
    return world.act(Trade(LOT, AT * PRICE, order, world.order(2, False, LOT, AT)))


@pytest.mark.parametrize("index", [1, 15])
def test_session_key_trades_and_cancels_for_its_account(world: World, index: int) -> None:
    assert trade(world, index) == Code.SESSION_UNKNOWN
    assert world.lend_key(1, index, "bot") == OK
    assert trade(world, index) == OK
    assert world.cancel(1, 2, 100, "bot", index) == OK
    assert world.cancel_all(1, 100, "bot", index) == OK


def test_session_key_is_good_for_its_account_and_its_index_only(world: World) -> None:
    assert world.lend_key(1, 3, "bot") == OK
    assert trade(world, 4) == Code.SESSION_UNKNOWN
    assert trade(world, 0) == Code.NOT_SIGNED_BY_OWNER
    assert trade(world, 3, signer="trader 1") == Code.NOT_SIGNED_BY_OWNER
    assert trade(world, 3, signer="stranger") == Code.NOT_SIGNED_BY_OWNER
    assert world.cancel_all(2, 100, "bot", 3) == Code.SESSION_UNKNOWN
    assert trade(world, 16) == Code.SESSION_UNKNOWN
    assert trade(world, 255) == Code.SESSION_UNKNOWN


@pytest.mark.parametrize(("rights", "trades", "cancels"), [(TRADE, True, False), (CANCEL, False, True)])
def test_session_key_has_the_rights_that_it_was_given(
    world: World, rights: int, trades: bool, cancels: bool
) -> None:
    assert world.lend_key(1, 1, "bot", rights) == OK
    assert trade(world, 1) == (OK if trades else Code.SESSION_RIGHTS)
    assert world.cancel(1, 1, 50, "bot", 1) == (OK if cancels else Code.SESSION_RIGHTS)
    assert world.cancel_all(1, 50, "bot", 1) == (OK if cancels else Code.SESSION_RIGHTS)


def test_session_key_ends_with_its_last_second(world: World) -> None:
    assert world.lend_key(1, 1, "bot", expiry=world.second + 5) == OK
    world.second += 5
    assert trade(world, 1) == OK
    world.second += 1
    assert trade(world, 1) == Code.SESSION_EXPIRED


def test_owner_replaces_and_ends_a_session_key(world: World) -> None:
    assert world.lend_key(1, 1, "bot") == OK
    assert world.lend_key(1, 1, "robot") == OK
    assert trade(world, 1) == Code.NOT_SIGNED_BY_OWNER
    assert trade(world, 1, "robot") == OK
    assert world.lend_key(1, 1, None, rights=0) == OK
    assert trade(world, 1, "robot") == Code.SESSION_UNKNOWN
    assert world.record(SessionKey, 1 << 4 | 1).expiry == 0


def test_session_key_of_nobody_lets_nobody_in(world: World) -> None:
    """An invalid signature recovers to 0, which is what an absent key is."""
    order = world.order(1, True, LOT, AT, key=1)
    invalid = type(order)(order.order, order.signature._replace(v=0), 1)
    other = world.order(2, False, LOT, AT)
    assert world.act(Trade(LOT, AT * PRICE, invalid, other)) == Code.SESSION_UNKNOWN


def test_session_key_cannot_move_money_or_lend_keys(world: World) -> None:
    assert world.lend_key(1, 1, "bot") == OK
    assert world.withdraw(1, 5, signer="bot") == Code.NOT_SIGNED_BY_OWNER
    assert world.transfer(1, 1 << 32 | 1, 5, signer="bot") == Code.NOT_SIGNED_BY_OWNER
    assert world.lend_key(1, 2, "bot", signer="bot") == Code.NOT_SIGNED_BY_OWNER


@pytest.mark.parametrize(
    ("account", "index", "rights", "code"),
    [
        (1, 0, 3, Code.BAD_SESSION),
        (1, 16, 3, Code.BAD_SESSION),
        (1, 1, 0, Code.BAD_SESSION),
        (1, 1, 4, Code.BAD_SESSION),
        (1, 1, 255, Code.BAD_SESSION),
        (7, 1, 3, Code.UNKNOWN_ACCOUNT),
        (1 << 36, 1, 3, Code.UNKNOWN_ACCOUNT),
    ],
)
def test_unsound_session_key_is_rejected(
    world: World, account: int, index: int, rights: int, code: int
) -> None:
    assert world.lend_key(account, index, "bot", rights) == code


def test_one_row_of_nonces_orders_all_that_the_owner_alone_signs(world: World) -> None:
    domain, owner = world.domain, secret("trader 1")
    session = SessionKeyRequest(1, 1, address("bot"), 3, world.second + 9, nonce=4)
    withdrawal = WithdrawRequest(1, 5, 5, address("trader 1"), nonce=4)
    transfer = TransferRequest(1, 1 << 32 | 1, 5, 5, nonce=4)
    assert world.act(SetSessionKey(session, session.sign(domain, owner))) == OK
    assert world.act(SetSessionKey(session, session.sign(domain, owner))) == Code.NONCE_USED
    assert world.act(Withdraw(withdrawal, withdrawal.sign(domain, owner))) == Code.NONCE_USED
    assert world.act(Transfer(transfer, transfer.sign(domain, owner))) == Code.NONCE_USED


def test_owner_ends_a_key_through_l1(world: World) -> None:
    assert world.lend_key(1, 1, "bot") == OK
    assert world.force_session_end(1, 1, sender="trader 2") == Code.NOT_OWNER
    assert trade(world, 1) == OK
    assert world.force_session_end(1, 1) == OK
    assert trade(world, 1) == Code.SESSION_UNKNOWN
    assert world.force_session_end(1, 1) == OK
    for index in (0, 16, 255):
        assert world.force_session_end(1, index) == Code.BAD_SESSION
    for account in (7, 1 << 36):
        assert world.force_session_end(account, 1) == Code.UNKNOWN_ACCOUNT


@pytest.mark.parametrize("nonce", [1 << 63, (1 << 64) - 1])
def test_session_key_cannot_use_up_the_nonces_of_its_account(world: World, nonce: int) -> None:
    """A key that is ended must not leave an account behind whose owner can neither trade nor cancel."""
    assert world.lend_key(1, 1, "bot") == OK
    order = world.order(1, True, LOT, AT, signer="bot", key=1, nonce=nonce)
    assert world.act(Trade(LOT, AT * PRICE, order, world.order(2, False, LOT, AT))) == Code.SESSION_NONCE
    assert world.cancel(1, 0, nonce, "bot", 1) == Code.SESSION_NONCE
    assert world.cancel_all(1, nonce, "bot", 1) == Code.SESSION_NONCE


def test_owner_has_nonces_that_no_session_key_has(world: World) -> None:
    last = (1 << 63) - 1
    assert world.lend_key(1, 1, "bot") == OK
    assert world.cancel(1, 0, last, "bot", 1) == OK
    assert world.cancel_all(1, last, "bot", 1) == OK
    assert trade(world, 1) == Code.ORDER_CANCELLED
    order = world.order(1, True, LOT, AT, nonce=last + 1)
    assert world.act(Trade(LOT, AT * PRICE, order, world.order(2, False, LOT, AT))) == OK
    assert world.cancel_all(1, last + 2) == OK

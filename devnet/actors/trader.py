"""A trader: an account of the rollup, the key of its owner, a session key, and a pen for orders."""

from collections import Counter

from devnet.accounts import Actor
from optimist.base.keccak import keccak
from optimist.base.signature import address_of
from optimist.derive.account_actions import (
    Cancel,
    CancelAll,
    CancelAllRequest,
    CancelRequest,
    SessionKeyRequest,
    SetSessionKey,
    Transfer,
    TransferRequest,
)
from optimist.derive.actions import SignedOrder, Withdraw
from optimist.derive.typed_data import Domain, Message, Order, Signature, WithdrawRequest
from optimist.stf.constants import GOOD_TILL_CANCELLED

SESSION_INDEX = 1
TRADE_AND_CANCEL = 3


class Trader:
    """Signs what the owner of an account may ask for. Keeps the nonces, which only ever grow.

    Once it has lent its session key, that one signs orders and cancellations, as a bot's would.
    """

    def __init__(self, domain: Domain, actor: Actor, account: int, *, max_fee_ppm: int = 1_000) -> None:
        """`account`: the id that the Vault gave; `max_fee_ppm`: the highest fee that orders agree to."""
        self._domain = domain
        self._max_fee_ppm = max_fee_ppm
        self._order_nonces: Counter[int] = Counter()
        self._order_floor = 0  # orders below it are dead
        self._nonce = 0  # of what only the owner signs
        self._session_secret = keccak(b"session key" + actor.secret)
        self._key = 0  # that signs orders: 0 the owner's
        self.actor = actor
        self.account = account

    def sign_order(
        self,
        *,
        market: int,
        is_buy: bool,
        size: int,
        price: int,
        expiry: int,
        slot: int,
        reduce_only: bool = False,
        time_in_force: int = GOOD_TILL_CANCELLED,
    ) -> SignedOrder:
        """A new order in `slot`. It replaces older ones of that slot as soon as it is filled.

        size in the market's units, price (the limit) in 1e-8 USD, expiry: the last second to fill it.
        """
        order = Order(
            account=self.account,
            market=market,
            is_buy=is_buy,
            size=size,
            price=price,
            max_fee_ppm=self._max_fee_ppm,
            slot=slot,
            nonce=self._take_order_nonce(slot),
            expiry=expiry,
            reduce_only=reduce_only,
            time_in_force=time_in_force,
        )
        return SignedOrder(order, self._sign(order), self._key)

    def sign_cancel(self, slot: int) -> Cancel:
        """The end of every order that was signed for a slot so far."""
        request = CancelRequest(self.account, slot, self._take_order_nonce(slot))
        return Cancel(request, self._sign(request), self._key)

    def sign_cancel_all(self) -> CancelAll:
        """The end of every order that was signed so far."""
        self._order_floor = max(self._order_floor, max(self._order_nonces.values(), default=0)) + 1
        request = CancelAllRequest(self.account, self._order_floor)
        return CancelAll(request, self._sign(request), self._key)

    def lend_key(self, expiry: int) -> SetSessionKey:
        """Lend the session key the right to trade and cancel, up to `expiry`; from now on it signs."""
        key = address_of(self._session_secret)
        request = SessionKeyRequest(
            self.account, SESSION_INDEX, key, TRADE_AND_CANCEL, expiry, self._take_nonce()
        )
        self._key = SESSION_INDEX
        return SetSessionKey(request, request.sign(self._domain, self.actor.secret))

    def sign_transfer(self, target: int, amount: int) -> Transfer:
        """Permission to move `amount` (1e-6 USD) in full to another account of the owner's."""
        request = TransferRequest(self.account, target, amount, amount, self._take_nonce())
        return Transfer(request, request.sign(self._domain, self.actor.secret))

    def sign_withdrawal(self, amount: int, recipient: bytes | None = None) -> Withdraw:
        """Permission to pay `amount` (1e-6 USD) in full to `recipient`, by default the owner."""
        recipient = recipient or self.actor.address
        request = WithdrawRequest(self.account, amount, amount, recipient, self._take_nonce())
        return Withdraw(request, request.sign(self._domain, self.actor.secret))

    def _take_order_nonce(self, slot: int) -> int:
        self._order_nonces[slot] = max(self._order_nonces[slot] + 1, self._order_floor)
        return self._order_nonces[slot]

    def _take_nonce(self) -> int:
        self._nonce += 1
        return self._nonce

    def _sign(self, message: Message) -> Signature:
        """By the key that signs orders now."""
        return message.sign(self._domain, self._session_secret if self._key else self.actor.secret)

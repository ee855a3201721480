"""A trader: an account of the rollup, the key of its owner, and a pen for orders."""

from collections import Counter

from devnet.accounts import Actor
from optimist.derive.actions import SignedOrder, Withdraw
from optimist.derive.typed_data import Domain, Order, WithdrawRequest


class Trader:
    """Signs what the owner of an account may ask for. Keeps the nonces, which only ever grow."""

    def __init__(self, domain: Domain, actor: Actor, account: int, *, max_fee_ppm: int = 1_000) -> None:
        """`account`: the id that the Vault gave; `max_fee_ppm`: the highest fee that orders agree to."""
        self._domain = domain
        self._max_fee_ppm = max_fee_ppm
        self._order_nonces: Counter[int] = Counter()
        self._withdrawal_nonce = 0
        self.actor = actor
        self.account = account

    def sign_order(
        self, *, market: int, is_buy: bool, size: int, price: int, expiry: int, slot: int
    ) -> SignedOrder:
        """A new order in `slot`. It replaces older ones of that slot as soon as it is filled.

        size in the market's units, price (the limit) in 1e-8 USD, expiry: the last second to fill it.
        """
        self._order_nonces[slot] += 1
        order = Order(
            account=self.account,
            market=market,
            is_buy=is_buy,
            size=size,
            price=price,
            max_fee_ppm=self._max_fee_ppm,
            slot=slot,
            nonce=self._order_nonces[slot],
            expiry=expiry,
        )
        return SignedOrder(order, order.sign(self._domain, self.actor.secret))

    def sign_withdrawal(self, amount: int, recipient: bytes | None = None) -> Withdraw:
        """Permission to pay `amount` (1e-6 USD) in full to `recipient`, by default the owner."""
        self._withdrawal_nonce += 1
        request = WithdrawRequest(
            self.account, amount, amount, recipient or self.actor.address, self._withdrawal_nonce
        )
        return Withdraw(request, request.sign(self._domain, self.actor.secret))

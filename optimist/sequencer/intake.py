"""What is checked before an action reaches the law: cheap things first, then the signature.

None of it decides anything: the law checks all of it again. It keeps nonsense away from the one thread that
applies the law, and it recovers signatures in other threads so that the law finds them known.
"""

import asyncio
from collections.abc import Callable

from optimist.api.errors import ErrorCode, api_error
from optimist.api.schema import ParsedAction
from optimist.base.signature import recover
from optimist.derive.actions import Liquidate, PriceUpdate, SignedOrder, Withdraw
from optimist.derive.typed_data import Domain, Message, Signature
from optimist.provable import State
from optimist.sequencer.views import get_account, get_market, get_oracle_signer
from optimist.stf.constants import PERPETUAL_FEED

Known = dict[tuple[bytes, int, bytes, bytes], int]  # (digest, v, r, s) -> address


class Intake:
    """Checks actions against the newest state; `known` of every good one goes into the state's signatures."""

    def __init__(self, domain: Domain, state: Callable[[], State], now: Callable[[], int]) -> None:
        self._domain = domain
        self._state = state
        self._now = now

    async def check(self, action: ParsedAction) -> Known:
        """The recovered signatures of an action worth sequencing. Raises ApiError."""
        expected = self._check_cheaply(action)
        known: Known = {}
        for message, signature, owner in expected:
            digest = message.digest(self._domain)
            signer = await asyncio.to_thread(recover, digest, *signature)
            if signer != owner:
                raise api_error(
                    ErrorCode.BAD_SIGNATURE,
                    f"the {message.TYPE.partition('(')[0]} is not signed by its owner: check the EIP-712 "
                    "domain (chain id and vault), every field, and that s is low and v is 27 or 28",
                    recovered=f"0x{signer:040x}",
                    owner=f"0x{owner:040x}",
                )
            v, r, s = signature
            known[digest, v, r.to_bytes(32, "big"), s.to_bytes(32, "big")] = signer
        return known

    def _check_cheaply(self, action: ParsedAction) -> list[tuple[Message, Signature, int]]:
        """(message, signature, who must have signed it) of every signature in the action."""
        state = self._state()
        match action:
            case SignedOrder(order=order, signature=signature):
                self._require_market(order.market)
                if order.expiry < self._now():
                    raise api_error(
                        ErrorCode.ORDER_EXPIRED,
                        f"the order expired at {order.expiry}, now is {self._now()}",
                        expiry=order.expiry,
                        now=self._now(),
                    )
                if order.size == 0 or order.price == 0:
                    raise api_error(ErrorCode.MALFORMED_REQUEST, "an order's size and price must not be zero")
                return [(order, signature, self._owner(order.account))]
            case Withdraw(request=request, signature=signature):
                return [(request, signature, self._owner(request.account))]
            case PriceUpdate(market=feed):
                self._require_market(feed - PERPETUAL_FEED if feed >= PERPETUAL_FEED else feed)
                return [
                    (report, one.signature, get_oracle_signer(state, one.signer))
                    for report, one in zip(action.reports(), action.prices, strict=True)
                ]
            case Liquidate():
                self._require_market(action.market)
                self._owner(action.account)
                return []

    def _owner(self, account: int) -> int:
        owner = get_account(self._state(), account).owner
        if owner == 0:
            raise api_error(
                ErrorCode.UNKNOWN_ACCOUNT,
                f"account {account} does not exist yet: deposit to the Vault first and wait for the batch",
                account=account,
            )
        return int(owner)

    def _require_market(self, market: int) -> None:
        if get_market(self._state(), market).lot == 0:
            raise api_error(ErrorCode.UNKNOWN_MARKET, f"there is no market {market}", market=market)

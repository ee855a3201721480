"""What is checked before an action reaches the law: cheap things first, then the signature.

None of it decides anything: the law checks all of it again. It keeps nonsense away from the one thread that
applies the law, and it recovers signatures in other threads so that the law finds them known.
"""

import asyncio
from collections.abc import Callable

from optimist.api.errors import ErrorCode, api_error
from optimist.api.schema import ParsedAction
from optimist.base.signature import recover
from optimist.derive.account_actions import (
    Cancel,
    CancelAll,
    SetAccountTier,
    SetFees,
    SetSessionKey,
    Transfer,
)
from optimist.derive.actions import (
    EnactMarket,
    Liquidate,
    PriceUpdate,
    ProposeMarket,
    Settle,
    SignedOrder,
    Withdraw,
)
from optimist.derive.order_tree import compute_signed_digest
from optimist.derive.typed_data import Domain, Message, Signature
from optimist.provable import State
from optimist.sequencer.views import (
    get_account,
    get_fee_manager,
    get_governor,
    get_market,
    get_oracle_signer,
    get_session_key,
)
from optimist.stf.constants import PERPETUAL_FEED

Known = dict[tuple[bytes, int, bytes, bytes], int]  # (digest, v, r, s) -> address
Expected = tuple[str, bytes, Signature, int]  # what was signed, its digest, the signature, whose it must be


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
        for name, digest, signature, owner in expected:
            signer = await asyncio.to_thread(recover, digest, *signature)
            if signer != owner:
                raise api_error(
                    ErrorCode.BAD_SIGNATURE,
                    f"the {name} is not signed by whom it should be: check the EIP-712 domain (chain id and "
                    "vault), every field, the key that it names, and that s is low and v is 27 or 28",
                    recovered=f"0x{signer:040x}",
                    owner=f"0x{owner:040x}",
                )
            v, r, s = signature
            known[digest, v, r.to_bytes(32, "big"), s.to_bytes(32, "big")] = signer
        return known

    def _check_cheaply(self, action: ParsedAction) -> list[Expected]:
        """Every signature in the action: what for, over which digest, by whom it must be."""
        state = self._state()
        match action:
            case SignedOrder():
                return [self._check_order(action)]
            case Withdraw(request=request, signature=signature):
                return [self._expect(request, signature, self._owner(request.account))]
            case Transfer(request=transfer, signature=signature):
                return [self._expect(transfer, signature, self._owner(transfer.source))]
            case SetSessionKey(request=session, signature=signature):
                return [self._expect(session, signature, self._owner(session.account))]
            case Cancel() | CancelAll():
                signer = self._signer(action.request.account, action.key)
                return [self._expect(action.request, action.signature, signer)]
            case ProposeMarket(message=message, signature=signature):
                return [self._expect(message, signature, get_governor(state))]
            case EnactMarket():
                return []  # anybody's to ask for: a number without a proposal is the law's to refuse
            case SetFees() | SetAccountTier():
                return [self._expect(action.request, action.signature, get_fee_manager(state))]
            case PriceUpdate(market=feed):
                self._require_market(feed - PERPETUAL_FEED if feed >= PERPETUAL_FEED else feed)
                return [
                    self._expect(report, one.signature, get_oracle_signer(state, one.signer))
                    for report, one in zip(action.reports(), action.prices, strict=True)
                ]
            case Liquidate() | Settle():
                self._require_market(action.market)
                self._owner(action.account)
                return []

    def _check_order(self, signed: SignedOrder) -> Expected:
        order = signed.order
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
        digest = compute_signed_digest(signed, self._domain)
        return "Order", digest, signed.signature, self._signer(order.account, signed.key)

    def _expect(self, message: Message, signature: Signature, signer: int) -> Expected:
        return message.TYPE.partition("(")[0], message.digest(self._domain), signature, signer

    def _signer(self, account: int, key: int) -> int:
        """Who must have signed for an account: its owner for key 0, else that session key."""
        owner = self._owner(account)
        return int(get_session_key(self._state(), account, key).key) if key else owner

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

"""What is checked before an action reaches the law: cheap things first, then the signature.

None of it decides anything: the law checks all of it again. It keeps nonsense away from the one thread that
applies the law, and it recovers signatures in other threads so that the law finds them known.
"""

from collections.abc import Callable, Sequence

from optimist.api.errors import ApiError, ErrorCode, api_error, law_error
from optimist.api.promises import DeadMan, PostOnly
from optimist.api.schema import ParsedAction
from optimist.base.presets import Preset
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
from optimist.sequencer.recoverer import Recoverer
from optimist.sequencer.views import (
    find_cancellation,
    get_account,
    get_fee_manager,
    get_governor,
    get_market,
    get_oracle_signer,
    get_session_key,
)
from optimist.stf.codes import Code
from optimist.stf.constants import MAX_SESSION_NONCE, PERPETUAL_FEED, RIGHT_CANCEL, RIGHT_TRADE

Known = dict[tuple[bytes, int, bytes, bytes], int]  # (digest, v, r, s) -> address
Expected = tuple[str, bytes, Signature, int]  # what was signed, its digest, the signature, whose it must be


LONGEST_VALIDITY = 60  # seconds ahead that a request which only the sequencer knows may be valid


class Intake:
    """Checks actions against the newest state; `known` of every good one goes into the state's signatures."""

    def __init__(
        self,
        domain: Domain,
        recoverer: Recoverer,
        preset: Preset,
        state: Callable[[], State],
        now: Callable[[], int],
    ) -> None:
        self._domain = domain
        self._recoverer = recoverer
        self._order_slots = preset.order_slots
        self._state = state
        self._now = now

    async def check(self, actions: Sequence[ParsedAction | ApiError]) -> list[Known | ApiError]:
        """For each action the recovered signatures, or why it is not worth sequencing.

        What was no action to begin with keeps its error. Calls return in the order in which they were made.
        """
        plans = [self._plan(action) for action in actions]
        asked = [
            (digest, signature)
            for plan in plans
            if not isinstance(plan, ApiError)
            for _, digest, signature, _ in plan
        ]
        found = iter(await self._recoverer.recover(asked))
        return [
            plan if isinstance(plan, ApiError) else _compare(plan, [next(found) for _ in plan])
            for plan in plans
        ]

    def _plan(self, action: ParsedAction | ApiError) -> list[Expected] | ApiError:
        try:
            return action if isinstance(action, ApiError) else self._check_cheaply(action)
        except ApiError as error:
            return error

    def _check_cheaply(self, action: ParsedAction) -> list[Expected]:
        """Every signature in the action: what for, over which digest, by whom it must be."""
        state = self._state()
        match action:
            case SignedOrder() | PostOnly():
                return [self._check_order(action.order if isinstance(action, PostOnly) else action)]
            case DeadMan(request=switch, signature=signature, key=key):
                self._require_valid(switch.valid_until)
                signer = self._signer_with_right(switch.account, key, RIGHT_CANCEL)
                return [self._expect(switch, signature, signer)]
            case Withdraw() | SetSessionKey():
                owner = self._owner(action.request.account)
                return [self._expect(action.request, action.signature, owner)]
            case Transfer(request=transfer, signature=signature):
                return [self._expect(transfer, signature, self._owner(transfer.source))]
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
        if order.slot >= self._order_slots:
            raise law_error(Code.ORDER_SLOT, slots=self._order_slots)
        owner = self._signer_with_right(order.account, signed.key, RIGHT_TRADE, order.nonce)
        if dead := find_cancellation(self._state(), order.account, order.slot, order.nonce):
            raise law_error(dead)
        digest = compute_signed_digest(signed, self._domain)
        return "Order", digest, signed.signature, owner

    def _require_valid(self, until: int) -> None:
        now = self._now()
        if not now <= until <= now + LONGEST_VALIDITY:
            raise api_error(
                ErrorCode.NOT_VALID_NOW,
                f"validUntil must lie between now ({now}) and {LONGEST_VALIDITY} s later, not at {until}",
                now=now,
                valid_until=until,
            )

    def _expect(self, message: Message, signature: Signature, signer: int) -> Expected:
        return message.TYPE.partition("(")[0], message.digest(self._domain), signature, signer

    def _signer(self, account: int, key: int) -> int:
        """Who must have signed for an account: its owner for key 0, else that session key."""
        owner = self._owner(account)
        return int(get_session_key(self._state(), account, key).key) if key else owner

    def _signer_with_right(self, account: int, key: int, right: int, nonce: int = 0) -> int:
        """The same for what the law sees later, or never: what it asks of a session key is asked here."""
        signer = self._signer(account, key)
        if key and signer:
            session = get_session_key(self._state(), account, key)
            if not session.rights & right:
                raise law_error(Code.SESSION_RIGHTS)
            if session.expiry < self._now():
                raise law_error(Code.SESSION_EXPIRED)
            if nonce > MAX_SESSION_NONCE:
                raise law_error(Code.SESSION_NONCE)
        return signer

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


def _compare(expected: Sequence[Expected], signers: Sequence[int]) -> Known | ApiError:
    """The signatures of one action, if each was made by whom it must be."""
    known: Known = {}
    for (name, digest, signature, owner), signer in zip(expected, signers, strict=True):
        if signer != owner or not signer:
            return api_error(
                ErrorCode.BAD_SIGNATURE,
                f"the {name} is not signed by whom it should be: check the EIP-712 domain (chain id and "
                "vault), every field, the key that it names, and that s is low and v is 27 or 28",
                recovered=f"0x{signer:040x}",
                owner=f"0x{owner:040x}",
            )
        v, r, s = signature
        known[digest, v, r.to_bytes(32, "big"), s.to_bytes(32, "big")] = signer
    return known

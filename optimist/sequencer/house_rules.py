"""What the sequencer asks of an order beyond the law: what it promises itself, and what its memory allows."""

from typing import Final

from optimist.api.errors import ErrorCode, api_error
from optimist.api.promises import SwitchRequest
from optimist.derive.actions import SignedOrder
from optimist.provable import State
from optimist.sequencer.engine import Engine, Outcome
from optimist.sequencer.views import find_filled, is_stale
from optimist.stf.constants import GOOD_TILL_CANCELLED

MOST_ORDERS: Final = 200  # of one account in all books
MOST_ORDERS_OF_ALL: Final = 100_000  # about 100 MB


def check_place(engine: Engine, signed: SignedOrder, order_id: bytes, *, is_post_only: bool) -> None:
    """Refuse an order that cannot be placed now, before anything of it is done. Raises ApiError."""
    order = signed.order
    if engine.is_resting(order_id):
        raise api_error(
            ErrorCode.ORDER_RESTS_ALREADY, "this order rests already", order_id="0x" + order_id.hex()
        )
    filled = find_filled(engine.builder.head.state, order)
    if filled:  # sent again by somebody who missed the answer: it had its turn
        raise api_error(
            ErrorCode.ORDER_HAD_ITS_TURN,
            f"this order was taken before and {filled} of it filled; what is left has been cancelled",
            order_id="0x" + order_id.hex(),
            filled=str(filled),
        )
    if is_post_only:
        if order.time_in_force != GOOD_TILL_CANCELLED:
            raise api_error(ErrorCode.MALFORMED_REQUEST, "an immediate order cannot be post-only")
        if engine.would_take(order):
            raise api_error(ErrorCode.WOULD_TAKE, "the order would trade at once, and is post-only")
    if order.time_in_force == GOOD_TILL_CANCELLED:
        if engine.count_resting(order.account) >= MOST_ORDERS:
            raise api_error(
                ErrorCode.TOO_MANY_ORDERS,
                f"an account has at most {MOST_ORDERS} resting orders: cancel some",
                limit=MOST_ORDERS,
            )
        if engine.resting_count >= MOST_ORDERS_OF_ALL:
            raise api_error(ErrorCode.OVERLOADED, "the books are full: immediate orders are still taken")


def check_freshness(state: State, signed: SignedOrder, since: int) -> None:
    """Refuse an order in a market whose newest price is older than the second `since`. Raises ApiError."""
    market = signed.order.market
    if is_stale(state, market, since):
        raise api_error(
            ErrorCode.NOT_READY,
            f"market {market} has no price yet since the sequencer started: try again in a moment",
            market=market,
        )


def set_switch(engine: Engine, request: SwitchRequest, now: int) -> Outcome:
    """Set or turn off the dead-man switch of an account. Raises ApiError."""
    before = engine.get_switch(request.account)
    if before is not None and request.nonce <= before.nonce:
        raise api_error(
            ErrorCode.STALE_NONCE,
            f"the nonce must be higher than {before.nonce}: use the milliseconds since 1970",
            nonce=str(before.nonce),
        )
    deadline = now + request.seconds if request.seconds else 0
    return engine.set_switch(request.account, deadline, request.nonce)

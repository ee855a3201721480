"""What only the sequencer promises: terms of an order, and requests, that the law has no word for.

Why they are not law: `docs/adr/0044-post-only-and-the-dead-man-switch.md`.
"""

from dataclasses import dataclass
from typing import ClassVar

from optimist.derive.actions import SignedOrder
from optimist.derive.typed_data import Message, Signature


@dataclass(frozen=True, slots=True)
class PostOnly:
    """An order that is refused whole rather than trade with one that rests already."""

    order: SignedOrder


@dataclass(frozen=True, slots=True)
class SwitchRequest(Message):
    """Cancel all orders of the account unless asked again within `seconds`; 0 turns the switch off.

    `nonce` must be higher than in any such request before; `valid_until`: the last second at which the
    sequencer may take the request.
    """

    TYPE: ClassVar[str] = "DeadManSwitch(uint40 account,uint32 seconds,uint64 nonce,uint40 validUntil)"

    account: int
    seconds: int
    nonce: int
    valid_until: int


@dataclass(frozen=True, slots=True)
class DeadMan:
    """Signed by the owner, or by the session key `key`, which needs the right to cancel."""

    request: SwitchRequest
    signature: Signature
    key: int = 0

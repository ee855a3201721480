"""What an owner asks for besides trading and withdrawing, and what the fee manager says: message and action.

A `...Request` is the EIP-712 message that is signed, the class beside it the input that carries it, a
`Forced...` the payload by which the owner goes through L1 instead, signed by the transaction alone.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from optimist.derive.octets import pack_bytes, pack_int, pack_uint
from optimist.derive.typed_data import ADDRESS_BYTES, Message, Signature, pack_signature
from optimist.stf import inputs


@dataclass(frozen=True, slots=True)
class CancelRequest(Message):
    """All orders of one slot with a nonce below `nonce` are dead."""

    TYPE: ClassVar[str] = "Cancel(uint40 account,uint8 slot,uint64 nonce)"

    account: int
    slot: int
    nonce: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Signed by the owner, or by the session key `key`."""

    KIND: ClassVar[int] = inputs.KIND_CANCEL

    request: CancelRequest
    signature: Signature
    key: int = 0

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        request = self.request
        return (
            pack_uint("account", request.account, 5)
            + pack_uint("slot", request.slot, 1)
            + pack_uint("nonce", request.nonce, 8)
            + pack_uint("key", self.key, 1)
            + pack_signature(self.signature)
        )


@dataclass(frozen=True, slots=True)
class CancelAllRequest(Message):
    """All orders of the account with a nonce below `nonce` are dead."""

    TYPE: ClassVar[str] = "CancelAll(uint40 account,uint64 nonce)"

    account: int
    nonce: int


@dataclass(frozen=True, slots=True)
class CancelAll:
    """Signed by the owner, or by the session key `key`."""

    KIND: ClassVar[int] = inputs.KIND_CANCEL_ALL

    request: CancelAllRequest
    signature: Signature
    key: int = 0

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        return (
            pack_uint("account", self.request.account, 5)
            + pack_uint("nonce", self.request.nonce, 8)
            + pack_uint("key", self.key, 1)
            + pack_signature(self.signature)
        )


@dataclass(frozen=True, slots=True)
class TransferRequest(Message):
    """`amount` (1e-6 USD) of one account to another one of the same owner."""

    TYPE: ClassVar[str] = "Transfer(uint40 source,uint40 target,uint64 amount,uint64 leastPaid,uint64 nonce)"

    source: int
    target: int
    amount: int
    least_paid: int  # rather nothing than less: where a group has a loss, a part stays behind
    nonce: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Signed by the owner."""

    KIND: ClassVar[int] = inputs.KIND_TRANSFER

    request: TransferRequest
    signature: Signature

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        request = self.request
        return (
            pack_uint("source", request.source, 5)
            + pack_uint("target", request.target, 5)
            + pack_uint("amount", request.amount, 8)
            + pack_uint("least paid", request.least_paid, 8)
            + pack_uint("nonce", request.nonce, 8)
            + pack_signature(self.signature)
        )


@dataclass(frozen=True, slots=True)
class SessionKeyRequest(Message):
    """Lend a key `rights` (1 trade, 2 cancel, 3 both) up to `expiry`; the zero address ends it."""

    TYPE: ClassVar[str] = (
        "SessionKey(uint40 account,uint8 index,address key,uint8 rights,uint40 expiry,uint64 nonce)"
    )

    account: int
    index: int  # 1 to 15
    key: bytes  # 20 bytes
    rights: int
    expiry: int
    nonce: int


@dataclass(frozen=True, slots=True)
class SetSessionKey:
    """Signed by the owner."""

    KIND: ClassVar[int] = inputs.KIND_SESSION_KEY

    request: SessionKeyRequest
    signature: Signature

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        request = self.request
        return (
            pack_uint("account", request.account, 5)
            + pack_uint("index", request.index, 1)
            + pack_bytes("key", request.key, ADDRESS_BYTES)
            + pack_uint("rights", request.rights, 1)
            + pack_uint("expiry", request.expiry, 5)
            + pack_uint("nonce", request.nonce, 8)
            + pack_signature(self.signature)
        )


@dataclass(frozen=True, slots=True)
class FeeTierRequest(Message):
    """What a tier of a market pays, ppm; a negative maker fee is a rebate."""

    TYPE: ClassVar[str] = "FeeTier(uint16 market,uint8 tier,int32 makerPpm,uint32 takerPpm,uint64 nonce)"

    market: int
    tier: int  # 1 to 7
    maker_ppm: int
    taker_ppm: int
    nonce: int


@dataclass(frozen=True, slots=True)
class SetFees:
    """Signed by the fee manager."""

    KIND: ClassVar[int] = inputs.KIND_FEES

    request: FeeTierRequest
    signature: Signature

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        request = self.request
        return (
            pack_uint("market", request.market, 2)
            + pack_uint("tier", request.tier, 1)
            + pack_int("maker ppm", request.maker_ppm, 4)
            + pack_uint("taker ppm", request.taker_ppm, 4)
            + pack_uint("nonce", request.nonce, 8)
            + pack_signature(self.signature)
        )


@dataclass(frozen=True, slots=True)
class AccountTierRequest(Message):
    """An account's tier, 0 to 7."""

    TYPE: ClassVar[str] = "AccountTier(uint40 account,uint8 tier,uint64 nonce)"

    account: int
    tier: int
    nonce: int


@dataclass(frozen=True, slots=True)
class SetAccountTier:
    """Signed by the fee manager."""

    KIND: ClassVar[int] = inputs.KIND_ACCOUNT_TIER

    request: AccountTierRequest
    signature: Signature

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        request = self.request
        return (
            pack_uint("account", request.account, 5)
            + pack_uint("tier", request.tier, 1)
            + pack_uint("nonce", request.nonce, 8)
            + pack_signature(self.signature)
        )


AccountAction: TypeAlias = Cancel | CancelAll | Transfer | SetSessionKey | SetFees | SetAccountTier


@dataclass(frozen=True, slots=True)
class ForcedCancelAll:
    """The payload of a forced cancellation: all orders of the sender's account with a nonce below `nonce`."""

    account: int
    nonce: int

    def encode(self) -> bytes:
        """Kind and body: the argument of `Inbox.force`."""
        return (
            bytes((inputs.KIND_CANCEL_ALL,))
            + pack_uint("account", self.account, 5)
            + pack_uint("nonce", self.nonce, 8)
        )


@dataclass(frozen=True, slots=True)
class ForcedSessionEnd:
    """The payload that ends a session key of the sender's account."""

    account: int
    index: int

    def encode(self) -> bytes:
        """Kind and body: the argument of `Inbox.force`."""
        return (
            bytes((inputs.KIND_SESSION_KEY,))
            + pack_uint("account", self.account, 5)
            + pack_uint("index", self.index, 1)
        )


@dataclass(frozen=True, slots=True)
class ForcedReduce:
    """The payload of a forced reduction: up to `size` of a position of the sender's account, to the backstop.

    `limit` (1e-8 USD): the least that a long takes, the most that a short pays.
    """

    account: int
    market: int
    size: int
    limit: int

    def encode(self) -> bytes:
        """Kind and body: the argument of `Inbox.force`."""
        return (
            bytes((inputs.KIND_REDUCE,))
            + pack_uint("account", self.account, 5)
            + pack_uint("market", self.market, 2)
            + pack_uint("size", self.size, 8)
            + pack_uint("limit", self.limit, 8)
        )

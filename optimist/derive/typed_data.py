"""What people sign: EIP-712 messages of `docs/PROTOCOL.md` §3, their digests, and their JSON for a wallet.

The law computes the same digests from an input's bytes (`optimist/stf`); a test compares both with a third
implementation.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, ClassVar, Final, NamedTuple

from optimist.base.keccak import keccak
from optimist.base.signature import recover, sign
from optimist.derive.octets import EncodingError, pack_uint
from optimist.stf.constants import GOOD_TILL_CANCELLED

DOMAIN_NAME: Final = "Optimist"
DOMAIN_VERSION: Final = "1"
DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
ADDRESS_BYTES: Final = 20
_DIGEST_PREFIX: Final = b"\x19\x01"


class Signature(NamedTuple):
    """An Ethereum signature. The law takes v 27 or 28 and the lower s only."""

    v: int
    r: int
    s: int


@dataclass(frozen=True)
class Domain:
    """Which rollup a message is for: no signature is valid in two of them."""

    chain_id: int
    vault: bytes  # 20 bytes

    @cached_property
    def separator(self) -> bytes:
        """The 32-byte domain separator."""
        return keccak(
            keccak(DOMAIN_TYPE.encode())
            + keccak(DOMAIN_NAME.encode())
            + keccak(DOMAIN_VERSION.encode())
            + _word("chainId", "uint256", self.chain_id)
            + _word("verifyingContract", "address", self.vault)
        )


def compute_digest(domain: Domain, struct_hash: bytes) -> bytes:
    """The 32 bytes that a signature over an EIP-712 struct covers."""
    return keccak(_DIGEST_PREFIX + domain.separator + struct_hash)


def sign_digest(digest: bytes, secret: bytes) -> Signature:
    """Sign with a 32-byte private key."""
    return Signature(*sign(digest, secret))


def pack_signature(signature: Signature) -> bytes:
    """v:1 · r:32 · s:32."""
    return pack_uint("v", signature.v, 1) + pack_uint("r", signature.r, 32) + pack_uint("s", signature.s, 32)


class Message:
    """Something to be signed. The dataclass fields of a subclass stand in the order of its TYPE."""

    __slots__ = ()
    TYPE: ClassVar[str]

    def struct_hash(self) -> bytes:
        """EIP-712 hashStruct. Raises EncodingError when a field does not fit its type."""
        own_class: Any = type(self)
        type_hash, get_values, packers = _get_layout(own_class)
        return keccak(
            b"".join(
                [type_hash, *(pack(value) for pack, value in zip(packers, get_values(self), strict=True))]
            )
        )

    def preimage(self, domain: Domain) -> bytes:
        """The bytes whose hash a signature covers: for a key that hashes for itself."""
        return _DIGEST_PREFIX + domain.separator + self.struct_hash()

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes that a signature covers."""
        return keccak(self.preimage(domain))

    def sign(self, domain: Domain, secret: bytes) -> Signature:
        """Sign with a 32-byte private key."""
        return sign_digest(self.digest(domain), secret)

    def recover(self, domain: Domain, signature: Signature) -> bytes:
        """Address of the signer; the zero address when the signature is no canonical one."""
        return recover(self.digest(domain), *signature).to_bytes(20, "big")

    def to_wallet(self, domain: Domain) -> dict[str, Any]:
        """The JSON object that `eth_signTypedData_v4` takes; addresses and hashes as 0x hex."""
        name = self.TYPE.partition("(")[0]
        _, members = _parse_type(self.TYPE)
        values = [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]  # as above
        message = {
            member: _wallet_value(kind, value) for (kind, member), value in zip(members, values, strict=True)
        }
        return {
            "types": {
                "EIP712Domain": _members_json(_parse_type(DOMAIN_TYPE)[1]),
                name: _members_json(members),
            },
            "primaryType": name,
            "domain": {
                "name": DOMAIN_NAME,
                "version": DOMAIN_VERSION,
                "chainId": domain.chain_id,
                "verifyingContract": "0x" + domain.vault.hex(),
            },
            "message": message,
        }


@dataclass(frozen=True, slots=True)
class Order(Message):
    """A limit order. All orders signed with one (account, slot, nonce) share one `filled` counter."""

    TYPE: ClassVar[str] = (
        "Order(uint40 account,uint16 market,bool isBuy,uint64 size,uint64 price,uint32 maxFeePpm,"
        "uint8 slot,uint64 nonce,uint40 expiry,bool reduceOnly,uint8 timeInForce)"
    )

    account: int
    market: int
    is_buy: bool
    size: int  # 10^-(size decimals)
    price: int  # 1e-8 USD: the most a buyer pays, the least a seller takes
    max_fee_ppm: int
    slot: int
    nonce: int
    expiry: int  # last second at which it may be filled
    reduce_only: bool = False  # it never makes a position larger, or takes it to the other side
    time_in_force: int = GOOD_TILL_CANCELLED  # or IMMEDIATE_OR_CANCEL, FILL_OR_KILL


@dataclass(frozen=True, slots=True)
class WithdrawRequest(Message):
    """Permission to pay `amount` (1e-6 USD) of an account to `recipient` on L1."""

    TYPE: ClassVar[str] = (
        "Withdraw(uint40 account,uint64 amount,uint64 leastPaid,address recipient,uint64 nonce)"
    )

    account: int
    amount: int
    least_paid: int  # rather nothing than less: where a group has a loss, a part stays behind
    recipient: bytes  # 20 bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class PriceReport(Message):
    """What one oracle key says a market's price (1e-8 USD) was at `publish_time`."""

    TYPE: ClassVar[str] = "Price(uint16 market,uint64 price,uint40 publishTime)"

    market: int
    price: int
    publish_time: int


@dataclass(frozen=True, slots=True)
class MarketProposal(Message):
    """New rules of a market, or a new market: the bytes of a market in INIT, zeros behind the last one."""

    TYPE: ClassVar[str] = "ProposeMarket(uint16 market,uint64 nonce,bytes32[6] rules)"

    market: int
    nonce: int
    rules: bytes  # 192 bytes


@dataclass(frozen=True, slots=True)
class SoftConfirmation(Message):
    """The sequencer's word for the first `number` sequenced inputs, whose soft history is `history`."""

    TYPE: ClassVar[str] = "SoftConfirmation(uint64 number,bytes32 history)"

    number: int
    history: bytes  # 32 bytes


@cache
def _parse_type(text: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """(type hash, ((solidity type, member name), ...)) of an EIP-712 struct type without nested structs."""
    inner = text[text.index("(") + 1 : -1]
    members = tuple((member.split(" ")[0], member.split(" ")[1]) for member in inner.split(","))
    return keccak(text.encode()), members


def _members_json(members: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for kind, name in members]


def _wallet_value(kind: str, value: int | bytes) -> Any:
    if not isinstance(value, bytes):
        return value
    if kind.endswith("]"):
        return ["0x" + value[at : at + 32].hex() for at in range(0, len(value), 32)]
    return "0x" + value.hex()


@cache
def _get_layout(
    kind: Any,  # a subclass of Message, which mypy does not take for hashable
) -> tuple[bytes, Callable[[Message], tuple[Any, ...]], tuple[Callable[[Any], bytes], ...]]:
    """Type hash of a message, what takes its fields out, and what makes a word of each: digests are hot."""
    type_hash, members = _parse_type(kind.TYPE)
    names = [field.name for field in fields(kind)]
    packers = tuple(_make_packer(name, solidity) for (solidity, name), _ in zip(members, names, strict=True))
    if len(names) == 1:
        (name,) = names
        return type_hash, lambda message: (getattr(message, name),), packers
    return type_hash, attrgetter(*names), packers


def _make_packer(name: str, kind: str) -> Callable[[Any], bytes]:
    """What makes a word of a value of a Solidity type. It raises EncodingError when it is none."""
    if kind in ("address", "bytes32"):
        length = 20 if kind == "address" else 32
        return lambda value: _check_bytes(name, value, length).rjust(32, b"\0")
    if kind.startswith("bytes32["):
        length = 32 * int(kind[len("bytes32[") : -1])
        return lambda value: keccak(_check_bytes(name, value, length))
    bits = 1 if kind == "bool" else int(kind.removeprefix("u").removeprefix("int"))
    is_signed = kind.startswith("int")
    low, high = (-1 << bits - 1, 1 << bits - 1) if is_signed else (0, 1 << bits)

    def pack_number(value: Any) -> bytes:
        if isinstance(value, bytes) or not low <= value < high:
            raise EncodingError(f"{name} = {value!r} does not fit {kind}")
        return int(value).to_bytes(32, "big", signed=is_signed)

    return pack_number


def _check_bytes(name: str, value: Any, length: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != length:
        raise EncodingError(f"{name} must be {length} bytes, not {value!r}")
    return value


def _word(name: str, kind: str, value: int | bytes) -> bytes:
    """One 32-byte word of a struct. Raises EncodingError when `value` is none of `kind`."""
    return _make_packer(name, kind)(value)

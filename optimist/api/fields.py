"""The kinds of fields in the API's JSON. Amounts are decimal strings, which every JSON parser keeps exact."""

from typing import Annotated

from msgspec import Meta, Struct

from optimist.api.errors import ErrorCode, api_error
from optimist.derive.typed_data import Signature

Decimal = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,19})$")]
Address = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}$")]
SignatureHex = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{130}$")]
Hash = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{64}$")]
Account = Annotated[int, Meta(ge=0, lt=1 << 36)]
Market = Annotated[int, Meta(ge=0, lt=1 << 16)]
Second = Annotated[int, Meta(ge=0, lt=1 << 40)]
Uint32 = Annotated[int, Meta(ge=0, lt=1 << 32)]
Slot = Annotated[int, Meta(ge=0, lt=1 << 8)]
Ppm = Annotated[int, Meta(ge=0, lt=1 << 32)]
SignedPpm = Annotated[int, Meta(ge=-(1 << 31), lt=1 << 31)]
Key = Annotated[int, Meta(ge=0, lt=16)]
Index = Annotated[int, Meta(ge=0, lt=8)]
TimeInForce = Annotated[int, Meta(ge=0, le=2)]

MAX_UINT64 = (1 << 64) - 1


class Body(Struct, forbid_unknown_fields=True, rename="camel", tag_field="type"):
    """Base of every action's JSON."""


def parse_uint64(name: str, text: str) -> int:
    """The integer of a Decimal. Raises ApiError MALFORMED_REQUEST beyond 64 bits."""
    value = int(text)  # the pattern allows twenty ASCII digits at most
    if value > MAX_UINT64:
        raise api_error(ErrorCode.MALFORMED_REQUEST, f"{name} = {text} does not fit 64 bits")
    return value


def parse_signature(text: str) -> Signature:
    """65 bytes r | s | v, as wallets write them."""
    raw = bytes.fromhex(text[2:])
    return Signature(raw[64], int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))


def signature_hex(signature: Signature) -> str:
    """The inverse of `parse_signature`."""
    r, s = signature.r.to_bytes(32, "big"), signature.s.to_bytes(32, "big")
    return "0x" + (r + s + bytes((signature.v,))).hex()
